package baseline

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parallax/estimate"
	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/selector"
)

// Pages are what a programme lead, the authority, the oversight body and an
// auditor see of baselines.
type Pages struct {
	s        *Service
	acts     *acts.Service
	kit      *web.Kit
	manifest func() (opening.Manifest, bool)
	who      func(r *http.Request) string
	propose  func(ctx context.Context) bool // may this reader propose?
	cite     func(ctx context.Context) string
}

// NewPages returns the pages on a kit.
func NewPages(s *Service, a *acts.Service, kit *web.Kit, manifest func() (opening.Manifest, bool), who func(r *http.Request) string,
	propose func(ctx context.Context) bool, cite func(ctx context.Context) string) *Pages {
	return &Pages{s, a, kit, manifest, who, propose, cite}
}

const asked = "How much is there, and how sure are we?"

// policy is the manifest in force.
func (p *Pages) policy() (opening.Manifest, error) {
	m, ok := p.manifest()
	if !ok {
		return m, fault.New(fault.Unavailable, "No policy is in force yet, so there is nothing to count.")
	}
	return m, nil
}

// Overview answers: how much is there, how sure are we?
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	runs, err := p.s.Runs(ctx)
	if err != nil {
		return err
	}
	releases, err := p.s.Releases(ctx)
	if err != nil {
		return err
	}
	audits, err := p.s.Audits(ctx)
	if err != nil {
		return err
	}
	noised, err := p.s.Noised(ctx)
	if err != nil {
		return err
	}
	list, err := p.acts.List(ctx, 50)
	if err != nil {
		return err
	}
	published, err := PublishedCounts()
	if err != nil {
		return err
	}
	m, _ := p.manifest()
	var data []any
	if len(runs) > 0 {
		data = append(data, p.newest(ctx, runs[0])...)
	}
	data = append(data, runTable(runs, p.propose(ctx)))
	if p.propose(ctx) {
		data = append(data, web.Actions{{Label: "Propose a count", Href: "/baseline/propose", Primary: len(runs) == 0}})
	}
	data = append(data, acts.Table(list, m, opening.ActCapture, opening.ActAudit, opening.ActRelease, opening.ActCounts), releaseTable(releases), noisedTable(noised),
		auditTable(audits), publishedBlock(published, p.cite(ctx)))
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, web.View{Title: "Baseline", Question: asked, Data: data})
}

// newest is the newest run in short.
func (p *Pages) newest(ctx context.Context, r Run) []any {
	return []any{r.notice(), r.panel(p.cite(ctx)), web.Actions{{Label: "See all of it", Href: "/baseline/runs/" + r.ID, About: r.title(), Primary: true}}}
}

func (r Run) title() string { return selector.Class(r.Class).Label() + ", " + r.Quarter }

// notice is the verdict: a refusal to name a number is a result, not an error.
func (r Run) notice() web.Notice {
	n := web.Notice{Tone: web.Info, Title: r.Headline, Text: r.population() + " " + estimate.LowerBound + " " + estimate.BlindShort()}
	switch r.Verdict {
	case estimate.Refuse:
		n.Tone, n.Text = web.Wait, "This is the result: what the lists share does not carry an estimate. "+r.failed()+" "+r.population()
	case estimate.RangeOnly:
		n.Tone, n.Text = web.Wait, "Only the range may be shown, and no single figure. "+r.failed()+" "+r.population()+" "+estimate.LowerBound+" "+estimate.BlindShort()
	}
	return n
}

// failed says which gates did not pass.
func (r Run) failed() string {
	var parts []string
	for _, g := range r.Gates {
		if !g.Passed {
			parts = append(parts, gateWords[g.Name])
		}
	}
	if len(parts) == 0 {
		return "Every gate passed."
	}
	return "What is missing: " + strings.Join(parts, "; ") + "."
}

