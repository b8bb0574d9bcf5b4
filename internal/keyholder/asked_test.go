package keyholder

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parallax/client"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// auditedWorld is a world with a query auditor in its manifest.
func auditedWorld(t *testing.T) (*world, client.Caller) {
	t.Helper()
	key := newKey(t)
	_, hpke, err := seal.GenerateHPKE()
	must(t, err)
	w := newWorldUnder(t, func(m *opening.Manifest) {
		m.QueryAuditors = []opening.QueryAuditor{{ID: "query-auditor", Entity: "Query office", Key: pub(key), HPKE: hpke}}
	})
	w.keys["query-auditor"] = key
	c := client.System("query-auditor", key)
	c.Now, c.HTTP = w.clock.Now, w.http
	return w, c
}

// queries prepares a batch of org and sends it to all holders.
func (w *world) queries(org, seed string) client.Batch {
	w.t.Helper()
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(seed)), Time: w.clock.Now().UnixMicro(), Inputs: [][]byte{[]byte("x")}, Basis: "basis-1"}
	m := w.members[org]
	must(w.t, m.Prepare(&b))
	for _, h := range w.manifest.Holders { // Tokenise ends with the first two
		m.Manifest.Holders = []opening.Holder{h}
		_, err := m.Tokenise(context.Background(), &b)
		if err == nil || !strings.Contains(err.Error(), "1 of 1 key holders answered") {
			w.t.Fatalf("key holder %s: %v", h.ID, err)
		}
	}
	return b
}

func (w *world) asked(c client.Caller, organisation string) []client.AskedBatch {
	w.t.Helper()
	list, err := client.AskedBy(context.Background(), c, w.manifest.Holders[0], organisation, "2026-11-01")
	must(w.t, err)
	return list
}

// No holder answers, or charges, a batch that nobody handed in at the hub.
func TestABatchThatIsNotHandedInIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	m := w.members["bank-a"]
	b := client.Batch{Class: selector.Email, Seed: [32]byte{1}, Inputs: [][]byte{[]byte("x")}, Basis: "basis-1"}
	must(t, m.Prepare(&b))
	other := w.promise("bank-a", opening.Hash{1})
	forged := w.promise("bank-a", b.Digest())
	forged.Sig = other.Sig
	for name, promise := range map[string]signed.Object{"none": {}, "of another batch": other, "of another member": w.promise("platform-a", b.Digest()), "forged": forged} {
		m.HTTP = &http.Client{Transport: &askHub{w: w, promise: promise}}
		_, err := m.Tokenise(context.Background(), &b)
		if err == nil {
			t.Errorf("a promise %s: answered", name)
		}
	}
	for name, promise := range map[string]signed.Object{"none": {}, "of another batch": other, "forged": forged} {
		err := w.evaluateUnder(m, &b, promise)
		if err == nil || !strings.Contains(err.Error(), "hand it in there first") {
			t.Errorf("a promise %s, sent to the holder: %v", name, err)
		}
	}
	if n := w.holders[0].state.used[budgetKey{"bank-a", "email", "2026-11-02"}]; n != 0 {
		t.Errorf("%d points were charged", n)
	}
}

// askHub answers for the hub with one promise.
type askHub struct {
	w       *world
	promise signed.Object
}

// RoundTrip implements http.RoundTripper.
func (a *askHub) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "hub.test" {
		return a.w.http.Transport.RoundTrip(r)
	}
	raw, err := signed.Marshal(client.QueryPromised{Promise: a.promise})
	if err != nil {
		return nil, err
	}
	return inProcess{"hub.test": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write(raw) })}.RoundTrip(r)
}

// evaluateUnder sends a batch to a holder under a promise of the sender's choice, as
// a member with other software would.
func (w *world) evaluateUnder(m client.Member, b *client.Batch, promise signed.Object) error {
	w.t.Helper()
	req := b.Request()
	req.Promise = promise
	h := w.manifest.Holders[0]
	m.HTTP = w.http
	return m.Call(context.Background(), h.ID, h.URL, client.PathEvaluate, req, nil)
}

