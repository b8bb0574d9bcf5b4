package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
)

// corrections that a contributor can choose, in the order shown.
var correctKinds = []web.Option{
	{Value: opening.DenyFreeze, Label: "Freeze: we are looking into it", Help: "Nothing of it opens or counts until you decide, within 30 days."},
	{Value: opening.DenyAmend, Label: "Amend: the row that we submitted last takes the place of the earlier ones", Help: "Submit the corrected row under the same reference first."},
	{Value: opening.DenyRevoke, Label: "Revoke: it was wrong", Help: "It never counts again. This cannot be taken back."},
	{Value: opening.DenyUphold, Label: "Uphold: we looked, it stands", Help: "Lifts your own freeze."},
}

func (s *Site) correctForm(w http.ResponseWriter, r *http.Request) error {
	return s.showCorrect(w, r, http.StatusOK, Correction{Kind: opening.DenyFreeze, Reference: r.URL.Query().Get("reference")}, nil)
}

func (s *Site) showCorrect(w http.ResponseWriter, r *http.Request, code int, c Correction, wrong error) error {
	f := web.Form{Label: "Correct", Action: "/correct/review", Submit: "Show what would be signed", Cancel: "/sent",
		Fields: []web.Field{
			{Name: "reference", Label: "Case reference", Value: c.Reference, MaxLength: 200, Help: "As it was in the file: it stands for everything that was submitted under it."},
			{Name: "kind", Kind: web.FieldRadios, Label: "What is to happen", Value: c.Kind, Options: correctKinds},
			{Name: "reason", Kind: web.FieldLong, Label: "Reason", Value: c.Reason, MaxLength: 400, Help: "Key holders and whoever read the observations get it. Name no person and no identifier."},
		},
		Note: "The next page shows the act that would be signed. Nothing happens yet."}
	view := web.View{Title: "Correct", Question: "How do we put right what we reported?"}
	if wrong != nil {
		view.Problems = []web.Problem{{Field: "reference", Sentence: sentence(wrong)}}
	}
	view.Data = []any{web.Split{Main: []any{f}, Side: []any{web.Section{Title: "Whom it reaches", Body: []any{web.Terms{
		{Name: "Key holders", Meaning: "Each keeps the act and refuses to open what it names."},
		{Name: "The hub", Meaning: "Leaves the observations out, logs the act, and sends it again to every key holder that did not answer."},
		{Name: "Whoever has read them", Meaning: "Gets the act within the hour, hides what it names and signs a receipt. You are not told whether there is anybody: that would tell you what matched."},
	}}}}}}
	return s.blocks(w, r, code, view)
}

// correctionForm reads the posted form.
func correctionForm(w http.ResponseWriter, r *http.Request) (Correction, error) {
	if err := form(w, r); err != nil {
		return Correction{}, err
	}
	c := Correction{Kind: r.PostFormValue("kind"), Reference: strings.TrimSpace(r.PostFormValue("reference")), Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	known := false
	for _, o := range correctKinds {
		known = known || o.Value == c.Kind
	}
	switch {
	case c.Reference == "":
		return c, invalid("type the case reference")
	case !known:
		return c, invalid("choose what is to happen")
	case c.Reason == "" || len(c.Reason) > 1000:
		return c, invalid("type a reason of at most 400 characters")
	}
	return c, nil
}

// correctReview shows the act that would be signed.
func (s *Site) correctReview(w http.ResponseWriter, r *http.Request) error {
	c, err := correctionForm(w, r)
	if err != nil {
		return s.showCorrect(w, r, http.StatusUnprocessableEntity, c, err)
	}
	den, m, err := s.desk.correction(r.Context(), c)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
		return s.showCorrect(w, r, http.StatusUnprocessableEntity, c, err)
	}
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(den, "", "  ")
	if err != nil {
		return err
	}
	facts := web.Facts{{Label: "Case reference", Value: web.T(c.Reference)}, {Label: "Observations", Value: web.N(int64(len(den.Labels)))}}
	if len(den.Instead) > 0 {
		facts = append(facts, web.Fact{Label: "Take their place", Value: web.N(int64(len(den.Instead)))})
	}
	facts = append(facts, web.Fact{Label: "Goes to", Value: web.Tf("%d key holders and the hub", len(m.Manifest.Holders))},
		web.Fact{Label: "Done when", Value: web.Tf("%d of %d key holders have acknowledged it", len(m.Manifest.Holders)-m.Manifest.Quorum+1, len(m.Manifest.Holders))})
	f := web.Form{Label: correctionWords[c.Kind], Action: "/correct", Submit: "Sign and send", Careful: c.Kind == opening.DenyRevoke || c.Kind == opening.DenyAmend, Cancel: "/correct",
		Hidden: []web.Hidden{{Name: "reference", Value: c.Reference}, {Name: "kind", Value: c.Kind}, {Name: "reason", Value: c.Reason}}}
	if f.Careful {
		f.Note = "This cannot be taken back."
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Correct " + observations(len(den.Labels)), Question: "Is this what is to be put right?",
		Crumbs: []web.Link{{Label: "Correct", Href: "/correct"}},
		Data:   []any{facts, web.Code{Label: "The act that this desk signs; its time and nonce are drawn when it does", Text: string(raw)}, f}})
}

