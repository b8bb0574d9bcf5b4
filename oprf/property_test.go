package oprf

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parallax/group"
	"parallax/group/grouptest"
)

// The output depends on the input and the key alone: not on the blind, the
// batch around it, the place in it, or which holders answered.
func TestOutputDependsOnInputAndKeyOnly(t *testing.T) {
	pub, shares, err := grouptest.Deal(3, 5, "email", nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		inputs := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 4,
			func(b []byte) string { return string(b) }).Draw(t, "inputs")
		order := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "holders")
		batch := evaluateBatch(t, pub, shares, order[:3], inputs)
		seen := make(map[[64]byte]bool)
		for i, in := range inputs {
			alone := evaluateBatch(t, pub, shares, order[2:], [][]byte{in})
			if alone[0] != batch[i] {
				t.Fatal("one input has two outputs")
			}
			if seen[batch[i]] {
				t.Fatal("two inputs have one output")
			}
			seen[batch[i]] = true
		}
	})
}

func evaluateBatch(t *rapid.T, pub group.PublicKey, shares []group.Share, who []int, inputs [][]byte) [][64]byte {
	secrets, points := make([]Blinding, len(inputs)), make([]group.Point, len(inputs))
	var err error
	for i, in := range inputs {
		if secrets[i], points[i], err = Blind(in, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	var answers []Answer
	for _, i := range who {
		a, err := Evaluate(shares[i], points, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	combined, err := Combine(pub, points, answers)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][64]byte, len(inputs))
	for i, in := range inputs {
		if out[i], err = Finalize(in, secrets[i], combined[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// A wrong answer among more than t is refused too, wherever it stands: a
// holder that is not needed for the sum does not go unnoticed.
func TestSurplusWrongAnswerIsNamed(t *testing.T) {
	d := newBed(t, 3, 5, 2)
	_, points := d.blind(t)
	for bad := range 5 {
		var answers []Answer
		for i, s := range d.shares {
			a, err := Evaluate(s, points, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if i == bad {
				a.Evaluated[1] = points[0]
			}
			answers = append(answers, a)
		}
		var wrong *WrongAnswer
		if _, err := Combine(d.pub, points, answers); !errors.As(err, &wrong) || wrong.Index != bad+1 {
			t.Errorf("holder %d answered wrongly: %v", bad+1, err)
		}
	}
}

// An answer that claims another holder's index, or none, is refused.
func TestAnswersDoNotMoveBetweenHolders(t *testing.T) {
	d := newBed(t, 2, 3, 1)
	_, points := d.blind(t)
	a := d.answers(t, points)[0]
	for _, index := range []int{-1, 0, 2, 3, 4} {
		a.Index = index
		var wrong *WrongAnswer
		if err := VerifyAnswer(d.pub, points, a); !errors.As(err, &wrong) || wrong.Index != index {
			t.Errorf("an answer of holder 1 passes as %d: %v", index, err)
		}
	}
}

// Secrets do not show when they or a struct around them are printed, under any
// verb. In an unexported field fmt passes the methods by; there the plain verbs
// are safe for blindings and shares, and every verb for possession keys.
func TestSecretsDoNotPrint(t *testing.T) {
	d := newBed(t, 2, 3, 1)
	secrets, _ := d.blind(t)
	p, b, s := Possess([64]byte{1}, "email"), secrets[0], d.shares[0]
	open := struct {
		P Possession
		B Blinding
		S group.Share
	}{p, b, s}
	hidden := struct {
		p Possession
		b Blinding
		s group.Share
	}{p, b, s}
	encoded, err := json.Marshal(open)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{p, &p, b, s, &s, open, struct{ p Possession }{p}} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		shown = append(shown, fmt.Sprintf(verb, hidden))
	}
	for _, secret := range [][]byte{p.key()[:8], b.r.Bytes()[:8], s.Bytes()[:8]} {
		decimals := strings.Trim(fmt.Sprint(secret), "[]")
		for _, text := range shown {
			if strings.Contains(text, decimals) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", secret)) {
				t.Errorf("a secret shows in %.60q", text)
			}
		}
	}
}

// FuzzAnswer feeds arbitrary bytes as an answer: never a panic, and nothing
// but the honest answer's meaning verifies.
func FuzzAnswer(f *testing.F) {
	d := newBed(f, 2, 3, 1)
	_, points := d.blind(f)
	honest := d.answers(f, points)[0]
	good, err := json.Marshal(honest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"index":1,"evaluated":[],"proof":""}`))
	f.Add([]byte(`{"index":9,"evaluated":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a Answer
		if json.Unmarshal(raw, &a) != nil {
			return
		}
		if VerifyAnswer(d.pub, points, a) == nil && (a.Index != 1 || a.Evaluated[0] != honest.Evaluated[0]) {
			t.Fatal("another answer verifies")
		}
	})
}
