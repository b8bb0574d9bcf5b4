package desk

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"parallax/client"
	"parallax/group"
	"parallax/internal/clock"
	"parallax/internal/gateway/law"
	"parallax/opening"
	"parallax/oprf"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a pool of three holders and a hub that keeps what it is sent.
type world struct {
	basis     string // of the last evaluation
	t         *testing.T
	setup     client.Setup
	manifests []opening.SignedManifest
	manifest  opening.Manifest
	shares    [3]map[string]group.Share
	keys      [3]ed25519.PrivateKey
	witness   [3]ed25519.PrivateKey
	hub, gov  ed25519.PrivateKey
	witnesses bool   // publish lists the desks as witnesses of the log
	down      bool   // the hub keeps what it gets and its answers are lost
	gone      int    // the hub is away from this contribution on; 0: never
	refuse    bool   // the hub
	listed    int    // how often openings were read
	says      string // the hub refuses every message with this
	deaf      int    // holders from this index on are away
	liar      int    // this holder answers wrongly; -1: nobody
	charges   [3]map[opening.Hash]int
	used      [3]map[selector.Class]int
	classOf   map[opening.Hash]selector.Class
	daily     int // budget of every class
	clock     *clock.ManualClock
	mu        sync.Mutex
	batches   map[opening.Hash]client.ContributeRequest
	notes     []signed.Object // that a release brought
	emergency *opening.Emergency
	tamper    func(*client.FetchedItem, seal.Label) // what the hub does to what it delivers
	opening   client.OpeningState
	lead      client.Lead
	corrected []client.CorrectedItem
	receipts  []signed.Object // for corrections
	denials   []signed.Object // that the hub took
	subjects  []client.SubjectItem
	posted    []int              // sizes of findings
	heads     []client.ReadsHead // of read logs that the hub took
	unlogged  bool               // the hub's log takes nothing
	url       string
	// For query audits: their key, what the hub has logged and whether there was
	// a tick since.
	auditor *opening.QueryAuditor
	ticked  bool
	queried map[string]tlog.Opening // by ticket
}

func answer(w http.ResponseWriter, v any) {
	raw, err := signed.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Write(raw)
}

func newKey(t *testing.T) ed25519.PrivateKey {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return k
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func newWorld(t *testing.T) *world {
	w := &world{t: t, deaf: 4, liar: -1, daily: 300, classOf: make(map[opening.Hash]selector.Class), clock: clock.Manual(today), hub: newKey(t), gov: newKey(t), batches: make(map[opening.Hash]client.ContributeRequest), queried: make(map[string]tlog.Opening)}
	for i := range w.charges {
		w.charges[i], w.used[i] = make(map[opening.Hash]int), make(map[selector.Class]int)
	}
	hub := httptest.NewServer(http.HandlerFunc(w.serveHub))
	t.Cleanup(hub.Close)
	w.url = hub.URL
	plan := client.Plan{Pool: "pool", Epoch: "e1", T: 2, N: 3, Classes: []selector.Class{selector.Email, selector.Phone},
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: public(w.gov)}, {ID: "gov-2", Entity: "Court", Key: public(newKey(t))}}},
		Hub:        opening.Operator{ID: "hub", Entity: "Operator", URL: hub.URL, Key: public(w.hub), LogOrigin: "log", LogKey: public(w.hub)}}
	var hpke [3][]byte
	for i := range 3 {
		srv := httptest.NewServer(w.holder(i))
		t.Cleanup(srv.Close)
		w.keys[i], w.witness[i] = newKey(t), newKey(t)
		priv, pub, err := seal.GenerateHPKE()
		must(t, err)
		hpke[i] = priv
		plan.Holders = append(plan.Holders, opening.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), Entity: fmt.Sprint("Body ", i+1),
			URL: srv.URL, Key: public(w.keys[i]), HPKE: pub, Witness: public(w.witness[i])})
	}
	w.ceremony(plan, hpke)
	return w
}

