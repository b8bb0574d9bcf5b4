package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/route"
	"parallax/internal/web"
	"parallax/internal/web/chart"
)

// A suggestion is an answer on its way to the register.
type suggestion struct {
	Case
	laws    []string
	blocked string
}

// caseOf is what the register learns of an answer that is no yes.
func caseOf(x card.Answered) suggestion {
	s := suggestion{Case: Case{Why: WhyNoRoute}, blocked: x.Asked.From}
	if x.Answer.Answer == route.AskCounsel {
		s.Why = WhyCounsel
	}
	s.laws = append(s.laws, x.Answer.AskCounsel...)
	s.laws = append(s.laws, x.Answer.Prohibitions...)
	v := x.Query.Values()
	v.Del("as_of")
	s.Origin = digestOf(v.Encode())
	return s
}

// of names the request that a case came from, so that it counts once.
func (s suggestion) of(request string) suggestion {
	s.Origin = request
	return s
}

func (s suggestion) values() url.Values {
	return url.Values{"why": {s.Why}, "origin": {s.Origin}, "days": {strconv.Itoa(s.Days)}, "laws": {strings.Join(s.laws, "; ")}, "blocked": {s.blocked}}
}

func suggested(v url.Values) suggestion {
	s := suggestion{Case: Case{Barrier: v.Get("barrier"), Why: v.Get("why"), Origin: v.Get("origin")}, blocked: v.Get("blocked"), laws: strings.Split(v.Get("laws"), ";")}
	s.Days, _ = strconv.Atoi(v.Get("days")) // a number that cannot be read is refused where it is kept
	return s
}

var barrierBadges = map[string]web.Badge{BarrierOpen: {Tone: web.Wait, Text: "Open"}, BarrierWatch: {Tone: web.Info, Text: "Watch"}, BarrierEased: {Tone: web.Good, Text: "Eased"}, BarrierClosed: {Tone: web.Plain, Text: "Closed"}}

// Barriers answers: which law or process stops us most?
func (p *Pages) Barriers(w http.ResponseWriter, r *http.Request) error {
	list, err := p.gateway.Barriers(r.Context())
	if err != nil {
		return err
	}
	t := web.Table{ID: "register", Caption: "Barrier register", Filter: "Find a barrier", Columns: []web.Column{{Label: "Barrier"}, {Label: "Cases", Numeric: true}, {Label: "Days lost", Numeric: true},
		{Label: "Who is blocked"}, {Label: "Who could unblock"}, {Label: "What depends on it"}, {Label: "State"}},
		Note:  fmt.Sprintf("Ranked by cases, then days lost. A count under %d is withheld and ranks as none. Rows marked illustrative come from public sources and need review.", Threshold),
		Empty: web.Empty{What: "Laws and processes that stop lawful work appear here.", When: "Somebody records one, or an answer that was no yes."}}
	for _, k := range list {
		t.Rows = append(t.Rows, barrierRow(k))
	}
	body := []any{web.Actions{{Label: "Record a barrier", Href: "/barriers/new", Primary: true}, {Label: "Brief for reform", Href: "/barriers/brief"}, {Label: "Table (CSV)", Href: "/barriers/register.csv"}}}
	if c, ok := barChart(list); ok {
		body = append(body, web.Figure{Chart: c, HowToRead: "Each bar is a barrier; its length is the cases that it stopped or slowed. Barriers without a count that may be given out are in the table only.",
			Links: []web.Link{{Label: "CSV", Href: "/barriers/register.csv"}}, Cite: "Barrier register of this hub, law data " + p.gateway.Law().Set.Meta.DataVersion})
	}
	body = append(body, t)
	if p.who(r).Keeper {
		body = append(body, web.Section{Title: "Bring in another register", Body: []any{web.Form{Label: "Import", Action: "/barriers/import", Submit: "Import the table", Fields: []web.Field{
			{Kind: web.FieldLong, Name: "csv", Label: "Table (CSV with its heading)", Lines: 6, MaxLength: 60000, Help: "Columns: " + strings.Join(columns, ", ") + ". Rows of a known id are replaced. All is kept or nothing."}}}}})
	}
	return p.blocks(w, r, http.StatusOK, web.View{Title: "Barriers", Question: "Which law or process stops us most?", Data: body})
}

