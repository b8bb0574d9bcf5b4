package pool

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

func keys(labels []seal.Label) [][]byte {
	out := make([][]byte, len(labels))
	for i := range labels {
		out[i] = labels[i][:]
	}
	return out
}

// liveOf gives those of the labels that are live observations of an
// organisation; of any where it is empty.
func liveOf(ctx context.Context, tx *store.Tx, org string, labels []seal.Label) (own [][]byte, err error) {
	err = queryIn(ctx, tx, `SELECT label FROM pool_observation WHERE state = 'live' AND (org = $1 OR $1 = '') AND label IN (`, []any{org}, keys(labels), ``, collect(&own))
	return own, err
}

// freeze keeps observations from counting, from the moment that the act names.
func freeze(ctx context.Context, tx *store.Tx, d opening.Denial, final bool) error {
	own, err := liveOf(ctx, tx, d.Member, d.Labels)
	if err != nil {
		return err
	}
	for _, l := range own {
		if _, err := tx.ExecContext(ctx, `INSERT INTO pool_freeze (label, author, since, final) VALUES ($1, $2, $3, $4)
			ON CONFLICT (label, author) DO UPDATE SET final = pool_freeze.final OR excluded.final`, l, d.Author, d.Time, final); err != nil {
			return err
		}
	}
	return nil
}

// unfreeze lifts the freezes of an author, or all of them; never what was
// revoked.
func unfreeze(ctx context.Context, tx *store.Tx, author string, labels []seal.Label) error {
	return execIn(ctx, tx, `DELETE FROM pool_freeze WHERE NOT final AND (author = $1 OR $1 = '') AND label IN (`, []any{author}, keys(labels), ``)
}

// frozenBy tells which freezes of an author stand.
func frozenBy(ctx context.Context, tx *store.Tx, author string, do func(l seal.Label, since int64)) error {
	return query(ctx, tx, `SELECT label, since FROM pool_freeze WHERE NOT final AND author = $1`, []any{author}, func(rows *sql.Rows) error {
		var l []byte
		var since int64
		if err := rows.Scan(&l, &since); err != nil {
			return err
		}
		do(seal.Label(l), since)
		return nil
	})
}

// denialsFrom gives denials taken at or after a time, oldest first.
func denialsFrom(ctx context.Context, tx *store.Tx, from int64, limit int) (out []Denied, err error) {
	err = query(ctx, tx, `SELECT digest, body, received FROM pool_denial WHERE received >= $1 ORDER BY received, digest LIMIT $2`, []any{from, int64(limit)}, func(rows *sql.Rows) error {
		var digest []byte
		var body string
		var at int64
		if err := rows.Scan(&digest, &body, &at); err != nil {
			return err
		}
		d := Denied{Digest: opening.Hash(digest), Taken: time.UnixMicro(at)}
		if err := json.Unmarshal([]byte(body), &d.Object); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	return out, err
}
