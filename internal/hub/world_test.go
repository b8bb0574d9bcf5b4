package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/gateway/law"
	"parallax/internal/keyholder"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pub(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// world is a whole pool: a real hub and three real key holders behind HTTP
// servers, a ceremony over the hub's own board, members and approvers.
type world struct {
	t        *testing.T
	clock    *clock.ManualClock
	hub      *Server
	url      string
	holders  []*keyholder.Server
	dirs     []string // of the holders
	setup    client.Setup
	man      opening.Manifest
	first    opening.Manifest // version 1, as it was signed
	keys     map[string]ed25519.PrivateKey
	authHPKE []byte
	// auditHPKE opens answers to query audits.
	auditHPKE []byte
}

var orgs = []struct{ id, entity, sector string }{
	{"bank-a", "Bank A", "bank"}, {"platform-a", "Platform A", "platform"}, {"hotline-a", "Hotline A", "hotline"}, {"bank-b", "Bank B", "bank"},
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newWorld(t *testing.T, db *store.DB) *world { return newWorldWith(t, db, func(*Options) {}) }

// fewLeaves is a log that grows by eight leaves at a tick.
func fewLeaves(o *Options) { o.LeavesPerTick = 8 }

func newWorldWith(t *testing.T, db *store.DB, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, clock: clock.Manual(start), keys: make(map[string]ed25519.PrivateKey)}
	names := []string{"gov-1", "gov-2", "gov-3", "officer", "overseer", "auditor", "query-auditor", "stranger"}
	for _, o := range orgs {
		names = append(names, o.id)
	}
	for _, id := range names {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		w.keys[id] = key
	}
	front := http.NewServeMux()
	srv := httptest.NewServer(front)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	dir := t.TempDir()
	card, err := Init(dir, "hub", "Operator", srv.URL, "", rand.Reader)
	must(t, err)
	plan := client.Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email, selector.Bank}, Hub: card}
	for i := range 3 {
		id := fmt.Sprint("gov-", i+1)
		plan.Governance.Governors = append(plan.Governance.Governors, opening.Governor{ID: id, Entity: id, Key: pub(w.keys[id])})
	}
	plan.Governance.Threshold = 2
	dirs, muxes := make([]string, 3), make([]*http.ServeMux, 3)
	for i := range 3 {
		var h opening.Holder
		h, dirs[i], muxes[i] = newHolder(t, i+1, fmt.Sprint("holder-", i+1))
		plan.Holders = append(plan.Holders, h)
	}
	who, err := LoadIdentity(dir)
	must(t, err)
	keys, list := records(t, dir, w.clock)
	o := Options{DB: db, Keys: keys, Deletions: list, Identity: who, Plan: plan, Demo: true, LeavesPerTick: 16, Clock: w.clock, Log: quiet()}
	files, err := law.Simulated(rand.Reader)
	must(t, err)
	o.Law = answersBy(files)
	change(&o)
	w.hub, err = Open(context.Background(), o)
	must(t, err)
	front.Handle("/", w.hub.Handler())
	w.ceremony(plan, dirs)
	for i := range 3 {
		w.serve(dirs[i], muxes[i])
	}
	must(t, client.Get(context.Background(), http.DefaultClient, w.url+client.PathTranscript, &w.setup))
	w.people(plan)
	return w
}

// answersBy are law data that nobody changes.
func answersBy(files law.Files) func() (law.Files, error) {
	return func() (law.Files, error) { return files, nil }
}

// newHolder makes an identity behind a server that serves nothing yet.
func newHolder(t *testing.T, index int, id string) (opening.Holder, string, *http.ServeMux) {
	t.Helper()
	mux, dir := http.NewServeMux(), t.TempDir()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	h, err := keyholder.Init(dir, id, "Body "+strings.TrimPrefix(id, "holder-"), srv.URL, rand.Reader)
	must(t, err)
	h.Index = index
	return h, dir, mux
}

// serve starts the holder of a directory.
func (w *world) serve(dir string, mux *http.ServeMux) {
	w.t.Helper()
	h, err := keyholder.Open(keyholder.Options{Dir: dir, Demo: true, Clock: w.clock, Log: quiet()})
	must(w.t, err)
	w.t.Cleanup(func() { h.Close() })
	w.holders, w.dirs = append(w.holders, h), append(w.dirs, dir)
	mux.Handle("/", h.Handler())
}

