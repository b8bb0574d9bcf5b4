package leads

import (
	"context"
	"errors"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// Chain gives the signed manifests after a version, oldest first.
type Chain func(after int) []opening.SignedManifest

// Advance moves every unfinished opening as far as it will go: into the log,
// to the holders, to released; or closes it where it can no longer succeed.
// What a holder answers is kept, and a holder that was not reached or that
// waits for a release time is asked again the next time. What goes back to
// contributors gets its release time.
func (s *Service) Advance(ctx context.Context, m opening.Manifest, chain Chain) error {
	var list []openingRow
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, state := range []State{Requested, Approved, Logged} {
			rows, err := readOpenings(ctx, tx, state)
			if err != nil {
				return err
			}
			list = append(list, rows...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	failed := s.place(ctx, m)
	reach := &reachable{s.holders, make(map[int]error)}
	for _, o := range list {
		failed = errors.Join(failed, s.advance(ctx, m, chain, reach, o))
	}
	return failed
}

// reachable asks a holder that did not say where it stands no second time, so
// that one that hangs holds up a round once and not once an opening.
type reachable struct {
	Holders
	away map[int]error
}

// Status implements Holders.
func (r *reachable) Status(ctx context.Context, h opening.Holder) (HolderStatus, error) {
	if err, ok := r.away[h.Index]; ok {
		return HolderStatus{}, err
	}
	st, err := r.Holders.Status(ctx, h)
	if err != nil {
		r.away[h.Index] = err
	}
	return st, err
}

func (s *Service) advance(ctx context.Context, m opening.Manifest, chain Chain, reach Holders, o openingRow) error {
	var r opening.Request
	if err := signed.Unmarshal(o.Request.Body, &r); err != nil {
		return err
	}
	if s.clock.Now().UnixMicro() >= r.Expires {
		return s.close(ctx, o, "the request expired")
	}
	if err := s.stillStands(ctx, m, r); err != nil {
		if errors.Is(err, errGone) {
			return s.close(ctx, o, errGone.Error())
		}
		return err
	}
	if o.State == Approved {
		ok, err := s.log.Logged(ctx, o.Ticket)
		if err != nil || !ok {
			return err
		}
		if err := s.move(ctx, &o, Logged, ""); err != nil {
			return err
		}
	}
	if o.State != Logged {
		return nil
	}
	return s.ask(ctx, m, chain, reach, o, r)
}

// stillStands re-reads what the request lists: withdrawn or expired
// observations and a possible victim that turned up meanwhile end it.
func (s *Service) stillStands(ctx context.Context, m opening.Manifest, r opening.Request) error {
	items, err := s.pool.Items(ctx, r.Labels)
	if err != nil {
		return err
	}
	for _, it := range items {
		if !it.Live {
			return errGone
		}
	}
	groups, err := s.pool.Candidates(ctx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	c, ok := clusterOf(m, groups, r.Labels, now)
	if !ok {
		return errGone
	}
	f, ok := form(m, c, now)
	if !ok || !covers(f.labels, r.Labels) || (f.playbook == opening.PlaybookChildPossible && r.Playbook != f.playbook) {
		return errGone
	}
	return nil
}

func (s *Service) move(ctx context.Context, o *openingRow, to State, reason string) error {
	if err := Move(o.State, to); err != nil {
		return err
	}
	from := o.State
	o.State, o.Reason, o.Changed = to, reason, s.clock.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := saveOpening(ctx, tx, *o, from); err != nil {
			return err
		}
		switch to {
		case Released:
			return setLead(ctx, tx, o.Lead, "requested", "released")
		case Closed:
			return setLead(ctx, tx, o.Lead, "requested", "closed")
		}
		return nil
	})
}

func (s *Service) close(ctx context.Context, o openingRow, reason string) error {
	return s.move(ctx, &o, Closed, reason)
}

// ask puts the bundle before every holder that has not released yet with its
// present share: partials of two generations of the key shares do not combine.
func (s *Service) ask(ctx context.Context, m opening.Manifest, chain Chain, reach Holders, o openingRow, r opening.Request) error {
	answers := make(map[int]holderRow)
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := readHolders(ctx, tx, o.ID)
		for _, h := range rows {
			answers[h.Index] = h
		}
		return err
	})
	if err != nil {
		return err
	}
	base, err := s.bundle(ctx, o, r)
	if err != nil {
		return err
	}
	released := 0
	for _, h := range m.Holders {
		a := answers[h.Index]
		if a.State != HolderReleased || a.Generation != m.Generation {
			a = s.askOne(ctx, m, h, chain, reach, base, o, r)
			if err := s.keepAnswer(ctx, m, o, r, a); err != nil {
				return err
			}
		}
		if a.State == HolderReleased {
			released++
		}
	}
	if released >= m.Quorum {
		return s.move(ctx, &o, Released, "")
	}
	return nil
}

