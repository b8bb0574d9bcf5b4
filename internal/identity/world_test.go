package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/signed"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notes is a log that keeps what it is given in its own table of the same
// database, so that a transaction that fails leaves no entry.
type notes struct{ broken bool }

var errLog = errors.New("the log is read-only")

func (n *notes) Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (string, [32]byte, error) {
	if n.broken {
		return "", [32]byte{}, errLog
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO notes (kind, record) VALUES ($1, $2)`, kind, string(record))
	return "ticket", [32]byte{}, err
}

// world is a service over one database, with a manifest and governors.
type world struct {
	*Service
	t     testing.TB
	db    *store.DB
	clock *clock.ManualClock
	log   *notes
	man   opening.Manifest
	gov   map[string]ed25519.PrivateKey
	opts  Options
}

func newWorld(t testing.TB, db *store.DB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, db: db, clock: clock.Manual(start), log: &notes{}, gov: map[string]ed25519.PrivateKey{}}
	must(t, db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE notes (kind TEXT NOT NULL, record TEXT NOT NULL)`)
		return err
	}))
	var g opening.Governance
	for _, id := range []string{"gov-1", "gov-2", "gov-3"} {
		public, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		w.gov[id] = key
		g.Governors = append(g.Governors, opening.Governor{ID: id, Entity: id, Key: public})
	}
	g.Threshold = 2
	w.man = opening.Manifest{Version: 1, Pool: "pool", Demo: true, Hub: opening.Operator{ID: "hub", Entity: "Operator"},
		Members: []opening.Member{{ID: "bank-a", Name: "Bank A", Entity: "Bank A", Sector: "bank", Status: opening.Active, Admitted: start.UnixMicro()},
			{ID: "bank-b", Name: "Bank B", Entity: "Bank B", Sector: "bank", Status: opening.Active, Admitted: start.UnixMicro()}},
		Authority: opening.Authority{ID: "police", Entity: "Police"},
		Approvers: []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority}, {ID: "overseer", Entity: "Oversight", Role: opening.RoleOversight}},
		Holders:   []opening.Holder{{ID: "holder-1", Entity: "Body 1"}}}
	w.opts = Options{DB: db, Log: w.log, Policy: func() (opening.Manifest, bool) { return w.man, w.man.Version > 0 }, Governance: g,
		Operator: Operator{"hub", "Operator"}, URL: "https://hub.example", Clock: w.clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range change {
		c(&w.opts)
	}
	var err error
	w.Service, err = New(t.Context(), w.opts)
	must(t, err)
	return w
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { f(t, newWorld(t, db)) })
}

// records are the acts in the log, in order.
func (w *world) records() (out []Record) {
	w.t.Helper()
	must(w.t, w.db.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := store.All(ctx, tx, scanText, `SELECT record FROM notes`)
		for _, raw := range rows {
			var r Record
			err = errors.Join(err, json.Unmarshal([]byte(raw), &r))
			out = append(out, r)
		}
		return err
	}))
	return out
}

// join makes an active person of an organisation, as its invitation and a
// sign-in would.
func (w *world) join(organisation, name string, roles ...Role) Principal {
	w.t.Helper()
	by := AtTheMachine()
	ctx := context.Background()
	if len(roles) != 1 || roles[0] != OrganisationAdmin {
		by = Principal{Person: "p-admin", Organisation: organisation, Roles: []Role{OrganisationAdmin}, StepUpAt: w.clock.Now()}
	}
	e, err := w.Invite(ctx, by, organisation, name, roles, 0, "why")
	must(w.t, err)
	p, err := w.bind(ctx, hashOf(e.Code), func(ctx context.Context, tx *store.Tx, p Person, now time.Time) error {
		return insertLogin(ctx, tx, "https://issuer.example", p.ID, p.ID, now)
	})
	must(w.t, err)
	return Principal{Person: p.ID, Name: name, Organisation: organisation, Roles: roles, StepUpAt: w.clock.Now()}
}

func (w *world) one(id string) Person {
	w.t.Helper()
	var p Person
	must(w.t, w.db.Read(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = person(ctx, tx, id)
		return err
	}))
	return p
}

// accredit signs an accreditation with some governors and sends it.
func (w *world) accredit(a Accreditation, governors ...string) error {
	w.t.Helper()
	sa, err := a.Encode()
	must(w.t, err)
	for _, id := range governors {
		sa.Add(id, w.gov[id])
	}
	_, err = w.Accredit(context.Background(), sa)
	return err
}

func (w *world) accreditation(organisation string, f ...Function) Accreditation {
	return Accreditation{Pool: "pool", Organisation: organisation, Version: 1, Name: "Name of " + organisation, Entity: "Entity of " + organisation, Kind: "company",
		Jurisdictions: []string{"AU"}, Functions: f, From: start.UnixMicro(), Until: start.AddDate(1, 0, 0).UnixMicro(), Status: StatusActive,
		Reason: "Agreement 1", Issued: start.UnixMicro()}
}

// deny sends a governor's suspension or its lifting.
func (w *world) deny(governor, kind, organisation string) error {
	w.t.Helper()
	d := opening.Denial{Kind: kind, Pool: "pool", Member: organisation, Reason: "why", Time: w.clock.Now().UnixMicro()}
	_, err := rand.Read(d.Nonce[:])
	must(w.t, err)
	o, err := signed.Sign(opening.DenialDomain, governor, w.gov[governor], d)
	must(w.t, err)
	_, err = w.Deny(context.Background(), o)
	return err
}

func (w *world) org(id string) Organisation {
	w.t.Helper()
	list, err := w.Organisations(context.Background())
	must(w.t, err)
	for _, o := range list {
		if o.ID == id {
			return o
		}
	}
	w.t.Fatalf("no organisation %s", id)
	return Organisation{}
}

// TestMain silences the provider that tests start, which logs to the default
// logger.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
