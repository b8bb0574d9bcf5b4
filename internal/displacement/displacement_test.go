package displacement

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"parallax/internal/acts"
	"parallax/internal/acts/actstest"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
)

var (
	start = actstest.Start // a Tuesday
	must  = actstest.Must
)

// view answers as the pool does, under a verified act only, and notes the weeks
// that it was asked for.
type view struct {
	log   *actstest.Log
	make  func(i opening.InterventionAct, weeks int) pool.Flows
	few   bool
	asked []int
}

func (v *view) Flows(ctx context.Context, p acts.Permit, weeks int) (pool.Flows, opening.InterventionAct, error) {
	var i opening.InterventionAct
	if _, err := acts.Verify(ctx, v.log, p, opening.ActIntervention, &i); err != nil {
		return pool.Flows{}, i, err
	}
	v.asked = append(v.asked, weeks)
	if v.few {
		return pool.Flows{}, i, fault.New(fault.Conflict, "Fewer than 30.")
	}
	return v.make(i, weeks), i, nil
}

type world struct {
	*actstest.World
	s    *Service
	view *view
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: actstest.New(t, db, selector.Email)}
	w.view = &view{log: w.Log, make: movement}
	var err error
	w.s, err = New(t.Context(), db, w.view, w.Log, w.Acts, w.Clock, rand.Reader)
	must(t, err)
	return w
}

func (w *world) advance(d time.Duration) {
	w.T.Helper()
	w.Clock.Advance(d)
	must(w.T, w.Acts.Advance(w.T.Context(), w.Man))
	must(w.T, w.s.Evaluate(w.T.Context()))
}

func (w *world) approved(i opening.InterventionAct) acts.Act {
	w.T.Helper()
	return w.Approved(opening.ActIntervention, i)
}

func planned(date string) opening.InterventionAct {
	return opening.InterventionAct{Class: selector.Email, Venue: "v1", Date: date, Neighbours: []string{"v2", "v5"}, Controls: []string{"v3", "v4"}, Weeks: 13, See: []string{"oversight-board"}}
}

// movement is what a takedown looks like whose truth is known: of 400 at the
// venue 20 % stay in sight there, 50 % move, 30 % are gone; at the controls 70 %
// stay, 10 % move, 20 % are gone. Excess left 0.5, moved 0.4: a ratio of 0.8.
func movement(i opening.InterventionAct, weeks int) pool.Flows {
	f := pool.Flows{Before: i.Weeks, Series: map[string][]int{}, Matrix: map[string]map[string]int{
		"v1": {"v1": 80, "v2": 190, "v5": 10, "gone": 120}, "v2": {"v2": 90, "gone": 30},
		"v3": {"v3": 280, "v4": 40, "gone": 80}, "v4": {"v4": 280, "v3": 40, "gone": 80}, "new": {"v2": 60, "v3": 4}}}
	for n := range i.Weeks + weeks {
		f.Weeks = append(f.Weeks, fmt.Sprintf("week %d", n))
		for v, level := range map[string]int{"v1": 30, "v2": 20, "v3": 40, "v4": 40, "v5": 10, "other": 3} {
			if n >= i.Weeks {
				switch v {
				case "v1":
					level = 5
				case "v2":
					level = 50
				}
			}
			f.Series[v] = append(f.Series[v], level)
		}
	}
	f.Target = pool.Dark{Seen: make([]int, weeks), Unseen: 120}
	f.Controls = pool.Dark{Seen: make([]int, weeks), Unseen: 160}
	f.Target.Seen[0], f.Target.Seen[weeks-1] = 100, 180
	f.Controls.Seen[0], f.Controls.Seen[weeks-1] = 400, 240
	f.Several = pool.Several{People: 47, Kept: 31, Followed: 18}
	return f
}

