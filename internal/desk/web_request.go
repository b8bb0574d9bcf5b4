package desk

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
)

// asker is the member of a desk that may request, with the lead of the address.
func (s *Site) asker(r *http.Request) (client.Member, client.Lead, error) {
	m, _, who, err := s.desk.approver(r.Context())
	if err != nil {
		return m, client.Lead{}, err
	}
	if who.Role != opening.RoleAuthority {
		return m, client.Lead{}, fault.New(fault.Forbidden, "Only an approver of the authority requests openings.")
	}
	l, err := s.desk.lead(r.Context(), m, r.PathValue("lead"))
	return m, l, err
}

// grounds is what somebody chose in the form of a request.
type grounds struct {
	basis     opening.LegalBasis
	playbook  string
	emergency string
}

func (s *Site) requestForm(w http.ResponseWriter, r *http.Request) error {
	m, l, err := s.asker(r)
	if err != nil {
		return err
	}
	return s.showRequest(w, r, http.StatusOK, m, l, grounds{}, nil)
}

func (s *Site) showRequest(w http.ResponseWriter, r *http.Request, code int, m client.Member, l client.Lead, g grounds, wrong []web.Problem) error {
	f := web.Form{Label: "Request", Action: "/leads/" + l.ID + "/review", Submit: "Show what would be signed", Cancel: "/openings",
		Note: "Nothing is signed yet.", Fields: []web.Field{
			{Kind: web.FieldRadios, Name: "basis", Label: "Legal basis and purpose", Value: g.basis.ID, Options: s.bases(m.Manifest),
				Help: "As the pool's manifest lists them. Key holders check that it is listed, valid today and for this purpose and recipient."},
			{Kind: web.FieldRadios, Name: "playbook", Label: "Playbook", Value: playbookOr(g.playbook, l), Options: playbooks(l),
				Help: "How the lead is handled once it is open."},
		}}
	if e := m.Manifest.Emergency; e != nil {
		f.Fields = append(f.Fields, web.Field{Kind: web.FieldRadios, Name: "emergency", Label: "Is harm imminent?", Value: orNone(g.emergency), Options: emergencies(),
			Help: fmt.Sprintf("Breaking the glass shortens the window to %s. It is valid for 24 hours, and an oversight approver who did not approve it reviews it within %s. In that time it may be broken %d times at most.",
				time.Duration(e.OpenSeconds)*time.Second, time.Duration(e.ReviewSeconds)*time.Second, e.Limit)})
	}
	f.Fields = atFields(f.Fields, wrong)
	checks := web.Checks{Label: "Conditions of the rule"}
	for _, c := range l.Conditions {
		state := web.CheckHolds
		if !c.Met {
			state = web.CheckFails
		}
		checks.Items = append(checks.Items, web.Check{Label: fmt.Sprintf("%s: %d, at least %d", capital(c.Name), c.Have, c.Need), State: state})
	}
	return s.blocks(w, r, code, web.View{Title: "Request lead " + short(l.ID, 12), Question: "On what grounds should this be opened?", Problems: wrong,
		Crumbs: []web.Link{{Label: "Openings", Href: "/openings"}},
		Data: []any{web.Split{Main: []any{f}, Side: []any{web.Section{Title: "Why it is ready", Body: []any{checks,
			web.Text("Observations to open: " + web.Number(int64(len(l.Labels))) + ". What they say stays sealed until t key holders have checked and released their shares.")}}}}}})
}

// bases are the legal bases that hold today for this authority.
func (s *Site) bases(m opening.Manifest) []web.Option {
	now := s.clock.Now().UnixMicro()
	var out []web.Option
	for _, b := range m.LegalBases {
		if b.Recipient == m.Authority.ID && b.From <= now && now < b.To {
			out = append(out, web.Option{Value: b.ID, Label: b.ID + ": " + b.Purpose, Help: "Valid until " + web.Day(time.UnixMicro(b.To)) + "."})
		}
	}
	return out
}

func playbookOr(chosen string, l client.Lead) string {
	if chosen == "" || l.Playbook == opening.PlaybookChildPossible {
		return l.Playbook
	}
	return chosen
}

func playbooks(l client.Lead) []web.Option {
	child := web.Option{Value: opening.PlaybookChildPossible, Label: "Could this be a child?", Help: "Protect first: no adverse act on this lead, no export."}
	if l.Playbook == opening.PlaybookChildPossible {
		child.Help += " A linked observation says so; no other playbook is possible."
		return []web.Option{child}
	}
	return []web.Option{{Value: opening.PlaybookStandard, Label: "Standard", Help: "Reports to check, not findings."}, child}
}

// noEmergency is the choice of a request that keeps the full window.
const noEmergency = "none"

func orNone(ground string) string {
	if ground == "" {
		return noEmergency
	}
	return ground
}

func emergencies() []web.Option {
	out := []web.Option{{Value: noEmergency, Label: "No: keep the full window"}}
	for _, code := range slices.Sorted(maps.Keys(opening.EmergencyGrounds)) {
		out = append(out, web.Option{Value: code, Label: opening.EmergencyGrounds[code]})
	}
	return out
}

