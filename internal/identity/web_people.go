package identity

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/web"
)

// rows is how many people a page shows.
const rows = 50

// stateBadge is a person's state in words.
func stateBadge(state string) web.Badge {
	switch state {
	case Active:
		return web.Badge{Tone: web.Good, Text: "Active"}
	case Invited:
		return web.Badge{Tone: web.Wait, Text: "Invited"}
	default:
		return web.Badge{Tone: web.Stop, Text: "Suspended"}
	}
}

func roleLabels(roles []Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, Label(r))
	}
	return strings.Join(out, "; ")
}

// People answers: who of us may do what here?
func (p *Pages) People(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	after := r.URL.Query().Get("after")
	list, err := p.s.People(r.Context(), by, after, rows+1)
	if err != nil {
		return err
	}
	t := web.Table{Caption: "People of " + by.Organisation, Columns: web.Cols("Name", "Roles", "Signs in with", "Last used", "State"), Filter: "Show people with the words",
		Empty: web.Empty{What: "People of your organisation appear here.", When: "You invite them.", Action: &web.Link{Label: "Invite a person", Href: "/people/invite"}}}
	if after != "" {
		t.Pages.First = "/people"
	}
	if len(list) > rows {
		list = list[:rows]
		t.Pages.Next = "/people?after=" + list[rows-1].ID
	}
	for _, x := range list {
		seen := web.T("No open session")
		if !x.Seen.IsZero() {
			seen = web.At(x.Seen)
		}
		name := web.L(x.Name, "/people/"+x.ID)
		if x.ID == by.Person {
			name.Note = "You"
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{name, web.T(roleLabels(x.Roles)), web.T(p.account(x.Account)), seen, {Badges: []web.Badge{stateBadge(x.State)}}}})
	}
	return p.blocks(w, r, web.View{Title: "People", Question: "Who of us may do what here?", Data: []any{
		web.Text("You see people of your own organisation only. Each act on a person is an entry of the log, by its random id; names are not in the log."),
		t, web.Actions{{Label: "Invite a person", Href: "/people/invite", Primary: true}, {Label: "What each role may do", Href: "/members#roles"}}}})
}

// InviteForm asks whom to invite.
func (p *Pages) InviteForm(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	return p.showInvite(w, r, by, nil)
}

func (p *Pages) showInvite(w http.ResponseWriter, r *http.Request, by Principal, problem error) error {
	org, err := p.s.Organisation(r.Context(), by.Organisation)
	if err != nil {
		return err
	}
	v := web.View{Title: "Invite a person", Question: "Who joins, and what may they do?", Crumbs: []web.Link{{Label: "People", Href: "/people"}}}
	if !Confirmed(by, p.s.o.Clock.Now()) {
		v.Data = []any{confirmFirst("/people/invite", "To invite somebody, confirm first that it is you.")}
		return p.blocks(w, r, v)
	}
	days := r.PostFormValue("days")
	if days == "" {
		days = "3"
	}
	f := web.Form{Label: "Invitation", Action: "/people/invite", Submit: "Make the link", Cancel: "/people",
		Note: "Written to the log: that you invited a person with these roles, by random ids, and why.", Fields: []web.Field{
			{Name: "name", Label: "Name", Help: "As colleagues know the person. Nobody outside your organisation sees it.", Value: r.PostFormValue("name"), MaxLength: maxText},
			rolesField(r.PostForm["roles"], org),
			{Kind: web.FieldNumber, Name: "days", Label: "Days until the link expires", Help: "From 1 to 14.", Value: days},
			reasonField(r, actInvite)}}
	if problem != nil {
		v.Problems = []web.Problem{{Field: "roles", Sentence: fault.Sentence(problem)}}
		f.Fields[1].Error = fault.Sentence(problem)
		if !plainText(r.PostFormValue("name")) {
			v.Problems[0].Field = "name"
			f.Fields[0].Error, f.Fields[1].Error = fault.Sentence(problem), ""
		} else if errors.Is(problem, errReason) {
			v.Problems[0].Field = f.Fields[3].Name
			f.Fields[3].Error, f.Fields[1].Error = fault.Sentence(problem), ""
		}
	}
	v.Data = []any{f}
	return p.blocks(w, r, v)
}

