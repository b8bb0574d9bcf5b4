package demo

import (
	"fmt"
	"net/http"

	"parallax/internal/web"
)

// showMistake: a false lead and what a withdrawal does to it.
func (x *site) showMistake(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "A false lead", Question: "What happens when a member was wrong?"}
	if x.fresh {
		view.Data = []any{x.nothing("A false lead, and how it goes, appears here.")}
		return x.show(w, r, view)
	}
	what := x.s.data.Truth.Withdraw[0]
	name := title(what.Organisation)
	p, err := x.where(r.Context(), x.planted())
	if err != nil {
		return err
	}
	held, err := x.held(r, x.planted())
	if err != nil {
		return err
	}
	x.mu.Lock()
	done := x.mistake
	x.mu.Unlock()
	body := []any{web.Text("A household shares one phone. " + name + " noticed one member of it, two platforms noticed the accounts of another. The phone links them, and the rule is met: a lead about people of whom one has done nothing. The simulation planted it, so that there is one mistake in every world.")}
	switch {
	case done != nil:
		body = append(body, x.corrected(*done)...)
	case !held.Live:
		body = append(body, web.Notice{Tone: web.Good, Title: "The row has been withdrawn.", Text: "It was withdrawn at the desk of " + name + "."})
	case p.Lead == nil:
		body = append(body, web.Notice{Tone: web.Info, Title: "The lead is not ready at the moment", Text: "It has been requested, or has not been in the log for long enough."})
	default:
		body = append(body, leadReady(p), web.Section{Title: "The member finds its mistake", Body: []any{
			web.Text("An analyst at " + name + " sees that " + what.Reason + ". The desk signs a withdrawal of row " + what.Reference + " and sends it to every key holder and to the hub. No one can undo it for them, and no one is told who else held what."),
			web.Actions{{Label: "Withdraw the row as " + name, Href: "/mistake", Post: true, Primary: true, Careful: true}}}})
	}
	view.Data = append(body, web.List{Label: "Look for yourself", Items: x.mistakeLinks(what.Organisation)})
	return x.show(w, r, view)
}

func leadReady(p progress) web.Section {
	sec := leadSection(*p.Lead)
	sec.Title = "Before: the lead is ready"
	return sec
}

func (x *site) corrected(c correction) []any {
	res := c.Result
	return []any{
		web.Notice{Tone: web.Good, Title: "The lead is gone.", Text: "What is left no longer meets the rule. Had it been requested already, the key holders would refuse it now."},
		web.Table{Caption: "Before and after", Columns: []web.Column{{Label: "What"}, {Label: "Before", Numeric: true}, {Label: "After", Numeric: true}}, Rows: []web.Row{
			{Cells: []web.Cell{web.T("Leads ready at the police centre's desk"), web.N(int64(c.Before)), web.N(int64(c.After))}},
			{Cells: []web.Cell{web.T("Key holders that refuse this row"), web.N(0), web.N(int64(len(res.Acks)))}}}},
		web.Text(fmt.Sprintf("%d of 3 key holders have promised under their signature to keep the withdrawal; %d are needed so that the others cannot open it. The hub emptied the box.", len(res.Acks), res.Need)),
	}
}

func (x *site) mistakeLinks(org string) []web.Cell {
	out := []web.Cell{x.deskLink(org, "The desk of "+title(org))}
	for _, h := range x.s.plan.Holders {
		out = append(out, web.L(holderTitle(h.ID)+": what it refuses", h.URL+"/"))
	}
	return out
}

func (x *site) postMistake(w http.ResponseWriter, r *http.Request) error {
	err := x.act(func() error {
		before, err := x.s.inbox(r.Context())
		if err != nil {
			return err
		}
		res, err := x.s.withdraw(r.Context())
		if err != nil {
			return err
		}
		after, err := x.s.inbox(r.Context())
		if err != nil {
			return err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.mistake = &correction{Before: len(before.Leads), After: len(after.Leads), Result: res}
		return nil
	})
	return done(w, r, err, "/mistake", "The withdrawal may have reached some key holders; press the button again for the others.")
}
