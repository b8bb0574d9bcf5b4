// Package peer is the work of desk and holder composed from circl's public
// pieces in the obvious way: no small coefficients, one scalar multiplication
// per answer, elements encoded and decoded where they cross the wire. It is
// what this project's own protocol code is compared with, in answers and in
// speed; nothing but tests and the benchmark calls it.
package peer

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"

	cgroup "github.com/cloudflare/circl/group"
	circl "github.com/cloudflare/circl/oprf"
	"github.com/cloudflare/circl/zk/dleq"

	"parallax/group"
)

const context = "OPRFV1-\x01-ristretto255-SHA512"

var params = dleq.Params{G: cgroup.Ristretto255, H: circl.SuiteRistretto255.Hash(), DST: []byte(context)}

// An Answer is one holder's evaluation and proof, as they cross the wire.
type Answer struct {
	Index     int
	Evaluated []group.Point
	Proof     [64]byte
}

// A Desk holds the blinded inputs of one batch.
type Desk struct {
	inputs  [][]byte
	blinds  []cgroup.Scalar
	blinded []cgroup.Element
}

// Blind hashes and blinds a batch, and gives the points to send.
func Blind(inputs [][]byte) (*Desk, []group.Point, error) {
	d := &Desk{inputs: inputs, blinds: make([]cgroup.Scalar, len(inputs)), blinded: make([]cgroup.Element, len(inputs))}
	for i, in := range inputs {
		d.blinds[i] = cgroup.Ristretto255.RandomNonZeroScalar(rand.Reader)
		h := cgroup.Ristretto255.HashToElement(in, []byte("HashToGroup-"+context))
		d.blinded[i] = cgroup.Ristretto255.NewElement().Mul(h, d.blinds[i])
	}
	points, err := Points(d.blinded)
	return d, points, err
}

// Evaluate is one holder's part: decode, evaluate, prove, encode.
func Evaluate(share group.Share, points []group.Point) (Answer, error) {
	key := new(circl.PrivateKey)
	if err := key.UnmarshalBinary(circl.SuiteRistretto255, share.Bytes()); err != nil {
		return Answer{}, err
	}
	elements, err := Elements(points)
	if err != nil {
		return Answer{}, err
	}
	e, err := circl.NewVerifiableServer(circl.SuiteRistretto255, key).Evaluate(&circl.EvaluationRequest{Elements: elements})
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Index: share.Index}
	if a.Evaluated, err = Points(e.Elements); err != nil {
		return Answer{}, err
	}
	raw, err := e.Proof.MarshalBinary()
	copy(a.Proof[:], raw)
	return a, err
}

// Verify checks one holder's proof and gives the decoded evaluations.
func Verify(pub group.PublicKey, blinded []cgroup.Element, a Answer) ([]cgroup.Element, error) {
	if a.Index < 1 || a.Index > len(pub.Holders) {
		return nil, fmt.Errorf("no holder %d", a.Index)
	}
	key, err := Elements(pub.Holders[a.Index-1 : a.Index])
	if err != nil {
		return nil, err
	}
	evaluated, err := Elements(a.Evaluated)
	if err != nil {
		return nil, err
	}
	var proof dleq.Proof
	if err := proof.UnmarshalBinary(cgroup.Ristretto255, a.Proof[:]); err != nil {
		return nil, err
	}
	if !(dleq.Verifier{Params: params}).VerifyBatchRFC9497(key[0], blinded, evaluated, &proof) {
		return nil, errors.New("the proof does not verify")
	}
	return evaluated, nil
}

// Finish verifies exactly t answers, combines them under k = D*f(0), unblinds
// and hashes: the RFC 9497 outputs.
func (d *Desk) Finish(pub group.PublicKey, answers []Answer) ([][64]byte, error) {
	indices := make([]int, len(answers))
	for i, a := range answers {
		indices[i] = a.Index
	}
	coeff, err := group.Coefficients(pub.T, pub.N, indices)
	if err != nil {
		return nil, err
	}
	sums := make([]cgroup.Element, len(d.inputs))
	for j := range sums {
		sums[j] = cgroup.Ristretto255.Identity()
	}
	for i, a := range answers {
		evaluated, err := Verify(pub, d.blinded, a)
		if err != nil {
			return nil, err
		}
		lambda := cgroup.Ristretto255.NewScalar()
		if err := lambda.UnmarshalBinary(group.ScalarFromInt(coeff[i]).Bytes()); err != nil {
			return nil, err
		}
		for j, e := range evaluated {
			sums[j].Add(sums[j], cgroup.Ristretto255.NewElement().Mul(e, lambda))
		}
	}
	return d.unblind(sums)
}

func (d *Desk) unblind(sums []cgroup.Element) ([][64]byte, error) {
	out := make([][64]byte, len(sums))
	for i, s := range sums {
		n := cgroup.Ristretto255.NewElement().Mul(s, cgroup.Ristretto255.NewScalar().Inv(d.blinds[i]))
		raw, err := n.MarshalBinaryCompress()
		if err != nil {
			return nil, err
		}
		h := sha512.New()
		for _, part := range [][]byte{d.inputs[i], raw} {
			h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(part))))
			h.Write(part)
		}
		h.Write([]byte("Finalize"))
		out[i] = [64]byte(h.Sum(nil))
	}
	return out, nil
}

// Elements decodes points.
func Elements(points []group.Point) ([]cgroup.Element, error) {
	out := make([]cgroup.Element, len(points))
	for i, p := range points {
		out[i] = cgroup.Ristretto255.NewElement()
		if err := out[i].UnmarshalBinary(p[:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Points encodes elements.
func Points(elements []cgroup.Element) ([]group.Point, error) {
	out := make([]group.Point, len(elements))
	for i, e := range elements {
		raw, err := e.MarshalBinaryCompress()
		if err != nil {
			return nil, err
		}
		out[i] = group.Point(raw)
	}
	return out, nil
}
