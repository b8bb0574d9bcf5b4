package amends

import (
	"context"
	"database/sql"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
)

func insertSubject(ctx context.Context, tx *store.Tx, org string, r client.SubjectReport, now time.Time) (fresh bool, err error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO amends_subject (number, org, sealed, taken) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		r.Number, org, r.Sealed, now.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func subjects(ctx context.Context, tx *store.Tx) ([]client.SubjectItem, error) {
	out := []client.SubjectItem{}
	err := query(ctx, tx, func(rows *sql.Rows) error {
		var x client.SubjectItem
		if err := rows.Scan(&x.Number, &x.Organisation, &x.Sealed, &x.Taken); err != nil {
			return err
		}
		x.Freeze = x.Taken + opening.FreezeWithin.Microseconds()
		x.Decide = x.Freeze + opening.FreezeLife.Microseconds()
		out = append(out, x)
		return nil
	}, `SELECT number, org, sealed, taken FROM amends_subject ORDER BY taken, org, number LIMIT 200`)
	return out, err
}

func dropSubjects(ctx context.Context, tx *store.Tx, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM amends_subject WHERE taken < $1`, before)
	return err
}

func insertReview(ctx context.Context, tx *store.Tx, id string, released, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO amends_review (opening, released, due, cleared, bare) VALUES ($1, $2, $3, 0, 0) ON CONFLICT DO NOTHING`,
		id, released.UnixMicro(), due.UnixMicro())
	return err
}

func setReview(ctx context.Context, tx *store.Tx, id string, due, cleared int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE amends_review SET due = $1, cleared = $2 WHERE opening = $3 AND cleared = 0`, due, cleared, id)
	return err
}

func setBare(ctx context.Context, tx *store.Tx, id string, at int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE amends_review SET bare = $1 WHERE opening = $2`, at, id)
	return err
}

func clearedBefore(ctx context.Context, tx *store.Tx, at int64) (out []string, err error) {
	err = query(ctx, tx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT opening FROM amends_review WHERE cleared > 0 AND bare = 0 AND cleared <= $1 ORDER BY opening`, at)
	return out, err
}

// reviews lists one released opening, or all by when they are due.
func reviews(ctx context.Context, tx *store.Tx, now int64, id string) (out []client.Retained, err error) {
	err = query(ctx, tx, func(rows *sql.Rows) error {
		var r client.Retained
		if err := rows.Scan(&r.Opening, &r.Released, &r.Due, &r.Cleared, &r.Bare); err != nil {
			return err
		}
		switch {
		case r.Bare > 0:
			r.State = "bare"
		case r.Cleared > 0:
			r.State, r.Bare = "cleared", r.Cleared+ClearedLife.Microseconds()
		case now > r.Due:
			r.State = "overdue"
		default:
			r.State = "open"
		}
		out = append(out, r)
		return nil
	}, `SELECT opening, released, due, cleared, bare FROM amends_review WHERE opening = $1 OR $1 = '' ORDER BY due, opening`, id)
	return out, err
}

// Timers counts what is due when, for the operator: counts only.
type Timers struct {
	Freezes   int64 `json:"freezes_to_decide"`
	Reviews   int64 `json:"reviews_due_30_days"`
	Overdue   int64 `json:"reviews_overdue"`
	Cleared   int64 `json:"cleared_not_bare"`
	Findings  int64 `json:"subject_findings"`
	Receipts  int64 `json:"receipts_waiting"`
	LateAfter int64 `json:"receipts_late"`
}

// Count counts them at a time.
func (s *Service) Count(ctx context.Context) (t Timers, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT
			(SELECT COUNT(*) FROM amends_review WHERE cleared = 0 AND due > $1 AND due <= $2),
			(SELECT COUNT(*) FROM amends_review WHERE cleared = 0 AND due <= $1),
			(SELECT COUNT(*) FROM amends_review WHERE cleared > 0 AND bare = 0),
			(SELECT COUNT(*) FROM amends_subject),
			(SELECT COUNT(*) FROM amends_delivery WHERE done = 0),
			(SELECT COUNT(*) FROM amends_delivery WHERE done = 0 AND due < $1)`, now.UnixMicro(), now.AddDate(0, 0, 30).UnixMicro()).
			Scan(&t.Reviews, &t.Overdue, &t.Cleared, &t.Findings, &t.Receipts, &t.LateAfter)
	})
	return t, err
}
