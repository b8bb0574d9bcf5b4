package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// inForce is the newest accreditation of an organisation, nil without one.
func inForce(ctx context.Context, tx *store.Tx, id string) (*Accreditation, error) {
	var body string
	err := tx.QueryRowContext(ctx, `SELECT body FROM identity_organisation WHERE id = $1`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readStored(body)
}

func readStored(body string) (*Accreditation, error) {
	var sa SignedAccreditation
	if err := json.Unmarshal([]byte(body), &sa); err != nil {
		return nil, err
	}
	a, err := sa.Read()
	return &a, err
}

// words are the suspensions by governors and their liftings, of one organisation
// or, for "", of all, in the order in which they came.
func (s *Service) words(ctx context.Context, tx *store.Tx, organisation string) (d opening.Denials, err error) {
	bodies, err := store.All(ctx, tx, scanText, `SELECT body FROM identity_act WHERE kind <> 'accredit' AND (organisation = $1 OR $1 = '') ORDER BY received, digest`, organisation)
	for _, b := range bodies {
		var o signed.Object
		var x opening.Denial
		if err := errors.Join(json.Unmarshal([]byte(b), &o), signed.Unmarshal(o.Body, &x)); err != nil {
			return d, err
		}
		d.Apply(x, s.entityOf(o.Key))
	}
	return d, err
}

// entityOf is the controlling entity of a governor.
func (s *Service) entityOf(governor string) string {
	for _, g := range s.o.Governance.Governors {
		if g.ID == governor {
			return g.Entity
		}
	}
	return ""
}

// organisation is what is known of one organisation now.
func (s *Service) organisation(ctx context.Context, tx *store.Tx, id string) (Organisation, error) {
	m, ok := s.o.Policy()
	a, err := inForce(ctx, tx, id)
	if err != nil {
		return Organisation{}, err
	}
	words, err := s.words(ctx, tx, id)
	return merge(listed(s.o.Operator, m, ok)[id], id, a, words.Suspended(id), s.o.Clock.Now()), err
}

// Organisations lists every organisation that the manifest or an accreditation
// knows, by name.
func (s *Service) Organisations(ctx context.Context) ([]Organisation, error) {
	var out []Organisation
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		bodies, err := store.All(ctx, tx, scanText, `SELECT body FROM identity_organisation ORDER BY id`)
		if err != nil {
			return err
		}
		words, err := s.words(ctx, tx, "")
		if err != nil {
			return err
		}
		m, ok := s.o.Policy()
		known := listed(s.o.Operator, m, ok)
		accredited := map[string]*Accreditation{}
		for _, b := range bodies {
			a, err := readStored(b)
			if err != nil {
				return err
			}
			accredited[a.Organisation] = a
		}
		out = s.mergeAll(known, accredited, words.Suspended)
		return nil
	})
	return out, err
}

func (s *Service) mergeAll(known map[string]*Organisation, accredited map[string]*Accreditation, suspended func(string) bool) (out []Organisation) {
	now := s.o.Clock.Now()
	for id, o := range known {
		out = append(out, merge(o, id, accredited[id], suspended(id), now))
	}
	for id, a := range accredited {
		if known[id] == nil {
			out = append(out, merge(nil, id, a, suspended(id), now))
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func scanText(row store.Row) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

// putAccreditation keeps a new version; it changes nothing where another came
// first.
func putAccreditation(ctx context.Context, tx *store.Tx, a Accreditation, body string, now time.Time) (bool, error) {
	query, args := `UPDATE identity_organisation SET version = $1, body = $2, received = $3 WHERE id = $4 AND version = $5`,
		[]any{a.Version, body, now.UnixMicro(), a.Organisation, a.Version - 1}
	if a.Version == 1 {
		query, args = `INSERT INTO identity_organisation (id, version, body, received) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			[]any{a.Organisation, a.Version, body, now.UnixMicro()}
	}
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// An Act is one signed act about an organisation.
type Act struct {
	Kind, Reason string
	Received     time.Time
}

func knownAct(ctx context.Context, tx *store.Tx, digest []byte) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_act WHERE digest = $1`, digest).Scan(&n)
	return n > 0, err
}

func insertAct(ctx context.Context, tx *store.Tx, digest []byte, organisation, kind, reason, body, ticket string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_act (digest, organisation, kind, reason, body, ticket, received) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		digest, organisation, kind, reason, body, ticket, now.UnixMicro())
	return err
}

// Acts are the signed acts about an organisation, newest first.
func (s *Service) Acts(ctx context.Context, organisation string) (out []Act, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = store.All(ctx, tx, func(row store.Row) (a Act, err error) {
			var at int64
			err = row.Scan(&a.Kind, &a.Reason, &at)
			a.Received = time.UnixMicro(at).UTC()
			return a, err
		}, `SELECT kind, reason, received FROM identity_act WHERE organisation = $1 ORDER BY received DESC, digest LIMIT 50`, organisation)
		return err
	})
	return out, err
}

// Organisation is what is known of one organisation now.
func (s *Service) Organisation(ctx context.Context, id string) (o Organisation, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, err = s.organisation(ctx, tx, id)
		return err
	})
	return o, err
}

// Accreditations are the newest signed accreditations, for programs.
type Accreditations struct {
	Organisations []SignedAccreditation `json:"organisations"`
}

// Accreditations lists the newest signed accreditation of every organisation.
func (s *Service) Accreditations(ctx context.Context) (Accreditations, error) {
	out := Accreditations{Organisations: []SignedAccreditation{}}
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		bodies, err := store.All(ctx, tx, scanText, `SELECT body FROM identity_organisation ORDER BY id`)
		for _, b := range bodies {
			var sa SignedAccreditation
			err = errors.Join(err, json.Unmarshal([]byte(b), &sa))
			out.Organisations = append(out.Organisations, sa)
		}
		return err
	})
	return out, err
}
