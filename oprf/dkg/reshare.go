package dkg

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"parallax/group"
	"parallax/seal"
	"parallax/signed"
)

const (
	dealDomain  = "parallax/reshare-deal/v1"
	takeDomain  = "parallax/reshare-take/v1"
	dealtInfo   = "parallax/reshare-share/v1"
	maxReshares = 1 << 16
)

// Resharing fixes one run that gives the shares of existing keys to a committee
// anew: the same one (a proactive refresh) or another, with another threshold.
// The public keys stay; every share becomes another, and shares from before and
// after do not combine.
//
// Exactly T of the old holders deal: with fewer than T of them in the wrong
// hands at least one is honest, and its randomness makes the new polynomials
// independent of the old. A holder whose share is lost need not deal, and gets
// a share again.
type Resharing struct {
	Pool   string            `json:"pool"`
	Epoch  string            `json:"epoch"`
	Keys   []group.PublicKey `json:"keys"` // in force, with the points of the old holders
	From   []Holder          `json:"from"` // who deals: T old holders, ascending
	T      int               `json:"t"`    // new
	N      int               `json:"n"`    // new
	To     []Holder          `json:"to"`   // the new holders 1..n
	Number int               `json:"number"`
	// Context is the digest of the governance act that orders the run.
	Context []byte `json:"context"`
}

// Check refuses what no run may start from.
func (r Resharing) Check() error {
	next := Params{Pool: r.Pool, Epoch: r.Epoch, T: r.T, N: r.N, Holders: r.To, Context: r.Context, Attempt: r.Number}
	old := 0
	for _, k := range r.Keys {
		if err := k.Check(); err != nil {
			return err
		}
		if old != 0 && old != k.T || k.N != r.Keys[0].N {
			return errors.New("resharing: the keys are of different committees")
		}
		old = k.T
		next.Labels = append(next.Labels, k.Label)
	}
	if err := next.Check(); err != nil {
		return err
	}
	if len(r.From) != old || r.Number > maxReshares {
		return fmt.Errorf("resharing: %d dealers, exactly %d are needed", len(r.From), old)
	}
	for i, h := range r.From {
		if h.Index < 1 || h.Index > r.Keys[0].N || len(h.SignKey) != ed25519.PublicKeySize || i > 0 && h.Index <= r.From[i-1].Index {
			return errors.New("resharing: the dealers are not old holders in ascending order")
		}
	}
	return nil
}

func (r Resharing) hash() ([32]byte, error) {
	raw, err := signed.Marshal(r)
	return sha256.Sum256(append([]byte("parallax/reshare-params/v1\x00"), raw...)), err
}

// factors are the public numbers c_i/D' with which a dealer multiplies its share:
// the constant terms then add up to D*f(0)/D', so that D' times it is the same
// key.
func (r Resharing) factors() ([]group.Scalar, error) {
	indices := make([]int, len(r.From))
	for i, h := range r.From {
		indices[i] = h.Index
	}
	c, err := group.Coefficients(r.Keys[0].T, r.Keys[0].N, indices)
	if err != nil {
		return nil, err
	}
	d, err := group.Denominator(r.T, r.N)
	if err != nil {
		return nil, err
	}
	inverse := group.ScalarFromInt(d).Invert()
	out := make([]group.Scalar, len(c))
	for i := range c {
		out[i] = group.ScalarFromInt(c[i]).Mul(inverse)
	}
	return out, nil
}

// A ReshareFault is why a run ended; ID names who is at fault, as far as the
// messages show it.
type ReshareFault struct {
	ID     string
	Reason string
}

// Error names holder and reason.
func (f *ReshareFault) Error() string { return fmt.Sprintf("key holder %s: %s", f.ID, f.Reason) }

func reshareFault(id, format string, args ...any) error {
	return &ReshareFault{id, fmt.Sprintf(format, args...)}
}

// deal is one dealer's message: Feldman commitments of a fresh polynomial for
// each key, and the new holders' values of all of them, sealed to each.
type deal struct {
	Run         [32]byte        `json:"run"`
	Commitments [][]group.Point `json:"commitments"` // by key, T of them each
	Sealed      [][]byte        `json:"sealed"`      // to new holder i at i-1
}

