package estimate

import (
	"math"
	"slices"
	"testing"
)

func TestStepwiseBCa(t *testing.T) {
	for _, r := range references(t, "sparse_stepwise_bca") {
		got, err := StepwiseBCa(t.Context(), load(t, r.table), StepwiseP, 1000, 1, nil)
		if err != nil {
			t.Fatal(r.table, err)
		}
		near(t, r.table, got.Point, r.estimate, 1e-5)
		near(t, r.table+" acceleration", got.Acceleration, r.setting("ahat"), 1e-3)
		if got.Low != got.Replicates[0] {
			near(t, r.table+" low", got.Low, r.lower, 0.10)
		}
		near(t, r.table+" high", got.High, r.upper, 0.10)
		if want := r.setting("frac_below"); math.Abs(got.Below-want) > 0.06 {
			t.Errorf("%s: %.3f of the replicates below, reference %.3f", r.table, got.Below, want)
		}
	}
}

// New Orleans with eight lists has so much bias (z0 near -1.1) that the lower
// limit is the very smallest replicate, in the reference and here: it is a
// matter of luck, and the published 717 is one draw of it (here 476 to 788 over
// eight seeds).
func TestLimitAtTheSmallestReplicate(t *testing.T) {
	got, err := StepwiseBCa(t.Context(), load(t, "neworl8"), StepwiseP, 1000, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Low != got.Replicates[0] {
		t.Errorf("the lower limit %.1f is not the smallest replicate", got.Low)
	}
	near(t, "neworl8 low", got.Low, 717.21083, 0.35)
}

func TestTopBCa(t *testing.T) {
	tab := load(t, "korea3")
	best, err := Search(t.Context(), tab, 2, 10, BIC)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "korea3", best[0].N, 157.1667, 1e-6)
	near(t, "korea3 BIC", best[0].BIC, 57.14081, 1e-7)
	// The published limits are one run of 1,000 replicates each. The upper one
	// rests on how often a cell of six comes out at one or two, so runs differ:
	// with one model from 238 to 321 over 60 seeds, and 100,000 replicates give
	// 261, which is 5.2 % above the published 248.
	for _, c := range []struct {
		top       int
		low, high float64
	}{{1, 131, 248}, {len(best), 128, 349}} {
		var lows, highs []float64
		for seed := range uint64(15) {
			got, err := TopBCa(t.Context(), tab, best[:c.top], BIC, 1000, seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			lows, highs = append(lows, got[c.top-1].Low), append(highs, got[c.top-1].High)
		}
		slices.Sort(lows)
		slices.Sort(highs)
		near(t, "korea3 low", lows[7], c.low, 0.05)
		near(t, "korea3 high", highs[7], c.high, 0.07)
		if highs[0] > c.high || highs[14] < c.high {
			t.Errorf("korea3: upper limits from %.0f to %.0f do not reach the published %.0f", highs[0], highs[14], c.high)
		}
	}
}

func TestSameSeedSameInterval(t *testing.T) {
	tab := load(t, "western5")
	a, err := StepwiseBCa(t.Context(), tab, StepwiseP, 100, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := StepwiseBCa(t.Context(), tab, StepwiseP, 100, 7, nil)
	if err != nil || !slices.Equal(a.Replicates, b.Replicates) || a.Estimate != b.Estimate {
		t.Errorf("the same seed gave %v and %v (%v)", a.Estimate, b.Estimate, err)
	}
}

func BenchmarkBCa1000(b *testing.B) {
	tab := load(b, "uk5")
	for b.Loop() {
		if _, err := StepwiseBCa(b.Context(), tab, StepwiseP, 1000, 1, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	tab := load(b, "uk6")
	for b.Loop() {
		if _, err := Search(b.Context(), tab, 2, 50, BIC); err != nil {
			b.Fatal(err)
		}
	}
}
