package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/permit"
	"parallax/internal/gateway/route"
	"parallax/internal/web"
)

// stateBadges are the states of a request in words.
var stateBadges = map[string]web.Badge{Asked: {Tone: web.Wait, Text: "Waits for the officer"}, Approved: {Tone: web.Good, Text: "Approved"}, Refused: {Tone: web.Stop, Text: "Refused"},
	Void: {Tone: web.Wait, Text: "Void: the answer changed"}, Withdrawn: {Tone: web.Plain, Text: "Withdrawn"}}

const perPage = 50

// Requests lists the organisation's requests.
func (p *Pages) Requests(w http.ResponseWriter, r *http.Request) error {
	from, err := before(r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	list, err := p.gateway.List(r.Context(), p.who(r), from, perPage+1)
	if err != nil {
		return err
	}
	t := web.Table{ID: "requests", Caption: "Requests", Columns: web.Cols("Request", "Answer", "State", "Made", "Deadlines"),
		Empty: web.Empty{What: "Requests of your organisation appear here.", When: "Somebody asks a question on the page Routes and makes the request.", Action: &web.Link{Label: "Ask a question", Href: "/routes"}}}
	if len(list) > perPage {
		t.Pages = web.Pages{Shown: "50 rows, newest first", Next: "/routes/requests?before=" + url.QueryEscape(list[perPage-1].Created.Format(time.RFC3339Nano))}
		list = list[:perPage]
	}
	now := p.gateway.clock.Now()
	for _, x := range list {
		q := x.Draft.Question
		row := web.Row{Cells: []web.Cell{{Text: card.Words(q.Wants) + " to " + q.To, Href: "/routes/requests/" + x.ID, Note: "for " + card.Words(q.Purpose) + ", by " + x.Author},
			{Badges: []web.Badge{card.Badge(x.Card.Answer.Answer)}}, {Badges: []web.Badge{stateBadges[x.State]}}, web.At(x.Created), web.T(lateWords(x, now))}}
		if x.State == Asked && p.who(r).Officer && x.Author != p.who(r).ID {
			row.Tone, row.Why = web.Wait, "It waits for your decision."
		}
		t.Rows = append(t.Rows, row)
	}
	return p.blocks(w, r, http.StatusOK, web.View{Title: "Requests", Question: "What did we ask to share, and what was decided?", Crumbs: []web.Link{{Label: "Routes", Href: "/routes"}}, Data: []any{t}})
}

// lateWords says what is late or due next of a request.
func lateWords(x Request, now time.Time) string {
	var next time.Time
	for _, d := range x.Card.Deadlines {
		done := time.Time{}
		if n := x.Done[d.Gateway]; n != 0 {
			done = time.UnixMicro(n)
		}
		switch d.State(now, done) {
		case card.Late:
			return "late: " + d.Gateway
		case card.Open:
			if !d.Due.IsZero() && (next.IsZero() || d.Due.Before(next)) {
				next = d.Due
			}
		}
	}
	if next.IsZero() {
		return ""
	}
	return "due " + web.Moment(next)
}

// draftOf reads a posted draft.
func draftOf(v url.Values, today string) Draft {
	q := card.Read(v, today)
	d := Draft{Question: q.Question, Fields: strings.Split(v.Get("fields"), ","), Flow: v.Get("flow"), Recipient: v.Get("recipient"),
		Started: q.Started, Place: q.Place, Urgent: q.Urgent}
	for _, f := range q.Question.Facts {
		d.Facts = append(d.Facts, Assertion{Fact: f, By: v.Get("asserted_" + strings.TrimPrefix(f, "not:"))})
	}
	if v.Get("smr") != "" {
		d.Provenance = []string{SMRDerived}
	}
	return d
}

// valuesOf is a draft as a form carries it.
func valuesOf(d Draft) url.Values {
	v := card.Query{Question: d.Question, Started: d.Started, Place: d.Place, Urgent: d.Urgent}.Values()
	v.Set("fields", strings.Join(d.Fields, ", "))
	v.Set("flow", d.Flow)
	v.Set("recipient", d.Recipient)
	for _, a := range d.Facts {
		v.Set("asserted_"+strings.TrimPrefix(a.Fact, "not:"), a.By)
	}
	if slices.Contains(d.Provenance, SMRDerived) {
		v.Set("smr", "yes")
	}
	return v
}

// RequestForm asks for what a request needs beyond the question.
func (p *Pages) RequestForm(w http.ResponseWriter, r *http.Request) error {
	return p.draft(w, r, http.StatusOK, r.URL.Query(), "/routes/requests", 0, nil)
}

// draft shows the form of a request; edit is the edit that it replaces, 0 for a
// new one.
func (p *Pages) draft(w http.ResponseWriter, r *http.Request, code int, v url.Values, action string, edit int, wrong error) error {
	q := card.Read(v, p.gateway.today())
	f := web.Form{Label: "Request", Action: action, Submit: "Make the request", Cancel: "/routes?" + q.Values().Encode(),
		Note: "Keeps the question, the names of fields and who asserts what. No value of a case belongs here. A gateway officer of your organisation decides; any edit voids the decision."}
	values := q.Values()
	for _, name := range []string{"from", "to", "wants", "purpose", "as_of", "holds", "facts", "started", "place", "urgent", "from_in", "to_in"} {
		if s := values.Get(name); s != "" {
			f.Hidden = append(f.Hidden, web.Hidden{Name: name, Value: s})
		}
	}
	if edit > 0 {
		f.Hidden, f.Submit = append(f.Hidden, web.Hidden{Name: "edit", Value: strconv.Itoa(edit)}), "Replace the request"
	}
	smr := ""
	if v.Get("smr") != "" {
		smr = "yes"
	}
	f.Fields = []web.Field{{Name: "fields", Label: "Which fields exactly would be sent?", Value: v.Get("fields"), MaxLength: 500, Help: "Names of fields, with commas: account identifier, date of transfer. Never their values."}}
	for _, fact := range q.Question.Facts {
		name := strings.TrimPrefix(fact, "not:")
		f.Fields = append(f.Fields, web.Field{Name: "asserted_" + name, Label: "Who asserts: " + fact + "?", Value: v.Get("asserted_" + name), MaxLength: 100,
			Help: p.gateway.Law().Finder.Law().Vocabulary.Facts[name]})
	}
	flows := []web.Option{{Value: "", Label: "None of the pool's own"}}
	for _, x := range law.Flows() {
		flows = append(flows, web.Option{Value: x, Label: x})
	}
	f.Fields = append(f.Fields,
		web.Field{Kind: web.FieldChoice, Name: "flow", Label: "Which flow of the pool would rest on it?", Value: v.Get("flow"), Options: flows, Optional: true},
		web.Field{Name: "recipient", Label: "The one organisation that would receive", Value: v.Get("recipient"), Optional: true, MaxLength: 80, Help: "Its id in the pool; any of its kind if left out."},
		web.Field{Kind: web.FieldCheck, Name: "smr", Label: "The material stems from a report of suspicion", Value: smr, Optional: true, Help: "The flag travels with it; such material goes to authorities only and never into evidence."})
	view := web.View{Title: "Make a request", Question: "What exactly would be sent, and who stands for the facts?", Crumbs: []web.Link{{Label: "Routes", Href: "/routes"}, {Label: "Requests", Href: "/routes/requests"}}}
	if wrong != nil {
		view.Problems = []web.Problem{{Sentence: fault.Sentence(wrong)}}
	}
	body := []any{f}
	if x, err := card.Ask(p.gateway.Law(), q); err == nil {
		body = append(body, web.Section{Title: "The answer so far", Body: card.Show(p.gateway.Law(), x, p.gateway.clock.Now(), nil)})
	} else {
		view.Problems = append(view.Problems, web.Problem{Sentence: fault.Sentence(err)})
	}
	view.Data = body
	return p.blocks(w, r, code, view)
}

func posted(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	return nil
}

// Make keeps a request.
func (p *Pages) Make(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	x, err := p.gateway.Ask(r.Context(), p.who(r), draftOf(r.PostForm, p.gateway.today()))
	if fault.Is(err, fault.Invalid) {
		return p.draft(w, r, http.StatusUnprocessableEntity, r.PostForm, "/routes/requests", 0, err)
	}
	if err != nil {
		return web.NotDone(err, "The request was not kept.")
	}
	return web.Redirect(w, r, "/routes/requests/"+x.ID)
}

// EditForm shows a request for its author to edit.
func (p *Pages) EditForm(w http.ResponseWriter, r *http.Request) error {
	x, _, err := p.gateway.Get(r.Context(), p.who(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	v := valuesOf(x.Draft)
	for name, list := range r.URL.Query() { // the question asked again
		v[name] = list
	}
	return p.draft(w, r, http.StatusOK, v, "/routes/requests/"+x.ID+"/edit", x.Edit, nil)
}

// Edit replaces a request.
func (p *Pages) Edit(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	edit, err := strconv.Atoi(r.PostForm.Get("edit"))
	if err != nil {
		return fault.New(fault.Invalid, "The form does not say which text it replaces.")
	}
	id := r.PathValue("id")
	x, err := p.gateway.Edit(r.Context(), p.who(r), id, edit, draftOf(r.PostForm, p.gateway.today()))
	if fault.Is(err, fault.Invalid) {
		return p.draft(w, r, http.StatusUnprocessableEntity, r.PostForm, "/routes/requests/"+id+"/edit", edit, err)
	}
	if err != nil {
		return web.NotDone(err, "The request was not changed.")
	}
	return web.Redirect(w, r, "/routes/requests/"+x.ID)
}

// Card shows a request with its decision card.
func (p *Pages) Card(w http.ResponseWriter, r *http.Request) error {
	who := p.who(r)
	x, events, err := p.gateway.Get(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return err
	}
	flows, err := p.gateway.Flows(r.Context(), x.ID, 20)
	if err != nil {
		return err
	}
	q := x.Draft.Question
	answered := card.Answered{Query: card.Query{Question: q, Started: x.Draft.Started, Place: x.Draft.Place, Urgent: x.Draft.Urgent}, Asked: q, Answer: x.Card.Answer, Deadlines: x.Card.Deadlines}
	now := p.gateway.clock.Now()
	body := append([]any{p.standing(x, voided(events))}, card.Show(p.gateway.Law(), answered, now, x.Done)...)
	body = append(body, draftBlock(x), p.decide(x, who), p.more(x, who, answered, now), historyBlock(events, flows))
	view := web.View{Title: "Request: " + card.Words(q.Wants) + " to " + q.To, Question: "May this be sent, under what, and by when must what be done?",
		Crumbs: []web.Link{{Label: "Routes", Href: "/routes"}, {Label: "Requests", Href: "/routes/requests"}}, Data: body}
	return p.blocks(w, r, http.StatusOK, view)
}

// voided is why the approval was voided last.
func voided(events []Event) (why string) {
	for _, e := range events {
		if e.What == Void {
			why = e.Note
		}
	}
	return why
}

// standing says in one notice where the request stands, and why.
func (p *Pages) standing(x Request, why string) web.Notice {
	b := stateBadges[x.State]
	n := web.Notice{Tone: b.Tone, Title: b.Text, Text: "Gateway id " + x.ID + ". Every flow that rests on it carries this id."}
	switch {
	case x.State == Approved:
		n.Text = "By " + x.Decision.By + ": " + join(x.Decision.Route, ", then ") + ". " + n.Text
		if err := x.carries(p.gateway.Law(), p.gateway.today()); err != nil {
			n = web.Notice{Tone: web.Stop, Title: "The approval may not be used today", Text: fault.Sentence(err)}
		}
	case x.State == Void:
		n.Text = "The approval may not be used: " + why + ". Nothing may leave under it until the officer decides again. " + n.Text
	case x.State == Refused:
		n.Text = "By " + x.Decision.By + ": " + x.Decision.Reason
	}
	return n
}

func draftBlock(x Request) web.Section {
	facts := web.List{Label: "Facts", Empty: web.Empty{What: "No fact is asserted.", When: "Facts stand here with who asserts them."}}
	for _, a := range x.Draft.Facts {
		facts.Items = append(facts.Items, web.Cell{Text: a.Fact, Note: "asserted by " + a.By})
	}
	recipient := x.Draft.Recipient
	if recipient == "" {
		recipient = "any of the kind " + x.Draft.Question.To
	}
	body := []any{web.Facts{{Label: "Requested by", Value: web.Cell{Text: x.Author, Note: x.Organisation + ", text " + strconv.Itoa(x.Edit)}}, {Label: "Fields", Value: web.T(join(x.Draft.Fields, ", "))},
		{Label: "Purpose", Value: web.T(card.Words(x.Draft.Question.Purpose))}, {Label: "Recipient", Value: web.T(recipient)}, {Label: "Flow of the pool", Value: web.T(orNothing(x.Draft.Flow))},
		{Label: "Flags that travel", Value: web.T(join(x.Draft.Provenance, ", "))}, {Label: "Law data", Value: web.Cell{Text: x.Card.Version, Note: x.Card.Answer.Notice}},
		{Label: "SHA-256", Value: web.Cell{Code: true, Text: x.Card.Digest}}}, facts}
	if x.Decision != nil && x.Decision.Permit != "" {
		body = append(body, web.Disclosure{Label: "Show the permit", Holds: "Holds the rule that flows are checked against, in Cedar's words.", Body: []any{web.Code{Label: "Permit", Text: x.Decision.Permit}}})
	}
	return web.Section{Title: "What is asked", Body: body}
}

// decide is the officer's part.
func (p *Pages) decide(x Request, who Person) web.Section {
	out := web.Section{Title: "Decision"}
	switch {
	case x.State != Asked && x.State != Void:
		out.Body = []any{web.Text("There is nothing to decide.")}
	case !who.Officer:
		out.Body = []any{web.Text("A gateway officer of your organisation decides.")}
	case who.ID == x.Author:
		out.Body = []any{web.Text("Nobody decides about a request of their own. Another gateway officer does.")}
	default:
		_, now, err := Evaluate(p.gateway.Law(), x.Draft)
		if err != nil {
			out.Body = []any{web.Notice{Tone: web.Stop, Title: "The question cannot be asked any more", Text: fault.Sentence(err)}}
			return out
		}
		if now.Print != x.Card.Print {
			out.Body = append(out.Body, web.Notice{Tone: web.Wait, Title: "The answer is another one now", Text: "What stands above was answered by other law data. Now the answer is: " + card.Badge(now.Answer.Answer).Text + ". Ask the requester to edit the request, or decide about the answer of today."})
		}
		hidden := []web.Hidden{{Name: "edit", Value: strconv.Itoa(x.Edit)}, {Name: "print", Value: now.Print}}
		options := []web.Option{}
		for _, rt := range now.Answer.Routes {
			options = append(options, web.Option{Value: permit.ID(rt), Label: join(rt.IDs, ", then ")})
		}
		if len(options) > 0 {
			out.Body = append(out.Body, web.Form{ID: "approve", Label: "Approve", Action: "/routes/requests/" + x.ID + "/approve", Submit: "Approve this route", Careful: true, Hidden: hidden,
				Fields: []web.Field{{Kind: web.FieldRadios, Name: "route", Label: "Which route may be used?", Options: options, Value: options[0].Value},
					{Name: "reason", Label: "Note", Optional: true, MaxLength: 300}},
				Note: "The route becomes a permit: the pool's flows are checked against it each time. It is written to the log under your name."})
		}
		out.Body = append(out.Body, web.Form{ID: "refuse", Label: "Refuse", Action: "/routes/requests/" + x.ID + "/refuse", Submit: "Refuse", Hidden: hidden,
			Fields: []web.Field{{Name: "reason", Label: "Why not?", MaxLength: 300, Help: "What would change the answer."}}, Note: "It is written to the log under your name."})
	}
	return out
}

// more is what else can be done with a request: duties done, the register, edits.
func (p *Pages) more(x Request, who Person, a card.Answered, now time.Time) web.Section {
	out := web.Section{Title: "What next"}
	at := "/routes/requests/" + x.ID
	var actions web.Actions
	for _, d := range x.Card.Deadlines {
		done := time.Time{}
		if n := x.Done[d.Gateway]; n != 0 {
			done = time.UnixMicro(n)
		}
		switch d.State(now, done) {
		case card.Open, card.Late:
			actions = append(actions, web.Action{Label: "Mark as done now", Href: at + "/done", Post: true, Hidden: []web.Hidden{{Name: "gateway", Value: d.Gateway}, {Name: "done", Value: "yes"}}, About: d.Gateway})
		default:
			actions = append(actions, web.Action{Label: "Not done after all", Href: at + "/done", Post: true, Hidden: []web.Hidden{{Name: "gateway", Value: d.Gateway}}, About: d.Gateway})
		}
		if s := d.State(now, done); s == card.Late || s == card.Missed {
			c := Case{Why: WhyDeadline, Origin: x.ID + "/" + d.Gateway, Days: int(now.Sub(d.Due).Hours()/24) + 1}
			actions = append(actions, web.Action{Label: "Put the missed deadline on the register", Href: "/barriers/case?" + suggestion{Case: c, laws: []string{d.Gateway}, blocked: x.Draft.Question.From}.values().Encode(), About: d.Gateway})
		}
	}
	if x.Card.Answer.Answer != route.Yes {
		actions = append(actions, web.Action{Label: "Put it on the barrier register", Href: "/barriers/case?" + caseOf(a).of(x.ID).values().Encode()})
	}
	if x.Author == who.ID && x.State != Withdrawn {
		actions = append(actions, web.Action{Label: "Edit", Href: at + "/edit"})
	}
	if (x.Author == who.ID || who.Officer) && x.State != Withdrawn {
		actions = append(actions, web.Action{Label: "Withdraw", Href: at + "/withdraw", Post: true, Careful: true, About: "this request"})
	}
	if actions == nil {
		out.Body = []any{web.Text("Nothing waits.")}
		return out
	}
	out.Body = []any{actions}
	return out
}

func historyBlock(events []Event, flows []Flown) web.Section {
	line := web.Timeline{Label: "What happened"}
	for _, e := range events {
		line.Events = append(line.Events, web.Event{At: e.At, Title: strings.ToUpper(e.What[:1]) + e.What[1:], Text: e.Note, By: e.Who})
	}
	t := web.Table{ID: "flows", Caption: "Flows that rest on it", Columns: web.Cols("Flow", "What", "To", "By", "When"),
		Empty: web.Empty{What: "Flows that carry this gateway id appear here.", When: "An opening, a referral, an export or a release rests on it.", Good: "Empty means that nothing went under it."}}
	for _, f := range flows {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(f.Kind), {Code: true, Text: f.Ref}, web.T(f.Recipient), web.T(f.Who), web.At(f.At)}})
	}
	return web.Section{Title: "What happened", Body: []any{line, t}}
}

