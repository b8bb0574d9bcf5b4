package desk

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// A desk that submitted opens what was drawn, to the auditor alone and after its
// own log has it; what opens the batches is sealed at rest, and gone with the window.
func TestADeskAnswersAQueryAudit(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	priv, public, err := seal.GenerateHPKE()
	must(t, err)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	join := func() {
		t.Helper()
		_, err := bank.Join(ctx, w.url, opening.Hash(w.setup.Transcript.Hash()))
		must(t, err)
	}
	join()
	if _, err := bank.QueryAudit(ctx, "", "", ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("without a query auditor: %v", err)
	}
	w.auditor = &opening.QueryAuditor{ID: "query-auditor", Entity: "Query office", Key: bytes.Repeat([]byte{1}, 32), HPKE: public}
	w.publish(card)
	join()
	submit := func() {
		t.Helper()
		p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
		must(t, err)
		_, err = bank.Submit(ctx, p, "b1", nil)
		must(t, err)
	}
	submit()
	w.settle()
	qa, err := bank.QueryAudit(ctx, "", "", "")
	if err != nil || len(qa.Batches) != 2 || qa.Rows != 0 || !strings.Contains(qa.Batches[0].Waits, "next tick") {
		t.Fatalf("before the tick: %+v, %v", qa, err)
	}
	if _, err := bank.AnswerQueryAudit(ctx, qa); fault.KindOf(err) != fault.NotFound {
		t.Errorf("nothing is drawn yet: %v", err)
	}
	w.ticked = true
	if qa, err := bank.QueryAudit(ctx, "", "", "2026-11-23"); err != nil || len(qa.Batches) != 0 {
		t.Errorf("until the day before: %+v, %v", qa, err)
	}
	if _, err := bank.QueryAudit(ctx, "", "yesterday", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no day: %v", err)
	}
	if _, err := bank.QueryAudit(ctx, "auditor", "", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nobody's id: %v", err)
	}
	w.deaf = 3 // one holder is away
	qa, err = bank.QueryAudit(ctx, "query-auditor", "", "")
	if err != nil || len(qa.Holders) != 2 || len(qa.Away) != 1 || qa.Rows < 16 || qa.Rows > 32 {
		t.Fatalf("%+v, %v", qa, err)
	}
	raw, err := bank.AnswerQueryAudit(ctx, qa)
	must(t, err)
	s, err := client.ReadSealedAnswer(raw)
	must(t, err)
	a, err := s.Open(w.manifest, priv)
	must(t, err)
	rows := 0
	for _, b := range a.Batches {
		var man client.BatchManifest
		must(t, b.Manifest.Open(client.BatchDomain, card.Member.Key, &man))
		for _, r := range b.Rows {
			if _, err := man.CheckRow(r); err != nil {
				t.Errorf("row %d: %v", r.Path.Index, err)
			}
			rows++
		}
	}
	if rows != qa.Rows {
		t.Errorf("%d rows are opened and %d were announced", rows, qa.Rows)
	}
	reads, err := os.ReadFile(bank.readsPath())
	if err != nil || !strings.Contains(string(reads), `"act":"audit-query"`) {
		t.Errorf("the desk's own log: %s, %v", reads, err)
	}
	w.atRest(bank.dir)
	w.clock.Advance(client.QueryWindow + 48*time.Hour)
	must(t, bank.forgetBatches(ctx))
	qa, err = bank.QueryAudit(ctx, "", "2026-11-01", "")
	if err != nil || qa.Rows != 0 || !strings.Contains(qa.Batches[0].Waits, "no longer holds") {
		t.Errorf("after the window: %+v, %v", qa, err)
	}
	w.deaf = 1
	if _, err := bank.QueryAudit(ctx, "", "", ""); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("no holder: %v", err)
	}
}

// atRest finds no identifier in the desk's files.
func (w *world) atRest(dir string) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(w.t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // a folder
		}
		if bytes.Contains(raw, []byte("first.person")) {
			w.t.Errorf("%s shows what was asked", f)
		}
	}
}

// Nothing is opened when the desk's own log cannot be written.
func TestNothingIsOpenedUnlogged(t *testing.T) {
	w := newWorld(t)
	_, public, err := seal.GenerateHPKE()
	must(t, err)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.auditor = &opening.QueryAuditor{ID: "query-auditor", Entity: "Query office", Key: bytes.Repeat([]byte{1}, 32), HPKE: public}
	w.publish(card)
	must(t, os.Mkdir(bank.readsPath(), 0o700)) // a folder where the log should be
	if raw, err := bank.AnswerQueryAudit(context.Background(), QueryAudit{Rows: 1, to: *w.auditor}); fault.KindOf(err) != fault.Unavailable || raw != nil {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

// A plan says when rows name no case, since an audit will find them.
func TestAPlanCountsRowsWithoutACase(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, opening.Hash(w.setup.Transcript.Hash()))
	must(t, err)
	m := peopleMapping
	m.Reference = ""
	p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), m)
	if err != nil || p.NoCase != p.Observations || p.NoCase == 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
