package keyholder

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// world is a whole pool in one process: real holders behind their HTTP handlers,
// members, approvers, and a hub that does whatever the test wants, which makes
// every test here one with a hub that cooperates in the attack.
type world struct {
	t        *testing.T
	clock    *clock.ManualClock
	plan     client.Plan
	setup    client.Setup
	manifest opening.Manifest
	signed   opening.SignedManifest
	dirs     []string
	holders  []*Server
	members  map[string]client.Member
	keys     map[string]ed25519.PrivateKey // governors, approvers, hub, log
	authHPKE []byte
	http     *http.Client
	expires  int64 // of the tags of contributions to come; 0 for a year
	log      memoryLog
}

// memoryLog is a log without a database.
type memoryLog struct {
	hashes   []tlog.Hash
	openings []tlog.Opening
}

func (l *memoryLog) store(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, x := range idx {
		if x >= int64(len(l.hashes)) {
			return nil, errors.New("no such hash")
		}
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *memoryLog) append(t *testing.T, record any) int64 {
	t.Helper()
	raw, err := signed.Marshal(record)
	must(t, err)
	o := tlog.Opening{Nonce: tlog.Hash{byte(len(l.openings)), 9}, Record: raw}
	n := int64(len(l.openings))
	more, err := tlog.Append(n, tlog.Commit(o.Nonce, o.Record), l.store)
	must(t, err)
	l.hashes, l.openings = append(l.hashes, more...), append(l.openings, o)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return key
}

func pub(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

var orgs = []struct{ id, entity, sector string }{
	{"bank-a", "Bank A", "bank"}, {"platform-a", "Platform A", "platform"}, {"hotline-a", "Hotline A", "hotline"},
}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// past is what all worlds of this package's tests share: a ceremony that was held once.
// Every world gets copies of the holders' directories and their journals start empty.
type past struct {
	plan  client.Plan
	setup client.Setup
	keys  map[string]ed25519.PrivateKey // that the plan fixes
	files [3]map[string][]byte          // of each holder's directory
}

var held = sync.OnceValues(func() (past, error) {
	p := past{keys: make(map[string]ed25519.PrivateKey)}
	for _, id := range []string{"hub", "log", "gov-1", "gov-2", "gov-3"} {
		var err error
		if _, p.keys[id], err = ed25519.GenerateKey(rand.Reader); err != nil {
			return p, err
		}
	}
	p.plan = client.Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email, selector.Bank},
		Hub: opening.Operator{ID: "hub", Entity: "Operator", URL: "http://hub.test", Key: pub(p.keys["hub"]), LogOrigin: "parallax.test/pool", LogKey: pub(p.keys["log"])}}
	for i := range 3 {
		id := fmt.Sprint("gov-", i+1)
		p.plan.Governance.Governors = append(p.plan.Governance.Governors, opening.Governor{ID: id, Entity: id, Key: pub(p.keys[id])})
	}
	p.plan.Governance.Threshold = 2
	dir, err := os.MkdirTemp("", "ceremony")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(dir)
	return p, p.ceremony(dir)
})

func (p *past) ceremony(dir string) error {
	dirs := make([]string, 3)
	for i := range dirs {
		dirs[i] = filepath.Join(dir, fmt.Sprint(i))
		card, err := Init(dirs[i], fmt.Sprint("holder-", i+1), fmt.Sprint("Body ", i+1), fmt.Sprintf("http://holder-%d.test", i+1), rand.Reader)
		if err != nil {
			return err
		}
		card.Index = i + 1
		p.plan.Holders = append(p.plan.Holders, card)
	}
	b := newBoard(3)
	if err := errors.Join(hold(p.plan, dirs, []Board{b, b, b}, 60_000)...); err != nil {
		return err
	}
	for i := range dirs {
		p.files[i] = make(map[string][]byte)
		for _, name := range []string{identityFile, sharesFile} {
			raw, err := os.ReadFile(filepath.Join(dirs[i], name))
			if err != nil {
				return err
			}
			p.files[i][name] = raw
		}
		who, err := LoadIdentity(dirs[i])
		if err != nil {
			return err
		}
		k, err := loadKeys(dirs[i], who)
		if err != nil {
			return err
		}
		p.setup = client.Setup{Plan: p.plan, Transcript: k.setup.Transcript}
	}
	return p.setup.Verify(opening.Hash(p.setup.Transcript.Hash()))
}

