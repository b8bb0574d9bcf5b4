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

const personColumns = `p.id, p.organisation, p.name, p.state, p.handle, p.created,
	COALESCE((SELECT l.issuer FROM identity_login AS l WHERE l.person = p.id), ''),
	(SELECT COUNT(*) FROM identity_passkey AS k WHERE k.person = p.id),
	COALESCE((SELECT MAX(s.seen) FROM identity_session AS s WHERE s.person = p.id), 0)`

func scanPerson(row store.Row) (p Person, err error) {
	var created, seen int64
	var passkeys int
	err = row.Scan(&p.ID, &p.Organisation, &p.Name, &p.State, &p.handle, &created, &p.Account, &passkeys, &seen)
	p.Created = time.UnixMicro(created).UTC()
	if seen > 0 {
		p.Seen = time.UnixMicro(seen).UTC()
	}
	if p.Account == "" && passkeys > 0 {
		p.Account = Passkey
	}
	return p, err
}

// Passkey is how a person signs in who has no account at a provider.
const Passkey = "passkey"

func rolesOf(ctx context.Context, tx *store.Tx, person string) ([]Role, error) {
	return store.All(ctx, tx, func(row store.Row) (r Role, err error) {
		err = row.Scan(&r)
		return r, err
	}, `SELECT role FROM identity_role WHERE person = $1 ORDER BY role`, person)
}

// person finds somebody by id.
func person(ctx context.Context, tx *store.Tx, id string) (p Person, err error) {
	p, err = scanPerson(tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM identity_person AS p WHERE p.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, errNotYours
	}
	if err == nil {
		p.Roles, err = rolesOf(ctx, tx, p.ID)
	}
	return p, err
}

// peopleAfter lists people by id, of one organisation or, for the operator, of
// all; removed ones are left out.
func peopleAfter(ctx context.Context, tx *store.Tx, organisation, after string, limit int) ([]Person, error) {
	list, err := store.All(ctx, tx, scanPerson, `SELECT `+personColumns+` FROM identity_person AS p
		WHERE (p.organisation = $1 OR $1 = '') AND p.id > $2 AND p.state <> 'removed' ORDER BY p.id LIMIT $3`, organisation, after, limit)
	for i := range list {
		if err == nil {
			list[i].Roles, err = rolesOf(ctx, tx, list[i].ID)
		}
	}
	return list, err
}

// administrators counts the administrators of an organisation, active or
// invited, besides one person.
func administrators(ctx context.Context, tx *store.Tx, organisation, besides string) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_person AS p JOIN identity_role ON identity_role.person = p.id
		WHERE p.organisation = $1 AND p.state IN ('active', 'invited') AND identity_role.role = 'organisation-admin' AND p.id <> $2`, organisation, besides).Scan(&n)
	return n, err
}

func insertPerson(ctx context.Context, tx *store.Tx, p Person, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO identity_person (id, organisation, name, state, handle, created, changed) VALUES ($1, $2, $3, 'invited', $4, $5, $6)`,
		p.ID, p.Organisation, p.Name, p.handle, now.UnixMicro(), now.UnixMicro()); err != nil {
		return err
	}
	return putRoles(ctx, tx, p.ID, p.Roles)
}

func putRoles(ctx context.Context, tx *store.Tx, id string, roles []Role) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM identity_role WHERE person = $1`, id); err != nil {
		return err
	}
	for _, r := range roles {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_role (person, role) VALUES ($1, $2)`, id, string(r)); err != nil {
			return err
		}
	}
	return nil
}

