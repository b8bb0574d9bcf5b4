package estimate

import (
	"math"
	"testing"

	"parallax/estimate/draw"
)

// With two periods the removal estimate is u1^2/(u1-u2) and the chance 1-u2/u1
// (Seber 1982), whatever was seen again.
func TestTrapResponseOfTwoPeriods(t *testing.T) {
	r, err := NewTrapResponse(1600, 2, 600, 200) // 1,000 in the first period, 600 more in the second, 200 of the 1,000 again
	if err != nil {
		t.Fatal(err)
	}
	near(t, "chance", r.First, 0.4, 1e-6)
	near(t, "again", r.Again, 0.2, 1e-9)
	near(t, "estimate", *r.Estimate, 2500, 1e-6)
	if *r.Ratio > 0.51 || r.P > 0.05 {
		t.Errorf("half as easily again: %+v", r)
	}
}

// Simulated people: alike they show no response, and those whose accounts are
// closed once seen do, with their number found by removal.
func TestTrapResponseInSimulatedPeople(t *testing.T) {
	for _, c := range []struct {
		name  string
		again float64
		below bool
	}{{"no response", 0.2, false}, {"closed once seen", 0.05, true}} {
		r := draw.New(9, 1, 0)
		table := map[uint32]int{}
		for range 5000 {
			history := uint32(0)
			for j := range 5 {
				p := 0.2
				if history != 0 {
					p = c.again
				}
				if r.Float64() < p {
					history |= 1 << j
				}
			}
			table[history]++
		}
		tab := Table{Lists: make([]string, 5)}
		for h, n := range table {
			if h != 0 {
				tab.Cells = append(tab.Cells, Cell{h, n})
			}
		}
		got, err := tab.trapResponse()
		if err != nil {
			t.Fatal(c.name, err)
		}
		if found := got.P < 0.01 && *got.Ratio < 0.4; found != c.below || math.Abs(*got.Estimate/5000-1) > 0.1 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestTrapResponsesThatCannotBe(t *testing.T) {
	for _, c := range [][4]int{{0, 2, 0, 0}, {5, 1, 0, 0}, {5, 3, 0, 11}, {5, 3, 10, 0}, {5, 3, -1, 0}} {
		if _, err := NewTrapResponse(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
	r, err := NewTrapResponse(40, 4, 100, 2) // first sightings that grow
	if err != nil || r.Ratio != nil || r.Estimate != nil || r.Reading == "" {
		t.Errorf("%+v, %v", r, err)
	}
}
