package dkg

import (
	"bytes"
	"errors"
	"testing"

	"parallax/signed"
)

// An equivocation is two messages of one holder, for one round of one attempt,
// that say different things; nothing less.
func TestEquivocationNeedsTwoFaces(t *testing.T) {
	r := start(t, 2, 3)
	one, err := r.parties[1].Round1()
	if err != nil {
		t.Fatal(err)
	}
	two, err := r.other(t).message(1, digestOf([]byte("another")))
	if err != nil {
		t.Fatal(err)
	}
	if index, round, err := (Equivocation{r.params, one, two}).Verify(); err != nil || index != 2 || round != 1 {
		t.Fatalf("holder %d, round %d, %v", index, round, err)
	}
	later, err := r.other(t).message(2, digestOf([]byte("another")))
	if err != nil {
		t.Fatal(err)
	}
	third, err := r.parties[2].Round1()
	if err != nil {
		t.Fatal(err)
	}
	next := r.params
	next.Attempt = 2
	for name, e := range map[string]Equivocation{
		"one message twice":   {r.params, one, one},
		"of two rounds":       {r.params, one, later},
		"of two holders":      {r.params, one, third},
		"of another attempt":  {next, one, two},
		"changed on the way":  {r.params, one, bytes.Replace(two, []byte(`"body"`), []byte(`"bodi"`), 1)},
		"nothing":             {r.params, nil, nil},
		"without a ceremony":  {Params{}, one, two},
		"one and half of one": {r.params, one, two[:len(two)/2]},
	} {
		if _, _, err := e.Verify(); err == nil {
			t.Errorf("messages %s are evidence", name)
		}
	}
}

// FuzzAbort: nothing ends an attempt but what a holder signed about it.
func FuzzAbort(f *testing.F) {
	r := startAny(f, 2, 3)
	good, err := SignAbort(r.params, 1, r.parties[0].sign, &Fault{Index: 2, Reason: "silent in round 1"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	own, err := SignAbort(r.params, 3, r.parties[2].sign, errors.New("interrupted"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(own)
	f.Add([]byte(`{"body":"e30=","key":"h1","sig":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := OpenAbort(r.params, raw)
		if err != nil {
			return
		}
		if !bytes.Equal(raw, good) && !bytes.Equal(raw, own) {
			t.Fatalf("a third statement is accepted: %s", raw)
		}
		if _, err := signed.Marshal(a); err != nil {
			t.Fatal(err)
		}
	})
}