// TestEvaluatedOnTheClock: registered before it acts, watched for a fortnight,
// evaluated at 2, 6 and 13 whole weeks, each once, and hidden until it acts.
func TestEvaluatedOnTheClock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.approved(planned("2026-12-02")) // a Wednesday: the weeks begin on 7 December
		w.advance(0)
		if list, err := w.s.all(t.Context()); err != nil || len(list) != 0 {
			t.Fatalf("registered before the log holds it: %v, %v", list, err)
		}
		w.Log.Covered = true
		w.advance(time.Hour)
		if _, err := w.s.Get(t.Context(), a.ID, []string{"programme-lead"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("shown before it acts to a role that may not see it: %v", err)
		}
		if i, err := w.s.Get(t.Context(), a.ID, []string{"oversight-board"}); err != nil || i.Retrospective || !i.Registered.Before(i.Begins()) {
			t.Errorf("to who may see it: %+v, %v", i, err)
		}
		made := map[int]string{}
		for w.Clock.Now().Before(start.AddDate(0, 0, 130)) {
			step := 24 * time.Hour
			if w.Clock.Now().Before(start.AddDate(0, 0, 24)) { // within the fortnight
				step = 8 * time.Hour
			}
			w.advance(step)
			i, err := w.s.Get(t.Context(), a.ID, []string{"oversight-board"})
			must(t, err)
			for _, e := range i.Evaluations {
				if made[e.Weeks] == "" {
					made[e.Weeks] = w.Clock.Now().Format("Mon 2006-01-02")
				}
			}
		}
		if want := "map[2:Mon 2026-12-21 6:Mon 2027-01-18 13:Mon 2027-03-08]"; fmt.Sprint(made) != want {
			t.Errorf("evaluated on %v, want %s", made, want)
		}
		i, err := w.s.Get(t.Context(), a.ID, nil)
		must(t, err)
		if len(i.Alerts) != 1 || i.Alerts[0].Venue != "v2" || i.Alerts[0].Made.Sub(i.Begins()) > lookEvery {
			t.Errorf("alerts %+v", i.Alerts)
		}
		looks := 0
		for _, weeks := range w.view.asked {
			if weeks == 2 {
				looks++
			}
		}
		if looks > 16 {
			t.Errorf("the pool was asked %d times in a fortnight", looks)
		}
		ratio(t, i.Evaluations[2])
	})
}

// ratio compares an evaluation with the truth that movement was made from, and
// looks for figures below the threshold.
func ratio(t *testing.T, e Evaluation) {
	t.Helper()
	if e.Verdict != Measured || e.Ratio == nil || e.Ratio.Mid != 0.8 || e.Ratio.Low > 0.75 || e.Ratio.High < 0.85 || e.Left.Mid != 0.5 || e.Moved.Mid != 0.4 {
		t.Errorf("measured %s: %+v, left %+v, moved %+v (%s)", e.Verdict, e.Ratio, e.Left, e.Moved, e.Reason)
	}
	for _, row := range e.Matrix {
		for n, c := range row.To {
			if c.Few == (c.N > 0) || c.N%5 != 0 {
				t.Errorf("from %s to %s: %+v", row.From, e.Places[n], c)
			}
		}
	}
	if len(e.Dark) != 2 || e.Dark[0].Points[13].Mid != 0.3 || e.Dark[1].Points[13].Mid != 0.2 {
		t.Errorf("dark time %+v", e.Dark)
	}
	if s := e.Several; s == nil || s.People.N != 45 || s.Kept.N != 30 || s.OtherKind.N != 15 || !strings.Contains(e.blindSpot(), "15 of these only under another kind") {
		t.Errorf("several kinds %+v: %s", s, e.blindSpot())
	}
	if s := severalOf(pool.Several{People: 47, Kept: 31, Followed: 30}); !s.OtherKind.Few || severalOf(pool.Several{People: pool.MinFlow - 1}) != nil {
		t.Errorf("few of several kinds are told: %+v", s)
	}
	if e.Alike == nil || *e.Alike > 0.05 {
		t.Errorf("the curves are said to be alike: %v", e.Alike)
	}
	raw, err := json.Marshal(e)
	if must(t, err); strings.Contains(strings.ToLower(string(raw)), "desist") {
		t.Error("dark time is called something that it does not show")
	}
}

