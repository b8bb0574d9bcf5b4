package gateway

import (
	"net/http"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/gateway/card"
)

// PathRoute is where machines ask the question.
const PathRoute = "/api/v1/gateway/route"

// AnswerRoute answers as the command line does, with exactly the contract's keys;
// full=1 adds titles, citations and the explanation. Any answer is a success; a
// question that cannot be read is not. It is open to everybody: a question tells
// of no case, and the rows that answer it are the policy of this hub.
func (s *Service) AnswerRoute(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	if !card.Asked(v) {
		return fault.New(fault.Invalid, "Ask with from, to, holds, wants, purpose, facts and as_of; lists with commas.")
	}
	x, err := card.Ask(s.Law(), card.Read(v, s.today()))
	if err != nil {
		return err
	}
	if v.Get("full") != "" {
		return api.WriteJSON(w, http.StatusOK, x.Answer)
	}
	return api.WriteJSON(w, http.StatusOK, x.Answer.Contract())
}
