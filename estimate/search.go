package estimate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Criterion ranks models; lower is better.
type Criterion int

// BIC charges each term the log of the records observed, AIC charges 2.
const (
	BIC Criterion = iota
	AIC
)

func (c Criterion) String() string {
	if c == AIC {
		return "aic"
	}
	return "bic"
}

func (c Criterion) of(f Fit) float64 {
	if c == AIC {
		return f.AIC
	}
	return f.BIC
}

// MaxModels is how many models a search may fit.
const MaxModels = 40_000

var errTooMany = errors.New("too many models to search")

// Models gives every hierarchical model with all lists in it and no term above
// an order: a term is in only where everything within it is.
func Models(k, order int) ([]Model, error) {
	out := []Model{nil}
	for size := 2; size <= min(order, k); size++ {
		var grown []Model
		for _, m := range out {
			open := openTerms(m, k, size)
			if len(open) > 30 || len(grown)+1<<len(open) > MaxModels {
				return nil, fmt.Errorf("%w: %d lists to order %d have more than %d models", errTooMany, k, order, MaxModels)
			}
			for pick := range 1 << len(open) {
				next := slices.Clone(m)
				for i, t := range open {
					if pick>>i&1 == 1 {
						next = append(next, t)
					}
				}
				grown = append(grown, next)
			}
		}
		out = grown
	}
	for _, m := range out {
		slices.SortFunc(m, byTerm)
	}
	return out, nil
}

// openTerms are the terms of one size all of whose parts are in m.
func openTerms(m Model, k, size int) (open []uint32) {
	for t := uint32(3); t < 1<<k; t++ {
		if onLists(t) != size {
			continue
		}
		whole := true
		for j := 0; j < k && whole && size > 2; j++ {
			whole = t>>j&1 == 0 || slices.Contains(m, t&^(1<<j))
		}
		if whole {
			open = append(open, t)
		}
	}
	slices.SortFunc(open, byTerm)
	return open
}

// Search fits every model up to an order and gives the best top sound ones,
// best first.
func Search(ctx context.Context, t Table, order, top int, by Criterion) ([]Fit, error) {
	all, err := fitAll(ctx, t, order)
	if err != nil {
		return nil, err
	}
	return newFitter(t).bestSound(all, top, by)
}

func fitAll(ctx context.Context, t Table, order int) ([]Fit, error) {
	models, err := Models(t.K(), order)
	if err != nil {
		return nil, err
	}
	f := newFitter(t)
	all := make([]Fit, 0, len(models))
	for _, m := range models {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if fit, err := f.fit(m); err == nil {
			all = append(all, fit)
		}
	}
	return all, nil
}

// bestSound keeps the best top fits that exist. Only as many are checked as are
// needed: the check costs more than a look at the criterion.
func (f *fitter) bestSound(all []Fit, top int, by Criterion) (best []Fit, err error) {
	slices.SortStableFunc(all, func(a, b Fit) int { return cmp.Compare(by.of(a), by.of(b)) })
	for _, fit := range all {
		if len(best) == top {
			break
		}
		if f.admissible(fit.Model) == Sound {
			best = append(best, fit)
		}
	}
	if len(best) == 0 {
		return nil, errNoEstimate
	}
	return best, nil
}

// TopBCa gives the interval of a search whose choice is repeated among the best
// 1, 2, ... len(best) models of the observed table (Silverman, Chan and Vincent
// 2024). With one model the choice is not repeated at all; later rows show
// whether the interval has stopped growing.
func TopBCa(ctx context.Context, t Table, best []Fit, by Criterion, reps int, seed uint64, tick func()) ([]BCaResult, error) {
	return bca(ctx, t, reps, len(best), seeded(t, seed, streamTop), byTop(best, by), tick)
}

// byTop estimates by the best of the first 1, 2, ... models.
func byTop(best []Fit, by Criterion) func(*fitter, []float64) {
	return func(f *fitter, got []float64) {
		least, n := math.Inf(1), math.Inf(1)
		for i, b := range best {
			fit, err := f.fit(b.Model)
			if err == nil && by.of(fit) < least && f.admissible(b.Model) == Sound {
				least, n = by.of(fit), fit.N
			}
			got[i] = n
		}
	}
}
