package estimate

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"parallax/estimate/draw"
)

// A BCaResult is a bias-corrected and accelerated bootstrap interval together
// with what it was made from.
type BCaResult struct {
	Estimate
	Acceleration float64
	Below        float64 // share of replicates below the estimate
	Replicates   []float64
	Lost         float64 // share of replicates without an estimate
}

// bca repeats whole estimations, their choice of a model included, on samples
// drawn anew from the observed histories (DiCiccio and Efron 1996; Chan,
// Silverman and Vincent 2021). An interval from one chosen model would leave
// out the models that other samples would have chosen. run fills one estimate
// for each of width ways of estimating from the counts that a fitter holds, and
// depends on nothing else. sample fills the counts of one replicate, and depends
// on its number alone. tick is called after each replicate; both are called from
// several goroutines.
func bca(ctx context.Context, t Table, reps, width int, sample func(i int, y []float64), run func(*fitter, []float64), tick func()) ([]BCaResult, error) {
	out := make([]BCaResult, width)
	base := newFitter(t)
	points := make([]float64, width)
	run(base, points)
	skew := acceleration(base, t, width, run)
	for w := range out {
		out[w] = BCaResult{Estimate: Estimate{Point: points[w]}, Acceleration: skew[w], Replicates: make([]float64, reps)}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), reps) {
		wg.Go(func() {
			f := newFitter(t)
			y, got := make([]float64, len(f.y)), make([]float64, width)
			for i := int(next.Add(1)) - 1; i < reps && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				sample(i, y)
				f.load(y)
				run(f, got)
				for w := range out {
					out[w].Replicates[i] = got[w]
				}
				if tick != nil {
					tick()
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for w := range out {
		slices.Sort(out[w].Replicates)
		out[w].limits()
	}
	return out, nil
}

// acceleration is the skew of each estimate's jackknife over distinct histories,
// each weighted by its count.
func acceleration(f *fitter, t Table, width int, run func(*fitter, []float64)) []float64 {
	y := make([]float64, len(f.y))
	left := make([][]float64, len(t.Cells))
	for i, c := range t.Cells {
		for _, d := range t.Cells {
			y[d.History] = float64(d.Count)
		}
		y[c.History]--
		f.load(y)
		left[i] = make([]float64, width)
		run(f, left[i])
	}
	out := make([]float64, width)
	n := float64(t.N())
	for w := range out {
		var mean, s2, s3 float64
		for i, c := range t.Cells {
			mean += left[i][w] * float64(c.Count) / n
		}
		for i, c := range t.Cells {
			d := mean - left[i][w]
			s2 += float64(c.Count) * d * d
			s3 += float64(c.Count) * d * d * d
		}
		// Without spread, or with a sample that has no estimate, the limits are
		// plain percentiles.
		if a := s3 / (6 * math.Pow(s2, 1.5)); finite(a) {
			out[w] = a
		}
	}
	return out
}

// maxLost is the share of replicates without an estimate above which there is
// no upper limit: they belong above it, and are more than the limit leaves out.
const maxLost = 0.025

// limits sets the 95 % limits from the sorted replicates. As in the published
// analyses, replicates without an estimate are left out; how many is kept.
func (b *BCaResult) limits() {
	all := len(b.Replicates)
	have, _ := slices.BinarySearch(b.Replicates, math.Inf(1))
	b.Replicates = b.Replicates[:have]
	b.Lost = float64(all-have) / float64(all)
	if have == 0 {
		b.Low, b.High = math.Inf(1), math.Inf(1)
		return
	}
	below, _ := slices.BinarySearch(b.Replicates, b.Point)
	b.Below = float64(below) / float64(len(b.Replicates))
	z0 := normQuantile(b.Below)
	at := func(z float64) float64 {
		if math.IsInf(z0, 0) {
			return normCDF(z0)
		}
		return normCDF(z0 + (z0+z)/(1-b.Acceleration*(z0+z)))
	}
	b.Low, b.High = quantile8(b.Replicates, at(-z95)), quantile8(b.Replicates, at(z95))
	if b.Lost > maxLost {
		b.High = math.Inf(1)
	}
}

// quantile8 is the approximately median-unbiased sample quantile (type 8 of
// Hyndman and Fan 1996) of sorted values.
func quantile8(sorted []float64, p float64) float64 {
	n := float64(len(sorted))
	h := (n+1.0/3)*p + 1.0/3
	i := int(math.Floor(h))
	switch {
	case i < 1:
		return sorted[0]
	case i >= len(sorted):
		return sorted[len(sorted)-1]
	case sorted[i-1] == sorted[i]:
		return sorted[i]
	}
	return sorted[i-1] + (h-math.Floor(h))*(sorted[i]-sorted[i-1])
}

// seeded draws replicates of a table. Each has a generator of its own, so that
// the answer does not depend on how many processors share the work.
func seeded(t Table, seed, stream uint64) func(i int, y []float64) {
	return func(i int, y []float64) { resample(draw.New(seed, stream, uint64(i)), t.Cells, y) }
}

// byStepwise estimates as Stepwise does.
func byStepwise(p float64) func(*fitter, []float64) {
	return func(f *fitter, got []float64) {
		got[0] = math.Inf(1)
		if fit, err := f.stepwise(p); err == nil {
			got[0] = fit.N
		}
	}
}

// StepwiseBCa is the interval for Stepwise.
func StepwiseBCa(ctx context.Context, t Table, p float64, reps int, seed uint64, tick func()) (BCaResult, error) {
	out, err := bca(ctx, t, reps, 1, seeded(t, seed, streamBCa), byStepwise(p), tick)
	if err != nil {
		return BCaResult{}, err
	}
	return out[0], nil
}
