package pool

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
	"parallax/signed"
)

// permit is an approved act that the log holds.
func (w *world) permit(kind string, body any, by ...string) acts.Permit {
	w.t.Helper()
	w.man.Approvers = []opening.Approver{
		{ID: "officer", Entity: "authority", Role: opening.RoleAuthority, Key: keyOf("officer").Public().(ed25519.PublicKey)},
		{ID: "deputy", Entity: "authority", Role: opening.RoleAuthority, Key: keyOf("deputy").Public().(ed25519.PublicKey)},
		{ID: "overseer", Entity: "oversight", Role: opening.RoleOversight, Key: keyOf("overseer").Public().(ed25519.PublicKey)}}
	raw, err := signed.Marshal(body)
	must(w.t, err)
	now := w.clock.Now()
	act, err := signed.Marshal(opening.Act{Kind: kind, Pool: w.man.Pool, Epoch: w.man.Epoch, Manifest: w.man.Version, Proposer: "lead",
		Purpose: opening.PurposeStatistics, Body: raw, Time: now.UnixMicro(), Expires: now.Add(opening.MaxActLife).UnixMicro()})
	must(w.t, err)
	p := acts.Permit{Manifest: w.man, Raw: act, Ticket: "ticket"}
	for _, id := range by {
		o, err := signed.Sign(opening.ActApprovalDomain, id, keyOf(id), opening.ActApproval{Approver: id, Act: opening.ActDigest(act), Time: now.UnixMicro()})
		must(w.t, err)
		p.Approvals = append(p.Approvals, o)
	}
	return p
}

var fourLists = opening.CaptureAct{Class: selector.Email, Quarter: "2026-Q4", Lists: []opening.ActList{
	{Name: "a", Organisations: []string{"org-0"}}, {Name: "b", Organisations: []string{"org-1"}}, {Name: "c", Organisations: []string{"org-2", "org-3"}}}}

// TestCaptureIsBruteForce compares the histogram with the obvious count, over
// pools with referrals, other classes, other weeks, ended and excluded
// observations, and organisations that exclude each other.
func TestCaptureIsBruteForce(t *testing.T) {
	weeks := []string{"2026-W39", "2026-W40", "2026-W47", "2026-W53", "2027-W01"}
	rapid.Check(t, func(r *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) seen {
			h := opening.Header{Epoch: "2026-11", Organisation: fmt.Sprint("org-", rapid.IntRange(0, 4).Draw(r, "org")), Origin: "own",
				Role: "unknown", Source: "b", Info: "2", Week: rapid.SampledFrom(weeks).Draw(r, "week")}
			if rapid.IntRange(0, 3).Draw(r, "referred") == 0 {
				h.Origin = "referred:org-1"
			}
			switch rapid.IntRange(0, 9).Draw(r, "kind") {
			case 0:
				h.Role = opening.RolePossibleVictim
			case 1:
				h.Info = "5"
			}
			for range rapid.IntRange(1, 3).Draw(r, "tags") {
				class := rapid.SampledFrom([]selector.Class{selector.Email, selector.Email, selector.Email, selector.Phone}).Draw(r, "class")
				key := possession(class, fmt.Sprint(rapid.IntRange(0, 80).Draw(r, "value"))).Public()
				h.Tags = append(h.Tags, opening.HeaderTag{Class: class, Key: key, Expires: int64(rapid.IntRange(0, 9).Draw(r, "expires"))})
			}
			return seen{header: h, live: rapid.IntRange(0, 9).Draw(r, "live") > 0}
		}), rapid.SampledFrom([]int{0, 90}).Draw(r, "least"), 200).Draw(r, "pool")
		c, err := newCounter("2026-11", fourLists, 0)
		if err != nil {
			r.Fatal(err)
		}
		for _, x := range all {
			c.add(x)
		}
		got, err := c.result()
		own, every := bruteForce(all, true), bruteForce(all, false)
		total, lists := 0, uint32(0)
		for m, n := range own {
			total, lists = total+n, lists|m
		}
		if total < MinCapture || lists != 7 {
			if err == nil || fault.Sentence(err) != tooFew || got.Own != nil {
				r.Fatalf("%d selectors on lists %03b were counted, or their number shown: %v", total, lists, err)
			}
			return
		}
		if waited, again := bruteWeeks(all); got.Weeks != 14 || got.Waited != waited || got.Again != again {
			r.Fatalf("over %d weeks waited %d want %d, again %d want %d", got.Weeks, got.Waited, waited, got.Again, again)
		}
		if err != nil || !same(got.Own, own) || !same(got.All, every) {
			r.Fatalf("own %v want %v\nall %v want %v (%v)", got.Own, own, got.All, every, err)
		}
	})
}

