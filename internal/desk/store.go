package desk

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/seal"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// records is the desk's local store: only sealed values and keyed hashes.
type records struct {
	db *store.DB
	v  vault
}

func openRecords(ctx context.Context, dir string, v vault) (*records, error) {
	db, err := store.Open(ctx, filepath.Join(dir, storeFile))
	if err != nil {
		return nil, err
	}
	migrations, err := fs.Sub(migrationFiles, "migrations")
	if err == nil {
		err = db.Migrate(ctx, "desk", migrations)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &records{db: db, v: v}, nil
}

// write changes the store whole or not at all. What stops it is a fault that
// says so: a full disk is no reason for a desk to fall silent.
func (r *records) write(ctx context.Context, do func(ctx context.Context, tx *store.Tx) error) error {
	err := r.db.Write(ctx, do)
	if err == nil || ctx.Err() != nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(fault.Unavailable, "This desk could not write its own records (is the disk full?), so it stopped. What was sent and acknowledged before stays; mend it and do the same again.", err)
}

// setting decodes a kept setting into out; fault.NotFound if there is none.
func (r *records) setting(ctx context.Context, name string, out any) error {
	id := r.v.key("setting", []byte(name))
	var sealed []byte
	err := r.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT sealed FROM desk_setting WHERE id = $1`, id).Scan(&sealed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "This desk has not joined a pool; run \"parallax desk join\" first.")
	}
	if err != nil {
		return err
	}
	return r.decode("setting", id, sealed, out)
}

func (r *records) decode(table string, id, sealed []byte, out any) error {
	raw, err := r.v.unlock(table, id, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, out)
}

func (r *records) encode(table string, id []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return r.v.lock(table, id, raw)
}

func (r *records) keep(ctx context.Context, name string, v any) error {
	id := r.v.key("setting", []byte(name))
	sealed, err := r.encode("setting", id, v)
	if err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO desk_setting (id, sealed) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed`, id, sealed)
		return err
	})
}

// list runs a query whose rows are two byte columns.
func (r *records) list(ctx context.Context, do func(a, b []byte) error, query string, args ...any) error {
	return r.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a, b []byte
			if err := rows.Scan(&a, &b); err != nil {
				return err
			}
			if err := do(a, b); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// hasRow reports that the row is in a contribution already.
func (r *records) hasRow(ctx context.Context, id []byte) (bool, error) {
	var one int
	err := r.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT 1 FROM desk_row WHERE id = $1`, id).Scan(&one)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// An OwnRecord is what this desk knows of one of its own observations.
type OwnRecord struct {
	Record Record     `json:"record"`
	Label  seal.Label `json:"label"`
	Salt   []byte     `json:"salt"` // makes the header's evidence digest
	Time   int64      `json:"time"`
}

// own finds own records by a key: a tag or a reference.
func (r *records) own(ctx context.Context, kind string, data []byte) ([]OwnRecord, error) {
	id := r.v.key(kind, data)
	var out []OwnRecord
	err := r.list(ctx, func(label, sealed []byte) error {
		var o OwnRecord
		err := r.decode("record", append(append([]byte{}, id...), label...), sealed, &o)
		out = append(out, o)
		return err
	}, `SELECT label, sealed FROM desk_record WHERE id = $1 ORDER BY label`, id)
	return out, err
}

// keepOwn adds a record under one key, in the caller's transaction.
func (r *records) keepOwn(ctx context.Context, tx *store.Tx, kind string, data []byte, o OwnRecord) error {
	id, label := r.v.key(kind, data), r.v.key("label", o.Label[:])
	sealed, err := r.encode("record", append(append([]byte{}, id...), label...), o)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO desk_record (id, label, sealed) VALUES ($1, $2, $3)
		ON CONFLICT (id, label) DO NOTHING`, id, label, sealed)
	return err
}
