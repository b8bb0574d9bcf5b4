package displacement

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parallax/internal/store"
	"parallax/signed"
)

func insertIntervention(ctx context.Context, tx *store.Tx, i Intervention) error {
	raw, err := signed.Marshal(i.InterventionAct)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO displacement_intervention (id, body, day, registered) VALUES ($1, $2, $3, $4)`,
		i.ID, string(raw), i.Date, i.Registered.UnixMicro())
	return err
}

func readIntervention(ctx context.Context, tx *store.Tx, id string) (i Intervention, ok bool, err error) {
	list, err := interventions(ctx, tx, `SELECT id, body, registered FROM displacement_intervention WHERE id = $1`, id)
	if err != nil || len(list) == 0 {
		return i, false, err
	}
	return list[0], true, nil
}

func listInterventions(ctx context.Context, tx *store.Tx) ([]Intervention, error) {
	return interventions(ctx, tx, `SELECT id, body, registered FROM displacement_intervention ORDER BY day DESC, id LIMIT 200`)
}

func interventions(ctx context.Context, tx *store.Tx, query string, args ...any) (out []Intervention, err error) {
	err = each(ctx, tx, query, args, func(rows *sql.Rows) error {
		var i Intervention
		var body string
		var registered int64
		if err := rows.Scan(&i.ID, &body, &registered); err != nil {
			return err
		}
		i.Registered = time.UnixMicro(registered)
		if err := signed.Unmarshal([]byte(body), &i.InterventionAct); err != nil {
			return err
		}
		out = append(out, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for n := range out {
		if err := hang(ctx, tx, &out[n]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// hang reads what hangs on an intervention.
func hang(ctx context.Context, tx *store.Tx, i *Intervention) error {
	err := each(ctx, tx, `SELECT body FROM displacement_evaluation WHERE intervention = $1 ORDER BY weeks`, []any{i.ID}, func(rows *sql.Rows) error {
		var text string
		var e Evaluation
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return err
		}
		i.Evaluations = append(i.Evaluations, e)
		return nil
	})
	if err != nil {
		return err
	}
	err = each(ctx, tx, `SELECT venue, made FROM displacement_alert WHERE intervention = $1 ORDER BY made, venue`, []any{i.ID}, func(rows *sql.Rows) error {
		var a Alert
		var made int64
		if err := rows.Scan(&a.Venue, &made); err != nil {
			return err
		}
		a.Made = time.UnixMicro(made)
		i.Alerts = append(i.Alerts, a)
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, `SELECT id, day, text, author, made FROM displacement_note WHERE intervention = $1 ORDER BY day, made LIMIT 50`, []any{i.ID}, func(rows *sql.Rows) error {
		var n Note
		var made int64
		if err := rows.Scan(&n.ID, &n.Day, &n.Text, &n.By, &made); err != nil {
			return err
		}
		n.Made = time.UnixMicro(made)
		i.Notes = append(i.Notes, n)
		return nil
	})
}

func each(ctx context.Context, tx *store.Tx, query string, args []any, f func(rows *sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insertEvaluation keeps the first evaluation at a horizon; it is never made
// again.
func insertEvaluation(ctx context.Context, tx *store.Tx, id string, e Evaluation) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO displacement_evaluation (intervention, weeks, body, made) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		id, int64(e.Weeks), string(raw), e.Made.UnixMicro())
	return err
}

func insertAlert(ctx context.Context, tx *store.Tx, id string, a Alert) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO displacement_alert (intervention, venue, made) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, a.Venue, a.Made.UnixMicro())
	return err
}

func lastLook(ctx context.Context, tx *store.Tx, id string) (time.Time, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT looked FROM displacement_look WHERE intervention = $1`, id).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMicro(at), err
}

func looked(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO displacement_look (intervention, looked) VALUES ($1, $2)
		ON CONFLICT (intervention) DO UPDATE SET looked = excluded.looked`, id, at.UnixMicro())
	return err
}

func insertNote(ctx context.Context, tx *store.Tx, id string, n Note, ticket string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO displacement_note (id, intervention, day, text, author, ticket, made) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		n.ID, id, n.Day, n.Text, n.By, ticket, n.Made.UnixMicro())
	return err
}