// Deal makes the message of the dealer at place in From, with its old shares by
// label. What it draws is nowhere kept: a dealer that is interrupted deals anew
// in a run of another number.
func (r Resharing) Deal(place int, sign ed25519.PrivateKey, old map[string]group.Share, random io.Reader) ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	hash, err := r.hash()
	if err != nil {
		return nil, err
	}
	factors, err := r.factors()
	if err != nil {
		return nil, err
	}
	me := r.From[place]
	d := deal{Run: hash}
	plain := make([][]byte, r.N)
	for _, k := range r.Keys {
		share, ok := old[k.Label]
		if !ok || share.PublicPoint() != k.Holders[me.Index-1] {
			return nil, fmt.Errorf("resharing: the share of %q is not the one in force", k.Label)
		}
		poly := []group.Scalar{factors[place].Mul(share.Scalar())}
		for len(poly) < r.T {
			c, err := group.RandomScalar(random)
			if err != nil {
				return nil, err
			}
			poly = append(poly, c)
		}
		var points []group.Point
		for _, c := range poly {
			points = append(points, group.BaseMul(c).Encode())
		}
		d.Commitments = append(d.Commitments, points)
		for i := range plain {
			plain[i] = append(plain[i], eval(poly, i+1).Bytes()...)
		}
	}
	for i, h := range r.To {
		sealed, err := seal.SealTo(h.HPKEKey, dealtTo(hash, me.ID, i+1), plain[i])
		if err != nil {
			return nil, err
		}
		d.Sealed = append(d.Sealed, sealed)
	}
	o, err := signed.Sign(dealDomain, me.ID, sign, d)
	if err != nil {
		return nil, err
	}
	return signed.Marshal(o)
}

func dealtTo(run [32]byte, from string, to int) []byte {
	return fmt.Appendf(nil, "%s|%x|%s|%d", dealtInfo, run, from, to)
}

// openDeal verifies what anybody can see of a dealer's message.
func (r Resharing) openDeal(place int, hash [32]byte, factor group.Scalar, message []byte) (deal, error) {
	me := r.From[place]
	if len(message) == 0 {
		return deal{}, reshareFault(me.ID, "it has not dealt")
	}
	var o signed.Object
	var d deal
	if signed.Unmarshal(message, &o) != nil || o.Key != me.ID || o.Open(dealDomain, me.SignKey, &d) != nil || d.Run != hash {
		return d, reshareFault(me.ID, "what it dealt is not signed by it for this run")
	}
	if len(d.Commitments) != len(r.Keys) || len(d.Sealed) != r.N {
		return d, reshareFault(me.ID, "it dealt for other keys or another committee")
	}
	for l, k := range r.Keys {
		if len(d.Commitments[l]) != r.T {
			return d, reshareFault(me.ID, "a polynomial for %q has another degree", k.Label)
		}
		points, err := decode(d.Commitments[l])
		if err != nil {
			return d, reshareFault(me.ID, "a commitment for %q is no point", k.Label)
		}
		own, err := k.Holders[me.Index-1].Decode()
		if err != nil {
			return d, err
		}
		if !points[0].Equal(own.Mul(factor)) {
			return d, reshareFault(me.ID, "what it dealt for %q is not its share", k.Label)
		}
	}
	return d, nil
}

