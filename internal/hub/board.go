package hub

import (
	"cmp"
	"context"
	"database/sql"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
)

// openAttempt is the attempt that takes messages: the one after the last that
// was ended.
func openAttempt(ctx context.Context, tx *store.Tx) (int, error) {
	var last int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(attempt), 0) FROM hub_abort`).Scan(&last)
	return int(last) + 1, err
}

// finished reports that a transcript is stored.
func (s *state) finished() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.transcript != nil
}

// ceremony says where the board is.
func (s *state) ceremony(ctx context.Context) (client.CeremonyState, error) {
	st := client.CeremonyState{Done: s.finished()}
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		st.Attempt, err = openAttempt(ctx, tx)
		return err
	})
	return st, err
}

// errEnded: a holder ended this attempt, or it has not begun.
func errEnded(attempt, open int) error {
	return fault.Newf(fault.Conflict, "Attempt %d is not open; attempt %d is. Start the ceremony again under the same plan.", attempt, open)
}

func requireOpen(ctx context.Context, tx *store.Tx, attempt int) error {
	open, err := openAttempt(ctx, tx)
	if err == nil && open != attempt {
		err = errEnded(attempt, open)
	}
	return err
}

// post puts a ceremony message up once.
func (s *state) post(ctx context.Context, attempt, round, place int, message []byte) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := requireOpen(ctx, tx, attempt); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO hub_board (attempt, round, place, message) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			int64(attempt), int64(round), int64(place), message); err != nil {
			return err
		}
		var had []byte
		if err := tx.QueryRowContext(ctx, `SELECT message FROM hub_board WHERE attempt = $1 AND round = $2 AND place = $3`,
			int64(attempt), int64(round), int64(place)).Scan(&had); err != nil {
			return err
		}
		if string(had) != string(message) {
			return fault.New(fault.Conflict, "Another message of this holder is on the board for this round.")
		}
		return nil
	})
}

// round reads a round of the open attempt; a holder that has not posted yet is
// empty.
func (s *state) round(ctx context.Context, attempt, round int) ([][]byte, error) {
	out := make([][]byte, s.plan.N)
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := requireOpen(ctx, tx, attempt); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT place, message FROM hub_board WHERE attempt = $1 AND round = $2`, int64(attempt), int64(round))
		return fill(rows, err, out)
	})
	return out, err
}

// fill scans places and messages into their places.
func fill(rows *sql.Rows, err error, out [][]byte) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var place int
		var message []byte
		if err := rows.Scan(&place, &message); err != nil {
			return err
		}
		out[place-1] = message
	}
	return rows.Err()
}

// abort keeps a holder's statement about the open attempt, or one that ended
// before, once; note runs in the same transaction when it is new.
func (s *state) abort(ctx context.Context, attempt, place int, statement []byte, note func(context.Context, *store.Tx) error) error {
	s.mu.Lock() // against a transcript that comes in meanwhile
	defer s.mu.Unlock()
	if s.transcript != nil {
		return fault.New(fault.Conflict, "The ceremony is finished; it cannot be aborted any more.")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if open, err := openAttempt(ctx, tx); err != nil || attempt > open {
			return cmp.Or(err, errEnded(attempt, open))
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO hub_abort (attempt, place, statement) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			int64(attempt), int64(place), statement)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // the first statement of this holder stands
		}
		return note(ctx, tx)
	})
}

// aborts reads the statements about an attempt.
func (s *state) aborts(ctx context.Context, attempt int) ([][]byte, error) {
	places := make([][]byte, s.plan.N)
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT place, statement FROM hub_abort WHERE attempt = $1`, int64(attempt))
		return fill(rows, err, places)
	})
	out := [][]byte{}
	for _, p := range places {
		if len(p) > 0 {
			out = append(out, p)
		}
	}
	return out, err
}
