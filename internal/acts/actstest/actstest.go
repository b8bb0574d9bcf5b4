// Package actstest sets up acts for the tests of what they have an effect on: a
// policy with two approvers of different bodies, a log in memory, a clock.
package actstest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"parallax/internal/acts"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

// Start is when a world begins: a Tuesday.
var Start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// Must fails a test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// KeyOf is the key of a name.
func KeyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// A Log keeps the kinds of what was appended; Covered says whether a witnessed
// checkpoint covers it all.
type Log struct {
	Kinds   []string
	Covered bool
}

// Append gives a ticket.
func (l *Log) Append(_ context.Context, _ *store.Tx, kind string, _ []byte) (string, [32]byte, error) {
	l.Kinds = append(l.Kinds, kind)
	return fmt.Sprint("ticket ", len(l.Kinds)), [32]byte{}, nil
}

// Logged reports Covered.
func (l *Log) Logged(context.Context, string) (bool, error) { return l.Covered, nil }

// A World has acts and who may approve them.
type World struct {
	T     *testing.T
	Acts  *acts.Service
	Log   *Log
	Clock *clock.ManualClock
	Man   opening.Manifest
}

// New is a world whose pool takes some classes.
func New(t *testing.T, db *store.DB, classes ...selector.Class) *World {
	t.Helper()
	w := &World{T: t, Log: &Log{}, Clock: clock.Manual(Start), Man: opening.Manifest{Version: 1, Pool: "pool", Epoch: "2026-11"}}
	for id, role := range map[string]string{"officer": opening.RoleAuthority, "overseer": opening.RoleOversight} {
		w.Man.Approvers = append(w.Man.Approvers, opening.Approver{ID: id, Entity: "entity of " + role, Role: role, Key: KeyOf(id).Public().(ed25519.PublicKey)})
	}
	for _, c := range classes {
		w.Man.Classes = append(w.Man.Classes, opening.ClassRule{Class: c})
	}
	var err error
	w.Acts, err = acts.New(t.Context(), db, w.Log, func(v int) (opening.Manifest, bool) { return w.Man, v == 1 }, w.Clock, rand.Reader)
	Must(t, err)
	return w
}

// Approved proposes an act, which both approvers sign.
func (w *World) Approved(kind string, body any) acts.Act {
	w.T.Helper()
	a, err := w.Acts.Propose(w.T.Context(), w.Man, kind, "lead", body)
	Must(w.T, err)
	for _, who := range []string{"officer", "overseer"} {
		o, err := signed.Sign(opening.ActApprovalDomain, who, KeyOf(who), opening.ActApproval{Approver: who, Act: a.Digest, Time: w.Clock.Now().UnixMicro()})
		Must(w.T, err)
		_, err = w.Acts.Approve(w.T.Context(), w.Man, a.ID, o)
		Must(w.T, err)
	}
	return a
}

// Refused proposes an act that must be refused with a sentence that holds part.
func (w *World) Refused(kind string, body any, part string) {
	w.T.Helper()
	if _, err := w.Acts.Propose(w.T.Context(), w.Man, kind, "lead", body); err == nil || !strings.Contains(fault.Sentence(err), part) {
		w.T.Errorf("%s: want a refusal that says %q, got %v", kind, part, err)
	}
}
