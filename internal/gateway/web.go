package gateway

import (
	"net/http"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/route"
	"parallax/internal/gateway/scenario"
	"parallax/internal/web"
)

// Pages are the pages Routes and Barriers of a hub.
type Pages struct {
	gateway *Service
	kit     *web.Kit
	who     func(r *http.Request) Person
}

// NewPages returns the pages on a kit; who says who looks, and the caller has
// checked that it may.
func NewPages(s *Service, kit *web.Kit, who func(r *http.Request) Person) *Pages {
	return &Pages{gateway: s, kit: kit, who: who}
}

func (p *Pages) blocks(w http.ResponseWriter, r *http.Request, code int, v web.View) error {
	return p.kit.Render(w, r, code, web.Blocks, v)
}

// Routes answers: may I share this, with whom, under what, as of when?
func (p *Pages) Routes(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q := card.Read(v, p.gateway.today())
	view := card.Page(p.gateway.Law(), q, card.Asked(v), "/routes", "/routes/law", p.gateway.clock.Now(), func(x card.Answered) []any {
		if p.who(r).Organisation == "" {
			return nil
		}
		return []any{p.next(x)}
	})
	code := http.StatusOK
	if view.Problems != nil {
		code = http.StatusUnprocessableEntity
	}
	if !card.Asked(v) && p.who(r).Organisation != "" {
		view.Data = append(view.Data.([]any), web.Actions{{Label: "Requests of your organisation", Href: "/routes/requests"}, {Label: "Barrier register", Href: "/barriers"}})
	}
	view.Data = append(p.amiss(p.who(r)), view.Data.([]any)...)
	return p.blocks(w, r, code, view)
}

// amiss says where the law data in use is not what it should be: a version that
// lies ready was refused, or what counsel signed is over. Why it was refused can
// name files of the hub, so only people who signed in read that.
func (p *Pages) amiss(who Person) (out []any) {
	if x := p.gateway.Refused(); x != nil {
		why := ""
		if who.ID != "" {
			why = ": " + strings.TrimSuffix(x.Why, ".")
		}
		out = append(out, web.Notice{Tone: web.Wait, Title: "The law data that lies ready is not in use", Text: "Since " + web.Moment(x.At) + why + ". The version before answers on."})
	}
	if err := over(p.gateway.Law(), p.gateway.today()); err != nil {
		out = append(out, web.Notice{Tone: web.Stop, Title: "The law data in use is over", Text: fault.Sentence(err)})
	}
	return out
}

// next is what can be done with an answer.
func (p *Pages) next(x card.Answered) web.Actions {
	ask := web.Action{Label: "Make the request", Href: "/routes/request?" + x.Query.Values().Encode(), Primary: true}
	if x.Answer.Answer == route.Yes {
		return web.Actions{ask}
	}
	return web.Actions{ask, {Label: "Put it on the barrier register", Href: "/barriers/case?" + caseOf(x).values().Encode()}}
}

// Law shows which law data was in use here, and who signed it.
func (p *Pages) Law(w http.ResponseWriter, r *http.Request) error {
	versions, err := p.gateway.Versions(r.Context())
	if err != nil {
		return err
	}
	t := web.Table{ID: "versions", Caption: "Law data in use here", Columns: web.Cols("Version", "Signed by", "Effective", "In use", "SHA-256"),
		Note: "Two counsel sign a version before anybody may rest on it. A version that nobody signed says so with every answer."}
	options := []web.Option{{Value: "", Label: "the built-in data set"}}
	for _, v := range versions {
		signed := web.Cell{Text: "nobody", Note: v.Review}
		if len(v.SignedBy) > 0 {
			signed = web.Cell{Text: join(v.SignedBy, " and "), Note: v.Review}
		}
		until := v.EffectiveTo
		if v.EffectiveFrom != "" && until == "" {
			until = "open"
		}
		row := web.Row{Cells: []web.Cell{web.T(v.Version), signed, web.T(join([]string{v.EffectiveFrom, until}, " to ")),
			web.T(web.Day(v.First) + " to " + web.Day(v.Last)), {Code: true, Text: v.Digest[:16]}}}
		if v.Digest == p.gateway.Law().Digest {
			row.Cells[0].Badges = []web.Badge{{Tone: web.Good, Text: "Answers now"}}
		}
		t.Rows = append(t.Rows, row)
		options = append(options, web.Option{Value: v.Digest, Label: v.Version + " (" + v.Digest[:8] + ")"})
	}
	return p.blocks(w, r, http.StatusOK, web.View{Title: "Law data", Question: "Which law answers here, who signed it, and what changed?",
		Crumbs: []web.Link{{Label: "Routes", Href: "/routes"}},
		Data: append(p.amiss(p.who(r)), t, p.decisions(), web.Section{Title: "What changed?", Body: []any{web.Form{Label: "Compare", Action: "/routes/law/diff", Get: true, Submit: "Compare", Fields: []web.Field{
			{Kind: web.FieldChoice, Name: "before", Label: "Before", Options: options, Optional: true},
			{Kind: web.FieldChoice, Name: "after", Label: "After", Options: options, Value: p.gateway.Law().Digest, Optional: true}},
			Note: "Asks both some thousand questions; the first time takes a few seconds."}}}, card.Source(p.gateway.Law(), ""))})
}

