package transparency

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

// reopen starts the log again on the same database, as a restart does.
func reopen(t *testing.T, db *store.DB, change func(*Options)) (*Log, error) {
	t.Helper()
	o := Options{DB: db, Origin: origin, Key: key("l"), Quorum: 2, Clock: clock.Manual(time.Unix(1_790_000_000, 0)), LeavesPerTick: 4}
	for _, n := range []string{"a", "b"} {
		o.Witnesses = append(o.Witnesses, tlog.WitnessKey{Name: n, Key: key(n).Public().(ed25519.PublicKey)})
	}
	change(&o)
	return Open(t.Context(), o)
}

func same(*Options) {}

func tick(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestARestoredBackupStopsTheLog plays a backup by a second database that holds
// the log's earlier days; the witness remembers the later ones.
func TestARestoredBackupStopsTheLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &witness{name: "a", key: key("a")}
		ahead := open(t, storetest.SQLite(t))
		for range 3 {
			tick(t, ahead)
		}
		if err := ahead.CollectCosignatures(t.Context(), []Witness{w}); err != nil {
			t.Fatal(err)
		}
		l := open(t, db)
		tick(t, l)
		if err := l.CollectCosignatures(t.Context(), []Witness{w}); !errors.Is(err, ErrRollback) || fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("rollback: %v", err)
		}
		mustRefuse(t, db, l)
		again, err := reopen(t, db, same)
		if err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, db, again)
		without, err := reopen(t, db, func(o *Options) { o.Witnesses = o.Witnesses[1:] })
		if err != nil || without.ReadOnly() {
			t.Fatalf("a former witness still stops the log (%v)", err)
		}
		// A witness that was wrong, or whose log was brought back, heals it.
		if err := again.CollectCosignatures(t.Context(), []Witness{&witness{name: "a", key: key("a")}}); err != nil || again.ReadOnly() {
			t.Fatalf("the log stays read-only: %v", err)
		}
		tick(t, again)
	})
}

func mustRefuse(t *testing.T, db *store.DB, l *Log) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := l.Append(ctx, tx, "batch", []byte("x"))
		return err
	})
	if fault.KindOf(err) != fault.Unavailable || !l.ReadOnly() {
		t.Fatalf("Append on a read-only log: %v", err)
	}
	if err := l.Tick(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("Tick on a read-only log: %v", err)
	}
}

