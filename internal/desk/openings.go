package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// requestLife is how long a request made here is valid.
const requestLife = 7*24*time.Hour - time.Minute

// Inbox is what waits at an approver's desk.
type Inbox struct {
	Leads    []client.Lead         `json:"leads"`
	Openings []client.OpeningState `json:"openings"`
}

// approver is member for a desk that the manifest lists as an approver.
func (d *Desk) approver(ctx context.Context) (client.Member, joined, opening.Approver, error) {
	m, j, err := d.member(ctx)
	if err != nil {
		return m, j, opening.Approver{}, err
	}
	a, ok := m.Manifest.Approver(d.who.ID)
	if !ok || !a.Key.Equal(d.who.Public) {
		return m, j, a, fault.New(fault.Forbidden, "The manifest does not list this desk as an approver with this key.")
	}
	return m, j, a, nil
}

func (d *Desk) hub(ctx context.Context, m client.Member, path string, body, out any) error {
	return refused(m.Call(ctx, m.Manifest.Hub.ID, m.Manifest.Hub.URL, path, body, out))
}

// Inbox lists ready leads and all openings.
func (d *Desk) Inbox(ctx context.Context) (Inbox, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return Inbox{}, err
	}
	var leads client.Leads
	if err := d.hub(ctx, m, client.PathLeads, struct{}{}, &leads); err != nil {
		return Inbox{}, err
	}
	var list client.Openings
	err = d.hub(ctx, m, client.PathList, struct{}{}, &list)
	return Inbox{Leads: leads.Leads, Openings: list.Openings}, err
}

// An Ask is what somebody at the authority asks for.
type Ask struct {
	Lead, Purpose, Basis string
	Playbook             string // empty: standard
	Emergency            string // the ground on which the glass is broken; empty: it is not
	Reason               string // written down at this desk
}

// emergencyLife is how long a break-glass request made here is valid.
const emergencyLife = opening.EmergencyLife - time.Minute

// Request writes the reason down, signs a request to open a ready lead, puts it
// before the hub and returns the opening's id.
func (d *Desk) Request(ctx context.Context, a Ask) (string, error) {
	m, _, who, err := d.approver(ctx)
	if err != nil {
		return "", err
	}
	if who.Role != opening.RoleAuthority {
		return "", fault.New(fault.Forbidden, "Only an approver of the authority requests openings.")
	}
	found, err := d.lead(ctx, m, a.Lead)
	if err != nil {
		return "", err
	}
	req, err := d.draftRequest(m.Manifest, found, a)
	if err != nil {
		return "", err
	}
	if req.Reason, err = d.write(ctx, strings.TrimSpace("request "+a.Emergency), a.Lead, opening.Hash{}, a.Reason); err != nil {
		return "", err
	}
	o, err := signed.Sign(opening.RequestDomain, d.who.ID, d.signKey(), req)
	if err != nil {
		return "", err
	}
	var id client.OpeningID
	err = d.hub(ctx, m, client.PathOpenings, client.OpeningRequest{Lead: a.Lead, Request: o}, &id)
	return id.ID, err
}

// draftRequest is a request but for the digest of its reason, refused here if
// the holders would refuse it.
func (d *Desk) draftRequest(m opening.Manifest, found client.Lead, a Ask) (opening.Request, error) {
	if a.Playbook == "" {
		a.Playbook = opening.PlaybookStandard
	}
	if found.Playbook == opening.PlaybookChildPossible && a.Playbook != opening.PlaybookChildPossible {
		return opening.Request{}, fault.New(fault.Conflict, `A linked observation says that the subject may be a child: request it with --playbook child-possible.`)
	}
	now, life := d.clock.Now(), requestLife
	if a.Emergency != "" {
		life = emergencyLife
	}
	req := opening.Request{Pool: m.Pool, Epoch: m.Epoch, Manifest: m.Version, Labels: found.Labels, Purpose: a.Purpose, LegalBasis: a.Basis,
		Recipient: m.Authority.ID, Playbook: a.Playbook, Time: now.UnixMicro(), Expires: now.Add(life).UnixMicro(), Emergency: a.Emergency, Reason: opening.Hash{1}}
	if _, err := io.ReadFull(d.random, req.Nonce[:]); err != nil {
		return req, err
	}
	o, err := signed.Sign(opening.RequestDomain, d.who.ID, d.signKey(), req)
	if err != nil {
		return req, err
	}
	if _, _, err := opening.OpenRequest(m, o, now); err != nil {
		return req, fault.Wrap(fault.Invalid, "The holders would refuse this request: "+err.Error()+".", err)
	}
	return req, nil
}

