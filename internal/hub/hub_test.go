package hub

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/leads"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

func status(err error) int {
	var p *client.Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

// The whole way: three organisations contribute, a lead forms, it is
// requested, approved, logged and released, and the authority reads it.
func TestALeadOpens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		labels := w.threeOrgs("someone@example.org")
		other, _ := w.contribute("bank-a", "elsewhere@example.org", "payment-pattern", nil)
		w.tick(0)
		if got := w.leads(); len(got) != 0 {
			t.Fatalf("a lead before the delay: %+v", got)
		}
		w.tick(61 * time.Minute)
		list := w.leads()
		if len(list) != 1 || len(list[0].Labels) != 3 || list[0].Playbook != opening.PlaybookStandard {
			t.Fatalf("leads: %+v", list)
		}
		for _, l := range list[0].Labels {
			if l == other {
				t.Error("an observation of somebody else is in the lead")
			}
		}
		id, req, err := w.request(list[0], nil)
		must(t, err)
		if st, err := w.approve("officer", id, req); err != nil || st != "requested" {
			t.Fatalf("after one approval: %s, %v", st, err)
		}
		if st, err := w.approve("overseer", id, req); err != nil || st != "approved" {
			t.Fatalf("after both approvals: %s, %v", st, err)
		}
		w.tick(time.Minute)
		if o := w.opening(id); o.State != "logged" || o.Holders[0].State != leads.HolderWaiting {
			t.Fatalf("in the veto window: %+v", o)
		}
		if err := w.call("officer", client.PathFetch, client.OpeningID{ID: id}, nil); status(err) != http.StatusConflict {
			t.Errorf("fetched before release: %v", err)
		}
		w.tick(2 * time.Hour)
		if o := w.opening(id); o.State != "released" {
			t.Fatalf("after the delay: %+v", o)
		}
		w.read(t, id, req, labels)
		if got := w.leads(); len(got) != 0 {
			t.Errorf("a released lead is listed again: %+v", got)
		}
	})
}

// read is what a desk does with a released opening.
func (w *world) read(t *testing.T, id string, req signed.Object, labels []seal.Label) {
	t.Helper()
	var f client.Fetched
	must(t, w.call("officer", client.PathFetch, client.OpeningID{ID: id}, &f))
	if len(f.Items) != len(labels) {
		t.Fatalf("%d items, want %d", len(f.Items), len(labels))
	}
	key, err := w.setup.PublicKey(client.PayloadLabel)
	must(t, err)
	for _, it := range f.Items {
		label, err := it.Observation.Label()
		must(t, err)
		var parts []seal.Partial
		for _, o := range it.Partials {
			var sp opening.SealedPartial
			must(t, signed.Unmarshal(o.Body, &sp))
			raw, err := seal.OpenFrom(w.authHPKE, opening.PartialInfo(opening.Digest(req.Body), label, it.Observation.KEM.U, sp.Index), sp.Sealed)
			must(t, err)
			var p seal.Partial
			must(t, signed.Unmarshal(raw, &p))
			parts = append(parts, p)
		}
		payload, err := seal.Open(key, "pool", "2026-11", it.Observation.Header, seal.Sealed{KEM: it.Observation.KEM, Box: it.Box}, parts)
		must(t, err)
		h, err := opening.DecodeHeader(it.Observation.Header)
		must(t, err)
		if string(payload) != "reference of "+h.Organisation {
			t.Errorf("payload %q", payload)
		}
	}
}

func TestReceiptIsProvenLater(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, r := w.contribute("bank-a", "someone@example.org", "report", nil)
	var p client.ReceiptProof
	must(t, w.call("bank-a", client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, &p))
	if p.State != client.ReceiptPending || p.Log != nil {
		t.Errorf("before the tick: %+v", p)
	}
	w.tick(time.Minute)
	must(t, w.call("bank-a", client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, &p))
	if p.State != client.ReceiptLogged || p.Log == nil {
		t.Fatalf("after the tick: %+v", p)
	}
	if err := w.call("bank-b", client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, nil); status(err) != http.StatusNotFound {
		t.Errorf("another organisation's ticket: %v", err)
	}
	var note []byte
	must(t, client.Get(context.Background(), http.DefaultClient, w.url+client.PathCheckpoint, &note))
	if !bytes.Equal(note, p.Checkpoint) {
		t.Error("the proof's checkpoint is not the served one")
	}
}