func barrierRow(k Kept) web.Row {
	parts := []string{Systemic[k.Systemic], strings.Join(k.Laws, ", ")}
	if k.Seeded {
		parts = append(parts, "illustrative")
	}
	note := join(parts, "; ")
	state := web.Cell{Badges: []web.Badge{barrierBadges[k.State]}, Note: k.Reform}
	return web.Row{Cells: []web.Cell{{Text: k.Title, Href: "/barriers/" + url.PathEscape(k.ID), Note: note}, web.T(k.Cases().String()), web.T(k.DaysLost().String()),
		web.T(strings.Join(k.Blocked, ", ")), web.T(k.Unblock), web.T(k.Depends), state}}
}

// barChart ranks the barriers that have a count to give out.
func barChart(list []Kept) (chart.Chart, bool) {
	var bars []chart.Bar
	for _, k := range list {
		if n := k.Cases().Count; n > 0 && len(bars) < 10 {
			bars = append(bars, chart.Bar{Label: k.Title, Value: float64(n)})
		}
	}
	return chart.Bars{Title: "Cases by barrier", Items: bars, Head: "Barrier", Unit: "cases"}, len(bars) > 0
}

// RegisterCSV gives the register as a table.
func (p *Pages) RegisterCSV(w http.ResponseWriter, r *http.Request) error {
	list, err := p.gateway.Barriers(r.Context())
	if err != nil {
		return err
	}
	raw, err := CSV(list)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="barriers.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(raw) // the reader may be gone
	return nil
}

// Brief is the register as a text for reform, to be printed.
func (p *Pages) Brief(w http.ResponseWriter, r *http.Request) error {
	list, err := p.gateway.Barriers(r.Context())
	if err != nil {
		return err
	}
	body := []any{web.Text("What stops lawful work against online child sexual exploitation, as counted here on " + web.Day(p.gateway.clock.Now()) + " under law data " + p.gateway.Law().Set.Meta.DataVersion + ". Illustrative; needs review by counsel. " +
		fmt.Sprintf("Counts under %d are withheld; no detail of any case is in this brief, which is laid out to be printed.", Threshold))}
	n := 0
	for _, k := range list {
		if k.State == BarrierClosed {
			continue
		}
		n++
		facts := web.Facts{{Label: "State of reform", Value: web.Cell{Text: k.State, Note: join([]string{k.Reform, k.Changed}, ", ")}}, {Label: "Cases", Value: web.T(k.Cases().String())}, {Label: "Days lost", Value: web.T(k.DaysLost().String())},
			{Label: "Law", Value: web.T(strings.Join(k.Laws, ", "))}, {Label: "Who is blocked", Value: web.T(p.kinds(k.Blocked))}, {Label: "Who could unblock", Value: web.T(k.Unblock)},
			{Label: "What depends on it", Value: web.T(k.Depends)}, {Label: "What it does", Value: web.T(k.Detail)}, {Label: "What is left", Value: web.T(k.Remaining)}, {Label: "Source", Value: web.T(k.Source)}}
		facts = slices.DeleteFunc(facts, func(f web.Fact) bool { return f.Value.Text == "" })
		body = append(body, web.Section{Title: fmt.Sprintf("%d. %s", n, k.Title), Body: []any{facts}})
	}
	return p.blocks(w, r, http.StatusOK, web.View{Title: "Brief for reform", Question: "Which laws and processes should change first?", Crumbs: []web.Link{{Label: "Barriers", Href: "/barriers"}}, Data: body})
}

// kinds are kinds of organisation in words.
func (p *Pages) kinds(codes []string) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = p.gateway.Law().Finder.Label(c)
	}
	return strings.Join(out, "; ")
}

