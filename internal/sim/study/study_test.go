package study

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/estimate"
	"parallax/internal/sim"
)

// committed is the table that estimates print.
func committed(t *testing.T) (rows []estimate.BlindWorlds) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "estimate", "blind.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// The committed table is what the study finds: a few of its worlds run again
// come out the same, all of them where time does not matter.
func TestTheTableIsTheStudys(t *testing.T) {
	worlds := 2
	if os.Getenv("PARALLAX_SOAK") != "" {
		worlds = 200
	}
	rows := committed(t)
	at := 0
	for _, a := range listArms() {
		if !a.Tabled {
			continue
		}
		if at >= len(rows) || rows[at].Spread != a.Hidden.Sigma || rows[at].Seldom != a.Hidden.Seldom || len(rows[at].Outcomes) != a.Worlds {
			t.Fatalf("row %d of the table is not the arm %q with spread %g and %g seldom seen: run make study", at+1, a.Name, a.Hidden.Sigma, a.Hidden.Seldom)
		}
		got, err := a.Run(t.Context(), 1, worlds, func() {})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(rows[at].Outcomes, got.Outcomes) {
			t.Errorf("%s, spread %g, seldom %g: the worlds give %s and the table says %.*s: run make study", a.Name, a.Hidden.Sigma, a.Hidden.Seldom, got.Outcomes, worlds, rows[at].Outcomes)
		}
		at++
	}
	if at != len(rows) {
		t.Errorf("the table has %d rows and the study %d", len(rows), at)
	}
}

// The committed report shows the committed table.
func TestTheReportShowsTheTable(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "reports", "estimators.md"))
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	for _, row := range committed(t) {
		r.Lists = append(r.Lists, ListResult{Tabled: true, Spread: row.Spread, Seldom: row.Seldom, Outcomes: row.Outcomes})
	}
	var b bytes.Buffer
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(b.String(), "|---|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if len(table) < 100 || !strings.Contains(string(raw), table) {
		t.Errorf("docs/reports/estimators.md does not show this table; run make study:\n%s", table)
	}
}

// Intervals of the displacement ratio cover the truth of the arm without a
// takedown; few worlds here, a thousand in the report.
func TestTheRatioCoversInTheSimulator(t *testing.T) {
	a := moveArms()[0]
	if a.Worlds < 1000 {
		t.Fatalf("the report has %d worlds", a.Worlds)
	}
	if a.Worlds = 12; os.Getenv("PARALLAX_SOAK") != "" {
		a.Worlds = 1000
	}
	r, err := a.Run(t.Context(), moveSeed, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Intervals < a.Worlds*9/10 || r.Covered < r.Intervals*93/100 || r.Truth < 0.2 || r.Real < r.Truth+0.2 {
		t.Errorf("%+v", r)
	}
}

// A world without its takedown is the same people: whoever had no account at the
// venue fares alike in both arms.
func TestTheArmsDifferByTheTakedownOnly(t *testing.T) {
	p, d := sim.DefaultParams(7, 1500), sim.DefaultTakedown()
	p.SharedPhone = 0
	m, err := sim.NewMoves(p, d)
	if err != nil {
		t.Fatal(err)
	}
	treated, changed := 0, 0
	for _, s := range m.Sights {
		switch {
		case s.Treated:
			treated++
			if s.Fate == sim.FateStayed {
				t.Errorf("%s stayed at a venue that is closed", s.Entity)
			}
		case s.Fate != s.Null:
			changed++
		}
	}
	if treated < 30 || changed > treated {
		t.Errorf("%d treated, %d controls changed", treated, changed)
	}
	again, err := sim.NewMoves(p, d)
	if err != nil || len(again.Sights) != len(m.Sights) || again.Sights[3] != m.Sights[3] {
		t.Error("the same seed gave another world")
	}
	for _, spoil := range []func(*sim.Takedown){func(d *sim.Takedown) { d.Venue = "open-g" }, func(d *sim.Takedown) { d.Seen = 0 }, func(d *sim.Takedown) { d.After = 0 }} {
		bad := d
		spoil(&bad)
		if _, err := sim.NewMoves(p, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// Lists of a whole ecosystem hold fewer with own detections alone than with
// referred copies, and never more than there are actors.
func TestSectorHistories(t *testing.T) {
	p := sim.DefaultParams(3, 300)
	p.InnocentsPerActor, p.HazardScale, p.PlantFalse = 1, 16, false
	w, err := sim.New(p)
	if err != nil {
		t.Fatal(err)
	}
	police := func(referred bool) (n, all int) {
		for m, c := range w.SectorHistories(referred) {
			all += c
			if m&8 == 8 {
				n += c
			}
		}
		return n, all
	}
	own, _ := police(false)
	both, all := police(true)
	if own >= both || all > 300 || all < 100 {
		t.Errorf("%d own, %d with referred, %d in all", own, both, all)
	}
}
