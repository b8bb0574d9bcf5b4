package desk

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

// openings lists what the rule has made ready and what was requested.
func (s *Site) openings(w http.ResponseWriter, r *http.Request) error {
	in, err := s.desk.Inbox(r.Context())
	if err != nil {
		return err
	}
	m, _, who, err := s.desk.approver(r.Context())
	if err != nil {
		return err
	}
	asks := who.Role == opening.RoleAuthority
	return s.blocks(w, r, http.StatusOK, web.View{Title: "Openings", Question: "Which sealed matches may be opened?",
		Data: []any{requestedTable(m.Manifest, who.ID, in.Openings), readyTable(in.Leads, asks)}})
}

func readyTable(leads []client.Lead, asks bool) web.Table {
	t := web.Table{Caption: "Ready leads", Columns: web.Cols("Lead", "Ready since", "Observations", "Playbook"),
		Note: "A lead is an opaque number: what is in it stays sealed. Only what meets the rule is here; nothing below it is ever shown.",
		Empty: web.Empty{What: "No lead is ready.", When: "A lead appears when the observations of enough independent organisations meet the opening rule.",
			Good: "Empty is no failure: it also means that nothing opens on too little."}}
	for _, l := range leads {
		id := web.Cell{Text: short(l.ID, 12), Code: true}
		if asks {
			id.Href = "/leads/" + l.ID
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{id, web.At(time.UnixMicro(l.Ready)), web.N(int64(len(l.Labels))), {Badges: []web.Badge{playbookBadge(l.Playbook)}}},
			Why: conditionsText(l.Conditions), Tone: web.Plain})
	}
	return t
}

func conditionsText(list []opening.Condition) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = fmt.Sprintf("%s: %d of %d", c.Name, c.Have, c.Need)
	}
	return capital(strings.Join(parts, "; ")) + "."
}

func playbookBadge(name string) web.Badge {
	if name == opening.PlaybookChildPossible {
		return web.Badge{Tone: web.Wait, Text: "Could this be a child?"}
	}
	return web.Badge{Tone: web.Plain, Text: "Standard"}
}

func stateBadge(state string) web.Badge {
	tone := web.Wait
	switch state {
	case "released", "outcome_released":
		tone = web.Good
	case "closed":
		tone = web.Plain
	}
	text := capital(state)
	if vocab.LeadStates.Has(state) {
		text = vocab.LeadStates.Label(state)
	}
	return web.Badge{Tone: tone, Text: text}
}

// handledState is how far an opening is, steps after its release included.
// They are verified on the page of what comes next.
func handledState(o client.OpeningState, playbook string) string {
	var c opening.Case
	for _, x := range o.Handling {
		var h opening.Handling
		if err := json.Unmarshal(x.Body, &h); err != nil {
			return o.State
		}
		next, err := c.Next(h, opening.Digest(x.Body), playbook)
		if err != nil {
			return o.State
		}
		c = next
	}
	if len(o.Handling) == 0 {
		return o.State
	}
	return c.State()
}

// signedBy reports whether an approver has approved already.
func signedBy(o client.OpeningState, id string) bool {
	return slices.ContainsFunc(o.Approvals, func(a signed.Object) bool { return a.Key == id })
}

