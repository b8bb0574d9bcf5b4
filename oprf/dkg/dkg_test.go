package dkg

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"parallax/group"
	"parallax/oprf"
	"parallax/seal"
	"parallax/signed"
)

type run struct {
	params  Params
	parties []*Party
}

func start(t *testing.T, tn, n int) *run { t.Helper(); return startAny(t, tn, n) }

func startAny(t testing.TB, tn, n int) *run {
	t.Helper()
	r := &run{params: Params{Pool: "p", Epoch: "e", T: tn, N: n, Labels: []string{"email", "payload"}, Context: make([]byte, 32), Attempt: 1}}
	signs, hpkes := make([]ed25519.PrivateKey, n), make([][]byte, n)
	for i := range n {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		sk, pk, err := seal.GenerateHPKE()
		if err != nil {
			t.Fatal(err)
		}
		signs[i], hpkes[i] = priv, sk
		r.params.Holders = append(r.params.Holders, Holder{i + 1, fmt.Sprint("h", i+1), pub, pk})
	}
	for i := range n {
		p, err := New(r.params, i+1, signs[i], hpkes[i], rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		r.parties = append(r.parties, p)
	}
	return r
}

// play runs all rounds; between rounds tamper may change what everyone sees.
func (r *run) play(tamper func(round int, all [][]byte)) ([]Result, []error) {
	steps := []func(*Party, [][]byte) ([]byte, error){
		func(p *Party, _ [][]byte) ([]byte, error) { return p.Round1() },
		(*Party).Round2, (*Party).Round3, (*Party).Round4,
	}
	var last [][]byte
	errs := make([]error, len(r.parties))
	for n, step := range steps {
		next := make([][]byte, len(r.parties))
		for i, p := range r.parties {
			m, err := step(p, last)
			if err != nil {
				errs[i] = err
			}
			next[i] = m
		}
		if tamper != nil {
			tamper(n+1, next)
		}
		last = next
	}
	out := make([]Result, len(r.parties))
	for i, p := range r.parties {
		if errs[i] == nil {
			out[i], errs[i] = p.Finish(last)
		}
	}
	return out, errs
}

func TestCeremonyDealsKeysThatWork(t *testing.T) {
	for _, tn := range [][2]int{{2, 3}, {3, 5}} {
		r := start(t, tn[0], tn[1])
		results, errs := r.play(nil)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		hash := results[0].Transcript.Hash()
		for _, res := range results {
			if res.Transcript.Hash() != hash {
				t.Fatal("holders have different transcripts")
			}
			if err := res.Transcript.Verify(); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := signed.Marshal(results[0].Transcript)
		if err != nil {
			t.Fatal(err)
		}
		var again Transcript
		if err := signed.Unmarshal(raw, &again); err != nil || again.Hash() != hash {
			t.Fatalf("the transcript does not survive its encoding: %v", err)
		}
		checkOPRF(t, results)
	}
}

// checkOPRF requires that two different quorums give one output.
func checkOPRF(t *testing.T, results []Result) {
	t.Helper()
	pub := results[0].Transcript.Keys[0]
	b, point, err := oprf.Blind([]byte("x"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var outs [][64]byte
	for _, from := range []int{0, pub.N - pub.T} {
		var answers []oprf.Answer
		for _, res := range results[from : from+pub.T] {
			a, err := oprf.Evaluate(res.Shares["email"], []group.Point{point}, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, a)
		}
		c, err := oprf.Combine(pub, []group.Point{point}, answers)
		if err != nil {
			t.Fatal(err)
		}
		out, err := oprf.Finalize([]byte("x"), b, c[0])
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, out)
	}
	if outs[0] != outs[1] {
		t.Fatal("two quorums give different outputs")
	}
}

// resign changes holder 2's message and signs it again: what a dishonest
// holder can do.
func (r *run) resign(t *testing.T, round int, body []byte) []byte {
	t.Helper()
	m, err := r.parties[1].message(round, body)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFaultsAbortAndNameTheHolder(t *testing.T) {
	for name, c := range map[string]struct {
		round int
		bend  func(t *testing.T, r *run, all [][]byte) []byte
		want  string
	}{
		"silence in round 1": {1, func(*testing.T, *run, [][]byte) []byte { return nil }, "silent in round 1"},
		"silence in round 3": {3, func(*testing.T, *run, [][]byte) []byte { return nil }, "silent in round 3"},
		"silence in round 4": {4, func(*testing.T, *run, [][]byte) []byte { return nil }, "silent in round 4"},
		"another's message":  {1, func(_ *testing.T, _ *run, all [][]byte) []byte { return all[0] }, "not signed by it"},
		"a broken signature": {2, func(_ *testing.T, _ *run, all [][]byte) []byte {
			return bytes.Replace(all[1], []byte(`"sig":"`), []byte(`"sig":"AAAA`), 1)
		}, "not signed by it"},
		"an old round's message": {2, func(t *testing.T, r *run, _ [][]byte) []byte { return r.resign(t, 1, r.parties[1].reveal) }, "another ceremony, round"},
		"a short commitment":     {1, func(t *testing.T, r *run, _ [][]byte) []byte { return r.resign(t, 1, []byte("x")) }, "wrong length"},
		"a reveal that was not committed to": {2, func(t *testing.T, r *run, _ [][]byte) []byte {
			return r.resign(t, 2, append(r.parties[1].reveal, ' '))
		}, "other than it committed"},
		"a share for nobody": {3, func(t *testing.T, r *run, _ [][]byte) []byte {
			raw, err := signed.Marshal(shares{Sealed: [][]byte{[]byte("x"), {}, []byte("y")}})
			if err != nil {
				t.Fatal(err)
			}
			return r.resign(t, 3, raw)
		}, "does not open"},
		"another transcript signed": {4, func(t *testing.T, r *run, _ [][]byte) []byte {
			m, err := r.parties[1].answer(ack{Transcript: [32]byte{1}})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}, "signed another transcript"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, 2, 3)
			_, errs := r.play(func(round int, all [][]byte) {
				if round == c.round {
					all[1] = c.bend(t, r, all)
				}
			})
			var f *Fault
			if !errors.As(errs[0], &f) || f.Index != 2 || !strings.Contains(f.Reason, c.want) {
				t.Fatalf("holder 1 says %v, want holder 2: %s", errs[0], c.want)
			}
		})
	}
}

// A dishonest dealer of round 1 shapes its reveal before committing.
func TestDishonestPolynomialsAbort(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(p *Party, r *reveal)
		want string
	}{
		"a degree too high": {func(_ *Party, r *reveal) {
			r.Keys[0].Commitments = append(r.Keys[0].Commitments, group.Base().Encode())
		}, "wrong degree"},
		"an identity constant": {func(_ *Party, r *reveal) { r.Keys[0].Commitments[0] = group.Point{} }, "identity"},
		"a rogue constant without possession": {func(_ *Party, r *reveal) {
			r.Keys[0].Commitments[0] = group.BaseMul(group.ScalarFromInt(7)).Encode()
		}, "possession"},
		"no group element":       {func(_ *Party, r *reveal) { r.Keys[0].Commitments[1][31] = 0xff }, "not a group element"},
		"a key left out":         {func(_ *Party, r *reveal) { r.Keys = r.Keys[:1] }, "could not be read"},
		"shares that do not fit": {func(p *Party, _ *reveal) { p.polys[0][1] = group.ScalarFromInt(5) }, "does not fit its commitments"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, 2, 3)
			_, errs := r.play(func(round int, all [][]byte) {
				if round != 1 {
					return
				}
				p := r.parties[1]
				var rev reveal
				if err := signed.Unmarshal(p.reveal, &rev); err != nil {
					t.Fatal(err)
				}
				c.bend(p, &rev)
				raw, err := signed.Marshal(rev)
				if err != nil {
					t.Fatal(err)
				}
				p.reveal = raw
				all[1] = r.resign(t, 1, digestOf(raw))
			})
			var f *Fault
			if !errors.As(errs[0], &f) || f.Index != 2 || !strings.Contains(f.Reason, c.want) {
				t.Fatalf("holder 1 says %v, want holder 2: %s", errs[0], c.want)
			}
		})
	}
}

func TestTranscriptRefusesChanges(t *testing.T) {
	results, errs := start(t, 2, 3).play(nil)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*Transcript){
		"a key":       func(x *Transcript) { x.Keys = append([]group.PublicKey(nil), x.Keys...); x.Keys[0].Label = "phone" },
		"a signature": func(x *Transcript) { x.Acks = [][]byte{x.Acks[0], x.Acks[0], x.Acks[2]} },
		"one fewer":   func(x *Transcript) { x.Acks = x.Acks[:2] },
		"the pool":    func(x *Transcript) { x.Params.Pool = "other" },
		"the rounds":  func(x *Transcript) { x.Rounds = x.Rounds[:2] },
	} {
		changed := results[0].Transcript
		bend(&changed)
		if changed.Verify() == nil {
			t.Errorf("%s changed: it verifies", name)
		}
	}
}

func digestOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
