package displacement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/internal/pool"
	"parallax/internal/web"
	"parallax/internal/web/chart"
)

// blocks are everything that is kept of an intervention.
func (p *Pages) blocks(ctx context.Context, i Intervention, form web.Form) []any {
	cite := p.cite(ctx)
	out := i.head(p.s.clock.Now())
	for n := len(i.Evaluations) - 1; n >= 0; n-- { // the longest first
		e := i.Evaluations[n]
		body := e.blocks(i, cite)
		if n == len(i.Evaluations)-1 {
			out = append(out, web.Section{Title: e.title(), Body: body})
		} else {
			out = append(out, web.Disclosure{Label: e.title(), Holds: "Holds the earlier evaluation, as it was made then.", Body: body})
		}
	}
	out = append(out, web.Section{ID: "registered", Title: "As it was registered", Body: []any{i.facts()}}, i.notes())
	if p.propose(ctx) {
		out = append(out, form)
	}
	return out
}

func (e Evaluation) title() string { return fmt.Sprintf("After %d weeks", e.Weeks) }

// head says what is known, and what is due.
func (i Intervention) head(now time.Time) (out []any) {
	if i.Retrospective {
		out = append(out, web.Notice{Tone: web.Wait, Title: "Registered afterwards",
			Text: "Neighbours, controls and window were chosen when the outcome could already be known. Read every figure here with that in mind."})
	}
	if n := len(i.Evaluations); n > 0 {
		out = append(out, i.Evaluations[n-1].notice())
	} else {
		out = append(out, web.Empty{What: "What was measured appears here.", When: "The first evaluation is made on " + web.Day(i.due(Horizons[0])) + ", two whole weeks after the act.",
			Good: "Nothing can be adjusted to the result: what will be compared is fixed."})
	}
	if n := alerts([]Intervention{i}); n != nil {
		out = append(out, *n)
	}
	s := web.Steps{Label: "How far the evaluation is", Steps: []web.Step{{Label: "Registered, in the log", State: web.StepDone, At: i.Registered},
		{Label: "Acts", State: when(!now.Before(i.Begins())), Note: web.Day(i.Begins())}}}
	for _, weeks := range Horizons {
		s.Steps = append(s.Steps, web.Step{Label: fmt.Sprintf("Evaluated after %d weeks", weeks), State: when(i.evaluated(weeks)), Note: web.Day(i.due(weeks))})
	}
	return append(out, s)
}

func when(done bool) string {
	if done {
		return web.StepDone
	}
	return web.StepWaiting
}

// notice is the result in words: "cannot tell" is one like any other.
func (e Evaluation) notice() web.Notice {
	if e.Ratio == nil {
		return web.Notice{Tone: web.Wait, Title: "Cannot tell", Text: e.Reason}
	}
	return web.Notice{Tone: web.Info, Title: "Displacement ratio " + e.Ratio.words(),
		Text: "Of the identifiers that left the venue beyond ordinary churn, this share was seen at another covered venue; in brackets the 95 % interval. Both are less what the controls show. Identifiers are counted, not people."}
}

// widened says by how much bursts widen the interval of the weekly sightings.
func (e Evaluation) widened() string {
	if e.WDD == nil {
		return ""
	}
	return fmt.Sprintf("Weekly sightings before vary %.1f times as much as chance alone would have it (1 at least), and the interval of their change is that much wider in variance. ", max(e.Dispersion, 1))
}

type measured struct {
	name string
	*Interval
}

func (e Evaluation) measures() []measured {
	return []measured{{"Displacement ratio: excess moved of excess left", e.Ratio}, {"Excess share that left the venue", e.Left},
		{"Excess share that moved to another venue", e.Moved}, {"Change in weekly sightings at venue and neighbours, less controls", e.WDD}}
}

