package identity

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

type sessionRow struct {
	body          []byte
	created, seen time.Time
}

// find is a session by the hash of its token, nil where there is none.
func (ss *sessions) find(ctx context.Context, token string) (*sessionRow, error) {
	var row sessionRow
	var created, seen int64
	err := ss.s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT body, created, seen FROM identity_session WHERE token = $1`, token).Scan(&row.body, &created, &seen)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	row.created, row.seen = time.UnixMicro(created), time.UnixMicro(seen)
	return &row, err
}

func (ss *sessions) touch(ctx context.Context, token string, now time.Time) error {
	return ss.s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE identity_session SET seen = $1 WHERE token = $2 AND seen < $3`, now.UnixMicro(), token, now.UnixMicro())
		return err
	})
}

// putSession keeps a session of a person who is active at this moment. One that
// is kept already only changes what it holds: its beginning stays.
func putSession(ctx context.Context, tx *store.Tx, token, id, person, device string, body []byte, confirmed, began int64, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE identity_session SET body = $1, confirmed = $2 WHERE token = $3 AND person = $4`, body, confirmed, token, person)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	res, err = tx.ExecContext(ctx, `INSERT INTO identity_session (token, id, person, body, device, created, seen, confirmed)
		SELECT $1, $2, p.id, $3, $4, $5, $6, $7 FROM identity_person AS p WHERE p.id = $8 AND p.state = 'active'`,
		token, id, body, device, began, now.UnixMicro(), confirmed, person)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fault.New(fault.Forbidden, "You cannot sign in at the moment. Ask an administrator of your organisation."))
	}
	return nil
}

// A Session is one sign-in of a person, as it sees its own.
type Session struct {
	ID            string
	Device        string
	Created, Seen time.Time
	Current       bool
}

// Sessions lists a person's own open sessions, newest use first.
func (s *Service) Sessions(ctx context.Context, by Principal) (out []Session, err error) {
	now, current := s.o.Clock.Now(), ""
	if inside(ctx) {
		current = storedToken(s.sessions.manager.Token(ctx))
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = store.All(ctx, tx, func(row store.Row) (x Session, err error) {
			var created, seen int64
			var at string
			err = row.Scan(&x.ID, &at, &x.Device, &created, &seen)
			x.Created, x.Seen = time.UnixMicro(created).UTC(), time.UnixMicro(seen).UTC()
			x.Current = at == current
			return x, err
		}, `SELECT id, token, device, created, seen FROM identity_session WHERE person = $1 AND seen > $2 AND created > $3 ORDER BY seen DESC, id`,
			by.Person, now.Add(-Idle).UnixMicro(), now.Add(-Absolute).UnixMicro())
		return err
	})
	return out, err
}

// EndSession ends one of a person's own sessions, effective at its next request.
func (s *Service) EndSession(ctx context.Context, by Principal, id string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE id = $1 AND person = $2`, id, by.Person)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fault.New(fault.NotFound, "You have no such session. It may have ended already."))
		}
		return nil
	})
}

// EndOtherSessions ends all of a person's own sessions but the one that asks.
func (s *Service) EndOtherSessions(ctx context.Context, by Principal) error {
	if !inside(ctx) {
		return errContext
	}
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE person = $1 AND token <> $2`, by.Person, storedToken(s.sessions.manager.Token(ctx)))
		return err
	})
}

// storedToken is a token as the manager stores it: its hash.
func storedToken(token string) string {
	return base64.RawURLEncoding.EncodeToString(hashOf(token))
}
