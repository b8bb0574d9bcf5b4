package transparency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

// leaves reads the commitments in the order of the log, from the page that
// everyone may see.
func leaves(t testing.TB, l *Log) []tlog.Hash {
	t.Helper()
	list, err := l.Entries(t.Context(), 1<<40, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	out := make([]tlog.Hash, len(list))
	for i, e := range list {
		if e.Leaf != int64(i) {
			t.Fatalf("leaf %d is listed as %d", i, e.Leaf)
		}
		out[i] = e.Commitment
	}
	return out
}

// merkle is the tree hash of RFC 6962 by its definition.
func merkle(list []tlog.Hash) tlog.Hash {
	if len(list) == 1 {
		return tlog.Hash(sha256.Sum256(append([]byte{0}, list[0][:]...)))
	}
	k := 1
	for 2*k < len(list) {
		k *= 2
	}
	a, b := merkle(list[:k]), merkle(list[k:])
	return tlog.Hash(sha256.Sum256(slices.Concat([]byte{1}, a[:], b[:])))
}

func TestRootsAreThoseOfTheDefinition(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		size := int64(0)
		for _, want := range []int64{1, 2, 255, 256, 257, 1000} {
			l, err := reopen(t, db, func(o *Options) { o.LeavesPerTick = int(want - size) })
			if err != nil {
				t.Fatal(err)
			}
			tick(t, l)
			size, _, err = l.LatestAny(t.Context())
			if err != nil || size != want {
				t.Fatalf("size %d, want %d, %v", size, want, err)
			}
			root, err := l.head(t.Context(), size)
			if err != nil || root != merkle(leaves(t, l)) {
				t.Fatalf("size %d: the root is not that of its leaves (%v)", size, err)
			}
		}
	})
}

func TestOverflowWaitsAndOrderIsNotArrival(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		moved := 0
		for range 6 {
			var sent []tlog.Hash
			for i := range 6 {
				sent = append(sent, add(t, db, l, fmt.Sprint(i)).Commitment)
			}
			before := len(leaves(t, l))
			for range 2 {
				tick(t, l)
			}
			got := leaves(t, l)[before:]
			if len(got) != 8 {
				t.Fatalf("two ticks appended %d leaves, want 8", len(got))
			}
			in := 0
			for i, c := range got {
				if j := slices.Index(sent, c); j >= 0 {
					in++
					if i != j {
						moved++
					}
				}
			}
			if in != 6 {
				t.Fatalf("%d of 6 entries are in the log after two ticks", in)
			}
		}
		if moved == 0 {
			t.Fatal("36 entries are all where they arrived")
		}
	})
}

func TestTheListTellsNoKind(t *testing.T) {
	db := storetest.SQLite(t)
	l := open(t, db)
	add(t, db, l, "secret-record")
	tick(t, l)
	list, err := l.Entries(t.Context(), 100, 100)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, e := range list {
		kinds[e.Kind]++
		if !e.Time.Equal(list[0].Time) {
			t.Error("leaves of one tick are told apart by their time")
		}
	}
	if kinds["batch"] != 1 || kinds[dummy] != 3 {
		t.Errorf("for the operator: %v", kinds)
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"batch", dummy, "secret-record", "kind"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the list says %q", word)
		}
	}
}

func TestAKindOfItsOwnIsNeeded(t *testing.T) {
	db := storetest.SQLite(t)
	l := open(t, db)
	for _, kind := range []string{"", dummy} {
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Append(ctx, tx, kind, []byte("x"))
			return err
		})
		if err == nil {
			t.Errorf("kind %q is accepted", kind)
		}
	}
}

func TestTwoTicksAtOnceNeverFork(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = l.Tick(t.Context()) })
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			}
		}
		list := leaves(t, l)
		if done == 0 || len(list) != 4*done {
			t.Fatalf("%d ticks succeeded and the log has %d leaves", done, len(list))
		}
		if root, err := l.head(t.Context(), int64(len(list))); err != nil || root != merkle(list) {
			t.Fatalf("the head is not that of the leaves (%v)", err)
		}
		if _, err := reopen(t, db, same); err != nil {
			t.Fatal(err)
		}
	})
}

// TestARestartLosesNothing opens the database anew between Append and Tick.
func TestARestartLosesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ticket := add(t, db, open(t, db), "kept")
		l, err := reopen(t, db, same)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Prove(t.Context(), ticket.ID, 4); !errors.Is(err, ErrPending) {
			t.Fatalf("before the tick: %v", err)
		}
		tick(t, l)
		p, err := l.Prove(t.Context(), ticket.ID, 4)
		if err != nil || p.Opening.Nonce != ticket.Opening.Nonce || string(p.Opening.Record) != "kept" {
			t.Fatalf("%+v, %v", p.Opening, err)
		}
		if err := p.Inclusion.Verify(ticket.Commitment, merkle(leaves(t, l))); err != nil {
			t.Fatal(err)
		}
	})
}

var errStop = errors.New("stop")

// TestAnActAndItsLeafAreOne runs acts that commit or fail, ticks and restarts in
// any order: the log then holds exactly the acts that the data holds.
func TestAnActAndItsLeafAreOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `CREATE TABLE act (ticket TEXT PRIMARY KEY)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				step(t, rt, db, &l)
			}
			compare(t, rt, db)
		})
	})
}

func step(t *testing.T, rt *rapid.T, db *store.DB, l **Log) {
	switch rapid.SampledFrom([]string{"act", "act", "failed act", "tick", "restart"}).Draw(rt, "step") {
	case "act":
		if err := act(t.Context(), db, *l, nil); err != nil {
			rt.Fatal(err)
		}
	case "failed act":
		if err := act(t.Context(), db, *l, errStop); !errors.Is(err, errStop) {
			rt.Fatal(err)
		}
	case "tick":
		if err := (*l).Tick(t.Context()); err != nil {
			rt.Fatal(err)
		}
	case "restart":
		again, err := reopen(t, db, same)
		if err != nil {
			rt.Fatal(err)
		}
		*l = again
	}
}

// act writes a row and its entry in one transaction that ends with end.
func act(ctx context.Context, db *store.DB, l *Log, end error) error {
	return db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		ticket, err := l.Append(ctx, tx, "act", []byte("x"))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO act (ticket) VALUES ($1)`, ticket.ID); err != nil {
			return err
		}
		return end
	})
}

func compare(t *testing.T, rt *rapid.T, db *store.DB) {
	var without int
	err := db.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM transparency_entry e WHERE e.kind = 'act' AND NOT EXISTS (SELECT 1 FROM act a WHERE a.ticket = e.ticket))
			+ (SELECT COUNT(*) FROM act a WHERE NOT EXISTS (SELECT 1 FROM transparency_entry e WHERE e.ticket = a.ticket))`).Scan(&without)
	})
	if err != nil || without != 0 {
		rt.Fatalf("%d acts or entries stand alone (%v)", without, err)
	}
}
