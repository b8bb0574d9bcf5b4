package pool

import (
	"context"
	"database/sql"

	"parallax/internal/store"
)

// eachHeader reads every observation that was ever taken, ended and frozen
// ones included, in no order that says anything. It is one pass over the pool, made a few times
// a quarter, and holds no lock that a contribution waits for.
func (s *Service) eachHeader(ctx context.Context, each func(seen)) error {
	return s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return query(ctx, tx, `SELECT o.body, o.statistics,
			o.state = 'live' AND NOT EXISTS (SELECT 1 FROM pool_freeze f WHERE f.label = o.label) FROM pool_observation o`, nil, func(rows *sql.Rows) error {
			var body string
			var statistics []byte
			var live bool
			if err := rows.Scan(&body, &statistics, &live); err != nil {
				return err
			}
			x, err := readSeen(body, statistics, live)
			if err == nil {
				each(x)
			}
			return err
		})
	})
}
