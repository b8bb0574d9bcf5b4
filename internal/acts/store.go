package acts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

const columns = `id, kind, body, approvals, state, reason, ticket, proposed, changed`

func insert(ctx context.Context, tx *store.Tx, a Act) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO acts_act (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.Kind, a.Raw, "[]", a.State, a.Reason, a.Ticket, a.Proposed.UnixMicro(), a.Changed.UnixMicro())
	return err
}

func update(ctx context.Context, tx *store.Tx, a Act) error {
	text, err := json.Marshal(a.Approvals)
	if err != nil {
		return err
	}
	if a.Approvals == nil {
		text = []byte("[]")
	}
	_, err = tx.ExecContext(ctx, `UPDATE acts_act SET approvals = $1, state = $2, reason = $3, ticket = $4, changed = $5 WHERE id = $6`,
		string(text), a.State, a.Reason, a.Ticket, a.Changed.UnixMicro(), a.ID)
	return err
}

func read(ctx context.Context, tx *store.Tx, id string) (Act, error) {
	a, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM acts_act WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, fault.New(fault.NotFound, "There is no such act.")
	}
	return a, err
}

func scan(row store.Row) (a Act, err error) {
	var approvals string
	var proposed, changed int64
	if err := row.Scan(&a.ID, &a.Kind, &a.Raw, &approvals, &a.State, &a.Reason, &a.Ticket, &proposed, &changed); err != nil {
		return a, err
	}
	a.Proposed, a.Changed, a.Digest = time.UnixMicro(proposed), time.UnixMicro(changed), opening.ActDigest(a.Raw)
	if err := json.Unmarshal([]byte(approvals), &a.Approvals); err != nil {
		return a, err
	}
	return a, signed.Unmarshal(a.Raw, &a.Act)
}

func list(ctx context.Context, tx *store.Tx, limit int) ([]Act, error) {
	return store.All(ctx, tx, scan, `SELECT `+columns+` FROM acts_act ORDER BY proposed DESC, id DESC LIMIT $1`, int64(limit))
}

func unfinished(ctx context.Context, tx *store.Tx) ([]Act, error) {
	return store.All(ctx, tx, scan, `SELECT `+columns+` FROM acts_act WHERE state IN ('proposed', 'approved') ORDER BY proposed, id LIMIT 1000`)
}
