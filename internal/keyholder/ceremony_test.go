package keyholder

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/selector"
)

var errBoard = errors.New("the attempt is over")

// memoryBoard is a bulletin board whose readers wait for the others.
type memoryBoard struct {
	mu     sync.Mutex
	n      int
	rounds map[[2]int][][]byte
	aborts map[int][][]byte
	done   *dkg.Transcript
}

func newBoard(n int) *memoryBoard {
	return &memoryBoard{n: n, rounds: make(map[[2]int][][]byte), aborts: make(map[int][][]byte)}
}

func (b *memoryBoard) open() int {
	n := 1
	for len(b.aborts[n]) > 0 {
		n++
	}
	return n
}

func (b *memoryBoard) State(context.Context) (client.CeremonyState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return client.CeremonyState{Attempt: b.open(), Done: b.done != nil}, nil
}

func (b *memoryBoard) Post(_ context.Context, attempt, round, index int, message []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if attempt != b.open() {
		return errBoard
	}
	at := [2]int{attempt, round}
	if b.rounds[at] == nil {
		b.rounds[at] = make([][]byte, b.n)
	}
	b.rounds[at][index-1] = message
	return nil
}

func (b *memoryBoard) Round(_ context.Context, attempt, round int) ([][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if attempt != b.open() {
		return nil, errBoard
	}
	return append([][]byte(nil), b.rounds[[2]int{attempt, round}]...), nil
}

func (b *memoryBoard) Abort(_ context.Context, attempt int, statement []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aborts[attempt] = append(b.aborts[attempt], statement)
	return nil
}

func (b *memoryBoard) Aborts(_ context.Context, attempt int) ([][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([][]byte(nil), b.aborts[attempt]...), nil
}

// Transcript is put together from what was posted, as a holder does that posts it.
func (b *memoryBoard) Transcript(context.Context) (dkg.Transcript, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		return dkg.Transcript{}, errBoard
	}
	return *b.done, nil
}

// seenBy is the board as one holder is shown it, by an accomplice.
type seenBy struct {
	*memoryBoard
	change func(attempt, round int, all [][]byte) [][]byte
}

func (s seenBy) Round(ctx context.Context, attempt, round int) ([][]byte, error) {
	all, err := s.memoryBoard.Round(ctx, attempt, round)
	if err == nil && s.change != nil && len(all) > 0 {
		all = s.change(attempt, round, all)
	}
	return all, err
}

// committee is three holders before their ceremony.
func committee(t *testing.T) (client.Plan, []string) {
	t.Helper()
	hub, gov := newKey(t), newKey(t)
	plan := client.Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email},
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: pub(gov)}, {ID: "gov-2", Entity: "Court", Key: pub(newKey(t))}}},
		Hub:        opening.Operator{ID: "hub", Entity: "Operator", Key: pub(hub), LogOrigin: "log", LogKey: pub(hub)}}
	var dirs []string
	for i := range 3 {
		dir := t.TempDir()
		card, err := Init(dir, fmt.Sprint("holder-", i+1), fmt.Sprint("Body ", i+1), "http://127.0.0.1", rand.Reader)
		must(t, err)
		card.Index = i + 1
		dirs, plan.Holders = append(dirs, dir), append(plan.Holders, card)
	}
	return plan, dirs
}

// hold runs the holders that have a board; patience is how often each looks.
func hold(plan client.Plan, dirs []string, boards []Board, patience int) []error {
	errs := make([]error, len(dirs))
	var wg sync.WaitGroup
	for i, b := range boards {
		if b == nil {
			continue
		}
		left := patience
		wait := func(ctx context.Context) error {
			if left--; left < 0 {
				return errors.New("waited long enough")
			}
			return Poll(time.Millisecond)(ctx)
		}
		wg.Go(func() { _, errs[i] = Ceremony(context.Background(), dirs[i], plan, b, wait, func(string) {}) })
	}
	wg.Wait()
	return errs
}

// A holder that is away ends the attempt, with a signed statement that names
// it; the next attempt under the same plan deals keys.
func TestAnAbortedCeremonyIsStartedAgain(t *testing.T) {
	plan, dirs := committee(t)
	b := newBoard(3)
	errs := hold(plan, dirs, []Board{b, b, nil}, 50)
	for i, err := range errs[:2] {
		if err == nil || !strings.Contains(err.Error(), "same plan") {
			t.Errorf("holder %d: %v", i+1, err)
		}
	}
	params, err := plan.Attempt(1)
	must(t, err)
	statements, _ := b.Aborts(context.Background(), 1)
	if len(statements) == 0 {
		t.Fatal("nobody said that the attempt is over")
	}
	for _, raw := range statements {
		a, err := dkg.OpenAbort(params, raw)
		if err != nil || a.Fault != 3 || a.By == 3 || !strings.Contains(a.Reason, "silent") {
			t.Errorf("statement %+v, %v", a, err)
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, sharesFile)); err == nil {
			t.Error("an aborted attempt left a share")
		}
	}
	must(t, errors.Join(hold(plan, dirs, []Board{b, b, b}, 60_000)...))
	for _, dir := range dirs {
		who, err := LoadIdentity(dir)
		must(t, err)
		k, err := loadKeys(dir, who)
		must(t, err)
		if k.setup.Transcript.Params.Attempt != 2 {
			t.Errorf("the keys are from attempt %d", k.setup.Transcript.Params.Attempt)
		}
	}
}