func rolesField(chosen []string, org Organisation) web.Field {
	f := web.Field{Kind: web.FieldChecks, Name: "roles", Label: "Roles", Values: chosen, Help: "Nobody both approves and reads; some roles therefore exclude each other."}
	for _, x := range Roles {
		if x.Open(org.Functions) {
			f.Options = append(f.Options, web.Option{Value: string(x.Role), Label: x.Label, Help: x.What})
		}
	}
	return f
}

func postedRoles(r *http.Request) []Role {
	var out []Role
	for _, x := range r.PostForm["roles"] {
		out = append(out, Role(x))
	}
	return out
}

// Invite makes a person and shows its link once.
func (p *Pages) Invite(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	days, err := strconv.Atoi(r.PostFormValue("days"))
	if err != nil {
		days = -1
	}
	e, err := p.s.Invite(r.Context(), by, by.Organisation, r.PostFormValue("name"), postedRoles(r), time.Duration(days)*24*time.Hour, why(r))
	if fault.KindOf(err) == fault.Invalid {
		return p.showInvite(w, r, by, err)
	}
	if err != nil {
		return web.NotDone(err, "Nobody was invited.")
	}
	return p.showLink(w, r, e)
}

func (p *Pages) showLink(w http.ResponseWriter, r *http.Request, e Enrolment) error {
	return p.blocks(w, r, web.View{Title: "Link to enrol", Question: "What do I give to the person?", Crumbs: []web.Link{{Label: "People", Href: "/people"}}, Data: []any{
		web.Notice{Tone: web.Good, Title: "The link was made.", Text: "This page shows it once. Give it to the person, and to nobody else, by a way that you trust."},
		web.Code{Label: "Link", Text: e.Link},
		web.Text("It works once, until " + web.Moment(e.Expires) + ". Whoever opens it first and signs in becomes this person here."),
		web.Actions{{Label: "Done", Href: "/people/" + e.Person, Primary: true}}}})
}

// One answers: what may this person do, and is that still right?
func (p *Pages) One(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	return p.showOne(w, r, by, "", nil)
}

// showOne shows a person; problem is what was wrong with an act on it.
func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, by Principal, of act, problem error) error {
	x, org, err := p.s.One(r.Context(), by, r.PathValue("person"))
	if err != nil {
		return err
	}
	v := web.View{Title: x.Name, Question: "What may this person do, and is that still right?", Crumbs: []web.Link{{Label: "People", Href: "/people"}}}
	facts := web.Facts{{Label: "State", Value: web.Cell{Badges: []web.Badge{stateBadge(x.State)}}}, {Label: "Roles", Value: web.T(roleLabels(x.Roles))},
		{Label: "Signs in with", Value: web.T(p.account(x.Account))}, {Label: "Since", Value: web.At(x.Created)}, {Label: "Id in the log", Value: web.Cell{Text: x.ID, Code: true}}}
	v.Data = []any{facts}
	switch {
	case x.ID == by.Person:
		v.Data = append(v.Data.([]any), web.Text("This is you. Nobody changes their own roles or state; another administrator does."))
	case !Confirmed(by, p.s.o.Clock.Now()):
		v.Data = append(v.Data.([]any), confirmFirst("/people/"+x.ID, "To change anything about this person, confirm first that it is you."))
	default:
		chosen := r.PostForm["roles"]
		if chosen == nil {
			for _, role := range x.Roles {
				chosen = append(chosen, string(role))
			}
		}
		f := web.Form{ID: formOf(actRoles), Label: "Roles", Action: "/people/" + x.ID + "/roles", Submit: "Change the roles", Fields: []web.Field{rolesField(chosen, org), reasonField(r, actRoles)},
			Note: "The person is signed out. Written to the log: the new roles, by random ids, and why."}
		acts, remove := actsForm(r, x), removeForm(r, x)
		for _, form := range []*web.Form{&f, &acts, &remove} {
			if problem != nil && form.ID == formOf(of) {
				at := 0
				if errors.Is(problem, errReason) {
					at = len(form.Fields) - 1
				}
				form.Fields[at].Error = fault.Sentence(problem)
				v.Problems = form.Problems()
			}
		}
		v.Data = append(v.Data.([]any), web.Section{Title: "Change what this person may do", Body: []any{f}}, web.Section{Title: "Let in or keep out", Body: []any{
			web.Text("All of these take effect at the person's next request, and each is an entry of the log."), acts,
			web.Text("A new link ends every way in which the person signed in before: use it when a device or an account was lost."), remove}})
	}
	return p.blocks(w, r, v)
}

