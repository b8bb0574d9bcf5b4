package release

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"testing"

	"parallax/estimate"
	"parallax/internal/shareddata"
)

// Noise, then estimate: the published simulation again. Every cell of the
// Western US table, the empty ones included, gets the noise of one release;
// negative counts are cut at zero. The estimate is gone long before the noise
// would hide anybody.
func TestNoiseDestroysEstimates(t *testing.T) {
	raw := shareddata.Read(t, "statistics", "privacy", "dp_noise_on_capture_tables.csv")
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	checked := 0
	for _, row := range rows[1:] {
		if row[0] != "western5" {
			continue
		}
		checked++
		tab, err := estimate.ReadCSV(bytes.NewReader(shareddata.Read(t, "statistics", "mse", row[0]+".csv")))
		if err != nil {
			t.Fatal(err)
		}
		got := noisedMedian(t, tab, Epsilon(math.Round(1000*number(row[4]))), 150)
		if want := number(row[6]); math.Abs(got/want-1) > 0.1 {
			t.Errorf("%s, epsilon %s: median %.0f, want %.0f", row[0], row[4], got, want)
		}
		if fit, err := estimate.Main(tab); err != nil || math.Abs(fit.N/number(row[5])-1) > 1e-4 {
			t.Errorf("%s without noise: %.1f (%v)", row[0], fit.N, err)
		}
	}
	if checked < 5 {
		t.Errorf("%d rows", checked)
	}
}

func noisedMedian(t *testing.T, tab estimate.Table, e Epsilon, reps int) float64 {
	t.Helper()
	cells := 1<<tab.K() - 1
	drawn, err := noise(seeded(uint64(e)), e, 1, reps*cells)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for r := range reps {
		y := make([]int, cells+1)
		for _, c := range tab.Cells {
			y[c.History] = c.Count
		}
		var list []estimate.Cell
		for h := 1; h <= cells; h++ {
			list = append(list, estimate.Cell{History: uint32(h), Count: max(y[h]+int(drawn[r*cells+h-1]), 0)})
		}
		noised, err := estimate.NewTable(tab.Lists, list)
		if err != nil {
			t.Fatal(err)
		}
		if fit, err := estimate.Main(noised); err == nil {
			all = append(all, fit.N)
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}
