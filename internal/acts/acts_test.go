package acts

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/signed"
)

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type memoryLog struct {
	kinds   []string
	covered bool
}

func (l *memoryLog) Append(_ context.Context, _ *store.Tx, kind string, _ []byte) (string, [32]byte, error) {
	l.kinds = append(l.kinds, kind)
	return "ticket", [32]byte{}, nil
}

func (l *memoryLog) Logged(context.Context, string) (bool, error) { return l.covered, nil }

type body struct {
	Word string `json:"word"`
}

type world struct {
	t     *testing.T
	s     *Service
	log   *memoryLog
	clock *clock.ManualClock
	man   opening.Manifest
	took  []string // words of acts that took effect
	fail  error
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, log: &memoryLog{}, clock: clock.Manual(start), man: opening.Manifest{Version: 3, Pool: "pool", Epoch: "2026-11"}}
	for id, role := range map[string]string{"officer": opening.RoleAuthority, "deputy": opening.RoleAuthority, "overseer": opening.RoleOversight} {
		w.man.Approvers = append(w.man.Approvers, opening.Approver{ID: id, Entity: "entity of " + role, Role: role, Key: keyOf(id).Public().(ed25519.PublicKey)})
	}
	var err error
	w.s, err = New(t.Context(), db, w.log, func(v int) (opening.Manifest, bool) { return w.man, v == w.man.Version }, w.clock, rand.Reader)
	must(t, err)
	w.s.Register("word", Kind{
		Check: func(_ context.Context, _ opening.Manifest, raw []byte) error {
			if strings.Contains(string(raw), "bad") {
				return fault.New(fault.Invalid, "A bad word.")
			}
			return nil
		},
		Take: func(ctx context.Context, p Permit, _ Act) error {
			var b body
			if _, err := Verify(ctx, w.log, p, "word", &b); err != nil {
				return err
			}
			if w.fail != nil {
				return w.fail
			}
			w.took = append(w.took, b.Word)
			return nil
		}})
	return w
}

func (w *world) propose(word string) Act {
	w.t.Helper()
	a, err := w.s.Propose(w.t.Context(), w.man, "word", "lead", body{word})
	must(w.t, err)
	return a
}

func (w *world) approve(a Act, who string) (Act, error) {
	w.t.Helper()
	o, err := signed.Sign(opening.ActApprovalDomain, who, keyOf(who), opening.ActApproval{Approver: who, Act: a.Digest, Time: w.clock.Now().UnixMicro()})
	must(w.t, err)
	return w.s.Approve(w.t.Context(), w.man, a.ID, o)
}

func (w *world) advance() string {
	w.t.Helper()
	must(w.t, w.s.Advance(w.t.Context(), w.man))
	list, err := w.s.List(w.t.Context(), 50)
	must(w.t, err)
	out := ""
	for _, a := range list {
		out += a.State + " "
	}
	return strings.TrimSpace(out)
}

// TestAnActNeedsTwoBodiesAndTheLog walks one act through every state.
func TestAnActNeedsTwoBodiesAndTheLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if _, err := w.s.Propose(t.Context(), w.man, "word", "lead", body{"bad"}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a body that its kind refuses was taken: %v", err)
		}
		a := w.propose("one")
		for _, who := range []string{"officer", "officer", "deputy"} {
			got, err := w.approve(a, who)
			if must(t, err); got.State != Proposed {
				t.Fatalf("after %s alone of the authority the act is %s", who, got.State)
			}
		}
		if _, err := w.approve(a, "stranger"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a stranger's approval was taken: %v", err)
		}
		got, err := w.approve(a, "overseer")
		if must(t, err); got.State != Approved || len(w.log.kinds) != 1 {
			t.Fatalf("with both the act is %s and the log holds %v", got.State, w.log.kinds)
		}
		if state := w.advance(); state != Approved || w.took != nil {
			t.Fatalf("before a witnessed checkpoint it is %s and did %v", state, w.took)
		}
		w.log.covered = true
		w.fail = errors.New("disk")
		if err := w.s.Advance(t.Context(), w.man); err == nil {
			t.Error("a failure on this side was kept silent")
		}
		w.fail = nil
		if state := w.advance(); state != Done || len(w.took) != 1 {
			t.Fatalf("it is %s and did %v", state, w.took)
		}
		if w.advance(); len(w.took) != 1 {
			t.Error("it took effect twice")
		}
	})
}

// TestAnActLapses: without approvals in time, or under another policy, and ends
// with a reason where it cannot take effect.
func TestAnActLapses(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.log.covered = true
	w.fail = fault.New(fault.Conflict, "It was done before.")
	a := w.propose("again")
	for _, who := range []string{"officer", "overseer"} {
		_, err := w.approve(a, who)
		must(t, err)
	}
	if state := w.advance(); state != Refused {
		t.Fatalf("an act that cannot take effect is %s", state)
	}
	got, err := w.s.Get(t.Context(), a.ID)
	if must(t, err); got.Reason != "It was done before." {
		t.Errorf("the reason is %q", got.Reason)
	}
	w.clock.Advance(time.Minute)
	late := w.propose("late")
	w.clock.Advance(opening.MaxActLife)
	if _, err := w.approve(late, "officer"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a lapsed act was approved: %v", err)
	}
	if state := w.advance(); state != Lapsed+" "+Refused {
		t.Errorf("states %s", state)
	}
	other := w.propose("other policy")
	w.man.Version++
	if _, err := w.approve(other, "officer"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an act under an older policy was approved: %v", err)
	}
	if state := w.advance(); state != Lapsed+" "+Lapsed+" "+Refused {
		t.Errorf("states %s", state)
	}
}
