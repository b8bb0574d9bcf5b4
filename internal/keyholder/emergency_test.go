package keyholder

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// glass is a manifest that allows breaking the glass: a minute instead of an
// hour, reviewed within two days.
func glass(m *opening.Manifest) {
	m.Emergency = &opening.Emergency{OpenSeconds: 60, ReleaseEvery: 60, ReviewSeconds: 48 * 3600, Limit: 2}
}

func (w *world) breakGlass(a *attempt) {
	a.request.Emergency, a.request.Reason = "child-at-risk", opening.Hash{1}
	a.request.Time = w.clock.Now().UnixMicro()
	a.request.Expires = w.clock.Now().Add(20 * time.Hour).UnixMicro()
	a.wait = 2 * time.Minute
}

// What breaking the glass does not shorten or waive, each tried against every
// holder with the hub cooperating.
func TestHoldersRefuseABrokenGlass(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(w *world, a *attempt)
		want string
	}{
		"one person":                  {func(_ *world, a *attempt) { a.approvals = []string{"officer"} }, "oversight"},
		"two people of the authority": {func(_ *world, a *attempt) { a.approvals = []string{"officer", "officer"} }, "oversight"},
		"two people of oversight":     {func(_ *world, a *attempt) { a.approvals = []string{"overseer", "overseer-2"} }, "authority"},
		"no imminent harm":            {func(_ *world, a *attempt) { a.request.Emergency = "public-interest" }, "no ground"},
		"no written reason":           {func(_ *world, a *attempt) { a.request.Reason = opening.Hash{} }, "written reason"},
		"valid for longer than a day": {func(w *world, a *attempt) { a.request.Expires = w.clock.Now().Add(25 * time.Hour).UnixMicro() }, "24 hours"},
		"too little evidence": {func(_ *world, a *attempt) {
			a.items, a.request.Labels = a.items[:2], a.request.Labels[:1]
		}, "rule is not met"},
		"an observation of a moment ago": {func(w *world, a *attempt) {
			a.items[0] = w.contribute("bank-a", "someone@mail-one.net", "payment", 2, nil)
			a.request.Labels[0] = a.items[0].label
			w.tick()
		}, "was not in the witnessed log"},
		"within its own delay": {func(_ *world, a *attempt) { a.wait = 30 * time.Second }, "release time"},
		"halted":               {func(w *world, _ *attempt) { w.deny(opening.Denial{Kind: opening.DenyHalt}, "overseer") }, "halted"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldUnder(t, glass)
			a := w.request(w.evidence(), 0, 1, 2)
			w.breakGlass(a)
			c.bend(w, a)
			w.assemble(a)
			for i, h := range w.holders {
				if _, err := h.Open(a.bundle); err == nil || !strings.Contains(fault.Sentence(err), c.want) || len(h.state.releases) > 0 {
					t.Errorf("holder %d: %v, want a refusal with %q", i+1, err, c.want)
				}
			}
		})
	}
}

// Where the glass may be broken, an opening that waited as all do breaks none.
func TestAnOrdinaryReleaseBreaksNoGlass(t *testing.T) {
	w := newWorldUnder(t, glass)
	a := w.request(w.evidence(), 0, 1, 2)
	w.assemble(a)
	h := w.holders[0]
	if _, err := h.Open(a.bundle); err != nil || len(h.state.releases) != 1 || len(h.state.broken()) != 0 {
		t.Fatalf("%v: %+v", err, h.state.broken())
	}
}

