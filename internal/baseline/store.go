package baseline

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

func runOf(ctx context.Context, tx *store.Tx, class, quarter string) (id string, ok bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM baseline_run WHERE class = $1 AND quarter = $2`, class, quarter).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

func insertRun(ctx context.Context, tx *store.Tx, r Run) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO baseline_run (id, class, quarter, input, body, made) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.Class, r.Quarter, r.Input[:], string(raw), r.Made.UnixMicro())
	return err
}

func readRun(ctx context.Context, tx *store.Tx, id string) (r Run, ok bool, err error) {
	var text string
	err = tx.QueryRowContext(ctx, `SELECT body FROM baseline_run WHERE id = $1`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	return r, true, json.Unmarshal([]byte(text), &r)
}

func listRuns(ctx context.Context, tx *store.Tx) (out []Run, err error) {
	err = each(ctx, tx, `SELECT body FROM baseline_run ORDER BY quarter DESC, class LIMIT 200`, nil, func(text string) error {
		var r Run
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// each reads rows of one text.
func each(ctx context.Context, tx *store.Tx, query string, args []any, f func(text string) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := f(text); err != nil {
			return err
		}
	}
	return rows.Err()
}

func insertAudit(ctx context.Context, tx *store.Tx, id string, a opening.AuditAct, now time.Time) error {
	raw, err := signed.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO baseline_audit (id, class, day, body, made) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		id, string(a.Class), a.Date, string(raw), now.UnixMicro())
	return err
}

// lastAudit is the newest check of a class's links, or nil.
func lastAudit(ctx context.Context, tx *store.Tx, class string) (a *opening.AuditAct, err error) {
	err = each(ctx, tx, `SELECT body FROM baseline_audit WHERE class = $1 ORDER BY day DESC, made DESC LIMIT 1`, []any{class}, func(text string) error {
		a = new(opening.AuditAct)
		return signed.Unmarshal([]byte(text), a)
	})
	return a, err
}

func listAudits(ctx context.Context, tx *store.Tx) (out []opening.AuditAct, err error) {
	err = each(ctx, tx, `SELECT body FROM baseline_audit ORDER BY day DESC, made DESC LIMIT 50`, nil, func(text string) error {
		var a opening.AuditAct
		out = append(out, a)
		return signed.Unmarshal([]byte(text), &out[len(out)-1])
	})
	return out, err
}

func insertRelease(ctx context.Context, tx *store.Tx, r Release) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO baseline_release (id, run, class, body, ticket, made) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.Statement.Run, r.Statement.Class, string(raw), r.Ticket, r.Made.UnixMicro())
	return err
}

func scanReleases(ctx context.Context, tx *store.Tx, query string, args ...any) (out []Release, err error) {
	err = each(ctx, tx, query, args, func(text string) error {
		var r Release
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

func listReleases(ctx context.Context, tx *store.Tx) ([]Release, error) {
	return scanReleases(ctx, tx, `SELECT body FROM baseline_release ORDER BY made DESC, id LIMIT 200`)
}

// releaseOf is the release of a run, if there is one.
func releaseOf(ctx context.Context, tx *store.Tx, run string) ([]Release, error) {
	return scanReleases(ctx, tx, `SELECT body FROM baseline_release WHERE run = $1`, run)
}

// lastRelease is the newest release of a class.
func lastRelease(ctx context.Context, tx *store.Tx, class string) ([]Release, error) {
	return scanReleases(ctx, tx, `SELECT body FROM baseline_release WHERE class = $1 ORDER BY made DESC LIMIT 1`, class)
}
