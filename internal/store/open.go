package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"parallax/internal/scope"
)

const (
	// busyWait is how long SQLite waits for another process's lock.
	busyWait = 10 * time.Second
	// sqliteReaders and postgresConns bound the connections of one process.
	sqliteReaders = 8
	postgresConns = 16
)

// DB is an open database. It may be used from several goroutines.
type DB struct {
	write    *sql.DB // SQLite: exactly one connection, which makes one writer
	read     *sql.DB // SQLite: a pool that cannot write; PostgreSQL: the same pool
	postgres bool
	dir      string // SQLite: the folder of the file
}

// Open opens the database that dsn names: a file path, "sqlite:" and a file
// path, or a "postgres://" URL. A SQLite file that does not exist is created,
// readable by its owner only; its folder must exist. Open fails when the
// database does not keep what it acknowledges.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	path, named := strings.CutPrefix(dsn, "sqlite:")
	switch {
	case path == "":
		return nil, errors.New("store: no database is named")
	case strings.Contains(path, ":memory:") || strings.HasPrefix(path, "file:"):
		return nil, errors.New("store: name a SQLite database by its plain file path")
	case !named && strings.Contains(path, "://"):
		return nil, errors.New("store: unknown kind of database; use a file path or a postgres:// URL")
	}
	return openSQLite(ctx, path)
}

// Postgres reports which of the two databases this is, for the few bulk paths
// that have a function of their own there.
func (db *DB) Postgres() bool { return db.postgres }

// Close releases the connections. Transactions under way are rolled back.
func (db *DB) Close() error {
	if db.postgres {
		return db.write.Close()
	}
	// The writer last: closing the last connection folds the WAL into the file.
	return errors.Join(db.read.Close(), db.write.Close())
}

// Room gives how many bytes still fit on the disk of an embedded database, and
// math.MaxInt64 where that cannot be told, as for PostgreSQL.
func (db *DB) Room() int64 {
	if db.dir == "" {
		return math.MaxInt64
	}
	return free(db.dir)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

func openSQLite(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// SQLite would create the file readable by everyone; its WAL takes the
	// file's mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db := &DB{dir: filepath.Dir(path)}
	if db.write, err = sql.Open("sqlite", sqliteDSN(path, "immediate", "0")); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", sqliteDSN(path, "deferred", "1")); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), db.write.Close())
	}
	db.read.SetMaxOpenConns(sqliteReaders)
	db.read.SetMaxIdleConns(sqliteReaders)
	for _, pool := range []*sql.DB{db.write, db.read} {
		if err := assertSQLite(ctx, pool); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// sqliteDSN spells out every setting that the package comment promises. The
// driver applies it to each new connection.
func sqliteDSN(path, lock, queryOnly string) string {
	q := url.Values{
		"_busy_timeout": {fmt.Sprint(busyWait.Milliseconds())},
		"_foreign_keys": {"1"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {lock},
		"_query_only":   {queryOnly},
		"_dqs":          {"0"},
		"_defensive":    {"1"},
		"_pragma":       {"case_sensitive_like(1)", "secure_delete(1)"},
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// assertSQLite reads the settings back: SQLite ignores what it cannot do (WAL
// on a file system without shared memory, say) without an error.
func assertSQLite(ctx context.Context, pool *sql.DB) error {
	for _, want := range []struct{ name, value string }{
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL
		{"foreign_keys", "1"},
		{"secure_delete", "1"},
		{"busy_timeout", fmt.Sprint(busyWait.Milliseconds())},
	} {
		if err := assertSetting(ctx, pool, "PRAGMA "+want.name, want.name, want.value); err != nil {
			return err
		}
	}
	return nil
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("store: the postgres URL cannot be read: %w", err)
	}
	if err := checkWay(config); err != nil {
		return nil, err
	}
	config.RuntimeParams["synchronous_commit"] = "on"
	config.RuntimeParams["default_transaction_isolation"] = "read committed"
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams[setting] = scope.Pool().String() // narrowed for every request: see confine
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "parallax"
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if err := assertSetting(ctx, pool, "SHOW "+name, name, "on"); err != nil {
			return nil, errors.Join(err, pool.Close())
		}
	}
	return &DB{write: pool, read: pool, postgres: true}, nil
}

// checkWay refuses a way to a server on another machine that somebody between
// could read or answer: each that the driver may try is a socket, this machine,
// or TLS that verifies the server's certificate.
func checkWay(config *pgx.ConnConfig) error {
	ways := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	for _, w := range ways {
		network, _ := pgconn.NetworkAddress(w.Host, w.Port)
		if network == "unix" || w.Host == "localhost" || net.ParseIP(w.Host).IsLoopback() {
			continue
		}
		if w.TLSConfig == nil || w.TLSConfig.InsecureSkipVerify {
			return errors.New("store: the postgres URL names another machine without verified TLS: add sslmode=verify-full")
		}
	}
	return nil
}

func assertSetting(ctx context.Context, pool *sql.DB, query, name, want string) error {
	var got string
	if err := pool.QueryRowContext(ctx, query).Scan(&got); err != nil {
		return fmt.Errorf("store: reading %s: %w", name, err)
	}
	if got != want {
		return fmt.Errorf("store: the database has %s=%s where %s is needed to keep what it acknowledges", name, got, want)
	}
	return nil
}
