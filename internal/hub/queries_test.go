package hub

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	outside "parallax/internal/auditor"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// queries makes a batch of n addresses, each with its case unless cases is false,
// and has the holders answer it.
func (w *world) queries(org string, n int, seed byte, cases bool) *client.Batch {
	w.t.Helper()
	b := w.unasked(org, n, seed, cases)
	_, err := w.member(org).Tokenise(context.Background(), b)
	must(w.t, err)
	return b
}

// unasked is such a batch before anybody hears of it.
func (w *world) unasked(org string, n int, seed byte, cases bool) *client.Batch {
	w.t.Helper()
	b := &client.Batch{Class: selector.Email, Seed: [32]byte{seed}, Time: w.clock.Now().UnixMicro(), Basis: "basis-1"}
	for i := range n {
		s := selector.Selector{Class: selector.Email, Form: "exact", Value: fmt.Sprintf("a%d@mail-one.net", i), Rule: 1}
		b.Inputs = append(b.Inputs, s.Input())
		if cases {
			b.Cases = append(b.Cases, client.QueryCase{Reference: fmt.Sprint("C-", i), Date: "2026-11-01", Kind: "report"})
		}
	}
	must(w.t, w.member(org).Prepare(b))
	return b
}

// drawn asks the holders, as the member, which rows of its batches are drawn.
func (w *world) drawn(org string) (rows map[opening.Hash][]int, asked map[opening.Hash]client.AskedBatch) {
	w.t.Helper()
	rows, asked = map[opening.Hash][]int{}, map[opening.Hash]client.AskedBatch{}
	for _, h := range w.man.Holders {
		list, err := client.AskedBy(context.Background(), w.caller(org), h, org, "2026-11-01")
		must(w.t, err)
		for _, b := range list {
			asked[b.Batch] = b
			if b.Draw == nil {
				continue
			}
			more, err := b.Draw.Sample(w.man, h, b)
			must(w.t, err)
			rows[b.Batch] = append(rows[b.Batch], more...)
		}
	}
	for _, list := range rows {
		slices.Sort(list)
	}
	return rows, asked
}

// answers opens what was drawn of a member's batches, as an honest desk does.
func (w *world) answers(org string, batches ...*client.Batch) client.QueryAnswer {
	w.t.Helper()
	a := client.QueryAnswer{Pool: "pool", Epoch: "2026-11", Organisation: org, Auditor: "query-auditor", Since: "2026-11-01", Batches: []client.OpenedBatch{}}
	rows, asked := w.drawn(org)
	for _, b := range batches {
		var p client.QueryPromise
		must(w.t, asked[b.Digest()].Promise.Open(client.QueryPromiseDomain, w.man.Hub.Key, &p))
		o, err := b.OpenRows(slices.Compact(rows[b.Digest()]), w.opensEntry(org, p.Ticket))
		must(w.t, err)
		a.Batches = append(a.Batches, o)
	}
	return a
}

func (w *world) opensEntry(org, ticket string) tlog.Opening {
	w.t.Helper()
	var proof client.ReceiptProof
	must(w.t, w.call(org, client.PathReceipts, client.ReceiptRequest{Ticket: ticket}, &proof))
	if proof.Log == nil {
		return tlog.Opening{} // not in the log, or not any more
	}
	return proof.Log.Opening
}

func (w *world) sealedAnswer(org string, a client.QueryAnswer) outside.AnswerFile {
	w.t.Helper()
	to, _ := w.man.QueryAuditor("query-auditor")
	raw, err := w.member(org).SealAnswer(a, to)
	must(w.t, err)
	return outside.AnswerFile{Name: org + ".json", Raw: raw}
}

func (w *world) queryOptions(files ...outside.AnswerFile) outside.QueryOptions {
	return outside.QueryOptions{Hub: w.url, Pin: w.man.Transcript, Since: "2026-11-01", Auditor: w.caller("query-auditor"), HPKE: w.auditHPKE,
		Answers: files, HTTP: http.DefaultClient, Clock: w.clock}
}

func (w *world) auditQueries(files ...outside.AnswerFile) (outside.QueryReport, error) {
	return outside.QueryAudit(context.Background(), w.queryOptions(files...))
}

