package oprf

import (
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"testing"

	cgroup "github.com/cloudflare/circl/group"
	circl "github.com/cloudflare/circl/oprf"

	"parallax/group"
	"parallax/group/grouptest"
	"parallax/oprf/peer"
)

// The independent implementation that this package is compared with, in
// correctness and in speed.

const benchBatch = 256

type bed struct {
	pub    group.PublicKey
	shares []group.Share
	inputs [][]byte
}

func newBed(tb testing.TB, t, n, batch int) bed {
	tb.Helper()
	pub, shares, err := grouptest.Deal(t, n, "email", nil, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	b := bed{pub: pub, shares: shares}
	for i := range batch {
		b.inputs = append(b.inputs, fmt.Appendf(nil, "input %d", i))
	}
	return b
}

func (b bed) blind(tb testing.TB) ([]Blinding, []group.Point) {
	tb.Helper()
	secrets, points := make([]Blinding, len(b.inputs)), make([]group.Point, len(b.inputs))
	for i, in := range b.inputs {
		var err error
		if secrets[i], points[i], err = Blind(in, rand.Reader); err != nil {
			tb.Fatal(err)
		}
	}
	return secrets, points
}

func (b bed) answers(tb testing.TB, points []group.Point) []Answer {
	tb.Helper()
	var out []Answer
	for _, s := range b.shares[:b.pub.T] {
		a, err := Evaluate(s, points, rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

func circlElements(tb testing.TB, points []group.Point) []cgroup.Element {
	tb.Helper()
	out, err := peer.Elements(points)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func circlPoints(tb testing.TB, elements []cgroup.Element) []group.Point {
	tb.Helper()
	out, err := peer.Points(elements)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func circlKey(tb testing.TB, share group.Share) *circl.PrivateKey {
	tb.Helper()
	key := new(circl.PrivateKey)
	if err := key.UnmarshalBinary(circl.SuiteRistretto255, share.Bytes()); err != nil {
		tb.Fatal(err)
	}
	return key
}

// Each side's holder answers the other side's desk: the proofs verify across,
// the evaluations are the same bytes, and a threshold evaluation of circl's
// request finalises in circl to what circl's own server gives under D*f(0).
func TestAgreesWithCircl(t *testing.T) {
	b := newBed(t, 3, 5, 4)
	_, points := b.blind(t)
	for i, a := range b.answers(t, points) {
		if _, err := peer.Verify(b.pub, circlElements(t, points), peer.Answer{Index: a.Index, Evaluated: a.Evaluated, Proof: a.Proof}); err != nil {
			t.Fatalf("circl refuses the proof of holder %d: %v", i+1, err)
		}
	}

	request := circlRequest(t, b.inputs)
	blinded := circlPoints(t, request.req.Elements)
	var answers []Answer
	for _, s := range b.shares[2:] {
		e, err := circl.NewVerifiableServer(circl.SuiteRistretto255, circlKey(t, s)).Evaluate(request.req)
		if err != nil {
			t.Fatal(err)
		}
		a := Answer{Index: s.Index, Evaluated: circlPoints(t, e.Elements)}
		raw, err := e.Proof.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		copy(a.Proof[:], raw)
		answers = append(answers, a)
	}
	combined, err := Combine(b.pub, blinded, answers)
	if err != nil {
		t.Fatalf("circl's proofs are refused: %v", err)
	}
	compareOutputs(t, b, request, combined)
}

type circlBatch struct {
	client circl.Client
	final  *circl.FinalizeData
	req    *circl.EvaluationRequest
}

// circlRequest blinds with circl. Its base client blinds and unblinds exactly
// as the verifiable one, and leaves the proofs of several holders to the caller.
func circlRequest(tb testing.TB, inputs [][]byte) circlBatch {
	tb.Helper()
	client := circl.NewClient(circl.SuiteRistretto255)
	final, req, err := client.Blind(inputs)
	if err != nil {
		tb.Fatal(err)
	}
	return circlBatch{client, final, req}
}

// compareOutputs finalises on both sides of the comparison. circl's base mode
// hashes to the group under another context, so the group elements are
// compared through a verifiable server that holds the whole key.
func compareOutputs(t *testing.T, b bed, request circlBatch, combined []group.Point) {
	t.Helper()
	d, err := group.Denominator(b.pub.T, b.pub.N)
	if err != nil {
		t.Fatal(err)
	}
	indices := []int{1, 2, 3}
	coeff, err := group.Coefficients(b.pub.T, b.pub.N, indices)
	if err != nil {
		t.Fatal(err)
	}
	k := group.ScalarFromInt(0)
	for i, c := range coeff {
		k = k.Add(b.shares[indices[i]-1].Scalar().Mul(group.ScalarFromInt(c)))
	}
	whole := circl.NewVerifiableServer(circl.SuiteRistretto255, circlKey(t, group.NewShare(1, k)))
	e, err := whole.Evaluate(request.req)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range circlPoints(t, e.Elements) {
		if p != combined[i] {
			t.Fatalf("evaluation %d under D=%d differs from circl's under the whole key", i, d)
		}
	}
	for i, in := range b.inputs {
		want, err := whole.FullEvaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		secret, point, err := Blind(in, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		own, err := Combine(b.pub, []group.Point{point}, b.answers(t, []group.Point{point}))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := Finalize(in, secret, own[0]); err != nil || out != [sha512.Size]byte(want) {
			t.Fatalf("output %d differs from circl's (%v)", i, err)
		}
	}
}

func report(b *testing.B) {
	b.ReportMetric(float64(benchBatch*b.N)/b.Elapsed().Seconds(), "selectors/s")
}

// BenchmarkDesk: blind, verify t proofs, combine, unblind and hash; 3-of-5.
func BenchmarkDesk(b *testing.B) {
	d := newBed(b, 3, 5, benchBatch)
	for b.Loop() {
		secrets, points := d.blind(b)
		b.StopTimer()
		answers := d.answers(b, points)
		b.StartTimer()
		combined, err := Combine(d.pub, points, answers)
		if err != nil {
			b.Fatal(err)
		}
		for i, in := range d.inputs {
			if _, err := Finalize(in, secrets[i], combined[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	report(b)
}

// BenchmarkDeskCircl is the same work composed from circl's public pieces.
func BenchmarkDeskCircl(b *testing.B) {
	d := newBed(b, 3, 5, benchBatch)
	for b.Loop() {
		desk, points, err := peer.Blind(d.inputs)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		answers := peerAnswers(b, d, points)
		b.StartTimer()
		if _, err := desk.Finish(d.pub, answers); err != nil {
			b.Fatal(err)
		}
	}
	report(b)
}

func peerAnswers(tb testing.TB, d bed, points []group.Point) []peer.Answer {
	tb.Helper()
	var out []peer.Answer
	for _, s := range d.shares[:d.pub.T] {
		a, err := peer.Evaluate(s, points)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// BenchmarkHolderCircl: decode, evaluate, prove, encode, beside BenchmarkHolder.
func BenchmarkHolderCircl(b *testing.B) {
	d := newBed(b, 3, 5, benchBatch)
	_, points := d.blind(b)
	for b.Loop() {
		if _, err := peer.Evaluate(d.shares[0], points); err != nil {
			b.Fatal(err)
		}
	}
	report(b)
}