// The glass breaks sooner than the delay; afterwards it stays whole until
// somebody of the oversight body who did not approve has reviewed it.
func TestABrokenGlassIsReviewed(t *testing.T) {
	w := newWorldUnder(t, glass)
	items := w.evidence()
	open := func(reviews ...signed.Object) (opening.Hash, error) {
		a := w.request(items, 0, 1, 2)
		w.breakGlass(a)
		w.assemble(a)
		a.bundle.Reviews = reviews
		_, err := w.holders[0].Open(a.bundle)
		return opening.Digest(a.bundle.Request.Body), err
	}
	first, err := open()
	must(t, err)
	second, err := open() // a review that is not due yet keeps nothing back
	must(t, err)
	must(t, w.holders[0].Close())
	w.holders[0] = w.open(w.dirs[0])
	w.clock.Advance(49 * time.Hour)
	review := func(of opening.Hash, by string) signed.Object {
		o, err := signed.Sign(opening.ReviewDomain, by, w.keys[by], opening.Review{Pool: "pool", Request: of, Reviewer: by, Finding: opening.ReviewNot,
			Reason: opening.Hash{2}, Time: w.clock.Now().UnixMicro()})
		must(t, err)
		return o
	}
	for name, reviews := range map[string][]signed.Object{
		"none":                    nil,
		"one of two":              {review(first, "overseer-2")},
		"by who approved it":      {review(first, "overseer-2"), review(second, "overseer")},
		"by the authority":        {review(first, "overseer-2"), review(second, "officer")},
		"signed by somebody else": {review(first, "overseer-2"), func() signed.Object { o := review(second, "stranger"); o.Key = "overseer-2"; return o }()},
	} {
		if _, err := open(reviews...); err == nil || !strings.Contains(fault.Sentence(err), "overdue") {
			t.Errorf("reviews %s: %v", name, err)
		}
	}
	if _, err := open(review(first, "overseer-2"), review(second, "overseer-2")); err != nil {
		t.Errorf("all reviewed: %v", err)
	}
	a := w.request(items, 0) // the overdue review of a broken glass stops no other opening
	w.assemble(a)
	if _, err := w.holders[1].Open(a.bundle); err != nil {
		t.Error(err)
	}
}

// Reviewed or not, the glass breaks only so often within one review period at
// each holder, also after a restart; time mends that, and what was released
// before is answered as before.
func TestTheGlassBreaksOnlySoOften(t *testing.T) {
	w := newWorldUnder(t, glass)
	items := w.evidence()
	ask := func(h *Server) (*attempt, error) {
		a := w.request(items, 0, 1, 2)
		w.breakGlass(a)
		w.assemble(a)
		_, err := h.Open(a.bundle)
		return a, err
	}
	_, err := ask(w.holders[0])
	must(t, err)
	second, err := ask(w.holders[0])
	must(t, err)
	must(t, w.holders[0].Close())
	w.holders[0] = w.open(w.dirs[0])
	if _, err := ask(w.holders[0]); err == nil || !strings.Contains(fault.Sentence(err), "2 times within one review period") || fault.KindOf(err) != fault.Conflict || len(w.holders[0].state.releases) != 2 {
		t.Errorf("the third: %v", err)
	}
	w.assemble(second) // as the hub would bring it again, with the newest checkpoint
	if _, err := w.holders[0].Open(second.bundle); err != nil {
		t.Errorf("the second again: %v", err)
	}
	if _, err := ask(w.holders[1]); err != nil {
		t.Errorf("at a holder that released none: %v", err)
	}
	plain := w.request(items, 0)
	w.assemble(plain)
	if _, err := w.holders[0].Open(plain.bundle); err != nil {
		t.Errorf("one that keeps the full window: %v", err)
	}
}

// To allow breaking the glass, and to ease it, loosens: 30 days pass before a
// holder follows. To forbid it binds at once.
func TestAllowingABrokenGlassLoosens(t *testing.T) {
	w := newWorld(t)
	with := w.manifest
	glass(&with)
	sooner, later, stricter, more, faster := with, with, with, with, with
	more.Emergency = &opening.Emergency{OpenSeconds: 60, ReleaseEvery: 60, ReviewSeconds: 48 * 3600, Limit: 3}
	faster.Emergency = &opening.Emergency{OpenSeconds: 60, ReleaseEvery: 60, ReviewSeconds: 24 * 3600, Limit: 2}
	sooner.Emergency = &opening.Emergency{OpenSeconds: 30, ReleaseEvery: 60, ReviewSeconds: 48 * 3600, Limit: 2}
	later.Emergency = &opening.Emergency{OpenSeconds: 60, ReleaseEvery: 60, ReviewSeconds: 72 * 3600, Limit: 2}
	stricter.Emergency = &opening.Emergency{OpenSeconds: 120, ReleaseEvery: 60, ReviewSeconds: 24 * 3600, Limit: 1}
	for _, c := range []struct {
		name      string
		old, next opening.Manifest
		want      bool
	}{{"allow", w.manifest, with, true}, {"sooner", with, sooner, true}, {"later review", with, later, true}, {"more often", with, more, true}, {"as often in a shorter time", with, faster, true}, {"stricter", with, stricter, false}, {"forbid", with, w.manifest, false}} {
		if opening.Loosens(c.old, c.next) != c.want {
			t.Errorf("%s: loosens is %t", c.name, !c.want)
		}
	}
	for limit, ok := range map[int64]bool{-1: false, 0: false, 1: true, 20: true, 21: false} {
		e := *with.Emergency
		e.Limit = limit
		m := with
		if m.Emergency = &e; (m.Check() == nil) != ok {
			t.Errorf("a limit of %d: %v", limit, m.Check())
		}
	}
	one := with
	one.Approvers = one.Approvers[:2]
	if err := one.Check(); err == nil || !strings.Contains(err.Error(), "two oversight approvers") {
		t.Errorf("nobody could review: %v", err)
	}
}

