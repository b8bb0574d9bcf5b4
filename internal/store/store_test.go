package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

// shelf is a slice made for these tests.
var shelf = fstest.MapFS{"00001_init.sql": {Data: []byte(`-- +goose Up
CREATE TABLE shelf_owner (id TEXT PRIMARY KEY);
CREATE TABLE shelf_item (
	id     TEXT PRIMARY KEY,
	owner  TEXT NOT NULL REFERENCES shelf_owner (id),
	tag    BYTEA,
	open   BOOLEAN NOT NULL,
	amount BIGINT NOT NULL CHECK (amount >= 0)
);
CREATE UNIQUE INDEX shelf_item_one_open ON shelf_item (owner) WHERE open;
INSERT INTO shelf_owner (id) VALUES ('a'), ('b');
`)}}

type ctx = context.Context

func withShelf(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "shelf", shelf); err != nil {
			t.Fatal(err)
		}
		f(t, db)
	})
}

func add(c ctx, tx *store.Tx, id, owner string, open bool, amount int64) error {
	_, err := tx.ExecContext(c, `INSERT INTO shelf_item (id, owner, tag, open, amount) VALUES ($1, $2, $3, $4, $5)`,
		id, owner, []byte(id), open, amount)
	return err
}

func total(t *testing.T, db *store.DB) (sum int64) {
	t.Helper()
	err := db.Read(t.Context(), func(c ctx, tx *store.Tx) error {
		return tx.QueryRowContext(c, `SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM shelf_item`).Scan(&sum)
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		boom := errors.New("boom")
		err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			return errors.Join(add(c, tx, "1", "a", false, 5), boom)
		})
		if !errors.Is(err, boom) || total(t, db) != 0 {
			t.Errorf("after an error: %v, total %d", err, total(t, db))
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
				if err := add(c, tx, "1", "a", false, 5); err != nil {
					return err
				}
				panic("a bug")
			})
		}()
		if got := total(t, db); got != 0 {
			t.Errorf("after a panic: total %d", got)
		}
		stop, cancel := context.WithCancel(t.Context())
		err = db.Write(stop, func(c ctx, tx *store.Tx) error {
			defer cancel()
			return add(c, tx, "1", "a", false, 5)
		})
		if !errors.Is(err, context.Canceled) || total(t, db) != 0 {
			t.Errorf("after the context ended: %v, total %d", err, total(t, db))
		}
		if err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, "1", "a", false, 5) }); err != nil {
			t.Fatal(err)
		}
		if got := total(t, db); got != 5 {
			t.Errorf("after a write: total %d", got)
		}
	})
}

func TestReadIsOneSnapshotThatChangesNothing(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		count := func(c ctx, tx *store.Tx) (n int) {
			if err := tx.QueryRowContext(c, `SELECT COUNT(*) FROM shelf_item`).Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		err := db.Read(t.Context(), func(c ctx, tx *store.Tx) error {
			before := count(c, tx)
			err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, "1", "a", false, 1) })
			if after := count(c, tx); after != before {
				t.Errorf("the snapshot moved from %d to %d rows", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, "2", "a", false, 1) })
		if err == nil || total(t, db) != 1 {
			t.Errorf("a read wrote: %v, total %d", err, total(t, db))
		}
	})
}

func TestNestedTransactionsAreRefused(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		nothing := func(ctx, *store.Tx) error { return nil }
		for name, begin := range map[string]func(ctx, func(ctx, *store.Tx) error) error{"write": db.Write, "read": db.Read} {
			err := db.Write(t.Context(), func(c ctx, _ *store.Tx) error { return begin(c, nothing) })
			if err == nil {
				t.Errorf("a %s inside a write was let through", name)
			}
		}
	})
}

func TestConcurrentConditionalUpdates(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		const workers, rounds = 6, 15
		if err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, "1", "a", false, 0) }); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
						_, err := tx.ExecContext(c, `UPDATE shelf_item SET amount = amount + 1 WHERE id = $1`, "1")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := total(t, db); got != workers*rounds {
			t.Errorf("%d increments were kept, want %d", got, workers*rounds)
		}
	})
}

func TestConstraints(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		write := func(id, owner string, open bool, amount int64) error {
			return db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, id, owner, open, amount) })
		}
		if err := write("1", "a", true, 1); err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			name      string
			err       error
			duplicate bool
		}{
			{"same key", write("1", "b", false, 1), true},
			{"second open of one owner", write("2", "a", true, 1), true},
			{"unknown owner", write("3", "zz", false, 1), false},
			{"negative amount", write("4", "a", false, -1), false},
		}
		for _, c := range cases {
			if c.err == nil {
				t.Errorf("%s: was accepted", c.name)
			}
			if got := store.IsDuplicate(c.err); got != c.duplicate {
				t.Errorf("%s: IsDuplicate = %v: %v", c.name, got, c.err)
			}
		}
		if store.IsDuplicate(nil) || store.IsDuplicate(sql.ErrNoRows) {
			t.Error("these are no duplicates")
		}
	})
}

