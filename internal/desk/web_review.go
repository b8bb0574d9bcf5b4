package desk

import (
	"fmt"
	"net/http"
	"time"

	"parallax/client"
	"parallax/internal/web"
	"parallax/opening"
)

// reviewBlocks is the review of a break-glass opening: what there is, or the
// form of who may write it.
func (s *Site) reviewBlocks(r *http.Request, at string, o client.OpeningState, who opening.Approver, wrong []web.Problem) (web.Section, error) {
	by := time.UnixMicro(o.ReviewBy)
	out := web.Section{Title: "Review of the broken glass"}
	switch {
	case o.Review != nil:
		out.Body = []any{web.Notice{Tone: web.Good, Title: "Reviewed by " + o.Review.Key, Text: "The finding is in what was signed; its reasons are at the reviewer's desk."},
			web.Disclosure{Label: "Show the review as it was signed", Holds: "Holds a finding and digests. No identifier.", Body: []any{web.Code{Label: "The review", Text: indented(o.Review.Body)}}}}
		return out, nil
	case who.Role != opening.RoleOversight || signedBy(o, who.ID):
		out.Body = []any{web.Notice{Tone: web.Wait, Title: "Review due by " + web.Moment(by), Text: "An oversight approver who did not approve this opening reviews it. While a review is overdue no glass is broken again."}}
		return out, nil
	}
	fields, err := s.signFields(r)
	if err != nil {
		return out, err
	}
	f := web.Form{Label: "Review", Action: at + "/review", Submit: "Sign the review", Careful: true, Cancel: "/openings",
		Fields: atFields(append([]web.Field{{Kind: web.FieldRadios, Name: "finding", Label: "Was the harm imminent, as far as could be known?", Value: r.PostFormValue("finding"), Options: []web.Option{
			{Value: opening.ReviewUpheld, Label: "Yes: upheld"}, {Value: opening.ReviewNot, Label: "No: not upheld", Help: "Governance decides what follows; forbidding the glass binds at once."}}}}, fields...), wrong)}
	out.Body = []any{web.Text(fmt.Sprintf("Due by %s. Opened on the ground that is shown above.", web.Moment(by))),
		entries(Read{Who: who.ID, Opening: o.ID, Request: opening.Digest(o.Request.Body), Act: "review"}, handlingEntry{"review", status(r).Pool, "review", opening.Hash{}}), f}
	return out, nil
}

// review signs a finding.
func (s *Site) review(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	why, wrong, err := s.signs(r)
	if err != nil {
		return err
	}
	finding := r.PostFormValue("finding")
	if finding != opening.ReviewUpheld && finding != opening.ReviewNot {
		wrong = append([]web.Problem{{Field: "finding", Sentence: "Choose a finding."}}, wrong...)
	}
	if wrong != nil {
		return s.showOpening(w, r, http.StatusUnprocessableEntity, wrong)
	}
	if err := s.desk.Review(r.Context(), r.PathValue("id"), finding, why); err != nil {
		return web.NotDone(err, "The review was not recorded.")
	}
	return web.Redirect(w, r, "/openings/"+r.PathValue("id"))
}
