package hub

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

// A statement is one that ran during an act of a contributor.
type statement struct {
	text string
	args []any
}

var (
	tableName = regexp.MustCompile(`\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z_]+)`)
	ownRows   = regexp.MustCompile(`\b(?:org|author) = \$(\d+)`)
	byLabels  = regexp.MustCompile(`(?s)\b(?:label|id) IN \((.*)\)`)
	parameter = regexp.MustCompile(`\$(\d+)`)
)

// An act of a contributor reaches its own organisation's rows, by index, and
// the log's; never what the linking job keeps of several organisations.
func TestAnActTouchesNoRowOfAnother(t *testing.T) {
	addresses := []string{"shared@example.org", "own@example.org"}
	s := newSide(t, true, addresses)
	shared := addresses[0]
	theirs := s.sealed("hotline-a", "report", "unknown", shared)
	_, r, err := s.world.member("hotline-a").Contribute(context.Background(), s.batch("hotline-a", theirs))
	must(t, err)
	s.tick(time.Minute)

	mine := s.sealed("bank-a", "payment-pattern", "unknown", addresses...)
	more := s.sealed("bank-a", "payment-pattern", "unknown", shared)
	first := s.batch("bank-a", mine)
	own := map[seal.Label]bool{labelOf(t, mine): true, labelOf(t, more): true}
	acts := []struct {
		name, path string
		body       any
		status     int
	}{
		{"a batch handed in", client.PathQueries, client.QueryRequest{Batch: opening.Hash{1}}, http.StatusOK},
		{"the same batch handed in", client.PathQueries, client.QueryRequest{Batch: opening.Hash{1}}, http.StatusOK},
		{"contribute", client.PathContribute, first, http.StatusOK},
		{"the same batch", client.PathContribute, first, http.StatusOK},
		{"a duplicate", client.PathContribute, s.batch("bank-a", mine, more), http.StatusOK},
		{"another's observation", client.PathContribute, s.batch("bank-a", theirs), http.StatusUnprocessableEntity},
		{"another's receipt", client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, http.StatusNotFound},
		{"freeze", client.PathCorrect, s.correction("bank-a", opening.DenyFreeze, labelOf(t, mine)), http.StatusOK},
		{"freeze another's", client.PathCorrect, s.correction("bank-a", opening.DenyFreeze, labelOf(t, theirs)), http.StatusOK},
		{"uphold", client.PathCorrect, s.correction("bank-a", opening.DenyUphold, labelOf(t, mine)), http.StatusOK},
		{"uphold another's", client.PathCorrect, s.correction("bank-a", opening.DenyUphold, labelOf(t, theirs)), http.StatusConflict},
		{"revoke", client.PathCorrect, s.correction("bank-a", opening.DenyRevoke, labelOf(t, more)), http.StatusOK},
		{"withdraw", client.PathWithdraw, s.denial("bank-a", labelOf(t, mine)), http.StatusOK},
		{"withdraw another's", client.PathWithdraw, s.denial("bank-a", labelOf(t, theirs)), http.StatusOK},
		{"withdrawn before", client.PathContribute, s.batch("bank-a", mine), http.StatusOK},
		{"withdrawn in a new batch", client.PathContribute, s.batch("bank-a", more, mine), http.StatusUnprocessableEntity},
		{"list leads", client.PathLeads, struct{}{}, http.StatusForbidden},
		{"list openings", client.PathList, struct{}{}, http.StatusForbidden},
		{"what waits", client.PathWaiting, struct{}{}, http.StatusForbidden},
	}
	for _, act := range acts {
		var seen []statement
		ctx := store.Watch(t.Context(), func(text string, args []any) { seen = append(seen, statement{text, args}) })
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, act.path, bytes.NewReader(s.message(act.path, act.body)))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.hub.Handler().ServeHTTP(w, req)
		if w.Code != act.status || len(seen) == 0 {
			t.Fatalf("%s: %d after %d statements: %s", act.name, w.Code, len(seen), w.Body)
		}
		for _, x := range seen {
			if why := x.strays("bank-a", own); why != "" {
				t.Errorf("%s: %s\n%s", act.name, why, x.text)
			}
			if why := s.scans(x); why != "" {
				t.Errorf("%s: %s\n%s", act.name, why, x.text)
			}
		}
	}
}