// TestAForkStopsTheLog: a log rolled back and grown past its witness again has
// the size, but not the entries.
func TestAForkStopsTheLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, ticks := range []int{2, 3} { // as large as what was witnessed, and larger
			w := &witness{name: "a", key: key("a")}
			before := open(t, storetest.SQLite(t))
			tick(t, before)
			tick(t, before)
			if err := before.CollectCosignatures(t.Context(), []Witness{w}); err != nil {
				t.Fatal(err)
			}
			l := open(t, db)
			for range ticks {
				tick(t, l)
			}
			if err := l.CollectCosignatures(t.Context(), []Witness{w}); !errors.Is(err, ErrRollback) {
				t.Fatalf("%d ticks: %v", ticks, err)
			}
			mustRefuse(t, db, l)
			if err := l.CollectCosignatures(t.Context(), []Witness{&witness{name: "a", key: key("a")}}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// stuck is a witness that moved on after it was asked where it stands.
type stuck struct{ *witness }

func (stuck) Size(context.Context) (int64, error) { return 0, nil }

// answer is a witness that returns whatever it was given.
type answer struct {
	name string
	line func(note []byte) []byte
}

func (a answer) Name() string                        { return a.name }
func (a answer) Size(context.Context) (int64, error) { return 0, nil }
func (a answer) Cosign(_ context.Context, note []byte, _ tlog.Consistency) ([]byte, error) {
	return a.line(note), nil
}

func TestAWitnessThatMovedOnIsNoRollback(t *testing.T) {
	l := open(t, storetest.SQLite(t))
	w := &witness{name: "a", key: key("a")}
	for range 2 {
		tick(t, l)
		if err := l.CollectCosignatures(t.Context(), []Witness{w}); err != nil {
			t.Fatal(err)
		}
	}
	err := l.CollectCosignatures(t.Context(), []Witness{stuck{w}})
	if err == nil || errors.Is(err, ErrRollback) || l.ReadOnly() {
		t.Fatalf("a proof from elsewhere: %v", err)
	}
}

func TestOnlyOneGoodLineIsKept(t *testing.T) {
	l := open(t, storetest.SQLite(t))
	tick(t, l)
	root, err := l.rootAt(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	cp := tlog.Checkpoint{Origin: origin, Size: 4, Root: root}
	at := time.Unix(1_790_000_000, 0)
	good, other := tlog.Cosign(cp, "a", key("a"), at), tlog.Cosign(cp, "b", key("b"), at)
	for name, line := range map[string][]byte{
		"nothing":               nil,
		"a line cut short":      good[:len(good)-1],
		"a second line":         append(append([]byte{}, good...), tlog.Cosign(cp, "zz", key("z"), at)...),
		"another witness's":     other,
		"another checkpoint's":  tlog.Cosign(tlog.Checkpoint{Origin: origin, Size: 5, Root: root}, "a", key("a"), at),
		"another key":           tlog.Cosign(cp, "a", key("z"), at),
		"a name that is a page": tlog.Cosign(cp, string(make([]byte, 600)), key("a"), at),
	} {
		if err := l.CollectCosignatures(t.Context(), []Witness{answer{"a", func([]byte) []byte { return line }}}); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	// The same witness, asked twice and listed twice, counts once.
	a := answer{"a", func([]byte) []byte { return good }}
	for range 2 {
		if err := l.CollectCosignatures(t.Context(), []Witness{a, a}); err != nil {
			t.Fatal(err)
		}
	}
	if size, _, err := l.Latest(t.Context()); err != nil || size != 0 {
		t.Fatalf("one witness made a quorum: %d, %v", size, err)
	}
	if size, note, err := l.LatestAny(t.Context()); err != nil || size != 4 {
		t.Fatalf("LatestAny: %d, %v", size, err)
	} else if cosigs, err := l.verify(note, 1); err != nil || len(cosigs) != 1 {
		t.Fatalf("LatestAny carries %v, %v", cosigs, err)
	}
	if err := l.CollectCosignatures(t.Context(), []Witness{answer{"b", func([]byte) []byte { return other }}}); err != nil {
		t.Fatal(err)
	}
	if size, _, err := l.Latest(t.Context()); err != nil || size != 4 {
		t.Fatalf("two witnesses made no quorum: %d, %v", size, err)
	}
	replaced, err := reopen(t, l.o.DB, func(o *Options) { o.Witnesses[1].Key = key("c").Public().(ed25519.PublicKey) })
	if err != nil {
		t.Fatal(err)
	}
	if size, _, err := replaced.Latest(t.Context()); err != nil || size != 0 {
		t.Fatalf("a former witness's line counts: %d, %v", size, err)
	}
}

func TestOpenRefusesAmbiguity(t *testing.T) {
	db := storetest.SQLite(t)
	tick(t, open(t, db))
	for name, change := range map[string]func(*Options){
		"another origin":     func(o *Options) { o.Origin = "parallax.test/other" },
		"a name no note has": func(o *Options) { o.Origin = "with space" },
		"another key":        func(o *Options) { o.Key = key("x") },
		"one key twice":      func(o *Options) { o.Witnesses[1].Key = o.Witnesses[0].Key },
		"its own witness":    func(o *Options) { o.Witnesses[1].Key = o.Key.Public().(ed25519.PublicKey) },
		"no leaves":          func(o *Options) { o.LeavesPerTick = 0 },
	} {
		if _, err := reopen(t, db, change); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := reopen(t, db, same); err != nil {
		t.Fatal(err)
	}
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE transparency_hash SET hash = $1 WHERE place = 6`, make([]byte, 32))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, db, same); err == nil {
		t.Error("a changed root hash: opened")
	}
}

// The time that counts is the latest that a quorum of witnesses had reached:
// one witness far ahead does not move it, nor does one far behind.
func TestTheWitnessedTimeIsAQuorums(t *testing.T) {
	l := open(t, storetest.SQLite(t))
	if at, err := l.WitnessedTime(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("before any checkpoint: %v, %v", at, err)
	}
	base := time.Unix(1_790_000_000, 0).UTC()
	for _, c := range []struct {
		a, b time.Duration
		want time.Duration
	}{{0, 0, 0}, {time.Hour, 4000 * time.Hour, time.Hour}, {-4000 * time.Hour, 2 * time.Hour, -4000 * time.Hour}} {
		tick(t, l)
		size, note, err := l.newest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		root, err := l.head(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		for name, off := range map[string]time.Duration{"a": c.a, "b": c.b} {
			line := tlog.Cosign(tlog.Checkpoint{Origin: origin, Size: size, Root: root}, name, key(name), base.Add(off))
			if err := l.checkLine(name, note, line); err != nil {
				t.Fatal(err)
			}
			err := l.o.DB.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO transparency_cosignature (size, witness, line) VALUES ($1, $2, $3)`, size, name, line)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if at, err := l.WitnessedTime(t.Context()); err != nil || !at.Equal(base.Add(c.want)) {
			t.Errorf("clocks at %s and %s: %v, %v", c.a, c.b, at.Sub(base), err)
		}
	}
}