func (w *world) ceremony(plan client.Plan, hpke [3][]byte) {
	params, err := plan.Params()
	must(w.t, err)
	var parties [3]*dkg.Party
	for i := range parties {
		parties[i], err = dkg.New(params, i+1, w.keys[i], hpke[i], rand.Reader)
		must(w.t, err)
	}
	round := func(f func(p *dkg.Party) ([]byte, error)) [][]byte {
		var out [][]byte
		for _, p := range parties {
			raw, err := f(p)
			must(w.t, err)
			out = append(out, raw)
		}
		return out
	}
	r1 := round(func(p *dkg.Party) ([]byte, error) { return p.Round1() })
	r2 := round(func(p *dkg.Party) ([]byte, error) { return p.Round2(r1) })
	r3 := round(func(p *dkg.Party) ([]byte, error) { return p.Round3(r2) })
	r4 := round(func(p *dkg.Party) ([]byte, error) { return p.Round4(r3) })
	for i, p := range parties {
		res, err := p.Finish(r4)
		must(w.t, err)
		w.shares[i] = res.Shares
		w.setup = client.Setup{Plan: plan, Transcript: res.Transcript}
	}
}

func (w *world) publish(cards ...Card) {
	p := w.setup.Plan
	w.manifest = opening.Manifest{Version: 1, Pool: p.Pool, Epoch: p.Epoch, Demo: true, Transcript: w.setup.Transcript.Hash(),
		Hub: p.Hub, Holders: p.Holders, Quorum: 2, Rules: []opening.Rule{opening.DefaultRule()}, CurrentRule: opening.DefaultRule().Hash(),
		Delays: opening.Delays{ReleaseEvery: 1}, Emergency: w.emergency, Scope: opening.Scope{Roles: []string{"unknown", opening.RolePossibleVictim}},
		LegalBases: []opening.LegalBasis{{ID: "b1", Purpose: "investigation", Recipient: "police", From: 0, To: today.AddDate(1, 0, 0).UnixMicro()}}}
	for _, c := range p.Classes {
		w.manifest.Classes = append(w.manifest.Classes, opening.ClassRule{Class: c, RuleVersion: c.RuleVersion(), DailyBudget: w.daily})
	}
	if w.auditor != nil {
		w.manifest.QueryAuditors = []opening.QueryAuditor{*w.auditor}
	}
	for _, c := range cards {
		if c.Authority != nil {
			w.manifest.Authority = *c.Authority
		}
		if c.Witness != nil && w.witnesses {
			w.manifest.DeskWitnesses = append(w.manifest.DeskWitnesses, *c.Witness)
		}
		if c.Approver != nil {
			w.manifest.Approvers = append(w.manifest.Approvers, *c.Approver)
		}
		if c.Member != nil {
			w.manifest.Members = append(w.manifest.Members, *c.Member)
		}
	}
	sm, err := opening.SignManifest(w.manifest)
	must(w.t, err)
	sm.Add("gov", w.gov)
	w.manifests = []opening.SignedManifest{sm}
}

// holder answers evaluations, questions about budgets and denials, as a real
// one does: it checks the time of every message and counts.
func (w *world) holder(i int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if i+1 >= w.deaf {
			http.Error(rw, "", http.StatusServiceUnavailable)
			return
		}
		var o signed.Object
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(rw, "", 400)
			return
		}
		if r.URL.Path == client.PathDeny {
			ack, _ := signed.Sign(client.DenialAckDomain, "h", w.keys[i], client.DenialAck{Denial: opening.Digest(o.Body), Holder: i + 1})
			answer(rw, ack)
			return
		}
		m, ok := w.message(rw, o, fmt.Sprint("holder-", i+1), r.URL.Path)
		switch {
		case !ok:
		case r.URL.Path == client.PathBudget:
			w.budget(rw, i, m)
		case r.URL.Path == client.PathAsked:
			w.asked(rw, i, m)
		default:
			w.evaluate(rw, i, m)
		}
	})
}

// readyLead makes one lead of everything that was contributed.
func (w *world) readyLead(playbook string) {
	w.lead = client.Lead{ID: "l1", Playbook: playbook}
	for _, b := range w.batches {
		for _, c := range b.Observations {
			l, err := c.Observation.Label()
			must(w.t, err)
			w.lead.Labels = append(w.lead.Labels, l)
		}
	}
}

