package store_test

import (
	"database/sql"
	"slices"
	"testing"

	"parallax/internal/store"
)

// TestSharedSubset holds the two drivers to the subset of SQL that the package
// comment promises.
func TestSharedSubset(t *testing.T) {
	withShelf(t, func(t *testing.T, db *store.DB) {
		err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			_, err := tx.ExecContext(c, `INSERT INTO shelf_item (id, owner, tag, open, amount)
				VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10), ($11, $12, $13, $14, $15)`,
				"1", "a", []byte(nil), true, int64(1)<<62, "2", "b", []byte{}, false, 2, "3", "b", []byte{0, 255}, true, 3)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			// An upsert answers with the row as it is afterwards.
			var amount int64
			err := tx.QueryRowContext(c, `INSERT INTO shelf_item (id, owner, open, amount) VALUES ($1, $2, $3, $4)
				ON CONFLICT (id) DO UPDATE SET amount = shelf_item.amount + excluded.amount RETURNING amount`,
				"2", "b", false, 40).Scan(&amount)
			if err != nil || amount != 42 {
				t.Errorf("upsert: %d, %v", amount, err)
			}
			// A parameter may be used twice.
			var n int64
			err = tx.QueryRowContext(c, `SELECT COUNT(*) FROM shelf_item WHERE owner = $1 AND amount > $2 AND id <> $1`, "b", 2).Scan(&n)
			if err != nil || n != 2 {
				t.Errorf("repeated parameter: %d, %v", n, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]struct {
			query string
			args  []any
			want  []string
		}{
			"keyset page":  {`SELECT id FROM shelf_item WHERE (owner, id) > ($1, $2) ORDER BY owner, id LIMIT 1`, []any{"a", "1"}, []string{"2"}},
			"boolean":      {`SELECT id FROM shelf_item WHERE open ORDER BY id`, nil, []string{"1", "3"}},
			"null bytes":   {`SELECT id FROM shelf_item WHERE tag IS NULL`, nil, []string{"1"}},
			"empty bytes":  {`SELECT id FROM shelf_item WHERE tag = $1`, []any{[]byte{}}, []string{"2"}},
			"bytes":        {`SELECT id FROM shelf_item WHERE tag = $1`, []any{[]byte{0, 255}}, []string{"3"}},
			"big integer":  {`SELECT id FROM shelf_item WHERE amount = $1`, []any{int64(1) << 62}, []string{"1"}},
			"case of like": {`SELECT id FROM shelf_owner WHERE id LIKE $1`, []any{"A%"}, nil},
			"window":       {`SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY id DESC) AS n FROM shelf_item) AS x WHERE n = 1 ORDER BY id`, nil, []string{"1", "3"}},
			"filter":       {`SELECT owner FROM shelf_item GROUP BY owner HAVING COUNT(*) FILTER (WHERE open) = 1 AND COUNT(*) = 2`, nil, []string{"b"}},
			"recursion":    {`WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT CAST(MAX(n) AS TEXT) FROM r`, nil, []string{"3"}},
		}
		for name, c := range texts {
			err := db.Read(t.Context(), func(ctx ctx, tx *store.Tx) error {
				rows, err := tx.QueryContext(ctx, c.query, c.args...)
				if err != nil {
					return err
				}
				got, err := column(rows)
				if !slices.Equal(got, c.want) {
					t.Errorf("%s: %v, want %v", name, got, c.want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		err = db.Read(t.Context(), func(c ctx, tx *store.Tx) error {
			var id string
			return tx.QueryRowContext(c, `SELECT id FROM shelf_item WHERE id = "1"`).Scan(&id)
		})
		if err == nil {
			t.Error("a double-quoted word was taken for a string")
		}
	})
}

func column(rows *sql.Rows) (out []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
