package client

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"parallax/group"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
)

// OrderDomain separates orders to reshare from all other signed objects.
const OrderDomain = "parallax/reshare-order/v1"

// Bounds of an order's life and of the chain of records.
const (
	MaxOrderLife   = 30 * 24 * time.Hour
	maxGenerations = 1000
	maxAttempts    = 1000
	maxReason      = 400
)

// A ReshareOrder is the governance act that orders a resharing: who deals the
// shares in force, and who gets shares in their place. Times are UTC
// microseconds.
type ReshareOrder struct {
	Pool  string `json:"pool"`
	Epoch string `json:"epoch"`
	// Generation that the run makes; the ceremony's shares are generation 0.
	Generation int `json:"generation"`
	// Attempt counts the orders for this generation, from 1: a run that came to
	// nothing is followed by another order.
	Attempt int `json:"attempt"`
	// Previous is the record of the generation before; of the first one the
	// ceremony's transcript.
	Previous opening.Hash `json:"previous"`
	Dealers  []int        `json:"dealers"` // indices in the committee in force, as many as its threshold, ascending
	T        int          `json:"t"`
	N        int          `json:"n"`
	// Holders are the new committee, 1..n, with their addresses and controlling
	// entities.
	Holders []opening.Holder `json:"holders"`
	Reason  string           `json:"reason"` // for the log and the holders' operators; names no person
	Issued  int64            `json:"issued"`
	Expires int64            `json:"expires"` // MaxOrderLife after Issued at most
}

// A SignedOrder is the exact body with the signatures of governors.
type SignedOrder struct {
	Body []byte              `json:"body"`
	Sigs []opening.Signature `json:"sigs"`
}

// SignOrder encodes an order; governors add their signatures with Add.
func SignOrder(o ReshareOrder) (SignedOrder, error) {
	body, err := signed.Marshal(o)
	return SignedOrder{Body: body}, err
}

// Add appends a governor's signature.
func (s *SignedOrder) Add(id string, key ed25519.PrivateKey) {
	s.Sigs = append(s.Sigs, opening.Signature{Key: id, Sig: ed25519.Sign(key, signed.Input(OrderDomain, s.Body))})
}

// Digest names the order.
func (s SignedOrder) Digest() opening.Hash { return opening.Digest(s.Body) }

// Open verifies the governance quorum and decodes the order.
func (s SignedOrder) Open(g opening.Governance) (ReshareOrder, error) {
	var o ReshareOrder
	if err := g.Verify(OrderDomain, s.Body, s.Sigs); err != nil {
		return o, fmt.Errorf("order: %w", err)
	}
	if err := signed.Unmarshal(s.Body, &o); err != nil {
		return o, fmt.Errorf("order: %w", err)
	}
	return o, nil
}

// A Reshare is one generation of shares after the ceremony's: the order, the new
// holders' keys for this run alone, and the record of the run, which every new
// holder has signed.
type Reshare struct {
	Order  SignedOrder     `json:"order"`
	Keys   []signed.Object `json:"keys"` // RunKey, by new holder
	Record dkg.Reshared    `json:"record"`
}

// RunKeyDomain separates the keys of a run from all other signed objects.
const RunKeyDomain = "parallax/reshare-key/v1"

// A RunKey is what a new holder's shares are sealed to in one run, and never
// after it: whoever copied a holder's directory before reads nothing of what is
// dealt to it now. It is signed under RunKeyDomain.
type RunKey struct {
	Order opening.Hash `json:"order"`
	Index int          `json:"index"` // in the new committee
	HPKE  []byte       `json:"hpke"`  // X25519, 32 bytes
}

// A Committee is who holds the shares of a generation, and the public points
// that their answers are verified against.
type Committee struct {
	Generation int
	T, N       int
	Holders    []opening.Holder
	Keys       []group.PublicKey
	// Record is the hash of the record that made it; of generation 0 the hash of
	// the ceremony's transcript.
	Record opening.Hash
}

// PublicKey finds a key by label (a class, or PayloadLabel).
func (c Committee) PublicKey(label string) (group.PublicKey, error) {
	for _, k := range c.Keys {
		if k.Label == label {
			return k, nil
		}
	}
	return group.PublicKey{}, fmt.Errorf("the ceremony dealt no key for %q", label)
}

