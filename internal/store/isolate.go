package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	"parallax/internal/scope"
)

// An Isolated table has rows that only their organisation may touch. It is the
// second wall: every query names the organisation that its scope allows, and
// PostgreSQL refuses what a query forgot. SQLite has no such wall.
type Isolated struct {
	Table string
	// Column holds the organisation. Empty: the rows are the whole pool's.
	Column string
	// Inbox: anybody may add rows, which only the whole pool's scope can see.
	Inbox bool
}

// setting is the PostgreSQL setting that holds a transaction's scope. Row-level
// security compares with it; where it is not set, no row is to be seen.
const setting = "parallax.scope"

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Isolate puts row-level security on tables, once; it binds the tables' owner
// too. A program that does not own them may call it when it has been done. On
// SQLite it does nothing.
func (db *DB) Isolate(ctx context.Context, tables ...Isolated) error {
	if !db.postgres {
		return nil
	}
	return db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		// Two programs that start at once would wait for each other's tables.
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('parallax isolate ' || current_schema()))`); err != nil {
			return err
		}
		for _, t := range tables {
			if err := isolate(ctx, tx, t); err != nil {
				return fmt.Errorf("store: row-level security of %s: %w", t.Table, err)
			}
		}
		return nil
	})
}

func isolate(ctx context.Context, tx *Tx, t Isolated) error {
	if !plainName.MatchString(t.Table) || t.Column != "" && !plainName.MatchString(t.Column) {
		return fmt.Errorf("%q and %q must be plain names", t.Table, t.Column)
	}
	var done bool
	err := tx.QueryRowContext(ctx, `SELECT c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
		FROM pg_class c WHERE c.oid = to_regclass($1)`, t.Table).Scan(&done)
	if err != nil || done {
		return err
	}
	// The subquery is evaluated once a statement and not once a row.
	mine := `(SELECT current_setting('` + setting + `', true)) = '` + scope.Pool().String() + `'`
	if t.Column != "" {
		mine = `(SELECT current_setting('` + setting + `', true)) IN ('` + scope.Pool().String() + `', ` + t.Column + `)`
	}
	statements := []string{
		`ALTER TABLE ` + t.Table + ` ENABLE ROW LEVEL SECURITY`,
		`ALTER TABLE ` + t.Table + ` FORCE ROW LEVEL SECURITY`,
		`CREATE POLICY parallax_scope ON ` + t.Table + ` USING (` + mine + `) WITH CHECK (` + mine + `)`,
	}
	if t.Inbox {
		statements = append(statements, `CREATE POLICY parallax_inbox ON `+t.Table+` FOR INSERT WITH CHECK (true)`)
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// confine tells PostgreSQL whose rows a request's transaction may touch. Work
// that is no request keeps the connection's setting, which is the whole pool.
func confine(ctx context.Context, tx *sql.Tx) error {
	s, ok := scope.From(ctx)
	if !ok {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT set_config('`+setting+`', $1, true)`, s.String())
	return err
}

// Unwalled reports that the user of the database is above row-level security, as
// a superuser is: then only the queries keep organisations apart.
func (db *DB) Unwalled(ctx context.Context) (above bool, err error) {
	if !db.postgres {
		return false, nil
	}
	err = db.read.QueryRowContext(ctx, `SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`).Scan(&above)
	return above, err
}
