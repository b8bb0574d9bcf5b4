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