func (e Evaluation) blocks(i Intervention, cite string) []any {
	base := fmt.Sprintf("/displacement/%s/%d/", i.ID, e.Weeks)
	t := web.Table{Caption: "Measures, " + strings.ToLower(e.title()), Columns: []web.Column{{Label: "Measure"}, {Label: "Low", Numeric: true}, {Label: "Estimate", Numeric: true}, {Label: "High", Numeric: true}},
		Note: "The unit is an identifier, not a person: one person may have several. Identifiers are drawn anew 2,000 times for the interval of the ratio. " + e.widened() + cite}
	for _, x := range e.measures() {
		row := web.Row{Cells: []web.Cell{web.T(x.name), web.T(""), web.T("cannot tell"), web.T("")}}
		if x.Interval != nil {
			row.Cells = []web.Cell{web.T(x.name), web.Tf("%g", x.Low), web.Tf("%g", x.Mid), web.Tf("%g", x.High)}
		}
		t.Rows = append(t.Rows, row)
	}
	out := []any{}
	if e.Ratio == nil {
		out = append(out, web.Text(e.Reason))
	}
	out = append(out, t, web.Actions{{Label: "Download as CSV", Href: base + "result.csv", About: "measures"}})
	if len(e.Matrix) == 0 {
		return out
	}
	out = append(out, e.series(i, base, cite)...)
	return append(out, e.flows(base), e.dark(base, cite))
}

// series are the weekly counts, aligned to the intervention: a line for the
// venue, and all venues in a table.
func (e Evaluation) series(i Intervention, base, cite string) []any {
	var out []any
	for _, v := range e.Series {
		if v.Venue != i.Venue && !slices.Contains(i.Neighbours, v.Venue) {
			continue
		}
		c := chart.Line{Title: "Identifiers seen each week at " + v.Venue, Unit: "identifiers, to the nearest five", Head: "Week", Mark: e.Before, MarkLabel: "intervention"}
		shown := 0
		for n, count := range v.Weeks {
			c.Points = append(c.Points, chart.Point{Label: e.Labels[n], Value: float64(count.N), Missing: count.Few})
			if !count.Few {
				shown++
			}
		}
		if shown < 2 {
			out = append(out, web.Text(fmt.Sprintf("At %s fewer than %d identifiers were seen in all weeks but at most one, so there is no line to draw.", v.Venue, MinCell)))
			continue
		}
		out = append(out, web.Figure{Chart: c, HowToRead: fmt.Sprintf("A gap is a week with fewer than %d. Fewer sightings may be less activity or less detection.", MinCell),
			Links: []web.Link{{Label: "Download as CSV", Href: base + "series.csv"}}, Cite: cite})
	}
	t := web.Table{Caption: "Every covered venue, by week", Columns: web.Cols("Week")}
	for _, v := range e.Series {
		t.Columns = append(t.Columns, web.Column{Label: v.Venue, Numeric: true})
	}
	for n, week := range e.Labels {
		row := web.Row{Cells: []web.Cell{{Text: week, Note: map[bool]string{true: "after", false: "before"}[n >= e.Before]}}}
		for _, v := range e.Series {
			row.Cells = append(row.Cells, web.T(v.Weeks[n].String()))
		}
		t.Rows = append(t.Rows, row)
	}
	return append(out, web.Disclosure{Label: "Every covered venue, by week", Holds: fmt.Sprintf("Holds %d rows of counts.", len(t.Rows)), Body: []any{t,
		web.Actions{{Label: "Download as CSV", Href: base + "series.csv", About: "weekly series"}}}})
}

var placeWords = map[string]string{pool.VenueOther: "another covered venue", pool.VenueGone: "not seen again", pool.VenueNew: "not seen before"}

func placeWord(v string) string {
	if w, ok := placeWords[v]; ok {
		return w
	}
	return v
}

// flows is the matrix. There are no totals: with them a withheld cell could be
// worked out.
func (e Evaluation) flows(base string) web.Section {
	t := web.Table{ID: fmt.Sprintf("flows-%d", e.Weeks), Caption: "From where to where", Columns: web.Cols("Last seen before at")}
	for _, to := range e.Places {
		t.Columns = append(t.Columns, web.Column{Label: "then " + placeWord(to), Numeric: true})
	}
	for _, row := range e.Matrix {
		cells := []web.Cell{web.T(placeWord(row.From))}
		for _, c := range row.To {
			cells = append(cells, web.T(c.String()))
		}
		t.Rows = append(t.Rows, web.Row{Cells: cells})
	}
	t.Note = fmt.Sprintf("Each identifier stands in one cell. Counts are to the nearest five; below %d none is shown, nor are totals.", MinCell)
	return web.Section{ID: fmt.Sprintf("flow-matrix-%d", e.Weeks), Title: "Flow matrix", Sub: true, Body: []any{t, web.Actions{{Label: "Download as CSV", Href: base + "flows.csv", About: "flow matrix"}}}}
}