func TestWithdrawalClosesTheLeadAndTheOpening(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	labels := w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	id, req, err := w.request(w.leads()[0], nil)
	must(t, err)
	_, err = w.approve("officer", id, req)
	must(t, err)
	d := opening.Denial{Kind: opening.DenyWithdraw, Pool: "pool", Labels: labels[2:], Member: "hotline-a", Reason: "corrected", Time: w.clock.Now().UnixMicro()}
	o, err := signed.Sign(opening.DenialDomain, "hotline-a", w.keys["hotline-a"], d)
	must(t, err)
	must(t, w.call("hotline-a", client.PathWithdraw, o, nil))
	w.tick(time.Minute)
	if st := w.opening(id).State; st != "closed" {
		t.Errorf("the opening is %s", st)
	}
	if got := w.leads(); len(got) != 0 {
		t.Errorf("two organisations are no lead: %+v", got)
	}
	if _, err := w.approve("overseer", id, req); status(err) != http.StatusConflict {
		t.Errorf("approving a closed opening: %v", err)
	}
	// A fourth organisation makes it a lead again, under another id.
	w.contribute("bank-b", "someone@example.org", "report", nil)
	w.tick(time.Minute)
	w.tick(61 * time.Minute)
	if got := w.leads(); len(got) != 1 {
		t.Errorf("the lead did not form again: %+v", got)
	}
}

func TestPossibleVictimChangesThePlaybook(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	ready := w.leads()[0]
	// Not logged for the delay, and it counts at once.
	w.contribute("bank-b", "someone@example.org", "report", func(h *opening.Header) { h.Role = opening.RolePossibleVictim })
	w.tick(time.Minute)
	if _, _, err := w.request(ready, nil); status(err) != http.StatusConflict {
		t.Errorf("the standard playbook: %v", err)
	}
	if l := w.leads(); len(l) != 1 || l[0].ID != ready.ID || l[0].Playbook != opening.PlaybookChildPossible {
		t.Errorf("leads %+v", l)
	}
	if _, _, err := w.request(ready, func(r *opening.Request) { r.Playbook = opening.PlaybookChildPossible }); err != nil {
		t.Error(err)
	}
}

func TestRequestsAreRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	labels := w.threeOrgs("someone@example.org")
	other, _ := w.contribute("bank-b", "elsewhere@example.org", "report", nil)
	w.tick(0)
	early := w.clock.Now()
	w.tick(61 * time.Minute)
	lead := w.leads()[0]
	for name, change := range map[string]func(*opening.Request){
		"another observation":  func(r *opening.Request) { r.Labels = append(labels[:3:3], other) },
		"another basis":        func(r *opening.Request) { r.LegalBasis = "basis-2" },
		"another recipient":    func(r *opening.Request) { r.Recipient = "bank-a" },
		"dated too early":      func(r *opening.Request) { r.Time = early.UnixMicro() },
		"valid for too long":   func(r *opening.Request) { r.Expires = r.Time + 2*opening.MaxRequestLife.Microseconds() },
		"no known playbook":    func(r *opening.Request) { r.Playbook = "other" },
		"nothing to be opened": func(r *opening.Request) { r.Labels = []seal.Label{} },
	} {
		if _, _, err := w.request(lead, change); status(err) != http.StatusConflict && status(err) != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	id, req, err := w.request(lead, nil)
	must(t, err)
	if _, _, err := w.request(lead, nil); status(err) != http.StatusConflict {
		t.Errorf("a second request for the same lead: %v", err)
	}
	var again client.OpeningID
	must(t, w.call("officer", client.PathOpenings, client.OpeningRequest{Lead: lead.ID, Request: req}, &again))
	if again.ID != id {
		t.Error("the same request must give the same opening")
	}
	edited := req
	edited.Body = append(bytes.Clone(req.Body), ' ')
	if _, err := w.approve("overseer", id, edited); status(err) != http.StatusBadRequest {
		t.Errorf("an approval of edited bytes: %v", err)
	}
	w.tick(4 * 24 * time.Hour)
	if st := w.opening(id).State; st != "closed" {
		t.Errorf("an expired request leaves the opening %s", st)
	}
}

