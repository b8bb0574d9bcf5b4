package leads

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/web"
	"parallax/opening"
)

// Pages are what an approver of the authority or of the oversight body sees of
// leads: structure only. Each page that shows a lead writes its entry into the
// log before a byte leaves.
type Pages struct {
	leads *Service
	kit   *web.Kit
	// manifest is the one in force; approver is who looks, for the log. Whether
	// it may is in the request's scope.
	manifest func() (opening.Manifest, bool)
	approver func(r *http.Request) string
	key      [32]byte // hides what a poll's version is made from
}

// NewPages returns the pages of leads on a kit.
func NewPages(s *Service, kit *web.Kit, manifest func() (opening.Manifest, bool), approver func(r *http.Request) string) (*Pages, error) {
	p := &Pages{leads: s, kit: kit, manifest: manifest, approver: approver}
	_, err := io.ReadFull(s.random, p.key[:])
	return p, err
}

// policy is the manifest in force, and the approver who looks.
func (p *Pages) policy(r *http.Request) (opening.Manifest, string, error) {
	m, ok := p.manifest()
	if !ok {
		return m, "", fault.New(fault.Unavailable, "No policy is in force yet, so there are no leads.")
	}
	return m, p.approver(r), nil
}

// State says whether an opening has moved. It tells nothing of any lead.
func (p *Pages) State(w http.ResponseWriter, r *http.Request) error {
	st, err := p.state(r.Context())
	if err != nil {
		return err
	}
	return p.kit.Poll(w, st)
}

func (p *Pages) state(ctx context.Context) (web.PollState, error) {
	any, version, err := p.leads.waiting(ctx)
	mac := hmac.New(sha256.New, p.key[:])
	fmt.Fprint(mac, version)
	st := web.PollState{Version: hex.EncodeToString(mac.Sum(nil)[:8]), Done: !any, Text: "Nothing waits."}
	if any {
		st.Text = "Waiting for approvals, for the log or for key holders."
	}
	return st, err
}

// poll keeps a page fresh while an opening is under way.
func (p *Pages) poll(ctx context.Context, again string) ([]any, error) {
	st, err := p.state(ctx)
	if err != nil || st.Done {
		return nil, err
	}
	return []any{web.Poll{URL: "/openings/state", Version: st.Version, Seconds: 15, Text: st.Text, Again: again}}, nil
}

// mine is whose rows a request may touch, as the gate decided.
func mine(ctx context.Context) scope.Scope {
	of, _ := scope.From(ctx)
	return of
}

// Openings answers: which sealed matches may be opened?
func (p *Pages) Openings(w http.ResponseWriter, r *http.Request) error {
	m, by, err := p.policy(r)
	if err != nil {
		return err
	}
	l, part, err := parseLook(r)
	if err != nil {
		return err
	}
	o, err := p.leads.overview(r.Context(), mine(r.Context()), m, by, l)
	if err != nil {
		return err
	}
	view := web.View{Title: "Openings", Question: "Which sealed matches may be opened?"}
	if part != "" { // a further page of one list is that list only
		view.Crumbs = []web.Link{{Label: "Openings", Href: "/openings"}}
		view.Data = []any{map[string]web.Table{"ready": readyTable(o), "under": underTable(m, o), "over": overTable(o)}[part]}
		return p.kit.Render(w, r, http.StatusOK, web.Blocks, view)
	}
	data := []any{web.Text("A lead appears here only when its rule is met, as an opaque id. What is below the rule is shown to nobody. Looking at this page leaves an entry in the log.")}
	poll, err := p.poll(r.Context(), "/openings")
	if err != nil {
		return err
	}
	data = append(data, readyTable(o), underTable(m, o))
	data = append(data, poll...)
	if len(o.under) > 0 {
		data = append(data, web.Section{Title: "Newest: lead " + short(o.under[0].Lead), Body: steps(m, o.under[0])})
	}
	view.Data = append(data, overTable(o), web.Section{Title: "Where it is done", Body: whereDone(m)})
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, view)
}

