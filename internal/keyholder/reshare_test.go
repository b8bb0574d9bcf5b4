package keyholder

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/selector"
	"parallax/signed"
)

// shareBoard is a hub's board that does whatever it is told: it checks nothing
// and completes what is complete, as an accomplice would.
type shareBoard struct {
	t     *testing.T
	setup client.Setup
	view  client.ReshareView
	bend  func(step string, place int, message []byte) []byte // what it makes of a message
}

func (w *world) shareBoard() *shareBoard {
	return &shareBoard{t: w.t, setup: w.setup, view: client.ReshareView{Reshares: []client.Reshare{}}}
}

func (b *shareBoard) open(so client.SignedOrder) {
	var o client.ReshareOrder
	must(b.t, signed.Unmarshal(so.Body, &o))
	b.view.Open = &client.ReshareRun{Order: so, Keys: make([][]byte, max(o.N, 0)), Deals: make([][]byte, len(o.Dealers)), Takes: make([][]byte, max(o.N, 0))}
}

// View implements ReshareBoard.
func (b *shareBoard) View(context.Context) (client.ReshareView, error) {
	v := b.view
	v.Reshares = slices.Clone(v.Reshares)
	if v.Open != nil {
		run := *v.Open
		run.Keys, run.Deals, run.Takes = slices.Clone(run.Keys), slices.Clone(run.Deals), slices.Clone(run.Takes)
		v.Open = &run
	}
	return v, nil
}

// Post implements ReshareBoard; two messages in one place fail the test.
func (b *shareBoard) Post(_ context.Context, order opening.Hash, step string, place int, message []byte) error {
	run := b.view.Open
	if run == nil || run.Order.Digest() != order {
		return errors.New("no such order")
	}
	list := map[string][][]byte{client.StepKey: run.Keys, client.StepDeal: run.Deals, client.StepTake: run.Takes}[step]
	if b.bend != nil {
		message = b.bend(step, place, message)
	}
	if len(list[place-1]) > 0 && string(list[place-1]) != string(message) {
		b.t.Errorf("a second %s in place %d", step, place)
	}
	list[place-1] = message
	b.complete()
	return nil
}

func (b *shareBoard) complete() {
	run := b.view.Open
	if len(silent(run.Deals)) > 0 || len(silent(run.Takes)) > 0 {
		return
	}
	_, params, keys, _, err := b.setup.Params(*run)
	must(b.t, err)
	deals, err := client.Deals(run.Deals)
	must(b.t, err)
	record, err := params.Collect(deals)
	if err != nil {
		return
	}
	if record, err = record.Finish(run.Takes); err != nil {
		return
	}
	b.view.Reshares = append(b.view.Reshares, client.Reshare{Order: run.Order, Keys: keys, Record: record})
	b.setup.Reshares, b.view.Open = b.view.Reshares, nil
}

// Destroyed implements ReshareBoard.
func (b *shareBoard) Destroyed(_ context.Context, generation, index int, o signed.Object) error {
	if _, err := b.setup.OpenDestroyed(generation, index, o); err != nil {
		b.t.Errorf("a statement: %v", err)
	}
	b.view.Destroyed = append(b.view.Destroyed, o)
	return nil
}

// order is a refresh that two governors sign, as the test changes it.
func (w *world) order(setup client.Setup, change func(*client.ReshareOrder), governors ...string) client.SignedOrder {
	w.t.Helper()
	now := setup.Committee()
	o := client.ReshareOrder{Pool: "pool", Epoch: "2026-11", Generation: now.Generation + 1, Attempt: 1, Previous: now.Record, Dealers: []int{1, 2},
		T: now.T, N: now.N, Holders: slices.Clone(now.Holders), Reason: "an exercise", Issued: w.clock.Now().UnixMicro(), Expires: w.clock.Now().AddDate(0, 0, 7).UnixMicro()}
	if change != nil {
		change(&o)
	}
	so, err := client.SignOrder(o)
	must(w.t, err)
	if len(governors) == 0 {
		governors = []string{"gov-1", "gov-2"}
	}
	for _, g := range governors {
		so.Add(g, w.keys[g])
	}
	return so
}

