package transparency

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/tlog"
)

// ErrRollback is in the error of CollectCosignatures when a witness showed that
// this log lost entries or holds other ones.
var ErrRollback = errors.New("the log does not hold what a witness has cosigned")

// errReadOnly is what every act meets that the log would have to record.
var errReadOnly = fault.New(fault.Unavailable, "The log is read-only because a witness has seen entries that it does not hold. Nothing was done.")

// check refuses to start on ambiguity: on options under which no note could
// verify, on a database that holds another log, and on stored hashes that do
// not give the root that was signed last. It does not read every stored hash: a
// changed one below the root shows as a proof that does not verify.
func (l *Log) check(ctx context.Context) error {
	probe := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.o.Origin, Root: tlog.EmptyRoot()}, l.o.Key)
	if _, err := l.verify(probe, 0); err != nil {
		return fmt.Errorf("transparency: origin, key or witnesses: %w", err)
	}
	size, note, err := l.newest(ctx)
	if err != nil || size == 0 {
		return err
	}
	if _, err := l.verify(note, 0); err != nil {
		return fmt.Errorf("transparency: the database holds the log of another origin or key: %w", err)
	}
	signed, err := l.head(ctx, size)
	if err != nil {
		return err
	}
	root, err := l.rootAt(ctx, size)
	if err != nil {
		return err
	}
	if root != signed {
		return errors.New("transparency: the stored hashes do not give the root of the newest checkpoint")
	}
	return nil
}

// verify checks a note under the log's own key and its present witnesses.
func (l *Log) verify(note []byte, quorum int) ([]tlog.Cosignature, error) {
	_, cosigs, err := tlog.VerifyNote(note, l.o.Origin, l.o.Key.Public().(ed25519.PublicKey), l.present.Load().keys, quorum)
	return cosigs, err
}

// head is the root that was signed at a size.
func (l *Log) head(ctx context.Context, size int64) (root tlog.Hash, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var raw []byte
		err := tx.QueryRowContext(ctx, `SELECT root FROM transparency_checkpoint WHERE size = $1`, size).Scan(&raw)
		copy(root[:], raw)
		return err
	})
	return root, err
}

// rootAt computes the root at a size from the stored hashes.
func (l *Log) rootAt(ctx context.Context, size int64) (root tlog.Hash, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		root, err = tlog.Root(size, stored(ctx, tx))
		return err
	})
	return root, err
}

// another reports whether a witness's refusal shows that it has cosigned a
// history that this log does not hold: more entries, or other ones. A refusal
// that only says where the witness stands is none.
func (l *Log) another(ctx context.Context, refusal error, size int64) (at int64, yes bool) {
	var c *tlog.Conflict
	if !errors.As(refusal, &c) || c.Size < 0 {
		return 0, false
	}
	if c.Size > size {
		return c.Size, true
	}
	root, err := l.rootAt(ctx, c.Size)
	return c.Size, err == nil && c.Size > 0 && root != c.Root
}

// halt makes the log read-only until this witness cosigns again. One witness is
// enough: going on could bury what the log has lost, stopping loses nothing.
func (l *Log) halt(ctx context.Context, witness string, size int64) error {
	l.readOnly.Store(true)
	behind := fault.Wrap(fault.Unavailable, fmt.Sprintf("The log does not hold what %s has witnessed, up to entry %d. The log is read-only now.", witness, size), ErrRollback)
	return errors.Join(behind, l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO transparency_halt (witness, size, noticed) VALUES ($1, $2, $3)
			ON CONFLICT (witness) DO UPDATE SET size = excluded.size`, witness, size, l.o.Clock.Now().UnixMicro())
		return err
	}))
}

// A Halt is why the log is read-only: a witness has cosigned entries up to Size
// that the log does not hold, or holds others in their place.
type Halt struct {
	Witness string    `json:"witness"`
	Size    int64     `json:"size"`
	Since   time.Time `json:"since"`
}

// Halts are the reasons why the log is read-only, oldest first; empty if it is
// not. What a witness said that is no longer one does not count.
func (l *Log) Halts(ctx context.Context) ([]Halt, error) {
	listed := make(map[string]bool, len(l.present.Load().keys))
	for _, w := range l.present.Load().keys {
		listed[w.Name] = true
	}
	var out []Halt
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT witness, size, noticed FROM transparency_halt ORDER BY noticed, witness`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h Halt
			var noticed int64
			if err := rows.Scan(&h.Witness, &h.Size, &noticed); err != nil {
				return err
			}
			if h.Since = time.UnixMicro(noticed).UTC(); listed[h.Witness] {
				out = append(out, h)
			}
		}
		return rows.Err()
	})
	return out, err
}

// loadHalts sets read-only from what is recorded.
func (l *Log) loadHalts(ctx context.Context) error {
	halts, err := l.Halts(ctx)
	if err == nil {
		l.readOnly.Store(len(halts) > 0)
	}
	return err
}
