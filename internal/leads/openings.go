package leads

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// Request takes a request that an approver of the authority signed, for
// observations of a ready lead. The same request again gives the same id.
func (s *Service) Request(ctx context.Context, m opening.Manifest, by string, req client.OpeningRequest) (client.OpeningID, error) {
	if err := approver(m, by, opening.RoleAuthority); err != nil {
		return client.OpeningID{}, err
	}
	now := s.clock.Now()
	r, digest, err := opening.OpenRequest(m, req.Request, now)
	if err != nil {
		return client.OpeningID{}, fault.Wrap(fault.Invalid, "The request was refused: "+err.Error()+".", err)
	}
	if req.Request.Key != by {
		return client.OpeningID{}, fault.New(fault.Forbidden, "The request is signed by somebody else than its sender.")
	}
	groups, err := s.pool.Candidates(ctx)
	if err != nil {
		return client.OpeningID{}, err
	}
	id, err := s.newID()
	if err != nil {
		return client.OpeningID{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if had, ok, err := openingByDigest(ctx, tx, digest); err != nil || ok {
			id = had
			return err
		}
		lead, ok, err := readLead(ctx, tx, req.Lead)
		if err != nil {
			return err
		}
		if !ok || lead.State != "ready" || !covers(lead.Labels, r.Labels) {
			return fault.New(fault.Conflict, "This lead is not ready any more or the request lists other observations. Load the list and sign again.")
		}
		if err := s.glassIsWhole(ctx, tx, m, r); err != nil {
			return err
		}
		items, err := frozen(m, groups, r, now)
		if err != nil {
			return err
		}
		if err := s.mayOpen(ctx, tx, by, id, r); err != nil {
			return err
		}
		if err := setLead(ctx, tx, lead.ID, "ready", "requested"); err != nil {
			return err
		}
		return insertOpening(ctx, tx, openingRow{ID: id, Lead: lead.ID, Digest: digest, Request: req.Request,
			Items: items, State: Requested, Created: now, Changed: now})
	})
	return client.OpeningID{ID: id}, err
}

// mayOpen asks the gateway about an opening. Its legal basis, which the approvers
// sign and key holders look for in the manifest, is the id of the gateway's
// decision.
func (s *Service) mayOpen(ctx context.Context, tx *store.Tx, by, id string, r opening.Request) error {
	_, err := s.lawful.Lawful(ctx, tx, Flow{Kind: FlowOpening, Gateway: r.LegalBasis, To: r.Recipient, By: by, Ref: id})
	return err
}

// frozen fixes what the bundle will show for a request: the union of S(O) as
// it is now. It refuses what every holder would refuse for ever.
func frozen(m opening.Manifest, groups [][]pool.Observed, r opening.Request, now time.Time) ([]seal.Label, error) {
	stale := fault.New(fault.Conflict, "What the request lists has changed meanwhile. Load the list and sign again.")
	c, ok := clusterOf(m, groups, r.Labels, now)
	if !ok {
		return nil, stale
	}
	f, ok := form(m, c, now)
	if !ok || !covers(f.labels, r.Labels) {
		return nil, stale
	}
	if f.playbook == opening.PlaybookChildPossible && r.Playbook != opening.PlaybookChildPossible {
		return nil, fault.New(fault.Conflict, `A linked observation says that the subject may be a child: only the playbook "could this be a child?" opens this lead.`)
	}
	items, ok := c.support(m, r.Labels)
	if !ok {
		return nil, stale
	}
	delay := time.Duration(m.Delays.OpenSeconds) * time.Second
	for _, l := range items {
		if at := c.kept[c.at[l]].Logged.Add(delay); time.UnixMicro(r.Time).Before(at) {
			return nil, fault.New(fault.Conflict, "The request is dated before the observations had been in the log for the required time. Sign it again.")
		}
	}
	return items, nil
}

func clusterOf(m opening.Manifest, groups [][]pool.Observed, labels []seal.Label, now time.Time) (cluster, bool) {
	for _, g := range groups {
		c := assess(m, g, now)
		if _, ok := c.at[labels[0]]; ok {
			return c, true
		}
	}
	return cluster{}, false
}

// Approve adds one approval. When the authority and an oversight body have
// both approved, the request goes into the log in the same transaction.
func (s *Service) Approve(ctx context.Context, m opening.Manifest, by string, req client.ApproveRequest) (client.OpeningState, error) {
	if err := approver(m, by, ""); err != nil {
		return client.OpeningState{}, err
	}
	if req.Approval.Key != by {
		return client.OpeningState{}, fault.New(fault.Forbidden, "The approval is signed by somebody else than its sender.")
	}
	now := s.clock.Now()
	var out client.OpeningState
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, err := readOpening(ctx, tx, req.ID)
		if err != nil {
			return err
		}
		if _, err := opening.OpenApproval(m, req.Approval, o.Digest, now); err != nil {
			return fault.Wrap(fault.Invalid, "The approval was refused: "+err.Error()+".", err)
		}
		if had(o.Approvals, req.Approval) {
			out = o.view(nil)
			return nil
		}
		if err := Move(o.State, Approved); err != nil {
			return err
		}
		o.Approvals = append(o.Approvals, req.Approval)
		if r, _, err := opening.Approved(m, o.Request, o.Approvals, now); err == nil {
			// The law may be another one than when it was requested.
			if err := s.mayOpen(ctx, tx, by, o.ID, r); err != nil {
				return err
			}
			if o.Ticket, err = s.logRequest(ctx, tx, m.Pool, o); err != nil {
				return err
			}
			o.State = Approved
		}
		o.Changed = now
		out = o.view(nil)
		return saveOpening(ctx, tx, o, Requested)
	})
	return out, err
}

