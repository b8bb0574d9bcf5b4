package desk

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
)

// sentState is where a contribution stands, in words.
func (s Sent) state() web.Badge {
	switch {
	case s.Received.IsZero():
		return web.Badge{Tone: web.Wait, Text: "Kept here, not sent yet"}
	case s.Proof == "":
		return web.Badge{Tone: web.Info, Text: "Receipt, proof to follow"}
	}
	return web.Badge{Tone: web.Good, Text: "Proved in the log"}
}

func (s *Site) sent(w http.ResponseWriter, r *http.Request) error {
	list, err := s.desk.Sent(r.Context())
	if err != nil {
		return err
	}
	line := web.Timeline{Label: "Contributions, the newest first", Empty: web.Empty{
		What: "What this desk has sent appears here, with the hub's signed receipts.", When: "It appears when a file is submitted.",
		Good: "Empty is as it should be until a person has confirmed a suspicion.", Action: &web.Link{Label: "Check a file", Href: "/check"}}}
	unsent, unproved := 0, 0
	for _, x := range list {
		badge := x.state()
		e := web.Event{At: x.Made, Title: observations(x.Observations), Badge: &badge, Link: &web.Link{Href: "/sent/" + x.ID}}
		switch {
		case x.Received.IsZero():
			unsent++
			e.Text = "The hub has not acknowledged it. The same bytes are sent again; nothing is stored twice."
		case x.Proof == "":
			unproved++
			e.Text = "Acknowledged " + web.Moment(x.Received) + ". The hub promises to log it at its next tick."
		default:
			e.Text = "Acknowledged " + web.Moment(x.Received) + "."
		}
		line.Events = append(line.Events, e)
	}
	body := []any{web.Text("A receipt is the hub's signed promise. A proof shows that the promise was kept: the contribution is in the log that the key holders witness. Whether anybody else holds the same identifiers is never shown to a contributor.")}
	var acts web.Actions
	if unproved > 0 {
		acts = append(acts, web.Action{Label: "Fetch and verify proofs", Href: "/sent/proofs", Post: true, Primary: true})
	}
	if len(list) > 0 {
		acts = append(acts, web.Action{Label: "Download this list as CSV", Href: "/sent/list.csv"})
		body = append(body, acts)
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Sent", Question: "What have we sent, and what came of it?", Data: append(body, line)})
}

func observations(n int) string {
	if n == 1 {
		return "1 observation"
	}
	return web.Number(int64(n)) + " observations"
}

// fetchProofs asks the hub for the proofs that are missing.
func (s *Site) fetchProofs(w http.ResponseWriter, r *http.Request) error {
	_, pending, err := s.desk.Receipts(r.Context(), filepath.Join(s.desk.dir, receiptsDir))
	if err != nil {
		return web.NotDone(err, "No further proof was saved. What was saved before stays.")
	}
	if pending > 0 {
		return s.blocks(w, r, http.StatusOK, web.View{Title: "Proofs", Question: "Are our contributions in the log?",
			Crumbs: []web.Link{{Label: "Sent", Href: "/sent"}}, Data: []any{web.Notice{Tone: web.Wait,
				Title: fmt.Sprintf("%d of them are not in the witnessed log yet.", pending),
				Text:  "Contributions are logged at the next tick, then witnessed. Ask again later.", Links: []web.Link{{Label: "Back to what was sent", Href: "/sent"}}}}})
	}
	return web.Redirect(w, r, "/sent")
}

func (s *Site) sentOne(w http.ResponseWriter, r *http.Request) error {
	x, err := s.desk.sentOne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	badge := x.state()
	facts := web.Facts{{Label: "State", Value: web.Cell{Badges: []web.Badge{badge}}}, {Label: "Observations", Value: web.N(int64(x.Observations))},
		{Label: "Kept here", Value: web.At(x.Made)}}
	var body []any
	if !x.Received.IsZero() {
		facts = append(facts, web.Fact{Label: "Acknowledged by the hub", Value: web.At(x.Received)},
			web.Fact{Label: "Batch root", Value: web.Cell{Code: true, Text: x.Root.String()}})
	}
	if x.Proof != "" {
		more, checks := provedBlocks(x.Proof)
		facts = append(facts, more...)
		body = append(body, checks, web.Actions{{Label: "Download the receipt with its proof", Href: "/sent/" + x.ID + "/receipt.json", Primary: true}},
			web.Text("Anybody can check the file without a network: parallax verify receipt.json"))
	}
	return s.blocks(w, r, http.StatusOK, web.View{Title: observations(x.Observations) + " of " + web.Day(x.Made), Question: "Is this in the log?",
		Crumbs: []web.Link{{Label: "Sent", Href: "/sent"}}, Data: append([]any{facts}, body...)})
}

// provedBlocks verifies the saved proof now, from the file alone.
func provedBlocks(path string) (web.Facts, web.Checks) {
	checks := web.Checks{Label: "Verified on this computer just now"}
	v, err := VerifyReceipt(path, opening.Hash{})
	if err != nil {
		checks.Items = []web.Check{{Label: "The saved proof", State: web.CheckFails, Note: err.Error()}}
		return nil, checks
	}
	for _, label := range []string{"All key holders signed the key ceremony", "Governance signed the manifest", "The hub signed the receipt",
		"The key holders' quorum witnessed the checkpoint", "The contribution is in the witnessed log"} {
		checks.Items = append(checks.Items, web.Check{Label: label, State: web.CheckHolds})
	}
	return web.Facts{{Label: "Log entry", Value: web.Tf("%s of %s", web.Number(v.Leaf+1), web.Number(v.LogSize))},
		{Label: "Key ceremony", Value: web.Cell{Code: true, Text: v.Pin.String(), Note: "Compare it with what the key holders published."}}}, checks
}

func (s *Site) receiptFile(w http.ResponseWriter, r *http.Request) error {
	x, err := s.desk.sentOne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if x.Proof == "" {
		return fault.New(fault.Conflict, "The proof of this contribution is not here yet; fetch it first.")
	}
	raw, err := os.ReadFile(x.Proof)
	if err != nil {
		return err
	}
	return download(w, filepath.Base(x.Proof), "application/json", raw)
}

func (s *Site) sentCSV(w http.ResponseWriter, r *http.Request) error {
	list, err := s.desk.Sent(r.Context())
	if err != nil {
		return err
	}
	rows := [][]string{{"kept", "acknowledged", "observations", "batch_root", "state"}}
	for _, x := range list {
		received, root := "", ""
		if !x.Received.IsZero() {
			received, root = x.Received.Format(time.RFC3339), x.Root.String()
		}
		rows = append(rows, []string{x.Made.Format(time.RFC3339), received, fmt.Sprint(x.Observations), root, x.state().Text})
	}
	return downloadCSV(w, "sent.csv", rows)
}
