// Package dkg deals the keys of a pool without a dealer: Joint-Feldman
// (Pedersen 1991) for many keys in one run, with a proof of possession of every
// constant term and a commit-then-reveal round against rogue keys (the bias of
// Gennaro et al. 1999 is closed by revealing nothing before all have committed).
//
// The package is a pure state machine: four rounds of messages, each signed by
// its sender and posted where all can read them. Any complaint, silence or bad
// message aborts the run and names the holder; nobody is disqualified while
// the others go on. The run counts only when all n holders have signed the hash
// of everything that was said.
package dkg

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"parallax/group"
	"parallax/seal"
	"parallax/signed"
)

const (
	messageDomain = "parallax/dkg-message/v1"
	ackDomain     = "parallax/dkg-ack/v1"
	popDST        = "parallax/dkg-possession/v1"
	shareInfo     = "parallax/dkg-share/v1"
)

// Rounds is the number of message rounds.
const Rounds = 4

// A Holder as the ceremony knows it; indices are 1..n.
type Holder struct {
	Index   int               `json:"index"`
	ID      string            `json:"id"`
	SignKey ed25519.PublicKey `json:"sign_key"`
	HPKEKey []byte            `json:"hpke_key"` // X25519, 32 bytes
}

// Params fix a run. Labels name the keys that it deals; Context is the digest
// of the plan that all agreed on. Attempt counts from 1: after an abort the next
// one has other parameters, so that no message of the old one fits it.
type Params struct {
	Pool    string   `json:"pool"`
	Epoch   string   `json:"epoch"`
	T       int      `json:"t"`
	N       int      `json:"n"`
	Labels  []string `json:"labels"`
	Holders []Holder `json:"holders"`
	Context []byte   `json:"context"`
	Attempt int      `json:"attempt"`
}

// Check refuses parameters that no run may start from.
func (p Params) Check() error {
	if _, err := group.Denominator(p.T, p.N); err != nil {
		return err
	}
	if p.Attempt < 1 {
		return fmt.Errorf("ceremony: attempt %d, want 1 or more", p.Attempt)
	}
	if 2*p.T <= p.N || len(p.Holders) != p.N || len(p.Labels) == 0 || len(p.Labels) > 64 || len(p.Context) != 32 {
		return fmt.Errorf("ceremony: %d-of-%d with %d holders, %d labels and a context of %d bytes is not possible", p.T, p.N, len(p.Holders), len(p.Labels), len(p.Context))
	}
	keys, labels := make(map[string]bool), make(map[string]bool)
	for i, h := range p.Holders {
		if h.Index != i+1 || len(h.SignKey) != ed25519.PublicKeySize || len(h.HPKEKey) != 32 || keys[string(h.SignKey)] || keys[string(h.HPKEKey)] {
			return fmt.Errorf("ceremony: holder %d is out of order or has a missing or repeated key", i+1)
		}
		keys[string(h.SignKey)], keys[string(h.HPKEKey)] = true, true
	}
	for _, l := range p.Labels {
		if l == "" || labels[l] {
			return fmt.Errorf("ceremony: label %q is empty or repeated", l)
		}
		labels[l] = true
	}
	return nil
}

func (p Params) hash() ([32]byte, error) {
	raw, err := signed.Marshal(p)
	return sha256.Sum256(append([]byte("parallax/dkg-params/v1\x00"), raw...)), err
}

// A Fault is why a run aborted; Index names the holder at fault, as far as the
// messages show it.
type Fault struct {
	Index  int
	Reason string
}

// Error names holder and reason.
func (f *Fault) Error() string { return fmt.Sprintf("key holder %d: %s", f.Index, f.Reason) }

func fault(index int, reason string) error { return &Fault{index, reason} }

// envelope is what every message carries.
type envelope struct {
	Params [32]byte `json:"params"`
	Round  int      `json:"round"`
	Index  int      `json:"index"`
	Body   []byte   `json:"body"`
}

type reveal struct {
	Salt [32]byte    `json:"salt"`
	Keys []revealKey `json:"keys"` // by label, in the order of Params
}

// revealKey is one polynomial's Feldman commitments and the proof that the
// sender knows its constant term.
type revealKey struct {
	Commitments []group.Point `json:"commitments"`
	E           seal.Bytes32  `json:"e"`
	F           seal.Bytes32  `json:"f"`
}

type shares struct {
	Sealed [][]byte `json:"sealed"` // to holder i at i-1; empty for the sender
}

