package recordkeys

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"parallax/internal/clock"
	"parallax/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Names of both files in a data folder.
const (
	KeysFile = "keys.db"
	ListFile = "deletions.jsonl"
)

// Keys is the database of record keys.
type Keys struct {
	db     *store.DB
	clock  clock.Clock
	random io.Reader
}

// New brings the table up to date. The database must hold nothing but keys, so
// that it can be backed up, and forgotten, apart from the records.
func New(ctx context.Context, db *store.DB, c clock.Clock, random io.Reader) (*Keys, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	return &Keys{db, c, random}, db.Migrate(ctx, "recordkeys", sub)
}

// Close closes the database.
func (k *Keys) Close() error { return k.db.Close() }

// perStatement is how many ids one statement names.
const perStatement = 300

// Make gives the keys of records, and makes those that are not there yet. What
// it returns is on the disk: no record is ever sealed under a key that a crash
// could take away.
func (k *Keys) Make(ctx context.Context, ids [][]byte) (map[string][]byte, error) {
	now := k.clock.Now().UnixMicro()
	err := k.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return chunks(ids, func(part [][]byte) error {
			args := make([]any, 0, 3*len(part))
			for _, id := range part {
				key := make([]byte, chacha20poly1305.KeySize)
				if _, err := io.ReadFull(k.random, key); err != nil {
					return err
				}
				args = append(args, id, key, now)
			}
			var rows []string
			for i := range part {
				rows = append(rows, fmt.Sprintf("($%d,$%d,$%d)", 3*i+1, 3*i+2, 3*i+3))
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO recordkeys_key (id, key, made) VALUES `+strings.Join(rows, ",")+` ON CONFLICT DO NOTHING`, args...)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return k.Get(ctx, ids)
}

// Get gives the keys of records, by id. Those that were destroyed are missing.
func (k *Keys) Get(ctx context.Context, ids [][]byte) (map[string][]byte, error) {
	out := make(map[string][]byte, len(ids))
	err := k.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return chunks(ids, func(part [][]byte) error {
			rows, err := tx.QueryContext(ctx, `SELECT id, key FROM recordkeys_key WHERE id IN (`+marks(len(part))+`)`, anys(part)...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, key []byte
				if err := rows.Scan(&id, &key); err != nil {
					return err
				}
				out[string(id)] = key
			}
			return rows.Err()
		})
	})
	return out, err
}

// Destroy deletes keys for good: from the table, its free space and its
// journal. Destroying one again changes nothing.
func (k *Keys) Destroy(ctx context.Context, ids [][]byte) error {
	if len(ids) == 0 {
		return nil
	}
	err := k.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return chunks(ids, func(part [][]byte) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM recordkeys_key WHERE id IN (`+marks(len(part))+`)`, anys(part)...)
			return err
		})
	})
	return errors.Join(err, k.db.Scrub(ctx, "recordkeys_key"))
}

// Count counts the keys.
func (k *Keys) Count(ctx context.Context) (n int64, err error) {
	err = k.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM recordkeys_key`).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return n, err
}

func chunks(ids [][]byte, do func([][]byte) error) error {
	for len(ids) > 0 {
		n := min(perStatement, len(ids))
		if err := do(ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func marks(n int) string {
	var b bytes.Buffer
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String()
}

func anys(ids [][]byte) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// Seal seals one part of a record under the record's key, bound to the part's
// name: XChaCha20-Poly1305 with a random nonce in front.
func Seal(key []byte, part string, plain []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, []byte(part)), nil
}

// Open opens what Seal sealed.
func Open(key []byte, part string, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("recordkeys: a sealed record is too short")
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(part))
}