// decisions are the standing decisions of the signed data, and whether each
// carries today.
func (p *Pages) decisions() web.Table {
	t := web.Table{ID: "decisions", Caption: "Standing decisions", Columns: web.Cols("Decision", "Flow", "From", "To", "Route", "Today"),
		Empty: web.Empty{What: "Flows that counsel approved by signing the law data appear here.", When: "Two counsel sign an overlay with decisions.", Good: "Without one, no flow of the pool is allowed."}}
	day := p.gateway.today()
	for _, d := range p.gateway.Law().Decisions {
		state := web.Cell{Badges: []web.Badge{{Tone: web.Good, Text: "Carries"}}}
		if _, _, err := p.gateway.Law().Standing(d.ID, day); err != nil {
			state = web.Cell{Badges: []web.Badge{{Tone: web.Stop, Text: "Refused"}}, Note: fault.Sentence(err)}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: d.ID, Note: "facts by " + d.FactsBy}, web.T(d.Flow), web.T(d.From), {Text: d.To, Note: d.Recipient}, web.T(join(d.Route, ", then ")), state}})
	}
	return t
}

// Diff shows what changed between two data, and which answers change.
func (p *Pages) Diff(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	d, err := p.gateway.Compare(r.Context(), v.Get("before"), v.Get("after"))
	if err != nil {
		return err
	}
	return p.blocks(w, r, http.StatusOK, web.View{Title: "What changed", Question: "What changed from " + d.Old + " to " + d.New + ", and which answers change?",
		Crumbs: []web.Link{{Label: "Routes", Href: "/routes"}, {Label: "Law data", Href: "/routes/law"}}, Data: []any{rowsTable(d), answersTable(d)}})
}

func rowsTable(d scenario.Diff) web.Table {
	t := web.Table{ID: "rows", Caption: "Rows that changed", Columns: web.Cols("Row", "What", "Fields"), Empty: web.Empty{What: "No row differs.", When: "Rows that were added, removed or changed appear here.", Good: "The two data say the same."}}
	for _, x := range d.Rows {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(x.ID), web.T(x.What), web.T(join(x.Fields, "; "))}})
	}
	for _, c := range d.Codes {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T("vocabulary"), web.T("changed"), web.T(c)}})
	}
	return t
}

// maxAnswers bounds the answers that one page lists.
const maxAnswers = 50

func answersTable(d scenario.Diff) web.Table {
	t := web.Table{ID: "answers", Caption: "Answers that change", Columns: web.Cols("Question", "Day", "Was", "Is"),
		Note:  web.Number(int64(len(d.Answers))) + " of " + web.Number(int64(d.Asked)) + " questions are answered otherwise; the first " + web.Number(int64(min(len(d.Answers), maxAnswers))) + " are listed. The questions are every giver and recipient for what the changed rows carry, with all facts known to hold.",
		Empty: web.Empty{What: "No answer changes.", When: "Questions that the two data answer otherwise appear here.", Good: "Nobody has to act otherwise."}}
	for _, m := range d.Answers[:min(len(d.Answers), maxAnswers)] {
		q := m.Question
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: q.From + " to " + q.To, Note: card.Words(q.Wants) + " for " + q.Purpose, Href: "/routes?" + card.Query{Question: q}.Values().Encode()}, web.T(q.AsOf), web.T(m.Old), web.T(m.New)}})
	}
	return t
}

func join(list []string, with string) string {
	out := ""
	for _, s := range list {
		if s == "" {
			continue
		}
		if out != "" {
			out += with
		}
		out += s
	}
	return out
}

// before is the time from which a list goes on; empty text is the newest.
func before(text string) (time.Time, error) {
	if text == "" {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "The place to go on from must be one that a link of this page names.")
	}
	return t, nil
}