// TestRegistrationsThatAreRefused: what is dated in the past is taken only as
// retrospective, and what became past before the log held it is not taken.
func TestRegistrationsThatAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.Log.Covered = true
	for _, c := range []struct {
		name   string
		change func(*opening.InterventionAct)
		part   string
	}{
		{"past", func(i *opening.InterventionAct) { i.Date = "2026-11-24" }, "marked as retrospective"},
		{"future, but retrospective", func(i *opening.InterventionAct) { i.Retrospective = true }, "still to come"},
		{"known already", func(i *opening.InterventionAct) { i.Announced = "2026-11-20" }, "became known"},
		{"no controls", func(i *opening.InterventionAct) { i.Controls = nil }, "fixed beforehand"},
		{"a venue twice", func(i *opening.InterventionAct) { i.Controls = []string{"v2"} }, "stands twice"},
		{"a name for a venue", func(i *opening.InterventionAct) { i.Venue = "The Venue" }, "neutral code"},
		{"nobody may see it", func(i *opening.InterventionAct) { i.See = nil }, "who may see"},
		{"a role that is none", func(i *opening.InterventionAct) { i.See = []string{"everyone"} }, "no role"},
		{"an object class", func(i *opening.InterventionAct) { i.Class = selector.URL }, "names people"},
	} {
		i := planned("2026-12-02")
		c.change(&i)
		t.Run(c.name, func(*testing.T) { w.Refused(opening.ActIntervention, i, c.part) })
	}
	late := w.approved(planned("2026-11-25"))
	w.advance(20 * time.Hour) // the day has come before the hub's next tick
	if a, err := w.Acts.Get(t.Context(), late.ID); err != nil || a.State != acts.Refused || !strings.Contains(a.Reason, "retrospective") {
		t.Errorf("registered after its day: %s, %q, %v", a.State, a.Reason, err)
	}
}

// TestRetrospectiveAndTooFew: a retrospective intervention is labelled and
// evaluated at once; where the pool counts nothing, that is the result.
func TestRetrospectiveAndTooFew(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.Log.Covered, w.view.few = true, true
	i := planned("2026-06-01")
	i.Retrospective = true
	a := w.approved(i)
	w.advance(time.Hour)
	got, err := w.s.Get(t.Context(), a.ID, nil)
	must(t, err)
	if !got.Retrospective || len(got.Evaluations) != 3 || got.Evaluations[0].Verdict != CannotTell || got.Evaluations[0].Reason != "Fewer than 30." {
		t.Errorf("got %+v", got)
	}
	must(t, w.s.Annotate(t.Context(), a.ID, "2026-05-20", "One member's coverage began.", "lead", nil))
	if err := w.s.Annotate(t.Context(), a.ID, "yesterday", "x", "lead", nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a note without a day was taken: %v", err)
	}
	got, err = w.s.Get(t.Context(), a.ID, nil)
	if must(t, err); len(got.Notes) != 1 || w.Log.Kinds[len(w.Log.Kinds)-1] != "note" {
		t.Errorf("notes %+v, log %v", got.Notes, w.Log.Kinds)
	}
}

// TestCannotTell: a ratio whose interval is too wide, and one of no excess, are
// not told.
func TestCannotTell(t *testing.T) {
	i := planned("2026-06-01")
	f := movement(i, 13)
	f.Matrix["v1"] = map[string]int{"v1": 18, "v2": 5, "gone": 17}
	if e, err := measure(t.Context(), f, i, 13, opening.Hash{1}, start); err != nil || e.Verdict != CannotTell || e.Ratio != nil || e.Reason == "" {
		t.Errorf("forty actors: %s, %v", e.Verdict, e.Ratio)
	}
	f.Matrix["v1"] = map[string]int{"v1": 280, "v2": 40, "gone": 80}
	if e, err := measure(t.Context(), f, i, 13, opening.Hash{1}, start); err != nil || e.Verdict != CannotTell || !strings.Contains(e.Reason, "no excess") {
		t.Errorf("no excess: %s, %v, %q", e.Verdict, e.Ratio, e.Reason)
	}
	// Sightings in bursts, two weeks in three without any, widen the interval of
	// their change.
	even, err := measure(t.Context(), f, i, 13, opening.Hash{1}, start)
	must(t, err)
	burst := movement(i, 13)
	for v, weeks := range burst.Series {
		for n := range weeks[:i.Weeks] {
			burst.Series[v][n] *= 3 * (n % 3 % 2)
		}
	}
	wide, err := measure(t.Context(), burst, i, 13, opening.Hash{1}, start)
	must(t, err)
	if even.Dispersion != 1 || wide.Dispersion < 5 || wide.WDD.High-wide.WDD.Low < 2*(even.WDD.High-even.WDD.Low) {
		t.Errorf("dispersion %g and %g, %+v and %+v", even.Dispersion, wide.Dispersion, even.WDD, wide.WDD)
	}
	if got := risen(f, i); len(got) != 1 || got[0] != "v2" {
		t.Errorf("risen %v", got)
	}
}