// findings are the texts of a report, each with whom it is against.
func findings(r outside.QueryReport) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s\n", f.Against, f.Text)
	}
	return b.String()
}

// An honest member passes; what it shows is what was drawn and no more; each read
// is in the log first, and nothing is read when the log cannot be written.
func TestAnHonestMemberPassesTheQueryAudit(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	b := w.queries("bank-a", 200, 1, true)
	if r, err := w.auditQueries(); err == nil || r.Result != outside.Incomplete || len(r.Findings) != 0 {
		t.Errorf("before the tick: %s, %v\n%s", r.Result, err, findings(r))
	}
	w.tick(time.Minute)
	file := w.sealedAnswer("bank-a", w.answers("bank-a", b))
	r, err := w.auditQueries(file)
	if err != nil || r.Result != outside.Verified || len(r.Batches) != 1 || len(r.Batches[0].Rows) != r.Batches[0].Drawn || r.Batches[0].Drawn < client.SampleSize(256) {
		t.Fatalf("%+v, %v", r, err)
	}
	if m := r.Members[0]; m.Points != 256 || m.Missed != client.Escape(256, 12) {
		t.Errorf("%+v", m)
	}
	if strings.Contains(fmt.Sprint(r), "mail-one.net") {
		t.Error("the report shows an identifier that nobody asked for")
	}
	if n := w.count("query-read"); n != 1 {
		t.Errorf("%d reads are in the log", n)
	}
	for _, who := range []string{"auditor", "bank-a", "officer", "stranger"} {
		if err := w.call(who, client.PathQueryRead, client.QueryRead{}, nil); status(err) != http.StatusForbidden {
			t.Errorf("%s notes a read: %v", who, err)
		}
	}
	if err := w.call("query-auditor", client.PathAudit, client.AuditRequest{Size: 1}, nil); status(err) != http.StatusForbidden {
		t.Errorf("a query auditor reads the pool's structure: %v", err)
	}
	w.exec(noLog)
	if r, err := w.auditQueries(file); status(err) != http.StatusServiceUnavailable || len(r.Batches) > 0 {
		t.Errorf("with a log that cannot be written: %+v, %v", r, err)
	}
}

// A member hands in a digest: the same one again brings the same promise, its entry
// opens to its member alone, and the hub never sees what it stands for.
func TestABatchIsHandedInOnce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	m, b := w.member("bank-a"), w.unasked("bank-a", 3, 1, true)
	p, err := m.HandIn(context.Background(), b)
	must(t, err)
	w.clock.Advance(time.Hour)
	again, err := m.HandIn(context.Background(), b)
	must(t, err)
	if again != p || w.count("query") != 1 {
		t.Errorf("%+v after %+v, %d entries", again, p, w.count("query"))
	}
	w.tick(time.Minute)
	o := w.opensEntry("bank-a", p.Ticket)
	record, err := signed.Marshal(p.Record())
	must(t, err)
	if string(o.Record) != string(record) || tlog.Commit(o.Nonce, o.Record) != tlog.Hash(p.Commitment) {
		t.Errorf("the entry opens to %s", o.Record)
	}
	if err := w.call("bank-b", client.PathReceipts, client.ReceiptRequest{Ticket: p.Ticket}, nil); status(err) != http.StatusNotFound {
		t.Errorf("another member asks for it: %v", err)
	}
	other := w.member("bank-b")
	theirs, err := other.HandIn(context.Background(), b) // the digest alone is nobody's
	if err != nil || theirs.Ticket == p.Ticket || theirs.Commitment == p.Commitment {
		t.Errorf("the same digest from another member: %+v, %v", theirs, err)
	}
}