// A holder whose process dies keeps no polynomials. It does not speak twice in
// one attempt; it ends it and joins the next.
func TestAnInterruptedHolderNeverSpeaksTwice(t *testing.T) {
	plan, dirs := committee(t)
	b := newBoard(3)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Ceremony(ctx, dirs[0], plan, lostBoard{b}, Poll(time.Hour), func(string) {}); err == nil {
		t.Fatal("a board that fails")
	}
	if len(b.rounds) != 1 || len(b.aborts) != 0 {
		t.Fatalf("after the break: %d rounds, %d aborts", len(b.rounds), len(b.aborts))
	}
	said := b.rounds[[2]int{1, 1}][0]
	// The others join when it has ended the attempt that it broke.
	var wg sync.WaitGroup
	joined, once := make(chan struct{}), sync.Once{}
	var err error
	wg.Go(func() {
		_, err = Ceremony(context.Background(), dirs[0], plan, b, Poll(time.Millisecond), func(line string) {
			if strings.HasPrefix(line, "attempt 2") {
				once.Do(func() { close(joined) })
			}
		})
		once.Do(func() { close(joined) })
	})
	<-joined
	must(t, errors.Join(hold(plan, dirs, []Board{nil, b, b}, 60_000)...))
	wg.Wait()
	must(t, err)
	if string(b.rounds[[2]int{1, 1}][0]) != string(said) || len(b.aborts[1]) == 0 || b.open() != 2 {
		t.Errorf("it spoke twice, or did not end its attempt: %d aborts, attempt %d is open", len(b.aborts[1]), b.open())
	}
}

// lostBoard is a board that goes away after the first message.
type lostBoard struct{ *memoryBoard }

func (lostBoard) Round(context.Context, int, int) ([][]byte, error) {
	return nil, errors.New("connection refused")
}

// Holder 2 and the board show holder 3 another first message of holder 2 than
// holder 1 sees. The honest holders end the attempt, put together what they
// were shown, and keep a file that anybody can verify.
func TestTwoFacesLeaveEvidence(t *testing.T) {
	plan, dirs := committee(t)
	params, err := plan.Attempt(1)
	must(t, err)
	who, err := LoadIdentity(dirs[1])
	must(t, err)
	second, err := dkg.New(params, 2, who.signKey(), who.HPKE, rand.Reader)
	must(t, err)
	face, err := second.Round1()
	must(t, err)
	b := newBoard(3)
	// Holder 3 sees the second face in round 1 and is told nothing after it.
	other := seenBy{b, func(_, round int, all [][]byte) [][]byte {
		if round == 1 && len(all[1]) > 0 {
			all[1] = face
		}
		return all
	}}
	errs := hold(plan, dirs, []Board{b, b, other}, 2000)
	if errs[0] == nil || errs[2] == nil {
		t.Fatalf("the honest end with keys: %v", errs)
	}
	var found []string
	for _, i := range []int{0, 2} {
		path := filepath.Join(dirs[i], "equivocation-attempt-1.json")
		if raw, err := os.ReadFile(path); err == nil {
			found = append(found, string(raw))
		}
	}
	if len(found) == 0 {
		t.Fatalf("no evidence was kept; the holders say %v and %v", errs[0], errs[2])
	}
	var e client.CeremonyEvidence
	must(t, json.Unmarshal([]byte(found[0]), &e))
	h, round, err := e.Verify()
	if err != nil || h.ID != "holder-2" || round != 1 {
		t.Errorf("the evidence names %q in round %d: %v", h.ID, round, err)
	}
	e.Equivocation.Second = e.Equivocation.First
	if _, _, err := e.Verify(); err == nil {
		t.Error("one message twice is evidence")
	}
	other2 := plan
	other2.Pool = "elsewhere"
	must(t, json.Unmarshal([]byte(found[0]), &e))
	e.Plan = other2
	if _, _, err := e.Verify(); err == nil {
		t.Error("evidence of another plan verifies")
	}
}

// A stranger, or one holder in another's name, cannot end an attempt.
func TestAbortsAreTheirAuthors(t *testing.T) {
	plan, dirs := committee(t)
	params, err := plan.Attempt(1)
	must(t, err)
	who, err := LoadIdentity(dirs[0])
	must(t, err)
	good, err := dkg.SignAbort(params, 1, who.signKey(), &dkg.Fault{Index: 2, Reason: strings.Repeat("x", 1000)}, nil)
	must(t, err)
	if a, err := dkg.OpenAbort(params, good); err != nil || a.By != 1 || a.Fault != 2 || len(a.Reason) > 300 {
		t.Fatalf("%+v, %v", a, err)
	}
	next, err := plan.Attempt(2)
	must(t, err)
	if _, err := dkg.OpenAbort(next, good); err == nil {
		t.Error("it ends another attempt")
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	for name, raw := range map[string][]byte{
		"a stranger's":       sign(t, params, 1, stranger),
		"in another's name":  sign(t, params, 2, who.signKey()),
		"cut":                good[:len(good)-1],
		"nothing":            nil,
		"a ceremony message": first(t, params, who),
	} {
		if _, err := dkg.OpenAbort(params, raw); err == nil {
			t.Errorf("%s statement ends an attempt", name)
		}
	}
}

func sign(t *testing.T, params dkg.Params, by int, key ed25519.PrivateKey) []byte {
	raw, err := dkg.SignAbort(params, by, key, errors.New("x"), nil)
	must(t, err)
	return raw
}

func first(t *testing.T, params dkg.Params, who Identity) []byte {
	p, err := dkg.New(params, 1, who.signKey(), who.HPKE, rand.Reader)
	must(t, err)
	raw, err := p.Round1()
	must(t, err)
	return raw
}
