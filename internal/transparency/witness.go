package transparency

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/tlog"
)

// A Witness cosigns checkpoints.
type Witness interface {
	Name() string
	// Size is how much of the log the witness has seen.
	Size(ctx context.Context) (int64, error)
	// Cosign returns one signature line. A refusal because the note does not
	// follow from what the witness has seen wraps a *tlog.Conflict.
	Cosign(ctx context.Context, note []byte, proof tlog.Consistency) (line []byte, err error)
}

// CollectCosignatures asks every witness to cosign the newest checkpoint and
// keeps what verifies. A witness ahead of the log, or on another history, means
// that the log lost entries: it turns read-only until that witness cosigns
// again. Other errors, joined, name the witnesses that did not cosign; the
// lines of the others are kept all the same.
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
	all := errors.Join(errs...)
	if errors.Is(all, ErrRollback) {
		return all // read-only already, recorded or not
	}
	return errors.Join(all, l.loadHalts(ctx))
}

func (l *Log) askWitness(ctx context.Context, w Witness, size int64, note []byte) error {
	seen, err := w.Size(ctx)
	if err != nil {
		return err
	}
	if seen > size {
		return l.halt(ctx, w.Name(), seen)
	}
	proof, err := l.Consistency(ctx, seen, size)
	if err != nil {
		return err
	}
	line, err := w.Cosign(ctx, note, proof)
	if err != nil {
		if at, yes := l.another(ctx, err, size); yes {
			return errors.Join(l.halt(ctx, w.Name(), at), err)
		}
		return err
	}
	if err := l.checkLine(w.Name(), note, line); err != nil {
		return err
	}
	return l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO transparency_cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line`, size, w.Name(), line)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM transparency_halt WHERE witness = $1`, w.Name())
		return err
	})
}

// maxLine bounds a cosignature line, in bytes.
const maxLine = 512

func oneLine(line []byte) bool {
	return len(line) <= maxLine && bytes.Count(line, []byte("\n")) == 1 && bytes.HasSuffix(line, []byte("\n"))
}

// checkLine accepts exactly one line: a witness that could add lines of its own
// could make the note unreadable for everyone.
func (l *Log) checkLine(witness string, note, line []byte) error {
	if !oneLine(line) {
		return errors.New("its answer is not one signature line")
	}
	cosigs, err := l.verify(tlog.AddLine(note, line), 1)
	if err != nil {
		return fmt.Errorf("its cosignature does not verify: %w", err)
	}
	if cosigs[0].Witness != witness {
		return errors.New("its cosignature is another witness's")
	}
	return nil
}

// AddDesk keeps the line of a desk witness under a checkpoint that the quorum
// has cosigned. The first line of a witness for a size stays.
func (l *Log) AddDesk(ctx context.Context, desks []tlog.WitnessKey, size int64, line []byte) error {
	if !oneLine(line) {
		return fault.New(fault.Invalid, "This is not one signature line.")
	}
	var bare, note []byte
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err := tx.QueryRowContext(ctx, `SELECT note FROM transparency_checkpoint WHERE size = $1`, size).Scan(&bare); err != nil {
			return err
		}
		note, err = l.noteAt(ctx, tx, size)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "The log has no checkpoint of this size.")
	}
	if err != nil {
		return err
	}
	if _, err := l.verify(note, l.present.Load().quorum); err != nil {
		return fault.New(fault.Conflict, "The key holders have not witnessed this checkpoint yet.")
	}
	_, cosigs, err := tlog.VerifyNote(tlog.AddLine(bare, line), l.o.Origin, l.o.Key.Public().(ed25519.PublicKey), desks, 1)
	if err != nil {
		return fault.Wrap(fault.Forbidden, "This is no cosignature of a desk witness under this checkpoint.", err)
	}
	return l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO transparency_cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, size, cosigs[0].Witness, line)
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

// maxStale bounds how far Latest looks back, in checkpoints.
const maxStale = 64

// Latest is the newest checkpoint that a quorum of the present witnesses
// cosigned, as a note with their lines. Size 0 means that there is none yet.
func (l *Log) Latest(ctx context.Context) (size int64, note []byte, err error) {
	quorum := l.present.Load().quorum
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		sizes, err := l.cosignedSizes(ctx, tx, quorum)
		if err != nil {
			return err
		}
		for _, at := range sizes {
			raw, err := l.noteAt(ctx, tx, at)
			if err != nil {
				return err
			}
			if _, err := l.verify(raw, quorum); err == nil {
				size, note = at, raw
				return nil
			}
		}
		return nil
	})
	return size, note, err
}

// WitnessedTime is the time, to the second, that a quorum of the present
// witnesses says it was when they cosigned the newest checkpoint that has one:
// the latest time that so many of them had reached. At least one witness in any
// quorum with fewer wrong members than that is honest, so neither this machine's
// clock nor fewer than a quorum of others move it ahead of the truth. Zero where
// there is no such checkpoint, or where no quorum is set.
func (l *Log) WitnessedTime(ctx context.Context) (time.Time, error) {
	_, note, err := l.Latest(ctx)
	if err != nil || note == nil || l.o.Quorum < 1 {
		return time.Time{}, err
	}
	cosigs, err := l.verify(note, l.o.Quorum)
	if err != nil {
		return time.Time{}, err
	}
	slices.SortFunc(cosigs, func(a, b tlog.Cosignature) int { return b.Time.Compare(a.Time) })
	return cosigs[l.o.Quorum-1].Time.UTC(), nil
}

// cosignedSizes lists the checkpoints with enough lines, newest first. Lines of
// former witnesses are among them, so the notes are still to be verified.
func (l *Log) cosignedSizes(ctx context.Context, tx *store.Tx, quorum int) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT size FROM transparency_cosignature GROUP BY size HAVING COUNT(*) >= $1 ORDER BY size DESC LIMIT $2`, quorum, maxStale)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// LatestAny is the newest checkpoint with the lines that it has so far, however
// few. Size 0 means that there is none yet.
func (l *Log) LatestAny(ctx context.Context) (size int64, note []byte, err error) {
	if size, _, err = l.newest(ctx); err != nil || size == 0 {
		return 0, nil, err
	}
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
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

// Inclusion proves the place of a leaf in the log of size entries; it opens
// nothing.
func (l *Log) Inclusion(ctx context.Context, leaf, size int64) (p tlog.Inclusion, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = tlog.ProveInclusion(size, leaf, stored(ctx, tx))
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
		if len(nonce) == 0 {
			return ErrForgotten
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

// An Entry as the Log page lists it. Only Kind tells what it stands for: it is
// for the log's own operator and never in JSON. Time is when the leaf was
// appended, the same for all leaves of a tick, never when its act happened.
type Entry struct {
	Leaf       int64     `json:"leaf"`
	Commitment tlog.Hash `json:"commitment"`
	Time       time.Time `json:"time"`
	Kind       string    `json:"-"`
}

// Entries lists leaves below before, newest first.
func (l *Log) Entries(ctx context.Context, before int64, limit int) ([]Entry, error) {
	var out []Entry
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT e.leaf, e.commitment, e.kind,
				(SELECT c.made FROM transparency_checkpoint c WHERE c.size > e.leaf ORDER BY c.size LIMIT 1)
			FROM transparency_entry e WHERE e.leaf < $1 ORDER BY e.leaf DESC LIMIT $2`, before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e Entry
			var raw []byte
			var made int64
			if err := rows.Scan(&e.Leaf, &raw, &e.Kind, &made); err != nil {
				return err
			}
			copy(e.Commitment[:], raw)
			e.Time = time.UnixMicro(made).UTC()
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}
