package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/internal/web"
	"parallax/opening"
)

var correctionWords = map[string]string{opening.DenyFreeze: "Frozen", opening.DenyUphold: "Upheld", opening.DenyAmend: "Replaced",
	opening.DenyRevoke: "Revoked", opening.DenyWithdraw: "Withdrawn", opening.DenyThaw: "Freeze lifted by governance"}

// correctedBlocks says what of a lead is shown no more, before what is.
func (l Lead) correctedBlocks() web.Section {
	t := web.Table{ID: "corrected-observations", Caption: "Corrected observations", Columns: web.Cols("What", "By", "When", "Reason", "Observation")}
	for _, h := range l.Corrected {
		who := h.Organisation
		if who == "" {
			who = h.By
		}
		what := web.Cell{Badges: []web.Badge{{Tone: web.Stop, Text: correctionWords[h.Kind]}}}
		if h.Replaced > 0 {
			what.Note = "by " + observations(h.Replaced)
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{what, web.T(who), web.At(time.UnixMicro(h.Time)), web.T(h.Reason), {Code: true, Text: fmt.Sprintf("%x", h.Label[:16])}}})
	}
	return web.Section{ID: "corrected", Title: "Corrected", Body: []any{
		web.Notice{Tone: web.Wait, Title: "Corrected: " + observations(len(l.Corrected)), Text: "They are hidden here and no longer count. Look again whether the rest is enough to act, undo what rested on them, and tell whoever got this lead."},
		t, web.Actions{{Label: "See who has to be told", Href: "/corrections"}}}}
}

// corrections answers: what was put right, and who has to be told?
func (s *Site) corrections(w http.ResponseWriter, r *http.Request) error {
	list, err := s.desk.Corrections(r.Context())
	if err != nil {
		return web.NotDone(err, "Nothing was acknowledged that is not shown.")
	}
	slices.Reverse(list)
	now := s.clock.Now()
	t := web.Table{ID: "corrections", Caption: "Corrections of what this desk could read, the newest first", Columns: web.Cols("Signed", "What", "Observations", "Lead", "Reason", "Passed on to"),
		Empty: web.Empty{What: "What was put right in leads that this desk could read appears here.", When: "A contributor or an approver signs it; the hub delivers it within the hour, and this desk acknowledges it at once.",
			Good: "Empty means that nobody has found a mistake in what was opened."}}
	var untold []web.Option
	for _, c := range list {
		row := web.Row{Cells: []web.Cell{web.At(time.UnixMicro(c.Denial.Time)), {Text: correctionWords[c.Denial.Kind], Note: "by " + c.By}, web.N(int64(len(c.Denial.Labels))),
			leadCell(c), web.T(c.Denial.Reason), toldCell(c, now)}}
		t.Rows = append(t.Rows, row)
		for _, x := range c.Told {
			if x.Time == 0 {
				untold = append(untold, c.option(x, now))
			}
		}
	}
	body := []any{web.Text("Each correction is kept here with its signature, and what it names is hidden from then on. Receipts go to the hub; contributors never learn whether anybody had read it.")}
	if len(untold) > 0 {
		body = append(body, web.Section{Title: "To be told within 1 hour", Body: []any{web.Form{Label: "Note that a recipient was told", Action: "/corrections/told", Submit: "Note it",
			Fields: []web.Field{{Name: "whom", Kind: web.FieldRadios, Label: "Who was told", Value: untold[0].Value, Options: untold},
				{Name: "how", Label: "How", MaxLength: 400, Help: "The channel and the reference of the message. No identifier and no name of a person."}}}}})
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Corrections", Question: "What was put right, and who has to be told?", Data: append(body, t)})
}

func leadCell(c ReceivedCorrection) web.Cell {
	if len(c.Openings) == 0 {
		return web.Cell{}
	}
	out := web.L(short(c.Openings[0], 12), "/openings/"+c.Openings[0])
	if n := len(c.Openings) - 1; n > 0 {
		out.Note = fmt.Sprintf("and %d more", n)
	}
	return out
}

func toldCell(c ReceivedCorrection, now time.Time) web.Cell {
	untold, late := Untold([]ReceivedCorrection{c}, now)
	switch {
	case len(c.Told) == 0:
		return web.T("nobody")
	case late > 0:
		return web.Cell{Badges: []web.Badge{{Tone: web.Wait, Text: fmt.Sprintf("%d of %d not told, late", untold, len(c.Told))}}}
	case untold > 0:
		return web.Cell{Badges: []web.Badge{{Tone: web.Wait, Text: fmt.Sprintf("%d of %d not told yet", untold, len(c.Told))}}}
	}
	return web.Cell{Badges: []web.Badge{{Tone: web.Good, Text: "everybody was told"}}}
}

// option is one recipient to choose, with the correction that it has to hear of.
func (c ReceivedCorrection) option(x Told, now time.Time) web.Option {
	note := "Due " + web.Moment(time.UnixMicro(x.Due)) + "."
	if now.UnixMicro() > x.Due {
		note = "Late since " + web.Moment(time.UnixMicro(x.Due)) + "."
	}
	what := fmt.Sprintf("%s: %s by %s, signed %s", x.To, strings.ToLower(correctionWords[c.Denial.Kind]), c.By, web.Moment(time.UnixMicro(c.Denial.Time)))
	return web.Option{Value: c.ID + " " + x.To, Label: what, Help: note}
}

// told notes that a recipient was told.
func (s *Site) told(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	how := r.PostFormValue("how")
	if how == "" || len(how) > 1000 {
		return invalid("type in a few words how it was told")
	}
	correction, to, _ := strings.Cut(r.PostFormValue("whom"), " ")
	if _, err := s.desk.TellRecipient(r.Context(), correction, to, how); err != nil {
		return err
	}
	return web.Redirect(w, r, "/corrections")
}
