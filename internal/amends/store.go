package amends

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

func query(ctx context.Context, tx *store.Tx, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// newest is when the newest act that was taken up was taken.
func (s *Service) newest(ctx context.Context) (at time.Time, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var n int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(taken), 0) FROM amends_act`).Scan(&n)
		at = time.UnixMicro(n)
		return err
	})
	return at, err
}

func insertAct(ctx context.Context, tx *store.Tx, a Act, kind string) error {
	body, err := signed.Marshal(a.Object)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO amends_act (digest, kind, body, taken) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		a.Digest[:], kind, string(body), a.Taken.UnixMicro())
	return err
}

func insertDelivery(ctx context.Context, tx *store.Tx, digest opening.Hash, recipient, at string, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO amends_delivery (digest, recipient, opening, due, done, receipt, note) VALUES ($1, $2, $3, $4, 0, '', '') ON CONFLICT DO NOTHING`,
		digest[:], recipient, at, due.UnixMicro())
	return err
}

// deliverTo makes every act due at these holders and at no others. What a holder
// of before has acknowledged stays as a record.
func deliverTo(ctx context.Context, tx *store.Tx, holders []string, due time.Time) error {
	marks, args := make([]string, len(holders)), make([]any, len(holders))
	for i, id := range holders {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
		if _, err := tx.ExecContext(ctx, `INSERT INTO amends_delivery (digest, recipient, opening, due, done, receipt, note)
			SELECT digest, $1, '', $2, 0, '', '' FROM amends_act WHERE true ON CONFLICT DO NOTHING`, id, due.UnixMicro()); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM amends_delivery WHERE opening = '' AND done = 0 AND recipient NOT IN (`+strings.Join(marks, ", ")+`)`, args...)
	return err
}

// settle closes a delivery, once.
func settle(ctx context.Context, tx *store.Tx, digest opening.Hash, recipient, at string, now time.Time, receipt signed.Object, note string) error {
	text := ""
	if receipt.Key != "" {
		raw, err := signed.Marshal(receipt)
		if err != nil {
			return err
		}
		text = string(raw)
	}
	_, err := tx.ExecContext(ctx, `UPDATE amends_delivery SET done = $1, receipt = $2, note = $3 WHERE digest = $4 AND recipient = $5 AND opening = $6 AND done = 0`,
		now.UnixMicro(), text, note, digest[:], recipient, at)
	return err
}

func isWaiting(ctx context.Context, tx *store.Tx, digest opening.Hash, recipient, at string) (bool, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM amends_delivery WHERE digest = $1 AND recipient = $2 AND opening = $3 AND done = 0`,
		digest[:], recipient, at).Scan(&n)
	return n > 0, err
}

// pending is a denial that one key holder has not acknowledged.
type pending struct {
	digest    opening.Hash
	recipient string
	object    signed.Object
}

func waiting(ctx context.Context, tx *store.Tx, limit int) (out []pending, err error) {
	err = query(ctx, tx, func(rows *sql.Rows) error {
		var p pending
		var digest []byte
		var body string
		if err := rows.Scan(&digest, &p.recipient, &body); err != nil {
			return err
		}
		p.digest = opening.Hash(digest)
		if err := json.Unmarshal([]byte(body), &p.object); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	}, `SELECT d.digest, d.recipient, a.body FROM amends_delivery d JOIN amends_act a ON a.digest = d.digest
		WHERE d.done = 0 AND d.opening = '' ORDER BY a.taken, d.digest, d.recipient LIMIT $1`, int64(limit))
	return out, err
}

// forReader lists the corrections of what a recipient may have read, oldest
// first, each with the openings in which it could.
func forReader(ctx context.Context, tx *store.Tx, recipient string) ([]client.CorrectedItem, error) {
	out := []client.CorrectedItem{}
	var last []byte
	err := query(ctx, tx, func(rows *sql.Rows) error {
		var digest []byte
		var body, at string
		var due, done int64
		if err := rows.Scan(&digest, &body, &at, &due, &done); err != nil {
			return err
		}
		if string(digest) != string(last) {
			last = digest
			item := client.CorrectedItem{Openings: []string{}, Due: due}
			if err := json.Unmarshal([]byte(body), &item.Denial); err != nil {
				return err
			}
			out = append(out, item)
		}
		x := &out[len(out)-1]
		x.Openings = append(x.Openings, at)
		x.Waiting = x.Waiting || done == 0
		return nil
	}, `SELECT d.digest, a.body, d.opening, d.due, d.done FROM amends_delivery d JOIN amends_act a ON a.digest = d.digest
		WHERE d.recipient = $1 AND d.opening <> '' ORDER BY a.taken, d.digest, d.opening`, recipient)
	return out, err
}

// A Delivery is how far one denial has come.
type Delivery struct {
	Digest        opening.Hash
	Kind          string
	Denial        opening.Denial
	Taken         time.Time
	Holders, Kept int       // key holders to reach, and those that keep it
	Readers, Read int       // openings in which somebody may have read it, and receipts for them
	Late          int       // recipients that had not answered by Due
	Due           time.Time // for the last receipt
	Refused       int       // key holders that refused it
}

// A place in the list of acts: those before it come next.
type place struct {
	at     int64
	digest opening.Hash
}

// newest is before the first act.
var newest = place{at: math.MaxInt64}

// deliveries lists denials before a place, newest first.
func deliveries(ctx context.Context, tx *store.Tx, before place, now int64, limit int) (out []Delivery, err error) {
	err = query(ctx, tx, func(rows *sql.Rows) error {
		var d Delivery
		var body string
		var taken, due int64
		if err := rows.Scan(&d.Kind, &body, &taken, &d.Holders, &d.Kept, &d.Refused, &d.Readers, &d.Read, &d.Late, &due); err != nil {
			return err
		}
		var o signed.Object
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			return err
		}
		if err := signed.Unmarshal(o.Body, &d.Denial); err != nil {
			return err
		}
		d.Digest = opening.Digest(o.Body)
		d.Taken, d.Due = time.UnixMicro(taken), time.UnixMicro(due)
		out = append(out, d)
		return nil
	}, `SELECT a.kind, a.body, a.taken,
		COUNT(*) FILTER (WHERE d.opening = ''), COUNT(*) FILTER (WHERE d.opening = '' AND d.done > 0 AND d.note = ''),
		COUNT(*) FILTER (WHERE d.note <> ''),
		COUNT(*) FILTER (WHERE d.opening <> ''), COUNT(*) FILTER (WHERE d.opening <> '' AND d.done > 0),
		COUNT(*) FILTER (WHERE d.done > d.due OR (d.done = 0 AND d.due < $1)), MAX(d.due)
		FROM amends_act a JOIN amends_delivery d ON d.digest = a.digest WHERE (a.taken, a.digest) < ($2, $3)
		GROUP BY a.digest, a.kind, a.body, a.taken ORDER BY a.taken DESC, a.digest DESC LIMIT $4`, now, before.at, before.digest[:], int64(limit))
	return out, err
}
