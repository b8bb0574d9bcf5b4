package dkg

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"parallax/group"
	"parallax/seal"
	"parallax/signed"
)

// A Result is one holder's outcome: its shares by label and the transcript.
type Result struct {
	Shares     map[string]group.Share
	Transcript Transcript
}

// A Transcript is the public record of a run: parameters, everything that was
// said in rounds 1 to 3, the keys, and all n signatures over its hash.
type Transcript struct {
	Params Params            `json:"params"`
	Rounds [][][]byte        `json:"rounds"` // signed messages by round and holder
	Keys   []group.PublicKey `json:"keys"`   // in the order of Params.Labels
	Acks   [][]byte          `json:"acks"`   // Ed25519 over the hash, by holder
}

// Hash covers parameters, messages and keys, not the signatures over it.
func (t Transcript) Hash() [32]byte {
	t.Acks = nil
	raw, err := signed.Marshal(t)
	if err != nil { // strings, bytes and integers always marshal
		panic("dkg: " + err.Error())
	}
	return sha256.Sum256(append([]byte("parallax/dkg-transcript/v1\x00"), raw...))
}

// Verify re-checks the whole run from its messages: signatures, commitments,
// proofs of possession, that the keys are what the messages give, and that all
// n holders signed the hash.
func (t Transcript) Verify() error {
	if err := t.Params.Check(); err != nil {
		return err
	}
	if len(t.Rounds) != 3 || len(t.Acks) != t.Params.N {
		return errors.New("transcript: rounds or signatures are missing")
	}
	hash, err := t.Params.hash()
	if err != nil {
		return err
	}
	p := &Party{params: t.Params, hash: hash}
	if p.commits, err = open(t.Params, hash, 1, t.Rounds[0]); err != nil {
		return err
	}
	bodies, err := open(t.Params, hash, 2, t.Rounds[1])
	if err != nil {
		return err
	}
	for i, b := range bodies {
		r, err := p.checkReveal(i+1, b)
		if err != nil {
			return err
		}
		p.reveals = append(p.reveals, r)
	}
	if _, err := open(t.Params, hash, 3, t.Rounds[2]); err != nil {
		return err
	}
	keys, err := p.publicKeys()
	if err != nil {
		return err
	}
	if err := sameKeys(keys, t.Keys); err != nil {
		return err
	}
	sum := t.Hash()
	for i, h := range t.Params.Holders {
		if signed.Verify(ackDomain, h.SignKey, sum[:], t.Acks[i]) != nil {
			return fault(h.Index, "it has not signed this transcript")
		}
	}
	return nil
}

func sameKeys(want, got []group.PublicKey) error {
	a, err1 := signed.Marshal(want)
	b, err2 := signed.Marshal(got)
	if errors.Join(err1, err2) != nil || string(a) != string(b) {
		return errors.New("transcript: the keys are not those that the messages give")
	}
	return nil
}

// publicKeys computes every key from the reveals: P_i from the sum of the
// commitments at i, and the group key D*f(0)*G.
func (p *Party) publicKeys() ([]group.PublicKey, error) {
	d, err := group.Denominator(p.params.T, p.params.N)
	if err != nil {
		return nil, err
	}
	var out []group.PublicKey
	for l, label := range p.params.Labels {
		sums := make([]group.Element, p.params.T)
		for j := range sums {
			sums[j] = group.Identity()
			for _, r := range p.reveals {
				c, err := r.Keys[l].Commitments[j].Decode()
				if err != nil {
					return nil, err
				}
				sums[j] = sums[j].Add(c)
			}
		}
		pub := group.PublicKey{Label: label, T: p.params.T, N: p.params.N, Key: sums[0].MulInt(d).Encode()}
		for i := 1; i <= p.params.N; i++ {
			pub.Holders = append(pub.Holders, at(sums, i).Encode())
		}
		if err := pub.Check(); err != nil {
			return nil, err
		}
		out = append(out, pub)
	}
	return out, nil
}

