package keyholder

import (
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// A halt is lifted by two governors of different bodies, and by nobody else.
func TestAHaltIsLiftedByTwoGovernors(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	resume := opening.Denial{Kind: opening.DenyResume}
	check := func(want bool, when string) {
		t.Helper()
		if h.Status().Halted != want {
			t.Fatalf("%s: halted is %t", when, !want)
		}
	}
	w.deny(opening.Denial{Kind: opening.DenyHalt}, "overseer")
	w.clock.Advance(time.Minute)
	w.deny(resume, "gov-1")
	check(true, "one governor")
	w.clock.Advance(time.Minute)
	w.deny(resume, "gov-1")
	check(true, "the same governor twice")
	must(t, h.Close())
	h = w.open(w.dirs[0])
	w.holders[0] = h
	check(true, "after a restart")

	held := w.signedDenial(resume, "gov-3") // signed now, sent after the second halt
	w.clock.Advance(time.Minute)
	w.deny(opening.Denial{Kind: opening.DenyHalt}, "gov-2")
	if _, err := h.Deny(held); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), "not dated after the halt") {
		t.Fatalf("a lift of the first halt: %v", err)
	}
	w.clock.Advance(time.Minute)
	w.deny(resume, "gov-3")
	check(true, "what lifted the first halt counts no more")
	w.deny(resume, "gov-1")
	check(false, "two governors")
}

// What is dated in the future could not be lifted, so it is not taken.
func TestADenialFromTheFutureIsRefused(t *testing.T) {
	w := newWorld(t)
	d := opening.Denial{Kind: opening.DenyHalt, Pool: "pool", Labels: []seal.Label{}, Time: w.clock.Now().Add(time.Hour).UnixMicro()}
	o, err := signed.Sign(opening.DenialDomain, "overseer", w.keys["overseer"], d)
	must(t, err)
	if _, err := w.holders[0].Deny(o); fault.KindOf(err) != fault.Conflict || w.holders[0].Status().Halted {
		t.Fatalf("a halt of next hour: %v", err)
	}
}
