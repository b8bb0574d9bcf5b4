package demo

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/sim"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/selector"
)

// walkSteps are the labels of the walk, in order.
var walkSteps = []string{"A line in a file", "Blinded and sealed", "Held by the hub", "A lead is ready", "Requested", "Approved by the authority", "Approved by oversight", "Released", "Read at the police desk"}

// Places in the walk.
const (
	atReady = 3 + iota
	atRequested
	atAuthority
	atOversight
	atReleased
	atRead
)

// stage gives the place of the current step.
func (p progress) at() int {
	switch {
	case p.Read != nil:
		return len(walkSteps)
	case p.Opening == nil && p.Lead != nil:
		return atRequested
	case p.Opening == nil:
		return atReady
	case p.Opening.State == "released":
		return atRead
	}
	has := map[string]bool{}
	for _, a := range p.Opening.Approvals {
		has[a.Key] = true
	}
	switch {
	case !has[authorityID]:
		return atAuthority
	case !has[overseerID]:
		return atOversight
	}
	return atReleased
}

func (p progress) closed() bool {
	return p.Opening != nil && p.Opening.State == "closed" && p.Read == nil
}

func steps(p progress) web.Steps {
	out := web.Steps{Label: "How far this lead has come"}
	at := p.at()
	for i, label := range walkSteps {
		state := web.StepWaiting
		switch {
		case i < at:
			state = web.StepDone
		case i == at && p.closed():
			state = web.StepStopped
		case i == at:
			state = web.StepCurrent
		}
		out.Steps = append(out.Steps, web.Step{Label: label, State: state})
	}
	return out
}

var followView = web.View{Title: "Follow one lead", Question: "How does one line of a file come to be read by the police centre, and by nobody else?"}

func (x *site) follow(w http.ResponseWriter, r *http.Request) error {
	view := followView
	if len(x.followed) == 0 {
		view.Data = []any{x.nothing("The lead that you can follow appears here.")}
		return x.show(w, r, view)
	}
	ref := x.followed[0]
	p, err := x.where(r.Context(), ref)
	if err != nil {
		return err
	}
	line, err := x.line(ref)
	if err != nil {
		return err
	}
	held, err := x.held(r, ref)
	if err != nil {
		return err
	}
	own, err := x.own(r.Context(), ref)
	if err != nil {
		return err
	}
	story := []any{x.lineSection(line), x.blindSection(own, held), x.hubSection(held)}
	body := []any{steps(p)}
	switch {
	case p.Opening == nil: // the story is still to be told
		body = append(append(body, web.Link{Label: "Go past the story to the next step", Href: "#next"}), story...)
		if p.Lead != nil {
			body = append(body, leadSection(*p.Lead))
		}
		body = append(body, x.turn(p)...)
	default:
		body = append(body, x.turn(p)...)
		if p.Read != nil {
			body = append(body, web.Section{Title: "What the police centre reads", Body: x.opened(*p.Read)})
		}
		body = append(body, web.Disclosure{Label: "Show how it began", Holds: "The line in the file, its tags, and what the hub holds of it.", Body: story})
	}
	view.Data = body
	return x.show(w, r, view)
}

// nothing is shown where the world has no lead to follow.
func (x *site) nothing(what string) web.Empty {
	when := "Desks submit their files, the log is witnessed, and three organisations of two sectors hold enough about one tag."
	if !x.fresh {
		when = "This simulated world is so small that it has no lead but the false one. Start the demonstration with more --actors."
	}
	return web.Empty{What: what, When: when, Action: &web.Link{Label: "Look at the roles", Href: "/#take-a-role"},
		Good: "An empty list is what most days look like: nothing is shown below the rule."}
}

