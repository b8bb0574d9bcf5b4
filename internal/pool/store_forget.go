package pool

import (
	"context"
	"database/sql"

	"parallax/internal/store"
)

// toForget gives observations that ended and whose keys may still be there, all
// of them and by why they ended.
func toForget(ctx context.Context, tx *store.Tx, limit int) (all [][]byte, by map[string][][]byte, err error) {
	by = make(map[string][][]byte)
	err = query(ctx, tx, `SELECT d.label, o.state FROM pool_deletion d JOIN pool_observation o ON o.label = d.label WHERE d.done = 0 ORDER BY d.label LIMIT $1`,
		[]any{int64(limit)}, func(rows *sql.Rows) error {
			var l []byte
			var state string
			if err := rows.Scan(&l, &state); err != nil {
				return err
			}
			all, by[state] = append(all, l), append(by[state], l)
			return nil
		})
	return all, by, err
}

// forgotten notes that keys were destroyed, and lifts whatever froze what is
// gone: not all of that was for the organisation to see.
func forgotten(ctx context.Context, tx *store.Tx, labels [][]byte, at int64) error {
	if err := execIn(ctx, tx, `DELETE FROM pool_freeze WHERE label IN (`, nil, labels, ``); err != nil {
		return err
	}
	return execIn(ctx, tx, `UPDATE pool_deletion SET done = $1 WHERE done = 0 AND label IN (`, []any{at}, labels, ``)
}

// An emptyBatch is one that the log holds and of which nothing is left.
type emptyBatch struct {
	org, ticket string
	root        []byte
}

func emptyBatches(ctx context.Context, tx *store.Tx, limit int) (out []emptyBatch, err error) {
	err = query(ctx, tx, `SELECT DISTINCT b.org, b.root, b.ticket FROM pool_deletion d JOIN pool_observation o ON o.label = d.label
		JOIN pool_batch b ON b.org = o.org AND b.root = o.root
		WHERE d.opened AND d.done > 0 AND b.logged > 0 AND NOT EXISTS (SELECT 1 FROM pool_observation l WHERE l.org = b.org AND l.root = b.root AND l.state = 'live')
		LIMIT $1`, []any{int64(limit)}, func(rows *sql.Rows) error {
		var b emptyBatch
		if err := rows.Scan(&b.org, &b.root, &b.ticket); err != nil {
			return err
		}
		out = append(out, b)
		return nil
	})
	return out, err
}

// closed notes that the log entry of a batch can be opened no more.
func closed(ctx context.Context, tx *store.Tx, b emptyBatch) error {
	_, err := tx.ExecContext(ctx, `UPDATE pool_deletion SET opened = FALSE WHERE label IN (SELECT label FROM pool_observation WHERE org = $1 AND root = $2)`, b.org, b.root)
	return err
}

// comeBack gives those of the labels that are here and not ended.
func comeBack(ctx context.Context, tx *store.Tx, labels [][]byte) (out [][]byte, err error) {
	err = queryIn(ctx, tx, `SELECT label FROM pool_observation WHERE state = 'live' AND label IN (`, nil, labels, ``, collect(&out))
	return out, err
}
