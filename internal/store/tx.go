package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parallax/internal/fault"
)

// writeAttempts bounds how often Write runs its function on PostgreSQL, and
// retryPause is the first pause between two runs; it doubles.
const (
	writeAttempts = 6
	retryPause    = 2 * time.Millisecond
)

// watching is the context key of Watch.
type watching struct{}

// Watch lets see hear of every statement that runs under the context, with its
// arguments, before it runs: for tests of which rows an act may touch.
func Watch(ctx context.Context, see func(query string, args []any)) context.Context {
	return context.WithValue(ctx, watching{}, see)
}

func watch(ctx context.Context, query string, args []any) {
	if see, ok := ctx.Value(watching{}).(func(string, []any)); ok {
		see(query, args)
	}
}

// Tx is one transaction. It is valid until the function it was given to
// returns; every row set must be closed before that.
type Tx struct{ tx *sql.Tx }

// ExecContext runs a statement that returns no rows.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	watch(ctx, query, args)
	return t.tx.ExecContext(ctx, query, args...)
}

// QueryContext runs a statement that returns rows.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	watch(ctx, query, args)
	return t.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a statement that returns at most one row.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	watch(ctx, query, args)
	return t.tx.QueryRowContext(ctx, query, args...)
}

// within marks the context of a function that already holds a transaction.
type within struct{}

// errNested is a mistake in the program: on SQLite a write inside a write would
// wait for itself, and a read inside a write would miss what was written.
var errNested = errors.New("store: a transaction was begun inside a write; use the Tx that is there")

// Write runs f in one transaction and commits it when f returns nil. When Write
// returns nil, what f wrote is on the disk; when it returns an error of f,
// nothing was changed. f may run several times (see the package comment) and
// must pass its own ctx on.
//
// A transaction that cannot be begun or committed gives a fault.Unavailable. A
// connection lost during the commit is one too, and then the act may have been
// kept: make acts idempotent by an id chosen before Write.
func (db *DB) Write(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	pause := retryPause
	for attempt := 1; ; attempt++ {
		err := db.run(ctx, db.write, nil, f)
		if err == nil || attempt == writeAttempts || !retryable(err) {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

// Read runs f on one snapshot of the database. A statement in f that would
// change anything fails.
func (db *DB) Read(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	var opts *sql.TxOptions
	if db.postgres {
		// SQLite's read transaction is a snapshot; this makes PostgreSQL's one
		// as well. A read-only snapshot never fails to serialize.
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return db.run(ctx, db.read, opts, f)
}

func (db *DB) run(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, f func(context.Context, *Tx) error) (err error) {
	if ctx.Value(within{}) == db {
		return errNested
	}
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return unavailable(ctx, "beginning", err)
	}
	done := false
	defer func() {
		if !done { // f failed or panicked
			err = errors.Join(err, rollback(tx))
		}
	}()
	if db.postgres {
		if err := confine(ctx, tx); err != nil {
			return unavailable(ctx, "confining", err)
		}
	}
	inner := ctx
	if pool == db.write && opts == nil {
		inner = context.WithValue(ctx, within{}, db)
	}
	if err := f(inner, &Tx{tx}); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return errors.Join(unavailable(ctx, "committing", err), rollback(tx))
	}
	return nil
}

// rollback undoes the transaction. One that the driver has already undone,
// because the context ended or the commit failed, is no further error.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("store: rolling back: %w", err)
	}
	return nil
}

// unavailable keeps the caller's own cancellation recognisable.
func unavailable(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("store: %s: %w", doing, errors.Join(ctx.Err(), err))
	}
	return fault.Wrap(fault.Unavailable, "The database cannot be used at the moment. Please try again.",
		fmt.Errorf("store: %s: %w", doing, err))
}

// retryable reports whether PostgreSQL undid the transaction for the sake of
// another one: it then certainly kept nothing of it.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// IsDuplicate reports whether err says that a row with the same key exists
// already. On PostgreSQL the transaction can then only be given up; where a
// duplicate is expected, use ON CONFLICT.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}