// turn is what happens next, with its button.
func (x *site) turn(p progress) []any {
	if p.closed() {
		return []any{web.Notice{Tone: web.Stop, Title: "This opening was closed", Text: "Its request expired or something that it lists was withdrawn. Start the demonstration again to follow the lead anew."}}
	}
	act := func(title, text string, body ...any) []any {
		return []any{web.Section{Title: title, ID: "next", Body: append([]any{web.Text(text)}, body...)}}
	}
	post := func(label, href string, hidden ...web.Hidden) web.Actions {
		return web.Actions{{Label: label, Href: href, Post: true, Primary: true, Hidden: hidden}}
	}
	switch p.at() {
	case atReady:
		return act("Next: time", "What was contributed must be in the witnessed log for six hours before it can be requested.", x.clockAction("/follow"))
	case atRequested:
		return act("Next: the authority asks", "At the police centre's desk, somebody sees that a lead is ready: a number and the conditions that it meets, nothing of what is in it. Before asking, one question: could this be a child? Where a contributor says so, only that playbook opens the lead. Whoever asks may choose it as well.",
			playbooks(p.Lead.Playbook), x.orAt(authorityID, "/leads/"+p.Lead.ID))
	case atAuthority:
		return act("Next: the authority approves", "The request alone opens nothing. Somebody at the authority approves exactly these bytes with a key of their own.", post("Approve as the police centre", "/follow/approve", web.Hidden{Name: "as", Value: authorityID}), x.orAt(authorityID, "/openings/"+p.Opening.ID))
	case atOversight:
		return act("Next: oversight approves", "An unrelated body must agree. It sees purpose, legal basis and number of observations, and never what is in them.", post("Approve as the oversight body", "/follow/approve", web.Hidden{Name: "as", Value: overseerID}), x.orAt(overseerID, "/openings/"+p.Opening.ID))
	case atReleased:
		return act("Next: the release", "The request goes into the log at the next tick. Then the key holders have six hours in which any of them can refuse, and they release at midnight only. Each checks everything by itself.",
			holderStates(x.s.plan.Holders, p.Opening.Holders), x.clockAction("/follow"))
	case atRead:
		return act("Next: reading", "Two of three key holders have sealed their shares to the police centre. Its desk writes the read into its own log, puts the shares together and opens the boxes. Nobody else can.",
			holderStates(x.s.plan.Holders, p.Opening.Holders), post("Read it at the police centre's desk", "/follow/read"))
	}
	return []any{web.Notice{Tone: web.Good, Title: "You have followed the lead to its end.", Text: "The line that you began with is among what the police centre reads, below. Nobody who contributed to it has been told.",
		Links: []web.Link{{Label: "Now try to open a lead without approval", Href: "/stops/refusal"}, {Label: "See a false lead go", Href: "/mistake"}}}}
}

// orAt leads to where a person of that role would do it.
func (x *site) orAt(id, path string) web.List {
	return web.List{Label: "The same at the desk itself", Items: []web.Cell{x.deskAt(id, path, "Or take the role yourself: the desk of the "+lower(title(id)))}}
}

// playbooks asks the first question before the request.
func playbooks(needed string) web.Form {
	options := []web.Option{{Value: opening.PlaybookStandard, Label: "No sign of it", Help: "The standard playbook: reports to check, nothing more."},
		{Value: opening.PlaybookChildPossible, Label: "It could be", Help: "Protect first, take no adverse action, export nothing."}}
	chosen := opening.PlaybookStandard
	if needed == opening.PlaybookChildPossible {
		options, chosen = options[1:], needed
	}
	return web.Form{Action: "/follow/request", Submit: "Request this lead as the police centre", Note: "The request goes to the hub under the centre's own signature and is recorded.",
		Fields: []web.Field{{Kind: web.FieldRadios, Name: "playbook", Label: "Could this be a child?", Options: options, Value: chosen}}}
}

func holderStates(holders []opening.Holder, list []client.HolderState) web.Table {
	t := web.Table{Caption: "What the key holders say of this opening", Columns: web.Cols("Holder", "State", "In its own words"),
		Empty: web.Empty{What: "Each key holder's answer appears here.", When: "The approved request is in the log and the hub has put it before them."}}
	for _, h := range list {
		name := fmt.Sprint("Key holder ", h.Index)
		if h.Index >= 1 && h.Index <= len(holders) {
			name = holderTitle(holders[h.Index-1].ID)
		}
		tone := web.Wait
		if h.State == "released" {
			tone = web.Good
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(name), {Badges: []web.Badge{{Tone: tone, Text: h.State}}}, web.T(h.Reason)}})
	}
	return t
}

// aside are columns that matter to the member or the simulation only.
var aside = map[string]bool{"origin": true, "suspicion": true, "customer_ref": true, "counterparty_account": true, "counterparty_payid": true,
	"counterparty_payservice": true, "channel": true, "memo": true, "submit_from": true, "gate": true, "event": true}

