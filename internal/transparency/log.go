package transparency

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"sync/atomic"

	"parallax/internal/clock"
	"parallax/internal/store"
	"parallax/tlog"
)

//go:embed migrations/*.sql
var migrations embed.FS

// dummy is the kind of the leaves that fill a tick.
const dummy = "dummy"

// Options of a log.
type Options struct {
	DB        *store.DB
	Origin    string
	Key       ed25519.PrivateKey
	Witnesses []tlog.WitnessKey
	Quorum    int
	Clock     clock.Clock
	Random    io.Reader
	// LeavesPerTick is how many leaves every tick appends.
	LeavesPerTick int
}

// A Log is the pool's transparency log.
type Log struct {
	o         Options
	present   atomic.Pointer[witnesses] // that count now; Options has those of the start
	readOnly  atomic.Bool
	witnessed atomic.Int64 // how much of the log is known to be witnessed
}

// Open migrates the log's tables and refuses a database that does not hold this
// log. Ask the witnesses once (CollectCosignatures) before the first Tick: a
// restored backup shows there.
func Open(ctx context.Context, o Options) (*Log, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.LeavesPerTick < 1 || o.Origin == "" || len(o.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("transparency: a log needs an origin, a key and leaves per tick")
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	l := &Log{o: o}
	l.SetWitnesses(o.Witnesses, o.Quorum)
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return o.DB.Migrate(ctx, "transparency", sub) }, l.check, l.loadHalts,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// witnesses are whose lines count, and how many of them a checkpoint needs.
type witnesses struct {
	keys   []tlog.WitnessKey
	quorum int
}

// SetWitnesses puts another set of witnesses in the place of the present one. A
// checkpoint that too few of them have cosigned is not served until they have.
func (l *Log) SetWitnesses(keys []tlog.WitnessKey, quorum int) {
	l.present.Store(&witnesses{keys: keys, quorum: max(quorum, 1)})
}

// A Ticket is the receipt for a queued entry.
type Ticket struct {
	ID         string
	Commitment tlog.Hash
	Opening    tlog.Opening
}

// Append queues an entry in the caller's transaction. It refuses when the log
// is read-only: then the act must not happen either.
func (l *Log) Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (Ticket, error) {
	if kind == "" || kind == dummy {
		return Ticket{}, errors.New("transparency: an entry needs a kind of its own")
	}
	return l.queue(ctx, tx, kind, record)
}

// Note queues an entry of an act that writes nothing else: a read. What it is
// about may leave once Note has returned without an error.
func (l *Log) Note(ctx context.Context, kind string, record []byte) error {
	return l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := l.Append(ctx, tx, kind, record)
		return err
	})
}

func (l *Log) queue(ctx context.Context, tx *store.Tx, kind string, record []byte) (Ticket, error) {
	if l.readOnly.Load() {
		return Ticket{}, errReadOnly
	}
	if record == nil {
		record = []byte{} // nil would be NULL
	}
	var id [16]byte
	var nonce tlog.Hash
	if _, err := io.ReadFull(l.o.Random, id[:]); err != nil {
		return Ticket{}, err
	}
	if _, err := io.ReadFull(l.o.Random, nonce[:]); err != nil {
		return Ticket{}, err
	}
	t := Ticket{ID: hex.EncodeToString(id[:]), Commitment: tlog.Commit(nonce, record), Opening: tlog.Opening{Nonce: nonce, Record: record}}
	_, err := tx.ExecContext(ctx, `INSERT INTO transparency_entry (ticket, kind, nonce, record, commitment, queued) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.ID, kind, nonce[:], record, t.Commitment[:], l.o.Clock.Now().UnixMicro())
	return t, err
}

// ReadOnly reports that the log refuses new entries.
func (l *Log) ReadOnly() bool { return l.readOnly.Load() }

type queued struct {
	ticket     string
	commitment tlog.Hash
}

// Tick appends LeavesPerTick leaves: what is queued, oldest first, filled up
// with dummies, in random order; then signs the new checkpoint. What does not
// fit waits for the next tick. Of two ticks at once one fails and changes
// nothing: sizes, leaves and hash places are unique.
func (l *Log) Tick(ctx context.Context) error {
	if l.readOnly.Load() {
		return errReadOnly
	}
	return l.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		batch, err := l.take(ctx, tx)
		if err != nil {
			return err
		}
		for len(batch) < l.o.LeavesPerTick {
			t, err := l.queue(ctx, tx, dummy, nil)
			if err != nil {
				return err
			}
			batch = append(batch, queued{t.ID, t.Commitment})
		}
		if err := l.shuffle(batch); err != nil {
			return err
		}
		size, err := l.size(ctx, tx)
		if err != nil {
			return err
		}
		for _, q := range batch {
			if err := l.sequence(ctx, tx, size, q); err != nil {
				return err
			}
			size++
		}
		return l.checkpoint(ctx, tx, size)
	})
}

func (l *Log) take(ctx context.Context, tx *store.Tx) ([]queued, error) {
	rows, err := tx.QueryContext(ctx, `SELECT ticket, commitment FROM transparency_entry WHERE leaf IS NULL ORDER BY queued, ticket LIMIT $1`, l.o.LeavesPerTick)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []queued
	for rows.Next() {
		var q queued
		var raw []byte
		if err := rows.Scan(&q.ticket, &raw); err != nil {
			return nil, err
		}
		copy(q.commitment[:], raw)
		out = append(out, q)
	}
	return out, rows.Err()
}

// shuffle is Fisher-Yates with the log's own randomness.
func (l *Log) shuffle(batch []queued) error {
	for i := len(batch) - 1; i > 0; i-- {
		j, err := rand.Int(l.o.Random, big.NewInt(int64(i+1)))
		if err != nil {
			return err
		}
		k := int(j.Int64())
		batch[i], batch[k] = batch[k], batch[i]
	}
	return nil
}

func (l *Log) size(ctx context.Context, tx *store.Tx) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(size), 0) FROM transparency_checkpoint`).Scan(&n)
	return n, err
}

func (l *Log) sequence(ctx context.Context, tx *store.Tx, n int64, q queued) error {
	hashes, err := tlog.Append(n, q.commitment, stored(ctx, tx))
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO transparency_hash (place, hash) VALUES ($1, $2)`, tlog.StoredAt(n)+int64(i), h[:]); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE transparency_entry SET leaf = $1 WHERE ticket = $2`, n, q.ticket)
	return err
}

func (l *Log) checkpoint(ctx context.Context, tx *store.Tx, size int64) error {
	root, err := tlog.Root(size, stored(ctx, tx))
	if err != nil {
		return err
	}
	note := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.o.Origin, Size: size, Root: root}, l.o.Key)
	_, err = tx.ExecContext(ctx, `INSERT INTO transparency_checkpoint (size, root, note, made) VALUES ($1, $2, $3, $4)`,
		size, root[:], note, l.o.Clock.Now().UnixMicro())
	return err
}

// stored reads stored hashes within a transaction.
func stored(ctx context.Context, tx *store.Tx) tlog.Store {
	return func(places []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(places))
		for i, p := range places {
			var raw []byte
			if err := tx.QueryRowContext(ctx, `SELECT hash FROM transparency_hash WHERE place = $1`, p).Scan(&raw); err != nil {
				return nil, fmt.Errorf("log hash %d: %w", p, err)
			}
			copy(out[i][:], raw)
		}
		return out, nil
	}
}