type ack struct {
	Transcript [32]byte `json:"transcript"`
	Complaint  int      `json:"complaint"` // holder whose message is bad; 0 if none
	Reason     string   `json:"reason"`
	Heard      [][]byte `json:"heard"` // SHA-256 of each message of rounds 1 to 3, by round, then holder
}

// A Party is one holder's side of a run. It is used once, round by round.
type Party struct {
	params Params
	hash   [32]byte
	index  int
	sign   ed25519.PrivateKey
	hpke   []byte
	random io.Reader

	round    int
	polys    [][]group.Scalar // by label
	reveal   []byte
	commits  [][]byte   // round 1 bodies
	reveals  []reveal   // round 2
	said     [][][]byte // all messages, by round
	mine     map[string]group.Share
	keys     []group.PublicKey
	failed   error
	complain *Fault
}

// New starts one holder's side. It refuses parameters that do not list exactly
// this holder at index.
func New(params Params, index int, sign ed25519.PrivateKey, hpke []byte, random io.Reader) (*Party, error) {
	if err := params.Check(); err != nil {
		return nil, err
	}
	if index < 1 || index > params.N || !params.Holders[index-1].SignKey.Equal(sign.Public()) {
		return nil, fmt.Errorf("ceremony: holder %d is not this holder", index)
	}
	hash, err := params.hash()
	if err != nil {
		return nil, err
	}
	return &Party{params: params, hash: hash, index: index, sign: sign, hpke: hpke, random: random}, nil
}

func (p *Party) enter(round int) error {
	if p.failed != nil {
		return p.failed
	}
	if p.round != round-1 {
		return fmt.Errorf("ceremony: round %d was asked for after round %d", round, p.round)
	}
	p.round = round
	return nil
}

func (p *Party) message(round int, body []byte) ([]byte, error) {
	o, err := signed.Sign(messageDomain, p.params.Holders[p.index-1].ID, p.sign,
		envelope{Params: p.hash, Round: round, Index: p.index, Body: body})
	if err != nil {
		return nil, err
	}
	return signed.Marshal(o)
}

// Round1 chooses the polynomials and commits to what will be revealed.
func (p *Party) Round1() ([]byte, error) {
	if err := p.enter(1); err != nil {
		return nil, err
	}
	var r reveal
	if _, err := io.ReadFull(p.random, r.Salt[:]); err != nil {
		return nil, err
	}
	for _, label := range p.params.Labels {
		poly := make([]group.Scalar, p.params.T)
		var k revealKey
		for j := range poly {
			var err error
			if poly[j], err = group.RandomScalar(p.random); err != nil {
				return nil, err
			}
			k.Commitments = append(k.Commitments, group.BaseMul(poly[j]).Encode())
		}
		s, err := group.RandomScalar(p.random)
		if err != nil {
			return nil, err
		}
		e := p.popChallenge(p.index, label, k.Commitments[0], group.BaseMul(s).Encode())
		copy(k.E[:], e.Bytes())
		copy(k.F[:], s.Add(e.Mul(poly[0])).Bytes())
		p.polys = append(p.polys, poly)
		r.Keys = append(r.Keys, k)
	}
	var err error
	if p.reveal, err = signed.Marshal(r); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(p.reveal)
	return p.message(1, digest[:])
}

func (p *Party) popChallenge(index int, label string, c0, a group.Point) group.Scalar {
	return group.HashToScalar(popDST, p.hash[:], binary.BigEndian.AppendUint32(nil, uint32(index)), []byte(label), []byte{0}, c0[:], a[:])
}

// Round2 takes all commitments and reveals.
func (p *Party) Round2(all [][]byte) ([]byte, error) {
	if err := p.enter(2); err != nil {
		return nil, err
	}
	bodies, err := p.receive(1, all)
	if err != nil {
		return nil, err
	}
	for i, b := range bodies {
		if len(b) != sha256.Size {
			return nil, p.abort(fault(i+1, "its commitment has the wrong length"))
		}
	}
	p.commits = bodies
	return p.message(2, p.reveal)
}