// pass lets some holders look at the board once.
func (w *world) pass(b ReshareBoard, indices ...int) (said []string, failed error) {
	w.t.Helper()
	for _, i := range indices {
		text, err := w.holders[i-1].Reshare(context.Background(), b)
		if err != nil {
			err = fmt.Errorf("holder %d: %s", i, sentence(err))
		}
		said, failed = append(said, text), errors.Join(failed, err)
	}
	return said, failed
}

func sentence(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.Sentence(err)
	}
	return err.Error()
}

// force is how many holders can answer with a share of each generation.
func (w *world) force() map[int]int {
	out := map[int]int{}
	for _, h := range w.holders {
		if len(h.keys.shares) > 0 {
			out[h.keys.committee.Generation]++
		}
	}
	return out
}

// tag asks the holders of the world for the possession key of one address.
func (w *world) tag(setup client.Setup, seed string) group.Point {
	w.t.Helper()
	m := w.member("bank-a")
	m.Setup = setup
	m.Manifest, _ = setup.Fit(m.Manifest)
	forms, err := selector.Normalise(selector.Email, "someone@mail-one.net", selector.Hint{})
	must(w.t, err)
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(seed)), Time: w.clock.Now().UnixMicro(), Inputs: [][]byte{forms[0].Input()}, Basis: "basis-1"}
	must(w.t, m.Prepare(&b))
	keys, err := m.Tokenise(context.Background(), &b)
	must(w.t, err)
	var out group.Point
	copy(out[:], keys[0].Public())
	return out
}

var errCrash = errors.New("the machine stops here")

// A holder that deals and takes is stopped before and after each of its writes
// and messages, once each, and started again. At no moment are there fewer than
// the threshold who can answer with shares of one generation, it never says two
// things in one place, and the run ends with the same tags.
func TestAReshareSurvivesAStopAtAnyPoint(t *testing.T) {
	var points []string
	w := newWorld(t)
	w.holders[0].at = func(p string) error { points = append(points, p); return nil }
	w.run(t, w.shareBoard())
	if len(points) < 12 {
		t.Fatalf("only %d points: %q", len(points), points)
	}
	for _, stop := range points {
		t.Run(stop, func(t *testing.T) {
			w := newWorld(t)
			before := w.tag(w.setup, "before")
			crashed := false
			w.holders[0].at = func(p string) error {
				if p == stop {
					crashed = true
					return errCrash
				}
				return nil
			}
			b := w.shareBoard()
			b.open(w.order(w.setup, nil))
			for range 9 {
				for i := range w.holders {
					_, err := w.pass(b, i+1)
					if err != nil && !crashed {
						t.Fatal(err)
					}
					if err != nil {
						must(t, w.holders[i].Close())
						w.holders[i] = w.open(w.dirs[i])
					}
					if f := w.force(); f[0] < 2 && f[1] < 2 {
						t.Fatalf("too few can answer: %v", f)
					}
				}
			}
			if f := w.force(); !crashed || f[1] != 3 || len(b.view.Destroyed) != 3 {
				t.Fatalf("in the end: crashed %t, shares %v, %d statements", crashed, f, len(b.view.Destroyed))
			}
			if after := w.tag(b.setup, "after"); after != before {
				t.Error("the tag changed")
			}
			if left, err := w.holders[0].kept(); err != nil || len(left) > 0 {
				t.Errorf("%d files with shares are left: %v", len(left), err)
			}
		})
	}
}

// run takes a refresh to its end.
func (w *world) run(t *testing.T, b *shareBoard) {
	t.Helper()
	b.open(w.order(b.setup, nil))
	for range 5 {
		_, err := w.pass(b, 1, 2, 3)
		must(t, err)
	}
	if f := w.force(); f[len(b.setup.Reshares)] != 3 {
		t.Fatalf("after the run: %v", f)
	}
}

