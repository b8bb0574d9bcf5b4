package pool

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/signed"
)

// rowsPerStatement is how many rows one INSERT carries; batches are sorted by
// tag first, so that neighbouring rows share pages.
const rowsPerStatement = 50

type batchRow struct {
	org      string
	root     opening.Hash
	sig      []byte
	ticket   string
	receipt  signed.Object
	received time.Time
}

func readReceipt(ctx context.Context, tx *store.Tx, org string, root opening.Hash) (signed.Object, bool, error) {
	row := tx.QueryRowContext(ctx, `SELECT receipt FROM pool_batch WHERE org = $1 AND root = $2`, org, root[:])
	return scanObject(row)
}

func readDenialReceipt(ctx context.Context, tx *store.Tx, org string, digest opening.Hash) (signed.Object, bool, error) {
	row := tx.QueryRowContext(ctx, `SELECT receipt FROM pool_denial WHERE digest = $1 AND org = $2`, digest[:], org)
	return scanObject(row)
}

func scanObject(row interface{ Scan(...any) error }) (o signed.Object, ok bool, err error) {
	var text string
	switch err := row.Scan(&text); {
	case errors.Is(err, sql.ErrNoRows):
		return o, false, nil
	case err != nil:
		return o, false, err
	}
	return o, true, json.Unmarshal([]byte(text), &o)
}