// Round3 takes all reveals, checks them against the commitments and seals a
// share of every key to every other holder.
func (p *Party) Round3(all [][]byte) ([]byte, error) {
	if err := p.enter(3); err != nil {
		return nil, err
	}
	bodies, err := p.receive(2, all)
	if err != nil {
		return nil, err
	}
	for i, b := range bodies {
		r, err := p.checkReveal(i+1, b)
		if err != nil {
			return nil, p.abort(err)
		}
		p.reveals = append(p.reveals, r)
	}
	out := shares{Sealed: make([][]byte, p.params.N)}
	for i, h := range p.params.Holders {
		if h.Index == p.index {
			out.Sealed[i] = []byte{}
			continue
		}
		var plain []byte
		for _, poly := range p.polys {
			plain = append(plain, eval(poly, h.Index).Bytes()...)
		}
		if out.Sealed[i], err = seal.SealTo(h.HPKEKey, p.shareInfo(p.index, h.Index), plain); err != nil {
			return nil, err
		}
	}
	raw, err := signed.Marshal(out)
	if err != nil {
		return nil, err
	}
	return p.message(3, raw)
}

func (p *Party) shareInfo(from, to int) []byte {
	return fmt.Appendf(nil, "%s|%x|%d|%d", shareInfo, p.hash, from, to)
}

func eval(poly []group.Scalar, x int) group.Scalar {
	at, y := group.ScalarFromInt(int64(x)), group.ScalarFromInt(0)
	for j := len(poly) - 1; j >= 0; j-- {
		y = y.Mul(at).Add(poly[j])
	}
	return y
}

func (p *Party) checkReveal(index int, body []byte) (reveal, error) {
	digest := sha256.Sum256(body)
	if string(digest[:]) != string(p.commits[index-1]) {
		return reveal{}, fault(index, "it revealed something other than it committed to")
	}
	var r reveal
	if err := signed.Unmarshal(body, &r); err != nil || len(r.Keys) != len(p.params.Labels) {
		return reveal{}, fault(index, "its reveal could not be read")
	}
	for l, k := range r.Keys {
		if len(k.Commitments) != p.params.T {
			return reveal{}, fault(index, "a polynomial has the wrong degree")
		}
		for _, c := range k.Commitments {
			if _, err := c.Decode(); err != nil {
				return reveal{}, fault(index, "a commitment is not a group element")
			}
		}
		if err := p.checkPossession(index, p.params.Labels[l], k); err != nil {
			return reveal{}, err
		}
	}
	return r, nil
}

func (p *Party) checkPossession(index int, label string, k revealKey) error {
	c0, err := k.Commitments[0].Decode()
	e, err1 := group.ScalarFromBytes(k.E[:])
	f, err2 := group.ScalarFromBytes(k.F[:])
	if errors.Join(err, err1, err2) != nil || k.Commitments[0].IsIdentity() {
		return fault(index, "a constant term is the identity or its proof unreadable")
	}
	a := group.MultiMul([]group.Scalar{f, group.ScalarFromInt(0).Sub(e)}, []group.Element{group.Base(), c0})
	if !p.popChallenge(index, label, k.Commitments[0], a.Encode()).Equal(e) {
		return fault(index, "it does not prove possession of a constant term")
	}
	return nil
}

// receive checks the form and signatures of a round's messages and keeps them
// for the transcript.
func (p *Party) receive(round int, all [][]byte) ([][]byte, error) {
	bodies, err := open(p.params, p.hash, round, all)
	if err != nil {
		return nil, p.abort(err)
	}
	p.said = append(p.said, all)
	return bodies, nil
}

func (p *Party) abort(err error) error {
	p.failed = err
	return err
}

func open(params Params, hash [32]byte, round int, all [][]byte) ([][]byte, error) {
	bodies := make([][]byte, params.N)
	for i, h := range params.Holders {
		if i >= len(all) || len(all[i]) == 0 {
			return nil, fault(h.Index, fmt.Sprintf("silent in round %d", round))
		}
		body, err := openOne(params, hash, round, h, all[i])
		if err != nil {
			return nil, err
		}
		bodies[i] = body
	}
	return bodies, nil
}

func openOne(params Params, hash [32]byte, round int, h Holder, message []byte) ([]byte, error) {
	var o signed.Object
	var e envelope
	if signed.Unmarshal(message, &o) != nil || o.Key != h.ID || o.Open(messageDomain, h.SignKey, &e) != nil {
		return nil, fault(h.Index, fmt.Sprintf("its message of round %d is not signed by it", round))
	}
	if e.Params != hash || e.Round != round || e.Index != h.Index {
		return nil, fault(h.Index, fmt.Sprintf("its message of round %d belongs to another ceremony, round or place", round))
	}
	return e.Body, nil
}