// Each line is an order that a quorum in the wrong hands might sign, or a hub
// might show. Every holder refuses it by itself, though its operator has allowed
// it and the hub takes everything; nobody deals.
func TestHoldersRefuseAnOrder(t *testing.T) {
	for name, x := range map[string]struct {
		change    func(w *world, o *client.ReshareOrder)
		governors []string
		want      string
	}{
		"a share with the hub operator": {change: func(_ *world, o *client.ReshareOrder) { o.Holders[2].Entity = "Operator" }, want: "the hub operator"},
		"a share with the authority":    {change: func(w *world, o *client.ReshareOrder) { o.Holders[2] = w.stranger("Police") }, want: "belongs to the authority"},
		"two shares with one body":      {change: func(w *world, o *client.ReshareOrder) { o.Holders[2] = w.stranger("Body 1") }, want: "no two shares"},
		"an old holder for another body": {change: func(_ *world, o *client.ReshareOrder) { o.Holders[2].Entity = "Elsewhere" },
			want: "of another body"},
		"one key in two places": {change: func(w *world, o *client.ReshareOrder) {
			o.Holders[2] = w.stranger("Elsewhere")
			o.Holders[2].HPKE = o.Holders[0].HPKE
		}, want: "taken"},
		"the hub's key": {change: func(w *world, o *client.ReshareOrder) {
			o.Holders[2] = w.stranger("Elsewhere")
			o.Holders[2].Key = w.plan.Hub.Key
		}, want: "taken"},
		"a governor's key": {change: func(w *world, o *client.ReshareOrder) {
			o.Holders[2] = w.stranger("Elsewhere")
			o.Holders[2].Key = w.plan.Governance.Governors[0].Key
		}, want: "taken"},
		"a member's key": {change: func(w *world, o *client.ReshareOrder) {
			o.Holders[2] = w.stranger("Elsewhere")
			o.Holders[2].Key = pub(w.keys["bank-a"])
		}, want: "key of member"},
		"the authority's key": {change: func(w *world, o *client.ReshareOrder) {
			o.Holders[2] = w.stranger("Elsewhere")
			o.Holders[2].HPKE = w.manifest.Authority.HPKE
		}, want: "key of the authority"},
		"holders that change places": {change: func(_ *world, o *client.ReshareOrder) {
			o.Holders[0], o.Holders[1] = o.Holders[1], o.Holders[0]
			o.Holders[0].Index, o.Holders[1].Index = 1, 2
		}, want: "must keep place"},
		"any one of three":         {change: func(_ *world, o *client.ReshareOrder) { o.T = 1 }, want: "not possible"},
		"one dealer":               {change: func(_ *world, o *client.ReshareOrder) { o.Dealers = []int{1} }, want: "exactly 2"},
		"three dealers":            {change: func(_ *world, o *client.ReshareOrder) { o.Dealers = []int{1, 2, 3} }, want: "exactly 2"},
		"the same dealer twice":    {change: func(_ *world, o *client.ReshareOrder) { o.Dealers = []int{1, 1} }, want: "ascending"},
		"another pool":             {change: func(_ *world, o *client.ReshareOrder) { o.Pool = "other" }, want: "another pool"},
		"a generation left out":    {change: func(_ *world, o *client.ReshareOrder) { o.Generation = 2 }, want: "does not follow"},
		"after another record":     {change: func(_ *world, o *client.ReshareOrder) { o.Previous[0] ^= 1 }, want: "does not follow"},
		"too long":                 {change: func(_ *world, o *client.ReshareOrder) { o.Expires += 40 * 24 * time.Hour.Microseconds() }, want: "30 days"},
		"expired":                  {change: func(_ *world, o *client.ReshareOrder) { o.Issued, o.Expires = 1, 2 }, want: "expired"},
		"in the future":            {change: func(w *world, o *client.ReshareOrder) { o.Issued += time.Hour.Microseconds() }, want: "future"},
		"one governor":             {governors: []string{"gov-1"}, want: "1 of 3 governance signatures"},
		"one governor twice":       {governors: []string{"gov-1", "gov-1"}, want: "1 of 3 governance signatures"},
		"a stranger as a governor": {governors: []string{"gov-1", "stranger"}, want: "1 of 3 governance signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			so := w.order(w.setup, func(o *client.ReshareOrder) {
				if x.change != nil {
					x.change(w, o)
				}
			}, x.governors...)
			b := w.shareBoard()
			b.open(so)
			for i := range w.holders {
				must(t, replaceFile(w.dirs[i]+"/"+consentFile, []byte(`"`+so.Digest().String()+`"`)))
				if _, err := w.pass(b, i+1); err == nil || !strings.Contains(err.Error(), x.want) {
					t.Errorf("holder %d: %v, want %q", i+1, err, x.want)
				}
			}
			if len(silent(b.view.Open.Deals)) != len(b.view.Open.Deals) {
				t.Error("a dealer has dealt")
			}
		})
	}
}