// Today gives an approver's three short lists; the read is in the log.
func (p *Pages) Today(ctx context.Context, by string) ([]any, error) {
	m, ok := p.manifest()
	if !ok {
		return []any{web.Empty{What: "Leads that are ready appear here.", When: "The pool needs a policy first."}}, nil
	}
	from := newest
	o, err := p.leads.overview(ctx, mine(ctx), m, by, look{&from, &from, &from})
	if err != nil {
		return nil, err
	}
	ready := web.List{Label: "Ready", Empty: web.Empty{What: "Nothing is ready.", When: "A lead appears when enough independent organisations and sectors hold the same.", Good: "Empty is the usual state: most contributions match nothing."}}
	for _, l := range o.ready {
		ready.Items = append(ready.Items, web.Cell{Text: "Lead " + short(l.ID), Href: "/leads/" + l.ID, Badges: playbookBadge(l.Playbook), Note: conditions(l.Conditions)})
	}
	role := opening.RoleOversight
	if authz.From(ctx).Has(authz.LeadReviewer) {
		role = opening.RoleAuthority
	}
	mine := web.List{Label: "Waits for you", Empty: web.Empty{What: "No approval of yours is missing.", When: "Requests appear here until your approval is there."}}
	with := web.List{Label: "On its way", Empty: web.Empty{What: "Nothing is on its way.", When: "Openings with all approvals appear here until enough key holders have answered, and for as long as they can be read."}}
	for _, x := range o.under {
		cell := web.Cell{Text: "Lead " + short(x.Lead), Href: "/leads/" + x.Lead, Badges: []web.Badge{x.badge()}, Note: x.next(m)}
		if x.State == Requested && x.approval(m, role).IsZero() {
			mine.Items = append(mine.Items, cell)
		} else {
			with.Items = append(with.Items, cell)
		}
	}
	for _, x := range o.over {
		if x.State == Released {
			with.Items = append(with.Items, web.Cell{Text: "Lead " + short(x.Lead), Href: "/leads/" + x.Lead, Badges: []web.Badge{x.badge()}, Note: x.next(m)})
		}
	}
	ready.Items, mine.Items, with.Items = few(ready.Items), few(mine.Items), few(with.Items)
	return []any{web.Section{Title: "Waits for you", Body: []any{mine}}, web.Section{Title: "Ready, not asked for", Body: []any{ready}},
		web.Section{Title: "On its way", Body: []any{with}}, web.Actions{{Label: "See all openings", Href: "/openings", Primary: true}}}, nil
}

func few(list []web.Cell) []web.Cell { return list[:min(len(list), 5)] }

// Lead answers: is this enough to act, could this be a child, what next?
func (p *Pages) Lead(w http.ResponseWriter, r *http.Request) error {
	m, by, err := p.policy(r)
	if err != nil {
		return err
	}
	x, err := p.leads.structure(r.Context(), mine(r.Context()), m, by, r.PathValue("id"))
	if err != nil {
		return web.NotDone(err, "Nothing of the lead was shown.")
	}
	var poll []any
	if len(x.openings) > 0 && x.openings[0].State != Released && x.openings[0].State != Closed {
		if poll, err = p.poll(r.Context(), "/leads/"+x.ID); err != nil {
			return err
		}
	}
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, web.View{Title: "Lead " + short(x.ID),
		Question: "Is this enough to act, could this be a child, what next?",
		Crumbs:   []web.Link{{Label: "Openings", Href: "/openings"}}, Data: x.blocks(m, poll)})
}

// parseLook reads which list is asked for, and from where; none means all from
// their beginnings.
func parseLook(r *http.Request) (l look, part string, err error) {
	for name, at := range map[string]**place{"ready": &l.ready, "under": &l.under, "over": &l.over} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		time, id, ok := strings.Cut(text, "-")
		n, err := strconv.ParseInt(time, 10, 64)
		if part != "" || !ok || err != nil || len(id) > 64 {
			return l, "", fault.New(fault.Invalid, "The place to go on from must be one that a link of this page names.")
		}
		part, *at = name, &place{n, id}
	}
	if part == "" {
		l = look{&place{newest.at, ""}, &place{newest.at, ""}, &place{newest.at, ""}}
	}
	return l, part, nil
}

// pages are the links of one list.
func pages(name string, more place, rows int) web.Pages {
	if more.id == "" {
		return web.Pages{}
	}
	return web.Pages{Shown: fmt.Sprintf("%d rows, newest first", rows), Next: "/openings?" + name + "=" + strconv.FormatInt(more.at, 10) + "-" + more.id}
}

// short is the beginning of an opaque id, enough for people to tell two apart.
func short(id string) string { return id[:min(len(id), 8)] }