// A release never comes before its time, however the clock jumps; what came
// once comes again.
func TestNoReleaseBeforeItsTime(t *testing.T) {
	w := newWorldUnder(t, glass)
	items := w.evidence()
	a := w.request(items, 0)
	a.wait = time.Second
	w.assemble(a)
	logged := w.clock.Now().Add(-time.Second)
	first := opening.NextRelease(w.manifest.Delays, logged.Add(time.Hour))
	released := false
	for _, jump := range []time.Duration{0, 59 * time.Minute, -2 * time.Hour, 2*time.Hour + 30*time.Second, -time.Minute, 20 * time.Minute, -10 * time.Minute, 9 * time.Minute, 2 * time.Minute, time.Hour, -30 * time.Minute} {
		w.clock.Advance(jump)
		now := w.clock.Now()
		_, err := w.holders[0].Open(a.bundle)
		if err == nil && now.Before(first) && !released {
			t.Fatalf("released at %s, before %s", now, first)
		}
		if err != nil && !now.Before(first) {
			t.Fatalf("refused at %s, after %s: %v", now, first, err)
		}
		if err != nil && !errors.Is(err, opening.ErrWait) && !now.Before(logged) {
			t.Fatalf("at %s: %v", now, err)
		}
		released = released || err == nil
	}
	if !released {
		t.Fatal("it was never released")
	}
}

// Every field of a request is in what the approvals cover: edit one and they
// approve another request.
func TestAnyEditVoidsTheApprovals(t *testing.T) {
	w := newWorldUnder(t, glass)
	items := w.evidence()
	for name, edit := range map[string]func(r *opening.Request){
		"manifest":   func(r *opening.Request) { r.Manifest++ },
		"labels":     func(r *opening.Request) { r.Labels = r.Labels[:1] },
		"purpose":    func(r *opening.Request) { r.Purpose += "s" },
		"basis":      func(r *opening.Request) { r.LegalBasis = "basis-2" },
		"recipient":  func(r *opening.Request) { r.Recipient = "hub" },
		"playbook":   func(r *opening.Request) { r.Playbook = opening.PlaybookChildPossible },
		"nonce":      func(r *opening.Request) { r.Nonce[0] ^= 1 },
		"time":       func(r *opening.Request) { r.Time++ },
		"expiry":     func(r *opening.Request) { r.Expires++ },
		"the ground": func(r *opening.Request) { r.Emergency, r.Reason = "child-at-risk", opening.Hash{1} },
		"the reason": func(r *opening.Request) { r.Reason = opening.Hash{1} },
	} {
		a := w.request(items, 0, 1)
		before, err := signed.Marshal(a.request)
		must(t, err)
		edit(&a.request)
		after, err := signed.Marshal(a.request)
		must(t, err)
		approval, err := signed.Sign(opening.ApprovalDomain, "overseer", w.keys["overseer"],
			opening.Approval{Approver: "overseer", Request: opening.Digest(before), Time: w.clock.Now().UnixMicro()})
		must(t, err)
		if _, err := opening.OpenApproval(w.manifest, approval, opening.Digest(before), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := opening.OpenApproval(w.manifest, approval, opening.Digest(after), w.clock.Now()); err == nil || !strings.Contains(err.Error(), "another request") {
			t.Errorf("%s edited: %v", name, err)
		}
	}
}
