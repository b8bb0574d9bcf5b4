package transparency

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

const origin = "parallax.test/pool"

func key(c string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(c, 32)))
}

// witness keeps its state in memory and forgets nothing.
type witness struct {
	name  string
	key   ed25519.PrivateKey
	state tlog.WitnessState
}

func (w *witness) Name() string                        { return w.name }
func (w *witness) Size(context.Context) (int64, error) { return w.state.Size, nil }
func (w *witness) Cosign(_ context.Context, note []byte, proof tlog.Consistency) ([]byte, error) {
	cp, next, err := w.state.Consider(note, proof, origin, key("l").Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	w.state = next
	return tlog.Cosign(cp, w.name, w.key, time.Unix(1_790_000_000, 0)), nil
}

func open(t *testing.T, db *store.DB) *Log {
	t.Helper()
	var keys []tlog.WitnessKey
	for _, n := range []string{"a", "b"} {
		keys = append(keys, tlog.WitnessKey{Name: n, Key: key(n).Public().(ed25519.PublicKey)})
	}
	l, err := Open(t.Context(), Options{DB: db, Origin: origin, Key: key("l"), Witnesses: keys, Quorum: 2,
		Clock: clock.Manual(time.Unix(1_790_000_000, 0)), LeavesPerTick: 4})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func add(t *testing.T, db *store.DB, l *Log, record string) Ticket {
	t.Helper()
	var ticket Ticket
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		ticket, err = l.Append(ctx, tx, "batch", []byte(record))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func TestEntriesReachAWitnessedCheckpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		a, b := &witness{name: "a", key: key("a")}, &witness{name: "b", key: key("b")}
		var tickets []Ticket
		for _, r := range []string{"1", "2", "3", "4", "5", "6"} {
			tickets = append(tickets, add(t, db, l, r))
		}
		if _, err := l.Prove(t.Context(), tickets[0].ID, 4); !errors.Is(err, ErrPending) {
			t.Fatalf("before the tick: %v", err)
		}
		for round := int64(1); round <= 3; round++ {
			if err := l.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.CollectCosignatures(t.Context(), []Witness{a, b}); err != nil {
				t.Fatal(err)
			}
			if a.state.Size != 4*round {
				t.Fatalf("tick %d: %d leaves; every tick adds 4", round, a.state.Size)
			}
		}
		size, note, err := l.Latest(t.Context())
		if err != nil || size != 12 {
			t.Fatalf("latest: %d, %v", size, err)
		}
		cp, cosigs, err := tlog.VerifyNote(note, origin, key("l").Public().(ed25519.PublicKey), l.o.Witnesses, 2)
		if err != nil || len(cosigs) != 2 {
			t.Fatalf("%v, %v", cosigs, err)
		}
		for i, ticket := range tickets {
			p, err := l.Prove(t.Context(), ticket.ID, size)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Inclusion.Verify(tlog.Commit(p.Opening.Nonce, p.Opening.Record), cp.Root); err != nil {
				t.Fatalf("entry %d: %v", i+1, err)
			}
		}
		if list, err := l.Entries(t.Context(), 12, 5); err != nil || len(list) != 5 || list[0].Leaf != 11 {
			t.Fatalf("entries: %+v, %v", list, err)
		}
	})
}

func TestRolledBackActLeavesNoEntry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		stop := errors.New("stop")
		var ticket Ticket
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
			if ticket, err = l.Append(ctx, tx, "batch", []byte("x")); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if _, err := l.Prove(t.Context(), ticket.ID, 4); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("an entry without its act: %v", err)
		}
	})
}

func TestOneWitnessIsNoQuorumAndRollbackTurnsReadOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		a := &witness{name: "a", key: key("a")}
		if err := l.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.CollectCosignatures(t.Context(), []Witness{a}); err != nil {
			t.Fatal(err)
		}
		if size, _, err := l.Latest(t.Context()); err != nil || size != 0 {
			t.Fatalf("one witness of two made a quorum: %d, %v", size, err)
		}
		imposter := &witness{name: "b", key: key("z")}
		if err := l.CollectCosignatures(t.Context(), []Witness{imposter}); err == nil {
			t.Fatal("a cosignature by another key was kept")
		}
		a.state.Size = 400 // the witness has seen more than the log holds
		if err := l.CollectCosignatures(t.Context(), []Witness{a}); err == nil || !l.ReadOnly() {
			t.Fatalf("rollback went unnoticed: %v", err)
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Append(ctx, tx, "batch", []byte("x"))
			return err
		})
		if fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("a read-only log took an entry: %v", err)
		}
	})
}
