package pool

import (
	"context"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
)

var created = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// A table that a migration makes is in the list of isolated tables, or is known
// to hold nothing of an organisation.
func TestEveryTableIsIsolated(t *testing.T) {
	var tables []string
	files, err := fs.Glob(migrations, "migrations/*.sql")
	must(t, err)
	for _, f := range files {
		raw, err := migrations.ReadFile(f)
		must(t, err)
		for _, m := range created.FindAllStringSubmatch(string(raw), -1) {
			tables = append(tables, m[1])
		}
	}
	if len(tables) < 10 {
		t.Fatalf("only %v were found", tables)
	}
	for _, table := range tables {
		if !slices.ContainsFunc(isolated, func(i store.Isolated) bool { return i.Table == table }) {
			t.Errorf("%s is not in store_isolated.go", table)
		}
	}
}

// Behind PostgreSQL's wall an organisation's scope shows its own rows, a query
// that names nobody included.
func TestTheWallKeepsOrganisationsApart(t *testing.T) {
	db := storetest.Postgres(t)
	w := newWorld(t, db)
	mail := tag{selector.Email, "one"}
	for _, org := range []string{"org-0", "org-1", "org-2"} {
		l := w.put(org, mail)
		w.put(org, tag{selector.Email, "of " + org})
		_, err := w.withdraw(org, l)
		must(t, err)
		w.put(org, mail)
		_, err = w.pool.HandIn(context.Background(), w.man, scope.Of(org), opening.Digest([]byte("a batch of "+org)))
		must(t, err)
	}
	w.link()
	count := func(ctx context.Context, query string) (n int64) {
		must(t, db.Read(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.QueryRowContext(ctx, query).Scan(&n) }))
		return n
	}
	system, nobody := context.Background(), scope.With(context.Background(), scope.Scope{})
	one := scope.With(context.Background(), scope.Of("org-1"))
	for _, i := range isolated {
		all := `SELECT COUNT(*) FROM ` + i.Table
		want := int64(0)
		if i.Column != "" {
			want = count(system, all+` WHERE `+i.Column+` = 'org-1'`)
		}
		if n := count(system, all); n == 0 && !strings.HasSuffix(i.Table, "_freeze") && !i.Inbox || i.Column != "" && n > 0 && n <= want {
			t.Fatalf("%s holds %d rows: nothing to keep apart", i.Table, n)
		}
		if n := count(one, all); n != want {
			t.Errorf("%s shows %d rows to an organisation that has %d", i.Table, n, want)
		}
		if n := count(nobody, all); n != 0 {
			t.Errorf("%s shows %d rows to nobody", i.Table, n)
		}
	}
}
