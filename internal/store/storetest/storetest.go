// Package storetest gives tests their databases: every storage test runs on
// SQLite always, and on PostgreSQL where there is a server to run it on.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"

	"parallax/internal/shareddata"
	"parallax/internal/store"
)

// postgresDSN names the variable that holds the postgres:// URL of a database
// in which tests may create schemas.
const postgresDSN = "PARALLAX_TEST_POSTGRES_DSN"

// Each runs f as two subtests, each with an empty database of its own.
//
// Without PARALLAX_TEST_POSTGRES_DSN the second one is skipped, or fails when
// PARALLAX_REQUIRE lists "postgres".
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite opens an empty SQLite database that goes away with the test.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "test.db"))
}

// Postgres opens an empty schema on the test server, dropped after the test. It
// skips or fails as Each does.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return open(t, PostgresDSN(t))
}

// PostgresDSN makes an empty schema as Postgres does and returns a DSN for it,
// for tests that open one database several times. The schema belongs to a role
// without privileges, as in operation: row-level security binds it.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	owner, _, _ := PostgresRoles(t)
	return owner
}

// PostgresRoles gives DSNs of one empty schema for two roles without
// privileges: its owner, and a guest who may use, after grant, what tables the
// owner has made by then.
func PostgresRoles(t testing.TB) (owner, guest string, grant func()) {
	t.Helper()
	dsn := os.Getenv(postgresDSN)
	if dsn == "" && shareddata.Required("postgres") {
		t.Fatalf("PostgreSQL is required (PARALLAX_REQUIRE) but %s is not set", postgresDSN)
	}
	if dsn == "" {
		t.Skipf("skipped: set %s to run this on PostgreSQL", postgresDSN)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("%s is not a URL", postgresDSN)
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatalf("the test server cannot be used: %v", err)
	}
	name := schemaName(t)
	run := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := admin.ExecContext(context.Background(), statement); err != nil {
				t.Fatalf("the test server refused %q: %v", statement, err)
			}
		}
	}
	run("CREATE ROLE "+name, "CREATE ROLE "+name+"_guest", "CREATE SCHEMA "+name+" AUTHORIZATION "+name, "GRANT USAGE ON SCHEMA "+name+" TO "+name+"_guest")
	t.Cleanup(func() {
		run("DROP SCHEMA "+name+" CASCADE", "DROP ROLE "+name, "DROP ROLE "+name+"_guest")
		if err := admin.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	as := func(role string) string {
		q := u.Query()
		q.Set("search_path", name)
		q.Set("role", role)
		v := *u
		v.RawQuery = q.Encode()
		return v.String()
	}
	return as(name), as(name + "_guest"), func() {
		t.Helper()
		run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + name + " TO " + name + "_guest")
	}
}

func open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatalf("opening the database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return db
}

// schemaName is random, so that packages under test at once do not meet.
func schemaName(t testing.TB) string {
	t.Helper()
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		t.Fatalf("no randomness: %v", err)
	}
	return "test_" + hex.EncodeToString(raw[:])
}