// Place is the index of a holder's signing key in the committee, 0 if it has
// none.
func (c Committee) Place(key ed25519.PublicKey) int {
	for _, h := range c.Holders {
		if h.Key.Equal(key) {
			return h.Index
		}
	}
	return 0
}

// Committees are all generations, the ceremony's first. They count only after
// Verify.
func (s Setup) Committees() []Committee {
	out := []Committee{{T: s.Plan.T, N: s.Plan.N, Holders: s.Plan.Holders, Keys: s.Transcript.Keys, Record: s.Transcript.Hash()}}
	for i, r := range s.Reshares {
		var o ReshareOrder
		if err := signed.Unmarshal(r.Order.Body, &o); err != nil {
			break // Verify refuses it
		}
		out = append(out, Committee{Generation: i + 1, T: o.T, N: o.N, Holders: o.Holders, Keys: r.Record.Keys, Record: r.Record.Hash()})
	}
	return out
}

// Committee is the newest generation, the one in force.
func (s Setup) Committee() Committee {
	if len(s.Reshares) == 0 { // the common case, without hashing for others
		return s.Committees()[0]
	}
	all := s.Committees()
	return all[len(all)-1]
}

// verifyReshares follows the records from the ceremony on.
func (s Setup) verifyReshares() error {
	if len(s.Reshares) > maxGenerations {
		return fmt.Errorf("more than %d generations of key shares", maxGenerations)
	}
	before := Setup{Plan: s.Plan, Transcript: s.Transcript}
	for i, r := range s.Reshares {
		if err := before.verifyNext(r); err != nil {
			return fmt.Errorf("generation %d of the key shares: %w", i+1, err)
		}
		before.Reshares = s.Reshares[:i+1]
	}
	return nil
}

// verifyNext checks that a record is the complete run of an order that follows.
func (s Setup) verifyNext(r Reshare) error {
	o, err := r.Order.Open(s.Plan.Governance)
	if err != nil {
		return err
	}
	run, err := s.RunWith(o, r.Order.Digest(), r.Keys)
	if err != nil {
		return err
	}
	want, err1 := signed.Marshal(run)
	got, err2 := signed.Marshal(r.Record.Run)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if string(want) != string(got) {
		return errors.New("the record is of another run than was ordered")
	}
	return r.Record.Verify()
}

// Follows says how another setup of the same ceremony stands to this one: nil
// if it holds the same generations and perhaps more. ErrOlder and ErrForked say
// what is wrong otherwise.
func (s Setup) Follows(next Setup) error {
	if len(next.Reshares) < len(s.Reshares) {
		return fmt.Errorf("%w: it shows generation %d, and generation %d has been seen", ErrOlder, len(next.Reshares), len(s.Reshares))
	}
	for i, r := range s.Reshares {
		if r.Record.Hash() != next.Reshares[i].Record.Hash() {
			return fmt.Errorf("%w: two records of generation %d", ErrForked, i+1)
		}
	}
	return nil
}

// What is wrong with key shares that do not follow from those seen before.
var (
	ErrOlder  = errors.New("these are older key shares")
	ErrForked = errors.New("the key shares are forked")
)

// Run makes the parameters of the run that an order with this digest asks for,
// and refuses an order that does not follow from the newest generation or that
// breaks the separation of the shares as far as plan and committees show it.
func (s Setup) Run(o ReshareOrder, digest opening.Hash) (dkg.Resharing, error) {
	now := s.Committee()
	switch {
	case o.Pool != s.Plan.Pool || o.Epoch != s.Plan.Epoch:
		return dkg.Resharing{}, errors.New("the order is for another pool or epoch")
	case o.Generation != now.Generation+1 || o.Previous != now.Record:
		return dkg.Resharing{}, fmt.Errorf("the order does not follow generation %d of the key shares", now.Generation)
	case o.Attempt < 1 || o.Attempt > maxAttempts || len(o.Reason) > maxReason:
		return dkg.Resharing{}, fmt.Errorf("the order needs an attempt of 1 to %d and a reason of at most %d bytes", maxAttempts, maxReason)
	case o.Expires <= o.Issued || o.Expires-o.Issued > MaxOrderLife.Microseconds():
		return dkg.Resharing{}, errors.New("the order is valid for more than 30 days, or not at all")
	}
	if err := s.separate(now, o); err != nil {
		return dkg.Resharing{}, err
	}
	run := dkg.Resharing{Pool: o.Pool, Epoch: o.Epoch, Keys: now.Keys, T: o.T, N: o.N, To: dkgHolders(o.Holders), Number: o.Attempt, Context: digest[:]}
	for _, i := range o.Dealers {
		if i < 1 || i > now.N {
			return run, fmt.Errorf("the order names dealer %d of %d holders", i, now.N)
		}
		run.From = append(run.From, dkgHolders(now.Holders)[i-1])
	}
	return run, run.Check()
}