// A holder's share of the sample is its first cosignature after it took the batch:
// not there before, the same for ever after, and no second one to be had.
func TestADrawIsTheFirstHeadAfterTheBatch(t *testing.T) {
	w, auditor := auditedWorld(t)
	w.log.append(t, "something")
	w.tick() // a head that the member knows when it asks
	b := w.queries("bank-a", "1")
	if list := w.asked(auditor, ""); len(list) != 1 || list[0].Batch != b.Digest() || list[0].Draw != nil || list[0].Points != 256 {
		t.Fatalf("before a new head: %+v", list)
	}
	w.tick() // the same size again draws nothing
	if list := w.asked(auditor, ""); list[0].Draw != nil {
		t.Fatal("drawn by a head that was there before")
	}
	w.log.append(t, "more")
	w.clock.Advance(1)
	w.tick()
	first := w.asked(auditor, "")[0]
	rows, err := first.Draw.Sample(w.manifest, w.manifest.Holders[0], first)
	if err != nil || len(rows) != client.SampleSize(256) || first.Draw.Size != 2 {
		t.Fatalf("%+v, %v", first.Draw, err)
	}
	again := w.queries("bank-a", "1") // charged once: asking again draws nothing anew
	w.log.append(t, "and more")
	w.clock.Advance(1_000_000_000)
	w.tick()
	must(t, w.holders[0].Close())
	w.holders[0] = w.open(w.dirs[0])
	if list := w.asked(auditor, ""); len(list) != 1 || again.Digest() != b.Digest() || !reflect.DeepEqual(list[0], first) {
		t.Errorf("the draw changed: %+v", list)
	}
	other, err := client.AskedBy(context.Background(), auditor, w.manifest.Holders[1], "", "2026-11-01")
	must(t, err)
	if theirs, err := other[0].Draw.Sample(w.manifest, w.manifest.Holders[1], other[0]); err != nil || reflect.DeepEqual(theirs, rows) {
		t.Errorf("two holders draw the same rows: %v, %v", theirs, err)
	}
	if _, err := first.Draw.Sample(w.manifest, w.manifest.Holders[1], first); err == nil {
		t.Error("a holder's draw passes for another's")
	}
	forged := *first.Draw
	forged.Time++
	if _, err := forged.Sample(w.manifest, w.manifest.Holders[0], first); err == nil {
		t.Error("a cosignature of another second passes")
	}
}

// A member hears of its own batches only, in pages that count its own; an auditor
// of all, and the question is on disk first; nobody else hears anything.
func TestWhoHearsWhatAHolderWasAsked(t *testing.T) {
	w, auditor := auditedWorld(t)
	w.queries("platform-a", "theirs")
	mine := w.queries("bank-a", "mine")
	if list := w.asked(w.members["bank-a"].Caller, "bank-a"); len(list) != 1 || list[0].Batch != mine.Digest() {
		t.Errorf("a member: %+v", list)
	}
	if list := w.asked(w.members["hotline-a"].Caller, "hotline-a"); len(list) != 0 {
		t.Errorf("who asked nothing: %+v", list)
	}
	if list := w.asked(auditor, ""); len(list) != 2 {
		t.Errorf("an auditor: %+v", list)
	}
	journal, err := os.ReadFile(filepath.Join(w.dirs[0], journalFile))
	must(t, err)
	if n := strings.Count(string(journal), `"kind":"audited"`); n != 1 {
		t.Errorf("%d questions of the auditor are in the journal", n)
	}
	ctx, h := context.Background(), w.manifest.Holders[0]
	for _, who := range []string{"officer", "stranger", "hub"} {
		c := client.System(who, w.keys[who])
		c.Now, c.HTTP = w.clock.Now, w.http
		if _, err := client.AskedBy(ctx, c, h, "", "2026-11-01"); err == nil {
			t.Errorf("%s was told", who)
		}
	}
	if _, err := client.AskedBy(ctx, auditor, h, "", "yesterday"); err == nil || !strings.Contains(err.Error(), "2026-11-24") {
		t.Errorf("no day: %v", err)
	}
	if list, err := client.AskedBy(ctx, auditor, h, "", "2026-11-03"); err != nil || len(list) != 0 {
		t.Errorf("since tomorrow: %v, %v", list, err)
	}
	must(t, w.holders[0].Close())
	if _, err := client.AskedBy(ctx, auditor, h, "", "2026-11-01"); err == nil {
		t.Error("an auditor was answered although nothing could be written")
	}
}

// Pages are followed to their end.
func TestAskedInPages(t *testing.T) {
	w, auditor := auditedWorld(t)
	for i := range client.AskedPage + 3 {
		must(t, w.holders[0].state.addCharge(charge{Org: "bank-a", Class: "email", Day: "2026-11-02", Batch: opening.Digest(fmt.Append(nil, i)), Points: 256}))
	}
	list := w.asked(auditor, "")
	if len(list) != client.AskedPage+3 || list[client.AskedPage+2].Batch != opening.Digest(fmt.Append(nil, client.AskedPage+2)) {
		t.Errorf("%d batches", len(list))
	}
}
