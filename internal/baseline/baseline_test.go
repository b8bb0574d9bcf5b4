package baseline

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"parallax/estimate"
	"parallax/internal/acts"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

type memoryLog struct {
	kinds   []string
	covered bool
}

func (l *memoryLog) Append(_ context.Context, _ *store.Tx, kind string, _ []byte) (string, [32]byte, error) {
	l.kinds = append(l.kinds, kind)
	return fmt.Sprint("ticket ", len(l.kinds)), [32]byte{}, nil
}

func (l *memoryLog) Logged(context.Context, string) (bool, error) { return l.covered, nil }

// view answers a capture as the pool does: under a verified act only.
type view struct {
	log   *memoryLog
	cells []pool.HistoryCell
	asked int
}

func (v *view) Capture(ctx context.Context, p acts.Permit) (pool.Capture, opening.CaptureAct, error) {
	var q opening.CaptureAct
	if _, err := acts.Verify(ctx, v.log, p, opening.ActCapture, &q); err != nil {
		return pool.Capture{}, q, err
	}
	v.asked++
	return pool.Capture{Own: v.cells, All: v.cells, Referrals: make([]int, len(q.Lists)), Excluded: 3, Outside: 42}, q, nil
}

// Counts are a national total of which every sector but one is withheld.
func (v *view) Counts(ctx context.Context, p acts.Permit) (pool.Counts, opening.CountsAct, error) {
	var q opening.CountsAct
	_, err := acts.Verify(ctx, v.log, p, opening.ActCounts, &q)
	return pool.Counts{National: []pool.CountCell{{Name: "all", From: []int{300, 400, 500}}}, Sector: []pool.CountCell{{Name: "bank", From: []int{300, 400, 500}},
		{Name: "platform", From: []int{900, 50}}, {Name: "hotline", From: []int{10, 990, 20}}}, Kind: []pool.CountCell{{Name: "report"}}}, q, err
}

type world struct {
	t     *testing.T
	s     *Service
	acts  *acts.Service
	log   *memoryLog
	view  *view
	clock *clock.ManualClock
	man   opening.Manifest
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, log: &memoryLog{}, clock: clock.Manual(start), man: opening.Manifest{Version: 1, Pool: "pool", Epoch: "2026-11"}}
	for id, role := range map[string]string{"officer": opening.RoleAuthority, "overseer": opening.RoleOversight} {
		w.man.Approvers = append(w.man.Approvers, opening.Approver{ID: id, Entity: "entity of " + role, Role: role, Key: keyOf(id).Public().(ed25519.PublicKey)})
	}
	for i := range 4 {
		w.man.Members = append(w.man.Members, opening.Member{ID: fmt.Sprint("org-", i)})
	}
	w.man.Classes = []opening.ClassRule{{Class: selector.Email}, {Class: selector.Phone}}
	w.view = &view{log: w.log}
	var err error
	w.acts, err = acts.New(t.Context(), db, w.log, func(v int) (opening.Manifest, bool) { return w.man, v == 1 }, w.clock, rand.Reader)
	must(t, err)
	w.s, err = New(t.Context(), db, w.view, w.log, func(domain string, v any) (signed.Object, error) { return signed.Sign(domain, "hub", keyOf("hub"), v) }, w.acts, w.clock)
	must(t, err)
	return w
}

// act proposes, approves by both, lets the log cover it and gives it effect.
func (w *world) act(kind string, body any) acts.Act {
	w.t.Helper()
	a, err := w.acts.Propose(w.t.Context(), w.man, kind, "lead", body)
	must(w.t, err)
	for _, who := range []string{"officer", "overseer"} {
		o, err := signed.Sign(opening.ActApprovalDomain, who, keyOf(who), opening.ActApproval{Approver: who, Act: a.Digest, Time: w.clock.Now().UnixMicro()})
		must(w.t, err)
		_, err = w.acts.Approve(w.t.Context(), w.man, a.ID, o)
		must(w.t, err)
	}
	asked := w.view.asked
	w.log.covered = false
	must(w.t, w.acts.Advance(w.t.Context(), w.man))
	if w.view.asked != asked {
		w.t.Fatal("the pool was asked before the act was in the witnessed log")
	}
	w.log.covered = true
	must(w.t, w.acts.Advance(w.t.Context(), w.man))
	a, err = w.acts.Get(w.t.Context(), a.ID)
	must(w.t, err)
	return a
}

