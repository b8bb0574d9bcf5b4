package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/pool"
	"parallax/internal/recordkeys"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/transparency"
	"parallax/signed"
	"parallax/tlog"
)

// logs gives the pool its log, as the hub does; nothing is proved here.
type logs struct{ *transparency.Log }

// Append queues the record.
func (l logs) Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (string, [32]byte, error) {
	ticket, err := l.Log.Append(ctx, tx, kind, record)
	return ticket.ID, ticket.Commitment, err
}

// Logged says no: no tick runs.
func (logs) Logged(context.Context, string) (bool, error) { return false, nil }

// perBatch is how many observations one contribution carries.
const perBatch = 256

// intake is the bed on which both sides store the same observations.
type intake struct {
	member  client.Member
	hub     ed25519.PrivateKey
	batches []client.ContributeRequest
	total   int
	dir     string
	runs    int
	linked  int // observations in the index of the last own run
}

func ingest(_ context.Context, o Options) (job, error) {
	k, err := ceremony(client.PayloadLabel)
	if err != nil {
		return job{}, err
	}
	in := &intake{dir: o.Dir, total: size(o, 2048, 64)}
	if in.member, err = member(k); err != nil {
		return job{}, err
	}
	if _, in.hub, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return job{}, err
	}
	var list []client.Contributed
	for i := range in.total {
		c, _, err := observe(in.member, make([]byte, 300), 2*i, 2*i+1)
		if err != nil {
			return job{}, err
		}
		if list = append(list, c); len(list) == perBatch || i+1 == in.total {
			req, err := in.member.Sign(list)
			if err != nil {
				return job{}, err
			}
			in.batches, list = append(in.batches, req), nil
		}
	}
	return job{items: in.total, ours: in.own, peer: in.raw, check: func(context.Context) error {
		if in.linked != in.total {
			return fmt.Errorf("%d of %d observations are in the index", in.linked, in.total)
		}
		return nil
	}}, nil
}

// fresh opens a new database in the scratch directory.
func (in *intake) fresh(ctx context.Context) (*store.DB, func(), error) {
	in.runs++
	dir := filepath.Join(in.dir, fmt.Sprint("run-", in.runs))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, filepath.Join(dir, "bench.db"))
	if err != nil {
		return nil, nil, err
	}
	return db, func() { _ = db.Close(); _ = os.RemoveAll(dir) }, nil
}

func (in *intake) own(ctx context.Context, w *watch) error {
	db, done, err := in.fresh(ctx)
	if err != nil {
		return err
	}
	defer done()
	still := clock.Manual(now)
	witness, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	l, err := transparency.Open(ctx, transparency.Options{DB: db, Origin: "parallax.example/bench", Key: in.hub, LeavesPerTick: 64, Quorum: 1,
		Witnesses: []tlog.WitnessKey{{Name: "holder-1", Key: witness}}, Clock: still})
	if err != nil {
		return err
	}
	sign := func(domain string, v any) (signed.Object, error) { return signed.Sign(domain, "hub", in.hub, v) }
	keysDB, keysDone, err := in.fresh(ctx)
	if err != nil {
		return err
	}
	defer keysDone()
	keys, err := recordkeys.New(ctx, keysDB, still, rand.Reader)
	if err != nil {
		return err
	}
	p, err := pool.New(ctx, db, pool.Records{Keys: keys}, logs{l}, sign, still)
	if err != nil {
		return err
	}
	w.on()
	for _, req := range in.batches {
		if _, err := p.Contribute(ctx, in.member.Manifest, scope.Of(in.member.Sender), req); err != nil {
			return err
		}
	}
	w.off()
	if err := p.Link(ctx, epoch, nil); err != nil {
		return err
	}
	clusters, err := p.Clusters(ctx)
	in.linked = len(clusters)
	return err
}

var table = fstest.MapFS{"00001_bench.sql": {Data: []byte("-- +goose Up\nCREATE TABLE bench_row (label BYTEA NOT NULL PRIMARY KEY, body TEXT NOT NULL, box BYTEA NOT NULL);\n")}}

// raw stores the same bytes without looking at them.
func (in *intake) raw(ctx context.Context, w *watch) error {
	db, done, err := in.fresh(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := db.Migrate(ctx, "bench", table); err != nil {
		return err
	}
	w.on()
	defer w.off()
	for _, req := range in.batches {
		if err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return insert(ctx, tx, req.Observations) }); err != nil {
			return err
		}
	}
	return nil
}

func insert(ctx context.Context, tx *store.Tx, list []client.Contributed) error {
	for _, c := range list {
		label, err := c.Observation.Label()
		body, err2 := signed.Marshal(c.Observation)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO bench_row (label, body, box) VALUES ($1, $2, $3)`, label[:], string(body), c.Box); err != nil {
			return err
		}
	}
	return nil
}
