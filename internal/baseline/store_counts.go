package baseline

import (
	"context"
	"encoding/json"

	"parallax/estimate/release"
	"parallax/internal/store"
)

// readLedger replays what was spent; a history that the limits would not have
// let happen is refused.
func readLedger(ctx context.Context, tx *store.Tx) (*release.Ledger, error) {
	rows, err := tx.QueryContext(ctx, `SELECT quarter, name, epsilon FROM baseline_ledger ORDER BY place`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []release.Entry
	for rows.Next() {
		var e release.Entry
		if err := rows.Scan(&e.Quarter, &e.Table, &e.Epsilon); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return release.OpenLedger(release.Recommended, list)
}

func insertLedger(ctx context.Context, tx *store.Tx, act string, from int, list []release.Entry) error {
	for i, e := range list {
		if _, err := tx.ExecContext(ctx, `INSERT INTO baseline_ledger (place, quarter, name, epsilon, act) VALUES ($1, $2, $3, $4, $5)`,
			int64(from+i), int64(e.Quarter), e.Table, int64(e.Epsilon), act); err != nil {
			return err
		}
	}
	return nil
}

func countsBy(ctx context.Context, tx *store.Tx, act string) (bool, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM baseline_counts WHERE act = $1`, act).Scan(&n)
	return n > 0, err
}

func insertCounts(ctx context.Context, tx *store.Tx, act string, c NoisedCounts) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO baseline_counts (act, class, quarter, body, made) VALUES ($1, $2, $3, $4, $5)`,
		act, c.Statement.Class, c.Statement.Quarter, string(raw), c.Made.UnixMicro())
	return err
}

func listCounts(ctx context.Context, tx *store.Tx) (out []NoisedCounts, err error) {
	err = each(ctx, tx, `SELECT body FROM baseline_counts ORDER BY quarter DESC, class LIMIT 40`, nil, func(text string) error {
		var c NoisedCounts
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	})
	return out, err
}
