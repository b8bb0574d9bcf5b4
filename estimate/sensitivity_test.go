package estimate

import (
	"math/bits"
	"testing"
)

// If the unseen are x times what the pattern says, the odds ratio of all lists
// together is x and no longer 1: that is what the table of sensitivity varies.
func TestSensitivityIsTheOddsRatioOfAllLists(t *testing.T) {
	tab := load(t, "kosovo4")
	fit, err := FitModel(tab, append(append(pairs(4), 7, 11, 13), 14)) // every term but that of all four
	if err != nil {
		t.Fatal(err)
	}
	n := float64(tab.N())
	rows := Sensitivities(n, fit.N)
	if len(rows) != 6 || rows[0].Ratio != 0.5 || rows[5].Ratio != 4 || rows[2].Estimate != fit.N {
		t.Fatalf("rows %+v", rows)
	}
	for _, r := range rows {
		odds := r.Estimate - n // of who is on no list; histories of an even number of lists multiply, of an odd divide
		for _, c := range tab.Cells {
			if bits.OnesCount32(c.History)%2 == 0 {
				odds *= float64(c.Count)
			} else {
				odds /= float64(c.Count)
			}
		}
		near(t, "odds ratio", odds, r.Ratio, 1e-6)
	}
}

// With two lists an odds ratio of one is Petersen's estimate, and the part on
// neither list grows with it.
func TestPairSensitivity(t *testing.T) {
	tab := Table{Lists: []string{"a", "b"}, Cells: []Cell{{1, 60}, {2, 40}, {3, 20}}}
	near(t, "independent", PairSensitivity(tab, 0, 1, 1), 80*60/20.0, 1e-12)
	near(t, "three times as likely on both", PairSensitivity(tab, 0, 1, 3), 120+3*60*40/20, 1e-12)
}

// A list left out, a pair merged and a list looked into are the tables that a
// count of people by hand gives.
func TestCutsOfATable(t *testing.T) {
	tab := Table{Lists: []string{"a", "b", "c"}, Cells: []Cell{{1, 50}, {2, 40}, {3, 30}, {4, 20}, {5, 10}, {6, 5}, {7, 2}}}
	without := tab.Without(0) // a: who stood on it alone is no longer seen
	if without.N() != 107 || without.On(1) != 77 || without.On(3) != 7 {
		t.Errorf("without a: %+v", without)
	}
	merged := tab.Merged(0, 1)
	if merged.N() != tab.N() || merged.Lists[0] != "a+b" || merged.On(1) != 137 || merged.On(3) != 17 {
		t.Errorf("a and b merged: %+v", merged)
	}
	inside := tab.Inside(0) // 92 on a, of whom 50 are on no other
	if inside.N() != 42 || inside.On(1) != 32 || inside.On(2) != 12 {
		t.Errorf("inside a: %+v", inside)
	}
	out, pair, known := LeaveOneOut(tab), Merges(tab), InternalConsistency(tab)
	if len(out) != 3 || out[0].N != 107 || len(pair) != 3 || pair[0].N != tab.N() || known[0].Known != 92 {
		t.Errorf("%+v %+v %+v", out, pair, known)
	}
	near(t, "two lists inside a", *known[0].Estimate, 32.0*12/2, 1e-6)
	near(t, "its error", *known[0].Error, 32.0*12/2/92-1, 1e-6)
}