// strays says how a statement leaves the organisation's own rows, or "".
func (x statement) strays(org string, own map[seal.Label]bool) string {
	for _, m := range tableName.FindAllStringSubmatch(x.text, -1) {
		switch table := m[1]; {
		case strings.HasPrefix(table, "transparency_"), table == "hub_nonce":
			continue // the log's rows, the same for all; nonces by sender
		case table == "pool_batch", table == "pool_batch_leaf", table == "pool_observation", table == "pool_withdrawn", table == "pool_denial", table == "pool_query", table == "pool_freeze", table == "pool_deletion", table == "recordkeys_key":
		case table == "pool_obs_tag", table == "pool_touched":
			if strings.HasPrefix(x.text, "SELECT") {
				return "reads " + table
			}
		default:
			return "names " + table
		}
		if why := x.bounded(org, own); why != "" {
			return why
		}
	}
	return ""
}

// bounded: rows are picked by the organisation or by its own labels; what is
// inserted is the organisation's.
func (x statement) bounded(org string, own map[seal.Label]bool) string {
	where := false
	for _, m := range ownRows.FindAllStringSubmatch(x.text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 || n > len(x.args) || x.args[n-1] != org {
			return "another organisation's rows"
		}
		where = true
	}
	if m := byLabels.FindStringSubmatch(x.text); m != nil && !where {
		for _, p := range parameter.FindAllStringSubmatch(m[1], -1) {
			n, err := strconv.Atoi(p[1])
			if err != nil || n > len(x.args) || !isOwn(x.args[n-1], own) {
				return "another organisation's label"
			}
		}
		where = true
	}
	if where {
		return ""
	}
	if !strings.HasPrefix(x.text, "INSERT INTO") || !strings.Contains(x.text, "VALUES") {
		return "rows that are not picked by organisation"
	}
	for _, a := range x.args {
		if a == org || isOwn(a, own) {
			return ""
		}
	}
	return "inserts a row that is not the organisation's"
}

func isOwn(a any, own map[seal.Label]bool) bool {
	raw, ok := a.([]byte)
	return ok && len(raw) == len(seal.Label{}) && own[seal.Label(raw)]
}

// scans says whether SQLite would read a whole table of the pool: the time of
// that tells how much the others have contributed.
func (s *side) scans(x statement) (why string) {
	s.t.Helper()
	if strings.HasPrefix(x.text, "INSERT") && strings.Contains(x.text, "VALUES") {
		return ""
	}
	if strings.Contains(x.text, "recordkeys_key WHERE id IN (") {
		return "" // in another database, by its primary key
	}
	must(s.t, s.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, "EXPLAIN QUERY PLAN "+x.text, x.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int64
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			if strings.HasPrefix(detail, "SCAN pool_") || strings.HasPrefix(detail, "SCAN hub_") {
				why = detail
			}
		}
		return rows.Err()
	}))
	return why
}

func TestStrayingStatementsAreFound(t *testing.T) {
	mine, theirs := seal.Label{1}, seal.Label{2}
	own := map[seal.Label]bool{mine: true}
	for i, c := range []struct {
		text string
		args []any
		ok   bool
	}{
		{`SELECT receipt FROM pool_batch WHERE org = $1 AND root = $2`, []any{"a", []byte{1}}, true},
		{`SELECT receipt FROM pool_batch WHERE org = $1 AND root = $2`, []any{"b", []byte{1}}, false},
		{`SELECT COUNT(*) FROM pool_observation WHERE label = $1`, []any{mine[:]}, false},
		{`SELECT label FROM pool_obs_tag WHERE tag = $1`, []any{[]byte{1}}, false},
		{`SELECT tag FROM pool_token_sum`, nil, false},
		{`UPDATE pool_observation SET state = $1 WHERE label IN ($2)`, []any{"withdrawn", mine[:]}, true},
		{`UPDATE pool_observation SET state = $1 WHERE label IN ($2,$3)`, []any{"withdrawn", mine[:], theirs[:]}, false},
		{`INSERT INTO pool_obs_tag (tag, label, org) VALUES ($1,$2,$3)`, []any{[]byte{9}, mine[:], "a"}, true},
		{`INSERT INTO pool_touched (tag, label) VALUES ($1,$2)`, []any{[]byte{9}, theirs[:]}, false},
		{`INSERT INTO transparency_entry (ticket) VALUES ($1)`, []any{"x"}, true},
		{`SELECT id FROM leads_lead`, nil, false},
	} {
		if why := (statement{c.text, c.args}).strays("a", own); (why == "") != c.ok {
			t.Errorf("%d: %s", i, fmt.Sprint(c.text, ": ", why))
		}
	}
}
