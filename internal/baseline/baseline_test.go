package baseline

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strings"
	"testing"
	"time"

	"parallax/estimate"
	"parallax/internal/acts"
	"parallax/internal/acts/actstest"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

var must = actstest.Must

// view answers a capture as the pool does: under a verified act only.
type view struct {
	log   *actstest.Log
	cells []pool.HistoryCell
	asked int
	// Totals over the weeks.
	waited, again int
}

func (v *view) Capture(ctx context.Context, p acts.Permit) (pool.Capture, opening.CaptureAct, error) {
	var q opening.CaptureAct
	if _, err := acts.Verify(ctx, v.log, p, opening.ActCapture, &q); err != nil {
		return pool.Capture{}, q, err
	}
	v.asked++
	return pool.Capture{Own: v.cells, All: v.cells, Referrals: make([]int, len(q.Lists)), Excluded: 3, Outside: 42, Weeks: 13, Waited: v.waited, Again: v.again}, q, nil
}

// Counts are a national total of which every sector but one is withheld.
func (v *view) Counts(ctx context.Context, p acts.Permit) (pool.Counts, opening.CountsAct, error) {
	var q opening.CountsAct
	_, err := acts.Verify(ctx, v.log, p, opening.ActCounts, &q)
	return pool.Counts{National: []pool.CountCell{{Name: "all", From: []int{300, 400, 500}}}, Sector: []pool.CountCell{{Name: "bank", From: []int{300, 400, 500}},
		{Name: "platform", From: []int{900, 50}}, {Name: "hotline", From: []int{10, 990, 20}}}, Kind: []pool.CountCell{{Name: "report"}}}, q, err
}

type world struct {
	*actstest.World
	s    *Service
	view *view
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: actstest.New(t, db, selector.Email, selector.Phone)}
	for i := range 4 {
		w.Man.Members = append(w.Man.Members, opening.Member{ID: fmt.Sprint("org-", i)})
	}
	w.view = &view{log: w.Log}
	var err error
	w.s, err = New(t.Context(), db, w.view, w.Log, func(domain string, v any) (signed.Object, error) {
		return signed.Sign(domain, "hub", actstest.KeyOf("hub"), v)
	}, w.Acts, w.Clock)
	must(t, err)
	return w
}

