package desk

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/client"
	"parallax/group"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/seal/sealtest"
	"parallax/selector"
	"parallax/signed"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a pool of three holders and a hub that keeps what it is sent.
type world struct {
	t         *testing.T
	setup     client.Setup
	manifests []opening.SignedManifest
	manifest  opening.Manifest
	shares    [3]map[string]group.Share
	keys      [3]ed25519.PrivateKey
	hub, gov  ed25519.PrivateKey
	down      bool // the hub
	refuse    bool // the hub
	deaf      int  // holders from this index on are away
	charged   map[opening.Hash]int
	batches   map[opening.Hash]client.ContributeRequest
	tamper    func(*client.FetchedItem, seal.Label) // what the hub does to what it delivers
	opening   client.OpeningState
	lead      client.Lead
	url       string
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
	w := &world{t: t, deaf: 4, hub: newKey(t), gov: newKey(t), charged: make(map[opening.Hash]int), batches: make(map[opening.Hash]client.ContributeRequest)}
	hub := httptest.NewServer(http.HandlerFunc(w.serveHub))
	t.Cleanup(hub.Close)
	w.url = hub.URL
	plan := client.Plan{Pool: "pool", Epoch: "e1", T: 2, N: 3, Classes: []selector.Class{selector.Email, selector.Phone},
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: public(w.gov)}}},
		Hub:        opening.Operator{ID: "hub", Entity: "Operator", URL: hub.URL, Key: public(w.hub), LogOrigin: "log", LogKey: public(w.hub)}}
	var hpke [3][]byte
	for i := range 3 {
		srv := httptest.NewServer(w.holder(i))
		t.Cleanup(srv.Close)
		w.keys[i] = newKey(t)
		priv, pub, err := seal.GenerateHPKE()
		must(t, err)
		hpke[i] = priv
		plan.Holders = append(plan.Holders, opening.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), Entity: fmt.Sprint("Body ", i+1),
			URL: srv.URL, Key: public(w.keys[i]), HPKE: pub, Witness: public(newKey(t))})
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
		Delays: opening.Delays{ReleaseEvery: 1}, Scope: opening.Scope{Roles: []string{"unknown", opening.RolePossibleVictim}},
		LegalBases: []opening.LegalBasis{{ID: "b1", Purpose: "investigation", Recipient: "police", From: 0, To: today.AddDate(1, 0, 0).UnixMicro()}}}
	for _, c := range p.Classes {
		w.manifest.Classes = append(w.manifest.Classes, opening.ClassRule{Class: c, RuleVersion: c.RuleVersion(), DailyBudget: 300})
	}
	for _, c := range cards {
		if c.Authority != nil {
			w.manifest.Authority = *c.Authority
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

// holder answers evaluations and denials.
func (w *world) holder(i int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
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
		var m signed.Message
		var req client.EvaluateRequest
		var b client.BatchManifest
		if json.Unmarshal(o.Body, &m) != nil || json.Unmarshal(m.Body, &req) != nil || json.Unmarshal(req.Batch.Body, &b) != nil {
			http.Error(rw, "", 400)
			return
		}
		a, err := oprf.Evaluate(w.shares[i][b.Class], req.Points, rand.Reader)
		if err != nil {
			http.Error(rw, "", 400)
			return
		}
		digest := opening.Digest(req.Batch.Body)
		if i == 0 {
			w.charged[digest] = b.Count
		}
		rec, _ := signed.Sign(client.EvaluateReceiptDomain, "h", w.keys[i], client.EvaluateReceipt{Batch: digest, Index: i + 1})
		answer(rw, client.EvaluateAnswer{Answer: a, Receipt: rec})
	})
}