func runTable(runs []Run, propose bool) web.Table {
	t := web.Table{ID: "runs", Caption: "Estimates", Columns: append(web.Cols("Class and quarter", "Result", "Gates failed"), web.Column{Label: "Seen at least", Numeric: true}),
		Empty: web.Empty{What: "Estimates from the pool's overlaps appear here, refusals among them.",
			When: "Somebody proposes to count a class of identifiers in a quarter that is over, and two people of different bodies approve it. Only then does the pool count, and only how many identifiers are on which lists.",
			Good: "Nothing has been counted, so nothing about overlaps has left the pool."}}
	if propose {
		t.Empty.Action = &web.Link{Label: "Propose a count", Href: "/baseline/propose"}
	}
	for _, r := range runs {
		failed := 0
		for _, g := range r.Gates {
			if !g.Passed {
				failed++
			}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.L(r.title(), "/baseline/runs/"+r.ID), {Text: r.Headline, Badges: []web.Badge{r.badge()}},
			web.Tf("%d of %d", failed, len(r.Gates)), web.N(int64(r.Seen))}})
	}
	return t
}

func (r Run) badge() web.Badge {
	switch r.Verdict {
	case estimate.Publish:
		return web.Badge{Tone: web.Good, Text: "All gates pass"}
	case estimate.RangeOnly:
		return web.Badge{Tone: web.Wait, Text: "Range only"}
	default:
		return web.Badge{Tone: web.Wait, Text: "No defensible estimate"}
	}
}

func releaseTable(list []Release) web.Table {
	t := web.Table{ID: "releases", Caption: "Released", Columns: web.Cols("Class and quarter", "What was released", "On", "Log ticket"),
		Empty: web.Empty{What: "Signed releases appear here.", When: "Two people of different bodies sign the exact figures. A release is made once, is never changed, and the next of its class waits a year."}}
	for _, r := range list {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(selector.Class(r.Statement.Class).Label() + ", " + r.Statement.Quarter),
			{Text: r.Statement.Headline, Note: estimate.LowerBound + " " + estimate.BlindShort()}, web.At(r.Made), {Text: r.Ticket, Code: true}}})
	}
	if len(list) > 0 {
		t.Note = "Anybody can read the signed statements at /v1/baseline."
	}
	return t
}

func noisedTable(list []NoisedCounts) web.Table {
	t := web.Table{ID: "noised", Caption: "Noised counts", Columns: append(web.Cols("Class and quarter", "Table", "Cell", "Shown"), web.Column{Label: "95 % of draws within", Numeric: true}),
		Empty: web.Empty{What: "Counts of what was seen, with noise that hides any single identifier, appear here.", When: "Two people approve an act of kind counts at their desks. Each quarter is drawn once; the budget of a year is limited."}}
	for _, c := range list {
		for _, table := range c.Statement.Tables {
			for _, cell := range table.Cells {
				t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(selector.Class(c.Statement.Class).Label() + ", " + c.Statement.Quarter), {Text: table.Name, Note: "epsilon " + table.Epsilon},
					web.T(cell.Name), web.T(cell.Shown), web.Tf("± %d", table.HalfWidth)}})
			}
		}
	}
	if len(list) > 0 {
		s := list[0].Statement
		t.Note = "Unit of privacy: " + s.Unit + ". Budget spent, by basic composition: " + s.Spent + ". Ledger " + s.Ledger + "."
	}
	return t
}

func auditTable(list []opening.AuditAct) web.Table {
	t := web.Table{ID: "audits", Caption: "Checks of links", Columns: append(web.Cols("Class", "Ended on"), web.Column{Label: "True pairs", Numeric: true},
		web.Column{Label: "Linked", Numeric: true}, web.Column{Label: "Lower limit", Numeric: true}, web.Column{Label: "Made by"}),
		Empty: web.Empty{What: "Clerical checks of links appear here.", When: "A body looks at pairs that are known to be of one person and counts how many the pool had linked; two people sign the record. Without a check younger than a year only a range is shown."}}
	for _, a := range list {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(a.Class.Label()), web.T(a.Date), web.N(int64(a.Pairs)), web.N(int64(a.Linked)), web.Tf("%d %%", a.LowPercent), web.T(a.By)}})
	}
	return t
}

