// Package oprf is the threshold verifiable oblivious pseudorandom function that
// turns selectors into tags: RFC 9497 in VOPRF mode with ristretto255-SHA512,
// byte for byte, under a key that t of n holders share. A holder learns how
// many points it evaluated and nothing about them; a desk verifies every
// holder's proof before it uses an answer.
//
// The output is not itself a tag. It is the seed of a possession key: a tag is
// a public key, and whoever contributes it must sign with the private key,
// which only an evaluation of the selector yields.
package oprf

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"parallax/group"
	"parallax/signed"
)

// context is CreateContextString(modeVOPRF, ristretto255-SHA512) of RFC 9497.
const context = "OPRFV1-\x01-ristretto255-SHA512"

// Batch sizes: padded to a power of two between them.
const (
	MinBatch = 256
	MaxBatch = 16384
)

// A Blinding is the secret that hides one input. It prints as a placeholder.
type Blinding struct{ r group.Scalar }

// String hides the secret.
func (Blinding) String() string { return "[blinding]" }

// GoString hides the secret.
func (Blinding) GoString() string { return "[blinding]" }

// Blind is Blind of RFC 9497: a random multiple of the hashed input.
func Blind(input []byte, random io.Reader) (Blinding, group.Point, error) {
	r, err := group.RandomScalar(random)
	if err != nil {
		return Blinding{}, group.Point{}, err
	}
	return blindWith(input, r)
}

func blindWith(input []byte, r group.Scalar) (Blinding, group.Point, error) {
	if len(input) > 1<<16-1 {
		return Blinding{}, group.Point{}, errors.New("input is longer than 65,535 bytes")
	}
	h := group.HashToElement("HashToGroup-"+context, input)
	if r.IsZero() || h.Encode().IsIdentity() {
		return Blinding{}, group.Point{}, errors.New("input or blind is degenerate")
	}
	return Blinding{r}, h.Mul(r).Encode(), nil
}

// Bytes is the secret, 32 bytes, for the one row that an audit opens: with it
// anybody can test guesses of that row's input.
func (b Blinding) Bytes() [32]byte { return [32]byte(b.r.Bytes()) }

// Reblind is the point that an input gives under a known blind, so that an
// auditor compares it with what was asked. Showing another input or another
// blind for one point takes a discrete logarithm.
func Reblind(input []byte, blind [32]byte) (group.Point, error) {
	r, err := group.ScalarFromBytes(blind[:])
	if err != nil {
		return group.Point{}, err
	}
	_, p, err := blindWith(input, r)
	return p, err
}

// Proof is a batched DLEQ proof: challenge and response, 32 bytes each.
type Proof [64]byte

// MarshalText gives standard base64.
func (p Proof) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, p[:]), nil }

// UnmarshalText reads the one base64 spelling of 64 bytes.
func (p *Proof) UnmarshalText(text []byte) error {
	if err := signed.DecodeBase64(p[:], text); err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	return nil
}

// An Answer is one holder's evaluation of a batch, proved against P_i.
type Answer struct {
	Index     int           `json:"index"`
	Evaluated []group.Point `json:"evaluated"`
	Proof     Proof         `json:"proof"`
}

// A WrongAnswer names the holder whose answer does not verify. Its text is
// constant apart from the index.
type WrongAnswer struct{ Index int }

// Error names the holder.
func (w *WrongAnswer) Error() string {
	return fmt.Sprintf("key holder %d gave a wrong answer", w.Index)
}

// Evaluate is BlindEvaluate of RFC 9497 by one holder over a batch.
func Evaluate(share group.Share, blinded []group.Point, random io.Reader) (Answer, error) {
	r, err := group.RandomScalar(random)
	if err != nil {
		return Answer{}, err
	}
	return evaluateWith(share, blinded, r)
}

func evaluateWith(share group.Share, blinded []group.Point, r group.Scalar) (Answer, error) {
	c, err := decodeAll(blinded)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Index: share.Index, Evaluated: make([]group.Point, len(c))}
	for i, e := range c {
		a.Evaluated[i] = e.Mul(share.Scalar()).Encode()
	}
	pub := share.PublicPoint()
	weights := compositeWeights(pub, blinded, a.Evaluated)
	m := group.MultiMul(weights, c)
	z := m.Mul(share.Scalar())
	challenge := dleqChallenge(pub, m.Encode(), z.Encode(), group.BaseMul(r).Encode(), m.Mul(r).Encode())
	response := r.Sub(challenge.Mul(share.Scalar()))
	copy(a.Proof[:32], challenge.Bytes())
	copy(a.Proof[32:], response.Bytes())
	return a, nil
}

func decodeAll(points []group.Point) ([]group.Element, error) {
	if len(points) == 0 || len(points) > MaxBatch {
		return nil, fmt.Errorf("a batch of %d points, want 1 to %d", len(points), MaxBatch)
	}
	out := make([]group.Element, len(points))
	for i, p := range points {
		e, err := p.Decode()
		if err != nil || p.IsIdentity() {
			return nil, fmt.Errorf("point %d: %w", i+1, group.ErrPoint)
		}
		out[i] = e
	}
	return out, nil
}

// compositeWeights are the d_i of ComputeComposites (RFC 9497, 2.2.1).
func compositeWeights(pub group.Point, c, d []group.Point) []group.Scalar {
	seedDST := "Seed-" + context
	h := sha512.New()
	h.Write(prefixed(pub[:]))
	h.Write(prefixed([]byte(seedDST)))
	seed := prefixed(h.Sum(nil))
	out := make([]group.Scalar, len(c))
	for i := range c {
		index := binary.BigEndian.AppendUint16(nil, uint16(i))
		out[i] = group.HashToScalar("HashToScalar-"+context, seed, index, prefixed(c[i][:]), prefixed(d[i][:]), []byte("Composite"))
	}
	return out
}

