package leads

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

func insertStep(ctx context.Context, tx *store.Tx, id string, x stepRow) error {
	raw, err := text(x.Signed)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leads_step (opening, number, digest, signed, ticket, gateway, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, int64(x.Number), x.Digest[:], raw, x.Ticket, x.Gateway, x.At.UnixMicro())
	return err
}

func readSteps(ctx context.Context, tx *store.Tx, id string) ([]stepRow, error) {
	return store.All(ctx, tx, func(row store.Row) (stepRow, error) {
		var x stepRow
		var digest []byte
		var raw string
		var at int64
		if err := row.Scan(&x.Number, &digest, &raw, &x.Ticket, &x.Gateway, &at); err != nil {
			return x, err
		}
		x.Digest, x.At = opening.Hash(digest), time.UnixMicro(at)
		return x, json.Unmarshal([]byte(raw), &x.Signed)
	}, `SELECT number, digest, signed, ticket, gateway, at FROM leads_step WHERE opening = $1 ORDER BY number`, id)
}

const noteColumns = `id, opening, org, ticket, signed, earliest, due`

func scanNote(row store.Row) (noteRow, error) {
	var n noteRow
	var raw string
	if err := row.Scan(&n.ID, &n.Opening, &n.Org, &n.Ticket, &raw, &n.Earliest, &n.Due); err != nil {
		return n, err
	}
	return n, json.Unmarshal([]byte(raw), &n.Signed)
}

func insertNote(ctx context.Context, tx *store.Tx, n noteRow) error {
	raw, err := text(n.Signed)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leads_note (`+noteColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		n.ID, n.Opening, n.Org, n.Ticket, raw, n.Earliest)
	return err
}

// unplacedNotes are those without a release time.
func unplacedNotes(ctx context.Context, tx *store.Tx) ([]noteRow, error) {
	return store.All(ctx, tx, scanNote, `SELECT `+noteColumns+` FROM leads_note WHERE due = 0 ORDER BY id LIMIT 1000`)
}

// notesAt counts what one member's digest holds for one release time.
func notesAt(ctx context.Context, tx *store.Tx, org string, due int64) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM leads_note WHERE org = $1 AND due = $2`, org, due).Scan(&n)
	return n, err
}

func setDue(ctx context.Context, tx *store.Tx, id string, due int64) error {
	return changedOne(tx.ExecContext(ctx, `UPDATE leads_note SET due = $1 WHERE id = $2 AND due = 0`, due, id))
}

// notesOf lists what is due to one member after a time, up to another.
func notesOf(ctx context.Context, tx *store.Tx, org string, after, through int64, limit int) ([]noteRow, error) {
	return store.All(ctx, tx, scanNote, `SELECT `+noteColumns+` FROM leads_note WHERE org = $1 AND due > $2 AND due <= $3 ORDER BY due, id LIMIT $4`,
		org, after, through, int64(limit))
}

func scanEmergency(row store.Row) (emergencyRow, error) {
	var e emergencyRow
	var released, by int64
	var review string
	if err := row.Scan(&e.Opening, &released, &by, &review); err != nil {
		return e, err
	}
	e.Released, e.ReviewBy = time.UnixMicro(released), time.UnixMicro(by)
	if review == "" {
		return e, nil
	}
	e.Review = new(signed.Object)
	return e, json.Unmarshal([]byte(review), e.Review)
}

func insertEmergency(ctx context.Context, tx *store.Tx, e emergencyRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO leads_emergency (opening, released, review_by, review) VALUES ($1, $2, $3, '') ON CONFLICT (opening) DO NOTHING`,
		e.Opening, e.Released.UnixMicro(), e.ReviewBy.UnixMicro())
	return err
}

func readEmergency(ctx context.Context, tx *store.Tx, id string) (emergencyRow, bool, error) {
	e, err := scanEmergency(tx.QueryRowContext(ctx, `SELECT opening, released, review_by, review FROM leads_emergency WHERE opening = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

func readEmergencies(ctx context.Context, tx *store.Tx) ([]emergencyRow, error) {
	return store.All(ctx, tx, scanEmergency, `SELECT opening, released, review_by, review FROM leads_emergency ORDER BY released, opening`)
}

func saveReview(ctx context.Context, tx *store.Tx, id string, review signed.Object) error {
	raw, err := text(review)
	if err != nil {
		return err
	}
	return changedOne(tx.ExecContext(ctx, `UPDATE leads_emergency SET review = $1 WHERE opening = $2 AND review = ''`, raw, id))
}

// latest is the latest time that a tick has seen, in seconds since 1970.
func latest(ctx context.Context, tx *store.Tx) (at int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(at), 0) FROM leads_latest`).Scan(&at)
	return at, err
}

func saveLatest(ctx context.Context, tx *store.Tx, at int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO leads_latest (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at`, at)
	return err
}
