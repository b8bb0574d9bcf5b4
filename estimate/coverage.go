package estimate

import (
	"context"
	"slices"

	"parallax/estimate/draw"
)

// A Coverage says how the stepwise method does on tables simulated from its own
// fit: even where its model is the truth, choosing a model costs coverage.
type Coverage struct {
	Model     string   `json:"model"`
	Tables    int      `json:"tables"`
	Estimated int      `json:"estimated"`    // tables that had an estimate
	Covered   int      `json:"covered"`      // of these, by the profile interval
	Median    *float64 `json:"median_error"` // of the estimate, relative
}

// SimulatedCoverage draws tables of the fit's population, by its cells with the
// unseen among them, and estimates each anew, model and all.
func SimulatedCoverage(ctx context.Context, t Table, fit Fit, tables int, seed uint64) (Coverage, error) {
	out := Coverage{Model: fit.Model.name(t.K()), Tables: tables}
	f := newFitter(t)
	if _, err := f.fit(fit.Model); err != nil {
		return out, err
	}
	weight := slices.Clone(f.mu)
	weight[0] = fit.Unseen
	y := make([]float64, len(weight))
	var errs []float64
	for i := range tables {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		draw.Multinomial(draw.New(seed, streamSimulate, uint64(i)), int(fit.N+0.5), weight, y)
		one := Table{Lists: t.Lists}
		for h := 1; h < len(y); h++ {
			if y[h] > 0 {
				one.Cells = append(one.Cells, Cell{uint32(h), int(y[h])})
			}
		}
		got, err := Stepwise(one, StepwiseP)
		if err != nil || !finite(got.N) {
			continue
		}
		e, err := Profile(one, got.Model)
		if err != nil {
			continue
		}
		out.Estimated++
		errs = append(errs, got.N/fit.N-1)
		if e.Low <= fit.N && fit.N <= e.High {
			out.Covered++
		}
	}
	if len(errs) > 0 {
		slices.Sort(errs)
		out.Median = number(quantile8(errs, 0.5))
	}
	return out, nil
}