// stranger is a new holder's card of a body.
func (w *world) stranger(entity string) opening.Holder {
	w.t.Helper()
	card, err := Init(w.t.TempDir(), "holder-9", entity, "http://holder-9.test", rand.Reader)
	must(w.t, err)
	card.Index = 3
	return card
}

// seat is a new holder that has joined and serves in the place after the others.
func (w *world) seat(id string) opening.Holder {
	w.t.Helper()
	dir := w.t.TempDir()
	card, err := Init(dir, id, "Body of "+id, "http://"+id+".test", rand.Reader)
	must(w.t, err)
	card.Index = 3
	must(w.t, Join(dir, w.setup, w.setup.Transcript.Hash()))
	w.dirs, w.holders = append(w.dirs, dir), append(w.holders, w.open(dir))
	return card
}

// Governance alone moves no share to a new body: each dealer's operator and the
// new holder's must have allowed exactly this order.
func TestOnlyItsOperatorLetsAHolderDealToANewBody(t *testing.T) {
	w := newWorld(t)
	card := w.seat("holder-4")
	change := func(o *client.ReshareOrder) { o.Holders[2], o.Dealers = card, []int{2, 3} }
	so := w.order(w.setup, change)
	other := w.order(w.setup, func(o *client.ReshareOrder) { change(o); o.Reason = "another" })
	b := w.shareBoard()
	b.open(so)
	must(t, errors.Join(Consent(w.dirs[0], so), Consent(w.dirs[1], so), Consent(w.dirs[2], other)))
	said, err := w.pass(b, 1, 2, 3, 4)
	must(t, err)
	if !slices.Equal(silent(b.view.Open.Keys), []int{2}) || !strings.Contains(said[2], "operator") || !strings.Contains(said[3], "operator") {
		t.Fatalf("without the operators of 3 and 4: keys missing %v, %q", silent(b.view.Open.Keys), said)
	}
	must(t, Consent(w.dirs[3], so))
	for range 2 {
		_, err = w.pass(b, 4, 1, 2, 3)
		must(t, err)
	}
	if got := silent(b.view.Open.Deals); !slices.Equal(got, []int{1}) {
		t.Fatalf("holder 3, who was allowed another order, has dealt: missing %v", got)
	}
	must(t, Consent(w.dirs[2], so))
	for range 3 {
		_, err = w.pass(b, 3, 1, 2, 4)
		must(t, err)
	}
	if _, err = w.pass(b, 3); err != nil || w.holders[2].keys.index != 0 || len(w.holders[2].keys.shares) > 0 {
		t.Errorf("the replaced holder has place %d and %d shares: %v", w.holders[2].keys.index, len(w.holders[2].keys.shares), err)
	}
	if f := w.force(); f[1] != 3 {
		t.Errorf("shares by generation: %v", f)
	}
	must(t, w.holders[2].Close())
	if again := w.open(w.dirs[2]); again.Status().Index != 0 { // it starts as a holder without a place
		t.Errorf("after a restart: %+v", again.Status())
	}
}

