package leads

import (
	"context"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// stepReview is what the log calls a review.
const stepReview = "review"

// An emergencyRow is a break-glass opening that was released.
type emergencyRow struct {
	Opening            string
	Released, ReviewBy time.Time
	Review             *signed.Object
}

// broken is what every holder keeps of a break-glass opening.
func (e emergencyRow) broken(o openingRow) opening.Broken {
	b := opening.Broken{Request: o.Digest, ReviewBy: e.ReviewBy}
	for _, a := range o.Approvals {
		b.Approvers = append(b.Approvers, a.Key)
	}
	return b
}

// Review takes what an oversight body says of a break-glass opening.
func (s *Service) Review(ctx context.Context, m opening.Manifest, by string, req client.ReviewRequest) (client.OpeningState, error) {
	if a, ok := m.Approver(by); !ok || a.Role != opening.RoleOversight {
		return client.OpeningState{}, fault.New(fault.Forbidden, "Only an approver of an oversight body reviews a break-glass opening.")
	}
	if req.Review.Key != by {
		return client.OpeningState{}, fault.New(fault.Forbidden, "The review is signed by somebody else than its sender.")
	}
	var out client.OpeningState
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, err := readOpening(ctx, tx, req.ID)
		if err != nil {
			return err
		}
		e, ok, err := readEmergency(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.Conflict, "There is nothing to review: this opening broke no glass, or nothing was released.")
		}
		if e.Review == nil {
			if _, err := opening.OpenReview(m, req.Review, e.broken(o)); err != nil {
				return fault.Wrap(fault.Invalid, "The review was refused: "+err.Error()+".", err)
			}
			if _, err := s.logStep(ctx, tx, m.Pool, stepReview, opening.Digest(req.Review.Body)); err != nil {
				return err
			}
			if err := saveReview(ctx, tx, o.ID, req.Review); err != nil {
				return err
			}
		} else if opening.Digest(e.Review.Body) != opening.Digest(req.Review.Body) {
			return fault.New(fault.Conflict, "This opening has been reviewed already.")
		}
		out, err = s.fullView(ctx, tx, o)
		return err
	})
	return out, err
}

// noteEmergency keeps a break-glass opening from its first share on: each
// holder counts the time to its review from its own release.
func noteEmergency(ctx context.Context, tx *store.Tx, m opening.Manifest, o openingRow, r opening.Request, now time.Time) error {
	if r.Emergency == "" || m.Emergency == nil {
		return nil
	}
	return insertEmergency(ctx, tx, emergencyRow{Opening: o.ID, Released: now,
		ReviewBy: now.Add(time.Duration(m.Emergency.ReviewSeconds) * time.Second)})
}

// reviews are those of all break-glass openings, for the holders of one more.
func reviews(ctx context.Context, tx *store.Tx, r opening.Request) ([]signed.Object, error) {
	if r.Emergency == "" {
		return nil, nil
	}
	list, err := readEmergencies(ctx, tx)
	var out []signed.Object
	for _, e := range list {
		if e.Review != nil {
			out = append(out, *e.Review)
		}
	}
	return out, err
}

// glassIsWhole refuses early what every holder would refuse.
func (s *Service) glassIsWhole(ctx context.Context, tx *store.Tx, m opening.Manifest, r opening.Request) error {
	if r.Emergency == "" || m.Emergency == nil {
		return nil
	}
	recent := int64(0)
	list, err := readEmergencies(ctx, tx)
	for _, e := range list {
		if s.clock.Now().Before(e.ReviewBy) {
			recent++
		} else if e.Review == nil {
			return fault.New(fault.Conflict, "The review of an earlier break-glass opening is overdue. Until the oversight body has reviewed it, none is requested.")
		}
	}
	if recent >= m.Emergency.Limit {
		return fault.Newf(fault.Conflict, "The glass was broken %d times within one review period, which is the most that this pool allows. A request that keeps the full window is possible at any time.", recent)
	}
	return err
}
