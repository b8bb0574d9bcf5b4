package amends

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// An Act is a denial as the pool took it.
type Act struct {
	Digest opening.Hash
	Object signed.Object
	Taken  time.Time
}

// An Opened is a released opening: who may have read which observations.
type Opened struct {
	ID     string
	Labels []seal.Label
	At     time.Time // of the release
}

// Sources are what this slice learns from the others.
type Sources struct {
	// Acts gives denials taken at or after a time, oldest first.
	Acts func(ctx context.Context, from time.Time, limit int) ([]Act, error)
	// Opened gives every released opening.
	Opened func(ctx context.Context) ([]Opened, error)
	// Bare leaves of an opening, in the caller's transaction, no more than that
	// there was one.
	Bare func(ctx context.Context, tx *store.Tx, id string) error
	// Deny puts a denial before one key holder and gives its verified receipt.
	Deny func(ctx context.Context, h opening.Holder, o signed.Object) (signed.Object, error)
	// Append writes a record into the log, in the caller's transaction.
	Append func(ctx context.Context, tx *store.Tx, kind string, record []byte) error
}

// A Service carries corrections.
type Service struct {
	db     *store.DB
	from   Sources
	clock  clock.Clock
	random io.Reader

	held atomic.Int64 // generation of the key shares whose holders hear of every act
}

// New brings the tables up to date and returns the service.
func New(ctx context.Context, db *store.DB, from Sources, now clock.Clock, random io.Reader) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "amends", sub); err != nil {
		return nil, err
	}
	return &Service{db: db, from: from, clock: now, random: random}, nil
}

const (
	// actsPerTick bounds one round.
	actsPerTick = 500
	// lookBack is how far before the newest act a round looks again: of two
	// acts taken at once, the later may have been stored first.
	lookBack = 10 * time.Minute
)

// Collect takes up what the pool took since the last round, with everybody
// whom it must reach within [opening.SpreadWithin] of being taken.
func (s *Service) Collect(ctx context.Context, m opening.Manifest) error {
	newest, err := s.newest(ctx)
	if err != nil {
		return err
	}
	for from := newest.Add(-lookBack); ; {
		acts, err := s.from.Acts(ctx, from, actsPerTick)
		if err != nil || len(acts) == 0 {
			return err
		}
		opened, err := s.from.Opened(ctx)
		if err != nil {
			return err
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			for _, a := range acts {
				if err := take(ctx, tx, m, a, opened); err != nil {
					return err
				}
			}
			return nil
		})
		last := acts[len(acts)-1].Taken
		if err != nil || len(acts) < actsPerTick || !last.After(from) {
			return err
		}
		from = last
	}
}

// take keeps one act with everybody whom it must reach; again, it changes
// nothing.
func take(ctx context.Context, tx *store.Tx, m opening.Manifest, a Act, opened []Opened) error {
	var d opening.Denial
	if err := signed.Unmarshal(a.Object.Body, &d); err != nil {
		return err
	}
	if err := insertAct(ctx, tx, a, d.Kind); err != nil {
		return err
	}
	due := a.Taken.Add(opening.SpreadWithin)
	for _, h := range m.Holders {
		if err := insertDelivery(ctx, tx, a.Digest, h.ID, "", due); err != nil {
			return err
		}
	}
	for _, o := range opened {
		if touches(d.Labels, o.Labels) {
			if err := insertDelivery(ctx, tx, a.Digest, m.Authority.ID, o.ID, due); err != nil {
				return err
			}
		}
	}
	return nil
}

func touches(a, b []seal.Label) bool {
	return slices.ContainsFunc(a, func(l seal.Label) bool { return slices.Contains(b, l) })
}

// rehold follows a resharing: whoever holds a key share now hears of every act,
// also of those from before, and nobody waits for a holder of before.
func (s *Service) rehold(ctx context.Context, m opening.Manifest) error {
	if s.held.Load() == int64(m.Generation) {
		return nil
	}
	due := s.clock.Now().Add(opening.SpreadWithin)
	ids := make([]string, len(m.Holders))
	for i, h := range m.Holders {
		ids[i] = h.ID
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return deliverTo(ctx, tx, ids, due) })
	if err == nil {
		s.held.Store(int64(m.Generation))
	}
	return err
}