// Each way in which a member may cheat, through the whole audit: found, against
// the member, naming the batch.
func TestACheatingMemberIsFound(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	b := w.queries("bank-a", 256, 1, true)
	w.tick(time.Minute)
	remade := w.unasked("bank-a", 256, 2, true)
	honest := w.answers("bank-a", b)
	for name, c := range map[string]struct {
		cheat func(a *client.QueryAnswer)
		says  string
	}{
		"withholds a row":     {func(a *client.QueryAnswer) { a.Batches[0].Rows = a.Batches[0].Rows[1:] }, "and not opened"},
		"withholds the batch": {func(a *client.QueryAnswer) { a.Batches = []client.OpenedBatch{} }, "no answer"},
		"swaps an input":      {func(a *client.QueryAnswer) { a.Batches[0].Rows[0].Input = a.Batches[0].Rows[1].Input }, "not what was asked"},
		"shows another blind": {func(a *client.QueryAnswer) { a.Batches[0].Rows[0].Blind[3] ^= 1 }, "not what was asked"},
		"calls a row padding": {func(a *client.QueryAnswer) {
			a.Batches[0].Rows[0].Input = []byte("parallax/dummy/v1\x00" + strings.Repeat("x", 36))
		}, "not what was asked"},
		"dates a case back":    {func(a *client.QueryAnswer) { a.Batches[0].Rows[0].Case.Date = "2026-10-01" }, "not the one that the batch was made with"},
		"names another case":   {func(a *client.QueryAnswer) { a.Batches[0].Rows[0].Case.Reference = "C-999" }, "not the one that the batch was made with"},
		"shows a remade batch": {func(a *client.QueryAnswer) { o, _ := remade.OpenRows([]int{1, 2, 3}, tlog.Opening{}); a.Batches[0] = o }, "no key holder answered"},
		"opens no log entry":   {func(a *client.QueryAnswer) { a.Batches[0].Log.Nonce[0] ^= 1 }, "does not open the batch's log entry"},
		"signs nothing":        {func(a *client.QueryAnswer) { a.Batches[0].Manifest.Sig = make([]byte, 64) }, "manifest"},
	} {
		a := honest
		a.Batches = []client.OpenedBatch{honest.Batches[0]}
		a.Batches[0].Rows = slices.Clone(honest.Batches[0].Rows)
		c.cheat(&a)
		r, err := w.auditQueries(w.sealedAnswer("bank-a", a))
		if err == nil || r.Result != outside.Found || !strings.Contains(findings(r), "bank-a: ") || !strings.Contains(findings(r), c.says) {
			t.Errorf("%s: %s, %v\n%s", name, r.Result, err, findings(r))
		}
		for _, f := range r.Findings {
			if f.Batch != b.Digest().String() && f.Batch != remade.Digest().String() {
				t.Errorf("%s: the finding names batch %q", name, f.Batch)
			}
		}
	}
	if r, err := w.auditQueries(); err == nil || !strings.Contains(findings(r), "bank-a: no answer") {
		t.Errorf("no answer at all: %v\n%s", err, findings(r))
	}
	forged := w.sealedAnswer("bank-b", honest)
	if r, err := w.auditQueries(forged); err == nil || !strings.Contains(findings(r), "bank-b.json") {
		t.Errorf("an answer that another member signed: %v\n%s", err, findings(r))
	}
}

// A list of guesses has no case records. Whoever fills a batch with them is found
// by every draw; with a few among many as often as the formula says.
func TestGuessesWithoutCasesAreFound(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	b := w.queries("bank-a", 256, 1, false)
	w.tick(time.Minute)
	r, err := w.auditQueries(w.sealedAnswer("bank-a", w.answers("bank-a", b)))
	if err == nil || len(r.Findings) != r.Batches[0].Drawn || !strings.Contains(findings(r), "bank-a: no case record stands behind it") {
		t.Errorf("%v\n%s", err, findings(r))
	}
}