// dark is the same-selector dark time of venue and controls.
func (e Evaluation) dark(base, cite string) web.Section {
	body := []any{web.Text("The share of identifiers that nobody in the pool has seen again, by weeks since the act. It says nothing of whether a person stopped: one who takes a new identifier looks the same.")}
	if e.Alike != nil {
		body = append(body, web.Text(fmt.Sprintf("If the venue and the controls were out of sight alike, curves at least this far apart would come with a chance of %.3g (log-rank test; 0.001 stands for less, too).", *e.Alike)))
	}
	for _, c := range e.Dark {
		name := map[string]string{"venue": "those last seen at the venue", "controls": "those last seen at the controls"}[c.Group]
		line := chart.Line{Title: "Same-selector dark time of " + name, Unit: "share still out of sight", Head: "Weeks", Level: "95 % interval"}
		for _, x := range c.Points {
			line.Points = append(line.Points, chart.Point{Label: fmt.Sprint(x.Week), Value: x.Mid, Low: x.Low, High: x.High})
		}
		body = append(body, web.Figure{Chart: line, HowToRead: "Kaplan and Meier's estimate, to the nearest 5 %. Compare the venue with the controls: what both do is ordinary churn and detection.",
			Links: []web.Link{{Label: "Download as CSV", Href: base + "dark-time.csv"}}, Cite: cite})
	}
	body = append(body, web.Text(e.blindSpot()))
	if len(e.Dark) == 0 {
		body = append(body, web.Text(fmt.Sprintf("Fewer than %d identifiers were seen, so there is no curve.", pool.MinFlow)))
	}
	return web.Section{ID: fmt.Sprintf("dark-time-%d", e.Weeks), Title: "Same-selector dark time", Sub: true, Body: body}
}

// blindSpot says how far following one kind of identifier is known to mislead.
func (e Evaluation) blindSpot() string {
	s := e.Several
	if s == nil {
		return fmt.Sprintf("Fewer than %d people were reported at the venue under this kind of identifier and another, so nothing bounds how many of those out of sight only took a new one.", pool.MinFlow)
	}
	return fmt.Sprintf("Of %s people who were reported at the venue under this kind of identifier and another, %s were seen again under at least one of theirs, and %s of these only under another kind: they count as out of sight here and are not. How many took new identifiers altogether nobody can count.",
		s.People, s.Kept, s.OtherKind)
}

func (i Intervention) facts() web.Facts {
	see := make([]string, len(i.See))
	for n, role := range i.See {
		see[n] = viewerWords[role]
	}
	f := web.Facts{{Label: "Venue", Value: web.T(i.Venue)}, {Label: "Acts on", Value: web.Cell{Time: i.Begins(), Day: true}},
		{Label: "Neighbours", Value: web.T(strings.Join(i.Neighbours, ", "))}, {Label: "Controls", Value: web.T(strings.Join(i.Controls, ", "))},
		{Label: "Window before", Value: web.Tf("%d weeks", i.Weeks)}, {Label: "Identifiers followed", Value: web.T(i.Class.Label())},
		{Label: "Registered", Value: web.At(i.Registered)}, {Label: "Could be seen before it acted by", Value: web.T(strings.Join(see, ", "))},
		{Label: "Act", Value: web.Cell{Text: i.ID, Code: true}}}
	if i.Announced != "" {
		f = append(f, web.Fact{Label: "May have been known from", Value: web.Cell{Text: i.Announced, Note: "Weeks from then on are no baseline."}})
	}
	return f
}

func (i Intervention) notes() web.Section {
	t := web.Table{ID: "note-list", Caption: "Notes", Columns: web.Cols("Day", "Note", "By"),
		Empty: web.Empty{What: "Notes beside the series appear here.", When: "Somebody knows of a leak, a change in coverage or another event that the figures cannot show."}}
	for _, n := range i.Notes {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(n.Day), web.T(n.Text), web.T(n.By)}})
	}
	return web.Section{ID: "notes", Title: "What was noted beside it", Body: []any{t}}
}
