package desk

import (
	"net/http"

	"parallax/internal/web"
)

// today says what needs this person; it asks nobody outside this computer.
func (s *Site) today(w http.ResponseWriter, r *http.Request) error {
	st := status(r)
	view := web.View{Title: "Today", Question: "What needs me?"}
	if !st.Joined {
		view.Data = s.beginnerBlocks(st)
		return s.blocks(w, r, http.StatusOK, view)
	}
	var body []any
	if st.Contributes {
		blocks, err := s.contributorBlocks(r)
		if err != nil {
			return err
		}
		body = append(body, blocks...)
	}
	if !st.Admitted {
		body = append(body, web.Notice{Tone: web.Wait, Title: "The manifest does not list this desk",
			Text: "Ask the pool's governance to admit the card that \"parallax desk init\" printed, then run \"parallax desk join\" again. Checking files works meanwhile."})
	}
	view.Data = body
	return s.blocks(w, r, http.StatusOK, view)
}

// beginnerBlocks is the first page of one who has joined nothing.
func (s *Site) beginnerBlocks(st Status) []any {
	next := "Nothing more is needed to check files. To take part in a pool, run \"parallax desk init\" and \"parallax desk join\" when your organisation is ready."
	if st.Name != "" {
		next = "This desk has keys and has joined no pool. Run \"parallax desk join\" when your organisation is ready."
	}
	return []any{
		web.Section{Title: "Begin here", Body: []any{
			web.Text("See what a file of your own would contribute: which identifiers are usable, which are placeholders or shared values, which cannot be read. It works offline, sends nothing and keeps nothing."),
			web.Actions{{Label: "Check a file", Href: "/check", Primary: true}}}},
		web.Section{Title: "Joining later", Body: []any{web.Text(next)}},
	}
}

func (s *Site) contributorBlocks(r *http.Request) ([]any, error) {
	list, err := s.desk.Sent(r.Context())
	if err != nil {
		return nil, err
	}
	needs := web.List{Label: "What needs you", Empty: web.Empty{What: "Nothing needs you now.",
		When: "Unfinished submissions and contributions without a proof appear here.", Action: &web.Link{Label: "Check a file", Href: "/check"}}}
	unproved := 0
	for _, x := range list {
		if !x.Received.IsZero() && x.Proof == "" {
			unproved++
		}
	}
	if unproved > 0 {
		needs.Items = append(needs.Items, web.Cell{Text: web.Number(int64(unproved)) + " contributions have a receipt and no proof yet", Href: "/sent",
			Note: "Proofs follow when the log has grown; fetch them and they are verified here."})
	}
	return []any{web.Section{Title: "What needs you", Body: []any{needs}}}, nil
}