// RunWith is Run with the keys that the new holders made for it.
func (s Setup) RunWith(o ReshareOrder, digest opening.Hash, keys []signed.Object) (dkg.Resharing, error) {
	run, err := s.Run(o, digest)
	if err != nil {
		return run, err
	}
	if len(keys) != o.N {
		return run, fmt.Errorf("%d keys for %d new holders", len(keys), o.N)
	}
	for i, k := range keys {
		if run.To[i].HPKEKey, err = openRunKey(run.To[i], digest, k); err != nil {
			return run, err
		}
	}
	return run, run.Check()
}

// openRunKey verifies a new holder's key for the run of an order.
func openRunKey(h dkg.Holder, digest opening.Hash, o signed.Object) ([]byte, error) {
	var k RunKey
	if err := o.Open(RunKeyDomain, h.SignKey, &k); err != nil || o.Key != h.ID || k.Order != digest || k.Index != h.Index || len(k.HPKE) != 32 {
		return nil, fmt.Errorf("key holder %s: its key is not signed by it for this run", h.ID)
	}
	return k.HPKE, nil
}

// CheckKey verifies the key of the new holder at index.
func (s Setup) CheckKey(o ReshareOrder, digest opening.Hash, index int, k signed.Object) error {
	run, err := s.Run(o, digest)
	if err != nil {
		return err
	}
	if index < 1 || index > o.N {
		return fmt.Errorf("the order names no new holder %d", index)
	}
	_, err = openRunKey(run.To[index-1], digest, k)
	return err
}

func dkgHolders(list []opening.Holder) (out []dkg.Holder) {
	for _, h := range list {
		out = append(out, dkg.Holder{Index: h.Index, ID: h.ID, SignKey: h.Key, HPKEKey: h.HPKE})
	}
	return out
}

// separate: no two shares with one controlling entity, none with the hub
// operator; no key that serves for something else; and who held a share under a
// key or a name before is the same body now.
func (s Setup) separate(now Committee, o ReshareOrder) error {
	hub := s.Plan.Hub
	bodies := map[string]string{hub.Entity: "the hub operator"}
	taken := map[string]bool{hub.ID: true, hub.LogOrigin: true, string(hub.Key): true, string(hub.LogKey): true}
	for _, g := range s.Plan.Governance.Governors {
		taken[string(g.Key)] = true
	}
	for _, h := range o.Holders {
		if h.ID == "" || h.Entity == "" || h.URL == "" || len(h.Witness) != ed25519.PublicKeySize {
			return fmt.Errorf("new holder %d needs an id, a controlling entity, an address and a witness key", h.Index)
		}
		if other, found := bodies[h.Entity]; found {
			return fmt.Errorf("new holder %s belongs to %s, the controlling entity of %s: no two shares lie with one", h.ID, h.Entity, other)
		}
		bodies[h.Entity] = h.ID
		for _, x := range []string{h.ID, string(h.Key), string(h.Witness), string(h.HPKE)} {
			if taken[x] {
				return fmt.Errorf("new holder %s has a name or a key that is taken", h.ID)
			}
			taken[x] = true
		}
		for _, old := range now.Holders {
			same := h.Key.Equal(old.Key) || h.Witness.Equal(old.Witness) || string(h.HPKE) == string(old.HPKE)
			if (same && h.ID != old.ID) || ((same || h.ID == old.ID) && h.Entity != old.Entity) {
				return fmt.Errorf("new holder %s has the name or a key of %s, of another body", h.ID, old.ID)
			}
			if same && h.Index != old.Index {
				return fmt.Errorf("holder %s goes on and must keep place %d", h.ID, old.Index)
			}
		}
	}
	return nil
}

