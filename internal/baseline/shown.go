package baseline

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"parallax/estimate"
	"parallax/internal/web/chart"
)

// take carries a report over, without what would tell of a handful of people:
// the text of gates that name small counts, pairs of lists that share few, and
// the exact sizes of parts.
func (r *Run) take(report estimate.Report, t estimate.Table) {
	r.Verdict, r.Warnings = report.Verdict, report.Warnings
	for _, m := range report.Panel {
		row := Row{Name: m.Method, Estimate: m.Estimate, Low: m.Low, High: m.High, Model: m.Model, Notes: m.Notes}
		if m.Method == "chapman" && !manyShared(t, m.Model) {
			row.Estimate, row.Low, row.High = nil, nil, nil
			row.Notes = fmt.Sprintf("withheld: these two lists share fewer than %d selectors", MinCell)
		}
		r.Panel = append(r.Panel, row.rounded())
	}
	for _, g := range report.Gates {
		r.Gates = append(r.Gates, Gate{g.Name, g.Passed, quiet(g, t)})
	}
	for _, v := range report.Range {
		r.Range = append(r.Range, v)
	}
	if len(r.Range) == 2 {
		r.Range[0], r.Range[1] = figures(r.Range[0], math.Floor), figures(r.Range[1], math.Ceil)
	}
	r.sensitivity(report)
	for _, v := range report.LeaveOneOut {
		r.LeaveOut = append(r.LeaveOut, Row{Name: v.Name, Estimate: v.Estimate, Model: v.Model, Notes: v.Reason}.rounded())
	}
	for _, v := range report.Merges {
		r.Merges = append(r.Merges, Row{Name: v.Name, Estimate: v.Estimate, Model: v.Model, Notes: v.Reason}.rounded())
	}
	r.Overlap = overlap(t)
	r.Headline = r.headline()
}

// rounded keeps two figures; an interval is rounded outward.
func (r Row) rounded() Row {
	round := func(v *float64, way func(float64) float64) *float64 {
		if v == nil {
			return nil
		}
		x := figures(*v, way)
		return &x
	}
	r.Estimate, r.Low, r.High = round(r.Estimate, math.Round), round(r.Low, math.Floor), round(r.High, math.Ceil)
	return r
}

// manyShared reports that the two lists of a pair's row share enough to speak
// of.
func manyShared(t estimate.Table, model string) bool {
	for i := range t.Lists {
		for j := i + 1; j < t.K(); j++ {
			if model == t.Lists[i]+"|"+t.Lists[j] {
				return t.On(1<<i|1<<j) >= MinCell
			}
		}
	}
	return false
}

// quiet is a gate's detail without a small count.
func quiet(g estimate.Gate, t estimate.Table) string {
	switch g.Name {
	case "triples":
		return fmt.Sprintf("%s selectors stand on three lists or more; at least one is needed", countOf(t.OnAtLeast(3)))
	case "repeats":
		return fmt.Sprintf("%s selectors stand on two lists or more; at least 30 are needed", countOf(t.OnAtLeast(2)))
	}
	return g.Detail
}

// sensitivity is the range of the panel at each ratio of the unseen.
func (r *Run) sensitivity(report estimate.Report) {
	if len(report.Sensitivity) == 0 {
		return
	}
	for i, first := range report.Sensitivity[0].Rows {
		s := Sensitive{first.Ratio, first.Estimate, first.Estimate}
		for _, m := range report.Sensitivity {
			s.Low, s.High = min(s.Low, m.Rows[i].Estimate), max(s.High, m.Rows[i].Estimate)
		}
		r.Sensitive = append(r.Sensitive, Sensitive{s.Ratio, figures(s.Low, math.Floor), figures(s.High, math.Ceil)})
	}
}

func (r *Run) headline() string {
	seen := chart.Number(int64(r.Seen))
	if r.Verdict == estimate.Refuse || len(r.Range) != 2 {
		return "No defensible estimate: at least " + seen + "."
	}
	return "Between " + chart.Number(int64(r.Range[0])) + " and " + chart.Number(int64(r.Range[1])) + ", possibly a lower bound; at least " + seen + " were seen."
}

// overlap is every combination of lists that is not empty. Where any is below
// MinCell the whole table is withheld: what is left out could be told from the
// rest and the total.
func overlap(t estimate.Table) []Cell {
	var out []Cell
	for _, c := range t.Cells {
		if c.Count < MinCell {
			return nil
		}
		out = append(out, Cell{c.History, countOf(c.Count)})
	}
	slices.SortStableFunc(out, func(a, b Cell) int {
		if d := bits.OnesCount32(a.Lists) - bits.OnesCount32(b.Lists); d != 0 {
			return d
		}
		return b.Count.N - a.Count.N
	})
	return out
}

// points are the estimates of two methods with links taken as perfect, beside
// which a reader sees what a correction, or taking out referrals, did.
func points(t estimate.Table) (out []Row) {
	add := func(name string, fit estimate.Fit, err error) {
		row := Row{Name: name}
		if err != nil {
			row.Notes = "withheld: " + err.Error()
		} else if v := fit.N; !math.IsInf(v, 0) && !math.IsNaN(v) {
			row.Estimate = &v
		}
		out = append(out, row.rounded())
	}
	fit, err := estimate.Main(t)
	add("loglinear_main", fit, err)
	fit, err = estimate.Stepwise(t, estimate.StepwiseP)
	add("stepwise", fit, err)
	return out
}
