package dkg

import (
	"errors"
	"fmt"
	"testing"

	"parallax/group"
	"parallax/seal"
	"parallax/signed"
)

// bySeer plays a run in which holders may see different messages: tamper
// returns what holder `to` gets to see of a round.
func (r *run) bySeer(tamper func(round, to int, all [][]byte) [][]byte) []error {
	steps := []func(*Party, [][]byte) ([]byte, error){
		func(p *Party, _ [][]byte) ([]byte, error) { return p.Round1() },
		(*Party).Round2, (*Party).Round3, (*Party).Round4,
		func(p *Party, all [][]byte) ([]byte, error) { _, err := p.Finish(all); return nil, err },
	}
	errs := make([]error, len(r.parties))
	var last [][]byte
	for n, step := range steps {
		next := make([][]byte, len(r.parties))
		for i, p := range r.parties {
			seen := last
			if n > 0 {
				seen = tamper(n, i+1, append([][]byte(nil), last...))
			}
			if m, err := step(p, seen); err != nil {
				errs[i] = errors.Join(errs[i], err)
			} else {
				next[i] = m
			}
		}
		last = next
	}
	return errs
}

// other gives a second, equally well-formed reveal of holder 2: other
// polynomials, properly proved, as an equivocator would make it.
func (r *run) other(t *testing.T) *Party {
	t.Helper()
	p := r.parties[1]
	q, err := New(p.params, 2, p.sign, p.hpke, p.random)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Round1(); err != nil {
		t.Fatal(err)
	}
	return q
}

// Holder 2 shows holder 1 one run and holder 3 another, consistently in every
// round. Nobody may end with a key, and no honest holder may be named.
func TestEquivocationAborts(t *testing.T) {
	r := start(t, 2, 3)
	var second *Party
	errs := r.bySeer(func(round, to int, all [][]byte) [][]byte {
		if to != 3 || round > 3 {
			return all
		}
		if second == nil {
			second = r.other(t)
		}
		switch round {
		case 1:
			all[1] = r.resign(t, 1, digestOf(second.reveal))
		case 2:
			all[1] = r.resign(t, 2, second.reveal)
		case 3:
			var plain []byte
			for _, poly := range second.polys {
				plain = append(plain, eval(poly, 3).Bytes()...)
			}
			box, err := seal.SealTo(r.params.Holders[2].HPKEKey, second.shareInfo(2, 3), plain)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := signed.Marshal(shares{Sealed: [][]byte{{}, {}, box}})
			if err != nil {
				t.Fatal(err)
			}
			all[1] = r.resign(t, 3, raw)
		}
		return all
	})
	for _, i := range []int{0, 2} {
		var f *Fault
		if errs[i] == nil {
			t.Errorf("holder %d ends with a key", i+1)
		} else if !errors.As(errs[i], &f) || f.Index != 2 {
			t.Errorf("holder %d names %v, want holder 2", i+1, errs[i])
		}
	}
}

// A holder that shows some a message and others none is silent to those.
func TestPartialSilenceNamesTheSilent(t *testing.T) {
	for round := 1; round <= 4; round++ {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			r := start(t, 2, 3)
			errs := r.bySeer(func(at, to int, all [][]byte) [][]byte {
				if at == round && to == 3 {
					all[1] = nil
				}
				return all
			})
			var f *Fault
			if !errors.As(errs[2], &f) || f.Index != 2 {
				t.Fatalf("holder 3 says %v, want holder 2", errs[2])
			}
		})
	}
}

// The rogue-key move: the last to speak cancels the others' constant terms. It
// cannot prove possession of the difference, even when it may choose after
// seeing all reveals and nobody had to commit.
func TestRogueKeyCannotProvePossession(t *testing.T) {
	r := start(t, 2, 3)
	for _, p := range r.parties {
		if _, err := p.Round1(); err != nil {
			t.Fatal(err)
		}
	}
	target := group.BaseMul(group.ScalarFromInt(7))
	var bent reveal
	for i, p := range r.parties {
		var rev reveal
		if err := signed.Unmarshal(p.reveal, &rev); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			bent = rev
			continue
		}
		c, err := rev.Keys[0].Commitments[0].Decode()
		if err != nil {
			t.Fatal(err)
		}
		target = target.Sub(c)
	}
	bent.Keys[0].Commitments[0] = target.Encode()
	if err := r.parties[0].checkPossession(2, "email", bent.Keys[0]); err == nil {
		t.Fatal("a rogue constant term is accepted")
	}
}

// A proof of possession is its sender's, its label's and its ceremony's.
func TestPossessionDoesNotMove(t *testing.T) {
	r, elsewhere := start(t, 2, 3), start(t, 2, 3)
	if _, err := r.parties[1].Round1(); err != nil {
		t.Fatal(err)
	}
	var rev reveal
	if err := signed.Unmarshal(r.parties[1].reveal, &rev); err != nil {
		t.Fatal(err)
	}
	k := rev.Keys[0]
	if err := r.parties[0].checkPossession(2, "email", k); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another holder":   r.parties[0].checkPossession(3, "email", k),
		"another label":    r.parties[0].checkPossession(2, "payload", k),
		"another ceremony": elsewhere.parties[0].checkPossession(2, "email", k),
	} {
		if err == nil {
			t.Errorf("a proof of possession is accepted from %s", name)
		}
	}
}

// A complaint names a holder of the ceremony, or the complainer is at fault.
func TestComplaintAboutNobody(t *testing.T) {
	for _, about := range []int{-1, 2, 4, 99} {
		r := start(t, 2, 3)
		_, errs := r.play(func(round int, all [][]byte) {
			if round == 4 {
				m, err := r.parties[1].answer(ack{Complaint: about, Reason: "x"})
				if err != nil {
					t.Fatal(err)
				}
				all[1] = m
			}
		})
		var f *Fault
		if !errors.As(errs[0], &f) || f.Index != 2 {
			t.Errorf("holder 2 complains about %d: holder 1 says %v", about, errs[0])
		}
	}
}

// FuzzMessages feeds arbitrary bytes as holder 2's message of every round:
// never a panic, always an abort that names holder 2.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"body":"","key":"h2","sig":""}`), false)
	f.Add([]byte(`{"salt":"","keys":[{"commitments":[],"e":"","f":""}]}`), true)
	f.Add([]byte(`{"sealed":["","",""]}`), true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, raw []byte, sign bool) {
		for round := 2; round <= 4; round++ {
			r := start(t, 2, 3)
			_, errs := r.play(func(at int, all [][]byte) {
				if at != round {
					return
				}
				if all[1] = raw; sign {
					all[1] = r.resign(t, at, raw)
				}
			})
			var fault *Fault
			if !errors.As(errs[0], &fault) || fault.Index != 2 {
				t.Fatalf("round %d: holder 1 says %v", round, errs[0])
			}
		}
	})
}
