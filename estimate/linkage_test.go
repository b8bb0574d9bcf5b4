package estimate

import (
	"encoding/json"
	"math/bits"
	"testing"

	"parallax/internal/shareddata"
)

type linkageCase struct {
	N        float64
	P, Carry []float64
	True     map[string]float64 `json:"true_expected"`
	Observed map[string]float64 `json:"observed_expected"`
	Naive    float64            `json:"main_effects_on_observed"`
}

func linkageCases(t testing.TB) []linkageCase {
	t.Helper()
	var doc struct{ Cases []linkageCase }
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "linkage", "expected_tables.json"), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Cases
}

func dense(k int, m map[string]float64) []float64 {
	y := make([]float64, 1<<k)
	for h := 1; h < len(y); h++ {
		bits := ""
		for j := range k {
			bits += string(rune('0' + h>>j&1))
		}
		y[h] = m[bits]
	}
	return y
}

func TestCompositeLink(t *testing.T) {
	for _, c := range linkageCases(t) {
		k := len(c.P)
		truth, seen := dense(k, c.True), dense(k, c.Observed)
		// Both tables are computed from the capture chances, so that the published
		// rounding of the table does not stand in for an error here.
		for h := 1; h < len(truth); h++ {
			want := c.N
			for j, p := range c.P {
				if h>>j&1 == 1 {
					want *= p
				} else {
					want *= 1 - p
				}
			}
			near(t, "true cell", truth[h], want, 1e-6)
			truth[h] = want
		}
		got := make([]float64, 1<<k)
		blur(truth, c.Carry, got)
		for h := 1; h < len(got); h++ {
			near(t, "observed cell", got[h], seen[h], 1e-4)
		}
		fit, err := LinkedFit(got, c.Carry, nil)
		if err != nil {
			t.Fatal(c.Carry, err)
		}
		near(t, "corrected N", fit.N, c.N, 1e-6)
		f := newFitter(Table{Lists: make([]string, k)})
		f.load(got)
		naive, err := f.sound(nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "naive N", naive.N, c.Naive, 1e-6)
		for h, v := range Unlink(got, c.Carry) {
			if h > 0 {
				near(t, "unlinked cell", v, truth[h], 1e-9)
			}
		}
		on := func(mask int) (n float64) {
			for h, v := range got {
				if h&mask == mask && bits.OnesCount(uint(h)) > 0 {
					n += v
				}
			}
			return n
		}
		pair, err := LinkedPair(on(1), on(2), on(3), c.Carry[0]*c.Carry[1], 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "pair", pair, c.N, 1e-9)
	}
}

// False links: Ding and Fienberg's expectation inverted.
func TestLinkedPairWithFalseLinks(t *testing.T) {
	const n1, n2, m, hit, miss = 3000.0, 2000.0, 600.0, 0.9, 0.01
	got, err := LinkedPair(n1, n2, hit*m+miss*(n1-m), hit, miss)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "N", got, n1*n2/m, 1e-12)
	if _, err := LinkedPair(n1, n2, 10, hit, miss); err == nil {
		t.Error("an overlap below the false links gave an estimate")
	}
}