// What forbids openings outlives a holder: the new one knows the halt that only
// two of the old ones had been told of, follows their manifest and stays on
// their log.
func TestANewHolderStartsFromTheDealersMemory(t *testing.T) {
	w := newWorld(t)
	w.contribute("bank-a", "someone@mail-one.net", "payment", 2, nil)
	w.tick()
	halt, err := signed.Sign(opening.DenialDomain, "gov-3", w.keys["gov-3"], opening.Denial{Kind: opening.DenyHalt, Pool: "pool", Reason: "an exercise", Time: w.clock.Now().UnixMicro(), Nonce: opening.Hash{7}})
	must(t, err)
	for _, i := range []int{2, 3} { // n-t+1: the halt counts as done
		_, err := w.holders[i-1].Deny(halt)
		must(t, err)
	}
	card := w.seat("holder-4")
	so := w.order(w.setup, func(o *client.ReshareOrder) { o.Holders[2] = card })
	for _, i := range []int{1, 2, 4} {
		must(t, Consent(w.dirs[i-1], so))
	}
	b := w.shareBoard()
	b.open(so)
	for range 4 {
		_, err := w.pass(b, 1, 2, 4)
		must(t, err)
	}
	for _, i := range []int{1, 4} {
		st := w.holders[i-1].Status()
		if !st.Halted || st.Manifest != 1 || st.LogSize != 1 || st.Generation != 1 {
			t.Errorf("holder %d: %+v", i, st)
		}
	}
	must(t, w.holders[3].Close())
	if again := w.open(w.dirs[3]); !again.Status().Halted {
		t.Error("after a restart the halt is forgotten")
	}
}

// mirror is a dealer's message as dkg encodes it.
type mirror struct {
	Run         [32]byte        `json:"run"`
	Commitments [][]group.Point `json:"commitments"`
	Sealed      [][]byte        `json:"sealed"`
}

// A dealer that gives two holders nonsense is named by the first who sees it; a
// holder that is away is named too. The old shares stay in force, and the next
// attempt without the liar succeeds. Who had given its word under the first
// attempt goes on only when its operator says so.
func TestALyingAndASilentHolderAreNamed(t *testing.T) {
	w := newWorld(t)
	liar, err := LoadIdentity(w.dirs[1])
	must(t, err)
	b := w.shareBoard()
	b.bend = func(step string, place int, message []byte) []byte {
		if step != client.StepDeal || place != 2 {
			return message
		}
		var d client.ReshareDeal
		var o signed.Object
		var m mirror
		must(t, errors.Join(signed.Unmarshal(message, &d), signed.Unmarshal(d.Deal, &o), signed.Unmarshal(o.Body, &m)))
		m.Sealed[0] = m.Sealed[1] // to holder 1; the others get what is right
		o, err := signed.Sign("parallax/reshare-deal/v1", liar.ID, liar.signKey(), m)
		must(t, err)
		d.Deal, err = signed.Marshal(o)
		must(t, err)
		out, err := signed.Marshal(d)
		must(t, err)
		return out
	}
	b.open(w.order(w.setup, nil))
	said, err := w.pass(b, 1, 2, 3, 1, 2, 1, 3)
	must(t, err)
	p, err := w.setup.Progress(*b.view.Open)
	must(t, err)
	if !strings.Contains(p.Ended, "key holder holder-2") || !strings.Contains(p.Ended, "holder-1 complains") || p.Holders[0].State != client.PartyComplains {
		t.Fatalf("progress: %+v, said %q", p, said)
	}
	if f := w.force(); f[0] != 3 {
		t.Fatalf("the old shares are not in force: %v", f)
	}

	b.bend = nil
	next := w.order(w.setup, func(o *client.ReshareOrder) { o.Attempt, o.Dealers = 2, []int{1, 3} })
	b.open(next)
	said, err = w.pass(b, 1, 2, 3)
	must(t, err)
	if !strings.Contains(said[1], "operator") || !strings.Contains(said[2], "operator") || !strings.Contains(said[0], "waits for the key of holder-2, holder-3") {
		t.Fatalf("holders 2 and 3 have given their word under attempt 1, holder 1 has complained: %q", said)
	}
	must(t, errors.Join(Consent(w.dirs[1], next), Consent(w.dirs[2], next)))
	for range 5 {
		_, err = w.pass(b, 1, 2, 3)
		must(t, err)
	}
	if f := w.force(); f[1] != 3 {
		t.Fatalf("after attempt 2: %v", f)
	}
	b.view.Open = nil
	b.open(w.order(b.setup, nil))
	for range 3 {
		said, err = w.pass(b, 1, 2)
		must(t, err)
	}
	if !strings.Contains(said[0], "waits for the key of holder-3") {
		t.Errorf("with holder 3 away: %q", said)
	}
	if f := w.force(); f[1] != 3 {
		t.Errorf("a run that is not complete changed what is in force: %v", f)
	}
}