// act proposes, approves by both, lets the log cover it and gives it effect.
func (w *world) act(kind string, body any) acts.Act {
	w.T.Helper()
	a := w.Approved(kind, body)
	asked := w.view.asked
	w.Log.Covered = false
	must(w.T, w.Acts.Advance(w.T.Context(), w.Man))
	if w.view.asked != asked {
		w.T.Fatal("the pool was asked before the act was in the witnessed log")
	}
	w.Log.Covered = true
	must(w.T, w.Acts.Advance(w.T.Context(), w.Man))
	a, err := w.Acts.Get(w.T.Context(), a.ID)
	must(w.T, err)
	return a
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
		w.Refused(opening.ActCapture, question(selector.Email, "2026-Q4"), "when it is over")
		w.Refused(opening.ActCapture, question(selector.Wallet, "2026-Q3"), "takes no identifiers")
		two := question(selector.Email, "2026-Q3")
		two.Lists = two.Lists[:2]
		w.Refused(opening.ActCapture, two, "3 to 16 lists")
		w.view.cells = independent(3000, 0.3, 0.25, 0.35, 0.2)
		if a := w.act(opening.ActCapture, question(selector.Email, "2026-Q2")); a.State != acts.Done {
			t.Fatalf("the capture is %s: %s", a.State, a.Reason)
		}
		w.Refused(opening.ActCapture, question(selector.Email, "2026-Q2"), "counted once")
		runs, err := w.s.Runs(t.Context())
		must(t, err)
		r := runs[0]
		if r.Verdict != estimate.RangeOnly || len(r.Range) != 2 || r.Range[0] > 3000 || r.Range[1] < 3000 || !strings.HasPrefix(r.Headline, "Between ") {
			t.Fatalf("without an audit: %s, %v, %q", r.Verdict, r.Range, r.Headline)
		}
		w.Refused(opening.ActAudit, opening.AuditAct{Class: selector.Email, Date: "2026-11-01", Pairs: 100, Linked: 70, LowPercent: 80, By: "clerks"}, "above the share")
		w.act(opening.ActAudit, opening.AuditAct{Class: selector.Email, Date: "2026-11-01", Pairs: 100, Linked: 92, LowPercent: 85, By: "clerks"})
		w.Refused(opening.ActRelease, opening.ReleaseAct{Run: r.ID, Input: r.Input, Headline: "Exactly 3,000."}, "does not repeat")
		release := opening.ReleaseAct{Run: r.ID, Input: r.Input, Headline: r.Headline}
		if a := w.act(opening.ActRelease, release); a.State != acts.Done {
			t.Fatalf("the release is %s: %s", a.State, a.Reason)
		}
		w.Refused(opening.ActRelease, release, "never changed or repeated")
		list, err := w.s.Releases(t.Context())
		must(t, err)
		var s Statement
		must(t, list[0].Object.Open(ReleaseDomain, actstest.KeyOf("hub").Public().(ed25519.PublicKey), &s))
		if s.Headline != r.Headline || len(s.Failed) != 1 || s.Failed[0].Name != "linkage_audit" || list[0].Ticket == "" || !strings.Contains(strings.Join(s.Caveats, " "), "ossibly a lower bound") {
			t.Errorf("released %+v", s)
		}
		// Another quarter of the class within a year would show who came between.
		w.view.cells = []pool.HistoryCell{{Mask: 1, Count: 400}, {Mask: 2, Count: 120}, {Mask: 4, Count: 47}, {Mask: 3, Count: 4}, {Mask: 7, Count: 1}}
		w.act(opening.ActCapture, question(selector.Email, "2026-Q3"))
		runs, err = w.s.Runs(t.Context())
		must(t, err)
		if few := runs[0]; few.Quarter != "2026-Q3" || few.Verdict != estimate.Refuse || few.Headline != "No defensible estimate: at least 400." || few.Dropped[0] != "list-3" {
			t.Errorf("few repeats: %s, %q, dropped %v", few.Verdict, few.Headline, few.Dropped)
		}
		w.Refused(opening.ActRelease, opening.ReleaseAct{Run: runs[0].ID, Input: runs[0].Input, Headline: runs[0].Headline}, "waits a year")
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

// missed splits records as missed links do: who does not carry what links stands
// alone on each list.
func missed(cells []pool.HistoryCell, carry float64) (out []pool.HistoryCell) {
	seen := map[uint32]float64{}
	for _, c := range cells {
		for carriers := c.Mask; ; carriers = (carriers - 1) & c.Mask {
			n := float64(c.Count) * math.Pow(carry, float64(bits.OnesCount32(carriers))) * math.Pow(1-carry, float64(bits.OnesCount32(c.Mask&^carriers)))
			seen[carriers] += n
			for j := range 32 {
				if (c.Mask&^carriers)>>j&1 == 1 {
					seen[1<<j] += n
				}
			}
			if carriers == 0 {
				break
			}
		}
	}
	delete(seen, 0)
	for m, n := range seen {
		out = append(out, pool.HistoryCell{Mask: m, Count: int(math.Round(n))})
	}
	return out
}

// TestTheAuditCorrects: of true pairs 81 % are linked, so a record carries what
// links it with 90 %. Taken as perfect the lists make 3,000 look like a fifth
// more; with the audit the range holds them, and the page says what it was
// without. Accounts that are closed once noticed show in the weeks.
func TestTheAuditCorrects(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.view.cells = missed(independent(3000, 0.3, 0.25, 0.35, 0.2), 0.9)
	w.view.waited, w.view.again = 6000, 100
	w.act(opening.ActCapture, question(selector.Email, "2026-Q3"))
	w.act(opening.ActAudit, opening.AuditAct{Class: selector.Phone, Date: "2026-11-01", Pairs: 1000, Linked: 810, LowPercent: 78, By: "clerks"})
	w.act(opening.ActCapture, question(selector.Phone, "2026-Q3"))
	runs, err := w.s.Runs(t.Context())
	must(t, err)
	by := map[string]Run{}
	for _, r := range runs {
		by[r.Class] = r
	}
	plain, corrected := by[string(selector.Email)], by[string(selector.Phone)]
	if plain.Range[0] < 3400 || plain.Perfect != nil {
		t.Errorf("without an audit: %v, %v", plain.Range, plain.Perfect)
	}
	if r := corrected; r.Verdict != estimate.Publish || r.Range[0] > 3000 || r.Range[1] < 3000 || r.Range[1] > 3300 || r.Audit.Carry != 90 || *r.Perfect[0].Estimate < 3400 || r.Seen >= plain.Seen {
		t.Errorf("with an audit: %s %v, %+v, beside %v, seen %d", r.Verdict, r.Range, r.Audit, r.Perfect, r.Seen)
	}
	for _, row := range corrected.Panel {
		if row.Name == "stepwise" && (row.Low == nil || *row.Low > 3000 || *row.High < 3000 || !strings.Contains(row.Notes, "draws the carry anew")) {
			t.Errorf("%+v", row)
		}
	}
	// More lists than can be corrected are estimated all the same.
	var o estimate.Options
	many := Run{Audit: &AuditShown{}}
	if correct(&o, &many, opening.AuditAct{Pairs: 100, Linked: 90}, 9); o.Carry != nil || many.Audit.Carry != 0 {
		t.Errorf("nine lists: %v, %+v", o.Carry, many.Audit)
	}
	if !strings.Contains(plain.Trap, "closed once noticed") {
		t.Errorf("trap response %q", plain.Trap)
	}
}

// TestNoisedCountsAreDrawnOnce: signed, logged, within the budget, withheld where
// few feed a cell, and never drawn again.
func TestNoisedCountsAreDrawnOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q4"}, "not over")
		for _, q := range []opening.Quarter{"2026-Q2", "2026-Q3"} {
			if a := w.act(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: q}); a.State != acts.Done {
				t.Fatalf("%s: %s, %s", q, a.State, a.Reason)
			}
		}
		w.Refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q3"}, "released for this quarter already")
		w.Refused(opening.ActCounts, opening.CountsAct{Class: selector.Phone, Quarter: "2026-Q3"}, "3 tables a quarter")
		w.Refused(opening.ActCounts, opening.CountsAct{Class: selector.Email, Quarter: "2026-Q1"}, "is closed")
		list, err := w.s.Noised(t.Context())
		must(t, err)
		var s CountsStatement
		must(t, list[0].Object.Open(CountsDomain, actstest.KeyOf("hub").Public().(ed25519.PublicKey), &s))
		var shown int
		if _, err := fmt.Sscan(s.Tables[0].Cells[0].Shown, &shown); err != nil || shown < 1000 || shown > 1400 || shown%5 != 0 || s.Tables[0].HalfWidth != 6 {
			t.Errorf("national %+v", s.Tables[0])
		}
		sector := s.Tables[1].Cells
		if !strings.Contains(sector[1].Shown, "fewer than 3 organisations") || !strings.Contains(sector[2].Shown, "more than 80 %") || strings.Contains(sector[0].Shown, "withheld") {
			t.Errorf("sectors %+v", sector)
		}
		if len(list) != 2 || s.Ledger == list[1].Statement.Ledger || !strings.HasPrefix(s.Spent, "1 of 1 in the quarter, 2 of 4") || w.Log.Kinds[len(w.Log.Kinds)-1] != "counts" {
			t.Errorf("%d releases, spent %q, log %v", len(list), s.Spent, w.Log.Kinds)
		}
	})
}