func (w *world) serveHub(rw http.ResponseWriter, r *http.Request) {
	var o signed.Object
	var m signed.Message
	if r.Method == http.MethodPost && (json.NewDecoder(r.Body).Decode(&o) != nil || json.Unmarshal(o.Body, &m) != nil) {
		http.Error(rw, "", 400)
		return
	}
	switch r.URL.Path {
	case client.PathTranscript:
		answer(rw, w.setup)
	case client.PathManifest:
		answer(rw, client.Manifests{Manifests: w.manifests})
	case client.PathContribute:
		if w.refuse {
			rw.WriteHeader(422)
			answer(rw, client.Problem{Detail: "no", Lines: []client.LineProblem{{Line: 1, Detail: "wrong"}}})
			return
		}
		var req client.ContributeRequest
		_ = json.Unmarshal(m.Body, &req)
		w.batches[req.Root] = req
		if w.down {
			http.Error(rw, "", http.StatusBadGateway)
			return
		}
		rec, _ := signed.Sign(client.ReceiptDomain, "hub", w.hub, client.Receipt{Pool: "pool", Org: m.Sender, Root: req.Root, Time: 1})
		answer(rw, client.ContributeAnswer{Receipt: rec})
	case client.PathWithdraw:
		answer(rw, client.ContributeAnswer{})
	case client.PathLeads:
		answer(rw, client.Leads{Leads: []client.Lead{w.lead}})
	case client.PathOpenings:
		var req client.OpeningRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening = client.OpeningState{ID: "o1", Lead: req.Lead, State: "requested", Request: req.Request}
		answer(rw, client.OpeningID{ID: "o1"})
	case client.PathList:
		answer(rw, client.Openings{Openings: []client.OpeningState{w.opening}})
	case client.PathApprove:
		var req client.ApproveRequest
		_ = json.Unmarshal(m.Body, &req)
		w.opening.Approvals = append(w.opening.Approvals, req.Approval)
		answer(rw, w.opening)
	case client.PathFetch:
		answer(rw, w.fetched())
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
	d, err := Open(context.Background(), Options{Dir: dir, Passphrase: passphrase, Clock: clock.Fixed(today)})
	must(w.t, err)
	w.t.Cleanup(func() { d.Close() })
	return d, card
}

const people = "ref,email,mobile\nR1,first.person@gmail.com,0412 903 177\nR2,second.person@gmail.com,\nR2,second.person@gmail.com,\n"

var peopleMapping = Mapping{Reference: "ref", Strength: "=2", Columns: map[string]ColumnMapping{
	"email": {Class: selector.Email}, "mobile": {Class: selector.Phone, Country: "AU"}}}

func TestFromFileToReadLead(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, bankCard := w.desk(RoleContributor, "bank", "a long passphrase")
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	w.publish(bankCard, policeCard, overCard)
	pin := opening.Hash(w.setup.Transcript.Hash())
	if _, err := bank.Join(ctx, w.url, opening.Hash{1}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("a wrong pin: %v", err)
	}
	for _, d := range []*Desk{bank, police, overseer} {
		_, err := d.Join(ctx, w.url, pin)
		must(t, err)
	}
	path := file(t, "people.csv", people)
	p, err := bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if p.Observations != 2 || p.Done != 1 || !p.Fits() || p.Example == nil || len(p.Classes) != 2 || p.Classes[0].Points != 256 {
		t.Fatalf("plan %+v", p)
	}

	w.deaf = 2 // one holder left: nothing happens, and nothing is sent
	if _, err := bank.Submit(ctx, p, "b1", nil); err == nil || len(w.batches) != 0 {
		t.Fatalf("with one holder: %v, %d batches", err, len(w.batches))
	}
	w.deaf, w.down = 4, true
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the hub away: %v", err)
	}
	w.down = false
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	res, err := bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	if res.Resent != 1 || res.Observations != 0 || len(w.batches) != 1 || len(w.charged) != 2 {
		t.Fatalf("resumed: %+v, %d batches, %d charged", res, len(w.batches), len(w.charged))
	}
	s, err := bank.Status(ctx)
	must(t, err)
	if s.Contributions != 1 || s.Unsent != 0 || s.Rows != 2 || s.OpenBatches != 0 || !s.Admitted {
		t.Errorf("status %+v", s)
	}

	w.lead = client.Lead{ID: "l1"}
	for _, b := range w.batches {
		for _, c := range b.Observations {
			l, err := c.Observation.Label()
			must(t, err)
			w.lead.Labels = append(w.lead.Labels, l)
		}
	}
	id, err := police.Request(ctx, "l1", "investigation", "b1", "")
	must(t, err)
	for _, d := range []*Desk{police, overseer} {
		_, err := d.Approve(ctx, id)
		must(t, err)
	}
	if _, _, err := opening.Approved(w.manifest, w.opening.Request, w.opening.Approvals, today); err != nil {
		t.Errorf("approvals: %v", err)
	}
	lead, err := police.OpenLead(ctx, id)
	must(t, err)
	var text strings.Builder
	lead.Text(&text)
	if len(lead.Observations) != 2 || !strings.Contains(text.String(), "second.person@gmail.com") || !strings.Contains(text.String(), "Unverified") {
		t.Errorf("lead:\n%s", text.String())
	}
	w.tamper = func(it *client.FetchedItem, label seal.Label) {
		it.Observation.KEM, err = sealtest.Forge("pool", "e1", label)
		must(t, err)
	}
	if _, err := police.OpenLead(ctx, id); err == nil || !strings.Contains(fault.Sentence(err), "did not sign") {
		t.Errorf("an encapsulation that the hub swapped: %v", err)
	}
	w.tamper = func(it *client.FetchedItem, label seal.Label) {
		it.Observation.KEM, err = sealtest.Forge("pool", "e1", label)
		must(t, err)
		leaf, err := it.Observation.Leaf()
		must(t, err)
		it.Root, err = seal.Root([]seal.Leaf{leaf})
		must(t, err)
		it.Path = seal.Path{Index: 0, Count: 1, Nodes: []seal.Bytes32{}}
		it.BatchSig = seal.SignBatch(bank.signKey(), "pool", "e1", "bank", it.Root)
	}
	if _, err := police.OpenLead(ctx, id); err == nil || !strings.Contains(fault.Sentence(err), "What bank signed") {
		t.Errorf("an encapsulation that the member itself signed and that opens nothing: %v", err)
	}
	w.tamper = nil
	if _, err := overseer.OpenLead(ctx, id); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the overseer reads: %v", err)
	}
	raw, err := os.ReadFile(police.readsPath())
	must(t, err)
	must(t, os.WriteFile(police.readsPath(), []byte(strings.Replace(string(raw), "police", "nobody", 1)+string(raw)), 0o600))
	if _, err := police.OpenLead(ctx, id); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a changed read log: %v", err)
	}

	wd, err := bank.Withdraw(ctx, "R2", "mistaken")
	if err != nil || !wd.Done || wd.Observations != 1 || wd.Need != 2 || !wd.Hub {
		t.Errorf("withdrawal %+v, %v", wd, err)
	}
	w.deaf = 2
	if wd, err = bank.Withdraw(ctx, "R2", "mistaken"); err != nil || wd.Done {
		t.Errorf("one acknowledgement is not enough: %+v, %v", wd, err)
	}
}

