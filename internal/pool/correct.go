package pool

import (
	"context"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// Correct takes a signed correction: of a member about its own observations,
// of an approver about any. What a member amends or revokes ends as a
// withdrawal does; what is frozen, and what an approver revokes, stays where it
// is and counts no more. Labels that are not the author's to speak of change
// nothing and show nothing; the receipt has the shape of every other receipt.
func (s *Service) Correct(ctx context.Context, m opening.Manifest, g opening.Governance, sender string, o signed.Object) (signed.Object, error) {
	d, err := opening.OpenDenial(m, g, o)
	if err != nil {
		return signed.Object{}, fault.Wrap(fault.Forbidden, "The correction was refused: "+err.Error()+".", err)
	}
	if !d.Corrects() || d.Author != sender {
		return signed.Object{}, fault.New(fault.Forbidden, "A correction is sent by the one who signed it.")
	}
	now := s.clock.Now()
	return s.deny(ctx, m, sender, o, "correction", func(ctx context.Context, tx *store.Tx) error { return correct(ctx, tx, d, now) })
}

// correct does what follows from a correction.
func correct(ctx context.Context, tx *store.Tx, d opening.Denial, now time.Time) error {
	switch {
	case d.Kind == opening.DenyThaw:
		return unfreeze(ctx, tx, "", d.Labels)
	case d.Kind == opening.DenyUphold:
		if err := decidable(ctx, tx, d, now); err != nil {
			return err
		}
		return unfreeze(ctx, tx, d.Author, d.Labels)
	case d.Kind == opening.DenyFreeze:
		return freeze(ctx, tx, d, false)
	case d.Member == "":
		return freeze(ctx, tx, d, true)
	}
	return withdraw(ctx, tx, d.Author, d.Labels, now)
}

// decidable refuses to uphold what the holders would not thaw: the same check
// as theirs, over the freezes that this hub knows.
func decidable(ctx context.Context, tx *store.Tx, d opening.Denial, now time.Time) error {
	var known opening.Denials
	err := frozenBy(ctx, tx, d.Author, func(l seal.Label, since int64) {
		known.Apply(opening.Denial{Kind: opening.DenyFreeze, Member: d.Member, Author: d.Author, Labels: []seal.Label{l}, Time: since}, "")
	})
	if err != nil {
		return err
	}
	if err := known.Refuses(d, now); err != nil {
		return fault.Wrap(fault.Conflict, "The correction was refused: "+err.Error()+".", err)
	}
	return nil
}

// Denied is a denial as this pool took it.
type Denied struct {
	Digest opening.Hash
	Object signed.Object
	Taken  time.Time
}

// Denials gives the denials taken at or after a time, oldest first.
func (s *Service) Denials(ctx context.Context, from time.Time, limit int) (out []Denied, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = denialsFrom(ctx, tx, from.UnixMicro(), limit)
		return err
	})
	return out, err
}