func TestWhoMayCallWhat(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, _ := w.draft("bank-a", "someone@example.org", "report", nil)
	batch, err := w.member("bank-a").Sign([]client.Contributed{c})
	must(t, err)
	bodies := map[string]any{client.PathContribute: batch, client.PathReceipts: client.ReceiptRequest{}, client.PathWithdraw: signed.Object{}, client.PathCorrect: signed.Object{}, client.PathCorrectAny: signed.Object{},
		client.PathLeads: struct{}{}, client.PathOpenings: client.OpeningRequest{}, client.PathApprove: client.ApproveRequest{},
		client.PathList: struct{}{}, client.PathWaiting: struct{}{}, client.PathFetch: client.OpeningID{}, client.PathCorrected: struct{}{}, client.PathCorrectedAck: signed.Object{}}
	allowed := map[string][]string{
		client.PathContribute: {"bank-a"}, client.PathReceipts: {}, client.PathWithdraw: {}, client.PathCorrect: {}, client.PathCorrectAny: {},
		client.PathLeads: {"officer", "overseer"}, client.PathOpenings: {}, client.PathApprove: {},
		client.PathList: {"officer", "overseer"}, client.PathWaiting: {"officer", "overseer"}, client.PathFetch: {}, client.PathCorrected: {"officer"}, client.PathCorrectedAck: {},
	}
	for path, body := range bodies {
		for _, who := range []string{"stranger", "gov-1", "bank-b", "bank-a", "overseer", "officer"} {
			err := w.call(who, path, body, nil)
			want := false
			for _, a := range allowed[path] {
				want = want || a == who
			}
			if want != (err == nil) {
				t.Errorf("%s by %s: %v", path, who, err)
			}
			if who == "stranger" && status(err) != http.StatusForbidden {
				t.Errorf("%s by a stranger: %v", path, err)
			}
			if who == "bank-a" && len(allowed[path]) == 2 && status(err) != http.StatusForbidden {
				t.Errorf("%s by a member: %v", path, err)
			}
		}
	}
}

