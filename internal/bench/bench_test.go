package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"parallax/internal/fault"
)

// TestQuickMeasuresEverything runs each measurement small. It looks at the
// answers and the shape, never at the speed.
func TestQuickMeasuresEverything(t *testing.T) {
	steps := map[string]int{}
	rep, err := Run(t.Context(), Options{Quick: true, Dir: t.TempDir()}, func(what string, done, all int) {
		if done < steps[what] || done > all {
			t.Errorf("%s: step %d of %d after %d", what, done, all, steps[what])
		}
		steps[what] = done
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rep.Rows {
		names = append(names, r.Name)
		if r.Ours.MinMicros <= 0 || r.Ours.MinMicros > r.Ours.MedianMicros || (r.Of != noPeer) != (r.Peer.MedianMicros > 0 && r.Ratio > 0) || r.Items < 1 {
			t.Errorf("%+v", r)
		}
		want := r.Runs
		if r.Ratio > 0 {
			want *= 2
		}
		if steps[r.Name] != want {
			t.Errorf("%s: progress ended at %d", r.Name, steps[r.Name])
		}
	}
	if !slices.Equal(names, Names()) {
		t.Errorf("measured %v", names)
	}
}

func TestOnlyNamesWhatThereIs(t *testing.T) {
	_, err := Run(t.Context(), Options{Only: "shoes"}, nil)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "tokenise") {
		t.Errorf("got %v", err)
	}
}

// TestWrongAnswersAreNoFigures: a measurement whose answers differ reports an
// error and no row.
func TestWrongAnswersAreNoFigures(t *testing.T) {
	busy := func(_ context.Context, w *watch) error {
		w.on()
		for w.total < 1 { // until the clock has moved
			w.off()
			w.on()
		}
		w.off()
		return nil
	}
	m := measurement{name: "x", setup: func(context.Context, Options) (job, error) {
		return job{items: 1, ours: busy, peer: busy, check: func(context.Context) error { return errors.New("other tags") }}, nil
	}}
	if _, err := m.run(t.Context(), Options{Quick: true}, func(string, int, int) {}); err == nil || !strings.Contains(err.Error(), "other tags") {
		t.Errorf("got %v", err)
	}
}

func TestFigure(t *testing.T) {
	if f := figure([]float64{4, 1, 2}); f.MinMicros != 1 || f.MedianMicros != 2 || f.PerSecond != 5e5 {
		t.Errorf("%+v", f)
	}
	if f := figure([]float64{4, 2}); f.MedianMicros != 3 {
		t.Errorf("%+v", f)
	}
}

// TestPeerSearchIsIndependent: the search must be able to disagree, or the
// comparison in link shows nothing.
func TestPeerSearchIsIndependent(t *testing.T) {
	j, err := link(t.Context(), Options{Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	var w watch
	if err := j.ours(t.Context(), &w); err != nil {
		t.Fatal(err)
	}
	if err := j.check(t.Context()); err == nil {
		t.Error("the check passes before the peer has run")
	}
}