// records are the record keys and the list of deletions of a hub's folder.
func records(t *testing.T, dir string, c clock.Clock) (*recordkeys.Keys, *recordkeys.List) {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(dir, recordkeys.KeysFile))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	keys, err := recordkeys.New(context.Background(), db, c, rand.Reader)
	must(t, err)
	return keys, recordkeys.NewList(filepath.Join(dir, recordkeys.ListFile))
}

func (w *world) ceremony(plan client.Plan, dirs []string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			board := client.NewBoard(w.url, plan.Pool, plan.Epoch, http.DefaultClient)
			tr, err := keyholder.Ceremony(ctx, dirs[i], plan, board, keyholder.Poll(5*time.Millisecond), func(string) {})
			if err == nil {
				err = board.PostTranscript(ctx, tr)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	must(w.t, errors.Join(errs...))
}

func (w *world) people(plan client.Plan) {
	w.t.Helper()
	priv, public, err := seal.GenerateHPKE()
	must(w.t, err)
	w.authHPKE = priv
	rule := opening.DefaultRule()
	m := opening.Manifest{Version: 1, Pool: "pool", Epoch: "2026-11", Issued: start.UnixMicro(), Demo: true,
		Scope:      opening.Scope{Roles: []string{"unknown", opening.RolePossibleVictim}},
		Transcript: opening.Hash(w.setup.Transcript.Hash()), Hub: plan.Hub, Holders: plan.Holders, Quorum: 2,
		Authority: opening.Authority{ID: "police", Entity: "Police", HPKE: public},
		Rules:     []opening.Rule{rule}, CurrentRule: rule.Hash(), Delays: opening.Delays{OpenSeconds: 3600, ReleaseEvery: 1800}}
	for _, c := range plan.Classes {
		m.Classes = append(m.Classes, opening.ClassRule{Class: c, RuleVersion: c.RuleVersion(), DailyBudget: 4096})
	}
	for _, o := range orgs {
		m.Members = append(m.Members, opening.Member{ID: o.id, Name: o.entity, Entity: o.entity, Sector: o.sector,
			Key: pub(w.keys[o.id]), Admitted: start.AddDate(0, 0, -120).UnixMicro(), Status: opening.Active})
	}
	m.Approvers = []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority, Key: pub(w.keys["officer"])},
		{ID: "overseer", Entity: "Oversight", Role: opening.RoleOversight, Key: pub(w.keys["overseer"])}}
	m.LegalBases = []opening.LegalBasis{{ID: "basis-1", Purpose: "investigation", Recipient: "police",
		From: start.AddDate(0, -1, 0).UnixMicro(), To: start.AddDate(1, 0, 0).UnixMicro()}}
	m.Auditors = []opening.Auditor{{ID: "auditor", Entity: "Audit office", Key: pub(w.keys["auditor"])}}
	w.auditHPKE, public, err = seal.GenerateHPKE()
	must(w.t, err)
	m.QueryAuditors = []opening.QueryAuditor{{ID: "query-auditor", Entity: "Query office", Key: pub(w.keys["query-auditor"]), HPKE: public}}
	w.man, w.first = m, m
	sm := w.signManifest(m, "gov-1", "gov-2")
	list := client.Manifests{Manifests: []opening.SignedManifest{sm}}
	must(w.t, client.Post(context.Background(), http.DefaultClient, w.url+client.PathManifest, list, nil))
	for _, h := range plan.Holders {
		must(w.t, client.Post(context.Background(), http.DefaultClient, h.URL+client.PathManifest, list, nil))
	}
}

func (w *world) signManifest(m opening.Manifest, governors ...string) opening.SignedManifest {
	w.t.Helper()
	sm, err := opening.SignManifest(m)
	must(w.t, err)
	for _, g := range governors {
		sm.Add(g, w.keys[g])
	}
	return sm
}

func (w *world) caller(id string) client.Caller {
	c := client.System(id, w.keys[id])
	c.Now = w.clock.Now
	return c
}

func (w *world) call(id, path string, body, out any) error {
	return w.caller(id).Call(context.Background(), "hub", w.url, path, body, out)
}

func (w *world) member(id string) client.Member {
	return client.Member{Caller: w.caller(id), Setup: w.setup, Manifest: w.man}
}

