package dkg

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parallax/group"
	"parallax/group/grouptest"
	"parallax/oprf"
	"parallax/seal"
	"parallax/signed"
)

// body is a committee with its keys.
type body struct {
	holders []Holder
	sign    []ed25519.PrivateKey
	hpke    [][]byte
}

func newBody(t testing.TB, name string, n int) body {
	t.Helper()
	var b body
	for i := range n {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		sk, pk, err := seal.GenerateHPKE()
		if err != nil {
			t.Fatal(err)
		}
		b.holders = append(b.holders, Holder{i + 1, fmt.Sprint(name, i+1), pub, pk})
		b.sign, b.hpke = append(b.sign, priv), append(b.hpke, sk)
	}
	return b
}

// pooled is a committee that holds keys.
type pooled struct {
	body
	keys   []group.PublicKey
	shares []map[string]group.Share // by holder
}

func newPooled(t testing.TB, tn, n int) pooled {
	t.Helper()
	p := pooled{body: newBody(t, "old", n), shares: make([]map[string]group.Share, n)}
	for _, label := range []string{"email", "payload"} {
		pub, shares, err := grouptest.Deal(tn, n, label, nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		p.keys = append(p.keys, pub)
		for i, s := range shares {
			if p.shares[i] == nil {
				p.shares[i] = map[string]group.Share{}
			}
			p.shares[i][label] = s
		}
	}
	return p
}

// rerun is a run with what its parties hold.
type rerun struct {
	old pooled
	to  body
	r   Resharing
	t   Reshared
}

func newRerun(t testing.TB, old pooled, to body, tn int, dealers ...int) *rerun {
	t.Helper()
	x := &rerun{old: old, to: to, r: Resharing{Pool: "p", Epoch: "e", Keys: old.keys, T: tn, N: len(to.holders), To: to.holders, Number: 1, Context: make([]byte, 32)}}
	for _, i := range dealers {
		x.r.From = append(x.r.From, old.holders[i-1])
	}
	x.t.Run = x.r
	return x
}

func (x *rerun) deal(t testing.TB) {
	t.Helper()
	for place, h := range x.r.From {
		raw, err := x.r.Deal(place, x.old.sign[h.Index-1], x.old.shares[h.Index-1], rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		x.t.Deals = append(x.t.Deals, raw)
	}
}

// play finishes a run in which everybody is honest.
func (x *rerun) play(t testing.TB) pooled {
	t.Helper()
	x.deal(t)
	out := pooled{body: x.to, shares: make([]map[string]group.Share, x.r.N)}
	var words [][]byte
	for i := range x.to.holders {
		mine := x.t
		var err error
		if out.shares[i], err = mine.Take(i+1, x.to.hpke[i]); err != nil {
			t.Fatal(err)
		}
		w, err := mine.Confirm(i+1, x.to.sign[i])
		if err != nil {
			t.Fatal(err)
		}
		words, x.t.Keys = append(words, w), mine.Keys
	}
	done, err := x.t.Finish(words)
	if err != nil {
		t.Fatal(err)
	}
	x.t, out.keys = done, done.Keys
	return out
}

// tag is what t holders make of an input: its OPRF output.
func tag(t testing.TB, key group.PublicKey, shares []map[string]group.Share, who []int) [64]byte {
	t.Helper()
	secret, point, err := oprf.Blind([]byte("input"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	points := []group.Point{point}
	var answers []oprf.Answer
	for _, i := range who {
		a, err := oprf.Evaluate(shares[i][key.Label], points, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	combined, err := oprf.Combine(key, points, answers)
	if err != nil {
		t.Fatal(err)
	}
	out, err := oprf.Finalize([]byte("input"), secret, combined[0])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever committee deals to whatever committee: keys and tags stay, every
// share and every holder's point becomes another, and shares from before and
// after do not combine.
func TestResharingKeepsKeysAndTags(t *testing.T) {
	sizes := [][2]int{{2, 2}, {2, 3}, {3, 4}, {3, 5}}
	pools, bodies := map[[2]int]pooled{}, map[[2]int]body{}
	for _, s := range sizes {
		pools[s], bodies[s] = newPooled(t, s[0], s[1]), newBody(t, "new", s[1])
	}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.SampledFrom(sizes).Draw(rt, "from"), rapid.SampledFrom(sizes).Draw(rt, "to")
		old, to := pools[a], bodies[b]
		refresh := rapid.Bool().Draw(rt, "refresh")
		if refresh {
			b, to = a, old.body
		}
		all := make([]int, a[1])
		for i := range all {
			all[i] = i + 1
		}
		dealers := rapid.Permutation(all).Draw(rt, "dealers")[:a[0]]
		sortInts(dealers)
		next := newRerun(t, old, to, b[0], dealers...).play(t)
		pick := func(n, k int) []int {
			places := make([]int, n)
			for i := range places {
				places[i] = i
			}
			return rapid.Permutation(places).Draw(rt, "who")[:k]
		}
		if tag(t, old.keys[0], old.shares, pick(a[1], a[0])) != tag(t, next.keys[0], next.shares, pick(b[1], b[0])) {
			rt.Fatal("a tag has changed")
		}
		for l, k := range next.keys {
			if k.Key != old.keys[l].Key || k.Label != old.keys[l].Label || k.T != b[0] || k.N != b[1] {
				rt.Fatalf("the key of %q is %+v", k.Label, k)
			}
			for i, p := range k.Holders {
				if i < a[1] && p == old.keys[l].Holders[i] {
					rt.Fatalf("holder %d has its old share of %q", i+1, k.Label)
				}
			}
		}
		if refresh {
			mixed(t, rt, old, next)
		}
	})
}

// mixed combines shares of before and after a refresh: nothing comes of it.
func mixed(t *testing.T, rt *rapid.T, old, next pooled) {
	t.Helper()
	k := old.keys[0]
	from := rapid.IntRange(1, k.T-1).Draw(rt, "of the old")
	h := group.HashToElement("test", []byte("point"))
	parts, good := map[int]group.Element{}, map[int]group.Element{}
	for i := range k.T {
		share := next.shares[i]["email"]
		if i < from {
			share = old.shares[i]["email"]
		}
		parts[i+1] = h.Mul(share.Scalar())
		good[i+1] = h.Mul(next.shares[i]["email"].Scalar())
	}
	got, err1 := group.CombinePoints(k.T, k.N, parts)
	want, err2 := group.CombinePoints(k.T, k.N, good)
	if err1 != nil || err2 != nil || got.Equal(want) {
		rt.Fatalf("shares of before and after combine: %v, %v", err1, err2)
	}
}

func sortInts(list []int) {
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// redo signs a changed deal as its dealer: what a lying dealer can send.
func (x *rerun) redo(t *testing.T, place int, change func(d *deal)) {
	t.Helper()
	var o signed.Object
	var d deal
	if err := errors.Join(signed.Unmarshal(x.t.Deals[place], &o), signed.Unmarshal(o.Body, &d)); err != nil {
		t.Fatal(err)
	}
	change(&d)
	me := x.r.From[place]
	o, err := signed.Sign(dealDomain, me.ID, x.old.sign[me.Index-1], d)
	if err != nil {
		t.Fatal(err)
	}
	if x.t.Deals[place], err = signed.Marshal(o); err != nil {
		t.Fatal(err)
	}
}

// A dealer that lies or is away is named by every new holder; nothing is taken.
func TestALyingDealerIsNamed(t *testing.T) {
	other := group.BaseMul(group.ScalarFromInt(7)).Encode()
	for name, x := range map[string]struct {
		change func(t *testing.T, x *rerun)
		says   string
	}{
		"silent":            {func(_ *testing.T, x *rerun) { x.t.Deals[1] = nil }, "has not dealt"},
		"another's message": {func(_ *testing.T, x *rerun) { x.t.Deals[1] = x.t.Deals[0] }, "not signed by it"},
		"cut":               {func(_ *testing.T, x *rerun) { x.t.Deals[1] = x.t.Deals[1][:100] }, "not signed by it"},
		"of another run":    {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Run[0] ^= 1 }) }, "not signed by it for this run"},
		"not its share":     {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Commitments[0][0] = other }) }, "is not its share"},
		"a higher degree": {func(t *testing.T, x *rerun) {
			x.redo(t, 1, func(d *deal) { d.Commitments[0] = append(d.Commitments[0], other) })
		}, "another degree"},
		"a lower degree":      {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Commitments[0] = d.Commitments[0][:1] }) }, "another degree"},
		"fewer keys":          {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Commitments = d.Commitments[:1] }) }, "other keys"},
		"no point":            {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Commitments[0][1] = group.Point{255} }) }, "no point"},
		"a wrong value":       {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Commitments[0][1] = other }) }, "does not fit"},
		"values that are not": {func(t *testing.T, x *rerun) { x.redo(t, 1, func(d *deal) { d.Sealed[0][40] ^= 1 }) }, "does not open"},
		"values swapped": {func(t *testing.T, x *rerun) {
			x.redo(t, 1, func(d *deal) { d.Sealed[0], d.Sealed[1] = d.Sealed[1], d.Sealed[0] })
		}, "does not open"},
	} {
		x2 := newRerun(t, newPooled(t, 2, 3), newBody(t, "new", 3), 2, 1, 3)
		x2.deal(t)
		x.change(t, x2)
		shares, err := x2.t.Take(1, x2.to.hpke[0])
		var f *ReshareFault
		if !errors.As(err, &f) || f.ID != "old3" || !strings.Contains(f.Reason, x.says) || shares != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The run counts only with every new holder's confirmation of one record.
func TestARunNeedsEveryConfirmation(t *testing.T) {
	old, to := newPooled(t, 2, 3), newBody(t, "new", 3)
	x := newRerun(t, old, to, 2, 1, 2)
	x.play(t)
	elsewhere := newRerun(t, old, to, 2, 1, 2)
	elsewhere.r.Number, elsewhere.t.Run.Number = 2, 2
	elsewhere.play(t)
	twin := newRerun(t, old, to, 2, 1, 2) // the same run, other deals: a dealer with two faces
	twin.play(t)
	complaint, err := x.t.Complain(3, to.sign[2], &ReshareFault{ID: "old2", Reason: "it does not open"})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := x.t.Confirm(3, to.sign[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]struct {
		word []byte
		id   string
		says string
	}{
		"silence":           {nil, "new3", "has not confirmed"},
		"a complaint":       {complaint, "old2", "holder new3 complains"},
		"of another run":    {elsewhere.t.Takes[2], "new3", "not signed by it for this run"},
		"of another record": {twin.t.Takes[2], "new3", "another record"},
		"in another's name": {forged, "new3", "not signed by it"},
		"another's":         {x.t.Takes[1], "new3", "not signed by it"},
		"no signed message": {[]byte("yes"), "new3", "not signed by it"},
	} {
		_, err := x.t.Finish([][]byte{x.t.Takes[0], x.t.Takes[1], w.word})
		var f *ReshareFault
		if !errors.As(err, &f) || f.ID != w.id || !strings.Contains(f.Reason, w.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := x.t.Finish(append(x.t.Takes, x.t.Takes[0])); err == nil {
		t.Error("one confirmation too many")
	}
	changed := x.t
	changed.Keys = append([]group.PublicKey{}, x.t.Keys...)
	changed.Keys[0].Holders = twin.t.Keys[0].Holders
	if changed.Verify() == nil {
		t.Error("other points of the holders verify")
	}
	for name, change := range map[string]func(r *Resharing){
		"a dealer too few":  func(r *Resharing) { r.From = r.From[:1] },
		"a dealer too many": func(r *Resharing) { r.From = old.holders },
		"a dealer twice":    func(r *Resharing) { r.From = []Holder{r.From[0], r.From[0]} },
		"no majority":       func(r *Resharing) { r.T, r.N, r.To = 1, 2, r.To[:2] },
		"a holder twice":    func(r *Resharing) { r.To = []Holder{r.To[0], r.To[0], r.To[2]} },
		"no run":            func(r *Resharing) { r.Number = 0 },
		"no act":            func(r *Resharing) { r.Context = nil },
		"no keys":           func(r *Resharing) { r.Keys = nil },
	} {
		r := x.r
		change(&r)
		if r.Check() == nil {
			t.Errorf("%s: a run may start", name)
		}
	}
	if _, err := x.r.Deal(0, old.sign[0], old.shares[1], rand.Reader); err == nil {
		t.Error("a dealer deals another's share")
	}
}
