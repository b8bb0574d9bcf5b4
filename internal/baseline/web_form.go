package baseline

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/selector"
)

// Propose shows the form that asks for a count.
func (p *Pages) Propose(w http.ResponseWriter, r *http.Request) error {
	m, err := p.policy()
	if err != nil {
		return err
	}
	return p.form(w, r, http.StatusOK, captureForm(m, "", string(lastQuarter(p.s.clock.Now())), membersAsLists(m), ""))
}

// lastQuarter is the newest quarter that is over.
func lastQuarter(now time.Time) opening.Quarter {
	q := opening.QuarterOf(now)
	from, _, err := q.Span()
	if err != nil {
		return q
	}
	return opening.QuarterOf(from.AddDate(0, 0, -7))
}

func membersAsLists(m opening.Manifest) string {
	var b strings.Builder
	for _, mem := range m.Members {
		if mem.Status == opening.Active {
			fmt.Fprintf(&b, "%s: %s\n", listName(mem.ID), mem.ID)
		}
	}
	return b.String()
}

// listName is a member's id as the name of a list.
func listName(id string) string {
	name := strings.ToLower(id)
	if opening.IsWord(name) {
		return name
	}
	return web.Slug(name)
}

func captureForm(m opening.Manifest, class, quarter, lists, problem string) web.Form {
	f := web.Form{ID: "capture", Label: "What to count", Action: "/baseline/propose", Submit: "Propose this count", Cancel: "/baseline",
		Note: "A proposal counts nothing. An approver of the authority and one of the oversight body sign it at their desks; then it is in the log; then the pool counts, once, how many identifiers are on exactly which lists."}
	classes := web.Field{Kind: web.FieldChoice, Name: "class", Label: "Class of identifier", Value: class, Help: "Only a class that at least three organisations could hold."}
	for _, c := range m.Classes {
		if c.Class.Person() {
			classes.Options = append(classes.Options, web.Option{Value: string(c.Class), Label: c.Class.Label()})
		}
	}
	f.Fields = []web.Field{classes,
		{Name: "quarter", Label: "Quarter", Value: quarter, Help: "Such as 2026-Q3. It must be over, and is counted once.", MaxLength: 7},
		{Kind: web.FieldLong, Name: "lists", Label: "Lists that could hold the class", Value: lists, Lines: 12, Error: problem,
			Help: "One list on a line: its name, a colon, its organisations. Leave out who can never hold the class. Put organisations on one line if the same identifier can never be at two of them."}}
	return f
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request, status int, f web.Form) error {
	return p.kit.Render(w, r, status, web.Blocks, web.View{Title: "Propose a count", Question: "What should be counted, and over which lists?",
		Crumbs: []web.Link{{Label: "Baseline", Href: "/baseline"}}, Problems: f.Problems(), Data: []any{f}})
}

// SendProposal takes the form.
func (p *Pages) SendProposal(w http.ResponseWriter, r *http.Request) error {
	m, err := p.policy()
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	class, quarter, text := r.PostForm.Get("class"), r.PostForm.Get("quarter"), r.PostForm.Get("lists")
	q := opening.CaptureAct{Class: selector.Class(class), Quarter: opening.Quarter(strings.TrimSpace(quarter)), Lists: parseLists(text)}
	if _, err := p.acts.Propose(r.Context(), m, opening.ActCapture, p.who(r), q); err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.Conflict {
			return p.form(w, r, http.StatusUnprocessableEntity, captureForm(m, class, quarter, text, fault.Sentence(err)))
		}
		return web.NotDone(err, "Nothing was proposed.")
	}
	return web.Redirect(w, r, "/baseline#acts")
}

// parseLists reads "name: organisation, organisation" on each line.
func parseLists(text string) (out []opening.ActList) {
	for _, line := range strings.Split(text, "\n") {
		name, orgs, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			orgs = name
		}
		if strings.TrimSpace(name) == "" {
			continue
		}
		l := opening.ActList{Name: strings.TrimSpace(name), Organisations: []string{}}
		for _, o := range strings.Split(orgs, ",") {
			if o = strings.TrimSpace(o); o != "" {
				l.Organisations = append(l.Organisations, o)
			}
		}
		out = append(out, l)
	}
	return out
}