// move changes a person's state from one of those that the act allows, in one
// conditional update: of two acts at once the second finds another state.
func move(ctx context.Context, tx *store.Tx, id string, a act, to string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE identity_person SET state = $1, changed = $2 WHERE id = $3 AND state IN (`+quoted(from[a])+`)`, to, now.UnixMicro(), id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fault.New(fault.Conflict, "The person was changed by somebody else in the meantime. Look again."))
	}
	return nil
}

// quoted is words of a closed list as SQL text.
func quoted(words []string) string { return "'" + strings.Join(words, "', '") + "'" }

// forget takes away what a person can sign in with, and every session.
func forget(ctx context.Context, tx *store.Tx, id string) error {
	for _, query := range []string{
		`DELETE FROM identity_session WHERE person = $1`, `DELETE FROM identity_invitation WHERE person = $1`,
		`DELETE FROM identity_login WHERE person = $1`, `DELETE FROM identity_passkey WHERE person = $1`,
	} {
		if _, err := tx.ExecContext(ctx, query, id); err != nil {
			return err
		}
	}
	return nil
}

func endSessions(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE person = $1`, id)
	return err
}

// erase takes the name of a removed person and revokes its keys; its id stays,
// since the log names it.
func erase(ctx context.Context, tx *store.Tx, id string, now time.Time) error {
	if err := putRoles(ctx, tx, id, nil); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE identity_key SET revoked = $1 WHERE person = $2 AND revoked = 0`, now.UnixMicro(), id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE identity_person SET name = '' WHERE id = $1`, id)
	return err
}

func insertInvitation(ctx context.Context, tx *store.Tx, code []byte, id string, now, expires time.Time) error {
	// A new link makes the older ones worthless.
	if _, err := tx.ExecContext(ctx, `DELETE FROM identity_invitation WHERE person = $1`, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_invitation (code, person, created, expires, used) VALUES ($1, $2, $3, $4, 0)`,
		code, id, now.UnixMicro(), expires.UnixMicro())
	return err
}

// invitedBy is the person whom an unused, unexpired code invites.
func invitedBy(ctx context.Context, tx *store.Tx, code []byte, now time.Time) (Person, error) {
	var id string
	err := tx.QueryRowContext(ctx, `SELECT person FROM identity_invitation WHERE code = $1 AND used = 0 AND expires > $2`, code, now.UnixMicro()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, errInvitation
	}
	if err != nil {
		return Person{}, err
	}
	p, err := person(ctx, tx, id)
	if err == nil && p.State != Invited {
		err = errInvitation
	}
	return p, err
}

// useInvitation spends a code, once.
func useInvitation(ctx context.Context, tx *store.Tx, code []byte, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE identity_invitation SET used = $1 WHERE code = $2 AND used = 0 AND expires > $3`, now.UnixMicro(), code, now.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errInvitation)
	}
	return nil
}

// kept is how long a spent or expired invitation stays before it is dropped.
const kept = 30 * 24 * time.Hour

func tidy(ctx context.Context, tx *store.Tx, now time.Time) error {
	for _, d := range []struct {
		query string
		at    time.Time
	}{
		{`DELETE FROM identity_session WHERE seen <= $1`, now.Add(-Idle)},
		{`DELETE FROM identity_session WHERE created <= $1`, now.Add(-Absolute)},
		{`DELETE FROM identity_flow WHERE expires <= $1`, now},
		{`DELETE FROM identity_invitation WHERE expires <= $1`, now.Add(-kept)},
	} {
		if _, err := tx.ExecContext(ctx, d.query, d.at.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// insertLogin binds an account at a provider to a person. An account belongs to
// one person, and a person has one account.
func insertLogin(ctx context.Context, tx *store.Tx, issuer, subject, id string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO identity_login (issuer, subject, person, created) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, issuer, subject, id, now.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fault.New(fault.Conflict, "This account at the provider belongs to another person here already."))
	}
	return nil
}

// loggedIn is the person whom an account at a provider belongs to, by issuer
// and subject and nothing else.
func loggedIn(ctx context.Context, tx *store.Tx, issuer, subject string) (Person, error) {
	var id string
	err := tx.QueryRowContext(ctx, `SELECT person FROM identity_login WHERE issuer = $1 AND subject = $2`, issuer, subject).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, errNobody
	}
	if err != nil {
		return Person{}, err
	}
	return person(ctx, tx, id)
}