// inProcess takes requests to the holders of one world to their handlers.
type inProcess map[string]http.Handler

func (r inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	h, ok := r[req.URL.Host]
	if !ok {
		return nil, fmt.Errorf("no such host %s", req.URL.Host)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result(), nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldUnder(t, func(*opening.Manifest) {})
}

// newWorldUnder makes a world whose first manifest is changed.
func newWorldUnder(t *testing.T, change func(*opening.Manifest)) *world {
	t.Helper()
	p, err := held()
	must(t, err)
	w := &world{t: t, clock: clock.Manual(start), plan: p.plan, setup: p.setup, keys: maps.Clone(p.keys), members: make(map[string]client.Member)}
	for _, id := range []string{"officer", "overseer", "overseer-2", "stranger"} {
		w.keys[id] = newKey(t)
	}
	net := inProcess{}
	for i, files := range p.files {
		dir := t.TempDir()
		for name, raw := range files {
			must(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
		}
		w.dirs, w.holders = append(w.dirs, dir), append(w.holders, w.open(dir))
		net[fmt.Sprintf("holder-%d.test", i+1)] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.holders[i].Handler().ServeHTTP(rw, r)
		})
	}
	net["hub.test"] = http.HandlerFunc(w.serveHub)
	w.http = &http.Client{Transport: net}
	w.addPeople()
	change(&w.manifest)
	w.publish(w.manifest)
	return w
}

// serveHub promises whatever is handed in.
func (w *world) serveHub(rw http.ResponseWriter, r *http.Request) {
	var o signed.Object
	var m signed.Message
	var q client.QueryRequest
	must(w.t, json.NewDecoder(r.Body).Decode(&o))
	must(w.t, json.Unmarshal(o.Body, &m))
	must(w.t, json.Unmarshal(m.Body, &q))
	raw, err := signed.Marshal(client.QueryPromised{Promise: w.promise(m.Sender, q.Batch)})
	must(w.t, err)
	rw.Write(raw)
}

// promise is the hub's for a batch of org.
func (w *world) promise(org string, batch opening.Hash) signed.Object {
	w.t.Helper()
	o, err := signed.Sign(client.QueryPromiseDomain, "hub", w.keys["hub"], client.QueryPromise{Pool: "pool", Epoch: "2026-11", Organisation: org, Batch: batch, Time: w.clock.Now().UnixMicro()})
	must(w.t, err)
	return o
}

func (w *world) open(dir string) *Server {
	w.t.Helper()
	s, err := Open(Options{Dir: dir, Demo: true, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(w.t, err)
	w.t.Cleanup(func() { s.Close() })
	return s
}

func (w *world) addPeople() {
	w.t.Helper()
	priv, public, err := seal.GenerateHPKE()
	must(w.t, err)
	w.authHPKE = priv
	m := opening.Manifest{Version: 1, Pool: "pool", Epoch: "2026-11", Issued: start.UnixMicro(), Demo: true,
		Transcript: opening.Hash(w.setup.Transcript.Hash()), Hub: w.plan.Hub, Holders: w.plan.Holders, Quorum: 2,
		Authority:   opening.Authority{ID: "police", Entity: "Police", HPKE: public},
		Rules:       []opening.Rule{opening.DefaultRule()},
		CurrentRule: opening.DefaultRule().Hash(), Delays: opening.Delays{OpenSeconds: 3600, ReleaseEvery: 1800}}
	for _, c := range w.plan.Classes {
		m.Classes = append(m.Classes, opening.ClassRule{Class: c, RuleVersion: c.RuleVersion(), DailyBudget: 1024})
	}
	for _, o := range orgs {
		w.keys[o.id] = newKey(w.t)
		m.Members = append(m.Members, opening.Member{ID: o.id, Name: o.entity, Entity: o.entity, Sector: o.sector,
			Key: pub(w.keys[o.id]), Admitted: start.AddDate(0, 0, -120).UnixMicro(), Status: opening.Active})
	}
	m.Approvers = []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority, Key: pub(w.keys["officer"])},
		{ID: "overseer", Entity: "Oversight", Role: opening.RoleOversight, Key: pub(w.keys["overseer"])},
		{ID: "overseer-2", Entity: "Oversight", Role: opening.RoleOversight, Key: pub(w.keys["overseer-2"])}}
	m.LegalBases = []opening.LegalBasis{{ID: "basis-1", Purpose: "investigation", Recipient: "police",
		From: start.AddDate(0, -1, 0).UnixMicro(), To: start.AddDate(1, 0, 0).UnixMicro()}}
	w.manifest = m
}