func decode(points []group.Point) ([]group.Element, error) {
	out := make([]group.Element, len(points))
	for i, p := range points {
		var err error
		if out[i], err = p.Decode(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CheckDeal verifies what anybody can see of the message of the dealer at place:
// its signature for this run, and that it deals its own share.
func (r Resharing) CheckDeal(place int, message []byte) error {
	if err := r.Check(); err != nil {
		return err
	}
	hash, err := r.hash()
	if err != nil {
		return err
	}
	factors, err := r.factors()
	if err != nil {
		return err
	}
	_, err = r.openDeal(place, hash, factors[place], message)
	return err
}

// Collect makes the record of a run from its deals, as anybody can; it lacks
// the words of the new holders.
func (r Resharing) Collect(deals [][]byte) (Reshared, error) {
	t := Reshared{Run: r, Deals: deals}
	var err error
	t.Keys, err = t.keys()
	return t, err
}

// A Reshared is the public record of a run: what was dealt, the keys with the
// new holders' points, and the signatures of all new holders over it, each made
// after its shares were stored.
type Reshared struct {
	Run   Resharing         `json:"run"`
	Deals [][]byte          `json:"deals"` // in the order of From
	Keys  []group.PublicKey `json:"keys"`
	Takes [][]byte          `json:"takes"` // signed objects, by new holder
}

// Hash covers run, deals and keys, not the signatures over it.
func (t Reshared) Hash() [32]byte {
	t.Takes = nil
	raw, err := signed.Marshal(t)
	if err != nil { // strings, bytes and integers always marshal
		panic("dkg: " + err.Error())
	}
	return sha256.Sum256(append([]byte("parallax/reshared/v1\x00"), raw...))
}

// sums are the new polynomials in the exponent, by key.
func (t Reshared) sums() ([][]group.Element, error) {
	if err := t.Run.Check(); err != nil {
		return nil, err
	}
	hash, err := t.Run.hash()
	if err != nil {
		return nil, err
	}
	factors, err := t.Run.factors()
	if err != nil {
		return nil, err
	}
	if len(t.Deals) != len(t.Run.From) {
		return nil, errors.New("resharing: the number of deals is another than of dealers")
	}
	sums := make([][]group.Element, len(t.Run.Keys))
	for place, message := range t.Deals {
		d, err := t.Run.openDeal(place, hash, factors[place], message)
		if err != nil {
			return nil, err
		}
		for l, points := range d.Commitments {
			list, err := decode(points)
			if err != nil {
				return nil, err
			}
			if sums[l] == nil {
				sums[l] = list
				continue
			}
			for k := range list {
				sums[l][k] = sums[l][k].Add(list[k])
			}
		}
	}
	return sums, nil
}

// keys computes the keys with the new holders' points; each is the old key.
func (t Reshared) keys() ([]group.PublicKey, error) {
	sums, err := t.sums()
	if err != nil {
		return nil, err
	}
	d, err := group.Denominator(t.Run.T, t.Run.N)
	if err != nil {
		return nil, err
	}
	var out []group.PublicKey
	for l, k := range t.Run.Keys {
		pub := group.PublicKey{Label: k.Label, T: t.Run.T, N: t.Run.N, Key: sums[l][0].MulInt(d).Encode()}
		for i := 1; i <= t.Run.N; i++ {
			pub.Holders = append(pub.Holders, at(sums[l], i).Encode())
		}
		if pub.Key != k.Key {
			return nil, fmt.Errorf("resharing: the key of %q would change", k.Label)
		}
		if err := pub.Check(); err != nil {
			return nil, err
		}
		out = append(out, pub)
	}
	return out, nil
}

// take is a new holder's word about the run: it has stored its shares, or whose
// deal is bad.
type take struct {
	Run      [32]byte `json:"run"`
	Index    int      `json:"index"`
	Reshared [32]byte `json:"reshared"` // zero with a complaint
	Against  string   `json:"against"`  // the dealer; "" without a complaint
	Reason   string   `json:"reason"`
}

// Take opens what was dealt to the new holder at index and checks all of it. The
// caller stores the shares before it signs with [Reshared.Confirm]: whoever has
// signed has them. A *ReshareFault names the dealer at fault; the holder then
// says so with [Reshared.Complain].
func (t *Reshared) Take(index int, hpke []byte) (map[string]group.Share, error) {
	var err error
	if t.Keys, err = t.keys(); err != nil {
		return nil, err
	}
	hash, err := t.Run.hash()
	if err != nil {
		return nil, err
	}
	sums := make([]group.Scalar, len(t.Keys))
	for l := range sums {
		sums[l] = group.ScalarFromInt(0)
	}
	for place, message := range t.Deals {
		got, err := t.open(place, index, hash, hpke, message)
		if err != nil {
			return nil, err
		}
		for l := range sums {
			sums[l] = sums[l].Add(got[l])
		}
	}
	out := make(map[string]group.Share)
	for l, k := range t.Keys {
		s := group.NewShare(index, sums[l])
		if s.PublicPoint() != k.Holders[index-1] {
			return nil, fmt.Errorf("resharing: the shares of %q do not add up", k.Label)
		}
		out[k.Label] = s
	}
	return out, nil
}

// open reads one dealer's values for a new holder and checks each against the
// commitments.
func (t *Reshared) open(place, index int, hash [32]byte, hpke, message []byte) ([]group.Scalar, error) {
	from := t.Run.From[place].ID
	var o signed.Object
	var d deal
	if err := errors.Join(signed.Unmarshal(message, &o), signed.Unmarshal(o.Body, &d)); err != nil {
		return nil, err // cannot be: keys has read it
	}
	plain, err := seal.OpenFrom(hpke, dealtTo(hash, from, index), d.Sealed[index-1])
	if err != nil || len(plain) != group.Size*len(t.Run.Keys) {
		return nil, reshareFault(from, "what it dealt to holder %d does not open", index)
	}
	out := make([]group.Scalar, len(t.Run.Keys))
	for l := range out {
		points, err := decode(d.Commitments[l])
		if err != nil {
			return nil, err
		}
		out[l], err = group.ScalarFromBytes(plain[group.Size*l : group.Size*(l+1)])
		if err != nil || !group.BaseMul(out[l]).Equal(at(points, index)) {
			return nil, reshareFault(from, "what it dealt to holder %d does not fit its commitments", index)
		}
	}
	return out, nil
}

// Confirm is the new holder's signature that it has stored its shares.
func (t Reshared) Confirm(index int, sign ed25519.PrivateKey) ([]byte, error) {
	return t.word(index, sign, take{Reshared: t.Hash()})
}

// Complain is the new holder's signed word that a dealer is at fault; it ends
// the run, and the old shares stay in force.
func (t Reshared) Complain(index int, sign ed25519.PrivateKey, f *ReshareFault) ([]byte, error) {
	return t.word(index, sign, take{Against: f.ID, Reason: f.Reason[:min(len(f.Reason), maxReason)]})
}

func (t Reshared) word(index int, sign ed25519.PrivateKey, w take) ([]byte, error) {
	var err error
	if w.Run, err = t.Run.hash(); err != nil {
		return nil, err
	}
	w.Index = index
	o, err := signed.Sign(takeDomain, t.Run.To[index-1].ID, sign, w)
	if err != nil {
		return nil, err
	}
	return signed.Marshal(o)
}

// Finish adds the words of all new holders. Only with every confirmation may
// anybody use the new shares and destroy the old ones; otherwise the error
// names who is silent, complains or signed something else.
func (t Reshared) Finish(words [][]byte) (Reshared, error) {
	t.Takes = words
	return t, t.Verify()
}

// Verify re-checks the whole run from its messages: every deal, that the keys
// are the old ones, and that all new holders have confirmed.
func (t Reshared) Verify() error {
	keys, err := t.keys()
	if err != nil {
		return err
	}
	if err := sameKeys(keys, t.Keys); err != nil {
		return err
	}
	run, err := t.Run.hash()
	if err != nil {
		return err
	}
	sum := t.Hash()
	for i, h := range t.Run.To {
		if i >= len(t.Takes) || len(t.Takes[i]) == 0 {
			return reshareFault(h.ID, "it has not confirmed that it stored its shares")
		}
		w, err := t.Run.openTake(h, run, t.Takes[i])
		if err != nil {
			return err
		}
		switch {
		case w.Against != "":
			return reshareFault(w.Against, "holder %s complains: %.120q", h.ID, w.Reason)
		case w.Reshared != sum:
			return reshareFault(h.ID, "it confirms another record: it was shown other deals, or does not say the truth")
		}
	}
	if len(t.Takes) != len(t.Run.To) {
		return errors.New("resharing: there are more confirmations than holders")
	}
	return nil
}

func (r Resharing) openTake(h Holder, run [32]byte, word []byte) (w take, err error) {
	var o signed.Object
	if signed.Unmarshal(word, &o) != nil || o.Key != h.ID || o.Open(takeDomain, h.SignKey, &w) != nil || w.Run != run || w.Index != h.Index {
		return w, reshareFault(h.ID, "its confirmation is not signed by it for this run")
	}
	return w, nil
}

// CheckWord verifies that the new holder at index signed this word for this
// run. A complaint comes back as the *ReshareFault that it is; it ends the run.
func (r Resharing) CheckWord(index int, word []byte) (complaint *ReshareFault, err error) {
	run, err := r.hash()
	if err != nil {
		return nil, err
	}
	h := r.To[index-1]
	w, err := r.openTake(h, run, word)
	if err != nil || w.Against == "" {
		return nil, err
	}
	return &ReshareFault{w.Against, fmt.Sprintf("holder %s complains: %.120q", h.ID, w.Reason)}, nil
}