// tooFew is the same whatever there is.
const tooFew = "Fewer than 30 selectors, or fewer than three lists, hold anything of this class in 2026-Q4. So little says something of single people, so nothing is counted."

// bruteWeeks asks every selector for the weeks of its own detections.
func bruteWeeks(all []seen) (waited, again int) {
	weeks := map[oprf.Tag]map[string]bool{}
	for _, x := range all {
		h := x.header
		if !x.live || h.Role == opening.RolePossibleVictim || h.Info == "5" || h.Week < "2026-W40" || h.Week > "2026-W53" || h.Origin != "own" || h.Organisation == "org-4" {
			continue
		}
		for _, t := range h.Tags {
			if t.Class == selector.Email && t.Expires > 0 {
				if weeks[t.Tag()] == nil {
					weeks[t.Tag()] = map[string]bool{}
				}
				weeks[t.Tag()][h.Week] = true
			}
		}
	}
	after := map[string]int{"2026-W40": 0, "2026-W47": 7, "2026-W53": 13}
	for _, in := range weeks {
		first := 99
		for w := range in {
			first = min(first, after[w])
		}
		waited += first
		again += len(in) - 1
	}
	return waited, again
}

// bruteForce asks for every selector and every list anew.
func bruteForce(all []seen, ownOnly bool) map[uint32]int {
	list := map[string]int{"org-0": 0, "org-1": 1, "org-2": 2, "org-3": 2}
	masks := map[oprf.Tag]uint32{}
	for _, x := range all {
		h := x.header
		at, ok := list[h.Organisation]
		if !ok || !x.live || h.Role == opening.RolePossibleVictim || h.Info == "5" || h.Week < "2026-W40" || h.Week > "2026-W53" || ownOnly && h.Origin != "own" {
			continue
		}
		for _, t := range h.Tags {
			if t.Class == selector.Email && t.Expires > 0 {
				masks[t.Tag()] |= 1 << at
			}
		}
	}
	out := map[uint32]int{}
	for _, m := range masks {
		out[m]++
	}
	return out
}

func same(cells []HistoryCell, want map[uint32]int) bool {
	for _, c := range cells {
		if want[c.Mask] != c.Count {
			return false
		}
	}
	return len(cells) == len(want)
}

// TestCaptureNeedsAnAct: without both approvals, without the log, under another
// kind, or over two epochs nothing is counted.
func TestCaptureNeedsAnAct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		for i := range MinCapture {
			for _, org := range []string{"org-0", "org-1", "org-2"}[:1+i%3] {
				w.put(org, tag{selector.Email, fmt.Sprint("x", i)})
			}
		}
		refused := func(name string, p acts.Permit) {
			t.Helper()
			if c, _, err := w.pool.Capture(ctx, p); fault.KindOf(err) != fault.Forbidden || c.Own != nil {
				t.Errorf("%s: %v, %v", name, c.Own, err)
			}
		}
		w.log.covered = true
		refused("no approval", w.permit(opening.ActCapture, fourLists))
		refused("one person", w.permit(opening.ActCapture, fourLists, "officer"))
		refused("two of one body", w.permit(opening.ActCapture, fourLists, "officer", "deputy"))
		refused("another kind", w.permit(opening.ActAudit, opening.AuditAct{}, "officer", "overseer"))
		edited := w.permit(opening.ActCapture, fourLists, "officer", "overseer")
		edited.Raw = []byte(strings.Replace(string(edited.Raw), `"proposer":"lead"`, `"proposer":"loud"`, 1))
		refused("an edit after the approvals", edited)
		good := w.permit(opening.ActCapture, fourLists, "officer", "overseer")
		w.log.covered = false
		refused("not in the log", good)
		w.log.covered = true
		c, q, err := w.pool.Capture(ctx, good)
		must(t, err)
		want := map[uint32]int{1: MinCapture / 3, 3: MinCapture / 3, 7: MinCapture / 3}
		if !same(c.Own, want) || q.Class != selector.Email || slices.Max(c.Referrals) != 0 {
			t.Errorf("counted %v of %s, want %v", c.Own, q.Class, want)
		}
		late := fourLists
		late.Quarter = "2026-Q3"
		if _, _, err := w.pool.Capture(ctx, w.permit(opening.ActCapture, late, "officer", "overseer")); fault.KindOf(err) != fault.Conflict {
			t.Errorf("an empty quarter was counted: %v", err)
		}
	})
}

// TestCaptureOverTwoEpochs: tags of two keys never meet, so nothing is counted.
func TestCaptureOverTwoEpochs(t *testing.T) {
	c, err := newCounter("2026-11", fourLists, 0)
	must(t, err)
	c.add(seen{header: opening.Header{Epoch: "2025-11", Week: "2026-W45"}})
	if _, err := c.result(); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), "two epochs") {
		t.Errorf("got %v", err)
	}
}