func publishedBlock(list []Published, cite string) web.Section {
	t := web.Table{ID: "published", Caption: "Counts that others publish", Filter: "Filter by series, year or flag",
		Columns: append(web.Cols("Series", "Period"), web.Column{Label: "Count", Numeric: true}, web.Column{Label: "Unit"}, web.Column{Label: "Change", Numeric: true},
			web.Column{Label: "What to know"}, web.Column{Label: "Source"}),
		Note: "Reports, records, addresses and people are different things and are never added up. Rising reports are better reporting and possibly more harm; a count alone cannot tell. " + cite}
	for _, p := range list {
		change := web.T("")
		if p.Change != nil {
			change = web.Tf("%+.1f %%", *p.Change)
		} else if p.Break != "" {
			change = web.T("break")
		}
		var badges []web.Badge
		if len(p.Flags) > 0 {
			badges = []web.Badge{{Tone: web.Wait, Text: "Flag"}}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: p.Series, Note: p.Place}, web.T(p.Period), web.N(p.Value), {Text: p.Unit, Note: "definition " + p.Definition + ", " + p.Collection},
			change, {Text: strings.Join(p.Flags, "; "), Badges: badges}, {Text: p.Source, Note: p.Status}}})
	}
	return web.Section{Title: "What others count", Body: []any{
		web.Text("These are counts of reports and records that others made public. None of them says how much there is."), t,
		web.Actions{{Label: "Download as CSV", Href: "/baseline/published.csv"}}}}
}

// Run answers it for one run.
func (p *Pages) Run(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	run, err := p.s.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, web.View{Title: "Baseline: " + run.title(), Question: asked,
		Crumbs: []web.Link{{Label: "Baseline", Href: "/baseline"}}, Data: p.runBlocks(ctx, run)})
}

// ProposeRelease writes down the act that would publish a run.
func (p *Pages) ProposeRelease(w http.ResponseWriter, r *http.Request) error {
	m, err := p.policy()
	if err != nil {
		return err
	}
	run, err := p.s.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if _, err := p.acts.Propose(r.Context(), m, opening.ActRelease, p.who(r), opening.ReleaseAct{Run: run.ID, Input: run.Input, Headline: run.Headline}); err != nil {
		return web.NotDone(err, "Nothing was proposed.")
	}
	return web.Redirect(w, r, "/baseline#acts")
}

// RunCSV is the run's panel with intervals, verdict and citation in each row.
func (p *Pages) RunCSV(w http.ResponseWriter, r *http.Request) error {
	run, err := p.s.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	cite := p.cite(r.Context())
	rows := [][]string{{"class", "quarter", "definition", "verdict", "headline", "seen_at_least", "method", "estimate", "low", "high", "model", "notes", "input", "seed", "citation"}}
	for _, x := range run.Panel {
		rows = append(rows, []string{run.Class, run.Quarter, run.Definition, run.Verdict, run.Headline, fmt.Sprint(run.Seen), x.Name,
			number(x.Estimate), number(x.Low), number(x.High), x.Model, x.Notes, run.Input.String(), fmt.Sprint(run.Seed), cite})
	}
	return web.CSV(w, "baseline-"+run.Class+"-"+run.Quarter+".csv", rows)
}

// PublishedCSV is the table of published counts.
func (p *Pages) PublishedCSV(w http.ResponseWriter, _ *http.Request) error {
	list, err := PublishedCounts()
	if err != nil {
		return err
	}
	rows := [][]string{append(slices.Clone(publishedHead), "change_percent", "flags")}
	for _, x := range list {
		rows = append(rows, []string{x.Series, x.Place, x.Period, fmt.Sprint(x.Value), x.Unit, x.Collection, x.Definition, x.Status, x.Break,
			number(x.Claimed), x.Depends, x.Source, number(x.Change), strings.Join(x.Flags, "; ")})
	}
	return web.CSV(w, "published-counts.csv", rows)
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.4g", *v)
}
