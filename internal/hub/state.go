package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
)

// state is what the hub has been set up with: the plan, the transcript of the
// ceremony and the chain of manifests. It is read from the database at start
// and written there before it changes here.
type state struct {
	db   *store.DB
	plan client.Plan
	demo bool

	mu         sync.RWMutex
	transcript *dkg.Transcript
	chain      []opening.SignedManifest
	manifest   opening.Manifest // the last of chain
	reshares   []client.Reshare // complete generations of the key shares
	held       client.Committee // who holds the shares now
	fitted     opening.Manifest // manifest with that committee
	// switched hears of every committee that comes into force; may be nil.
	switched  func(client.Committee)
	announced *opening.SignedManifest
}

func loadState(ctx context.Context, db *store.DB, plan client.Plan, demo bool) (*state, error) {
	s := &state{db: db, plan: plan, demo: demo}
	digest, err := plan.Digest()
	if err != nil {
		return nil, err
	}
	err = db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.transcript, s.chain = nil, nil
		if err := s.load(ctx, tx, digest); err != nil {
			return err
		}
		if err := s.loadReshares(ctx, tx); err != nil {
			return err
		}
		if err := s.refit(); err != nil {
			return err
		}
		return s.loadAnnounced(ctx, tx)
	})
	return s, err
}

func (s *state) load(ctx context.Context, tx *store.Tx, digest opening.Hash) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO hub_setting (name, body) VALUES ('plan', $1) ON CONFLICT DO NOTHING`, digest.String()); err != nil {
		return err
	}
	var had string
	if err := tx.QueryRowContext(ctx, `SELECT body FROM hub_setting WHERE name = 'plan'`).Scan(&had); err != nil {
		return err
	}
	if had != digest.String() {
		return errors.New("this hub was started with another ceremony plan; a new plan needs a new directory")
	}
	var text string
	switch err := tx.QueryRowContext(ctx, `SELECT body FROM hub_setting WHERE name = 'transcript'`).Scan(&text); {
	case err == nil:
		var t dkg.Transcript
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return err
		}
		s.transcript = &t
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT body FROM hub_manifest ORDER BY version`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var sm opening.SignedManifest
		if err := errors.Join(rows.Scan(&text), json.Unmarshal([]byte(text), &sm)); err != nil {
			return err
		}
		if s.manifest, err = sm.Open(s.plan.Governance); err != nil {
			return err
		}
		s.chain = append(s.chain, sm)
	}
	return rows.Err()
}

// current is the manifest in force, with the committee that holds the key shares
// now.
func (s *state) current() (opening.Manifest, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.fitted, len(s.chain) > 0
}

// after gives the manifests above a version, oldest first.
func (s *state) after(version int) []opening.SignedManifest {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]opening.SignedManifest{}, s.chain[min(max(version, 0), len(s.chain)):]...)
}

// setup is the plan, the transcript once there is one, and every resharing since.
func (s *state) setup() (client.Setup, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.transcript == nil {
		return client.Setup{}, fault.New(fault.Unavailable, "The key ceremony of this pool is not finished.")
	}
	return s.known(), nil
}