func (w *world) sign(m opening.Manifest, governors ...string) opening.SignedManifest {
	w.t.Helper()
	sm, err := opening.SignManifest(m)
	must(w.t, err)
	for _, g := range governors {
		sm.Add(g, w.keys[g])
	}
	return sm
}

func (w *world) publish(m opening.Manifest) {
	w.t.Helper()
	sm := w.sign(m, "gov-1", "gov-2")
	for _, h := range w.holders {
		must(w.t, h.Manifest([]opening.SignedManifest{sm}))
	}
	w.manifest, w.signed = m, sm
	for _, o := range orgs {
		w.members[o.id] = w.member(o.id)
	}
}

func (w *world) member(id string) client.Member {
	c := client.System(id, w.keys[id])
	c.Now, c.HTTP = w.clock.Now, w.http
	return client.Member{Caller: c, Setup: w.setup, Manifest: w.manifest}
}

// tokens keeps possession keys by input: the ceremony is shared, so they are
// the same in every world, and to evaluate an address once is enough.
var tokens sync.Map

// tokenise evaluates an input with the world's holders, once for all worlds.
func (w *world) tokenise(m client.Member, input []byte) oprf.Possession {
	w.t.Helper()
	if known, ok := tokens.Load(string(input)); ok {
		return known.(oprf.Possession)
	}
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256(input), Time: w.clock.Now().UnixMicro(), Inputs: [][]byte{input}, Basis: "basis-1"}
	must(w.t, m.Prepare(&b))
	keys, err := m.Tokenise(context.Background(), &b)
	must(w.t, err)
	tokens.Store(string(input), keys[0])
	return keys[0]
}

// contribution is one observation in the log, as the hub keeps it.
type contribution struct {
	item  opening.Item
	box   []byte
	label seal.Label
	index int64
}

// contribute tokenises an address and seals one observation about it.
func (w *world) contribute(org, address, kind string, strength int, change func(*opening.Header)) contribution {
	w.t.Helper()
	m := w.members[org]
	forms, err := selector.Normalise(selector.Email, address, selector.Hint{})
	must(w.t, err)
	token := w.tokenise(m, forms[0].Input())
	h := opening.Header{Version: opening.HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: org, Origin: "own",
		Role: "unknown", Source: "b", Info: "2", Strength: strength, Kind: kind, Week: "2026-W44",
		Rule: w.manifest.CurrentRule, Manifest: w.manifest.Version}
	member, _ := w.manifest.Member(org)
	h.Sector = member.Sector
	_, err = rand.Read(h.Nonce[:])
	must(w.t, err)
	if change != nil {
		change(&h)
	}
	expires := start.AddDate(1, 0, 0).UnixMicro()
	if w.expires > 0 {
		expires = w.expires
	}
	d := client.Draft{Header: h, Payload: []byte("reference of " + org),
		Possessions: []client.TagDraft{{Class: selector.Email, Possession: token, Expires: expires}}}
	c, label, err := m.Seal(d)
	must(w.t, err)
	return w.logBatch(m, c, label)
}

func (w *world) logBatch(m client.Member, c client.Contributed, label seal.Label) contribution {
	w.t.Helper()
	req, err := m.Sign([]client.Contributed{c})
	must(w.t, err)
	leaf, err := c.Observation.Leaf()
	must(w.t, err)
	path, err := seal.Prove([]seal.Leaf{leaf}, 0)
	must(w.t, err)
	index := w.log.append(w.t, opening.BatchRecord{Type: "batch", Pool: "pool", Epoch: "2026-11", Org: m.Sender, Root: req.Root})
	return contribution{item: opening.Item{Placed: opening.Placed{Observation: c.Observation, Path: path, Root: req.Root, BatchSig: req.Sig}},
		box: c.Box, label: label, index: index}
}