// settle charges everywhere what any holder has charged: a desk goes on with
// the first t answers, and the last one may have been cut off.
func (w *world) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.charges {
		for digest, n := range w.charges[i] {
			for j := range w.charges {
				if _, ok := w.charges[j][digest]; !ok {
					w.charges[j][digest] = n
					w.used[j][w.classOf[digest]] += n
				}
			}
		}
	}
}

// message verifies a message to one receiver at the pool's own time.
func (w *world) message(rw http.ResponseWriter, o signed.Object, audience, path string) (signed.Message, bool) {
	who, _ := w.manifest.Member(o.Key)
	if a, ok := w.manifest.Approver(o.Key); ok && who.Key == nil {
		who.Key = a.Key
	}
	m, err := o.OpenMessage(audience, path, who.Key, w.clock.Now())
	if err != nil {
		w.problem(rw, http.StatusForbidden, "The message was refused: "+err.Error()+".")
	}
	return m, err == nil
}

func (w *world) problem(rw http.ResponseWriter, status int, detail string) {
	rw.WriteHeader(status)
	answer(rw, client.Problem{Detail: detail})
}

func (w *world) budget(rw http.ResponseWriter, i int, m signed.Message) {
	var req client.BudgetRequest
	must(w.t, json.Unmarshal(m.Body, &req))
	a := client.BudgetAnswer{Organisation: m.Sender, Index: i + 1, Nonce: req.Nonce, Charged: make([]bool, len(req.Batches))}
	for _, c := range w.manifest.Classes {
		a.Classes = append(a.Classes, client.ClassBudget{Class: c.Class, Daily: c.DailyBudget, Left: c.DailyBudget - w.used[i][c.Class]})
	}
	for j, digest := range req.Batches {
		_, a.Charged[j] = w.charges[i][digest]
	}
	o, err := signed.Sign(client.BudgetDomain, "h", w.keys[i], a)
	must(w.t, err)
	answer(rw, o)
}

func (w *world) evaluate(rw http.ResponseWriter, i int, m signed.Message) {
	var req client.EvaluateRequest
	var b client.BatchManifest
	if json.Unmarshal(m.Body, &req) != nil || json.Unmarshal(req.Batch.Body, &b) != nil {
		http.Error(rw, "", 400)
		return
	}
	digest, class := opening.Digest(req.Batch.Body), selector.Class(b.Class)
	w.basis = b.LegalBasis
	rule, _ := w.manifest.Class(class)
	if _, done := w.charges[i][digest]; !done {
		if b.Count > rule.DailyBudget-w.used[i][class] {
			w.problem(rw, http.StatusForbidden, "The daily budget is used up.")
			return
		}
		w.used[i][class] += b.Count
		w.charges[i][digest], w.classOf[digest] = b.Count, class
	}
	a, err := oprf.Evaluate(w.shares[i][b.Class], req.Points, rand.Reader)
	must(w.t, err)
	if i == w.liar {
		a.Evaluated[1] = a.Evaluated[0]
	}
	rec, err := signed.Sign(client.EvaluateReceiptDomain, "h", w.keys[i], client.EvaluateReceipt{Batch: digest, Answer: client.AnswerDigest(a), Index: i + 1})
	must(w.t, err)
	answer(rw, client.EvaluateAnswer{Answer: a, Receipt: rec})
}

// promise is the hub's that a batch will be in the log.
func (w *world) promise(org string, batch opening.Hash) signed.Object {
	p := client.QueryPromise{Pool: "pool", Epoch: "e1", Organisation: org, Batch: batch, Ticket: batch.String()[:32]}
	raw, err := signed.Marshal(p.Record())
	must(w.t, err)
	entry := tlog.Opening{Nonce: tlog.Hash(batch), Record: raw}
	w.queried[p.Ticket], p.Commitment = entry, opening.Hash(tlog.Commit(entry.Nonce, raw))
	o, err := signed.Sign(client.QueryPromiseDomain, "hub", w.hub, p)
	must(w.t, err)
	return o
}

func (w *world) receiptOf(ticket string) client.ReceiptProof {
	if !w.ticked {
		return client.ReceiptProof{State: client.ReceiptPending}
	}
	return client.ReceiptProof{State: client.ReceiptLogged, Log: &opening.LogProof{Opening: w.queried[ticket]}}
}

