package desk

import (
	"fmt"
	"net/http"

	"parallax/internal/web"
	"parallax/opening"
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
	if st.Approves {
		body = append(body, s.approverBlocks(r)...)
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

// contributorBlocks is what a contributor has to do; it asks nobody.
func (s *Site) contributorBlocks(r *http.Request) ([]any, error) {
	list, err := s.desk.Sent(r.Context())
	if err != nil {
		return nil, err
	}
	st, x := status(r), s.lastRun()
	needs := web.List{Label: "What needs you", Empty: web.Empty{What: "Nothing needs you now.",
		When: "Unfinished submissions and contributions without a proof appear here.", Action: &web.Link{Label: "Check a file", Href: "/check"}}}
	switch {
	case x != nil && !x.finished:
		needs.Items = append(needs.Items, web.Cell{Text: "A submission is running: " + x.title, Href: "/submit", Note: x.text()})
	case st.Unsent > 0 || st.OpenBatches > 0:
		needs.Items = append(needs.Items, web.Cell{Text: "A submission is unfinished", Href: "/submit", Note: "It goes on where it stopped; nothing is charged or stored twice."})
	}
	unproved := 0
	for _, c := range list {
		if !c.Received.IsZero() && c.Proof == "" {
			unproved++
		}
	}
	if unproved > 0 {
		needs.Items = append(needs.Items, web.Cell{Text: contributions(unproved) + " with a receipt and no proof yet", Href: "/sent",
			Note: "Proofs follow when the log has grown; fetch them and they are verified here."})
	}
	done := web.Facts{{Label: "Observations sent", Value: web.N(int64(st.Rows))}, {Label: "Contributions with a receipt", Value: web.N(int64(st.Contributions))}}
	return []any{web.Section{Title: "What needs you", Body: []any{needs}}, web.Section{Title: "What this desk has sent", Body: []any{done,
		web.Text("Whether anybody else holds the same identifiers is never shown to a contributor. What the authority releases comes back by its own way.")}}}, nil
}

func contributions(n int) string {
	if n == 1 {
		return "1 contribution"
	}
	return web.Number(int64(n)) + " contributions"
}

// approverBlocks asks the hub what waits for this approver.
func (s *Site) approverBlocks(r *http.Request) []any {
	in, err := s.desk.Inbox(r.Context())
	if err != nil {
		return []any{web.Notice{Tone: web.Wait, Title: "The hub could not be asked what waits", Text: sentence(err)}}
	}
	m, _, who, err := s.desk.approver(r.Context())
	if err != nil {
		return []any{web.Notice{Tone: web.Wait, Title: "This desk cannot approve", Text: sentence(err)}}
	}
	needs := web.List{Label: "What needs you", Empty: web.Empty{What: "Nothing needs you now.", When: "Requests that wait for your approval appear here, and at the authority ready and released leads.",
		Good: "Empty is no failure: nothing opens on too little."}}
	for _, o := range in.Openings {
		item := web.Cell{Text: "Opening " + short(o.ID, 12), Href: "/openings/" + o.ID}
		switch {
		case o.State == "requested" && !signedBy(o, who.ID):
			item.Note = "waits for your approval"
		case o.State == "released" && who.Role == opening.RoleAuthority:
			item.Note = fmt.Sprintf("released by %d of %d key holders; it can be read", released(o), m.Manifest.Quorum)
		default:
			continue
		}
		needs.Items = append(needs.Items, item)
	}
	if n := len(in.Leads); n > 0 && who.Role == opening.RoleAuthority {
		needs.Items = append(needs.Items, web.Cell{Text: fmt.Sprintf("Ready leads: %d", n), Href: "/openings", Note: "their conditions are met; a request needs a purpose and a legal basis"})
	}
	return []any{web.Section{Title: "What needs you", Body: []any{needs}}}
}
