package desk

import (
	"net/http"
	"strings"

	"parallax/internal/web"
	"parallax/opening"
)

// outcomes shows what this organisation's contributions led to, as far as the
// authority released it.
func (s *Site) outcomes(w http.ResponseWriter, r *http.Request) error {
	list, asked, err := s.desk.Outcomes(r.Context())
	if err != nil {
		return err
	}
	t := web.Table{Caption: "What your contributions led to", Columns: web.Cols("Outcome", "Own reference", "Conditions", "Lawful route"),
		Note: "Only what the authority has released to you. It says nothing of anybody else.",
		Empty: web.Empty{What: "Nothing has been released to this organisation.", When: "An outcome appears here once the authority has released it under a lawful route; many never can be.",
			Good: "Empty says nothing: most contributions match nothing, and some outcomes must not be told."}}
	for _, o := range list {
		var says []string
		for _, c := range o.Conditions {
			says = append(says, opening.Conditions.Says(c))
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(o.Says), web.T(strings.Join(o.References, ", ")), web.T(strings.Join(says, "; ")), {Text: o.Gateway, Code: true}}})
	}
	last := "This desk has not asked yet."
	if !asked.IsZero() {
		last = "Asked last on " + web.Moment(asked) + "."
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Outcomes", Question: "What did our contributions lead to?",
		Data: []any{t, web.Text(last + " Every member gets a digest of the same length, whether or not anything is in it, and it changes at the pool's release times only."),
			web.Actions{{Label: "Ask for the digest", Href: "/outcomes/fetch", Post: true, Primary: true}}}})
}

func (s *Site) fetchOutcomes(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.desk.FetchOutcomes(r.Context()); err != nil {
		return web.NotDone(err, "What was kept before stays.")
	}
	return web.Redirect(w, r, "/outcomes")
}