func requestedTable(m opening.Manifest, me string, list []client.OpeningState) web.Table {
	t := web.Table{Caption: "Requested openings", Columns: web.Cols("Opening", "State", "Purpose", "Approvals", "Key holders"),
		Empty: web.Empty{What: "Nothing has been requested.", When: "A request by an approver of the authority appears here for both approvers to look at."}}
	for _, o := range list {
		var req opening.Request
		_ = json.Unmarshal(o.Request.Body, &req) // verified on the opening's own page
		row := web.Row{Cells: []web.Cell{{Text: short(o.ID, 12), Code: true, Href: "/openings/" + o.ID}, {Badges: []web.Badge{stateBadge(handledState(o, req.Playbook))}},
			web.T(req.Purpose), web.Tf("%d of 2", min(len(o.Approvals), 2)), web.Tf("%d released, %d needed", released(o), m.Quorum)}}
		if o.State == "requested" && !signedBy(o, me) {
			row.Tone, row.Why = web.Wait, "It waits for your approval."
		} else if o.State == "released" {
			row.Why = "It can be read at the authority's desk."
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func released(o client.OpeningState) int {
	n := 0
	for _, h := range o.Holders {
		if h.State == "released" {
			n++
		}
	}
	return n
}

// opening shows one opening: exactly what is signed, and how far it is.
func (s *Site) opening(w http.ResponseWriter, r *http.Request) error {
	return s.showOpening(w, r, http.StatusOK, nil)
}

func (s *Site) showOpening(w http.ResponseWriter, r *http.Request, code int, wrong []web.Problem) error {
	m, _, who, err := s.desk.approver(r.Context())
	if err != nil {
		return err
	}
	before, err := s.desk.Waiting(r.Context()) // first, so that what moves meanwhile is noticed
	if err != nil {
		return err
	}
	o, err := s.desk.opening(r.Context(), m, r.PathValue("id"))
	if err != nil {
		return err
	}
	req, digest, refusedBy := opening.OpenRequest(m.Manifest, o.Request, s.clock.Now())
	at := "/openings/" + o.ID
	view := web.View{Title: "Opening " + short(o.ID, 12), Question: "May this be opened?", Problems: wrong, Crumbs: []web.Link{{Label: "Openings", Href: "/openings"}}}
	ended := o.State == "released" || o.State == "closed"
	var body []any
	if refusedBy != nil && !ended {
		body = append(body, web.Notice{Tone: web.Stop, Title: "This desk refuses the request", Text: sentence(invalid("%s", refusedBy.Error()))})
	}
	body = append(body, openingSteps(m.Manifest, o))
	if !ended {
		body = append(body, web.Poll{URL: at + "/state", Version: before.Version, Seconds: 15, Text: "Waiting for approvals, the log and key holders.", Again: at})
	}
	if o.State == "released" && who.Role == opening.RoleAuthority {
		body = append(body, readBlocks(at, req))
		passed, err := s.referBlocks(r, o.ID)
		if err != nil {
			return err
		}
		body = append(body, passed)
	}
	body = append(body, requestFacts(req, digest, o.Request.Key))
	if refusedBy == nil && o.State == "requested" && !signedBy(o, who.ID) {
		decision, err := s.approveBlocks(r, m.Manifest, at, o, digest, req, wrong)
		if err != nil {
			return err
		}
		body = append(body, decision)
	}
	if o.ReviewBy > 0 {
		review, err := s.reviewBlocks(r, at, o, who, wrong)
		if err != nil {
			return err
		}
		body = append(body, review)
	}
	body = append(body, holdersTable(m.Manifest, o))
	view.Data = append(body, web.Disclosure{Label: "Show the exact bytes that are signed", Holds: "Holds labels, purpose, legal basis, times. No identifier.",
		Body: []any{web.Code{Label: "The request as it was signed", Text: indented(o.Request.Body)}}})
	return s.blocks(w, r, code, view)
}

func indented(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}

// openingState says whether anything has moved. It reads no opening, so that
// asking every few seconds leaves no entry in the hub's log.
func (s *Site) openingState(w http.ResponseWriter, r *http.Request) error {
	now, err := s.desk.Waiting(r.Context())
	if err != nil {
		return err
	}
	return s.kit.Poll(w, web.PollState{Version: now.Version, Text: "Waiting for approvals, the log and key holders.", Done: !now.Any})
}

// openingSteps is how far it is.
func openingSteps(m opening.Manifest, o client.OpeningState) web.Steps {
	order := []string{"requested", "approved", "logged", "released"}
	at := slices.Index(order, o.State)
	steps := []web.Step{{Label: "Requested by the authority"}, {Label: "Approved by the authority and an oversight body", Note: approvalsText(m, o)},
		{Label: "In the witnessed log"}, {Label: fmt.Sprintf("Released by %d of %d key holders", m.Quorum, len(m.Holders)), Note: fmt.Sprintf("%d so far", released(o))}}
	for i := range steps {
		switch {
		case i <= at:
			steps[i].State = web.StepDone
		case o.State == "closed":
			steps[i].State = web.StepStopped
		case i == at+1:
			steps[i].State = web.StepCurrent
		default:
			steps[i].State = web.StepWaiting
		}
	}
	if o.State == "closed" {
		steps[0].State = web.StepDone
	}
	return web.Steps{Label: "How far the opening is", Steps: steps}
}

func approvalsText(m opening.Manifest, o client.OpeningState) string {
	var who []string
	for _, a := range o.Approvals {
		if p, ok := m.Approver(a.Key); ok {
			who = append(who, p.Entity+" ("+p.Role+")")
		}
	}
	if who == nil {
		return "nobody yet"
	}
	return strings.Join(who, ", ")
}

func requestFacts(req opening.Request, digest opening.Hash, by string) web.Section {
	return web.Section{Title: "What is signed", Body: []any{web.Facts{
		{Label: "Requested by", Value: web.T(by)}, {Label: "Observations to open", Value: web.N(int64(len(req.Labels)))},
		{Label: "Purpose", Value: web.T(req.Purpose)}, {Label: "Legal basis", Value: web.T(req.LegalBasis)}, {Label: "Recipient", Value: web.T(req.Recipient)},
		{Label: "Playbook", Value: web.Cell{Badges: []web.Badge{playbookBadge(req.Playbook)}}},
		{Label: "Window", Value: windowCell(req)},
		{Label: "Signed", Value: web.At(time.UnixMicro(req.Time))}, {Label: "Lapses", Value: web.At(time.UnixMicro(req.Expires))},
		{Label: "Digest", Value: web.Cell{Code: true, Text: digest.String(), Note: "An approval covers these bytes and no others: any edit voids it."}}}}}
}

func windowCell(req opening.Request) web.Cell {
	if req.Emergency == "" {
		return web.T("the full delay")
	}
	return web.Cell{Badges: []web.Badge{{Tone: web.Wait, Text: "Break-glass"}}, Note: opening.EmergencyGrounds[req.Emergency]}
}

func (s *Site) approveBlocks(r *http.Request, m opening.Manifest, at string, o client.OpeningState, digest opening.Hash, req opening.Request, wrong []web.Problem) (web.Section, error) {
	fields, err := s.signFields(r)
	if err != nil {
		return web.Section{}, err
	}
	body := []any{}
	if req.Emergency != "" {
		body = append(body, web.Notice{Tone: web.Wait, Title: "This request breaks the glass", Text: "Ground: " + opening.EmergencyGrounds[req.Emergency] + ". Its window is shorter; all else is as ever, and an oversight approver who did not approve reviews it afterwards."})
	}
	body = append(body, s.unguarded(r)...)
	return web.Section{Title: "Your decision", Body: append(body,
		entries(Read{Who: s.desk.who.ID, Opening: o.ID, Request: digest, Act: "approve"}, requestEntry(m, digest, o.Approvals)),
		web.Form{Label: "Approve", Action: at + "/approve", Submit: "Sign this approval", Careful: true, Cancel: "/openings", Fields: atFields(fields, wrong),
			Hidden: []web.Hidden{{Name: "digest", Value: digest.String()}},
			Note:   fmt.Sprintf("Signs, with this desk's key, that %s may be opened for “%s” under %s. It is written to the public log; key holders still check everything themselves.", observations(len(req.Labels)), req.Purpose, req.LegalBasis)},
		web.Section{Sub: true, Title: "If you do not agree", Body: []any{
			web.Text("Do not sign. An opening without both approvals never reaches the key holders, and the request lapses by itself on " + web.Moment(time.UnixMicro(req.Expires)) + ". There is no message of refusal: nobody has to explain a missing signature. Tell the requester outside of this page what would change your mind."),
			web.Text("Where openings should stop altogether, \"parallax desk halt\" at this desk tells every key holder.")}})}, nil
}

func holdersTable(m opening.Manifest, o client.OpeningState) web.Table {
	t := web.Table{Caption: "Key holders", Columns: web.Cols("Key holder", "Body", "State", "What it says"), Empty: web.Empty{What: "No key holder has been asked yet."}}
	states := make(map[int]client.HolderState)
	for _, h := range o.Holders {
		states[h.Index] = h
	}
	for _, h := range m.Holders {
		st, ok := states[h.Index]
		if !ok {
			st.State = "not asked yet"
		}
		tone := map[string]web.Tone{"released": web.Good, "refused": web.Stop}[st.State]
		if tone == "" {
			tone = web.Wait
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(h.ID), web.T(h.Entity), {Badges: []web.Badge{{Tone: tone, Text: capital(st.State)}}}, web.T(st.Reason)}})
	}
	return t
}

// approve signs exactly what was shown.
func (s *Site) approve(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	var shown opening.Hash
	raw, err := hex.DecodeString(r.PostFormValue("digest"))
	if err != nil || len(raw) != len(shown) {
		return fault.New(fault.Invalid, "The form does not say which request was shown.")
	}
	copy(shown[:], raw)
	why, wrong, err := s.signs(r)
	if err != nil {
		return err
	}
	if wrong != nil {
		return s.showOpening(w, r, http.StatusUnprocessableEntity, wrong)
	}
	if _, err := s.desk.Approve(r.Context(), r.PathValue("id"), why, &shown); err != nil {
		return web.NotDone(err, "The approval was not recorded.")
	}
	return web.Redirect(w, r, "/openings/"+r.PathValue("id"))
}
