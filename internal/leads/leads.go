package leads

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
	"parallax/tlog"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Pool is what leads need of the sealed pool: thresholded candidates and the
// observations of a bundle.
type Pool interface {
	Candidates(ctx context.Context) ([][]pool.Observed, error)
	Items(ctx context.Context, labels []seal.Label) ([]pool.Stored, error)
	// Near gives the cluster of one observation, Live those that are still live.
	Near(ctx context.Context, label seal.Label) ([]pool.Observed, error)
	Live(ctx context.Context, labels []seal.Label) ([]pool.Observed, error)
}

// Log is the transparency log as leads use it.
type Log interface {
	pool.Log
	// Checkpoint gives the newest witnessed checkpoint: note and size.
	Checkpoint(ctx context.Context) (note []byte, size int64, err error)
	// Proof opens a ticket's leaf and proves it in the log of that size.
	Proof(ctx context.Context, ticket string, size int64) (opening.LogProof, error)
	// Consistency proves that the log of size old is a prefix.
	Consistency(ctx context.Context, old, size int64) (tlog.Consistency, error)
}

// HolderStatus is where a key holder stands.
type HolderStatus struct {
	Manifest int
	LogSize  int64
}

// Holders reaches key holders.
type Holders interface {
	Status(ctx context.Context, h opening.Holder) (HolderStatus, error)
	Open(ctx context.Context, h opening.Holder, b opening.Bundle) (client.OpenAnswer, error)
}

// A Service keeps leads and openings of one hub.
type Service struct {
	db      *store.DB
	pool    Pool
	log     Log
	holders Holders
	lawful  Lawful
	clock   clock.Clock
	random  io.Reader
	// Held says why a released opening is read by nobody, nil if it may be read;
	// whoever keeps the review dates sets it before anything is served.
	Held func(ctx context.Context, id string) error
}

// New brings the tables up to date and returns the service. Nothing leaves
// without lawful's leave.
func New(ctx context.Context, db *store.DB, p Pool, log Log, holders Holders, lawful Lawful, c clock.Clock, random io.Reader) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "leads", sub); err != nil {
		return nil, err
	}
	return &Service{db: db, pool: p, log: log, holders: holders, lawful: lawful, clock: c, random: random}, db.Isolate(ctx, isolated...)
}

// newID is an opaque random id: it says nothing of order or number.
func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return "", fmt.Errorf("random id: %w", err)
	}
	return hex.EncodeToString(raw[:]), nil
}

// A ReadRecord is what the log commits to before lead structure leaves.
type ReadRecord struct {
	Type  string         `json:"type"` // "lead-read" or "opening-read"
	Pool  string         `json:"pool"`
	By    string         `json:"by"`
	What  []opening.Hash `json:"what"` // digests of the ids that were shown
	Time  int64          `json:"time"`
	Nonce opening.Hash   `json:"nonce"`
}

// logRead puts a read into the log; where that fails nothing may be shown.
func (s *Service) logRead(ctx context.Context, tx *store.Tx, kind, poolID, by string, ids []string) error {
	rec := ReadRecord{Type: kind, Pool: poolID, By: by, What: []opening.Hash{}, Time: s.clock.Now().UnixMicro()}
	for _, id := range ids {
		rec.What = append(rec.What, sha256.Sum256([]byte(id)))
	}
	if _, err := io.ReadFull(s.random, rec.Nonce[:]); err != nil {
		return err
	}
	raw, err := signed.Marshal(rec)
	if err != nil {
		return err
	}
	if _, _, err = s.log.Append(ctx, tx, kind, raw); err != nil {
		return fault.Wrap(fault.Unavailable, "The log cannot be written, so nothing is shown.", err)
	}
	return nil
}

// List gives the leads that are ready to an approver; the read is in the log
// first.
func (s *Service) List(ctx context.Context, m opening.Manifest, by string) (client.Leads, error) {
	out := client.Leads{Leads: []client.Lead{}}
	if err := approver(m, by, ""); err != nil {
		return out, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := readLeads(ctx, tx, "ready")
		if err != nil {
			return err
		}
		out.Leads = out.Leads[:0]
		var ids []string
		for _, r := range rows {
			out.Leads = append(out.Leads, r.Lead)
			ids = append(ids, r.ID)
		}
		return s.logRead(ctx, tx, "lead-read", m.Pool, by, ids)
	})
	if err != nil {
		return client.Leads{}, err
	}
	return out, nil
}

func approver(m opening.Manifest, id, role string) error {
	a, ok := m.Approver(id)
	if !ok {
		return fault.New(fault.Forbidden, "Only an approver of this pool may do this.")
	}
	if role != "" && a.Role != role {
		return fault.New(fault.Forbidden, "Only an approver of the authority may do this.")
	}
	return nil
}

// Refresh re-forms the list of leads from the pool's candidates: a lead keeps
// its id while it only grows; one that loses an observation is closed, and
// what is left of it, if it still opens, is another lead.
func (s *Service) Refresh(ctx context.Context, m opening.Manifest) error {
	groups, err := s.pool.Candidates(ctx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	var ready []formed
	for _, g := range groups {
		if f, ok := form(m, assess(m, g, now), now); ok {
			ready = append(ready, f)
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return s.reconcile(ctx, tx, ready, now) })
}

func (s *Service) reconcile(ctx context.Context, tx *store.Tx, ready []formed, now time.Time) error {
	var busy, open []leadRow
	for _, state := range []string{"requested", "released"} {
		rows, err := readLeads(ctx, tx, state)
		if err != nil {
			return err
		}
		busy = append(busy, rows...)
	}
	open, err := readLeads(ctx, tx, "ready")
	if err != nil {
		return err
	}
	kept := make(map[string]bool)
	for _, f := range ready {
		if coveredBy(busy, f.labels) != nil {
			continue
		}
		lead := client.Lead{Conditions: f.conditions, Labels: f.labels, Playbook: f.playbook, Ready: now.UnixMicro()}
		if old := grownFrom(open, kept, f.labels); old != nil {
			lead.ID, lead.Ready = old.ID, old.Ready
			kept[old.ID] = true
			if err := updateLead(ctx, tx, lead); err != nil {
				return err
			}
			continue
		}
		if lead.ID, err = s.newID(); err != nil {
			return err
		}
		if err := insertLead(ctx, tx, lead); err != nil {
			return err
		}
	}
	for _, r := range open {
		if !kept[r.ID] {
			if err := setLead(ctx, tx, r.ID, "ready", "closed"); err != nil {
				return err
			}
		}
	}
	return nil
}

func coveredBy(rows []leadRow, labels []seal.Label) *leadRow {
	for i := range rows {
		if covers(rows[i].Labels, labels) {
			return &rows[i]
		}
	}
	return nil
}

func grownFrom(rows []leadRow, taken map[string]bool, labels []seal.Label) *leadRow {
	for i := range rows {
		if !taken[rows[i].ID] && covers(labels, rows[i].Labels) {
			return &rows[i]
		}
	}
	return nil
}