func readOwnTicket(ctx context.Context, tx *store.Tx, org, ticket string) (bool, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM pool_batch WHERE org = $1 AND ticket = $2)
		+ (SELECT COUNT(*) FROM pool_denial WHERE org = $1 AND ticket = $2)
		+ (SELECT COUNT(*) FROM pool_query WHERE org = $1 AND ticket = $2)`, org, ticket).Scan(&n)
	return n > 0, err
}

// insertRows writes rows of one width with few statements; rows that are there
// already stay as they are.
func insertRows(ctx context.Context, tx *store.Tx, into string, rows [][]any) error {
	for len(rows) > 0 {
		n := min(rowsPerStatement, len(rows))
		var b strings.Builder
		b.WriteString("INSERT INTO " + into + " VALUES ")
		args := make([]any, 0, n*len(rows[0]))
		for i, r := range rows[:n] {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + marks(len(args)+1, len(r)) + ")")
			args = append(args, r...)
		}
		b.WriteString(" ON CONFLICT DO NOTHING")
		if _, err := tx.ExecContext(ctx, b.String(), args...); err != nil {
			return fmt.Errorf("insert into %s: %w", strings.Fields(into)[0], err)
		}
		rows = rows[n:]
	}
	return nil
}

// marks gives "$from,...": n placeholders.
func marks(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

func sortRows(rows [][]any) {
	sort.SliceStable(rows, func(i, j int) bool { return bytes.Compare(rows[i][0].([]byte), rows[j][0].([]byte)) < 0 })
}

func insertBatch(ctx context.Context, tx *store.Tx, b batchRow, entries []entry, keys map[string][]byte) error {
	receipt, err := signed.Marshal(b.receipt)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO pool_batch (org, root, sig, ticket, receipt, received, logged) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		b.org, b.root[:], b.sig, b.ticket, string(receipt), b.received.UnixMicro()); err != nil {
		return err
	}
	fresh, err := newEntries(ctx, tx, b.org, entries)
	if err != nil {
		return err
	}
	var places, observations, tags, touched [][]any
	for i, e := range entries {
		leaf := e.leaf()
		places = append(places, []any{b.org, b.root[:], int64(i), leaf[:]})
		if !fresh[e.label] {
			continue // contributed before by the same organisation: the first stands
		}
		body, err := signed.Marshal(e.contributed.Observation)
		if err != nil {
			return err
		}
		x, err := sealParts(keys[string(e.label[:])], parts{body: body, box: e.contributed.Box, statistics: e.contributed.Statistics})
		if err != nil {
			return err
		}
		observations = append(observations, []any{e.label[:], b.org, b.root[:], int64(i), "", x.body, x.box, x.statistics, "live", e.expires})
		for _, t := range e.header.Tags {
			tag := t.Tag()
			tags = append(tags, []any{tag[:], e.label[:], b.org, t.Class.Person(), weight(e.header), e.header.Week, t.Expires})
			touched = append(touched, []any{tag[:], e.label[:]})
		}
	}
	sortRows(observations)
	sortRows(tags)
	sortRows(touched)
	return errors.Join(
		insertRows(ctx, tx, "pool_batch_leaf (org, root, place, leaf)", places),
		insertRows(ctx, tx, "pool_observation (label, org, root, place, body, sealed, box, statistics, state, expires)", observations),
		insertRows(ctx, tx, "pool_obs_tag (tag, label, org, person, weight, week, expires)", tags),
		insertRows(ctx, tx, "pool_touched (tag, label)", touched))
}

// weight is the observation's weight before its entity's admission is looked
// at, which is the opening rule's business.
func weight(h opening.Header) int64 {
	if h.Unreliable() || h.Role == opening.RolePossibleVictim {
		return 0
	}
	return int64(h.Strength)
}

// newEntries tells which labels this organisation has not contributed before.
// A label names its organisation, so no other organisation's row is met.
func newEntries(ctx context.Context, tx *store.Tx, org string, entries []entry) (map[seal.Label]bool, error) {
	fresh := make(map[seal.Label]bool, len(entries))
	labels := make([][]byte, len(entries))
	for i, e := range entries {
		fresh[e.label] = true
		labels[i] = e.label[:]
	}
	err := queryIn(ctx, tx, `SELECT label FROM pool_observation WHERE org = $1 AND label IN (`, []any{org}, labels, ``, func(rows *sql.Rows) error {
		var l []byte
		if err := rows.Scan(&l); err != nil {
			return err
		}
		delete(fresh, seal.Label(l))
		return nil
	})
	return fresh, err
}

func refuseWithdrawn(ctx context.Context, tx *store.Tx, org string, entries []entry) error {
	line := make(map[seal.Label]int, len(entries))
	labels := make([][]byte, len(entries))
	for i, e := range entries {
		line[e.label], labels[i] = i+1, e.label[:]
	}
	var bad []client.LineProblem
	err := queryIn(ctx, tx, `SELECT label FROM pool_withdrawn WHERE org = $1 AND label IN (`, []any{org}, labels, ``, func(rows *sql.Rows) error {
		var l []byte
		if err := rows.Scan(&l); err != nil {
			return err
		}
		bad = append(bad, client.LineProblem{Line: line[seal.Label(l)], Detail: "your organisation withdrew it; seal it anew to contribute it again"})
		return nil
	})
	if err != nil || len(bad) == 0 {
		return err
	}
	sort.Slice(bad, func(i, j int) bool { return bad[i].Line < bad[j].Line })
	return fault.Wrap(fault.Invalid, "Nothing of the batch was stored; the lines say why.", &BatchError{Lines: bad})
}

// queryIn runs a query over a long list of keys, some hundreds at a time.
func queryIn(ctx context.Context, tx *store.Tx, head string, args []any, keys [][]byte, tail string, scan func(*sql.Rows) error) error {
	for len(keys) > 0 {
		n := min(500, len(keys))
		all := append([]any{}, args...)
		for _, k := range keys[:n] {
			all = append(all, k)
		}
		if err := query(ctx, tx, head+marks(len(args)+1, n)+")"+tail, all, scan); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

func query(ctx context.Context, tx *store.Tx, text string, args []any, scan func(*sql.Rows) error) error {
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

// execIn runs a statement over a long list of keys.
func execIn(ctx context.Context, tx *store.Tx, head string, args []any, keys [][]byte, tail string) error {
	for len(keys) > 0 {
		n := min(500, len(keys))
		all := append([]any{}, args...)
		for _, k := range keys[:n] {
			all = append(all, k)
		}
		if _, err := tx.ExecContext(ctx, head+marks(len(args)+1, n)+")"+tail, all...); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// insertDenial keeps a denial as it was signed.
func insertDenial(ctx context.Context, tx *store.Tx, org, ticket string, digest opening.Hash, o, receipt signed.Object, now time.Time) error {
	body, err := signed.Marshal(o)
	if err != nil {
		return err
	}
	text, err := signed.Marshal(receipt)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO pool_denial (digest, org, ticket, body, receipt, received) VALUES ($1, $2, $3, $4, $5, $6)`,
		digest[:], org, ticket, string(body), string(text), now.UnixMicro())
	return err
}

