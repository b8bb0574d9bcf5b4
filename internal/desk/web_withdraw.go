package desk

import (
	"encoding/json"
	"net/http"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
)

func (s *Site) withdrawForm(w http.ResponseWriter, r *http.Request) error {
	return s.showWithdraw(w, r, http.StatusOK, "", "", nil)
}

func (s *Site) showWithdraw(w http.ResponseWriter, r *http.Request, code int, ref, reason string, wrong error) error {
	f := web.Form{Label: "Withdraw", Action: "/withdraw/review", Submit: "Show what would be withdrawn", Cancel: "/sent",
		Fields: []web.Field{
			{Name: "reference", Label: "Case reference", Value: ref, MaxLength: 200, Help: "As it was in the file: everything that was submitted under it is withdrawn."},
			{Kind: web.FieldLong, Name: "reason", Label: "Reason", Value: reason, MaxLength: 400, Help: "Key holders keep it. Name no person and no identifier."},
		},
		Note: "The next page shows the entry that would be signed. Nothing is withdrawn yet."}
	view := web.View{Title: "Withdraw", Question: "How do we take back what should not count?"}
	if wrong != nil {
		view.Problems = []web.Problem{{Field: "reference", Sentence: sentence(wrong)}}
	}
	view.Data = []any{web.Split{Main: []any{f}, Side: []any{web.Section{Title: "What a withdrawal does", Body: []any{web.Terms{
		{Name: "Key holders", Meaning: "Each keeps the denial and from then on refuses to open those observations, whoever asks. It is done when so many keep it that the others cannot open without them."},
		{Name: "The hub", Meaning: "Takes the observations out of linking and logs the withdrawal. What it joined falls apart again."},
		{Name: "What stays", Meaning: "The log keeps that something was withdrawn, never what. What an authority has read before stays read: tell it what was wrong."},
	}}}}}}
	return s.blocks(w, r, code, view)
}

// withdrawal reads the posted form.
func withdrawal(w http.ResponseWriter, r *http.Request) (ref, reason string, err error) {
	if err := form(w, r); err != nil {
		return "", "", err
	}
	ref, reason = strings.TrimSpace(r.PostFormValue("reference")), strings.TrimSpace(r.PostFormValue("reason"))
	switch {
	case ref == "":
		return ref, reason, invalid("type the case reference")
	case reason == "" || len(reason) > 1000:
		return ref, reason, invalid("type a reason of at most 400 characters")
	}
	return ref, reason, nil
}

// withdrawReview shows the denial that would be signed.
func (s *Site) withdrawReview(w http.ResponseWriter, r *http.Request) error {
	ref, reason, err := withdrawal(w, r)
	if err != nil {
		return s.showWithdraw(w, r, http.StatusUnprocessableEntity, ref, reason, err)
	}
	den, m, err := s.desk.denial(r.Context(), ref, reason)
	if fault.Is(err, fault.NotFound) {
		return s.showWithdraw(w, r, http.StatusUnprocessableEntity, ref, reason, err)
	}
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(den, "", "  ")
	if err != nil {
		return err
	}
	holders := len(m.Manifest.Holders)
	need := holders - m.Manifest.Quorum + 1
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Withdraw " + observations(len(den.Labels)), Question: "Is this what should not count any more?",
		Crumbs: []web.Link{{Label: "Withdraw", Href: "/withdraw"}},
		Data: []any{
			web.Facts{{Label: "Case reference", Value: web.T(ref)}, {Label: "Observations", Value: web.N(int64(len(den.Labels)))},
				{Label: "Goes to", Value: web.Tf("%d key holders and the hub", holders)},
				{Label: "Done when", Value: web.Tf("%d of %d key holders have acknowledged it", need, holders)}},
			web.Code{Label: "The entry that this desk signs; its time and nonce are drawn when it does", Text: string(raw)},
			web.Form{Label: "Withdraw", Action: "/withdraw", Submit: "Sign and withdraw", Careful: true, Cancel: "/withdraw",
				Hidden: []web.Hidden{{Name: "reference", Value: ref}, {Name: "reason", Value: reason}},
				Note:   "This cannot be taken back. The same row can be submitted again later as a new observation."},
		}})
}

// withdraw signs the denial and shows who keeps it.
func (s *Site) withdraw(w http.ResponseWriter, r *http.Request) error {
	ref, reason, err := withdrawal(w, r)
	if err != nil {
		return s.showWithdraw(w, r, http.StatusUnprocessableEntity, ref, reason, err)
	}
	x, err := s.desk.Withdraw(r.Context(), ref, reason)
	if err != nil {
		return err
	}
	return s.showSpread(w, r, x, spread{title: "Withdrawal", done: "Withdrawn: " + observations(x.Observations), back: web.Link{Label: "Withdraw", Href: "/withdraw"},
		again: web.Action{Label: "Send it again", Href: "/withdraw", Post: true, Primary: true, Hidden: []web.Hidden{{Name: "reference", Value: ref}, {Name: "reason", Value: reason}}}})
}