func TestAMessageCountsOnce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	send := func(change func(*client.Caller), audience, path string) error {
		c := w.caller("officer")
		c.Random = bytes.NewReader(bytes.Repeat([]byte{7}, 16))
		if change != nil {
			change(&c)
		}
		o, err := signed.NewMessage(audience, c.Sender, path, []byte("{}"), c.Key, c.Now(), c.Random)
		must(t, err)
		return client.Post(context.Background(), http.DefaultClient, w.url+client.PathLeads, o, nil)
	}
	must(t, send(nil, "hub", client.PathLeads))
	if err := send(nil, "hub", client.PathLeads); status(err) != http.StatusConflict {
		t.Errorf("the same message again: %v", err)
	}
	for name, err := range map[string]error{
		"another audience": send(nil, "holder-1", client.PathLeads),
		"another path":     send(nil, "hub", client.PathList),
		"another key":      send(func(c *client.Caller) { c.Key = w.keys["bank-a"] }, "hub", client.PathLeads),
		"an old clock":     send(func(c *client.Caller) { c.Now = func() time.Time { return start.Add(-time.Hour) } }, "hub", client.PathLeads),
	} {
		if status(err) != http.StatusForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusedBatchIsReportedByLine(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	good, _ := w.draft("bank-a", "someone@example.org", "report", nil)
	bad, _ := w.draft("bank-a", "someone@example.org", "report", func(h *opening.Header) { h.Role = "witness" })
	m := w.member("bank-a")
	req, err := m.Sign([]client.Contributed{good, bad})
	must(t, err)
	_, _, err = m.Contribute(context.Background(), req)
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || len(p.Lines) != 1 || p.Lines[0].Line != 2 || p.RequestID == "" {
		t.Errorf("%+v", p)
	}
}

func TestManifestsFollowEachOther(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	first := w.hub.state.after(0)[0]
	send := func(sm opening.SignedManifest) error {
		return client.Post(context.Background(), http.DefaultClient, w.url+client.PathManifest, client.Manifests{Manifests: []opening.SignedManifest{sm}}, nil)
	}
	must(t, send(first))
	next := w.man
	next.Version, next.Previous = 2, opening.Digest(first.Body)
	next.Members = append([]opening.Member(nil), w.man.Members...)
	next.Members[0].Status = opening.Suspended
	if err := send(w.signManifest(next, "gov-1")); status(err) != http.StatusForbidden {
		t.Errorf("one governor alone: %v", err)
	}
	loose := next
	loose.Delays.OpenSeconds = 1
	if err := send(w.signManifest(loose, "gov-1", "gov-2")); status(err) != http.StatusForbidden {
		t.Errorf("a loosening at once: %v", err)
	}
	skip := next
	skip.Version = 3
	if err := send(w.signManifest(skip, "gov-1", "gov-2")); status(err) != http.StatusForbidden {
		t.Errorf("a version left out: %v", err)
	}
	c, _ := w.draft("bank-a", "someone@example.org", "report", nil)
	must(t, send(w.signManifest(next, "gov-2", "gov-3")))
	m := w.member("bank-a")
	req, err := m.Sign([]client.Contributed{c})
	must(t, err)
	if _, _, err = m.Contribute(context.Background(), req); status(err) != http.StatusForbidden {
		t.Errorf("a suspended member: %v", err)
	}
	// What was stored is what a restarted hub has.
	again, err := loadState(context.Background(), w.hub.o.DB, w.hub.o.Plan, true)
	must(t, err)
	if cur, ok := again.current(); !ok || cur.Version != 2 || again.transcript == nil {
		t.Error("the restarted hub forgot something")
	}
	plan := w.hub.o.Plan
	plan.Epoch = "2027-11"
	if _, err := loadState(context.Background(), w.hub.o.DB, plan, true); err == nil {
		t.Error("another plan was taken for the same database")
	}
}

func TestOneHolderDownStillOpens(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	labels := w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	id, req, err := w.request(w.leads()[0], nil)
	must(t, err)
	for _, who := range []string{"officer", "overseer"} {
		_, err := w.approve(who, id, req)
		must(t, err)
	}
	w.tick(time.Minute)
	w.hub.state.mu.Lock()
	w.hub.state.fitted.Holders = append([]opening.Holder(nil), w.man.Holders...)
	w.hub.state.fitted.Holders[0].URL = "http://127.0.0.1:1" // nobody listens there
	w.hub.state.mu.Unlock()
	w.clock.Advance(2 * time.Hour)
	if err := w.hub.Tick(context.Background()); err == nil {
		t.Error("a witness that does not answer must be reported")
	}
	o := w.opening(id)
	if o.State != "released" || o.Holders[0].State != leads.HolderUnreachable {
		t.Fatalf("%+v", o)
	}
	w.read(t, id, req, labels)
}

// Run makes one round when its clock has gone on by the interval or more, one
// when it was set back, and none while it stands.
func TestRunTicksByTheHubsClock(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), fewLeaves)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.hub.Run(ctx, time.Hour) }()
	defer func() { stop(); <-ended }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	ticks := func(want int) {
		t.Helper()
		for range 500 {
			st, err := w.hub.Status(ctx)
			must(t, err)
			if st.Ticks > want {
				t.Fatalf("%d ticks, want %d", st.Ticks, want)
			}
			if st.Ticks == want && st.LogSize == int64(want)*8 {
				return
			}
			<-look.C
		}
		t.Fatalf("waited in vain for tick %d", want)
	}
	ticks(1)
	w.clock.Advance(time.Hour - time.Microsecond)
	for range 30 { // longer than Run waits between two looks
		<-look.C
	}
	ticks(1)
	w.clock.Advance(time.Microsecond)
	ticks(2)
	w.clock.Advance(24 * time.Hour)
	ticks(3)
	w.clock.Advance(-time.Hour)
	ticks(4)
}