func (d *Desk) lead(ctx context.Context, m client.Member, id string) (client.Lead, error) {
	var leads client.Leads
	if err := d.hub(ctx, m, client.PathLeads, struct{}{}, &leads); err != nil {
		return client.Lead{}, err
	}
	for _, l := range leads.Leads {
		if l.ID == id {
			return l, nil
		}
	}
	return client.Lead{}, fault.New(fault.NotFound, "There is no ready lead with that id.")
}

func (d *Desk) opening(ctx context.Context, m client.Member, id string) (client.OpeningState, error) {
	var list client.Openings
	if err := d.hub(ctx, m, client.PathList, struct{}{}, &list); err != nil {
		return client.OpeningState{}, err
	}
	for _, o := range list.Openings {
		if o.ID == id {
			return o, nil
		}
	}
	return client.OpeningState{}, fault.New(fault.NotFound, "There is no opening with that id.")
}

// Waiting asks whether any opening has moved, and reads none.
func (d *Desk) Waiting(ctx context.Context) (client.Waiting, error) {
	var out client.Waiting
	m, _, _, err := d.approver(ctx)
	if err == nil {
		err = d.hub(ctx, m, client.PathWaiting, struct{}{}, &out)
	}
	return out, err
}

// Approve writes the reason down, verifies an opening's request at this desk
// and signs an approval of exactly its bytes. Where shown is given, it must
// still be the request with the digest that a person was shown.
func (d *Desk) Approve(ctx context.Context, id, why string, shown *opening.Hash) (opening.Request, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return opening.Request{}, err
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return opening.Request{}, err
	}
	req, digest, err := opening.OpenRequest(m.Manifest, state.Request, d.clock.Now())
	if err != nil {
		return req, fault.Wrap(fault.Forbidden, "The request was refused here: "+err.Error()+".", err)
	}
	if shown != nil && *shown != digest {
		return req, fault.New(fault.Conflict, "The request is another one than was shown. Nothing was signed; look at it again.")
	}
	reason, err := d.write(ctx, "approve", id, digest, why)
	if err != nil {
		return req, err
	}
	a, err := signed.Sign(opening.ApprovalDomain, d.who.ID, d.signKey(), opening.Approval{Approver: d.who.ID, Request: digest, Time: d.clock.Now().UnixMicro(), Reason: reason})
	if err != nil {
		return req, err
	}
	return req, d.hub(ctx, m, client.PathApprove, client.ApproveRequest{ID: id, Approval: a}, nil)
}

// A Lead is an opened lead as the authority reads it. Everything in it is
// unverified: what organisations reported, not what is so.
type Lead struct {
	Opening       string          `json:"opening"`
	Purpose       string          `json:"purpose"`
	LegalBasis    string          `json:"legal_basis"`
	Playbook      string          `json:"playbook"`
	ChildPossible bool            `json:"child_possible"`
	Observations  []OpenedContent `json:"observations"`
	Own           []OwnRecord     `json:"own"` // this desk's records with one of the tags
	// Corrected are the observations of the lead that are shown no more.
	Corrected []Hidden `json:"corrected"`
	// Read is the line of the read log that was written before anything was
	// decrypted.
	Read    Read         `json:"read"`
	Request opening.Hash `json:"request"` // digest of the signed request
}

// OpenedContent is one opened observation.
type OpenedContent struct {
	Organisation string  `json:"organisation"`
	Sector       string  `json:"sector"`
	Role         string  `json:"role"`
	Week         string  `json:"week"`
	Payload      Payload `json:"payload"`
	// Where it comes from: what its organisation signed, and whose shares opened it.
	Label   seal.Label `json:"label"`
	Holders []string   `json:"holders"`
}

