package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

var sliceName = regexp.MustCompile(`^[a-z][a-z0-9]{0,30}$`)

// Migrate brings the tables of one slice up to date. migrations holds the
// slice's files 00001_name.sql, ... with a "-- +goose Up" section each; there is
// no way back down. What has been applied is remembered in <slice>_migration.
// Several processes may migrate at once on PostgreSQL: one does it, the others
// wait. A database that a newer program has migrated further is refused.
func (db *DB) Migrate(ctx context.Context, slice string, migrations fs.FS) error {
	if !sliceName.MatchString(slice) {
		return fmt.Errorf("store: %q cannot name a slice", slice)
	}
	dialect := goose.DialectSQLite3
	opts := []goose.ProviderOption{
		goose.WithTableName(slice + "_migration"),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}
	if db.postgres {
		dialect = goose.DialectPostgres
		locker, err := db.migrationLock(ctx, slice)
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write, migrations, opts...)
	if err != nil {
		return fmt.Errorf("store: migrations of %s: %w", slice, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("store: migrating %s: %w", slice, err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: migrations of %s: %w", slice, err)
	}
	if current > target {
		return fmt.Errorf("store: the tables of %s are at version %d and this program knows %d; use the newer program", slice, current, target)
	}
	return nil
}

// migrationLock is an advisory lock per schema and slice, so that two programs
// in two schemas of one server do not wait for each other.
func (db *DB) migrationLock(ctx context.Context, slice string) (lock.SessionLocker, error) {
	var schema string
	if err := db.write.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return nil, fmt.Errorf("store: the search path names no schema: %w", err)
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "parallax migrate %s.%s", schema, slice)
	return lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(h.Sum64()>>1)), // the shift keeps it positive
		lock.WithLockTimeout(1, 120),         // every second, for two minutes
	)
}
