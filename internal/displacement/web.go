package displacement

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

// A Reader is who looks: an id to sign notes with, and roles that decide what is
// hidden until it acts.
type Reader struct {
	ID    string
	Roles []string
}

// Pages are what a programme lead, the authority, the oversight body and an
// auditor see of displacement.
type Pages struct {
	s        *Service
	acts     *acts.Service
	kit      *web.Kit
	manifest func() (opening.Manifest, bool)
	who      func(r *http.Request) Reader
	propose  func(ctx context.Context) bool
	cite     func(ctx context.Context) string
}

// NewPages returns the pages on a kit.
func NewPages(s *Service, a *acts.Service, kit *web.Kit, manifest func() (opening.Manifest, bool), who func(r *http.Request) Reader,
	propose func(ctx context.Context) bool, cite func(ctx context.Context) string) *Pages {
	return &Pages{s, a, kit, manifest, who, propose, cite}
}

const asked = "Where did it go after we acted?"

// Overview answers: where did it go after we acted?
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.s.List(ctx, p.who(r).Roles)
	if err != nil {
		return err
	}
	open, err := p.acts.List(ctx, 50)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(a acts.Act) bool { return p.secret(a, p.who(r).Roles) })
	m, _ := p.manifest()
	may := p.propose(ctx)
	var data []any
	if n := alerts(list); n != nil {
		data = append(data, *n)
	}
	data = append(data, web.Text("What is followed is identifiers, by the week, as counts of ten or more. One that is not seen again may stand for somebody who stopped, who took a new one, or whom nobody notices any more: that is called same-selector dark time."),
		interventionTable(list, may))
	if may {
		data = append(data, web.Actions{{Label: "Register an intervention", Href: "/displacement/register", Primary: true}})
	}
	data = append(data, acts.Table(open, m, opening.ActIntervention))
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, web.View{Title: "Displacement", Question: asked, Data: data})
}

// secret reports a registration that a reader of these roles may not know of
// yet.
func (p *Pages) secret(a acts.Act, roles []string) bool {
	i := Intervention{}
	return a.Kind != opening.ActIntervention || signed.Unmarshal(a.Body, &i.InterventionAct) != nil || i.hidden(roles, p.s.clock.Now())
}

// alerts tells of neighbours that moved, without a count or a case.
func alerts(list []Intervention) *web.Notice {
	n := web.Notice{Tone: web.Wait, Title: "A neighbouring venue has moved"}
	for _, i := range list {
		for _, a := range i.Alerts {
			if len(i.Evaluations) > 0 {
				continue // by then there are figures
			}
			n.Links = append(n.Links, web.Link{Label: fmt.Sprintf("%s, since the intervention at %s", a.Venue, i.Venue), Href: "/displacement/" + i.ID})
		}
	}
	if n.Links == nil {
		return nil
	}
	n.Text = "In the first fortnight more identifiers are seen there than the controls lead to expect. Nothing is known of who they are. The first evaluation is made two whole weeks after the act."
	return &n
}

