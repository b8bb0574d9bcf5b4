package keyholder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parallax/oprf/dkg"
)

// dying is a board whose holder is stopped at round 4: before its signature
// leaves, or before it sees the others'.
type dying struct {
	*memoryBoard
	before bool
}

var errStopped = errors.New("the process was stopped")

func (d dying) Post(ctx context.Context, attempt, round, index int, message []byte) error {
	if d.before && round == dkg.Rounds {
		return errStopped
	}
	return d.memoryBoard.Post(ctx, attempt, round, index, message)
}

func (d dying) Round(ctx context.Context, attempt, round int) ([][]byte, error) {
	if !d.before && round == dkg.Rounds {
		return nil, errStopped
	}
	return d.memoryBoard.Round(ctx, attempt, round)
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func keysOf(t *testing.T, dir string) keys {
	t.Helper()
	who, err := LoadIdentity(dir)
	must(t, err)
	k, err := loadKeys(dir, who)
	must(t, err)
	return k
}

// A holder that is stopped between signing the transcript and having its shares
// in use has them all the same: it runs the command again and has the same
// shares of the same attempt, whether the others wait or have long finished.
func TestAHolderThatSignedHasItsShares(t *testing.T) {
	for name, x := range map[string]struct{ before, finished bool }{
		"stopped before its signature left":     {true, false},
		"stopped after its signature left":      {false, false},
		"stopped, and the others have finished": {false, true},
	} {
		plan, dirs := committee(t)
		b := newBoard(3)
		rest := make(chan []error, 1)
		go func() { rest <- hold(plan, dirs, []Board{b, b, nil}, 60_000) }()
		errs := hold(plan, dirs, []Board{nil, nil, dying{b, x.before}}, 60_000)
		if !errors.Is(errs[2], errStopped) || exists(dirs[2], sharesFile) || !exists(dirs[2], pendingFile) {
			t.Fatalf("%s: %v", name, errs[2])
		}
		if x.finished {
			must(t, errors.Join(<-rest...))
			tr := keysOf(t, dirs[0]).setup.Transcript
			b.done = &tr
		}
		must(t, errors.Join(hold(plan, dirs, []Board{nil, nil, b}, 60_000)...))
		if !x.finished {
			must(t, errors.Join(<-rest...))
		}
		first, third := keysOf(t, dirs[0]), keysOf(t, dirs[2])
		if first.setup.Transcript.Hash() != third.setup.Transcript.Hash() || third.setup.Transcript.Params.Attempt != 1 || exists(dirs[2], pendingFile) || exists(dirs[0], pendingFile) {
			t.Errorf("%s: attempt %d, or something is left over", name, third.setup.Transcript.Params.Attempt)
		}
	}
}

// Shares of an attempt that was ended are destroyed; those of another plan are
// not touched.
func TestSharesOfAnEndedAttemptAreDestroyed(t *testing.T) {
	plan, dirs := committee(t)
	b := newBoard(3)
	rest := make(chan []error, 1)
	go func() { rest <- hold(plan, dirs, []Board{b, b, nil}, 60_000) }()
	errs := hold(plan, dirs, []Board{nil, nil, dying{b, true}}, 60_000)
	if !errors.Is(errs[2], errStopped) {
		t.Fatal(errs[2])
	}
	other := plan
	other.Epoch = "another"
	if _, err := Ceremony(t.Context(), dirs[2], other, b, Poll(0), func(string) {}); err == nil || !exists(dirs[2], pendingFile) {
		t.Errorf("shares of another plan were touched: %v", err)
	}
	params, err := plan.Attempt(1)
	must(t, err)
	who, err := LoadIdentity(dirs[0])
	must(t, err)
	must(t, b.Abort(t.Context(), 1, sign(t, params, 1, who.signKey())))
	<-rest
	must(t, errors.Join(hold(plan, dirs, []Board{b, b, b}, 60_000)...))
	if k := keysOf(t, dirs[2]); k.setup.Transcript.Params.Attempt != 2 || exists(dirs[2], pendingFile) {
		t.Errorf("attempt %d", k.setup.Transcript.Params.Attempt)
	}
}
