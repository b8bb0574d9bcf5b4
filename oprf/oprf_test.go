package oprf

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/bits"
	mrand "math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"parallax/group"
	"parallax/group/grouptest"
	"parallax/internal/shareddata"
)

type rfcGroup struct {
	Identifier string
	Mode       int
	SkSm       string
	PkSm       string
	Vectors    []struct {
		Batch                                                   int
		Blind, BlindedElement, EvaluationElement, Input, Output string
		Proof                                                   struct{ Proof, R string }
	}
}

func vectors(t *testing.T) rfcGroup {
	raw, err := os.ReadFile(shareddata.Path(t, "vectors", "rfc9497-oprf-all.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []rfcGroup
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.Identifier == "ristretto255-SHA512" && g.Mode == 1 {
			return g
		}
	}
	t.Fatal("no VOPRF vectors for ristretto255-SHA512")
	return rfcGroup{}
}

func unhexAll(t *testing.T, list string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, s := range strings.Split(list, ",") {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func scalar(t *testing.T, b []byte) group.Scalar {
	t.Helper()
	s, err := group.ScalarFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RFC 9497 appendix A.1.2, byte for byte: blinding, evaluation, proof, output,
// with a single holder whose share is the whole key.
func TestRFC9497(t *testing.T) {
	g := vectors(t)
	sk := scalar(t, unhexAll(t, g.SkSm)[0])
	share := group.NewShare(1, sk)
	pub := group.PublicKey{T: 1, N: 1, Key: share.PublicPoint(), Holders: []group.Point{share.PublicPoint()}}
	if got := hex.EncodeToString(pub.Key[:]); got != g.PkSm {
		t.Fatalf("public key %s, want %s", got, g.PkSm)
	}
	for _, v := range g.Vectors {
		inputs, blinds := unhexAll(t, v.Input), unhexAll(t, v.Blind)
		var points []group.Point
		var secrets []Blinding
		for i := range inputs {
			b, p, err := blindWith(inputs[i], scalar(t, blinds[i]))
			if err != nil {
				t.Fatal(err)
			}
			points, secrets = append(points, p), append(secrets, b)
			if !bytes.Equal(p[:], unhexAll(t, v.BlindedElement)[i]) {
				t.Fatalf("blinded element %d differs", i)
			}
		}
		a, err := evaluateWith(share, points, scalar(t, unhexAll(t, v.Proof.R)[0]))
		if err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(a.Proof[:]) != v.Proof.Proof {
			t.Fatal("proof differs")
		}
		combined, err := Combine(pub, points, []Answer{a})
		if err != nil {
			t.Fatal(err)
		}
		for i := range inputs {
			if !bytes.Equal(a.Evaluated[i][:], unhexAll(t, v.EvaluationElement)[i]) {
				t.Fatalf("evaluation %d differs", i)
			}
			out, err := Finalize(inputs[i], secrets[i], combined[i])
			if err != nil || !bytes.Equal(out[:], unhexAll(t, v.Output)[i]) {
				t.Fatalf("output %d differs: %v", i, err)
			}
		}
	}
}

// Every t-subset of holders gives the RFC's bytes.
func TestEverySubsetGivesRFCBytes(t *testing.T) {
	g := vectors(t)
	sk := scalar(t, unhexAll(t, g.SkSm)[0])
	input, want := unhexAll(t, g.Vectors[0].Input)[0], unhexAll(t, g.Vectors[0].Output)[0]
	for _, tn := range [][2]int{{2, 3}, {3, 5}, {4, 7}} {
		pub, shares, err := grouptest.Deal(tn[0], tn[1], "email", &sk, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := pub.Check(); err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(pub.Key[:]) != g.PkSm {
			t.Fatal("the group key is not the RFC's")
		}
		b, p, err := Blind(input, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for mask := uint(0); mask < 1<<tn[1]; mask++ {
			if bits.OnesCount(mask) != tn[0] {
				continue
			}
			var answers []Answer
			for i, s := range shares {
				if mask>>i&1 == 1 {
					a, err := Evaluate(s, []group.Point{p}, rand.Reader)
					if err != nil {
						t.Fatal(err)
					}
					answers = append(answers, a)
				}
			}
			combined, err := Combine(pub, []group.Point{p}, answers)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := Finalize(input, b, combined[0]); err != nil || !bytes.Equal(out[:], want) {
				t.Fatalf("%d-of-%d subset %b: output differs (%v)", tn[0], tn[1], mask, err)
			}
		}
	}
}

// A wrong answer is always caught and names its holder.
func TestWrongAnswersAreCaughtAndAttributed(t *testing.T) {
	trials := 10_000
	if testing.Short() {
		trials = 500
	}
	pub, shares, err := grouptest.Deal(2, 3, "phone", nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var points []group.Point
	for i := range 3 {
		_, p, err := Blind([]byte{byte(i)}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	var honest [3]Answer
	for i, s := range shares {
		if honest[i], err = Evaluate(s, points, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	each := func(trial int) {
		rng := mrand.New(mrand.NewPCG(3, uint64(trial)))
		who := rng.IntN(3)
		bad := honest[who]
		bad.Evaluated = append([]group.Point(nil), bad.Evaluated...)
		switch at := rng.IntN(3); trial % 6 {
		case 0:
			bad.Evaluated[at] = points[at]
		case 1:
			bad.Evaluated[at] = honest[(who+1)%3].Evaluated[at]
		case 2:
			bad.Proof[rng.IntN(64)] ^= 1 << rng.IntN(8)
		case 3:
			bad.Evaluated[0], bad.Evaluated[1] = bad.Evaluated[1], bad.Evaluated[0]
		case 4:
			bad.Evaluated[at] = group.Point{}
		case 5:
			bad.Evaluated[at][rng.IntN(32)] ^= 1 << rng.IntN(8)
		}
		_, err := Combine(pub, points, []Answer{honest[(who+1)%3], bad})
		var wrong *WrongAnswer
		if !errors.As(err, &wrong) || wrong.Index != who+1 {
			t.Errorf("trial %d: holder %d's wrong answer gave %v", trial, who+1, err)
		}
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		wg.Go(func() {
			for trial := first; trial < trials && !t.Failed(); trial += workers {
				each(trial)
			}
		})
	}
	wg.Wait()
}

func TestTooFewAnswers(t *testing.T) {
	pub, shares, err := grouptest.Deal(2, 3, "phone", nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, p, err := Blind([]byte("x"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Evaluate(shares[0], []group.Point{p}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Combine(pub, []group.Point{p}, []Answer{a, a}); err == nil {
		t.Fatal("one holder twice must not count as two")
	}
}

func TestPossession(t *testing.T) {
	a, b := Possess([64]byte{1}, "email"), Possess([64]byte{1}, "phone")
	if a.Tag() == b.Tag() {
		t.Error("classes must not share tags")
	}
	sig := a.Sign([]byte("label"))
	if !VerifyPossession(a.Public(), []byte("label"), sig) || VerifyPossession(a.Public(), []byte("other"), sig) || VerifyPossession(b.Public(), []byte("label"), sig) {
		t.Error("possession signatures do not bind key and label")
	}
}

func TestPadSize(t *testing.T) {
	for n, want := range map[int]int{1: 256, 256: 256, 257: 512, 16384: 16384} {
		if got, err := PadSize(n); err != nil || got != want {
			t.Errorf("PadSize(%d) = %d, %v", n, got, err)
		}
	}
	for _, n := range []int{0, 16385} {
		if _, err := PadSize(n); err == nil {
			t.Errorf("PadSize(%d) accepted", n)
		}
	}
}

func BenchmarkHolder(b *testing.B) {
	_, shares, err := grouptest.Deal(3, 5, "email", nil, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	var points []group.Point
	for i := range 256 {
		_, p, err := Blind([]byte{byte(i)}, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		points = append(points, p)
	}
	for b.Loop() {
		if _, err := Evaluate(shares[0], points, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(256*b.N)/b.Elapsed().Seconds(), "selectors/s")
}