func (x *site) lineSection(l line) web.Section {
	name := title(l.Ref.Organisation)
	facts := web.Table{Caption: "Line " + fmt.Sprint(l.Number) + " of " + l.File, Columns: web.Cols("Column", "Value")}
	for _, c := range l.Cells {
		if aside[c.Name] {
			continue
		}
		facts.Rows = append(facts.Rows, web.Row{Cells: []web.Cell{web.T(c.Name), web.T(c.Value)}})
	}
	return web.Section{Title: "1. A line in " + name + "'s own file", Body: []any{
		web.Text("An analyst at " + name + " confirmed one suspicion. This is the line as that organisation's own system exports it. It never leaves the organisation in this form."),
		facts,
		web.Disclosure{Label: "Show it as it stands in the file", Holds: "The same with every column, as text.", Body: []any{web.Code{Label: "Heading and line", Text: l.Text}}},
	}}
}

func (x *site) blindSection(own desk.OwnRecord, held hub.HeldObservation) web.Section {
	t := web.Table{Caption: "What becomes of its identifiers", Columns: web.Cols("Kind", "Form", "Tag in the pool"),
		Note: "The tags stand in the order in which the desk sent them. Without the key holders' help nobody can tell which identifier a tag belongs to, the hub included."}
	for i, s := range own.Record.Selectors {
		tag := web.Cell{}
		if i < len(held.Tags) {
			tag = web.Cell{Text: held.Tags[i], Code: true}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(s.Class.Label()), web.T(s.Form), tag}})
	}
	return web.Section{Title: "2. Blinded and sealed at the desk", Body: []any{
		web.Text("The desk brought each identifier into its one canonical form, blinded it, and had two key holders work on it without seeing it. Out came a tag. Whatever the authority may one day need is sealed in a box beside the tags."), t}}
}

func (x *site) hubSection(held hub.HeldObservation) web.Section {
	h := held.Header
	return web.Section{Title: "3. What the hub holds of it", Body: []any{
		web.Text("This was read from the hub's own database a moment ago."),
		web.Facts{
			{Label: "From", Value: web.T(title(h.Organisation) + ", " + h.Sector)},
			{Label: "Kind, strength, grade", Value: web.Tf("%s, %d, %s%s", h.Kind, h.Strength, strings.ToUpper(h.Source), h.Info)},
			{Label: "Role of the subject", Value: web.T(roleWords(h.Role))},
			{Label: "Week", Value: web.T(h.Week)},
			{Label: "Tags", Value: web.N(int64(len(held.Tags)))},
			{Label: "Sealed box", Value: web.Cell{Text: held.BoxBegins + "…", Code: true, Note: fmt.Sprintf("%d bytes, the same length for everybody", held.BoxBytes)}},
			{Label: "Label", Value: web.Cell{Text: held.Label, Code: true}},
		}}}
}

func leadSection(l client.Lead) web.Section {
	checks := web.Checks{Label: "Conditions of the opening rule"}
	for _, c := range l.Conditions {
		state := web.CheckHolds
		if !c.Met {
			state = web.CheckFails
		}
		checks.Items = append(checks.Items, web.Check{Label: c.Name, State: state, Note: fmt.Sprintf("%d, at least %d", c.Have, c.Need)})
	}
	return web.Section{Title: "4. The lead that is ready", Body: []any{
		web.Facts{{Label: "Number", Value: web.Cell{Text: l.ID, Code: true}}, {Label: "Observations that would open", Value: web.N(int64(len(l.Labels)))}}, checks}}
}

// opened shows what was read, with the line that the walk began with marked.
func (x *site) opened(l desk.Lead) []any {
	t := web.Table{Caption: "What organisations reported", Columns: web.Cols("Organisation", "Their reference and date", "Kind", "Strength", "Role"),
		Note: "Unverified: these are reports to check, not findings."}
	var detail []any
	began := func(o desk.OpenedContent) bool {
		return first(x.followed) == sim.Ref{Organisation: o.Organisation, Reference: o.Payload.Reference}
	}
	list := slices.Clone(l.Observations)
	slices.SortStableFunc(list, func(a, b desk.OpenedContent) int { // the line that the walk began with, then by time
		if began(a) != began(b) {
			return map[bool]int{true: -1, false: 1}[began(a)]
		}
		return strings.Compare(a.Payload.Date, b.Payload.Date)
	})
	for _, o := range list {
		name := web.T(title(o.Organisation))
		if began(o) {
			name.Badges = []web.Badge{{Tone: web.Info, Text: "the line you began with"}}
		}
		p := o.Payload
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{name, {Text: p.Reference, Code: true, Note: p.Date}, web.T(p.Kind), web.N(int64(p.Strength)), web.T(roleWords(o.Role))}})
		ids := web.Table{Caption: "Identifiers in " + p.Reference, Columns: web.Cols("Kind", "Value")}
		for _, s := range p.Selectors {
			ids.Rows = append(ids.Rows, web.Row{Cells: []web.Cell{web.T(s.Class.Label()), {Text: s.Value, Code: true}}})
		}
		detail = append(detail, ids)
	}
	return []any{childNotice(l), t,
		web.Disclosure{Label: "Show what links the reports", Holds: "Made-up identifiers that several organisations gave.", Open: true, Body: []any{sharedTable(l)}},
		web.Disclosure{Label: "Show the identifiers", Holds: "Made-up identifiers of a simulated person. No images.", Body: detail},
		web.Facts{{Label: "Legal basis", Value: web.T(l.LegalBasis + ", " + l.Purpose)}, {Label: "The centre's own records with one of these identifiers", Value: web.N(int64(len(l.Own)))}},
		x.orAt(authorityID, "/openings/"+l.Opening)}
}