// Handing in batch after batch to find one whose rows suit brings nothing: only
// what the holders answered is drawn, by a signature that came after they did.
func TestRegrindingMovesNoDraw(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	m := w.member("bank-a")
	var tried []*client.Batch
	for seed := range byte(6) {
		b := w.unasked("bank-a", 30, 10+seed, true)
		_, err := m.HandIn(context.Background(), b)
		must(t, err)
		tried = append(tried, b)
	}
	w.tick(time.Minute) // all six are in the log and under cosignatures that the member has seen
	if rows, asked := w.drawn("bank-a"); len(rows)+len(asked) != 0 {
		t.Fatalf("drawn before anybody was asked: %v", rows)
	}
	_, err := m.Tokenise(context.Background(), tried[3])
	must(t, err)
	if rows, asked := w.drawn("bank-a"); len(rows) != 0 || len(asked) != 1 {
		t.Fatalf("the draw of a batch was there before it was asked: %v", rows)
	}
	w.tick(time.Minute)
	if r, err := w.auditQueries(w.sealedAnswer("bank-a", w.answers("bank-a", tried[3]))); err != nil || len(r.Batches) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A hub that promises and does not log, that logs too late, that shows an older
// log, or that shows a holder another one.
func TestAHubThatHoldsEntriesBackIsFound(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	b := w.queries("bank-a", 10, 1, true)
	w.exec(`UPDATE transparency_entry SET leaf = -1 WHERE kind = 'query'`)
	older := w.checkpointNote()
	w.tick(time.Minute)
	if r, err := w.auditQueries(); err == nil || len(r.Findings) > 0 || r.Batches[0].Waits == "" {
		t.Errorf("within a day: %v\n%s", err, findings(r))
	}
	w.tick(25 * time.Hour)
	if r, err := w.auditQueries(); err == nil || !strings.Contains(findings(r), "hub: promised on 2026-11-02") || strings.Contains(findings(r), "bank-a: ") {
		t.Errorf("promised and not logged: %v\n%s", err, findings(r))
	}
	w.exec(`UPDATE transparency_entry SET leaf = NULL WHERE leaf = -1`)
	w.tick(time.Minute)
	r, err := w.auditQueries(w.sealedAnswer("bank-a", w.answers("bank-a", b)))
	if err == nil || !strings.Contains(findings(r), "hub: in the log at place") || strings.Contains(findings(r), "bank-a: ") {
		t.Errorf("logged late: %v\n%s", err, findings(r))
	}
	o := w.queryOptions()
	o.HTTP = &http.Client{Transport: instead{client.PathLog + "checkpoint", older}}
	if r, err := outside.QueryAudit(context.Background(), o); err == nil || !strings.Contains(r.Problem, "withheld") {
		t.Errorf("an older checkpoint: %v", err)
	}
}

func TestAHolderThatWasShownAnotherLogIsHeard(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.queries("bank-a", 10, 1, true)
	w.otherHistory(w.man.Holders[1], 3)
	_ = w.hub.Tick(context.Background()) // it fails: the log is read-only now
	r, err := w.auditQueries()
	if err == nil || r.Result != outside.Forked || !strings.Contains(r.Problem, "other history") {
		t.Errorf("%+v, %v", r, err)
	}
}

// What a holder that lies, or is away, leaves of an audit.
func TestAHolderCannotSpoilAnAudit(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.tick(0)
	b := w.queries("bank-a", 10, 1, true)
	w.tick(time.Minute)
	file := w.sealedAnswer("bank-a", w.answers("bank-a", b))
	o := w.queryOptions(file)
	o.HTTP = http.DefaultClient
	o.Auditor.HTTP = &http.Client{Transport: without{w.man.Holders[2].URL}}
	if r, err := outside.QueryAudit(context.Background(), o); err == nil || r.Result != outside.Incomplete || !strings.Contains(err.Error(), "holder-3") || len(r.Findings) > 0 {
		t.Errorf("a holder that is away: %s, %v\n%s", r.Result, err, findings(r))
	}
	stranger := w.queryOptions()
	stranger.Auditor = w.caller("auditor")
	if _, err := outside.QueryAudit(context.Background(), stranger); err == nil || !strings.Contains(err.Error(), "no query auditor") {
		t.Errorf("another auditor: %v", err)
	}
	priv, _, err := seal.GenerateHPKE()
	must(t, err)
	o = w.queryOptions(file)
	o.HPKE = priv
	if r, err := outside.QueryAudit(context.Background(), o); err == nil || !strings.Contains(findings(r), "not sealed to this auditor's key") {
		t.Errorf("another key: %v\n%s", err, findings(r))
	}
	o = w.queryOptions(outside.AnswerFile{Name: "x.json", Raw: []byte("{}")})
	if _, err := outside.QueryAudit(context.Background(), o); err == nil || !strings.Contains(err.Error(), "x.json cannot be read") {
		t.Errorf("a file that is no answer: %v", err)
	}
}

// without does not reach one address.
type without struct{ url string }

// RoundTrip implements http.RoundTripper.
func (x without) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), x.url) {
		return nil, fmt.Errorf("%s is away", r.URL.Host)
	}
	return http.DefaultTransport.RoundTrip(r)
}
