package transparency

import (
	"context"

	"parallax/internal/store"
	"parallax/tlog"
)

// An Opened is an entry with its opening and the ticket that its act holds.
type Opened struct {
	Ticket  string
	Opening *tlog.Opening // nil once its nonce was destroyed
}

// Openings opens the leaves from one to before another, in order, for an
// auditor. Fillers open too: to nothing.
func (l *Log) Openings(ctx context.Context, from, to int64) (out []Opened, err error) {
	err = l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, `SELECT ticket, nonce, record FROM transparency_entry WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf`, from, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x Opened
			var nonce, record []byte
			if err := rows.Scan(&x.Ticket, &nonce, &record); err != nil {
				return err
			}
			if len(nonce) == len(tlog.Hash{}) {
				x.Opening = &tlog.Opening{Nonce: tlog.Hash(nonce), Record: record}
			}
			out = append(out, x)
		}
		return rows.Err()
	})
	return out, err
}