func prefixed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func dleqChallenge(pub, m, z, t2, t3 group.Point) group.Scalar {
	return group.HashToScalar("HashToScalar-"+context, prefixed(pub[:]), prefixed(m[:]), prefixed(z[:]), prefixed(t2[:]), prefixed(t3[:]), []byte("Challenge"))
}

// VerifyAnswer is VerifyProof of RFC 9497 against the holder's P_i. Every
// failure is the same *WrongAnswer.
func VerifyAnswer(pub group.PublicKey, blinded []group.Point, a Answer) error {
	c, err := decodeAll(blinded)
	if err != nil {
		return err
	}
	_, err = verify(pub, blinded, c, a)
	return err
}

// verify takes the blinded points also decoded, because every holder's answer
// is checked against the same ones.
func verify(pub group.PublicKey, blinded []group.Point, c []group.Element, a Answer) ([]group.Element, error) {
	wrong := &WrongAnswer{Index: a.Index}
	if a.Index < 1 || a.Index > len(pub.Holders) || len(a.Evaluated) != len(blinded) {
		return nil, wrong
	}
	d, err := decodeAll(a.Evaluated)
	if err != nil {
		return nil, wrong
	}
	key := pub.Holders[a.Index-1]
	p, err := key.Decode()
	if err != nil {
		return nil, err
	}
	challenge, err1 := group.ScalarFromBytes(a.Proof[:32])
	response, err2 := group.ScalarFromBytes(a.Proof[32:])
	if err1 != nil || err2 != nil {
		return nil, wrong
	}
	weights := compositeWeights(key, blinded, a.Evaluated)
	m, z := group.MultiMul(weights, c), group.MultiMul(weights, d)
	pair := []group.Scalar{response, challenge}
	t2 := group.MultiMul(pair, []group.Element{group.Base(), p})
	t3 := group.MultiMul(pair, []group.Element{m, z})
	if !dleqChallenge(key, m.Encode(), z.Encode(), t2.Encode(), t3.Encode()).Equal(challenge) {
		return nil, wrong
	}
	return d, nil
}

// Combine verifies every answer and combines the first t by index into the
// evaluation under k = D*f(0). Any wrong answer aborts and names its holder.
func Combine(pub group.PublicKey, blinded []group.Point, answers []Answer) ([]group.Point, error) {
	c, err := decodeAll(blinded)
	if err != nil {
		return nil, err
	}
	parts := make(map[int][]group.Element, pub.T)
	var indices []int
	for _, a := range answers {
		d, err := verify(pub, blinded, c, a)
		if err != nil {
			return nil, err
		}
		if _, dup := parts[a.Index]; !dup && len(indices) < pub.T {
			indices = append(indices, a.Index)
			parts[a.Index] = d
		}
	}
	if len(indices) < pub.T {
		return nil, fmt.Errorf("%d different key holders answered, %d are needed", len(indices), pub.T)
	}
	coeff, err := group.Coefficients(pub.T, pub.N, indices)
	if err != nil {
		return nil, err
	}
	out := make([]group.Point, len(blinded))
	for j := range blinded {
		sum := group.Identity()
		for k, i := range indices {
			sum = sum.Add(parts[i][j].MulInt(coeff[k]))
		}
		out[j] = sum.Encode()
	}
	return out, nil
}

// Finalize is Finalize of RFC 9497 after the proofs were verified: 64 bytes.
func Finalize(input []byte, b Blinding, evaluated group.Point) ([64]byte, error) {
	e, err := evaluated.Decode()
	if err != nil {
		return [64]byte{}, err
	}
	if len(input) > 1<<16-1 {
		return [64]byte{}, errors.New("input is longer than 65,535 bytes")
	}
	n := e.Mul(b.r.Invert()).Encode()
	h := sha512.New()
	h.Write(prefixed(input))
	h.Write(prefixed(n[:]))
	h.Write([]byte("Finalize"))
	return [64]byte(h.Sum(nil)), nil
}

// PadSize is the power of two, between MinBatch and MaxBatch, that a batch of
// n selectors is padded to.
func PadSize(n int) (int, error) {
	if n < 1 || n > MaxBatch {
		return 0, fmt.Errorf("a batch of %d selectors, want 1 to %d", n, MaxBatch)
	}
	size := MinBatch
	for size < n {
		size *= 2
	}
	return size, nil
}

const dummyDomain = "parallax/dummy/v1\x00"

// DummySeed is what a batch's padding derives from. It follows from the batch's
// seed and does not lead back: an audit shows it with the first dummy, and the
// blinds of all other rows come from the batch's seed.
func DummySeed(seed [32]byte) [32]byte {
	key, err := hkdf.Key(sha512.New, seed[:], nil, "parallax/dummy-seed/v1", 32)
	if err != nil { // 32 bytes are within HKDF's limit for every hash
		panic("oprf: " + err.Error())
	}
	return [32]byte(key)
}

// DummyInput is the i-th padding input of a batch with this DummySeed. No
// selector's input looks like it.
func DummyInput(dummies [32]byte, i int) []byte {
	out := append([]byte(dummyDomain), dummies[:]...)
	return binary.BigEndian.AppendUint32(out, uint32(i))
}

// IsDummy reports that an input is the i-th padding of some batch, and of which.
func IsDummy(input []byte, i int) (dummies [32]byte, ok bool) {
	rest, found := bytes.CutPrefix(input, []byte(dummyDomain))
	if !found || len(rest) != 36 || binary.BigEndian.Uint32(rest[32:]) != uint32(i) {
		return dummies, false
	}
	return [32]byte(rest[:32]), true
}
