package estimate

import (
	"fmt"
	"slices"
	"testing"
)

func TestModelsAreCounted(t *testing.T) {
	// 113 models of four lists to order 3 (Silverman, Chan and Vincent 2024).
	for _, c := range []struct{ k, order, want int }{{3, 2, 8}, {4, 2, 64}, {4, 3, 113}, {5, 2, 1024}, {4, 4, 114}} {
		ms, err := Models(c.k, c.order)
		if err != nil || len(ms) != c.want {
			t.Errorf("%d lists to order %d: %d models (%v), want %d", c.k, c.order, len(ms), err, c.want)
		}
	}
	if _, err := Models(9, 2); err == nil {
		t.Error("2^36 models were listed")
	}
}

func TestSearch(t *testing.T) {
	refs := append(references(t, "mse_bic_maxorder"), references(t, "loglinear_hierarchical_best")...)
	for _, r := range refs {
		tab := load(t, r.table)
		by, order := BIC, 2
		if slices.Contains([]string{"loglinear_hierarchical_bestAIC_maxorder2", "loglinear_hierarchical_bestAIC_maxorder3"}, r.method) {
			by = AIC
		}
		if r.method[len(r.method)-1] == '3' {
			order = 3
		}
		best, err := Search(t.Context(), tab, order, 1, by)
		if err != nil {
			t.Fatal(r.table, err)
		}
		what := fmt.Sprintf("%s %s", r.table, r.method)
		near(t, what, best[0].N, r.estimate, 1e-5)
		near(t, what+" BIC", best[0].BIC, r.setting("BIC"), 1e-4)
		if got := best[0].Model.name(tab.K()); got != r.model {
			t.Errorf("%s: model %s, want %s", what, got, r.model)
		}
		if r.lower > 0 {
			e, err := Profile(tab, best[0].Model)
			if err != nil {
				t.Fatal(what, err)
			}
			near(t, what+" low", e.Low, r.lower, 1e-3)
			near(t, what+" high", e.High, r.upper, 1e-3)
		}
	}
}