// at evaluates a polynomial given by its commitments at x.
func at(commitments []group.Element, x int) group.Element {
	y := group.Identity()
	for j := len(commitments) - 1; j >= 0; j-- {
		y = y.MulInt(int64(x)).Add(commitments[j])
	}
	return y
}

// Round4 takes all sealed shares, checks this holder's against the
// commitments, and answers with a signature over the transcript or with a
// complaint that names the holder at fault.
func (p *Party) Round4(all [][]byte) ([]byte, error) {
	if err := p.enter(4); err != nil {
		return nil, err
	}
	bodies, err := p.receive(3, all)
	if err != nil {
		return nil, err
	}
	if p.keys, err = p.publicKeys(); err != nil {
		return nil, p.abort(err)
	}
	if err := p.takeShares(bodies); err != nil {
		if !errors.As(err, &p.complain) {
			return nil, p.abort(err)
		}
		return p.answer(ack{Complaint: p.complain.Index, Reason: p.complain.Reason})
	}
	return p.answer(ack{Transcript: p.transcript().Hash()})
}

func (p *Party) answer(a ack) ([]byte, error) {
	a.Heard = p.heard()
	raw, err := signed.Marshal(a)
	if err != nil {
		return nil, err
	}
	sig := ed25519.Sign(p.sign, signed.Input(ackDomain, a.Transcript[:]))
	return p.message(4, append(sig, raw...))
}

func (p *Party) transcript() Transcript {
	return Transcript{Params: p.params, Rounds: p.said, Keys: p.keys}
}

// takeShares opens and checks this holder's shares from every other holder.
func (p *Party) takeShares(bodies [][]byte) error {
	sums := make([]group.Scalar, len(p.params.Labels))
	for l := range sums {
		sums[l] = eval(p.polys[l], p.index)
	}
	for i, b := range bodies {
		if i+1 == p.index {
			continue
		}
		got, err := p.openShares(i+1, b)
		if err != nil {
			return err
		}
		for l := range sums {
			sums[l] = sums[l].Add(got[l])
		}
	}
	p.mine = make(map[string]group.Share)
	for l, label := range p.params.Labels {
		s := group.NewShare(p.index, sums[l])
		if s.PublicPoint() != p.keys[l].Holders[p.index-1] {
			return fmt.Errorf("ceremony: the shares of %q do not add up", label)
		}
		p.mine[label] = s
	}
	return nil
}

func (p *Party) openShares(from int, body []byte) ([]group.Scalar, error) {
	var s shares
	if signed.Unmarshal(body, &s) != nil || len(s.Sealed) != p.params.N {
		return nil, fault(from, "its shares could not be read")
	}
	plain, err := seal.OpenFrom(p.hpke, p.shareInfo(from, p.index), s.Sealed[p.index-1])
	if err != nil || len(plain) != group.Size*len(p.params.Labels) {
		return nil, fault(from, fmt.Sprintf("its share for holder %d does not open", p.index))
	}
	out := make([]group.Scalar, len(p.params.Labels))
	for l := range out {
		if out[l], err = group.ScalarFromBytes(plain[group.Size*l : group.Size*(l+1)]); err != nil {
			return nil, fault(from, "a share is not a scalar")
		}
		var commitments []group.Element
		for _, c := range p.reveals[from-1].Keys[l].Commitments {
			e, err := c.Decode()
			if err != nil {
				return nil, err
			}
			commitments = append(commitments, e)
		}
		if !group.BaseMul(out[l]).Equal(at(commitments, p.index)) {
			return nil, fault(from, fmt.Sprintf("its share for holder %d does not fit its commitments", p.index))
		}
	}
	return out, nil
}

// heard lists the digests of what this holder was shown. Holders compare them
// when transcripts differ: otherwise one that shows two faces would have the
// honest ones blame each other.
func (p *Party) heard() [][]byte {
	out := make([][]byte, 0, 3*p.params.N)
	for _, round := range p.said {
		for _, message := range round[:p.params.N] {
			sum := sha256.Sum256(message)
			out = append(out, sum[:])
		}
	}
	return out
}

