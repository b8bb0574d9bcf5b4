package pool

import (
	"context"
	"database/sql"
	"errors"

	"parallax/internal/store"
)

// readAhead is how many observations are read before their keys are asked for.
const readAhead = 1000

// eachHeader reads every observation that is still there, frozen ones included,
// in the order of their labels, which says nothing. It is one pass over the
// pool, made a few times a quarter, and holds no lock that a contribution waits
// for. What was deleted is in no later estimate.
func (s *Service) eachHeader(ctx context.Context, each func(seen)) error {
	for after := []byte{}; after != nil; {
		err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			after, err = s.someHeaders(ctx, tx, after, each)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type sealedRow struct {
	label, sealed []byte
	parts
	live bool
}

// someHeaders reads the observations after a label, and gives the last label
// that it read; nil at the end.
func (s *Service) someHeaders(ctx context.Context, tx *store.Tx, after []byte, each func(seen)) ([]byte, error) {
	var list []sealedRow
	var labels [][]byte
	err := query(ctx, tx, `SELECT o.label, o.body, o.sealed, o.statistics,
		o.state = 'live' AND NOT EXISTS (SELECT 1 FROM pool_freeze f WHERE f.label = o.label)
		FROM pool_observation o WHERE o.label > $1 ORDER BY o.label LIMIT $2`, []any{after, int64(readAhead)}, func(rows *sql.Rows) error {
		var x sealedRow
		if err := rows.Scan(&x.label, &x.body, &x.sealed, &x.statistics, &x.live); err != nil {
			return err
		}
		list, labels = append(list, x), append(labels, x.label)
		return nil
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	keys, err := s.records.Keys.Get(ctx, labels)
	if err != nil {
		return nil, err
	}
	for _, row := range list {
		p, err := openParts(keys[string(row.label)], row.parts, row.sealed)
		if errors.Is(err, errForgotten) {
			continue
		}
		if err != nil {
			return nil, err
		}
		x, err := readSeen(string(p.body), p.statistics, row.live)
		if err != nil {
			return nil, err
		}
		each(x)
	}
	return list[len(list)-1].label, nil
}