func (s *Service) keepAnswer(ctx context.Context, m opening.Manifest, o openingRow, r opening.Request, a holderRow) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if a.State == HolderReleased {
			if err := noteEmergency(ctx, tx, m, o, r, s.clock.Now()); err != nil {
				return err
			}
		}
		return saveHolder(ctx, tx, o.ID, a)
	})
}

func (s *Service) askOne(ctx context.Context, m opening.Manifest, h opening.Holder, chain Chain, reach Holders, b opening.Bundle, o openingRow, r opening.Request) holderRow {
	out := holderRow{Index: h.Index, State: HolderUnreachable, Reason: "the key holder could not be reached", Partials: []signed.Object{}}
	st, err := reach.Status(ctx, h)
	if err != nil {
		return out
	}
	size := b.RequestLog.Inclusion.Size
	if st.LogSize > size {
		out.State, out.Reason = HolderWaiting, "the key holder has seen a newer checkpoint; it is asked again"
		return out
	}
	if b.Consistency, err = s.log.Consistency(ctx, st.LogSize, size); err != nil {
		out.State, out.Reason = HolderWaiting, "the log gave no proof yet"
		return out
	}
	b.Manifests = chain(st.Manifest)
	ans, err := reach.Open(ctx, h, b)
	if err != nil {
		out.State, out.Reason = answerState(err)
		return out
	}
	err = takePartials(h, o.Digest, r.Labels, m.Generation, ans.Partials)
	if errors.Is(err, errGeneration) {
		out.State, out.Reason = HolderWaiting, err.Error()
		return out
	}
	if err != nil {
		out.State, out.Reason = HolderRefused, "the key holder's answer was wrong: "+err.Error()
		return out
	}
	return holderRow{Index: h.Index, State: HolderReleased, Partials: ans.Partials, Generation: m.Generation}
}

// answerState reads a refusal: a conflict means not yet.
func answerState(err error) (state, reason string) {
	var p *client.Problem
	switch {
	case errors.As(err, &p) && p.Status == 409, fault.Is(err, fault.Conflict):
		return HolderWaiting, reasonOf(err)
	case errors.As(err, &p) && p.Status < 500, fault.Is(err, fault.Forbidden), fault.Is(err, fault.Invalid):
		return HolderRefused, reasonOf(err)
	}
	return HolderUnreachable, "the key holder could not be reached"
}

func reasonOf(err error) string {
	var p *client.Problem
	if errors.As(err, &p) {
		return p.Detail
	}
	return fault.Sentence(err)
}

// bundle makes everything that is the same for all holders.
func (s *Service) bundle(ctx context.Context, o openingRow, r opening.Request) (opening.Bundle, error) {
	b := opening.Bundle{Manifests: []opening.SignedManifest{}, Items: []opening.Item{}, Request: o.Request, Approvals: o.Approvals}
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		b.Reviews, err = reviews(ctx, tx, r)
		return err
	})
	if err != nil {
		return b, err
	}
	note, size, err := s.log.Checkpoint(ctx)
	if err != nil {
		return b, err
	}
	b.Checkpoint = note
	if b.RequestLog, err = s.log.Proof(ctx, o.Ticket, size); err != nil {
		return b, err
	}
	items, err := s.pool.Items(ctx, o.Items)
	if err != nil {
		return b, err
	}
	now := s.clock.Now()
	for _, it := range items {
		if !it.Live || expired(it.Observation, now) {
			continue // it supports no longer; whether the rest suffices is for the holders
		}
		proof, err := s.log.Proof(ctx, it.Ticket, size)
		if err != nil {
			return b, err
		}
		b.Items = append(b.Items, opening.Item{Placed: it.Placed, Log: proof})
	}
	return b, nil
}

func expired(o opening.Observation, now time.Time) bool {
	h, err := opening.DecodeHeader(o.Header)
	if err != nil {
		return true
	}
	for _, t := range h.Tags {
		if now.UnixMicro() < t.Expires {
			return false
		}
	}
	return true
}
