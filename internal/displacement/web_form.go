package displacement

import (
	"net/http"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/selector"
)

// Register shows the form that registers an intervention.
func (p *Pages) Register(w http.ResponseWriter, r *http.Request) error {
	m, err := p.policy()
	if err != nil {
		return err
	}
	return p.form(w, r, http.StatusOK, registerForm(m, opening.InterventionAct{Class: selector.Email, Weeks: 13, See: []string{"programme-lead", "lead-reviewer", "oversight-board"}}, ""))
}

func (p *Pages) policy() (opening.Manifest, error) {
	m, ok := p.manifest()
	if !ok {
		return m, fault.New(fault.Unavailable, "No policy is in force yet, so nothing can be registered.")
	}
	return m, nil
}

// viewerWords are the roles of Viewers.
var viewerWords = map[string]string{"programme-lead": "Programme lead", "lead-reviewer": "Authority reviewers", "oversight-board": "Oversight body", "auditor": "Auditors"}

func registerForm(m opening.Manifest, i opening.InterventionAct, problem string) web.Form {
	f := web.Form{ID: "register", Label: "The intervention", Action: "/displacement/register", Submit: "Propose this registration", Cancel: "/displacement",
		Note: "It counts as registered when an approver of the authority and one of the oversight body have signed it and the log holds it. Nothing of it can be changed afterwards. It is then evaluated after 2, 6 and 13 weeks, whatever the result."}
	classes := web.Field{Kind: web.FieldChoice, Name: "class", Label: "Identifiers to follow", Value: string(i.Class)}
	for _, c := range m.Classes {
		if c.Class.Person() {
			classes.Options = append(classes.Options, web.Option{Value: string(c.Class), Label: c.Class.Label()})
		}
	}
	see := web.Field{Kind: web.FieldChecks, Name: "see", Label: "Who may see it before it acts", Values: i.See}
	for _, role := range Viewers {
		see.Options = append(see.Options, web.Option{Value: role, Label: viewerWords[role]})
	}
	weeks := ""
	if i.Weeks > 0 {
		weeks = strconv.Itoa(i.Weeks)
	}
	retrospective := web.Field{Kind: web.FieldCheck, Name: "retrospective", Label: "It has already acted", Optional: true, Help: "It is then shown as registered afterwards, for ever."}
	if i.Retrospective {
		retrospective.Value = "yes"
	}
	f.Fields = []web.Field{
		{Name: "venue", Label: "Venue", Value: i.Venue, Error: problem, Help: "A neutral code such as v07, never a name.", MaxLength: 40},
		{Kind: web.FieldDate, Name: "date", Label: "Day on which it acts", Value: i.Date},
		{Kind: web.FieldDate, Name: "announced", Label: "Day from which it may be known", Value: i.Announced, Optional: true, Help: "An announcement or a leak. The weeks from then on are no baseline."},
		{Name: "neighbours", Label: "Neighbours", Value: strings.Join(i.Neighbours, ", "), Help: "Venues where people may go, by content, language, entry rule or shared identifiers. Separated by commas."},
		{Name: "controls", Label: "Controls", Value: strings.Join(i.Controls, ", "), Help: "Venues that the intervention should not touch. Separated by commas."},
		{Kind: web.FieldNumber, Name: "weeks", Label: "Weeks before, for comparison", Value: weeks, Help: "4 to 26; 13 is usual."},
		classes, see, retrospective}
	return f
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request, status int, f web.Form) error {
	return p.kit.Render(w, r, status, web.Blocks, web.View{Title: "Register an intervention", Question: "What will be done, and what will it be compared with?",
		Crumbs: []web.Link{{Label: "Displacement", Href: "/displacement"}}, Problems: f.Problems(), Data: []any{f}})
}

// SendRegistration takes the form.
func (p *Pages) SendRegistration(w http.ResponseWriter, r *http.Request) error {
	m, err := p.policy()
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	weeks, err := strconv.Atoi(get("weeks"))
	if err != nil {
		weeks = 0
	}
	i := opening.InterventionAct{Class: selector.Class(get("class")), Venue: get("venue"), Date: get("date"), Announced: get("announced"),
		Neighbours: codes(get("neighbours")), Controls: codes(get("controls")), Weeks: weeks, Retrospective: get("retrospective") != "", See: r.PostForm["see"]}
	if i.See == nil {
		i.See = []string{}
	}
	if _, err := p.acts.Propose(r.Context(), m, opening.ActIntervention, p.who(r).ID, i); err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.Conflict {
			return p.form(w, r, http.StatusUnprocessableEntity, registerForm(m, i, fault.Sentence(err)))
		}
		return web.NotDone(err, "Nothing was registered.")
	}
	return web.Redirect(w, r, "/displacement#acts")
}

// codes splits a list of codes.
func codes(text string) []string {
	out := []string{}
	for _, c := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' }) {
		out = append(out, c)
	}
	return out
}