// draft tokenises an address and seals an observation of it.
func (w *world) draft(org, address, kind string, change func(*opening.Header)) (client.Contributed, seal.Label) {
	w.t.Helper()
	m := w.member(org)
	forms, err := selector.Normalise(selector.Email, address, selector.Hint{})
	must(w.t, err)
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(org + address + kind)), Time: w.clock.Now().UnixMicro(), Basis: "basis-1"}
	b.Inputs = append(b.Inputs, forms[0].Input())
	must(w.t, m.Prepare(&b))
	tags, err := m.Tokenise(context.Background(), &b)
	must(w.t, err)
	mem, _ := w.man.Member(org)
	h := opening.Header{Version: opening.HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: org, Sector: mem.Sector, Origin: "own",
		Role: "unknown", Source: "b", Info: "2", Strength: 2, Kind: kind, Week: "2026-W44", Rule: w.man.CurrentRule, Manifest: w.man.Version}
	_, err = rand.Read(h.Nonce[:])
	must(w.t, err)
	if change != nil {
		change(&h)
	}
	c, label, err := m.Seal(client.Draft{Header: h, Payload: []byte("reference of " + org), Possessions: []client.TagDraft{{
		Class: selector.Email, Possession: tags[0], Expires: start.AddDate(1, 0, 0).UnixMicro()}}})
	must(w.t, err)
	return c, label
}

func (w *world) contribute(org, address, kind string, change func(*opening.Header)) (seal.Label, client.Receipt) {
	w.t.Helper()
	c, label := w.draft(org, address, kind, change)
	m := w.member(org)
	req, err := m.Sign([]client.Contributed{c})
	must(w.t, err)
	_, r, err := m.Contribute(context.Background(), req)
	must(w.t, err)
	return label, r
}

func (w *world) tick(after time.Duration) {
	w.t.Helper()
	w.clock.Advance(after)
	must(w.t, w.hub.Tick(context.Background()))
}

func (w *world) leads() []client.Lead {
	w.t.Helper()
	var out client.Leads
	must(w.t, w.call("officer", client.PathLeads, struct{}{}, &out))
	return out.Leads
}

// request signs a request for a lead and sends it.
func (w *world) request(l client.Lead, change func(*opening.Request)) (string, signed.Object, error) {
	w.t.Helper()
	r := opening.Request{Pool: "pool", Epoch: "2026-11", Manifest: 1, Labels: l.Labels, Purpose: "investigation", LegalBasis: "basis-1",
		Recipient: "police", Playbook: l.Playbook, Time: w.clock.Now().UnixMicro(), Expires: w.clock.Now().AddDate(0, 0, 3).UnixMicro()}
	_, err := rand.Read(r.Nonce[:])
	must(w.t, err)
	if change != nil {
		change(&r)
	}
	o, err := signed.Sign(opening.RequestDomain, "officer", w.keys["officer"], r)
	must(w.t, err)
	var id client.OpeningID
	err = w.call("officer", client.PathOpenings, client.OpeningRequest{Lead: l.ID, Request: o}, &id)
	return id.ID, o, err
}

func (w *world) approve(who, id string, req signed.Object) (string, error) {
	w.t.Helper()
	a, err := signed.Sign(opening.ApprovalDomain, who, w.keys[who], opening.Approval{Approver: who, Request: opening.Digest(req.Body), Time: w.clock.Now().UnixMicro()})
	must(w.t, err)
	var st client.OpeningState
	err = w.call(who, client.PathApprove, client.ApproveRequest{ID: id, Approval: a}, &st)
	return st.State, err
}

func (w *world) opening(id string) client.OpeningState {
	w.t.Helper()
	var list client.Openings
	must(w.t, w.call("overseer", client.PathList, struct{}{}, &list))
	for _, o := range list.Openings {
		if o.ID == id {
			return o
		}
	}
	w.t.Fatalf("no opening %s", id)
	return client.OpeningState{}
}

// threeOrgs puts a lead into the pool that the default rule opens.
func (w *world) threeOrgs(address string) []seal.Label {
	w.t.Helper()
	a, _ := w.contribute("bank-a", address, "payment-pattern", nil)
	b, _ := w.contribute("platform-a", address, "account-report", nil)
	c, _ := w.contribute("hotline-a", address, "report", nil)
	return []seal.Label{a, b, c}
}
