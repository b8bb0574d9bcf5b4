package estimate

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestChordalGraphsAreCounted(t *testing.T) {
	// Labelled chordal graphs: 8, 61, 822, 18154 (OEIS A058862).
	for k, want := range map[int]int{3: 8, 4: 61, 5: 822, 6: 18154} {
		if got := len(chordalGraphs(k)); got != want {
			t.Errorf("%d lists: %d graphs, want %d", k, got, want)
		}
	}
}

func checkDGA(t *testing.T, r reference, got DGAResult, rel float64) {
	t.Helper()
	near(t, r.table+" median", got.Point, r.estimate, rel)
	near(t, r.table+" low", got.Low, r.lower, rel)
	near(t, r.table+" high", got.High, r.upper, rel)
	near(t, r.table+" mean", got.Mean, r.setting("mean"), max(rel, 1e-5))
	near(t, r.table+" mode", got.Mode, r.setting("mode"), max(rel, 1e-5))
	top := strings.Split(strings.TrimPrefix(r.model, "top "), " ; ")
	for i, name := range top {
		if !sameCliques(got.Models[i].Name, name) {
			t.Errorf("%s: graph %d is %s, want %s", r.table, i+1, got.Models[i].Name, name)
		}
	}
	near(t, r.table+" p1", got.Models[0].Probability, r.setting("p1"), 2e-3)
	near(t, r.table+" p2", got.Models[1].Probability, r.setting("p2"), 4e-3)
}

func sameCliques(a, b string) bool {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestDGAOnThePublishedGrid(t *testing.T) {
	for _, r := range references(t, "dga_grid1000") {
		tab := load(t, r.table)
		got, err := DGA(t.Context(), tab, DGAOptions{MaxUnseen: 30 * tab.N(), Grid: 1000})
		if err != nil {
			t.Fatal(err)
		}
		checkDGA(t, r, got, 0)
	}
}

func TestDGAFullRange(t *testing.T) {
	for _, r := range references(t, "dga_fine") {
		tab := load(t, r.table)
		got, err := DGA(t.Context(), tab, DGAOptions{MaxUnseen: 30 * tab.N()})
		if err != nil {
			t.Fatal(err)
		}
		checkDGA(t, r, got, 2e-3)
		whole, err := DGA(t.Context(), tab, DGAOptions{})
		if err != nil {
			t.Fatal(err)
		}
		near(t, r.table+" without an end", whole.Point, r.estimate, 2e-3)
	}
}

// Madigan and York's analysis, with their prior for N: negative binomial with
// shape 13.14 and scale 55.17.
func TestDGASpinaBifida(t *testing.T) {
	const a, b = 13.14, 55.17
	got, err := DGA(t.Context(), load(t, "spina3"), DGAOptions{Delta: 1, MaxUnseen: 300, LogPrior: func(n float64) float64 {
		return lgamma(n+a) - lgamma(n+1) + n*math.Log(b/(1+b))
	}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mode", got.Mode, 728, 0)
	near(t, "estimate", math.Round(got.RelativeSquare), 731, 0)
	near(t, "top graph", got.Models[0].Probability, 0.3738, 1e-3)
}

func BenchmarkDGA(b *testing.B) {
	tab := load(b, "uk5")
	for b.Loop() {
		if _, err := DGA(b.Context(), tab, DGAOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