// SameCommittee reports an order that gives new shares to exactly those who hold
// the present ones: a refresh.
func (s Setup) SameCommittee(o ReshareOrder) bool {
	now := s.Committee()
	a, err1 := signed.Marshal(now.Holders)
	b, err2 := signed.Marshal(o.Holders)
	return err1 == nil && err2 == nil && o.T == now.T && o.N == now.N && string(a) == string(b)
}

// Under checks an order under a manifest: with the new committee in it the
// manifest must still be one that a pool may have, so that no share lies with
// the authority, and no witness or auditor with a holder.
func (o ReshareOrder) Under(m opening.Manifest) error {
	if err := withCommittee(m, o.Holders, o.T).Check(); err != nil {
		return fmt.Errorf("under the policy in force the order is refused: %w", err)
	}
	for _, h := range o.Holders {
		for _, x := range m.Members {
			if x.Key.Equal(h.Key) || x.Key.Equal(h.Witness) {
				return fmt.Errorf("new holder %s has the key of member %s", h.ID, x.ID)
			}
		}
		for _, x := range m.Approvers {
			if x.Key.Equal(h.Key) || x.Key.Equal(h.Witness) {
				return fmt.Errorf("new holder %s has the key of approver %s", h.ID, x.ID)
			}
		}
		if string(h.HPKE) == string(m.Authority.HPKE) {
			return fmt.Errorf("new holder %s has the key of the authority", h.ID)
		}
	}
	return nil
}

func withCommittee(m opening.Manifest, holders []opening.Holder, t int) opening.Manifest {
	m.Holders, m.Quorum = holders, t
	return m
}

// Fit puts the committee in force into a manifest, so that a pool goes on
// before governance has signed a manifest that lists it. The manifest must list
// the committee of one of the generations; addresses may have changed since.
func (s Setup) Fit(m opening.Manifest) (opening.Manifest, error) {
	all := s.Committees()
	now := all[len(all)-1]
	for i := len(all) - 1; i >= 0; i-- {
		if err := all[i].lists(m); err != nil {
			if i == 0 {
				return m, err
			}
			continue
		}
		m.Generation = now.Generation
		if i == now.Generation {
			return m, nil
		}
		m = withCommittee(m, now.Holders, now.T)
		return m, m.Check()
	}
	return m, nil
}

// lists reports that a manifest lists this committee, key by key.
func (c Committee) lists(m opening.Manifest) error {
	if m.Quorum != c.T || len(m.Holders) != c.N {
		return errors.New("quorum or number of holders differ from those who hold the key shares")
	}
	for i, h := range m.Holders {
		p := c.Holders[i]
		if h.ID != p.ID || h.Entity != p.Entity || !h.Key.Equal(p.Key) || !h.Witness.Equal(p.Witness) || string(h.HPKE) != string(p.HPKE) {
			return fmt.Errorf("holder %d differs from who holds the key share", i+1)
		}
	}
	return nil
}

// Belongs refuses a manifest that is not of this pool, ceremony and hub, and
// gives it with the committee in force.
func (s Setup) Belongs(m opening.Manifest) (opening.Manifest, error) {
	p := s.Plan
	switch {
	case m.Pool != p.Pool || m.Epoch != p.Epoch:
		return m, errors.New("pool or epoch differ from the ceremony")
	case m.Transcript != opening.Hash(s.Transcript.Hash()):
		return m, errors.New("it names another ceremony transcript")
	case m.Hub.ID != p.Hub.ID || m.Hub.Entity != p.Hub.Entity || !m.Hub.Key.Equal(p.Hub.Key) || m.Hub.LogOrigin != p.Hub.LogOrigin || !m.Hub.LogKey.Equal(p.Hub.LogKey):
		return m, errors.New("it names another hub or log key than the ceremony")
	}
	return s.Fit(m)
}