// chosen reads the posted grounds, once, and says what is wrong with them.
func (s *Site) chosen(w http.ResponseWriter, r *http.Request, m opening.Manifest, l client.Lead) (g grounds, wrong []web.Problem, err error) {
	if err := form(w, r); err != nil {
		return g, nil, err
	}
	for _, x := range m.LegalBases {
		if x.ID == r.PostFormValue("basis") {
			g.basis = x
		}
	}
	if g.basis.ID == "" {
		wrong = append(wrong, web.Problem{Field: "basis", Sentence: "Choose the legal basis."})
	}
	g.playbook = r.PostFormValue("playbook")
	if g.playbook != opening.PlaybookStandard && g.playbook != opening.PlaybookChildPossible ||
		g.playbook != l.Playbook && l.Playbook == opening.PlaybookChildPossible {
		wrong = append(wrong, web.Problem{Field: "playbook", Sentence: "Choose the playbook that this lead allows."})
	}
	if e := r.PostFormValue("emergency"); e != "" && e != noEmergency {
		g.emergency = e
		if m.Emergency == nil || opening.EmergencyGrounds[e] == "" {
			wrong = append(wrong, web.Problem{Field: "emergency", Sentence: "Choose a ground of the list, or none."})
		}
	}
	return g, wrong, nil
}

// requestReview shows what would be signed.
func (s *Site) requestReview(w http.ResponseWriter, r *http.Request) error {
	m, l, err := s.asker(r)
	if err != nil {
		return err
	}
	g, wrong, err := s.chosen(w, r, m.Manifest, l)
	if err != nil {
		return err
	}
	if wrong != nil {
		return s.showRequest(w, r, http.StatusUnprocessableEntity, m, l, g, wrong)
	}
	return s.showReview(w, r, http.StatusOK, m, l, g, nil)
}

func (s *Site) showReview(w http.ResponseWriter, r *http.Request, code int, m client.Member, l client.Lead, g grounds, wrong []web.Problem) error {
	fields, err := s.signFields(r)
	if err != nil {
		return err
	}
	lapses := "seven days after it is signed"
	if g.emergency != "" {
		lapses = "24 hours after it is signed"
	}
	facts := web.Facts{{Label: "Lead", Value: web.Cell{Code: true, Text: l.ID}}, {Label: "Observations to open", Value: web.N(int64(len(l.Labels)))},
		{Label: "Purpose", Value: web.T(g.basis.Purpose)}, {Label: "Legal basis", Value: web.T(g.basis.ID)}, {Label: "Recipient", Value: web.T(m.Manifest.Authority.ID)},
		{Label: "Playbook", Value: web.Cell{Badges: []web.Badge{playbookBadge(g.playbook)}}}, {Label: "Window", Value: windowCell(opening.Request{Emergency: g.emergency})},
		{Label: "Lapses", Value: web.T(lapses)}}
	body := []any{facts, web.Disclosure{Label: "Show the labels of the observations", Holds: "Holds hashes of sealed observations. No identifier.", Body: []any{labelList(l)}}}
	body = append(append(body, s.unguarded(r)...), entries(Read{Who: s.desk.who.ID, Opening: l.ID, Act: strings.TrimSpace("request " + g.emergency)}, nil),
		web.Form{Label: "Sign", Action: "/leads/" + l.ID, Submit: "Sign and send the request", Careful: true, Cancel: "/openings", Fields: atFields(fields, wrong),
			Hidden: []web.Hidden{{Name: "basis", Value: g.basis.ID}, {Name: "playbook", Value: g.playbook}, {Name: "emergency", Value: orNone(g.emergency)}, {Name: "labels", Value: labelsDigest(l)}},
			Note:   "Signs with this desk's key and puts it before the hub, the approvers and the log. It opens nothing by itself."})
	return s.blocks(w, r, code, web.View{Title: "Sign the request?", Question: "Is this exactly what should be opened, and why?", Problems: wrong,
		Crumbs: []web.Link{{Label: "Openings", Href: "/openings"}, {Label: "Request", Href: "/leads/" + l.ID}}, Data: body})
}

func labelList(l client.Lead) web.List {
	out := web.List{Label: "Labels"}
	for _, x := range l.Labels {
		out.Items = append(out.Items, web.Cell{Code: true, Text: fmt.Sprintf("%x", x[:])})
	}
	return out
}

// labelsDigest names the observations that a person was shown.
func labelsDigest(l client.Lead) string {
	var all []byte
	for _, x := range l.Labels {
		all = append(all, x[:]...)
	}
	return opening.Digest(all).String()
}

// request signs what the review showed.
func (s *Site) request(w http.ResponseWriter, r *http.Request) error {
	m, l, err := s.asker(r)
	if err != nil {
		return err
	}
	g, wrong, err := s.chosen(w, r, m.Manifest, l)
	if err != nil {
		return err
	}
	if wrong != nil {
		return s.showRequest(w, r, http.StatusUnprocessableEntity, m, l, g, wrong)
	}
	if r.PostFormValue("labels") != labelsDigest(l) {
		return fault.New(fault.Conflict, "The lead has other observations than were shown. Nothing was signed; look at it again.")
	}
	why, wrong, err := s.signs(r)
	if err != nil {
		return err
	}
	if wrong != nil {
		return s.showReview(w, r, http.StatusUnprocessableEntity, m, l, g, wrong)
	}
	id, err := s.desk.Request(r.Context(), Ask{Lead: l.ID, Purpose: g.basis.Purpose, Basis: g.basis.ID, Playbook: g.playbook, Emergency: g.emergency, Reason: why})
	if err != nil {
		return web.NotDone(err, "The request was not recorded.")
	}
	return web.Redirect(w, r, "/openings/"+id)
}
