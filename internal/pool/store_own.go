package pool

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// Sent is one act of a member: a batch that it sent, a withdrawal or another
// correction. Every query here names the member; no row of another one is read.
type Sent struct {
	Withdrawal bool   // or another correction
	Kind       string // of the denial; empty for a batch
	Ticket     string
	Received   time.Time
	Logged     bool
	// Observations are those that the act names; the others say what the
	// batch's observations are by now.
	Observations, Live, Withdrawn, Expired int
	root                                   []byte
}

// sentBefore is the place in a member's list to go on from: acts before it in
// time, and by ticket among those of one moment.
type sentBefore struct {
	at     int64
	ticket string
}

// own lists what the scope's organisation sent before a place, newest first.
func (s *Service) own(ctx context.Context, of scope.Scope, before sentBefore, limit int) ([]Sent, error) {
	var out []Sent
	org := of.Organisation()
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if out, err = readSent(ctx, tx, org, before, limit); err != nil {
			return err
		}
		return readStates(ctx, tx, org, out)
	})
	if err != nil {
		return nil, err
	}
	for i, x := range out {
		if x.Withdrawal { // its table keeps no note of the log
			if out[i].Logged, err = s.log.Logged(ctx, x.Ticket); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func readSent(ctx context.Context, tx *store.Tx, org string, before sentBefore, limit int) (out []Sent, err error) {
	err = query(ctx, tx, `SELECT root, ticket, received, logged, '' FROM pool_batch WHERE org = $1 AND (received, ticket) < ($2, $3)
		UNION ALL SELECT digest, ticket, received, 0, body FROM pool_denial WHERE org = $1 AND (received, ticket) < ($2, $3)
		ORDER BY 3 DESC, 2 DESC LIMIT $4`, []any{org, before.at, before.ticket, int64(limit)}, func(rows *sql.Rows) error {
		var x Sent
		var received, logged int64
		var body string
		if err := rows.Scan(&x.root, &x.Ticket, &received, &logged, &body); err != nil {
			return err
		}
		x.Received, x.Logged = time.UnixMicro(received), logged > 0
		if body != "" {
			var o signed.Object
			var d opening.Denial
			if err := json.Unmarshal([]byte(body), &o); err != nil {
				return err
			}
			if err := signed.Unmarshal(o.Body, &d); err != nil {
				return err
			}
			x.Withdrawal, x.Kind, x.Observations = true, d.Kind, len(d.Labels)
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// readStates counts what the observations of these batches are by now.
func readStates(ctx context.Context, tx *store.Tx, org string, list []Sent) error {
	at := make(map[string]*Sent)
	var roots [][]byte
	for i := range list {
		if !list[i].Withdrawal {
			at[string(list[i].root)] = &list[i]
			roots = append(roots, list[i].root)
		}
	}
	err := queryIn(ctx, tx, `SELECT root, COUNT(*) FROM pool_batch_leaf WHERE org = $1 AND root IN (`, []any{org}, roots, ` GROUP BY root`, func(rows *sql.Rows) error {
		var root []byte
		var n int
		if err := rows.Scan(&root, &n); err != nil {
			return err
		}
		at[string(root)].Observations = n
		return nil
	})
	if err != nil {
		return err
	}
	return queryIn(ctx, tx, `SELECT root, state, COUNT(*) FROM pool_observation WHERE org = $1 AND root IN (`, []any{org}, roots, ` GROUP BY root, state`, func(rows *sql.Rows) error {
		var root []byte
		var state string
		var n int
		if err := rows.Scan(&root, &state, &n); err != nil {
			return err
		}
		switch x := at[string(root)]; state {
		case "live":
			x.Live = n
		case "withdrawn":
			x.Withdrawn = n
		default:
			x.Expired = n
		}
		return nil
	})
}
