package leads

import (
	"context"
	"encoding/json"
	"time"

	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

// An Opened is a released opening: what the authority may have read.
type Opened struct {
	ID     string
	Labels []seal.Label
	At     time.Time // of the release
}

// Opened gives every released opening, oldest first.
func (s *Service) Opened(ctx context.Context) (out []Opened, err error) {
	var rows []openingRow
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		rows, err = readOpenings(ctx, tx, Released)
		return err
	})
	for _, o := range rows {
		var r opening.Request
		if err := json.Unmarshal(o.Request.Body, &r); err != nil {
			return nil, err
		}
		out = append(out, Opened{ID: o.ID, Labels: r.Labels, At: o.Changed})
	}
	return out, err
}

// Bare leaves of a released opening no more than that there was one: its
// shares, what they were for, and the lead's list go, in the caller's
// transaction. The request's digest is what the log committed to.
func (s *Service) Bare(ctx context.Context, tx *store.Tx, id string) error {
	return bare(ctx, tx, id)
}

// held says why a released opening is not handed out; nil if it is.
func (s *Service) held(ctx context.Context, id string) error {
	if s.Held == nil {
		return nil
	}
	return s.Held(ctx, id)
}