func TestRetriesWhatPostgresUndid(t *testing.T) {
	db := storetest.Postgres(t)
	fail := func(code string, times int) (runs int, err error) {
		err = db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			if runs++; runs > times {
				return nil
			}
			_, err := tx.ExecContext(c, `DO $$ BEGIN RAISE EXCEPTION 'made' USING ERRCODE = '`+code+`'; END $$`)
			return err
		})
		return runs, err
	}
	for _, code := range []string{"40001", "40P01"} {
		if runs, err := fail(code, 2); runs != 3 || err != nil {
			t.Errorf("%s twice: %d runs, %v", code, runs, err)
		}
	}
	if runs, err := fail("40001", 100); runs > 10 || err == nil {
		t.Errorf("40001 for ever: %d runs, %v", runs, err)
	}
	if runs, err := fail("22012", 1); runs != 1 || err == nil {
		t.Errorf("another failure: %d runs, %v", runs, err)
	}
}

func TestOpenRefusesAmbiguity(t *testing.T) {
	dir := t.TempDir()
	for _, dsn := range []string{"", "sqlite:", ":memory:", "sqlite::memory:", "file:x.db", "mysql://x/y",
		filepath.Join(dir, "absent", "x.db"), "postgres://[", "postgres://127.0.0.1:1/none?connect_timeout=1"} {
		if db, err := store.Open(t.Context(), dsn); err == nil {
			t.Errorf("%q was opened", dsn)
			db.Close()
		}
	}
	if db, err := store.Open(t.Context(), "postgres://u:hunter2@[::1/x"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unreadable URL: %v, %v", db, err)
	}
}

func TestOpenRefusesPostgresThatForgets(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	db, err := store.Open(t.Context(), dsn+"&synchronous_commit=off")
	if err != nil {
		t.Fatalf("the setting of the URL should be overridden: %v", err)
	}
	defer db.Close()
	err = db.Read(t.Context(), func(c ctx, tx *store.Tx) error {
		for name, want := range map[string]string{"synchronous_commit": "on", "transaction_isolation": "repeatable read"} {
			var got string
			if err := tx.QueryRowContext(c, "SHOW "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q, want %q (%v)", name, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteFileIsTheOwnersAndLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?&#%41.db")
	for round := range 2 {
		db, err := store.Open(t.Context(), "sqlite:"+path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Ping(t.Context()), db.Migrate(t.Context(), "shelf", shelf)); err != nil {
			t.Fatal(err)
		}
		if got, want := total(t, db), int64(round); got != want {
			t.Errorf("round %d: total %d, want %d", round, got, want)
		}
		if err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, "1", "a", false, 1) }); (err == nil) != (round == 0) {
			t.Errorf("round %d: %v", round, err)
		}
		for _, name := range []string{path, path + "-wal"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", filepath.Base(name), info.Mode().Perm())
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), func(ctx, *store.Tx) error { return nil }); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a closed database should be unavailable: %v", err)
		}
	}
}

func TestRowsOfLockedSQLiteWait(t *testing.T) {
	// A second process (here: a second DB on the same file) takes turns.
	path := filepath.Join(t.TempDir(), "x.db")
	var dbs [2]*store.DB
	for i := range dbs {
		db, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		dbs[i] = db
	}
	if err := dbs[0].Migrate(t.Context(), "shelf", shelf); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i, db := range dbs {
		wg.Go(func() {
			for n := range 10 {
				id := string(rune('a'+i)) + string(rune('0'+n))
				if err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error { return add(c, tx, id, "a", false, 1) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := total(t, dbs[0]); got != 20 {
		t.Errorf("total %d, want 20", got)
	}
}

func TestAllReadsRowsInOrder(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		broken := errors.New("not this one")
		err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			if err := errors.Join(add(c, tx, "x", "a", true, 1), add(c, tx, "y", "b", true, 2)); err != nil {
				return err
			}
			id := func(r store.Row) (s string, err error) {
				err = r.Scan(&s)
				return s, err
			}
			got, err := store.All(c, tx, id, `SELECT id FROM shelf_item ORDER BY amount DESC`)
			if err != nil || strings.Join(got, " ") != "y x" {
				t.Errorf("%v %v", got, err)
			}
			if got, err := store.All(c, tx, id, `SELECT id FROM shelf_item WHERE amount > $1`, 5); err != nil || got != nil {
				t.Errorf("no row: %v %v", got, err)
			}
			if _, err := store.All(c, tx, func(store.Row) (int, error) { return 0, broken }, `SELECT id FROM shelf_item`); !errors.Is(err, broken) {
				t.Errorf("a row that cannot be read: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