// barrierForm asks for a barrier.
func (p *Pages) barrierForm(b Barrier, edit int, action string, more []web.Hidden) web.Form {
	systemic := []web.Option{}
	for i, name := range Systemic[1:] {
		systemic = append(systemic, web.Option{Value: strconv.Itoa(i + 1), Label: fmt.Sprintf("%d: %s", i+1, name)})
	}
	states := []web.Option{}
	for _, s := range BarrierStates() {
		states = append(states, web.Option{Value: s, Label: barrierBadges[s].Text})
	}
	f := web.Form{ID: "barrier", Label: "Barrier", Action: action, Submit: "Keep it", Cancel: "/barriers", Hidden: more,
		Note: "No detail of a case belongs here. It is written to the log under your name; an edit can be undone.", Fields: []web.Field{
			{Name: "title", Label: "What stops whom?", Value: b.Title, MaxLength: 200},
			{Kind: web.FieldChoice, Name: "systemic", Label: "Systemic barrier", Value: strconv.Itoa(max(b.Systemic, 1)), Options: systemic},
			{Name: "laws", Label: "Law", Value: strings.Join(b.Laws, "; "), Optional: true, MaxLength: 500, Help: "Ids of rows of the law data, or citations, with semicolons."},
			{Name: "blocked", Label: "Who is blocked?", Value: strings.Join(b.Blocked, "; "), Optional: true, MaxLength: 300, Help: "Kinds of organisation, as au.fsp; au.service."},
			{Name: "unblock", Label: "Who could unblock?", Value: b.Unblock, Optional: true, MaxLength: 300},
			{Name: "depends", Label: "What depends on it?", Value: b.Depends, Optional: true, MaxLength: 300},
			{Kind: web.FieldChoice, Name: "state", Label: "State of reform", Value: either(b.State, BarrierOpen), Options: states},
			{Name: "reform", Label: "Reform that it is attached to", Value: b.Reform, Optional: true, MaxLength: 300, Help: "A bill, a recommendation, a review."},
			{Kind: web.FieldDate, Name: "changed", Label: "When the law last changed", Value: b.Changed, Optional: true},
			{Kind: web.FieldLong, Name: "detail", Label: "What it does", Value: b.Detail, Optional: true, MaxLength: 1000},
			{Kind: web.FieldLong, Name: "remaining", Label: "What is left, where it eased", Value: b.Remaining, Optional: true, MaxLength: 1000, Lines: 2},
			{Name: "source", Label: "Source", Value: b.Source, Optional: true, MaxLength: 300}}}
	if edit > 0 {
		f.Hidden = append(f.Hidden, web.Hidden{Name: "edit", Value: strconv.Itoa(edit)})
	}
	return f
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func barrierOf(v url.Values) Barrier {
	b := Barrier{Title: v.Get("title"), Laws: strings.Split(v.Get("laws"), ";"), Blocked: strings.Split(v.Get("blocked"), ";"), Unblock: v.Get("unblock"), Depends: v.Get("depends"),
		State: v.Get("state"), Reform: v.Get("reform"), Changed: v.Get("changed"), Detail: v.Get("detail"), Remaining: v.Get("remaining"), Source: v.Get("source")}
	b.Systemic, _ = strconv.Atoi(v.Get("systemic")) // a number that cannot be read is refused where it is kept
	return b
}

func (p *Pages) barrierPage(w http.ResponseWriter, r *http.Request, code int, f web.Form, wrong error, after ...any) error {
	view := web.View{Title: "Record a barrier", Question: "Which law or process stops or slows lawful work?", Crumbs: []web.Link{{Label: "Barriers", Href: "/barriers"}}, Data: append([]any{f}, after...)}
	if wrong != nil {
		view.Problems = []web.Problem{{Sentence: fault.Sentence(wrong)}}
	}
	return p.blocks(w, r, code, view)
}

// NewBarrier shows the form of a barrier.
func (p *Pages) NewBarrier(w http.ResponseWriter, r *http.Request) error {
	return p.barrierPage(w, r, http.StatusOK, p.barrierForm(barrierOf(r.URL.Query()), 0, "/barriers", nil), nil)
}

// RecordBarrier keeps a new barrier, with the case that it came from.
func (p *Pages) RecordBarrier(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	b, s := barrierOf(r.PostForm), suggested(r.PostForm)
	k, err := p.gateway.RecordBarrier(r.Context(), p.who(r), b)
	if fault.Is(err, fault.Invalid) {
		return p.barrierPage(w, r, http.StatusUnprocessableEntity, p.barrierForm(b, 0, "/barriers", caseHidden(s)), err)
	}
	if err == nil && s.Why != "" {
		s.Barrier = k.ID
		err = p.gateway.AddCase(r.Context(), p.who(r), s.Case)
	}
	if err != nil {
		return web.NotDone(err, "Nothing was added to the register.")
	}
	return web.Redirect(w, r, "/barriers/"+k.ID)
}

func caseHidden(s suggestion) []web.Hidden {
	if s.Why == "" {
		return nil
	}
	return []web.Hidden{{Name: "why", Value: s.Why}, {Name: "origin", Value: s.Origin}, {Name: "days", Value: strconv.Itoa(s.Days)}}
}

// CaseForm puts an answer that was no yes on the register: to a barrier that is
// there, or to a new one.
func (p *Pages) CaseForm(w http.ResponseWriter, r *http.Request) error {
	s := suggested(r.URL.Query())
	list, err := p.gateway.Barriers(r.Context())
	if err != nil {
		return err
	}
	var near, rest []web.Option
	for _, k := range list {
		o := web.Option{Value: k.ID, Label: k.Title}
		if slices.ContainsFunc(k.Laws, func(l string) bool { return slices.Contains(s.clean(), l) }) {
			near = append(near, o)
		} else {
			rest = append(rest, o)
		}
	}
	f := web.Form{ID: "case", Label: "A barrier that is there", Action: "/barriers/case", Submit: "Count it there", Hidden: caseHidden(s)[:min(2, len(caseHidden(s)))], Fields: []web.Field{
		{Kind: web.FieldChoice, Name: "barrier", Label: "Which barrier was it?", Options: append(near, rest...)},
		{Kind: web.FieldNumber, Name: "days", Label: "Days lost so far", Value: strconv.Itoa(s.Days), MaxLength: 4}},
		Note: "Only the reason, the days and the month are kept. The same answer counts once."}
	fresh := p.barrierForm(Barrier{Laws: s.clean(), Blocked: []string{s.blocked}}, 0, "/barriers", caseHidden(s))
	return p.blocks(w, r, http.StatusOK, web.View{Title: "Put it on the register", Question: "Which law or process stood in the way?", Crumbs: []web.Link{{Label: "Barriers", Href: "/barriers"}},
		Data: []any{web.Section{Title: "A barrier that is there", Body: []any{f}}, web.Section{Title: "A new one", Body: []any{fresh}}}})
}

func (s suggestion) clean() (out []string) {
	for _, l := range s.laws {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// AddCase counts a case.
func (p *Pages) AddCase(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	s := suggested(r.PostForm)
	if err := p.gateway.AddCase(r.Context(), p.who(r), s.Case); err != nil {
		return web.NotDone(err, "Nothing was counted.")
	}
	return web.Redirect(w, r, "/barriers/"+url.PathEscape(s.Barrier))
}

// Barrier shows one, for those who may to edit and undo.
func (p *Pages) Barrier(w http.ResponseWriter, r *http.Request) error {
	k, edits, err := p.gateway.Barrier(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.showBarrier(w, r, http.StatusOK, k, edits, k.Barrier, nil)
}

func (p *Pages) showBarrier(w http.ResponseWriter, r *http.Request, code int, k Kept, edits []BarrierEdit, draft Barrier, wrong error) error {
	facts := web.Facts{{Label: "State of reform", Value: web.Cell{Badges: []web.Badge{barrierBadges[k.State]}, Note: join([]string{k.Reform, k.Changed}, ", ")}},
		{Label: "Cases", Value: web.T(k.Cases().String())}, {Label: "Days lost", Value: web.T(k.DaysLost().String())},
		{Label: "No route", Value: web.T(k.Why(WhyNoRoute).String())}, {Label: "Ask counsel", Value: web.T(k.Why(WhyCounsel).String())}, {Label: "Missed deadlines", Value: web.T(k.Why(WhyDeadline).String())},
		{Label: "Law", Value: web.T(strings.Join(k.Laws, ", "))}, {Label: "Who is blocked", Value: web.T(p.kinds(k.Blocked))}, {Label: "Who could unblock", Value: web.T(k.Unblock)},
		{Label: "What depends on it", Value: web.T(k.Depends)}, {Label: "What it does", Value: web.T(k.Detail)}, {Label: "What is left", Value: web.T(k.Remaining)}, {Label: "Source", Value: web.T(k.Source)}}
	view := web.View{Title: k.Title, Question: "What does it stop, and who could remove it?", Crumbs: []web.Link{{Label: "Barriers", Href: "/barriers"}}}
	if wrong != nil {
		view.Problems = []web.Problem{{Sentence: fault.Sentence(wrong)}}
	}
	body := []any{}
	if k.Removed {
		body = append(body, web.Notice{Tone: web.Wait, Title: "Taken off the register", Text: "Undo brings it back."})
	}
	if k.Seeded {
		body = append(body, web.Notice{Tone: web.Info, Title: "Illustrative", Text: "From public sources; needs review by counsel."})
	}
	body = append(body, facts)
	if p.who(r).Keeper {
		at, edit := "/barriers/"+url.PathEscape(k.ID), []web.Hidden{{Name: "edit", Value: strconv.Itoa(k.Edit)}}
		actions := web.Actions{}
		if len(edits) > 1 {
			actions = append(actions, web.Action{Label: "Undo the last edit", Href: at + "/undo", Post: true, Hidden: edit})
		}
		if !k.Removed {
			actions = append(actions, web.Action{Label: "Take off the register", Href: at + "/remove", Post: true, Hidden: edit, Careful: true})
		}
		body = append(body, actions, web.Section{Title: "Edit, or attach to a reform", Body: []any{p.barrierForm(draft, k.Edit, at, nil)}})
	}
	line := web.Timeline{Label: "Edits"}
	for _, e := range edits {
		what := fmt.Sprintf("Text %d: %s", e.Edit, e.Title)
		if e.Removed {
			what = fmt.Sprintf("Text %d: taken off the register", e.Edit)
		}
		line.Events = append(line.Events, web.Event{At: e.At, Title: what, Text: join([]string{e.State, e.Reform}, "; "), By: either(e.Who, "the seed")})
	}
	view.Data = append(body, web.Section{Title: "Edits", Body: []any{line}})
	return p.blocks(w, r, code, view)
}

// EditBarrier replaces a barrier's text.
func (p *Pages) EditBarrier(w http.ResponseWriter, r *http.Request) error {
	edit, err := editOf(r)
	if err != nil {
		return err
	}
	b := barrierOf(r.PostForm)
	k, edits, err := p.gateway.Barrier(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	b.ID, b.Elsewhere, b.Days = k.ID, k.Elsewhere, k.Barrier.Days
	_, err = p.gateway.EditBarrier(r.Context(), p.who(r), edit, b)
	if fault.Is(err, fault.Invalid) {
		return p.showBarrier(w, r, http.StatusUnprocessableEntity, k, edits, b, err)
	}
	return p.toBarrier(w, r, err)
}

// RemoveBarrier takes a barrier off the register.
func (p *Pages) RemoveBarrier(w http.ResponseWriter, r *http.Request) error {
	edit, err := editOf(r)
	if err == nil {
		_, err = p.gateway.RemoveBarrier(r.Context(), p.who(r), r.PathValue("id"), edit)
	}
	return p.toBarrier(w, r, err)
}

// UndoBarrier undoes the last edit.
func (p *Pages) UndoBarrier(w http.ResponseWriter, r *http.Request) error {
	edit, err := editOf(r)
	if err == nil {
		_, err = p.gateway.UndoBarrier(r.Context(), p.who(r), r.PathValue("id"), edit)
	}
	return p.toBarrier(w, r, err)
}

func (p *Pages) toBarrier(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		return web.NotDone(err, "The register stands as it was.")
	}
	return web.Redirect(w, r, "/barriers/"+url.PathEscape(r.PathValue("id")))
}

func editOf(r *http.Request) (int, error) {
	if err := posted(r); err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(r.PostForm.Get("edit"))
	if err != nil {
		return 0, fault.New(fault.Invalid, "The form does not say which text was shown. Open the barrier again.")
	}
	return n, nil
}

// ImportBarriers takes over another register.
func (p *Pages) ImportBarriers(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	if _, err := p.gateway.ImportBarriers(r.Context(), p.who(r), strings.NewReader(r.PostForm.Get("csv"))); err != nil {
		return web.NotDone(err, "The register stands as it was.")
	}
	return web.Redirect(w, r, "/barriers")
}
