package pool

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/group/grouptest"
	"parallax/internal/clock"
	"parallax/internal/recordkeys"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keyOf is a signing key that is the same for the same name.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// possession stands for what an evaluation of the value would yield.
func possession(class selector.Class, value string) oprf.Possession {
	a, b := sha256.Sum256([]byte(value)), sha256.Sum256([]byte("second"+value))
	return oprf.Possess([64]byte(append(a[:], b[:]...)), string(class))
}

// memoryLog keeps entries in the transaction's table only by count.
type memoryLog struct {
	fail    error
	kinds   []string
	records [][]byte
	covered bool
	forgot  []string
}

func (l *memoryLog) Append(_ context.Context, _ *store.Tx, kind string, record []byte) (string, [32]byte, error) {
	if l.fail != nil {
		return "", [32]byte{}, l.fail
	}
	l.kinds, l.records = append(l.kinds, kind), append(l.records, record)
	var nonce tlog.Hash
	if _, err := rand.Read(nonce[:]); err != nil {
		return "", [32]byte{}, err
	}
	return hex.EncodeToString(nonce[:16]), tlog.Commit(nonce, record), nil
}

func (l *memoryLog) Forget(_ context.Context, _ *store.Tx, ticket string) error {
	l.forgot = append(l.forgot, ticket)
	return nil
}

func (l *memoryLog) Logged(context.Context, string) (bool, error) { return l.covered, nil }

type world struct {
	t       testing.TB
	pool    *Service
	db      *store.DB
	log     *memoryLog
	keys    *recordkeys.Keys
	keyPath string
	list    *recordkeys.List
	clock   *clock.ManualClock
	man     opening.Manifest
	gov     opening.Governance
	pub     group.PublicKey
}

func keysOf(t testing.TB, path string, c clock.Clock) *recordkeys.Keys {
	t.Helper()
	db, err := store.Open(context.Background(), path)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	k, err := recordkeys.New(context.Background(), db, c, rand.Reader)
	must(t, err)
	return k
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, log: &memoryLog{}, clock: clock.Manual(start)}
	rule := opening.DefaultRule()
	w.man = opening.Manifest{Version: 2, Pool: "pool", Epoch: "2026-11", Rules: []opening.Rule{rule}, CurrentRule: rule.Hash(),
		Scope: opening.Scope{Roles: []string{"unknown", opening.RolePossibleVictim}}, KeysEnd: start.AddDate(1, 0, 0).UnixMicro()}
	for _, c := range []selector.Class{selector.Email, selector.Bank, selector.URL} {
		w.man.Classes = append(w.man.Classes, opening.ClassRule{Class: c, RuleVersion: 1, DailyBudget: 1000})
	}
	for i := range 5 {
		id := fmt.Sprint("org-", i)
		w.man.Members = append(w.man.Members, opening.Member{ID: id, Name: id, Entity: "entity of " + id, Sector: fmt.Sprint("sector-", i%2),
			Key: keyOf(id).Public().(ed25519.PublicKey), Admitted: start.AddDate(0, 0, -120).UnixMicro(), Status: opening.Active})
	}
	var err error
	w.pub, _, err = grouptest.Deal(2, 3, client.PayloadLabel, nil, rand.Reader)
	must(t, err)
	sign := func(domain string, v any) (signed.Object, error) { return signed.Sign(domain, "hub", keyOf("hub"), v) }
	w.keyPath = filepath.Join(t.TempDir(), recordkeys.KeysFile)
	w.keys = keysOf(t, w.keyPath, w.clock)
	w.list = recordkeys.NewList(filepath.Join(t.TempDir(), "deletions.jsonl"))
	w.pool, err = New(context.Background(), db, Records{w.keys, w.list}, w.log, sign, w.clock)
	must(t, err)
	return w
}

type tag struct {
	class selector.Class
	value string
}

// observe makes a sealed observation of org through these values.
func (w *world) observe(org string, change func(*opening.Header), tags ...tag) client.Contributed {
	w.t.Helper()
	member, ok := w.man.Member(org)
	if !ok {
		w.t.Fatalf("no member %s", org)
	}
	h := opening.Header{Version: opening.HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: org, Sector: member.Sector,
		Origin: "own", Role: "unknown", Source: "b", Info: "2", Strength: 2, Kind: "account-report", Week: "2026-W44",
		Rule: w.man.CurrentRule, Manifest: 2}
	_, err := rand.Read(h.Nonce[:])
	must(w.t, err)
	for _, x := range tags {
		h.Tags = append(h.Tags, opening.HeaderTag{Class: x.class, Key: possession(x.class, x.value).Public(), Expires: start.AddDate(0, 6, 0).UnixMicro()})
	}
	if change != nil {
		change(&h)
	}
	raw, err := signed.Marshal(h) // in form or not
	must(w.t, err)
	s, label, err := seal.Seal(w.pub, h.Pool, h.Epoch, raw, []byte("reference"), rand.Reader)
	must(w.t, err)
	digest := seal.BoxDigest(s.Box)
	c := client.Contributed{Observation: opening.Observation{Header: raw, BoxDigest: digest[:], KEM: s.KEM}, Box: s.Box}
	for _, x := range tags {
		c.Observation.TagSigs = append(c.Observation.TagSigs, possession(x.class, x.value).Sign(label[:]))
	}
	return c
}

func (w *world) batch(org string, list ...client.Contributed) client.ContributeRequest {
	w.t.Helper()
	leaves, err := client.Leaves(list)
	must(w.t, err)
	root, err := seal.Root(leaves)
	must(w.t, err)
	return client.ContributeRequest{Root: root, Sig: seal.SignBatch(keyOf(org), "pool", "2026-11", org, root), Observations: list}
}

func labelsOf(t testing.TB, list []client.Contributed) []seal.Label {
	t.Helper()
	out := make([]seal.Label, len(list))
	for i, c := range list {
		l, err := c.Observation.Label()
		must(t, err)
		out[i] = l
	}
	return out
}

func (w *world) send(org string, list ...client.Contributed) (signed.Object, error) {
	w.t.Helper()
	return w.pool.Contribute(context.Background(), w.man, scope.Of(org), w.batch(org, list...))
}

func (w *world) put(org string, tags ...tag) seal.Label {
	w.t.Helper()
	c := w.observe(org, nil, tags...)
	_, err := w.send(org, c)
	must(w.t, err)
	return labelsOf(w.t, []client.Contributed{c})[0]
}

func (w *world) link() map[seal.Label]seal.Label {
	w.t.Helper()
	must(w.t, w.pool.Link(context.Background(), "2026-11", nil))
	out, err := w.pool.Clusters(context.Background())
	must(w.t, err)
	return out
}

func (w *world) withdraw(org string, labels ...seal.Label) (signed.Object, error) {
	w.t.Helper()
	d := opening.Denial{Kind: opening.DenyWithdraw, Pool: "pool", Labels: labels, Member: org, Reason: "corrected", Time: w.clock.Now().UnixMicro()}
	_, err := rand.Read(d.Nonce[:])
	must(w.t, err)
	o, err := signed.Sign(opening.DenialDomain, org, keyOf(org), d)
	must(w.t, err)
	return w.pool.Withdraw(context.Background(), w.man, w.gov, scope.Of(org), o)
}

func (w *world) count(table string) (n int) {
	w.t.Helper()
	must(w.t, w.db.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
	}))
	return n
}

func lines(t *testing.T, err error) []client.LineProblem {
	t.Helper()
	var b *BatchError
	if !errors.As(err, &b) {
		t.Fatalf("want a report by line, got %v", err)
	}
	return b.Lines
}
