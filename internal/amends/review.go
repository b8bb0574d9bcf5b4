package amends

import (
	"context"
	"crypto/sha256"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
)

// How long what was opened stays: for counsel to confirm.
const (
	ReviewEvery = 90 * 24 * time.Hour // a lead that nobody looks at again is read by nobody
	ClearedLife = 30 * 24 * time.Hour // from clearing to a bare commitment
)

// Retain keeps a review date for every released opening, leaves of cleared ones
// whose time was over by then a bare commitment, and drops the findings that
// were old by then.
func (s *Service) Retain(ctx context.Context, then time.Time) error {
	opened, err := s.from.Opened(ctx)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, o := range opened {
			if err := insertReview(ctx, tx, o.ID, o.At, o.At.Add(ReviewEvery)); err != nil {
				return err
			}
		}
		over, err := clearedBefore(ctx, tx, then.Add(-ClearedLife).UnixMicro())
		if err != nil {
			return err
		}
		for _, id := range over {
			if err := s.from.Bare(ctx, tx, id); err != nil {
				return err
			}
			if err := setBare(ctx, tx, id, then.UnixMicro()); err != nil {
				return err
			}
		}
		return dropSubjects(ctx, tx, then.Add(-SubjectLife).UnixMicro())
	})
}

// Held says why a released opening is not handed out: nobody reviewed it in
// time, or it was cleared. nil if it is.
func (s *Service) Held(ctx context.Context, id string) error {
	var r client.Retained
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := reviews(ctx, tx, s.clock.Now().UnixMicro(), id)
		if len(list) > 0 {
			r = list[0]
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case r.State == "overdue":
		return fault.New(fault.Conflict, "This lead was not reviewed for 90 days, so it is frozen. Review it: \"parallax desk retain\" keeps or clears it.")
	case r.State == "cleared" || r.State == "bare":
		return fault.New(fault.Conflict, "This lead was cleared and is read by nobody any more.")
	}
	return nil
}

// A ReviewRecord is what the log commits to for a review.
type ReviewRecord struct {
	Type    string       `json:"type"` // "review"
	Pool    string       `json:"pool"`
	By      string       `json:"by"`
	Opening opening.Hash `json:"opening"` // digest of its id
	Outcome string       `json:"outcome"`
	Reason  string       `json:"reason"`
	Time    int64        `json:"time"`
}

// Review keeps an opened lead for another 90 days, or clears it.
func (s *Service) Review(ctx context.Context, m opening.Manifest, by string, req client.RetainRequest) (out client.Retained, err error) {
	if err := reader(m, by); err != nil {
		return out, err
	}
	if req.Outcome != client.RetainKeep && req.Outcome != client.RetainClear || req.Reason == "" || len(req.Reason) > 1000 {
		return out, fault.New(fault.Invalid, "A review says keep or clear, and why in at most 400 characters.")
	}
	now := s.clock.Now().UnixMicro()
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := reviews(ctx, tx, now, req.Opening)
		if err != nil {
			return err
		}
		switch {
		case len(list) == 0:
			return fault.New(fault.NotFound, "There is no released opening with that id.")
		case list[0].Cleared > 0:
			return fault.New(fault.Conflict, "This lead was cleared before.")
		}
		cleared := int64(0)
		if req.Outcome == client.RetainClear {
			cleared = now
		}
		if err := setReview(ctx, tx, req.Opening, now+ReviewEvery.Microseconds(), cleared); err != nil {
			return err
		}
		if err := s.append(ctx, tx, "review", ReviewRecord{Type: "review", Pool: m.Pool, By: by, Opening: sha256.Sum256([]byte(req.Opening)), Outcome: req.Outcome, Reason: req.Reason, Time: now}); err != nil {
			return err
		}
		if list, err = reviews(ctx, tx, now, req.Opening); err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}

// Reviews lists what was opened by when it is to be reviewed.
func (s *Service) Reviews(ctx context.Context, m opening.Manifest, by string) (out client.RetainedList, err error) {
	if err := reader(m, by); err != nil {
		return out, err
	}
	out.Openings = []client.Retained{}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := reviews(ctx, tx, s.clock.Now().UnixMicro(), "")
		if err != nil {
			return err
		}
		out.Openings = append(out.Openings[:0], list...)
		var what []opening.Hash
		for _, r := range list {
			what = append(what, sha256.Sum256([]byte(r.Opening)))
		}
		return s.logRead(ctx, tx, m, by, what)
	})
	return out, err
}