// A holder refuses a board that shows fewer generations than it follows, or
// another record of the same generation, which all holders had signed too: it is
// shown to nobody as the truth.
func TestOlderAndForkedRecordsAreRefused(t *testing.T) {
	w, twin := newWorld(t), newWorld(t)
	b, other := w.shareBoard(), twin.shareBoard()
	w.run(t, b)
	twin.run(t, other)
	empty := w.shareBoard()
	if _, err := w.pass(empty, 1); err == nil || !strings.Contains(err.Error(), "older key shares") {
		t.Errorf("an older board: %v", err)
	}
	if _, err := w.pass(other, 1); err == nil || !strings.Contains(err.Error(), "forked") {
		t.Errorf("another record: %v", err)
	}
	if err := b.setup.Follows(w.setup); !errors.Is(err, client.ErrOlder) {
		t.Errorf("a desk shown an older setup: %v", err)
	}
	if err := b.setup.Follows(other.setup); !errors.Is(err, client.ErrForked) {
		t.Errorf("a desk shown a fork: %v", err)
	}
	pin := opening.Hash(w.setup.Transcript.Hash())
	for name, change := range map[string]func(r *client.Reshare){
		"a word is missing":     func(r *client.Reshare) { r.Record.Takes = r.Record.Takes[:2] },
		"a word is another's":   func(r *client.Reshare) { r.Record.Takes[0] = r.Record.Takes[1] },
		"a point is another":    func(r *client.Reshare) { r.Record.Keys[0].Holders[0] = r.Record.Keys[0].Holders[1] },
		"nobody ordered it":     func(r *client.Reshare) { r.Order.Sigs = r.Order.Sigs[:1] },
		"the order is another":  func(r *client.Reshare) { r.Order = w.order(w.setup, func(o *client.ReshareOrder) { o.Reason = "x" }) },
		"a key is another's":    func(r *client.Reshare) { r.Keys = slices.Clone(r.Keys); r.Keys[0] = r.Keys[1] },
		"a key of another run":  func(r *client.Reshare) { r.Keys = other.setup.Reshares[0].Keys },
		"a deal is another's":   func(r *client.Reshare) { r.Record.Deals[0] = other.setup.Reshares[0].Record.Deals[0] },
		"the committee differs": func(r *client.Reshare) { r.Record.Run.To = slices.Clone(r.Record.Run.To); r.Record.Run.To[0].ID = "x" },
	} {
		s := b.setup
		r := s.Reshares[0]
		r.Record.Takes, r.Record.Deals, r.Record.Keys = slices.Clone(r.Record.Takes), slices.Clone(r.Record.Deals), slices.Clone(r.Record.Keys)
		r.Record.Keys[0].Holders = slices.Clone(r.Record.Keys[0].Holders)
		change(&r)
		s.Reshares = []client.Reshare{r}
		if s.Verify(pin) == nil {
			t.Errorf("%s, and the setup verifies", name)
		}
	}
	must(t, b.setup.Verify(pin))
}

