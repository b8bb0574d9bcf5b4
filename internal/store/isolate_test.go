package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

// shown reads how many rows of a table a scope shows.
func shown(c ctx, t *testing.T, db *store.DB, table string) (n int64) {
	t.Helper()
	err := db.Read(c, func(c ctx, tx *store.Tx) error {
		return tx.QueryRowContext(c, `SELECT COUNT(*) FROM `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// PostgreSQL keeps rows apart that no query keeps apart: for the tables' owner,
// and for another role that may use them.
func TestRowsAreIsolated(t *testing.T) {
	ownerDSN, guestDSN, grant := storetest.PostgresRoles(t)
	open := func(dsn string) *store.DB {
		db, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	owner, guest := open(ownerDSN), open(guestDSN)
	if err := owner.Migrate(t.Context(), "shelf", shelf); err != nil {
		t.Fatal(err)
	}
	isolated := []store.Isolated{{Table: "shelf_item", Column: "owner"}, {Table: "shelf_owner", Inbox: true}}
	for range 2 { // the second time finds it done
		if err := owner.Isolate(t.Context(), isolated...); err != nil {
			t.Fatal(err)
		}
	}
	grant()
	if err := guest.Isolate(t.Context(), isolated...); err != nil {
		t.Errorf("a role that does not own the tables, when it is done: %v", err)
	}
	system := t.Context()
	if err := owner.Write(system, func(c ctx, tx *store.Tx) error { return add(c, tx, "0", "a", false, 1) }); err != nil {
		t.Fatal(err)
	}
	// A connection that this program did not open has no scope.
	other, err := sql.Open("pgx", guestDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var n int
	if err := other.QueryRowContext(system, `SELECT COUNT(*) FROM shelf_item`).Scan(&n); err != nil || n != 0 {
		t.Errorf("another program sees %d rows: %v", n, err)
	}
	if err := owner.Write(system, func(c ctx, tx *store.Tx) error {
		_, err := tx.ExecContext(c, `DELETE FROM shelf_item`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	as := func(org string) ctx { return scope.With(t.Context(), scope.Of(org)) }
	for _, db := range []*store.DB{owner, guest} {
		if above, err := db.Unwalled(system); err != nil || above {
			t.Fatalf("a test role stands above row-level security: %v", err)
		}
		write := func(c ctx, query string, args ...any) (int64, error) {
			var n int64
			err := db.Write(c, func(c ctx, tx *store.Tx) error {
				res, err := tx.ExecContext(c, query, args...)
				if err == nil {
					n, err = res.RowsAffected()
				}
				return err
			})
			return n, err
		}
		for id, org := range map[string]string{"1": "a", "2": "a", "3": "b"} {
			if err := db.Write(as(org), func(c ctx, tx *store.Tx) error { return add(c, tx, id, org, false, 1) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, see := range []struct {
			who    string
			c      ctx
			items  int64
			owners int64
		}{{"system", system, 3, 2}, {"a", as("a"), 2, 0}, {"b", as("b"), 1, 0}, {"nobody", as(""), 0, 0}, {"an asterisk", as("*"), 0, 0},
			{"the pool", scope.With(t.Context(), scope.Pool()), 3, 2}} {
			if n := shown(see.c, t, db, "shelf_item"); n != see.items {
				t.Errorf("%s sees %d items", see.who, n)
			}
			if n := shown(see.c, t, db, "shelf_owner"); n != see.owners {
				t.Errorf("%s sees %d owners", see.who, n)
			}
		}
		if n, err := write(as("a"), `UPDATE shelf_item SET amount = 9`); n != 2 || err != nil {
			t.Errorf("changed %d rows: %v", n, err)
		}
		if n, err := write(as("a"), `DELETE FROM shelf_item WHERE owner = 'b'`); n != 0 || err != nil {
			t.Errorf("deleted %d rows of another: %v", n, err)
		}
		for _, query := range []string{`UPDATE shelf_item SET owner = 'b'`, `INSERT INTO shelf_item (id, owner, open, amount) VALUES ('9', 'b', false, 1)`} {
			if _, err := write(as("a"), query); err == nil || !strings.Contains(err.Error(), "row-level security") {
				t.Errorf("%s: %v", query, err)
			}
		}
		if _, err := write(as("a"), `INSERT INTO shelf_owner (id) VALUES ('c')`); err != nil {
			t.Errorf("into an inbox: %v", err)
		}
		if n, err := write(system, `DELETE FROM shelf_item`); n != 3 || err != nil {
			t.Errorf("cleared %d rows: %v", n, err)
		}
		if n, err := write(system, `DELETE FROM shelf_owner WHERE id = 'c'`); n != 1 || err != nil {
			t.Errorf("cleared %d owners: %v", n, err)
		}
	}
	for _, bad := range []store.Isolated{{Table: "shelf_item; --"}, {Table: "shelf_item", Column: "a b"}, {Table: "shelf_nowhere"}} {
		if err := owner.Isolate(system, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
