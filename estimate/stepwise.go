package estimate

import (
	"cmp"
	"math"
	"slices"
)

// StepwiseP is the threshold below which a pair's overlap counts as surprising.
const StepwiseP = 0.02

// Stepwise is the forward selection of pairs by Chan, Silverman and Vincent
// (2021): of the pairs whose overlap is more surprising under the current fit
// than p, the most surprising that leaves the fit sound enters.
func Stepwise(t Table, p float64) (Fit, error) { return newFitter(t).stepwise(p) }

// Main is the fit without interactions.
func Main(t Table) (Fit, error) { return FitModel(t, nil) }

// FitModel fits one model, or says why that cannot be done.
func FitModel(t Table, m Model) (Fit, error) { return newFitter(t).sound(m) }

// sound is fit where the fit exists.
func (f *fitter) sound(m Model) (Fit, error) {
	if err := f.admissible(m).err(); err != nil {
		return Fit{Model: m, N: math.Inf(1)}, err
	}
	return f.fit(m)
}

func (f *fitter) stepwise(p float64) (Fit, error) {
	now, err := f.sound(nil)
	if err != nil {
		return now, err
	}
	type candidate struct {
		term uint32
		logP float64
	}
	all := pairs(f.k)
	for {
		var open []candidate
		for _, t := range all {
			if slices.Contains(now.Model, t) {
				continue
			}
			if lp := logPoissonTail(f.up[t], f.sum[t]); lp < math.Log(p) {
				open = append(open, candidate{t, lp})
			}
		}
		slices.SortStableFunc(open, func(a, b candidate) int { return cmp.Compare(a.logP, b.logP) })
		next, found := now, false
		for _, c := range open {
			if m := now.Model.with(c.term); f.admissible(m) == Sound {
				if fit, err := f.fit(m); err == nil {
					next, found = fit, true
					break
				}
			}
		}
		if !found {
			return now, nil
		}
		now = next
	}
}