// A request that a holder released with its share of before is released again
// with the share of after, and once counts once; partials of the two do not
// combine.
func TestAReleaseAcrossTheSwitch(t *testing.T) {
	w := newWorld(t)
	items := w.evidence()
	a := w.request(items, 0, 1, 2)
	w.assemble(a)
	digest := opening.Digest(a.bundle.Request.Body)
	first, err := w.holders[0].Open(a.bundle)
	must(t, err)
	b := w.shareBoard()
	w.run(t, b)
	old := w.setup
	w.setup = b.setup
	answers := map[int]client.OpenAnswer{}
	for i := range w.holders {
		answers[i+1], err = w.holders[i].Open(a.bundle)
		must(t, err)
	}
	if got, err := w.read(items[0], map[int]client.OpenAnswer{1: answers[1], 3: answers[3]}, digest); err != nil || got != "reference of bank-a" {
		t.Errorf("of one generation: %q, %v", got, err)
	}
	mixed := map[int]client.OpenAnswer{1: first, 3: answers[3]}
	if _, err := w.read(items[0], mixed, digest); err == nil {
		t.Error("partials of two generations opened a box")
	}
	w.setup = old
	if _, err := w.read(items[0], mixed, digest); err == nil {
		t.Error("partials of two generations opened a box under the old points")
	}
	n := 0
	for _, r := range w.holders[0].state.releases {
		if !r.Again {
			n++
		}
	}
	if n != 1 || len(w.holders[0].state.releases) != 2 {
		t.Errorf("%d of %d releases count", n, len(w.holders[0].state.releases))
	}
}

// Wherever a replacement was cut off, the file in force stays whole, and what it
// replaced is gone after the next start.
func TestAReplacementThatWasCutOff(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, sharesFile), filepath.Join(dir, oldPrefix+sharesFile)
	content := func(path string) string {
		raw, err := os.ReadFile(path)
		must(t, err)
		return string(raw)
	}
	must(t, os.WriteFile(path, []byte("before"), 0o600))
	must(t, os.Link(path, old)) // cut off before the rename
	must(t, clearOld(dir, sharesFile))
	if got := content(path); got != "before" {
		t.Fatalf("the file in force is %q", got)
	}
	must(t, os.Link(path, old))
	watch := filepath.Join(dir, "watch")
	must(t, os.Link(path, watch))
	must(t, replaceFile(path, []byte("after"))) // cut off after it
	must(t, clearOld(dir, sharesFile))
	if got := content(watch); got != "\x00\x00\x00\x00\x00\x00" || content(path) != "after" {
		t.Errorf("what was replaced is %q", got)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the second name is left: %v", err)
	}
	must(t, replaceSecret(dir, sharesFile, "next"))
	if got := content(path); got != "\"next\"\n" {
		t.Errorf("after a replacement: %q", got)
	}
}

// Whoever copied a holder's directory before a run reads nothing of what is
// dealt to it on the public board: the shares are sealed to a key that is made
// for the run and destroyed with it.
func TestACopyOfADirectoryReadsNothingOfTheNextRun(t *testing.T) {
	w := newWorld(t)
	copied, err := LoadIdentity(w.dirs[0])
	must(t, err)
	b := w.shareBoard()
	w.run(t, b)
	record := b.setup.Reshares[0].Record
	var f *dkg.ReshareFault
	if _, err := record.Take(1, copied.HPKE); !errors.As(err, &f) {
		t.Errorf("with the key of before: %v", err)
	}
	if n, err := w.holders[0].acted(); err != nil || len(n.HPKE) > 0 || len(n.Key) == 0 {
		t.Errorf("the key of the run is left on disk: %d bytes, %v", len(n.HPKE), err)
	}
}