func interventionTable(list []Intervention, may bool) web.Table {
	t := web.Table{ID: "interventions", Caption: "Interventions", Columns: web.Cols("Venue", "Acts on", "Registered", "After 2 weeks", "After 6 weeks", "After 13 weeks"),
		Empty: web.Empty{What: "Interventions appear here, with what was measured after them.",
			When: "One is registered before it acts: venue, day, neighbours, controls and window are fixed then, so that nobody can choose them by the result.",
			Good: "Nothing has been taken down, or nothing that this pool was told of."}}
	if may {
		t.Empty.Action = &web.Link{Label: "Register an intervention", Href: "/displacement/register"}
	}
	for _, i := range list {
		row := web.Row{Cells: []web.Cell{{Text: i.Venue, Href: "/displacement/" + i.ID, Badges: i.badges()}, {Time: i.Begins(), Day: true}, web.At(i.Registered)}}
		for _, weeks := range Horizons {
			row.Cells = append(row.Cells, i.cell(weeks))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (i Intervention) badges() (out []web.Badge) {
	if i.Retrospective {
		out = append(out, web.Badge{Tone: web.Wait, Text: "Registered afterwards"})
	}
	if len(i.Alerts) > 0 {
		out = append(out, web.Badge{Tone: web.Wait, Text: "Neighbour moved"})
	}
	return out
}

// cell is the result at a horizon in a few words, always with its interval.
func (i Intervention) cell(weeks int) web.Cell {
	n := slices.IndexFunc(i.Evaluations, func(e Evaluation) bool { return e.Weeks == weeks })
	if n < 0 {
		return web.Cell{Text: "Due", Note: web.Day(i.due(weeks))}
	}
	if e := i.Evaluations[n]; e.Ratio != nil {
		return web.Cell{Text: "Ratio " + e.Ratio.words(), Note: "95 % interval"}
	}
	return web.Cell{Text: "Cannot tell"}
}

func (x Interval) words() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", x.Mid, x.Low, x.High) }

// Show answers it for one intervention.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request) error {
	i, err := p.s.Get(r.Context(), r.PathValue("id"), p.who(r).Roles)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, i, noteForm(i, "", "", ""))
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, i Intervention, form web.Form) error {
	return p.kit.Render(w, r, status, web.Blocks, web.View{Title: "Intervention at " + i.Venue, Question: asked, Problems: form.Problems(),
		Crumbs: []web.Link{{Label: "Displacement", Href: "/displacement"}}, Data: p.blocks(r.Context(), i, form)})
}

func noteForm(i Intervention, day, text, problem string) web.Form {
	return web.Form{ID: "note", Label: "Note something beside the series", Action: "/displacement/" + i.ID + "/notes", Submit: "Add the note",
		Note: "A note is in the log and cannot be changed. No names, no identifiers, nothing of a case.", Fields: []web.Field{
			{Kind: web.FieldDate, Name: "day", Label: "Day", Value: day, Error: problem},
			{Name: "text", Label: "Note", Value: text, MaxLength: maxNote, Help: "Such as: one member's coverage ended."}}}
}

// Annotate takes a note.
func (p *Pages) Annotate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	who, id := p.who(r), r.PathValue("id")
	day, text := strings.TrimSpace(r.PostForm.Get("day")), strings.TrimSpace(r.PostForm.Get("text"))
	err := p.s.Annotate(r.Context(), id, day, text, who.ID, who.Roles)
	if fault.KindOf(err) == fault.Invalid {
		i, gone := p.s.Get(r.Context(), id, who.Roles)
		if gone != nil {
			return gone
		}
		return p.show(w, r, http.StatusUnprocessableEntity, i, noteForm(i, day, text, fault.Sentence(err)))
	}
	if err != nil {
		return web.NotDone(err, "The note was not added.")
	}
	return web.Redirect(w, r, "/displacement/"+id+"#notes")
}

// CSV is one table of one evaluation: flows, series or dark-time.
func (p *Pages) CSV(w http.ResponseWriter, r *http.Request) error {
	i, err := p.s.Get(r.Context(), r.PathValue("id"), p.who(r).Roles)
	if err != nil {
		return err
	}
	weeks, err := strconv.Atoi(r.PathValue("weeks"))
	n := slices.IndexFunc(i.Evaluations, func(e Evaluation) bool { return e.Weeks == weeks })
	what, isCSV := strings.CutSuffix(r.PathValue("file"), ".csv")
	if err != nil || n < 0 || !isCSV {
		return fault.New(fault.NotFound, "There is no such table.")
	}
	e := i.Evaluations[n]
	rows, ok := map[string]func() [][]string{"flows": e.flowRows, "series": e.seriesRows, "dark-time": e.darkRows, "result": e.resultRows}[what]
	if !ok {
		return fault.New(fault.NotFound, "There is no such table.")
	}
	table := rows()
	cite := p.cite(r.Context())
	for at := range table {
		extra := []string{i.ID, fmt.Sprint(i.Retrospective), cite}
		if at == 0 {
			extra = []string{"intervention", "retrospective", "citation"}
		}
		table[at] = append(table[at], extra...)
	}
	return web.CSV(w, fmt.Sprintf("displacement-%s-%d-weeks-%s.csv", i.Venue, e.Weeks, what), table)
}

func (e Evaluation) resultRows() [][]string {
	out := [][]string{{"weeks", "verdict", "reason", "measure", "low", "estimate", "high"}}
	for _, x := range e.measures() {
		row := []string{fmt.Sprint(e.Weeks), e.Verdict, e.Reason, x.name, "", "", ""}
		if x.Interval != nil {
			row = append(row[:4], fmt.Sprint(x.Low), fmt.Sprint(x.Mid), fmt.Sprint(x.High))
		}
		out = append(out, row)
	}
	return out
}

func (e Evaluation) flowRows() [][]string {
	out := [][]string{{"from", "to", "selectors"}}
	for _, row := range e.Matrix {
		for n, to := range e.Places {
			out = append(out, []string{row.From, to, row.To[n].String()})
		}
	}
	return out
}

func (e Evaluation) seriesRows() [][]string {
	out := [][]string{{"venue", "week", "after", "selectors"}}
	for _, v := range e.Series {
		for n, c := range v.Weeks {
			out = append(out, []string{v.Venue, e.Labels[n], fmt.Sprint(n >= e.Before), c.String()})
		}
	}
	return out
}

func (e Evaluation) darkRows() [][]string {
	out := [][]string{{"group", "weeks", "low", "share_out_of_sight", "high"}}
	for _, c := range e.Dark {
		for _, x := range c.Points {
			out = append(out, []string{c.Group, fmt.Sprint(x.Week), fmt.Sprint(x.Low), fmt.Sprint(x.Mid), fmt.Sprint(x.High)})
		}
	}
	return out
}
