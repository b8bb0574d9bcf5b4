package bench

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"parallax/estimate"
	"parallax/estimate/regress"
)

// lists draws a capture table of k lists that reach few people each; each second
// list shares more than chance with the one before it. About 2,700 records for
// five lists.
func lists(k, people int, seed uint64) (estimate.Table, error) {
	r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // a reproducible table, no secret
	reach := []float64{0.01, 0.05, 0.1, 0.07, 0.03, 0.02, 0.04, 0.06, 0.08, 0.025, 0.015}
	counts := map[uint32]int{}
	for range people {
		var h uint32
		for j := range k {
			p := reach[j]
			if j%2 == 1 && h>>(j-1)&1 == 1 {
				p *= 4
			}
			if r.Float64() < p {
				h |= 1 << j
			}
		}
		if h != 0 {
			counts[h]++
		}
	}
	var names []string
	for j := range k {
		names = append(names, fmt.Sprint("list ", j+1))
	}
	var cells []estimate.Cell
	for h, n := range counts {
		cells = append(cells, estimate.Cell{History: h, Count: n})
	}
	return estimate.NewTable(names, cells)
}

// five is the table that is measured: the caller's, or one drawn.
func five(o Options) (estimate.Table, error) {
	if o.Table != nil {
		return *o.Table, nil
	}
	return lists(5, 11_000, 1)
}

func stepwise(_ context.Context, o Options) (job, error) {
	t, err := five(o)
	return selection(t, err, size(o, 20, 2), 0.002)
}

func manyLists(_ context.Context, _ Options) (job, error) {
	t, err := lists(11, 6_000, 2)
	return selection(t, err, 1, 0.4)
}

// selection compares the stepwise selection with the same on dense matrices.
func selection(t estimate.Table, err error, items int, goal float64) (job, error) {
	if err != nil {
		return job{}, err
	}
	var ours, peer float64
	return job{items: items, goal: goal * float64(items), ours: func(_ context.Context, w *watch) error {
		w.on()
		defer w.off()
		for range items {
			fit, err := estimate.Stepwise(t, estimate.StepwiseP)
			if err != nil {
				return err
			}
			ours = fit.N
		}
		return nil
	}, peer: func(_ context.Context, w *watch) (err error) {
		w.on()
		defer w.off()
		for range items {
			if peer, err = denseStepwise(t, estimate.StepwiseP); err != nil {
				return err
			}
		}
		return nil
	}, check: func(context.Context) error { return agree("estimate", ours, peer, 1e-6) }}, nil
}

func agree(what string, a, b, rel float64) error {
	if !(math.Abs(a-b) <= rel*math.Abs(b)) {
		return fmt.Errorf("the %s is %g here and %g at the peer", what, a, b)
	}
	return nil
}

// denseStepwise is the same selection as one would first write it: a design
// matrix with a row for each history, and weighted least squares. It does not
// check whether an estimate exists, so it is for tables where it does.
func denseStepwise(t estimate.Table, p float64) (float64, error) {
	k := t.K()
	y := make([]float64, 1<<k-1)
	for _, c := range t.Cells {
		y[c.History-1] = float64(c.Count)
	}
	var chosen []uint32
	for {
		x := make([][]float64, len(y))
		for i := range x {
			h := uint32(i + 1)
			x[i] = []float64{1}
			for j := range k {
				x[i] = append(x[i], float64(h>>j&1))
			}
			for _, pair := range chosen {
				v := 0.0
				if h&pair == pair {
					v = 1
				}
				x[i] = append(x[i], v)
			}
		}
		fit, err := regress.Poisson(x, y, nil)
		if err != nil {
			return 0, err
		}
		best, least := uint32(0), p
		for i := range k {
			for j := i + 1; j < k; j++ {
				pair := uint32(1)<<i | 1<<j
				if q := tail(t, fit.Mu, pair); q < least && t.On(pair) > 0 && !slices.Contains(chosen, pair) {
					best, least = pair, q
				}
			}
		}
		if best == 0 {
			return float64(t.N()) + math.Exp(fit.Beta[0]), nil
		}
		chosen = append(chosen, best)
		slices.SortFunc(chosen, cmp.Compare[uint32])
	}
}

