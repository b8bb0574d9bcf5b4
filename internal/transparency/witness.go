package transparency

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/tlog"
)

// A Witness cosigns checkpoints.
type Witness interface {
	Name() string
	// Size is how much of the log the witness has seen.
	Size(ctx context.Context) (int64, error)
	Cosign(ctx context.Context, note []byte, proof tlog.Consistency) (line []byte, err error)
}

// CollectCosignatures asks every witness to cosign the newest checkpoint and
// keeps what verifies. A witness ahead of the log means that the log lost
// entries: it turns read-only.
func (l *Log) CollectCosignatures(ctx context.Context, witnesses []Witness) error {
	size, note, err := l.newest(ctx)
	if err != nil || size == 0 {
		return err
	}
	errs := make([]error, len(witnesses))
	var wg sync.WaitGroup
	for i, w := range witnesses {
		wg.Go(func() {
			if err := l.askWitness(ctx, w, size, note); err != nil {
				errs[i] = fmt.Errorf("witness %s: %w", w.Name(), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (l *Log) askWitness(ctx context.Context, w Witness, size int64, note []byte) error {
	seen, err := w.Size(ctx)
	if err != nil {
		return err
	}
	if seen > size {
		l.readOnly.Store(true)
		return fault.New(fault.Unavailable, "The log is behind a witness: entries were lost. The log is read-only now.")
	}
	proof, err := l.Consistency(ctx, seen, size)
	if err != nil {
		return err
	}
	line, err := w.Cosign(ctx, note, proof)
	if err != nil {
		return err
	}
	if _, cosigs, err := tlog.VerifyNote(tlog.AddLine(note, line), l.o.Origin, l.o.Key.Public().(ed25519.PublicKey), l.o.Witnesses, 1); err != nil || cosigs[0].Witness != w.Name() {
		return fmt.Errorf("its cosignature does not verify: %w", err)
	}
	return l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO transparency_cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line`, size, w.Name(), line)
		return err
	})
}

func (l *Log) newest(ctx context.Context) (size int64, note []byte, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT size, note FROM transparency_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&size, &note)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return size, note, err
}

// Latest is the newest checkpoint that a quorum of witnesses cosigned, as a
// note with their lines. Size 0 means that there is none yet.
func (l *Log) Latest(ctx context.Context) (size int64, note []byte, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT size FROM transparency_cosignature GROUP BY size HAVING COUNT(*) >= $1 ORDER BY size DESC LIMIT 1`, max(l.o.Quorum, 1)).Scan(&size)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		note, err = l.noteAt(ctx, tx, size)
		return err
	})
	return size, note, err
}

func (l *Log) noteAt(ctx context.Context, tx *store.Tx, size int64) ([]byte, error) {
	var note []byte
	if err := tx.QueryRowContext(ctx, `SELECT note FROM transparency_checkpoint WHERE size = $1`, size).Scan(&note); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT line FROM transparency_cosignature WHERE size = $1 ORDER BY witness`, size)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line []byte
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		note = tlog.AddLine(note, line)
	}
	return note, rows.Err()
}

// Consistency proves that the log of old entries is a prefix of that of size.
func (l *Log) Consistency(ctx context.Context, old, size int64) (tlog.Consistency, error) {
	var p tlog.Consistency
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var err error
		p, err = tlog.ProveConsistency(old, size, stored(ctx, tx))
		return err
	})
	return p, err
}

// A Proof opens one entry and proves it in the log of a size.
type Proof struct {
	Opening   tlog.Opening
	Inclusion tlog.Inclusion
}

// ErrPending: the entry is stored and waits for a witnessed checkpoint.
var ErrPending = errors.New("the entry is not in a witnessed checkpoint yet")

// Prove gives the proof of a ticket's entry in the log of size entries.
func (l *Log) Prove(ctx context.Context, ticket string, size int64) (Proof, error) {
	var p Proof
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var leaf sql.NullInt64
		var nonce []byte
		err := tx.QueryRowContext(ctx, `SELECT leaf, nonce, record FROM transparency_entry WHERE ticket = $1`, ticket).Scan(&leaf, &nonce, &p.Opening.Record)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such log entry.")
		}
		if err != nil {
			return err
		}
		copy(p.Opening.Nonce[:], nonce)
		if !leaf.Valid || leaf.Int64 >= size {
			return ErrPending
		}
		p.Inclusion, err = tlog.ProveInclusion(size, leaf.Int64, stored(ctx, tx))
		return err
	})
	return p, err
}

// An Entry as the Log page lists it: nothing that tells what it stands for.
type Entry struct {
	Leaf       int64
	Commitment tlog.Hash
}

// Entries lists leaves below before, newest first.
func (l *Log) Entries(ctx context.Context, before int64, limit int) ([]Entry, error) {
	var out []Entry
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT leaf, commitment FROM transparency_entry WHERE leaf < $1 ORDER BY leaf DESC LIMIT $2`, before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e Entry
			var raw []byte
			if err := rows.Scan(&e.Leaf, &raw); err != nil {
				return err
			}
			copy(e.Commitment[:], raw)
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}