// OpenLead fetches a released opening, verifies what the holders signed, logs
// the read, and only then decrypts.
func (d *Desk) OpenLead(ctx context.Context, id string) (Lead, error) {
	m, j, who, err := d.approver(ctx)
	if err != nil {
		return Lead{}, err
	}
	if newer, err := d.renew(ctx, &j); err != nil {
		return Lead{}, refused(err)
	} else if newer {
		if m, j, who, err = d.approver(ctx); err != nil {
			return Lead{}, err
		}
	}
	if who.Role != opening.RoleAuthority || len(d.keys.HPKE) == 0 {
		return Lead{}, fault.New(fault.Forbidden, "Only the authority's own desk can read an opening.")
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return Lead{}, err
	}
	var req opening.Request
	if err := d.openOwnRequest(m.Manifest, state.Request, &req); err != nil {
		return Lead{}, err
	}
	// What was put right is known before anything is read, or nothing is read.
	corrections, err := d.Corrections(ctx)
	if err != nil {
		return Lead{}, err
	}
	hide := hidden(corrections)
	var got client.Fetched
	if err := d.hub(ctx, m, client.PathFetch, client.OpeningID{ID: id}, &got); err != nil {
		return Lead{}, err
	}
	got.Items = slices.DeleteFunc(got.Items, func(it client.FetchedItem) bool {
		label, err := it.Observation.Label()
		_, gone := hide[label]
		return err == nil && gone
	})
	digest := opening.Digest(state.Request.Body)
	read, err := d.read(ctx, m, Read{Opening: id, Request: digest, Items: len(got.Items)})
	if err != nil {
		return Lead{}, err
	}
	out := Lead{Opening: id, Read: read, Request: digest, Purpose: req.Purpose, LegalBasis: req.LegalBasis, Playbook: req.Playbook,
		ChildPossible: req.Playbook == opening.PlaybookChildPossible, Own: []OwnRecord{}, Corrected: []Hidden{}}
	asked := make(map[seal.Label]bool)
	for _, l := range req.Labels {
		asked[l] = true
		if h, ok := hide[l]; ok {
			out.Corrected = append(out.Corrected, h)
		}
	}
	mine := make(map[seal.Label]bool)
	headers := make(map[seal.Label]opening.Header)
	for i, it := range got.Items {
		h, p, err := d.openItem(m, j, digest, asked, it)
		if err != nil {
			return Lead{}, fmt.Errorf("observation %d: %w", i+1, err)
		}
		out.ChildPossible = out.ChildPossible || h.Role == opening.RolePossibleVictim
		content := OpenedContent{Organisation: h.Organisation, Sector: h.Sector, Role: h.Role, Week: h.Week, Payload: p, Holders: []string{}}
		if content.Label, err = it.Observation.Label(); err != nil {
			return Lead{}, err
		}
		headers[content.Label] = h
		for _, o := range it.Partials {
			content.Holders = append(content.Holders, o.Key)
		}
		out.Observations = append(out.Observations, content)
		if err := d.match(ctx, h, mine, &out); err != nil {
			return Lead{}, err
		}
	}
	return out, d.keepMark(ctx, id, headers, out.Observations)
}

// openOwnRequest verifies a request's signature; it may have run out since.
func (d *Desk) openOwnRequest(m opening.Manifest, o signed.Object, req *opening.Request) error {
	who, ok := m.Approver(o.Key)
	if !ok || who.Role != opening.RoleAuthority {
		return fault.New(fault.Forbidden, "The request is not signed by an approver of the authority.")
	}
	return o.Open(opening.RequestDomain, who.Key, req)
}

// openItem verifies one observation and its partials, then decrypts it. Where
// something is wrong, the refusal names whose doing it is: the hub's if the
// organisation did not sign what was delivered, the organisation's if what it
// signed does not open, a holder's if its partial is wrong.
func (d *Desk) openItem(m client.Member, j joined, request opening.Hash, asked map[seal.Label]bool, it client.FetchedItem) (opening.Header, Payload, error) {
	var p Payload
	h, label, err := it.Observation.Verify()
	if err != nil {
		return h, p, err
	}
	if digest := seal.BoxDigest(it.Box); string(digest[:]) != string(it.Observation.BoxDigest) || !asked[label] {
		return h, p, fault.New(fault.Invalid, "The hub delivered another box or observation than the request lists.")
	}
	org, ok := m.Manifest.Member(h.Organisation)
	if !ok {
		return h, p, fault.Newf(fault.Invalid, "The hub delivered an observation of %q, which is not in the manifest.", h.Organisation)
	}
	if err := it.VerifyBatch(org, h); err != nil {
		return h, p, fault.Wrap(fault.Invalid, "The hub delivered something that "+h.Organisation+" did not sign.", err)
	}
	committee, signedParts, err := combinable(j.Setup, it.Partials)
	if err != nil {
		return h, p, err
	}
	var parts []seal.Partial
	for _, o := range signedParts {
		part, err := d.openPartial(committee, request, label, it.Observation.KEM.U, o)
		if err != nil {
			return h, p, err
		}
		parts = append(parts, part)
	}
	pub, err := committee.PublicKey(client.PayloadLabel)
	if err != nil {
		return h, p, err
	}
	raw, err := seal.Open(pub, h.Pool, h.Epoch, it.Observation.Header, seal.Sealed{KEM: it.Observation.KEM, Box: it.Box}, parts)
	if errors.Is(err, seal.ErrBox) {
		return h, p, fault.Wrap(fault.Invalid, "What "+h.Organisation+" signed and contributed does not open.", err)
	}
	if err != nil {
		return h, p, err
	}
	if err := signed.Unmarshal(raw, &p); err != nil {
		return h, p, fmt.Errorf("payload: %w", err)
	}
	if p.Org != h.Organisation {
		return h, p, fault.New(fault.Invalid, "The payload names another organisation than its header.")
	}
	return h, p, nil
}