// tail is the chance of an overlap so far from what the fit expects.
func tail(t estimate.Table, mu []float64, pair uint32) float64 {
	expected := 0.0
	for i, m := range mu {
		if uint32(i+1)&pair == pair {
			expected += m
		}
	}
	n, below, above := t.On(pair), 0.0, 0.0
	for x := range 4*n + 200 {
		lg, _ := math.Lgamma(float64(x) + 1)
		q := math.Exp(float64(x)*math.Log(expected) - expected - lg)
		if x <= n {
			below += q
		}
		if x >= n {
			above += q
		}
	}
	return min(below, above)
}

// bootstrap repeats the selection on resamples; an item is a resample.
func bootstrap(_ context.Context, o Options) (job, error) {
	t, err := five(o)
	if err != nil {
		return job{}, err
	}
	reps := size(o, 1000, 20)
	var point float64
	return job{items: reps, goal: 1.5 * float64(reps) / 1000, ours: func(ctx context.Context, w *watch) error {
		w.on()
		defer w.off()
		b, err := estimate.StepwiseBCa(ctx, t, estimate.StepwiseP, reps, 1, nil)
		point = b.Point
		return err
	}, check: func(context.Context) error {
		want, err := estimate.Stepwise(t, estimate.StepwiseP)
		if err != nil {
			return err
		}
		return agree("estimate", point, want.N, 1e-9)
	}}, nil
}

func decomposable(ctx context.Context, o Options) (job, error) {
	t, err := five(o)
	if err != nil {
		return job{}, err
	}
	items := size(o, 3, 1)
	var got estimate.DGAResult
	return job{items: items, goal: 0.1 * float64(items), ours: func(ctx context.Context, w *watch) (err error) {
		w.on()
		defer w.off()
		for range items {
			if got, err = estimate.DGA(ctx, t, estimate.DGAOptions{}); err != nil {
				return err
			}
		}
		return nil
	}, check: func(context.Context) error {
		grid, err := estimate.DGA(ctx, t, estimate.DGAOptions{MaxUnseen: 60 * t.N(), Grid: 4000})
		if err != nil {
			return err
		}
		return agree("median", got.Point, grid.Point, 0.02)
	}}, nil
}

// latent runs one chain; an item is a sweep.
func latent(_ context.Context, o Options) (job, error) {
	t, err := five(o)
	if err != nil {
		return job{}, err
	}
	sweeps := size(o, 10_000, 400)
	var last estimate.LCMCRResult
	return job{items: sweeps, goal: 0.1 * float64(sweeps) / 10_000, ours: func(ctx context.Context, w *watch) error {
		w.on()
		defer w.off()
		done := 0
		for seed := uint64(1); done < sweeps; seed++ {
			// A chain that has converged stops early; the next goes on.
			r, err := estimate.LCMCR(ctx, t, estimate.LCMCROptions{Seed: seed, Chains: 1, MaxSweeps: sweeps - done}, nil)
			if err != nil {
				return err
			}
			done += r.Sweeps
			last = r
		}
		return nil
	}, check: func(context.Context) error {
		if !(last.Point > float64(t.N())) {
			return fmt.Errorf("a median of %g with %d seen", last.Point, t.N())
		}
		return nil
	}}, nil
}

// whole is the full panel with everything that a report prints.
func whole(_ context.Context, o Options) (job, error) {
	t, err := five(o)
	if err != nil {
		return job{}, err
	}
	reps := size(o, 1000, 40)
	var got estimate.Report
	return job{items: 1, goal: 5, ours: func(ctx context.Context, w *watch) (err error) {
		w.on()
		defer w.off()
		opts := estimate.Options{Seed: 1, Reps: reps}
		if o.Quick {
			opts.Methods = []string{"loglinear_main", "stepwise", "bic", "dga"}
		}
		got, err = estimate.Run(ctx, t, opts)
		return err
	}, check: func(context.Context) error {
		if len(got.Range) != 2 || got.Headline == "" {
			return fmt.Errorf("a panel without a range: %v", got.Reasons)
		}
		return nil
	}}, nil
}
