package hub

import (
	"context"

	"parallax/internal/amends"
	"parallax/internal/clock"
	"parallax/internal/pool"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

// Retention says what a hub holds and what ends when: counts only.
type Retention struct {
	pool.Life
	amends.Timers
	Keys int64 `json:"record_keys"`
}

// Retain reads a hub's database beside the running hub and changes nothing.
func Retain(ctx context.Context, db *store.DB, keys *recordkeys.Keys, now clock.Clock) (out Retention, err error) {
	p, err := pool.New(ctx, db, pool.Records{Keys: keys}, nil, nil, now)
	if err != nil {
		return out, err
	}
	a, err := amends.New(ctx, db, amends.Sources{}, now, nil)
	if err != nil {
		return out, err
	}
	if out.Life, err = p.Life(ctx); err != nil {
		return out, err
	}
	if out.Timers, err = a.Count(ctx); err != nil {
		return out, err
	}
	out.Timers.Freezes = out.Life.Frozen
	out.Keys, err = keys.Count(ctx)
	return out, err
}