// Spread sends what key holders have not acknowledged yet, oldest first, and
// keeps their signed receipts. A holder that does not answer is asked again at
// the next round, and holds up this one once.
func (s *Service) Spread(ctx context.Context, m opening.Manifest) error {
	if err := s.rehold(ctx, m); err != nil {
		return err
	}
	var list []pending
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = waiting(ctx, tx, actsPerTick)
		return err
	})
	if err != nil {
		return err
	}
	away := make(map[string]bool)
	for _, p := range list {
		at := slices.IndexFunc(m.Holders, func(h opening.Holder) bool { return h.ID == p.recipient })
		if at < 0 || away[p.recipient] {
			continue
		}
		receipt, note := signed.Object{}, ""
		ack, err := s.from.Deny(ctx, m.Holders[at], p.object)
		var refused *client.Problem
		switch {
		case err == nil:
			receipt = ack
		case errors.As(err, &refused) && refused.Status < 500:
			note = refused.Detail // asking again would bring the same answer
		default:
			away[p.recipient] = true
			continue
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			return settle(ctx, tx, p.digest, p.recipient, "", s.clock.Now(), receipt, note)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A readRecord is what the log commits to when corrections are handed out.
type readRecord struct {
	Type  string         `json:"type"` // "correction-read"
	Pool  string         `json:"pool"`
	By    string         `json:"by"`
	What  []opening.Hash `json:"what"` // digests of the denials
	Time  int64          `json:"time"`
	Nonce opening.Hash   `json:"nonce"`
}

// ReceiptRecord is what the log commits to when a reader acknowledged.
type ReceiptRecord struct {
	Type    string       `json:"type"` // "correction-receipt"
	Pool    string       `json:"pool"`
	Receipt opening.Hash `json:"receipt"` // digest of the signed receipt
}

func (s *Service) append(ctx context.Context, tx *store.Tx, kind string, record any) error {
	raw, err := signed.Marshal(record)
	if err != nil {
		return err
	}
	if err := s.from.Append(ctx, tx, kind, raw); err != nil {
		return fault.Wrap(fault.Unavailable, "The log cannot be written, so nothing was done.", err)
	}
	return nil
}

// List gives an approver of the authority every correction of what it may have
// read, whether it has acknowledged it or not; the read is in the log first.
func (s *Service) List(ctx context.Context, m opening.Manifest, by string) (client.Corrected, error) {
	out := client.Corrected{Corrections: []client.CorrectedItem{}}
	if err := reader(m, by); err != nil {
		return out, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := forReader(ctx, tx, m.Authority.ID)
		if err != nil {
			return err
		}
		out.Corrections = list
		var what []opening.Hash
		for _, c := range list {
			what = append(what, opening.Digest(c.Denial.Body))
		}
		return s.logRead(ctx, tx, m, by, what)
	})
	if err != nil {
		return client.Corrected{}, err
	}
	return out, nil
}

// logRead puts into the log what is about to be shown to whom; where that fails
// nothing may be shown.
func (s *Service) logRead(ctx context.Context, tx *store.Tx, m opening.Manifest, by string, what []opening.Hash) error {
	rec := readRecord{Type: "correction-read", Pool: m.Pool, By: by, What: append([]opening.Hash{}, what...), Time: s.clock.Now().UnixMicro()}
	if _, err := io.ReadFull(s.random, rec.Nonce[:]); err != nil {
		return err
	}
	return s.append(ctx, tx, rec.Type, rec)
}

func reader(m opening.Manifest, by string) error {
	if a, ok := m.Approver(by); !ok || a.Role != opening.RoleAuthority {
		return fault.New(fault.Forbidden, "Only an approver of the authority may do this.")
	}
	return nil
}

// Acknowledge takes a reader's signed receipt for a correction. The same
// receipt again changes nothing.
func (s *Service) Acknowledge(ctx context.Context, m opening.Manifest, by string, o signed.Object) (client.CorrectedAck, error) {
	if err := reader(m, by); err != nil {
		return client.CorrectedAck{}, err
	}
	who, _ := m.Approver(by)
	var r client.CorrectionReceipt
	if err := o.Open(client.CorrectionReceiptDomain, who.Key, &r); err != nil || o.Key != by || r.Reader != by {
		return client.CorrectedAck{}, fault.Wrap(fault.Forbidden, "The receipt is not signed by its sender.", err)
	}
	now := s.clock.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, id := range r.Openings {
			fresh, err := isWaiting(ctx, tx, r.Correction, m.Authority.ID, id)
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			if err := settle(ctx, tx, r.Correction, m.Authority.ID, id, now, o, ""); err != nil {
				return err
			}
			if err := s.append(ctx, tx, "correction-receipt", ReceiptRecord{Type: "correction-receipt", Pool: m.Pool, Receipt: sha256.Sum256(o.Body)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return client.CorrectedAck{}, fmt.Errorf("acknowledge: %w", err)
	}
	return client.CorrectedAck{Time: now.UnixMicro()}, nil
}

// look lists deliveries to a reviewer; the read is in the log first.
func (s *Service) look(ctx context.Context, of scope.Scope, m opening.Manifest, by string, before place, now time.Time) (list []Delivery, err error) {
	if !of.Whole() {
		return nil, fault.New(fault.Forbidden, "Corrections are open to the authority and its oversight body only.")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if list, err = deliveries(ctx, tx, before, now.UnixMicro(), rows+1); err != nil {
			return err
		}
		var what []opening.Hash
		for _, d := range list {
			what = append(what, d.Digest)
		}
		return s.logRead(ctx, tx, m, by, what)
	})
	return list, err
}