// tick has all holders cosign the log's head and returns the note.
func (w *world) tick() []byte {
	w.t.Helper()
	size := int64(len(w.log.openings))
	root, err := tlog.Root(size, w.log.store)
	must(w.t, err)
	note := tlog.SignCheckpoint(tlog.Checkpoint{Origin: w.plan.Hub.LogOrigin, Size: size, Root: root}, w.keys["log"])
	out := note
	for _, h := range w.holders {
		proof, err := tlog.ProveConsistency(h.Status().LogSize, size, w.log.store)
		must(w.t, err)
		ans, err := h.Cosign(w.fromHub(h, client.PathCosign, client.CosignRequest{Note: note, Proof: proof}))
		must(w.t, err)
		out = tlog.AddLine(out, ans.Line)
	}
	return out
}

func (w *world) fromHub(h *Server, path string, body any) signed.Object {
	w.t.Helper()
	raw, err := signed.Marshal(body)
	must(w.t, err)
	o, err := signed.NewMessage(h.who.ID, "hub", path, raw, w.keys["hub"], w.clock.Now(), rand.Reader)
	must(w.t, err)
	return o
}

// attempt is everything that goes into an opening; tests bend it.
type attempt struct {
	items     []contribution
	request   opening.Request
	signer    string
	approvals []string
	wait      time.Duration                // between logging the request and asking
	record    func(*opening.RequestRecord) // bends the log entry
	note      []byte
	bundle    opening.Bundle
}

func (w *world) request(items []contribution, open ...int) *attempt {
	a := &attempt{items: items, wait: 2 * time.Hour, signer: "officer", approvals: []string{"officer", "overseer"}}
	a.request = opening.Request{Pool: "pool", Epoch: "2026-11", Manifest: 1, Purpose: "investigation", LegalBasis: "basis-1",
		Recipient: "police", Playbook: opening.PlaybookStandard, Time: w.clock.Now().UnixMicro(),
		Expires: w.clock.Now().AddDate(0, 0, 3).UnixMicro()}
	for _, i := range open {
		a.request.Labels = append(a.request.Labels, items[i].label)
	}
	return a
}

// assemble signs request and approvals, logs them, waits out the delay and
// makes the bundle.
func (w *world) assemble(a *attempt) {
	w.t.Helper()
	req, err := signed.Sign(opening.RequestDomain, a.signer, w.keys[a.signer], a.request)
	must(w.t, err)
	rec := opening.RequestRecord{Type: "request", Pool: "pool", Request: opening.Digest(req.Body), Approvals: []opening.Hash{}}
	b := opening.Bundle{Request: req, Approvals: []signed.Object{}, Manifests: []opening.SignedManifest{w.signed}}
	for _, id := range a.approvals {
		o, err := signed.Sign(opening.ApprovalDomain, id, w.keys[id], opening.Approval{Approver: id, Request: opening.Digest(req.Body), Time: w.clock.Now().UnixMicro()})
		must(w.t, err)
		b.Approvals = append(b.Approvals, o)
		rec.Approvals = append(rec.Approvals, opening.Digest(o.Body))
	}
	if a.record != nil {
		a.record(&rec)
	}
	index := w.log.append(w.t, rec)
	w.tick()
	w.clock.Advance(a.wait)
	a.note = w.tick()
	b.RequestLog = w.proof(index)
	for _, c := range a.items {
		it := c.item
		it.Log = w.proof(c.index)
		b.Items = append(b.Items, it)
	}
	b.Checkpoint = a.note
	size := int64(len(w.log.openings))
	b.Consistency, err = tlog.ProveConsistency(size, size, w.log.store)
	must(w.t, err)
	a.bundle = b
}

func (w *world) proof(index int64) opening.LogProof {
	w.t.Helper()
	p, err := tlog.ProveInclusion(int64(len(w.log.openings)), index, w.log.store)
	must(w.t, err)
	return opening.LogProof{Opening: w.log.openings[index], Inclusion: p}
}

// evidence is three organisations' observations about one address, witnessed
// and old enough to be opened.
func (w *world) evidence() []contribution {
	w.t.Helper()
	items := []contribution{
		w.contribute("bank-a", "someone@mail-one.net", "payment", 2, nil),
		w.contribute("platform-a", "Someone@mail-one.net", "account", 2, nil),
		w.contribute("hotline-a", "someone@mail-one.net", "report", 1, nil),
	}
	w.tick()
	w.clock.Advance(2 * time.Hour)
	return items
}