// formOf is the form of the page that an act belongs to.
func formOf(a act) string {
	switch a {
	case actRoles, actRemove:
		return "person-" + string(a)
	default:
		return "person-acts"
	}
}

// reasonField asks why. One page has several, so each has its form's name.
func reasonField(r *http.Request, a act) web.Field {
	name := "why-" + formOf(a)
	return web.Field{Name: name, Label: "Why", Help: "One line. It goes to the log, which auditors read: name nobody.", Value: r.PostFormValue(name), MaxLength: maxText}
}

// why is the reason that was typed in whichever form was sent.
func why(r *http.Request) string {
	for _, a := range []act{actRoles, actRemove, actSuspend} {
		if typed := strings.TrimSpace(r.PostFormValue("why-" + formOf(a))); typed != "" {
			return typed
		}
	}
	return ""
}

// actsForm offers the acts that the person's state allows.
func actsForm(r *http.Request, x Person) web.Form {
	choice := web.Field{Kind: web.FieldRadios, Name: "act", Label: "What should happen?", Value: r.PostFormValue("act")}
	for _, a := range []struct {
		act
		label string
	}{{actEnd, "End all sessions"}, {actSuspend, "Suspend"}, {actResume, "Let in again"}, {actRenew, "Make a new link to enrol"}} {
		if slices.Contains(from[a.act], x.State) {
			choice.Options = append(choice.Options, web.Option{Value: string(a.act), Label: a.label})
		}
	}
	return web.Form{ID: formOf(actSuspend), Label: "Let in or keep out", Action: "/people/" + x.ID + "/" + string(actChosen), Submit: "Do this", Fields: []web.Field{choice, reasonField(r, actSuspend)}}
}

func removeForm(r *http.Request, x Person) web.Form {
	return web.Form{ID: formOf(actRemove), Label: "Remove", Action: "/people/" + x.ID + "/" + string(actRemove), Submit: "Remove " + x.Name, Careful: true,
		Note:   "Name, roles, passkeys and keys are deleted; this cannot be taken back. The random id stays in the log.",
		Fields: []web.Field{{Kind: web.FieldCheck, Name: "sure", Label: "Remove this person for good"}, reasonField(r, actRemove)}}
}

// actChosen stands in an address for the act that the form names.
const actChosen act = "act"

// Act does one act on a person: the last part of the path names it, or the form
// that was sent.
func (p *Pages) Act(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	id, ctx, reason := r.PathValue("person"), r.Context(), why(r)
	a := act(r.PathValue("act"))
	if a == actChosen {
		a = act(r.PostFormValue("act"))
	}
	next := "/people/" + url.PathEscape(id)
	switch a {
	case actRoles:
		err = p.s.SetRoles(ctx, by, id, postedRoles(r), reason)
	case actSuspend:
		err = p.s.Suspend(ctx, by, id, reason)
	case actResume:
		err = p.s.Resume(ctx, by, id, reason)
	case actEnd:
		err = p.s.EndSessions(ctx, by, id, reason)
	case actRenew:
		var e Enrolment
		if e, err = p.s.Renew(ctx, by, id, 0, reason); err == nil {
			return p.showLink(w, r, e)
		}
	case actRemove:
		next, err = "/people", fault.New(fault.Invalid, "Tick the box to remove this person for good.")
		if r.PostFormValue("sure") != "" {
			err = p.s.Remove(ctx, by, id, reason)
		}
	case "":
		a, err = actSuspend, fault.New(fault.Invalid, "Choose what should happen.")
	default:
		return fault.New(fault.NotFound, "There is nothing at this address.")
	}
	if fault.KindOf(err) == fault.Invalid {
		return p.showOne(w, r, by, a, err)
	}
	if err != nil {
		return web.NotDone(err, "Nothing about this person was changed.")
	}
	return web.Redirect(w, r, next)
}