// asked lists what a holder charged, drawn by one head for all after a tick.
func (w *world) asked(rw http.ResponseWriter, i int, m signed.Message) {
	var req client.AskedRequest
	must(w.t, json.Unmarshal(m.Body, &req))
	a := client.Asked{Organisation: m.Sender, Index: i + 1, Since: req.Since, Nonce: req.Nonce, Batches: []client.AskedBatch{}}
	for digest, n := range w.charges[i] {
		b := client.AskedBatch{Batch: digest, Organisation: m.Sender, Class: string(w.classOf[digest]), Points: n, Day: "2026-11-24", Promise: w.promise(m.Sender, digest)}
		if w.ticked {
			b.Draw = &client.Draw{Size: 8, Time: w.clock.Now().Unix()}
			b.Draw.Sig = tlog.CosignatureOf(b.Draw.Checkpoint("log"), w.witness[i], b.Draw.Time)
		}
		a.Batches = append(a.Batches, b)
	}
	o, err := signed.Sign(client.AskedDomain, "h", w.keys[i], a)
	must(w.t, err)
	answer(rw, o)
}

func (w *world) serveHub(rw http.ResponseWriter, r *http.Request) {
	var o signed.Object
	var m signed.Message
	if r.Method == http.MethodPost && (json.NewDecoder(r.Body).Decode(&o) != nil || json.Unmarshal(o.Body, &m) != nil) {
		http.Error(rw, "", 400)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Method == http.MethodPost {
		if _, ok := w.message(rw, o, "hub", r.URL.Path); !ok {
			return
		}
		if w.says != "" {
			w.problem(rw, http.StatusConflict, w.says)
			return
		}
	}
	switch r.URL.Path {
	case client.PathTranscript:
		answer(rw, w.setup)
	case client.PathManifest:
		answer(rw, client.Manifests{Manifests: w.manifests})
	case client.PathQueries:
		var req client.QueryRequest
		_ = json.Unmarshal(m.Body, &req)
		answer(rw, client.QueryPromised{Promise: w.promise(m.Sender, req.Batch)})
	case client.PathReceipts:
		var req client.ReceiptRequest
		_ = json.Unmarshal(m.Body, &req)
		if _, known := w.queried[req.Ticket]; !known {
			w.problem(rw, http.StatusNotFound, "There is no such contribution.")
			return
		}
		answer(rw, w.receiptOf(req.Ticket))
	case client.PathContribute:
		if w.refuse {
			rw.WriteHeader(422)
			answer(rw, client.Problem{Detail: "no", Lines: []client.LineProblem{{Line: 1, Detail: "wrong"}}})
			return
		}
		var req client.ContributeRequest
		_ = json.Unmarshal(m.Body, &req)
		if _, again := w.batches[req.Root]; !again && w.gone > 0 && len(w.batches) >= w.gone-1 {
			http.Error(rw, "", http.StatusBadGateway)
			return
		}
		w.batches[req.Root] = req
		if w.down {
			http.Error(rw, "", http.StatusBadGateway)
			return
		}
		rec, _ := signed.Sign(client.ReceiptDomain, "hub", w.hub, client.Receipt{Pool: "pool", Org: m.Sender, Root: req.Root, Time: 1})
		answer(rw, client.ContributeAnswer{Receipt: rec})
	case client.PathWithdraw, client.PathCorrect, client.PathCorrectAny:
		var o signed.Object
		_ = json.Unmarshal(m.Body, &o)
		w.denials = append(w.denials, o)
		answer(rw, client.ContributeAnswer{})
	case client.PathSubject:
		var r client.SubjectReport
		_ = json.Unmarshal(m.Body, &r)
		w.subjects = append(w.subjects, client.SubjectItem{SubjectReport: r, Organisation: m.Sender, Taken: w.clock.Now().UnixMicro()})
		w.posted = append(w.posted, len(m.Body))
		answer(rw, client.CorrectedAck{})
	case client.PathSubjects:
		answer(rw, client.Subjects{Subjects: w.subjects})
	case client.PathCorrected:
		answer(rw, client.Corrected{Corrections: append([]client.CorrectedItem{}, w.corrected...)})
	case client.PathCorrectedAck:
		var o signed.Object
		_ = json.Unmarshal(m.Body, &o)
		w.receipts = append(w.receipts, o)
		answer(rw, client.CorrectedAck{})
	case client.PathLeads:
		answer(rw, client.Leads{Leads: []client.Lead{w.lead}})
	case client.PathOpenings:
		var req client.OpeningRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening = client.OpeningState{ID: "o1", Lead: req.Lead, State: "requested", Request: req.Request}
		answer(rw, client.OpeningID{ID: "o1"})
	case client.PathList:
		w.listed++
		answer(rw, client.Openings{Openings: []client.OpeningState{w.opening}})
	case client.PathWaiting:
		answer(rw, client.Waiting{Version: fmt.Sprint(w.opening.State, len(w.opening.Approvals)), Any: w.opening.State == "requested"})
	case client.PathApprove:
		var req client.ApproveRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening.Approvals = append(w.opening.Approvals, req.Approval)
		answer(rw, w.opening)
	case client.PathFetch:
		answer(rw, w.fetched())
	case client.PathReads:
		if w.unlogged {
			http.Error(rw, "", http.StatusServiceUnavailable)
			return
		}
		var head client.ReadsHead
		_ = json.Unmarshal(m.Body, &head)
		w.heads = append(w.heads, head)
		o, _ := signed.Sign(client.AnchoredDomain, "hub", w.hub, client.AnchoredReads{By: m.Sender, Time: w.clock.Now().UnixMicro(), ReadsHead: head})
		answer(rw, o)
	case client.PathHandle:
		var req client.HandleRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening.Handling = append(w.opening.Handling, req.Handling)
		w.notes = append(w.notes, req.Notes...)
		answer(rw, w.opening)
	case client.PathReview:
		var req client.ReviewRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening.Review = &req.Review
		answer(rw, w.opening)
	case client.PathOutcomes:
		raw, err := client.PackNotes(w.notes)
		must(w.t, err)
		answer(rw, client.Outcomes{Through: w.clock.Now().Unix(), Notes: raw})
	}
}

func (w *world) fetched() client.Fetched {
	var out client.Fetched
	digest := opening.Digest(w.opening.Request.Body)
	for _, b := range w.batches {
		leaves, err := client.Leaves(b.Observations)
		must(w.t, err)
		for place, c := range b.Observations {
			label, err := c.Observation.Label()
			must(w.t, err)
			path, err := seal.Prove(leaves, place)
			must(w.t, err)
			it := client.FetchedItem{Placed: opening.Placed{Observation: c.Observation, Path: path, Root: b.Root, BatchSig: b.Sig}, Box: c.Box}
			if w.tamper != nil {
				w.tamper(&it, label)
			}
			kem := it.Observation.KEM
			for i := 1; i < 3; i++ {
				p, err := seal.Decrypt(w.shares[i][client.PayloadLabel], "pool", "e1", kem, label, rand.Reader)
				must(w.t, err)
				raw, err := signed.Marshal(p)
				must(w.t, err)
				box, err := seal.SealTo(w.manifest.Authority.HPKE, opening.PartialInfo(digest, label, kem.U, i+1), raw)
				must(w.t, err)
				o, err := signed.Sign(opening.PartialDomain, fmt.Sprint("holder-", i+1), w.keys[i], opening.SealedPartial{Request: digest, Label: label, Index: i + 1, Sealed: box})
				must(w.t, err)
				it.Partials = append(it.Partials, o)
			}
			out.Items = append(out.Items, it)
		}
	}
	return out
}

func (w *world) desk(role, id, passphrase string) (*Desk, Card) {
	dir := filepath.Join(w.t.TempDir(), id)
	card, err := Init(dir, Profile{ID: id, Entity: "Entity of " + id, Sector: "bank", Role: role}, passphrase, rand.Reader)
	must(w.t, err)
	d, err := Open(context.Background(), Options{Dir: dir, Passphrase: passphrase, Clock: w.clock})
	must(w.t, err)
	w.t.Cleanup(func() { d.Close() })
	w.law(d)
	return d, card
}

// law gives a desk the simulated answer of its counsel.
func (w *world) law(d *Desk) {
	w.t.Helper()
	files, err := law.Simulated(rand.Reader)
	must(w.t, err)
	_, err = d.KeepLaw(context.Background(), files, "")
	must(w.t, err)
}
