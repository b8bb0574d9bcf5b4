package estimate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parallax/internal/shareddata"
)

func TestChapmanAndChao(t *testing.T) {
	for _, r := range references(t, "chapman_pair") {
		tab := load(t, r.table)
		pair, _, _ := strings.Cut(r.settings, ":")
		a, b, _ := strings.Cut(pair, "|")
		e := Chapman(tab, slices.Index(tab.Lists, a), slices.Index(tab.Lists, b))
		near(t, r.table+" "+pair, e.Point, r.estimate, 1e-6)
		near(t, r.table+" "+pair+" low", e.Low, r.lower, 1e-6)
		near(t, r.table+" "+pair+" high", e.High, r.upper, 1e-6)
	}
	for _, r := range references(t, "chao") {
		tab := load(t, r.table)
		f := tab.Frequencies()
		f1, f2, n := float64(f[1]), float64(f[2]), float64(tab.N())
		if r.method == "chao2_bias_corrected" {
			near(t, r.table, ChaoCorrected(f1, f2, n, tab.K()), r.estimate, 1e-6)
			continue
		}
		e := Chao1987(f1, f2, n)
		near(t, r.table, e.Point, r.estimate, 1e-6)
		near(t, r.table, e.Low, r.lower, 1e-6)
		near(t, r.table, e.High, r.upper, 1e-6)
	}
}

func TestChaoMth(t *testing.T) {
	for _, r := range references(t, "rcapture_Mth_Chao") {
		got, se, err := ChaoMth(load(t, r.table))
		if err != nil {
			t.Fatal(r.table, err)
		}
		near(t, r.table, got, r.estimate, 1e-3)
		near(t, r.table+" se", se, r.setting("stderr"), 2e-3)
	}
}

func TestFrequencyChao(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(shareddata.Read(t, "statistics", "mse", "illegal_immigrants_freq.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var freq []int
	for _, r := range rows[1:] {
		n, err := strconv.Atoi(r[1])
		if err != nil {
			t.Fatal(err)
		}
		freq = append(freq, n)
	}
	point, se := FrequencyChao(freq)
	near(t, "bound", point, 9273.5, 1e-5)
	near(t, "se", se, 662.6, 1e-4)
	e := FrequencyChaoProfile(freq)
	near(t, "profile", e.Point, 9267.5, 1e-3)
	near(t, "profile low", e.Low, 8088.2, 1e-3)
	near(t, "profile high", e.High, 10704, 1e-3)
}

func TestProfile(t *testing.T) {
	for _, r := range references(t, "loglinear_main_multinomial_profile") {
		e, err := Profile(load(t, r.table), nil)
		if err != nil {
			t.Fatal(r.table, err)
		}
		near(t, r.table, e.Point, r.estimate, 1e-3)
		near(t, r.table+" low", e.Low, r.lower, 1e-3)
		near(t, r.table+" high", e.High, r.upper, 1e-3)
	}
}

func TestFixedModels(t *testing.T) {
	var doc struct {
		Models map[string]struct {
			Poisson, Stderr, Deviance float64
			DF                        float64
			Profile                   []float64 `json:"multinomial_profile_95"`
		}
	}
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "mse", "hiv4_fixed_models.json"), &doc); err != nil {
		t.Fatal(err)
	}
	tab := load(t, "hiv4")
	for name, m := range map[string]Model{"[12,3,4]": {3}, "all pairs": pairs(4)} {
		want := doc.Models[name]
		fit, err := FitModel(tab, m)
		if err != nil {
			t.Fatal(name, err)
		}
		near(t, name, fit.N, want.Poisson, 1e-5)
		near(t, name+" deviance", fit.Deviance, want.Deviance, 1e-3)
		near(t, name+" df", float64(fit.DF), want.DF, 0)
		near(t, name+" se", math.Sqrt(fit.Unseen+fit.Unseen*fit.Unseen*fit.SE*fit.SE), want.Stderr, 1e-3)
		e, err := Profile(tab, m)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, got := range []float64{e.Point, e.Low, e.High} {
			near(t, name+" profile", got, want.Profile[i], 1e-3)
		}
	}
}

// Other published tables with their published figures, in whole numbers.
func TestOtherPublishedTables(t *testing.T) {
	// Diabetes in Casale Monferrato on four lists (Bruno and others 1994; also
	// Chao and others 2001): 2,771 from the model of five pairs, which AIC chooses.
	diabetes := map[string]int{"1111": 58, "1110": 157, "1101": 18, "1100": 104, "1011": 46, "1010": 650, "1001": 12, "1000": 709,
		"0111": 14, "0110": 20, "0101": 7, "0100": 74, "0011": 8, "0010": 182, "0001": 10}
	// An outbreak of hepatitis A on three lists (Chao and others 2001): pairs
	// 336, 378 and 334; independent lists 388; all pairs 1,313.
	hepatitis := map[string]int{"111": 28, "110": 21, "101": 17, "100": 69, "011": 18, "010": 55, "001": 63}
	best, err := Search(t.Context(), tableOf(t, diabetes), 2, 1, AIC)
	if err != nil {
		t.Fatal(err)
	}
	if got := best[0].Model.name(4); got != "[12,13,23,24,34]" {
		t.Errorf("diabetes: AIC chooses %s", got)
	}
	whole := func(what string, got, want float64) {
		t.Helper()
		if math.Round(got) != want {
			t.Errorf("%s: %.2f, published %.0f", what, got, want)
		}
	}
	whole("diabetes", best[0].N, 2771)
	tab := tableOf(t, hepatitis)
	for pair, want := range map[[2]int]float64{{0, 1}: 336, {0, 2}: 378, {1, 2}: 334} {
		n1, n2, m := float64(tab.On(1<<pair[0])), float64(tab.On(1<<pair[1])), float64(tab.On(1<<pair[0]|1<<pair[1]))
		got, err := LinkedPair(n1, n2, m, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		whole("hepatitis, a pair", got, want)
	}
	for _, c := range []struct {
		model Model
		want  float64
	}{{nil, 388}, {pairs(3), 1313}} {
		fit, err := FitModel(tab, c.model)
		if err != nil {
			t.Fatal(err)
		}
		whole("hepatitis "+c.model.name(3), fit.N, c.want)
	}
}

// tableOf makes a table of counts by history, one digit for each list.
func tableOf(t *testing.T, counts map[string]int) Table {
	t.Helper()
	var lists []string
	var cells []Cell
	for digits, n := range counts {
		c := Cell{Count: n}
		lists = lists[:0]
		for j, d := range digits {
			lists = append(lists, string(rune('a'+j)))
			c.History |= uint32(d-'0') << j
		}
		cells = append(cells, c)
	}
	tab, err := NewTable(lists, cells)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}