func TestRefusedContributionAndBudget(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	path := file(t, "people.csv", people)
	w.refuse = true
	p, err := bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "observation 1") {
		t.Errorf("refused: %v", err)
	}
	w.refuse = false
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if res, err := bank.Submit(ctx, p, "b1", nil); err != nil || res.Observations != 2 || len(w.charged) != 2 {
		t.Errorf("after the refusal: %+v, %v, charged %d", res, err, len(w.charged))
	}
	var many strings.Builder
	many.WriteString("ref,email,mobile\n")
	for i := range 400 {
		fmt.Fprintf(&many, "N%d,person.number%d@gmail.com,\n", i, i)
	}
	p, err = bank.Plan(ctx, File(file(t, "many.csv", many.String())), peopleMapping)
	must(t, err)
	before := len(w.charged)
	if _, err := bank.Submit(ctx, p, "b1", nil); p.Fits() || fault.KindOf(err) != fault.Invalid || len(w.charged) != before {
		t.Errorf("over budget: %v", err)
	}
}

func TestPossibleVictimPayloadIsEmpty(t *testing.T) {
	p := payload("bank", Record{Role: opening.RolePossibleVictim, Note: "n", Reference: "R", Selectors: []selector.Selector{{Class: selector.Email, Value: "v"}}})
	if p.Note != "" || len(p.Selectors) != 0 || p.Reference != "R" {
		t.Errorf("%+v", p)
	}
}

func TestStoreShowsNothing(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "secret words")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
	must(t, err)
	_, err = bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	must(t, bank.Close())
	names, err := filepath.Glob(filepath.Join(bank.dir, "*"))
	must(t, err)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		must(t, err)
		for _, word := range []string{"first.person", "903177"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s contains %q in the clear", filepath.Base(name), word)
			}
		}
	}
	if _, _, err := loadIdentity(bank.dir, "other words"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := Init(bank.dir, bank.Profile(), "", rand.Reader); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second init: %v", err)
	}
}

func TestPayloadIsBounded(t *testing.T) {
	rec := Record{Reference: "R"}
	for range opening.MaxTags {
		rec.Selectors = append(rec.Selectors, selector.Selector{Class: selector.URL, Value: strings.Repeat(`"`, 2000)})
	}
	raw, err := payload("bank", rec).bounded()
	if err != nil || len(raw) > maxPayload || len(raw) < maxPayload/2 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}
