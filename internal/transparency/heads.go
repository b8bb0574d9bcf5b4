package transparency

import (
	"context"
	"time"

	"parallax/internal/store"
)

// A Head is how large the log was at a time.
type Head struct {
	Size int64
	Made time.Time
}

// heads bounds how many heads Growth gives, and fewDays is when whole days
// begin to say more than single ticks.
const (
	heads   = 60
	fewDays = 3
)

// Growth gives how the log grew, oldest first: its newest checkpoints while it
// is young, and later the last one of each day (UTC).
func (l *Log) Growth(ctx context.Context) (list []Head, daily bool, err error) {
	list, err = l.heads(ctx, `SELECT MAX(size), MAX(made) FROM transparency_checkpoint GROUP BY made / 86400000000 ORDER BY 1 DESC LIMIT $1`)
	if err != nil || len(list) > fewDays {
		return list, true, err
	}
	list, err = l.heads(ctx, `SELECT size, made FROM transparency_checkpoint ORDER BY size DESC LIMIT $1`)
	return list, false, err
}

func (l *Log) heads(ctx context.Context, query string) (list []Head, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list = nil
		rows, err := tx.QueryContext(ctx, query, heads)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var size, made int64
			if err := rows.Scan(&size, &made); err != nil {
				return err
			}
			list = append([]Head{{size, time.UnixMicro(made).UTC()}}, list...)
		}
		return rows.Err()
	})
	return list, err
}
