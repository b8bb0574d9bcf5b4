package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

var tableForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Scrub removes what was deleted from these tables also from where a database
// keeps it for a while. On SQLite, where deleted bytes are overwritten at once
// (secure_delete), it folds the journal into the file and empties it. On
// PostgreSQL it vacuums the tables, so that the space of dead rows is free; it
// is overwritten when it is used again, and the write-ahead log and replicas
// keep their own copies until they are recycled. Call it outside a transaction.
func (db *DB) Scrub(ctx context.Context, tables ...string) error {
	if ctx.Value(within{}) == db {
		return errNested
	}
	if !db.postgres {
		return db.checkpoint(ctx)
	}
	for _, t := range tables {
		if !tableForm.MatchString(t) {
			return fmt.Errorf("store: %q is no table's name", t)
		}
		if _, err := db.write.ExecContext(ctx, "VACUUM "+t); err != nil {
			return fmt.Errorf("store: vacuum %s: %w", t, err)
		}
	}
	return nil
}

func (db *DB) checkpoint(ctx context.Context) error {
	var busy, pages, done int64
	// The connection waits for readers as long as for any other lock.
	if err := db.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil {
		return fmt.Errorf("store: folding the journal: %w", err)
	}
	if busy != 0 {
		return errors.New("store: the journal could not be emptied because somebody reads all the time; it is tried again")
	}
	return nil
}
