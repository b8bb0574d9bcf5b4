package pool

import (
	"context"
	"database/sql"

	"parallax/internal/store"
)

// eachHeader reads every observation that was ever taken, ended ones included,
// in no order that says anything. It is one pass over the pool, made a few times
// a quarter, and holds no lock that a contribution waits for.
func (s *Service) eachHeader(ctx context.Context, each func(seen)) error {
	return s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return query(ctx, tx, `SELECT body, statistics, state FROM pool_observation`, nil, func(rows *sql.Rows) error {
			var body, state string
			var statistics []byte
			if err := rows.Scan(&body, &statistics, &state); err != nil {
				return err
			}
			x, err := readSeen(body, statistics, state == "live")
			if err == nil {
				each(x)
			}
			return err
		})
	})
}