// checkAnswer looks for a reason to abort in what a holder answered. A
// complaint, or a digest that differs, is the word of that holder: the reason
// says whose, and the signed messages on the board settle it.
func (p *Party) checkAnswer(from int, a ack) error {
	if a.Complaint < 0 || a.Complaint > p.params.N || a.Complaint == from {
		return fault(from, "its complaint names no other holder")
	}
	if a.Complaint != 0 {
		return fault(a.Complaint, fmt.Sprintf("holder %d complains: %.120q", from, a.Reason))
	}
	mine := p.heard()
	if len(a.Heard) != len(mine) {
		return fault(from, "its answer does not list what it was shown")
	}
	for k := range mine {
		if !bytes.Equal(a.Heard[k], mine[k]) {
			return p.differs(from, k/p.params.N+1, k%p.params.N+1)
		}
	}
	return nil
}

// differs names who sent two messages in one round. Nobody sends two messages
// to itself, and this holder knows that it sent one.
func (p *Party) differs(from, round, sender int) error {
	if sender == from || sender == p.index {
		return fault(from, fmt.Sprintf("it lists another message of holder %d in round %d", sender, round))
	}
	return fault(sender, fmt.Sprintf("holders %d and %d were shown different messages of it in round %d", p.index, from, round))
}

// Finish takes all answers. It succeeds only when all n holders signed the
// hash that this holder computed.
func (p *Party) Finish(all [][]byte) (Result, error) {
	if err := p.enter(5); err != nil {
		return Result{}, err
	}
	if p.complain != nil {
		return Result{}, p.abort(p.complain)
	}
	t, err := p.complete(all)
	if err != nil {
		return Result{}, p.abort(err)
	}
	return Result{Shares: p.mine, Transcript: t}, t.Verify()
}

// Unconfirmed is what a holder stores before its answer of round 4 leaves it: its
// shares, and the transcript without the signatures over it. Whoever has signed
// has its shares. There is nothing with a complaint.
func (p *Party) Unconfirmed() (Result, bool) {
	if p.complain != nil || p.mine == nil {
		return Result{}, false
	}
	return Result{Shares: p.mine, Transcript: p.transcript()}, true
}

// Complete adds the answers of round 4 to an unconfirmed transcript that the
// holder at index has stored: what Finish does, after the process that played
// the rounds is gone.
func Complete(t Transcript, index int, answers [][]byte) (Transcript, error) {
	if err := t.Params.Check(); err != nil {
		return Transcript{}, err
	}
	hash, err := t.Params.hash()
	if err != nil {
		return Transcript{}, err
	}
	p := &Party{params: t.Params, hash: hash, index: index, said: t.Rounds, keys: t.Keys}
	if len(t.Rounds) != 3 {
		return Transcript{}, errors.New("transcript: rounds are missing")
	}
	for _, round := range t.Rounds {
		if len(round) < t.Params.N {
			return Transcript{}, errors.New("transcript: messages are missing")
		}
	}
	if t, err = p.complete(answers); err != nil {
		return Transcript{}, err
	}
	return t, t.Verify()
}

// complete takes all answers into the transcript.
func (p *Party) complete(all [][]byte) (Transcript, error) {
	bodies, err := open(p.params, p.hash, 4, all)
	if err != nil {
		return Transcript{}, err
	}
	t := p.transcript()
	sum := t.Hash()
	for i, b := range bodies {
		var a ack
		if len(b) < ed25519.SignatureSize || signed.Unmarshal(b[ed25519.SignatureSize:], &a) != nil {
			return Transcript{}, fault(i+1, "its answer could not be read")
		}
		if err := p.checkAnswer(i+1, a); err != nil {
			return Transcript{}, err
		}
		sig := b[:ed25519.SignatureSize]
		if a.Transcript != sum || signed.Verify(ackDomain, p.params.Holders[i].SignKey, sum[:], sig) != nil {
			return Transcript{}, fault(i+1, "it signed another transcript")
		}
		t.Acks = append(t.Acks, sig)
	}
	return t, nil
}
