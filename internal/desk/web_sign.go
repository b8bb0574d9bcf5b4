package desk

import (
	"net/http"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

// signFields are what every dangerous act asks for: a typed reason, and who is
// at the desk where that was not confirmed lately.
func (s *Site) signFields(r *http.Request) ([]web.Field, error) {
	ok, kind, err := s.desk.fresh(r.Context())
	if err != nil {
		return nil, err
	}
	out := []web.Field{{Kind: web.FieldLong, Name: "reason", Label: "Reason", Value: r.PostFormValue("reason"), MaxLength: maxReason, Lines: 3,
		Help: "Why, in your own words, at least 10 characters. It stays sealed at this desk; what is signed carries its digest."}}
	if !ok {
		out = append(out, web.Field{Kind: web.FieldPassword, Name: "confirm", Label: "This desk's " + string(kind), Autocomplete: "current-password", Account: status(r).Name,
			Help: "Asked again before anything is signed; it counts for five minutes."})
	}
	return out, nil
}

// signs reads what signFields asked for, after form, and says what is wrong.
func (s *Site) signs(r *http.Request) (why string, wrong []web.Problem, err error) {
	why = strings.TrimSpace(r.PostFormValue("reason"))
	if err := checkReason(why); err != nil {
		wrong = append(wrong, web.Problem{Field: "reason", Sentence: fault.Sentence(err)})
	}
	ok, _, err := s.desk.fresh(r.Context())
	if err != nil || ok {
		return why, wrong, err
	}
	switch err := s.desk.Confirm(r.Context(), r.PostFormValue("confirm")); {
	case fault.Is(err, fault.Forbidden):
		wrong = append(wrong, web.Problem{Field: "confirm", Sentence: fault.Sentence(err)})
	case err != nil:
		return why, wrong, err
	}
	return why, wrong, nil
}

// atFields puts problems at their fields.
func atFields(fields []web.Field, wrong []web.Problem) []web.Field {
	for i := range fields {
		for _, p := range wrong {
			if p.Field == fields[i].Name {
				fields[i].Error = p.Sentence
			}
		}
	}
	return fields
}

// unguarded says that this desk asks nobody who it is.
func (s *Site) unguarded(r *http.Request) []any {
	if _, kind, err := s.desk.fresh(r.Context()); err != nil || kind != stepUpNone {
		return nil
	}
	return []any{web.Notice{Tone: web.Info, Title: "This desk does not ask who signs",
		Text: "A key file unlocks it. Run \"parallax desk step-up\" once, and whoever finds this page open cannot sign."}}
}

// entries show what an act will write, before it is signed.
func entries(own Read, logged any) web.Disclosure {
	body := []any{web.Code{Label: "A line of this desk's own log, before anything is signed; number, time and digests are set then", Text: jsonText(own)}}
	if logged != nil {
		body = append(body, web.Code{Label: "The entry of the pool's log, which everybody can check and nobody can read a name from", Text: jsonText(logged)})
	} else {
		body = append(body, web.Text("The pool's log gets its entry when both approvals are there."))
	}
	return web.Disclosure{Label: "Show the log entries that this will write", Holds: "Holds ids and digests. No identifier, no reason.", Open: true, Body: body}
}

func jsonText(v any) string {
	raw, err := signed.Marshal(v)
	if err != nil {
		return "cannot be shown"
	}
	return indented(raw)
}

// requestEntry is what the log takes when this approval is the second.
func requestEntry(m opening.Manifest, request opening.Hash, had []signed.Object) any {
	rec := opening.RequestRecord{Type: "request", Pool: m.Pool, Request: request, Approvals: []opening.Hash{}}
	for _, a := range had {
		rec.Approvals = append(rec.Approvals, opening.Digest(a.Body))
	}
	rec.Approvals = append(rec.Approvals, opening.Hash{}) // this one: not signed yet
	return rec
}