// putTranscript stores the transcript of a finished ceremony, once.
func (s *state) putTranscript(ctx context.Context, t dkg.Transcript) error {
	if err := (client.Setup{Plan: s.plan, Transcript: t}).Verify(t.Hash()); err != nil {
		return fault.Wrap(fault.Invalid, "The transcript was refused: "+err.Error()+".", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transcript != nil {
		if s.transcript.Hash() != t.Hash() {
			return fault.New(fault.Conflict, "Another transcript of this ceremony is stored already.")
		}
		return nil
	}
	raw, err := signed.Marshal(t)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := requireOpen(ctx, tx, t.Params.Attempt); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO hub_setting (name, body) VALUES ('transcript', $1)`, string(raw))
		return err
	})
	if err != nil {
		return err
	}
	s.transcript = &t
	return s.refit()
}

// putManifests takes manifests that follow the chain and carry the governance
// quorum of the plan. One that is known already changes nothing.
func (s *state) putManifests(ctx context.Context, list []opening.SignedManifest, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sm := range list {
		m, err := sm.Open(s.plan.Governance)
		if err != nil {
			return fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+".", err)
		}
		if m.Version <= len(s.chain) {
			if opening.Digest(sm.Body) != opening.Digest(s.chain[m.Version-1].Body) {
				return fault.New(fault.Conflict, "The hub holds another manifest of this version.")
			}
			continue
		}
		if err := s.checkManifest(m, now); errors.Is(err, errEarly) {
			return errors.Join(s.announce(ctx, sm), fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+". Until then everybody sees it under Members and policy; send it again when it binds.", err))
		} else if err != nil {
			return fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+".", err)
		}
		raw, err := signed.Marshal(sm)
		if err != nil {
			return err
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO hub_manifest (version, body, received) VALUES ($1, $2, $3)`, int64(m.Version), string(raw), now.UnixMicro())
			return err
		})
		if err != nil {
			return err
		}
		s.chain, s.manifest, s.announced = append(s.chain, sm), m, nil
		if err := s.refit(); err != nil {
			return err
		}
	}
	return nil
}

// errEarly refuses a policy that loosens before its time.
var errEarly = errors.New("it loosens the one before and binds only 30 days after its issue")

// announced is the name of the setting that holds what announce keeps.
const announced = "announced"

// announce keeps what governance wants to loosen, so that it is seen before it
// binds. The newest takes the place of the one before.
func (s *state) announce(ctx context.Context, sm opening.SignedManifest) error {
	raw, err := signed.Marshal(sm)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO hub_setting (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, announced, string(raw))
		return err
	})
	if err == nil {
		s.announced = &sm
	}
	return err
}

// loadAnnounced finds what was announced and does not bind yet.
func (s *state) loadAnnounced(ctx context.Context, tx *store.Tx) error {
	var text string
	err := tx.QueryRowContext(ctx, `SELECT body FROM hub_setting WHERE name = $1`, announced).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	var sm opening.SignedManifest
	if err = errors.Join(err, json.Unmarshal([]byte(text), &sm)); err != nil {
		return err
	}
	m, err := sm.Open(s.plan.Governance)
	if err == nil && m.Version > len(s.chain) {
		s.announced = &sm
	}
	return err
}

// policies are the manifests that the hub holds, oldest first, and last what is
// announced and does not bind yet.
func (s *state) policies() (out []opening.Manifest) {
	list := s.after(0)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.announced != nil {
		list = append(list, *s.announced)
	}
	for _, sm := range list {
		if m, err := sm.Open(s.plan.Governance); err == nil { // checked when it came
			out = append(out, m)
		}
	}
	return out
}

// checkManifest refuses what key holders would refuse: then the parts of the
// pool never follow different manifests for longer than it takes to tell them.
func (s *state) checkManifest(m opening.Manifest, now time.Time) error {
	switch {
	case m.Demo && !s.demo:
		return errors.New("it is for demonstration only")
	case s.transcript == nil:
		return errors.New("the key ceremony is not finished")
	case m.Version != len(s.chain)+1:
		return errors.New("it does not follow the version that the hub holds")
	}
	if _, err := s.known().Belongs(m); err != nil {
		return err
	}
	if len(s.chain) == 0 {
		return nil
	}
	if m.Previous != opening.Digest(s.chain[len(s.chain)-1].Body) {
		return errors.New("it does not follow the version that the hub holds")
	}
	if opening.Loosens(s.manifest, m) && now.Before(time.UnixMicro(m.Issued).Add(opening.LooseningDelay)) {
		return errEarly
	}
	return nil
}

// spend keeps a message's nonce and refuses one that was seen before.
func (s *state) spend(ctx context.Context, sender, nonce string, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO hub_nonce (sender, nonce, seen) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, sender, nonce, now.UnixMicro())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return fault.New(fault.Conflict, "This message was received before. Sign it anew and send it again.")
		}
		return nil
	})
}

// forgetNonces drops nonces of messages that are too old to be accepted.
func (s *state) forgetNonces(ctx context.Context, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM hub_nonce WHERE seen < $1`, now.Add(-4*signed.Window).UnixMicro())
		return err
	})
}
