package identity

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

const keyColumns = `id, label, reads, created, expires, revoked, used`

func scanKey(row store.Row, more ...any) (k Key, err error) {
	var reads string
	var created, expires, revoked, used int64
	err = row.Scan(append([]any{&k.ID, &k.Label, &reads, &created, &expires, &revoked, &used}, more...)...)
	k.Reads = strings.Split(reads, " ")
	k.Created, k.Expires, k.Revoked = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC(), revoked > 0
	if used > 0 {
		k.Used = time.UnixMicro(used).UTC()
	}
	return k, err
}

func insertKey(ctx context.Context, tx *store.Tx, k Key, hash []byte, by Principal) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_key (id, secret, organisation, person, label, reads, created, expires, revoked, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
		k.ID, hash, by.Organisation, by.Person, k.Label, strings.Join(k.Reads, " "), k.Created.UnixMicro(), k.Expires.UnixMicro())
	return err
}

func liveKeys(ctx context.Context, tx *store.Tx, organisation string, now time.Time) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_key WHERE organisation = $1 AND revoked = 0 AND expires > $2`, organisation, now.UnixMicro()).Scan(&n)
	return n, err
}

func keysOf(ctx context.Context, tx *store.Tx, organisation string) ([]Key, error) {
	return store.All(ctx, tx, func(row store.Row) (Key, error) { return scanKey(row) },
		`SELECT `+keyColumns+` FROM identity_key WHERE organisation = $1 ORDER BY created DESC, id LIMIT 100`, organisation)
}

// keyBySecret finds a key, its organisation and the state of who made it.
func keyBySecret(ctx context.Context, tx *store.Tx, hash []byte) (k Key, organisation, state string, err error) {
	k, err = scanKey(tx.QueryRowContext(ctx, `SELECT `+keyColumns+`, organisation, (SELECT p.state FROM identity_person AS p WHERE p.id = identity_key.person)
		FROM identity_key WHERE secret = $1`, hash), &organisation, &state)
	if errors.Is(err, sql.ErrNoRows) {
		err = errKey
	}
	return k, organisation, state, err
}

func useKey(ctx context.Context, tx *store.Tx, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE identity_key SET used = $1 WHERE id = $2`, now.UnixMicro(), id)
	return err
}

func revokeKey(ctx context.Context, tx *store.Tx, organisation, id string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE identity_key SET revoked = $1 WHERE id = $2 AND organisation = $3 AND revoked = 0`, now.UnixMicro(), id, organisation)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fault.New(fault.NotFound, "Your organisation has no such key, or it was revoked before."))
	}
	return nil
}