func (w *world) refused(kind string, body any, part string) {
	w.t.Helper()
	if _, err := w.acts.Propose(w.t.Context(), w.man, kind, "lead", body); err == nil || !strings.Contains(fault.Sentence(err), part) {
		w.t.Errorf("%s: want a refusal that says %q, got %v", kind, part, err)
	}
}

func question(class selector.Class, quarter opening.Quarter) opening.CaptureAct {
	q := opening.CaptureAct{Class: class, Quarter: quarter}
	for i := range 4 {
		q.Lists = append(q.Lists, opening.ActList{Name: fmt.Sprint("list-", i), Organisations: []string{fmt.Sprint("org-", i)}})
	}
	return q
}

// independent are the expected counts of independent lists that reach a share
// of n people each.
func independent(n float64, share ...float64) (out []pool.HistoryCell) {
	for mask := uint32(1); mask < 1<<len(share); mask++ {
		v := n
		for i, p := range share {
			if mask>>i&1 == 1 {
				v *= p
			} else {
				v *= 1 - p
			}
		}
		out = append(out, pool.HistoryCell{Mask: mask, Count: int(math.Round(v))})
	}
	return out
}

// TestFromHistoriesToARelease: a capture under an act, the verdict without and
// with an audit, a release that two people sign, and all that is refused.
func TestFromHistoriesToARelease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.refused(opening.ActCapture, question(selector.Email, "2026-Q4"), "when it is over")
		w.refused(opening.ActCapture, question(selector.Wallet, "2026-Q3"), "takes no identifiers")
		two := question(selector.Email, "2026-Q3")
		two.Lists = two.Lists[:2]
		w.refused(opening.ActCapture, two, "3 to 16 lists")
		w.view.cells = independent(3000, 0.3, 0.25, 0.35, 0.2)
		if a := w.act(opening.ActCapture, question(selector.Email, "2026-Q2")); a.State != acts.Done {
			t.Fatalf("the capture is %s: %s", a.State, a.Reason)
		}
		w.refused(opening.ActCapture, question(selector.Email, "2026-Q2"), "counted once")
		runs, err := w.s.Runs(t.Context())
		must(t, err)
		r := runs[0]
		if r.Verdict != estimate.RangeOnly || len(r.Range) != 2 || r.Range[0] > 3000 || r.Range[1] < 3000 || !strings.HasPrefix(r.Headline, "Between ") {
			t.Fatalf("without an audit: %s, %v, %q", r.Verdict, r.Range, r.Headline)
		}
		w.refused(opening.ActAudit, opening.AuditAct{Class: selector.Email, Date: "2026-11-01", Pairs: 100, Linked: 70, LowPercent: 80, By: "clerks"}, "above the share")
		w.act(opening.ActAudit, opening.AuditAct{Class: selector.Email, Date: "2026-11-01", Pairs: 100, Linked: 92, LowPercent: 85, By: "clerks"})
		w.refused(opening.ActRelease, opening.ReleaseAct{Run: r.ID, Input: r.Input, Headline: "Exactly 3,000."}, "does not repeat")
		release := opening.ReleaseAct{Run: r.ID, Input: r.Input, Headline: r.Headline}
		if a := w.act(opening.ActRelease, release); a.State != acts.Done {
			t.Fatalf("the release is %s: %s", a.State, a.Reason)
		}
		w.refused(opening.ActRelease, release, "never changed or repeated")
		list, err := w.s.Releases(t.Context())
		must(t, err)
		var s Statement
		must(t, list[0].Object.Open(ReleaseDomain, keyOf("hub").Public().(ed25519.PublicKey), &s))
		if s.Headline != r.Headline || len(s.Failed) != 1 || s.Failed[0].Name != "linkage_audit" || list[0].Ticket == "" || !strings.Contains(strings.Join(s.Caveats, " "), "ossibly a lower bound") {
			t.Errorf("released %+v", s)
		}
		// Another quarter of the class within a year would show who came between.
		w.view.cells = []pool.HistoryCell{{Mask: 1, Count: 400}, {Mask: 2, Count: 120}, {Mask: 4, Count: 47}, {Mask: 3, Count: 4}, {Mask: 7, Count: 1}}
		w.act(opening.ActCapture, question(selector.Email, "2026-Q3"))
		runs, err = w.s.Runs(t.Context())
		must(t, err)
		if few := runs[0]; few.Quarter != "2026-Q3" || few.Verdict != estimate.Refuse || few.Headline != "No defensible estimate: at least 570." || few.Dropped[0] != "list-3" {
			t.Errorf("few repeats: %s, %q, dropped %v", few.Verdict, few.Headline, few.Dropped)
		}
		w.refused(opening.ActRelease, opening.ReleaseAct{Run: runs[0].ID, Input: runs[0].Input, Headline: runs[0].Headline}, "waits a year")
		thresholds(t, runs[0])
	})
}

