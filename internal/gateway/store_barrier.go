package gateway

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func anyBarrier(ctx context.Context, tx *store.Tx) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM gateway_barrier`).Scan(&n)
	return n > 0, err
}

// saveBarrier writes a barrier whose edit was was; 0: it is new.
func saveBarrier(ctx context.Context, tx *store.Tx, k Kept, was int, who string, at time.Time) error {
	body, err := text(k.Barrier)
	if err != nil {
		return err
	}
	if was == 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO gateway_barrier (id, edit, body, removed) VALUES ($1, $2, $3, $4)`, k.ID, k.Edit, body, k.Removed)
	} else {
		err = changedOne(tx.ExecContext(ctx, `UPDATE gateway_barrier SET edit = $1, body = $2, removed = $3 WHERE id = $4 AND edit = $5`, k.Edit, body, k.Removed, k.ID, was))
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_barrier_edit (barrier, edit, body, removed, who, happened) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Edit, body, k.Removed, who, at.UnixMicro())
	return err
}

func scanBarrier(row store.Row) (k Kept, err error) {
	var body string
	if err := row.Scan(&k.ID, &k.Edit, &body, &k.Removed); err != nil {
		return k, err
	}
	k.by = map[string]int{}
	return k, json.Unmarshal([]byte(body), &k.Barrier)
}

func readBarriers(ctx context.Context, tx *store.Tx) ([]Kept, error) {
	list, err := store.All(ctx, tx, scanBarrier, `SELECT id, edit, body, removed FROM gateway_barrier ORDER BY id`)
	if err != nil {
		return nil, err
	}
	at := map[string]*Kept{}
	for i := range list {
		at[list[i].ID] = &list[i]
	}
	return list, countCases(ctx, tx, at, `SELECT barrier, why, COUNT(*), CAST(SUM(days) AS BIGINT) FROM gateway_case GROUP BY barrier, why`)
}

func countCases(ctx context.Context, tx *store.Tx, at map[string]*Kept, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, why string
		var n, days int
		if err := rows.Scan(&id, &why, &n, &days); err != nil {
			return err
		}
		if k := at[id]; k != nil {
			k.cases, k.days, k.by[why] = k.cases+n, k.days+days, n
		}
	}
	return rows.Err()
}

func readBarrier(ctx context.Context, tx *store.Tx, id string) (Kept, error) {
	k, err := scanBarrier(tx.QueryRowContext(ctx, `SELECT id, edit, body, removed FROM gateway_barrier WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return k, fault.New(fault.NotFound, "The register holds no such barrier.")
	}
	if err != nil {
		return k, err
	}
	return k, countCases(ctx, tx, map[string]*Kept{id: &k}, `SELECT barrier, why, COUNT(*), CAST(SUM(days) AS BIGINT) FROM gateway_case WHERE barrier = $1 GROUP BY barrier, why`, id)
}

// BarrierEdit is a text that a barrier had.
type BarrierEdit struct {
	Barrier
	Edit    int
	Removed bool
	Who     string
	At      time.Time
}

// readBarrierEdits gives a barrier's texts, the newest first.
func readBarrierEdits(ctx context.Context, tx *store.Tx, id string) ([]BarrierEdit, error) {
	return store.All(ctx, tx, func(row store.Row) (e BarrierEdit, err error) {
		var body string
		var at int64
		if err := row.Scan(&e.Edit, &body, &e.Removed, &e.Who, &at); err != nil {
			return e, err
		}
		e.ID, e.At = id, time.UnixMicro(at).UTC()
		return e, json.Unmarshal([]byte(body), &e.Barrier)
	}, `SELECT edit, body, removed, who, happened FROM gateway_barrier_edit WHERE barrier = $1 ORDER BY edit DESC`, id)
}

func insertCase(ctx context.Context, tx *store.Tx, c Case, origin, organisation, month string) (added bool, err error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO gateway_case (barrier, origin, organisation, why, days, month) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (barrier, origin) DO NOTHING`,
		c.Barrier, origin, organisation, c.Why, c.Days, month)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
