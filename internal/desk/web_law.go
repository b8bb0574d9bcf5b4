package desk

import (
	"net/http"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/law"
	"parallax/internal/web"
)

// routes answers a question about law on this computer: it asks nobody, and needs
// no desk.
func (s *Site) routes(w http.ResponseWriter, r *http.Request) error {
	day := s.clock.Now().UTC().Format("2006-01-02")
	data, actor, refusal := law.Deployed{}, "", ""
	var err error
	if s.desk == nil {
		data, err = law.Deploy(law.Files{}, day)
	} else {
		data, actor, err = s.desk.Law(r.Context())
		if err != nil { // what counsel signed is over, or does not fit any more
			refusal = fault.Sentence(err)
			data, err = law.Deploy(law.Files{}, day)
		}
	}
	if err != nil {
		return err
	}
	v := r.URL.Query()
	q, code := card.Read(v, day), http.StatusOK
	if !card.Asked(v) {
		q.Question.From = actor
	}
	view := card.Page(data, q, card.Asked(v), "/routes", "", s.clock.Now(), nil)
	if view.Problems != nil {
		code = http.StatusUnprocessableEntity
	}
	if refusal != "" {
		view.Notice = &web.Notice{Tone: web.Wait, Title: "Your counsel's law data cannot be used", Text: refusal + " The built-in rows answer instead."}
	}
	return s.blocks(w, r, code, view)
}

// blocks says under which answer of the member's counsel a submission goes.
func (l LawState) blocks() web.Section {
	to := l.To
	if to == "" {
		to = "another version"
	}
	return web.Section{ID: "gateway", Title: "Under which law", Body: []any{web.Facts{
		{Label: "Decision of the gateway", Value: web.Cell{Text: l.Decision, Code: true, Note: l.Actor + " to the pool under " + strings.Join(l.Route, ", then ")}},
		{Label: "Facts", Value: web.Cell{Text: strings.Join(l.Facts, ", "), Note: "asserted by " + l.FactsBy}},
		{Label: "Signed by", Value: web.Cell{Text: strings.Join(l.SignedBy, " and "), Note: "effective " + l.From + " to " + to}},
		{Label: "Law data", Value: web.Cell{Text: l.Version, Note: l.Review}}}}}
}