// thresholds: nothing of the table below MinCell can be read off a kept run.
func thresholds(t *testing.T, r Run) {
	t.Helper()
	r.ID, r.Input, r.Seed, r.Made = "", opening.Hash{}, 0, time.Time{} // random digits
	raw, err := json.Marshal(r)
	must(t, err)
	if r.Overlap != nil || !r.Excluded.Few || r.Outside.N != 40 || strings.Contains(string(raw), "572") {
		t.Errorf("overlap %v, excluded %v, outside %v, or the exact total, are kept", r.Overlap, r.Excluded, r.Outside)
	}
	for _, row := range r.Panel {
		if row.Name == "chapman" && row.Estimate != nil {
			t.Errorf("the pair %s shares fewer than %d and is shown: %v", row.Model, MinCell, *row.Estimate)
		}
	}
	for _, g := range r.Gates {
		if (g.Name == "triples" || g.Name == "repeats") && !strings.Contains(g.Detail, "fewer than 10") {
			t.Errorf("gate %s says %q", g.Name, g.Detail)
		}
	}
}

// TestNoisedCountsAreDrawnOnce: signed, logged, within the budget, withheld where
// few feed a cell, and never drawn again.
func TestNoisedCountsAreDrawnOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q4"}, "not over")
		for _, q := range []opening.Quarter{"2026-Q2", "2026-Q3"} {
			if a := w.act(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: q}); a.State != acts.Done {
				t.Fatalf("%s: %s, %s", q, a.State, a.Reason)
			}
		}
		w.refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q3"}, "released for this quarter already")
		w.refused(opening.ActCounts, opening.CountsAct{Class: selector.Phone, Quarter: "2026-Q3"}, "3 tables a quarter")
		w.refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q1"}, "is closed")
		list, err := w.s.Noised(t.Context())
		must(t, err)
		var s CountsStatement
		must(t, list[0].Object.Open(CountsDomain, keyOf("hub").Public().(ed25519.PublicKey), &s))
		var shown int
		if _, err := fmt.Sscan(s.Tables[0].Cells[0].Shown, &shown); err != nil || shown < 1000 || shown > 1400 || shown%5 != 0 || s.Tables[0].HalfWidth != 6 {
			t.Errorf("national %+v", s.Tables[0])
		}
		sector := s.Tables[1].Cells
		if !strings.Contains(sector[1].Shown, "fewer than 3 organisations") || !strings.Contains(sector[2].Shown, "more than 80 %") || strings.Contains(sector[0].Shown, "withheld") {
			t.Errorf("sectors %+v", sector)
		}
		if len(list) != 2 || s.Ledger == list[1].Statement.Ledger || !strings.HasPrefix(s.Spent, "1 of 1 in the quarter, 2 of 4") || w.log.kinds[len(w.log.kinds)-1] != "counts" {
			t.Errorf("%d releases, spent %q, log %v", len(list), s.Spent, w.log.kinds)
		}
	})
}