func shownOf(r *http.Request) (Shown, error) {
	if err := posted(r); err != nil {
		return Shown{}, err
	}
	edit, err := strconv.Atoi(r.PostForm.Get("edit"))
	if err != nil || r.PostForm.Get("print") == "" {
		return Shown{}, fault.New(fault.Invalid, "The form does not say what was shown. Open the request again.")
	}
	return Shown{Edit: edit, Print: r.PostForm.Get("print")}, nil
}

// Approve records the officer's approval.
func (p *Pages) Approve(w http.ResponseWriter, r *http.Request) error {
	shown, err := shownOf(r)
	if err != nil {
		return err
	}
	ids := strings.Split(r.PostForm.Get("route"), ">")
	x, err := p.gateway.Approve(r.Context(), p.who(r), r.PathValue("id"), shown, ids, r.PostForm.Get("reason"))
	return p.back(w, r, x, err, "Nothing was decided.")
}

// Refuse records the officer's refusal.
func (p *Pages) Refuse(w http.ResponseWriter, r *http.Request) error {
	shown, err := shownOf(r)
	if err != nil {
		return err
	}
	x, err := p.gateway.Refuse(r.Context(), p.who(r), r.PathValue("id"), shown, r.PostForm.Get("reason"))
	return p.back(w, r, x, err, "Nothing was decided.")
}

// Withdraw ends a request.
func (p *Pages) Withdraw(w http.ResponseWriter, r *http.Request) error {
	x, err := p.gateway.Withdraw(r.Context(), p.who(r), r.PathValue("id"))
	return p.back(w, r, x, err, "The request stands as it was.")
}

// Done marks a duty as done, or takes that back.
func (p *Pages) Done(w http.ResponseWriter, r *http.Request) error {
	if err := posted(r); err != nil {
		return err
	}
	at := time.Time{}
	if r.PostForm.Get("done") != "" {
		at = p.gateway.clock.Now()
	}
	x, err := p.gateway.SetDone(r.Context(), p.who(r), r.PathValue("id"), r.PostForm.Get("gateway"), at)
	return p.back(w, r, x, err, "Nothing was recorded.")
}

func (p *Pages) back(w http.ResponseWriter, r *http.Request, x Request, err error, not string) error {
	if err != nil {
		return web.NotDone(err, not)
	}
	return web.Redirect(w, r, "/routes/requests/"+x.ID)
}
