package hub

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"parallax/client"
	outside "parallax/internal/auditor"
	"parallax/internal/store"
)

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}))
}

func (w *world) count(kind string) (n int) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM transparency_entry WHERE kind = $1`, kind).Scan(&n)
	}))
	return n
}

func (w *world) groups() (outside.Report, error) {
	c := w.caller("auditor")
	return w.verify(outside.Options{Auditor: &c})
}

// An auditor opens every entry of a hub with leads ready, asked for and
// released, re-runs the rule over what it read, and finds each lie.
func TestAnAuditorRepeatsTheGrouping(t *testing.T) {
	w := openedWorld(t)
	w.onlyLogged()
	r, err := w.groups()
	g := r.Grouping
	if err != nil || g.Opens < 6 || g.Observations != 11 || g.Missing != 0 || g.Unopened != 1 || g.Entries != r.Entries-1 || g.ByType["batch"] != 11 || g.ByType["withdrawal"] != 1 || g.ByType["request"] != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	pages := int((r.Entries+client.AuditPageEntries-1)/client.AuditPageEntries) + 1
	if n := w.count("audit-read"); n != pages {
		t.Errorf("%d reads of %d pages are in the log", n, pages)
	}
	for name, x := range map[string]struct {
		lie, undo string
		says      string
	}{
		"a ready lead is hidden": {`UPDATE leads_lead SET state = 'closed' WHERE state = 'ready'`, `UPDATE leads_lead SET state = 'ready' WHERE state = 'closed'`, "does not list 3"},
		"a lead without grounds": {`INSERT INTO leads_lead (id, state, labels, conditions, playbook, ready) SELECT 'x', 'ready', '["` + strings.Repeat("ab", 64) + `"]', '[]', '', 0`, `DELETE FROM leads_lead WHERE id = 'x'`, "holds 1 observations ready"},
	} {
		w.exec(x.lie)
		if _, err := w.groups(); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
		w.exec(x.undo)
	}
	w.exec(`UPDATE pool_observation SET body = '', sealed = body WHERE org = 'bank-b' AND state = 'live'`)
	if r, err := w.groups(); err != nil || r.Grouping.Missing != 1 || r.Grouping.Observations != 10 {
		t.Errorf("an observation that is not shown: %+v, %v", r.Grouping, err)
	}
	w.exec(`UPDATE pool_denial SET body = replace(body, '"sig":"', '"sig":"AAAA')`)
	if _, err := w.groups(); err == nil || !strings.Contains(err.Error(), "not signed by who may") {
		t.Errorf("a withdrawal that nobody signed: %v", err)
	}
	w.exec(`UPDATE pool_batch SET sig = receipt WHERE org = 'bank-b'`)
	if _, err := w.groups(); err == nil || !strings.Contains(err.Error(), "not signed by its organisation") {
		t.Errorf("a batch that its organisation has not signed: %v", err)
	}
	w.exec(`UPDATE transparency_entry SET record = nonce WHERE kind = 'batch'`)
	if _, err := w.groups(); err == nil || !strings.Contains(err.Error(), "not what the entry commits to") {
		t.Errorf("another record: %v", err)
	}
}

// noLog makes every entry of the log fail, as a full disk would.
const noLog = `CREATE TRIGGER no_log BEFORE INSERT ON transparency_entry BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`

// onlyLogged: only an auditor reads it, and nothing leaves when the log cannot
// be written.
func (w *world) onlyLogged() {
	t := w.t
	t.Helper()
	size, _, err := w.hub.tlog.Latest(context.Background())
	must(t, err)
	ask := func(who string, req client.AuditRequest) (page client.AuditPage, err error) {
		return page, w.call(who, client.PathAudit, req, &page)
	}
	for _, who := range []string{"bank-a", "officer", "overseer", "stranger"} {
		if _, err := ask(who, client.AuditRequest{Size: size}); status(err) != http.StatusForbidden {
			t.Errorf("%s: %v", who, err)
		}
	}
	for _, req := range []client.AuditRequest{{}, {Size: size + 1}, {Size: size, From: -1}, {Size: size, From: size + 1}} {
		if _, err := ask("auditor", req); status(err) != http.StatusBadRequest {
			t.Errorf("%+v: %v", req, err)
		}
	}
	if w.count("audit-read") != 0 {
		t.Error("what was refused is in the log as read")
	}
	w.exec(noLog)
	for _, from := range []int64{0, size} {
		if page, err := ask("auditor", client.AuditRequest{Size: size, From: from}); status(err) != http.StatusServiceUnavailable || len(page.Entries)+len(page.Leads) > 0 {
			t.Errorf("from %d, with a log that cannot be written: %v", from, err)
		}
	}
	w.exec(`DROP TRIGGER no_log`)
}