// combinable picks the partials of the newest generation of the key shares that
// enough of them are of: those of two generations do not combine.
func combinable(setup client.Setup, list []signed.Object) (client.Committee, []signed.Object, error) {
	by := make(map[int][]signed.Object)
	for _, o := range list {
		var sp opening.SealedPartial
		if err := signed.Unmarshal(o.Body, &sp); err != nil {
			return client.Committee{}, nil, err
		}
		by[sp.Generation] = append(by[sp.Generation], o)
	}
	all := setup.Committees()
	for _, c := range slices.Backward(all) {
		if len(by[c.Generation]) >= c.T {
			return c, by[c.Generation], nil
		}
	}
	newest := all[len(all)-1]
	return newest, nil, fault.Newf(fault.Unavailable, "Too few key holders have answered with shares of one generation; generation %d is the newest known here and needs %d. The hub asks them again.", newest.Generation, newest.T)
}

// openPartial verifies a holder's signature and unseals its partial.
func (d *Desk) openPartial(c client.Committee, request opening.Hash, label seal.Label, u group.Point, o signed.Object) (seal.Partial, error) {
	var part seal.Partial
	for _, h := range c.Holders {
		if h.ID != o.Key {
			continue
		}
		var sp opening.SealedPartial
		if err := o.Open(opening.PartialDomain, h.Key, &sp); err != nil {
			return part, fmt.Errorf("partial of %s: %w", h.ID, err)
		}
		if sp.Request != request || sp.Label != label || sp.Index != h.Index {
			return part, fmt.Errorf("partial of %s is for another request, observation or holder", h.ID)
		}
		raw, err := seal.OpenFrom(d.keys.HPKE, opening.PartialInfo(request, label, u, h.Index), sp.Sealed)
		if err != nil {
			return part, fmt.Errorf("partial of %s: %w", h.ID, err)
		}
		if err := signed.Unmarshal(raw, &part); err != nil {
			return part, err
		}
		if part.Index != h.Index {
			return part, fmt.Errorf("partial of %s carries another holder's index", h.ID)
		}
		return part, nil
	}
	return part, fmt.Errorf("a partial is signed by %q, who is no holder of this pool", o.Key)
}

// match adds this desk's own records that carry one of the tags, once each.
func (d *Desk) match(ctx context.Context, h opening.Header, seen map[seal.Label]bool, out *Lead) error {
	for _, t := range h.Tags {
		tag := t.Tag()
		own, err := d.records.own(ctx, "tag", tag[:])
		if err != nil {
			return err
		}
		for _, o := range own {
			if !seen[o.Label] {
				seen[o.Label] = true
				out.Own = append(out.Own, o)
			}
		}
	}
	return nil
}

// Text writes the lead for the person who reads it.
func (l Lead) Text(w io.Writer) {
	if l.ChildPossible {
		fmt.Fprintln(w, "COULD THIS BE A CHILD? At least one organisation says so, or the request does. Follow that playbook:\nprotect first, take no adverse action on this lead, export nothing.")
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "Lead %s, opened for %s under %s. Unverified: these are reports to check, not findings.\n", l.Opening, l.Purpose, l.LegalBasis)
	if n := len(l.Corrected); n > 0 {
		fmt.Fprintf(w, "\nCORRECTED: %d of its observations are shown no more. Look again whether the rest is enough, and tell whoever got this lead.\n", n)
		for _, h := range l.Corrected {
			fmt.Fprintf(w, "   %s: %s\n", h.Text(), h.Reason)
		}
	}
	for i, o := range l.Observations {
		p := o.Payload
		fmt.Fprintf(w, "\n%d. %s (%s), reference %s: %s, grade %s, strength %d, %s, role %s\n", i+1, o.Organisation, o.Sector, p.Reference, p.Kind, p.Grade, p.Strength, p.Date, o.Role)
		for _, s := range p.Selectors {
			fmt.Fprintf(w, "   %s (%s): %s\n", s.Class.Label(), s.Form, s.Value)
		}
		if p.Note != "" {
			fmt.Fprintf(w, "   note: %s\n", p.Note)
		}
	}
	fmt.Fprintf(w, "\nOwn records with one of these identifiers: %d\n", len(l.Own))
	for _, o := range l.Own {
		fmt.Fprintf(w, "   reference %s of %s\n", o.Record.Reference, o.Record.Date)
	}
}