// withdraw ends those of the labels that are live and the organisation's own,
// and keeps that it withdrew them, seen here or not.
func withdraw(ctx context.Context, tx *store.Tx, org string, labels []seal.Label, now time.Time) error {
	var rows [][]any
	for _, l := range labels {
		rows = append(rows, []any{org, l[:]})
	}
	if err := insertRows(ctx, tx, "pool_withdrawn (org, label)", rows); err != nil {
		return err
	}
	own, err := liveOf(ctx, tx, org, labels)
	if err != nil {
		return err
	}
	return end(ctx, tx, own, "withdrawn", now)
}

// end takes observations out: what they say is emptied, their tags are handed to
// the linking job and go, and they are put down to be forgotten.
func end(ctx context.Context, tx *store.Tx, labels [][]byte, state string, now time.Time) error {
	return errors.Join(
		execIn(ctx, tx, `UPDATE pool_observation SET state = $1, body = '', sealed = $2, box = $2, statistics = $2 WHERE label IN (`, []any{state, []byte{}}, labels, ``),
		execIn(ctx, tx, `INSERT INTO pool_touched (tag, label) SELECT tag, label FROM pool_obs_tag WHERE label IN (`, nil, labels, ` ON CONFLICT DO NOTHING`),
		execIn(ctx, tx, `DELETE FROM pool_obs_tag WHERE label IN (`, nil, labels, ``),
		execIn(ctx, tx, `DELETE FROM pool_freeze WHERE label IN (`, nil, labels, ``),
		execIn(ctx, tx, `INSERT INTO pool_deletion (label, ended, done, opened) SELECT label, CAST($1 AS BIGINT), 0, TRUE FROM pool_observation WHERE label IN (`, []any{now.UnixMicro()}, labels, ` ON CONFLICT DO NOTHING`))
}

func expire(ctx context.Context, tx *store.Tx, now int64) error {
	var over [][]byte
	err := query(ctx, tx, `SELECT label FROM pool_observation WHERE state = 'live' AND expires <= $1`, []any{now}, func(rows *sql.Rows) error {
		var l []byte
		if err := rows.Scan(&l); err != nil {
			return err
		}
		over = append(over, l)
		return nil
	})
	if err != nil {
		return err
	}
	if err := end(ctx, tx, over, "expired", time.UnixMicro(now)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO pool_touched (tag, label) SELECT tag, label FROM pool_obs_tag WHERE expires <= $1 ON CONFLICT DO NOTHING`, now); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM pool_obs_tag WHERE expires <= $1`, now)
	return err
}

func unlogged(ctx context.Context, tx *store.Tx) (tickets []string, err error) {
	err = query(ctx, tx, `SELECT ticket FROM pool_batch WHERE logged = 0 ORDER BY received, ticket LIMIT 10000`, nil, func(rows *sql.Rows) error {
		var t string
		if err := rows.Scan(&t); err != nil {
			return err
		}
		tickets = append(tickets, t)
		return nil
	})
	return tickets, err
}

// A touch says that a tag gained or lost a label.
type touch struct{ tag, label []byte }

// touchedTags gives the next tags for the linking job, in order, and all
// touches of them.
func touchedTags(ctx context.Context, tx *store.Tx, limit int) (tags [][]byte, touches []touch, err error) {
	if err := query(ctx, tx, `SELECT DISTINCT tag FROM pool_touched ORDER BY tag LIMIT $1`, []any{int64(limit)}, collect(&tags)); err != nil {
		return nil, nil, err
	}
	err = queryIn(ctx, tx, `SELECT tag, label FROM pool_touched WHERE tag IN (`, nil, tags, ``, func(rows *sql.Rows) error {
		var x touch
		if err := rows.Scan(&x.tag, &x.label); err != nil {
			return err
		}
		touches = append(touches, x)
		return nil
	})
	return tags, touches, err
}