// roleWords is a subject role for a reader.
func roleWords(role string) string { return strings.ReplaceAll(role, "_", " ") }

// sharedTable says what links the reports: the person identifiers that more
// than one organisation gave.
func sharedTable(l desk.Lead) web.Table {
	type id struct {
		class selector.Class
		value string
	}
	var order []id
	by := make(map[id][]string)
	for _, o := range l.Observations {
		for _, s := range o.Payload.Selectors {
			k := id{s.Class, s.Value}
			if !s.Class.Person() || slices.Contains(by[k], title(o.Organisation)) {
				continue
			}
			if by[k] == nil {
				order = append(order, k)
			}
			by[k] = append(by[k], title(o.Organisation))
		}
	}
	t := web.Table{Caption: "What links the reports", Columns: web.Cols("Identifier", "Kind", "Reported by"), Empty: web.Empty{What: "Identifiers that several of these organisations gave appear here.",
		When: "More than one of the opened reports carries the same one. What links an opened report may also be in one that was not opened."}}
	for _, k := range order {
		if len(by[k]) > 1 {
			t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: k.value, Code: true}, web.T(k.class.Label()), web.T(strings.Join(by[k], ", "))}})
		}
	}
	return t
}

// childNotice asks the first question of every lead.
func childNotice(l desk.Lead) web.Notice {
	unknown := 0
	for _, o := range l.Observations {
		if o.Role == "unknown" {
			unknown++
		}
	}
	if l.ChildPossible {
		return web.Notice{Tone: web.Wait, Title: "Could this be a child? Treat it so.", Text: "This lead was opened on that playbook: protect first, take no adverse action on it, export nothing."}
	}
	return web.Notice{Tone: web.Wait, Title: "Could this be a child?",
		Text: fmt.Sprintf("Nobody who contributed says so, but %d of %d could not tell the subject's role. Settle this question before any other.", unknown, len(l.Observations))}
}

func (x *site) postRequest(w http.ResponseWriter, r *http.Request) error {
	playbook := r.PostFormValue("playbook")
	p, err := x.where(r.Context(), first(x.followed))
	if err == nil && (p.Lead == nil || p.Opening != nil) {
		err = fault.New(fault.Conflict, "The lead is not ready, or has been requested already.")
	}
	if err == nil {
		err = x.act(func() error { _, err := x.s.request(r.Context(), p.Lead.ID, playbook); return err })
	}
	return done(w, r, err, "/follow#next", "Nothing was requested.")
}

func (x *site) postApprove(w http.ResponseWriter, r *http.Request) error {
	as := r.PostFormValue("as")
	p, err := x.where(r.Context(), first(x.followed))
	switch {
	case err != nil:
	case as != authorityID && as != overseerID:
		err = fault.New(fault.Invalid, "Only the authority and the oversight body approve.")
	case p.Opening == nil:
		err = fault.New(fault.Conflict, "The lead has not been requested yet.")
	default:
		err = x.act(func() error { return x.s.approve(r.Context(), as, p.Opening.ID) })
	}
	return done(w, r, err, "/follow#next", "Nothing was approved.")
}

func (x *site) postRead(w http.ResponseWriter, r *http.Request) error {
	p, err := x.where(r.Context(), first(x.followed))
	if err == nil && p.Opening == nil {
		err = fault.New(fault.Conflict, "The lead has not been requested yet.")
	}
	if err == nil {
		err = x.act(func() error {
			lead, err := x.s.open(r.Context(), p.Opening.ID)
			if err != nil {
				return err
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			x.read = &lead
			return nil
		})
	}
	return done(w, r, err, "/follow#next", "Nothing was read.")
}