// had reports an approval by the same key: approving twice changes nothing.
func had(list []signed.Object, a signed.Object) bool {
	for _, x := range list {
		if x.Key == a.Key {
			return true
		}
	}
	return false
}

func (s *Service) logRequest(ctx context.Context, tx *store.Tx, poolID string, o openingRow) (string, error) {
	rec := opening.RequestRecord{Type: "request", Pool: poolID, Request: o.Digest, Approvals: []opening.Hash{}}
	for _, a := range o.Approvals {
		rec.Approvals = append(rec.Approvals, opening.Digest(a.Body))
	}
	raw, err := signed.Marshal(rec)
	if err != nil {
		return "", err
	}
	ticket, _, err := s.log.Append(ctx, tx, "request", raw)
	return ticket, err
}

// Openings lists all openings to an approver; the read is in the log first.
func (s *Service) Openings(ctx context.Context, m opening.Manifest, by string) (client.Openings, error) {
	out := client.Openings{Openings: []client.OpeningState{}}
	if err := approver(m, by, ""); err != nil {
		return out, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := readOpenings(ctx, tx, "")
		if err != nil {
			return err
		}
		out.Openings = out.Openings[:0]
		var ids []string
		for _, o := range rows {
			v, err := s.fullView(ctx, tx, o)
			if err != nil {
				return err
			}
			out.Openings = append(out.Openings, v)
			ids = append(ids, o.ID)
		}
		return s.logRead(ctx, tx, "opening-read", m.Pool, by, ids)
	})
	if err != nil {
		return client.Openings{}, err
	}
	return out, nil
}

// Waiting tells an approver whether anything has moved. It is no read: nothing of
// a lead or of one opening is in it, so no entry is written.
func (s *Service) Waiting(ctx context.Context, m opening.Manifest, by string) (client.Waiting, error) {
	if err := approver(m, by, ""); err != nil {
		return client.Waiting{}, err
	}
	any, version, err := s.waiting(ctx)
	sum := sha256.Sum256([]byte(fmt.Sprint(version)))
	return client.Waiting{Version: hex.EncodeToString(sum[:8]), Any: any}, err
}

// Fetch gives the authority what was released: observations, boxes and sealed
// partials. The read is in the log first; without that nothing leaves.
func (s *Service) Fetch(ctx context.Context, m opening.Manifest, by, id string) (client.Fetched, error) {
	if err := approver(m, by, opening.RoleAuthority); err != nil {
		return client.Fetched{}, err
	}
	var o openingRow
	var holders []holderRow
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if o, err = readOpening(ctx, tx, id); err != nil {
			return err
		}
		holders, err = readHolders(ctx, tx, id)
		return err
	})
	if err != nil {
		return client.Fetched{}, err
	}
	if o.State != Released {
		return client.Fetched{}, fault.Newf(fault.Conflict, "The opening is %s; nothing has been released.", o.State)
	}
	if err := s.held(ctx, id); err != nil {
		return client.Fetched{}, err
	}
	var r opening.Request
	if err := signed.Unmarshal(o.Request.Body, &r); err != nil {
		return client.Fetched{}, err
	}
	out, err := s.fetched(ctx, r, holders)
	if err != nil {
		return client.Fetched{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.logRead(ctx, tx, "opening-read", m.Pool, by, []string{id})
	})
	if err != nil {
		return client.Fetched{}, err
	}
	return out, nil
}

func (s *Service) fetched(ctx context.Context, r opening.Request, holders []holderRow) (client.Fetched, error) {
	items, err := s.pool.Items(ctx, r.Labels)
	if err != nil {
		return client.Fetched{}, err
	}
	out := client.Fetched{Items: []client.FetchedItem{}}
	for _, it := range items {
		if !it.Live {
			continue // withdrawn or expired after the release: its box is gone
		}
		f := client.FetchedItem{Placed: it.Placed, Box: it.Box, Partials: []signed.Object{}}
		for _, h := range holders {
			for _, p := range h.Partials {
				var sp opening.SealedPartial
				if err := signed.Unmarshal(p.Body, &sp); err != nil {
					return out, err
				}
				if sp.Label == it.Label {
					f.Partials = append(f.Partials, p)
				}
			}
		}
		out.Items = append(out.Items, f)
	}
	return out, nil
}

// errGone: what was requested cannot be opened any more.
var errGone = errors.New("an observation that the request lists was withdrawn, has expired or was changed")

// errGeneration: a share of another generation answered; switching takes moments.
var errGeneration = errors.New("the key holder answers with a share of another generation; it is asked again")

// takePartials checks a holder's answer: its own signatures, over this
// request, for each label once.
func takePartials(h opening.Holder, digest opening.Hash, labels []seal.Label, generation int, list []signed.Object) error {
	if len(list) != len(labels) {
		return fmt.Errorf("%d partials for %d observations", len(list), len(labels))
	}
	want := make(map[seal.Label]bool, len(labels))
	for _, l := range labels {
		want[l] = true
	}
	for _, o := range list {
		var p opening.SealedPartial
		if err := o.Open(opening.PartialDomain, h.Key, &p); err != nil {
			return err
		}
		if p.Generation != generation {
			return errGeneration
		}
		if p.Request != digest || p.Index != h.Index || !want[p.Label] {
			return errors.New("a partial is for another request, holder or observation")
		}
		delete(want, p.Label)
	}
	return nil
}
