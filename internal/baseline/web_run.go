package baseline

import (
	"context"
	"fmt"
	"math"
	"strings"

	"parallax/estimate"
	"parallax/internal/web"
	"parallax/internal/web/chart"
)

// methodWords are the panel's members in words, each with what it assumes.
var methodWords = map[string]string{"chapman": "Two lists", "chao_mth": "Lower bound (Chao)", "loglinear_main": "Independent lists",
	"stepwise": "Stepwise model", "bic": "Best model by BIC", "aic": "Best model by AIC", "dga": "Average over graphs", "lcmcr": "Latent classes"}

func methodWord(name string) string {
	if w, ok := methodWords[name]; ok {
		return w
	}
	return name
}

// runBlocks are everything that is kept of a run.
func (p *Pages) runBlocks(ctx context.Context, r Run) []any {
	cite := p.cite(ctx)
	out := []any{r.notice(), r.panel(cite), r.checks(), r.sensitivityTable(), r.overlapBlock(cite), r.listTable()}
	otherwise, perfect := []any{}, ""
	if len(r.Perfect) > 0 {
		perfect = " Links are taken as perfect here."
		otherwise = append(otherwise, rowTable("With links taken as perfect", "The panel is corrected for missed links by the check of links. Without it one person looks like several, and estimates come out higher.", r.Perfect))
	}
	out = append(out, web.Section{Title: "The same, done otherwise", Body: append(otherwise,
		rowTable("With referrals left in", "Referred records were taken out. With them in, lists seem to share more, and estimates come out lower."+perfect, r.Referred),
		rowTable("With one list left out", "An estimate that hangs on one list says as much about that list as about the population."+perfect, r.LeaveOut),
		web.Disclosure{Label: "With two lists merged", Holds: fmt.Sprintf("Holds %d figures.", len(r.Merges)), Body: []any{
			rowTable("With two lists merged", "Lists that serve the same people are one list."+perfect, r.Merges)}})})
	out = append(out, web.Section{Title: "What would make it wrong", Body: []any{r.assumptions(), web.List{Label: "What goes with every figure", Items: cells(r.caveats())}}})
	out = append(out, r.facts())
	if p.propose(ctx) {
		out = append(out, web.Actions{{Label: "Propose to release exactly this", Href: "/baseline/runs/" + r.ID + "/release", Post: true, Primary: true, About: r.title()}},
			web.Text("A proposal publishes nothing. Two people of different bodies sign the exact headline above at their desks; then the hub signs it, the log takes it, and it is never changed."))
	}
	return out
}

func cells(list []string) (out []web.Cell) {
	for _, s := range list {
		out = append(out, web.T(s))
	}
	return out
}

// panel is the figure; where no number is defensible it is there only for who
// asks what each method would have said.
func (r Run) panel(cite string) any {
	if r.Verdict != estimate.Refuse {
		return r.figure(cite)
	}
	return web.Disclosure{Label: "What each method would have said", Holds: "Holds figures that are not defensible and must not be cited.", Body: []any{r.figure(cite)}}
}

// figure is the panel of intervals: never one number.
func (r Run) figure(cite string) web.Figure {
	c := chart.Intervals{Title: "Every method's estimate, " + r.title(), Unit: "identifiers", Head: "Method", Level: "95 % interval",
		Mark: float64(r.Seen), MarkLabel: "seen, at least"}
	pairs := 0
	for _, x := range r.Panel {
		if x.Name == "chapman" { // one row for each pair: they are in the table of the CSV
			pairs++
			continue
		}
		i := chart.Interval{Label: methodWord(x.Name)}
		switch {
		case x.Estimate == nil:
			i.Refused = strings.TrimPrefix(x.Notes, "withheld: ")
		default:
			i.Mid, i.Low, i.High = *x.Estimate, or(x.Low, *x.Estimate), or(x.High, math.Inf(1))
		}
		c.Items = append(c.Items, i)
	}
	how := "Each row is one way to fill in what no list saw, with its own assumption. Where the rows disagree, no average of them is better than the range."
	if pairs > 0 {
		how += fmt.Sprintf(" %d pairs of lists alone are in the CSV only.", pairs)
	}
	return web.Figure{Chart: c, HowToRead: how, Links: []web.Link{{Label: "Download as CSV", Href: "/baseline/runs/" + r.ID + "/panel.csv"}}, Cite: cite}
}

func or(v *float64, other float64) float64 {
	if v == nil {
		return other
	}
	return *v
}

// gateNames are the gates as a reader meets them.
var gateNames = map[string]string{"untouched": "The counts are as observed", "lists": "At least three lists", "overlap": "Every list meets another", "triples": "Three lists meet somewhere", "repeats": "Enough was seen twice",
	"linkage_audit": "Links were checked within a year", "internal_consistency": "The lists' own sizes can be met", "existence": "Every model has one estimate",
	"panel": "At least two methods", "agreement": "The methods agree within a factor of three"}

func (r Run) checks() web.Section {
	c := web.Checks{Label: "Conditions for a number"}
	for _, g := range r.Gates {
		state := web.CheckFails
		if g.Passed {
			state = web.CheckHolds
		}
		name := gateNames[g.Name]
		if name == "" {
			name = g.Name
		}
		c.Items = append(c.Items, web.Check{Label: name, State: state, Note: g.Detail})
	}
	return web.Section{Title: "May a number be shown?", Body: []any{c, web.Text("The limits are a proposal for a statistics board to set. They catch what shows in the data; what does not show, they cannot catch.")}}
}

