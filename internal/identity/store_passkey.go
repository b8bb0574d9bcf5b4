package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// owned is a person with its passkeys.
func owned(ctx context.Context, tx *store.Tx, p Person) (owner, error) {
	has, err := store.All(ctx, tx, func(row store.Row) (c webauthn.Credential, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(body), &c)
	}, `SELECT body FROM identity_passkey WHERE person = $1 ORDER BY created, id`, p.ID)
	return owner{p, has}, err
}

func byHandle(ctx context.Context, tx *store.Tx, handle []byte) (id string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM identity_person WHERE handle = $1`, handle).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errPasskey
	}
	return id, err
}

func insertPasskey(ctx context.Context, tx *store.Tx, id, person, label string, c webauthn.Credential, now time.Time) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO identity_passkey (id, credential, person, label, body, created, used) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		id, c.ID, person, label, string(body), now.UnixMicro(), now.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fault.New(fault.Conflict, "This passkey is known already."))
	}
	return nil
}

// usePasskey keeps the device's counter, which shows a copied passkey.
func usePasskey(ctx context.Context, tx *store.Tx, c webauthn.Credential, now time.Time) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE identity_passkey SET body = $1, used = $2 WHERE credential = $3`, string(body), now.UnixMicro(), c.ID)
	return err
}

// A Credential is one passkey as its person sees it.
type Credential struct {
	ID, Label     string
	Created, Used time.Time
}

// Passkeys lists a person's own passkeys.
func (s *Service) Passkeys(ctx context.Context, by Principal) (out []Credential, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = store.All(ctx, tx, func(row store.Row) (c Credential, err error) {
			var created, used int64
			err = row.Scan(&c.ID, &c.Label, &created, &used)
			c.Created, c.Used = time.UnixMicro(created).UTC(), time.UnixMicro(used).UTC()
			return c, err
		}, `SELECT id, label, created, used FROM identity_passkey WHERE person = $1 ORDER BY created, id`, by.Person)
		return err
	})
	return out, err
}

// RemovePasskey takes one of a person's own passkeys away, never the last.
func (s *Service) RemovePasskey(ctx context.Context, by Principal, id string) error {
	if !Confirmed(by, s.o.Clock.Now()) {
		return errConfirm
	}
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM identity_passkey WHERE id = $1 AND person = $2
			AND EXISTS (SELECT 1 FROM identity_passkey AS other WHERE other.person = $2 AND other.id <> $1)`, id, by.Person)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fault.New(fault.Conflict, "This is your last passkey, or none of yours. Make another one first."))
		}
		return nil
	})
}