// forgetTouches deletes exactly what was worked through: a batch that came in
// meanwhile keeps its own touches for the next run.
func forgetTouches(ctx context.Context, tx *store.Tx, touches []touch) error {
	for len(touches) > 0 {
		n := min(100, len(touches))
		var b strings.Builder
		args := make([]any, 0, 2*n)
		for i, x := range touches[:n] {
			if i > 0 {
				b.WriteString(" OR ")
			}
			fmt.Fprintf(&b, "tag = $%d AND label = $%d", len(args)+1, len(args)+2)
			args = append(args, x.tag, x.label)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM pool_touched WHERE `+b.String(), args...); err != nil {
			return err
		}
		touches = touches[n:]
	}
	return nil
}

// collect scans one BYTEA column into a list.
func collect(into *[][]byte) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return err
		}
		*into = append(*into, b)
		return nil
	}
}

// summarise rebuilds the derived rows of these tags from the truth.
func summarise(ctx context.Context, tx *store.Tx, epoch string, tags [][]byte) error {
	return errors.Join(
		execIn(ctx, tx, `DELETE FROM pool_contrib WHERE tag IN (`, nil, tags, ``),
		execIn(ctx, tx, `DELETE FROM pool_token_sum WHERE tag IN (`, nil, tags, ``),
		execIn(ctx, tx, `INSERT INTO pool_contrib (tag, org, weight, observations, first_week, last_week, key_epoch)
			SELECT tag, org, MAX(weight), COUNT(*), MIN(week), MAX(week), CAST($1 AS TEXT) FROM pool_obs_tag WHERE tag IN (`, []any{epoch}, tags, ` GROUP BY tag, org`),
		execIn(ctx, tx, `INSERT INTO pool_token_sum (tag, orgs, observations, score)
			SELECT tag, COUNT(*), CAST(SUM(observations) AS BIGINT), CAST(SUM(weight) AS BIGINT) FROM pool_contrib WHERE tag IN (`, nil, tags, ` GROUP BY tag`))
}

// region gives the live observations that a change of these tags can concern:
// those with one of the tags, and everything in a cluster with them or with a
// label that just went.
func region(ctx context.Context, tx *store.Tx, tags, labels [][]byte) (map[seal.Label]bool, error) {
	near := append([][]byte{}, labels...)
	if err := queryIn(ctx, tx, `SELECT label FROM pool_obs_tag WHERE person AND tag IN (`, nil, tags, ``, collect(&near)); err != nil {
		return nil, err
	}
	near = distinct(near)
	var clusters [][]byte
	if err := queryIn(ctx, tx, `SELECT cluster FROM pool_cluster WHERE label IN (`, nil, near, ``, collect(&clusters)); err != nil {
		return nil, err
	}
	if err := queryIn(ctx, tx, `SELECT label FROM pool_cluster WHERE cluster IN (`, nil, distinct(clusters), ``, collect(&near)); err != nil {
		return nil, err
	}
	out := make(map[seal.Label]bool, len(near))
	for _, l := range near {
		out[seal.Label(l)] = true
	}
	return out, nil
}

func distinct(in [][]byte) [][]byte {
	seen := make(map[string]bool, len(in))
	out := in[:0:0]
	for _, b := range in {
		if !seen[string(b)] {
			seen[string(b)] = true
			out = append(out, b)
		}
	}
	sort.Slice(out, func(i, j int) bool { return bytes.Compare(out[i], out[j]) < 0 })
	return out
}

// personTags reads the nodes of a region and how often each of their tags is
// in the whole pool.
func personTags(ctx context.Context, tx *store.Tx, labels [][]byte) ([]Node, map[oprf.Tag]int, error) {
	byLabel := make(map[seal.Label][]oprf.Tag)
	var tags [][]byte
	err := queryIn(ctx, tx, `SELECT label, tag FROM pool_obs_tag WHERE person AND label IN (`, nil, labels, ``, func(rows *sql.Rows) error {
		var l, t []byte
		if err := rows.Scan(&l, &t); err != nil {
			return err
		}
		byLabel[seal.Label(l)] = append(byLabel[seal.Label(l)], oprf.Tag(t))
		tags = append(tags, t)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	count := make(map[oprf.Tag]int)
	err = queryIn(ctx, tx, `SELECT tag, COUNT(*) FROM pool_obs_tag WHERE person AND tag IN (`, nil, distinct(tags), ` GROUP BY tag`, func(rows *sql.Rows) error {
		var t []byte
		var n int64
		if err := rows.Scan(&t, &n); err != nil {
			return err
		}
		count[oprf.Tag(t)] = int(n)
		return nil
	})
	nodes := make([]Node, 0, len(byLabel))
	for l, t := range byLabel {
		nodes = append(nodes, Node{l, t})
	}
	return nodes, count, err
}

// markLogged notes when a witnessed checkpoint first covered a batch.
func markLogged(ctx context.Context, tx *store.Tx, ticket string, at int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE pool_batch SET logged = $1 WHERE ticket = $2 AND logged = 0`, at, ticket)
	return err
}