func (r Run) sensitivityTable() web.Table {
	t := web.Table{ID: "sensitivity", Caption: "If the unseen are more or fewer than the pattern says", Columns: []web.Column{{Label: "If those on no list are"}, {Label: "Lowest", Numeric: true}, {Label: "Highest", Numeric: true}},
		Empty: web.Empty{What: "What the estimates become under other assumptions appears here.", When: "At least one method gives an estimate."},
		Note:  "Nothing in the lists speaks for or against any of these rows."}
	for _, s := range r.Sensitive {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(ratioWords(s.Ratio)), web.N(int64(s.Low)), web.N(int64(s.High))}})
	}
	return t
}

func ratioWords(v float64) string {
	switch {
	case v == 1:
		return "as many as the pattern says"
	case v < 1:
		return fmt.Sprintf("%.0f %% of what the pattern says", 100*v)
	default:
		return fmt.Sprintf("%.1f times what the pattern says", v)
	}
}

// overlapBlock is the overlap, or why it is withheld.
func (r Run) overlapBlock(cite string) web.Section {
	if len(r.Overlap) == 0 {
		return web.Section{Title: "How the lists overlap", Body: []any{web.Empty{What: "The overlap of the lists appears here.",
			When: fmt.Sprintf("Every combination of lists holds at least %d identifiers. Here one or more hold fewer, so the whole table is withheld: what is left out could be worked out from the rest.", MinCell)}}}
	}
	c := chart.Overlap{Title: "On exactly which lists, " + r.title(), Unit: "identifiers"}
	for _, l := range r.Lists {
		c.Sets = append(c.Sets, l.Name)
	}
	for _, x := range r.Overlap[:min(len(r.Overlap), 20)] {
		in := make([]bool, len(r.Lists))
		for i := range in {
			in[i] = x.Lists>>i&1 == 1
		}
		c.Items = append(c.Items, chart.Combination{In: in, Count: float64(x.Count.N)})
	}
	return web.Section{Title: "How the lists overlap", Body: []any{web.Figure{Chart: c, HowToRead: "Each row is one combination of lists and how many identifiers stand on exactly these, to the nearest five.", Cite: cite}}}
}

func (r Run) listTable() web.Table {
	t := web.Table{ID: "lists", Caption: "Lists", Columns: []web.Column{{Label: "List"}, {Label: "Organisations", Numeric: true}, {Label: "Held, own detections"}, {Label: "Held only by referral"}},
		Note: "A list of several organisations is of those that can never hold the same identifier: an impossible overlap is left out, not counted as empty."}
	for _, l := range r.Lists {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(l.Name), web.N(int64(l.Organisations)), web.T(l.Held.String()), web.T(l.Referred.String())}})
	}
	if len(r.Dropped) > 0 {
		t.Note += " Could hold the class but held nothing in the quarter: " + strings.Join(r.Dropped, ", ") + "."
	}
	return t
}

func rowTable(caption, note string, list []Row) web.Table {
	t := web.Table{Caption: caption, Columns: []web.Column{{Label: "Which"}, {Label: "Estimate", Numeric: true}, {Label: "Model"}},
		Empty: web.Empty{What: "Estimates on changed tables appear here.", When: "There are at most eight lists and a model can be fitted."}, Note: note + " Points without an interval, to see what changes; never to be cited."}
	for _, x := range list {
		cell := web.T("none: " + x.Notes)
		if x.Estimate != nil {
			cell = web.N(int64(*x.Estimate))
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(methodWord(x.Name)), cell, web.T(x.Model)}})
	}
	return t
}

func (r Run) assumptions() web.Terms {
	closed := "Nobody comes or goes within the quarter. A platform that closes an account after it noticed it breaks this: later lists cannot see the account, and estimates come out too high."
	if r.Trap != "" {
		closed += " Tested over the weeks: " + r.Trap + "."
	}
	return web.Terms{
		{Name: "Closed in the window", Meaning: closed},
		{Name: "No list steers another", Meaning: "Records that another organisation referred were taken out. Tips that nobody wrote down were not."},
		{Name: "Links are right", Meaning: "The same person with another address counts twice; a shared or reused number joins two people."},
		{Name: "Nobody is out of reach of all", Meaning: "Whoever no list could ever see is in no estimate, whatever its method."},
	}
}

// correction says what an audit did to the estimates.
func (a AuditShown) correction() string {
	if a.Carry == 0 {
		return "Links are taken as perfect."
	}
	return fmt.Sprintf("Estimates are corrected for missed links: a record carries what links it with %d %%, drawn anew in every resample.", a.Carry)
}

func (r Run) facts() web.Section {
	f := web.Facts{{Label: "Definition", Value: web.T("version " + r.Definition)}, {Label: "Left out: possible victims and worthless grades", Value: web.T(r.Excluded.String())},
		{Label: "Left out: of organisations on no list", Value: web.T(r.Outside.String())}, {Label: "On two organisations that exclude each other", Value: web.T(r.Clashes.String())}}
	if r.Audit != nil {
		f = append(f, web.Fact{Label: "Check of links", Value: web.Cell{Text: fmt.Sprintf("%s, lower limit %d %%, by %s", r.Audit.Date, r.Audit.Low, r.Audit.By), Note: r.Audit.correction()}})
	} else {
		f = append(f, web.Fact{Label: "Check of links", Value: web.T("none")})
	}
	f = append(f, web.Fact{Label: "Counted", Value: web.At(r.Made)}, web.Fact{Label: "Act", Value: web.Cell{Text: r.ID, Code: true}},
		web.Fact{Label: "Input (SHA-256)", Value: web.Cell{Text: r.Input.String(), Code: true}}, web.Fact{Label: "Seed", Value: web.Cell{Text: fmt.Sprint(r.Seed), Code: true}})
	return web.Section{Title: "How it was made", Body: []any{web.Text(r.population()), f}}
}
