package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/store"
)

var (
	start   = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	analyst = Person{ID: "analyst", Organisation: "bank-a"}
	officer = Person{ID: "counsel", Organisation: "bank-a", Officer: true, Keeper: true}
	other   = Person{ID: "counsel-b", Organisation: "bank-b", Officer: true}
)

// fakeLog counts what it takes, and fails where a test says so.
type fakeLog struct {
	kinds []string
	fail  error
}

func (l *fakeLog) Append(_ context.Context, _ *store.Tx, kind string, _ []byte) (string, [32]byte, error) {
	if l.fail == nil {
		l.kinds = append(l.kinds, kind)
	}
	return "ticket", [32]byte{}, l.fail
}

type world struct {
	*Service
	t   *testing.T
	db  *store.DB
	log *fakeLog
	now *clock.ManualClock
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	files, err := law.Simulated(rand.Reader)
	must(t, err)
	w := &world{t: t, db: db, log: &fakeLog{}, now: clock.Manual(start)}
	w.restart(files)
	return w
}

// restart is the hub started again, perhaps with other law data.
func (w *world) restart(files law.Files) {
	w.t.Helper()
	data, err := law.Deploy(files, w.now.Now().Format(time.DateOnly))
	must(w.t, err)
	w.Service, err = New(context.Background(), w.db, w.log, data, w.now, rand.Reader)
	must(w.t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

// smr is what a bank analyst asks: the transactions to police.
func smr() Draft {
	return Draft{Question: route.Question{From: "au.fsp", To: "au.police", Holds: []string{"transaction", "account_id"}, Wants: "transaction", Purpose: "investigate", AsOf: "2026-11-23"},
		Facts:  []Assertion{{"suspicion_formed", "the analyst"}, {"reasonable_belief_enforcement", "head of financial crime"}},
		Fields: []string{"date of transfer", "account identifier"}, Started: "2026-11-23T10:00", Place: "AU-NSW"}
}

func (w *world) ask(d Draft) Request {
	w.t.Helper()
	r, err := w.Ask(context.Background(), analyst, d)
	must(w.t, err)
	return r
}

func (w *world) approve(r Request, ids ...string) Request {
	w.t.Helper()
	r, err := w.Approve(context.Background(), officer, r.ID, Shown{r.Edit, r.Card.Print}, ids, "")
	must(w.t, err)
	return r
}

var errLog = errors.New("the disk is full")
