package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// Snapshot writes a whole and compact copy of a SQLite database to a new file,
// as it is at one moment, while others go on reading and writing it. Free pages,
// and with them what was deleted, are not in the copy.
func Snapshot(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteDSN(from, "deferred", "0"))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	return errors.Join(err, db.Close())
}

// CheckFile reads a whole SQLite database and says whether it is sound.
func CheckFile(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteDSN(path, "deferred", "0"))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&said); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("store: %s is damaged: %s", path, said)
	}
	return nil
}