// correct signs the act and shows who keeps it.
func (s *Site) correct(w http.ResponseWriter, r *http.Request) error {
	c, err := correctionForm(w, r)
	if err != nil {
		return s.showCorrect(w, r, http.StatusUnprocessableEntity, c, err)
	}
	x, err := s.desk.Correct(r.Context(), c)
	if err != nil {
		return err
	}
	return s.showSpread(w, r, x, spread{title: "Correction", done: correctionWords[c.Kind] + ": " + observations(x.Observations), back: web.Link{Label: "Correct", Href: "/correct"},
		again: web.Action{Label: "Send it again", Href: "/correct", Post: true, Primary: true, Hidden: []web.Hidden{{Name: "reference", Value: c.Reference}, {Name: "kind", Value: c.Kind}, {Name: "reason", Value: c.Reason}}}})
}

// spread is what a page says around how far an act has come.
type spread struct {
	title, done string
	back        web.Link
	again       web.Action
}

// showSpread shows which key holders keep an act.
func (s *Site) showSpread(w http.ResponseWriter, r *http.Request, x Withdrawal, say spread) error {
	list := web.List{Label: "Acknowledgements"}
	for _, id := range x.Acks {
		list.Items = append(list.Items, web.Cell{Text: id, Badges: []web.Badge{{Tone: web.Good, Text: "Keeps it"}}})
	}
	for _, text := range x.Failed {
		list.Items = append(list.Items, web.Cell{Text: text, Badges: []web.Badge{{Tone: web.Wait, Text: "Not reached"}}})
	}
	n := web.Notice{Tone: web.Good, Title: say.done, Text: "So many key holders keep it that the others cannot open anything against it."}
	body := []any{web.Meter{Label: "Acknowledgements needed", Done: min(len(x.Acks), x.Need), Total: x.Need}, list}
	if !x.Done || !x.Hub {
		n = web.Notice{Tone: web.Wait, Title: "Not done yet", Text: fmt.Sprintf("%d of the %d key holders needed keep it; the hub took it: %s. Send it again to the others.", len(x.Acks), x.Need, map[bool]string{true: "yes", false: "no"}[x.Hub])}
		body = append(body, web.Actions{say.again})
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: say.title, Question: "Does everybody know?", Notice: &n, Crumbs: []web.Link{say.back}, Data: body})
}

// refer notes to whom an opened lead was passed on.
func (s *Site) refer(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	if _, err := s.desk.Refer(r.Context(), r.PathValue("id"), strings.TrimSpace(r.PostFormValue("to")), strings.TrimSpace(r.PostFormValue("how"))); err != nil {
		return err
	}
	return web.Redirect(w, r, "/openings/"+r.PathValue("id"))
}

// referBlocks lists to whom a lead was passed on, and takes the next one.
func (s *Site) referBlocks(r *http.Request, id string) (web.Section, error) {
	refs, err := s.desk.Referrals(r.Context(), id)
	if err != nil {
		return web.Section{}, err
	}
	list := web.List{Label: "Passed on to", Empty: web.Empty{What: "Nobody is noted.", When: "Note everybody to whom this lead, or a part of it, is passed on.", Good: "A correction then says whom to tell."}}
	for _, x := range refs {
		list.Items = append(list.Items, web.Cell{Text: x.To, Note: x.How})
	}
	return web.Section{ID: "passed-on", Title: "Passed on to", Body: []any{list,
		web.Form{ID: "refer", Label: "Note a recipient", Action: "/openings/" + id + "/referrals", Submit: "Note it", Fields: []web.Field{
			{Name: "to", Label: "Recipient", MaxLength: 200, Help: "A body, never a person."},
			{Name: "how", Label: "How", MaxLength: 400, Help: "The channel and the reference of the message."}}}}}, nil
}
