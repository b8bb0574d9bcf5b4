package estimate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// DGAOptions set the prior and the grid of DGA. The zero value is the default.
type DGAOptions struct {
	// Delta is the Dirichlet weight of each of the 2^k cells; 0 means 2^-k.
	Delta float64
	// LogPrior is the log prior of N; nil means -log N.
	LogPrior func(n float64) float64
	// MaxUnseen ends the range of the unseen; 0 extends it until the tail is
	// below 1e-6.
	MaxUnseen int
	// Grid is the number of evenly spaced points used, to reproduce published
	// runs; 0 means every whole number.
	Grid int
}

// DGAResult is a posterior over N, averaged over all decomposable graphs.
type DGAResult struct {
	Estimate         // median and 95 % equal-tailed interval
	Mode             float64
	Mean             float64 // over the range that was summed; the complete graph has no mean
	RelativeSquare   float64 // the estimate that minimises relative squared error
	Models           []WeightedModel
	MaxUnseen        float64 // end of the range that was summed
	Tail             float64 // posterior mass estimated to lie beyond it
	values, cumulate []float64
}

// WeightedModel is a graph with its posterior probability.
type WeightedModel struct {
	Name        string
	Probability float64
}

// Quantile is the smallest N at which the posterior reaches p.
func (r DGAResult) Quantile(p float64) float64 {
	i, _ := slices.BinarySearchFunc(r.cumulate, p, func(c, p float64) int { return cmp.Compare(c, p-1e-12) })
	return r.values[min(i, len(r.values)-1)]
}

// Between is the posterior probability of low <= N <= high.
func (r DGAResult) Between(low, high float64) (p float64) {
	for i, v := range r.values {
		if v >= low && v <= high {
			p += r.mass(i)
		}
	}
	return p
}

func (r DGAResult) mass(i int) float64 {
	if i == 0 {
		return r.cumulate[0]
	}
	return r.cumulate[i] - r.cumulate[i-1]
}

// Bounds of DGA: below three lists there is no choice of graph, above six there
// are too many.
const dgaMinLists, dgaMaxLists = 3, 6

// dgaTail is how much of the posterior may lie beyond the range.
const dgaTail = 1e-6

// DGA averages over all decomposable graphical models (Madigan and York 1997):
// each says which lists depend on each other, all are weighed by how well they
// predict the table for each N. It assumes that people differ in no way but
// which lists they are on, and that some decomposable graph holds.
func DGA(ctx context.Context, t Table, o DGAOptions) (DGAResult, error) {
	if k := t.K(); k < dgaMinLists || k > dgaMaxLists {
		return DGAResult{}, fmt.Errorf("decomposable graphs are averaged over for %d to %d lists", dgaMinLists, dgaMaxLists)
	}
	d := newDGA(t, o)
	limit := float64(o.MaxUnseen)
	if limit == 0 {
		limit = 1e4 * d.fineEnd()
	}
	for {
		if err := ctx.Err(); err != nil {
			return DGAResult{}, err
		}
		d.setGrid(limit, o.Grid)
		r := d.posterior()
		if o.MaxUnseen > 0 || r.Tail < dgaTail || limit > 1e15 {
			r.MaxUnseen = limit
			return r, nil
		}
		limit *= 1000
	}
}

// dga holds what does not depend on the unseen.
type dga struct {
	t      Table
	n      float64
	delta  float64
	prior  func(float64) float64
	graphs []decomposable
	zero   []float64 // by mask: records on none of its lists, plus its weight
	rest   []float64 // by mask: the part of its score that the unseen leaves alone
	ground float64   // what all graphs share

	grid   []float64   // values of the unseen, each the middle of its width
	width  []float64   // how many whole numbers each value stands for
	scores [][]float64 // by mask, then grid value; mask 0 is the empty separator
	common []float64   // by grid value
	buffer []float64
}

func newDGA(t Table, o DGAOptions) *dga {
	k := t.K()
	d := &dga{t: t, n: float64(t.N()), delta: o.Delta, prior: o.LogPrior, graphs: chordalGraphs(k)}
	if d.delta == 0 {
		d.delta = math.Exp2(-float64(k))
	}
	if d.prior == nil {
		d.prior = func(n float64) float64 { return -math.Log(n) }
	}
	d.zero, d.rest = make([]float64, 1<<k), make([]float64, 1<<k)
	for mask := uint32(1); mask < 1<<k; mask++ {
		weight := d.delta * math.Exp2(float64(k-onLists(mask)))
		cells := map[uint32]float64{}
		for _, c := range t.Cells {
			cells[c.History&mask] += float64(c.Count)
		}
		d.zero[mask] = cells[0] + weight
		d.rest[mask] = -math.Exp2(float64(onLists(mask))) * lgamma(weight)
		for sub := mask; sub > 0; sub = (sub - 1) & mask {
			d.rest[mask] += lgamma(cells[sub] + weight)
		}
	}
	for _, c := range t.Cells {
		d.ground -= lgamma(float64(c.Count) + 1)
	}
	return d
}

// setGrid chooses the values of the unseen and computes each mask's score there.
// Every whole number is taken up to some thousands; beyond, each value stands
// for a stretch that is short beside both its distance from zero (1/2048) and
// the spread that n records can show. Past thirty times the observed there is only
// tail, and the stretches are longer.
func (d *dga) setGrid(limit float64, points int) {
	d.grid, d.width = d.grid[:0], d.width[:0]
	for i := range points {
		d.grid = append(d.grid, math.Round(1+float64(i)*(limit-1)/float64(points-1)))
		d.width = append(d.width, 1)
	}
	relative := min(1.0/2048, 1/(8*math.Sqrt(d.n)))
	fine := d.fineEnd()
	for v := 1.0; points == 0 && v <= limit; {
		if v > fine {
			relative = 1.0 / 256
		}
		w := max(1, math.Floor(v*relative))
		d.grid = append(d.grid, v+(w-1)/2)
		d.width = append(d.width, w)
		v += w
	}
	d.scores = make([][]float64, len(d.zero))
	for mask := 1; mask < len(d.zero); mask++ {
		d.scores[mask] = make([]float64, len(d.grid))
		for i, u := range d.grid {
			d.scores[mask][i] = lgamma(u+d.zero[mask]) + d.rest[mask]
		}
	}
	d.common, d.scores[0] = make([]float64, len(d.grid)), make([]float64, len(d.grid))
	for i, u := range d.grid {
		d.common[i] = d.shared(u) + math.Log(d.width[i])
		d.scores[0][i] = lgamma(u+d.n+d.total()) - lgamma(d.total())
	}
}

// fineEnd is where the tail begins.
func (d *dga) fineEnd() float64 { return max(30*d.n, 1000) }

// total is the whole Dirichlet weight, that of the empty separator too.
func (d *dga) total() float64 { return d.delta * float64(len(d.zero)) }

// shared is the log weight that all graphs have in common.
func (d *dga) shared(unseen float64) float64 {
	n := unseen + d.n
	return lgamma(d.total()) - lgamma(n+d.total()) + lgamma(n+1) - lgamma(unseen+1) + d.ground + d.prior(n)
}

// logWeights are a graph's log weights at every step-th grid value. An empty
// separator stands for the total: its score cancels one total of the shared part.
func (d *dga) logWeights(g decomposable, step int) []float64 {
	w := d.buffer[:0]
	for i := 0; i < len(d.grid); i += step {
		w = append(w, d.common[i])
	}
	d.buffer = w
	for _, c := range g.cliques {
		for i, score := 0, d.scores[c]; i < len(w); i++ {
			w[i] += score[i*step]
		}
	}
	for _, s := range g.separators {
		for i, score := 0, d.scores[s]; i < len(w); i++ {
			w[i] -= score[i*step]
		}
	}
	return w
}

// posterior sums over graphs and normalises.
func (d *dga) posterior() DGAResult {
	top, mass := d.screen()
	density := make([]float64, len(d.grid))
	sums := make([]float64, len(d.graphs))
	sum := 0.0
	for i, g := range d.graphs {
		if mass[i] < 1e-9 {
			continue
		}
		sums[i] = d.spread(g, top, density)
		sum += sums[i]
	}
	r := DGAResult{values: make([]float64, len(d.grid)), cumulate: make([]float64, len(d.grid))}
	for i, s := range sums {
		if s > 0 {
			r.Models = append(r.Models, WeightedModel{d.graphs[i].name(d.t.K()), s / sum})
		}
	}
	slices.SortStableFunc(r.Models, func(a, b WeightedModel) int { return cmp.Compare(b.Probability, a.Probability) })
	r.summarise(d, density, sum)
	return r
}

func (r *DGAResult) summarise(d *dga, density []float64, sum float64) {
	cum, best, inv, inv2 := 0.0, 0.0, 0.0, 0.0
	for i, w := range density {
		p, n := w/sum, d.grid[i]+d.n
		cum += p
		r.values[i], r.cumulate[i] = n, cum
		r.Mean += p * n
		inv += p / n
		inv2 += p / (n * n)
		if p/d.width[i] > best {
			best, r.Mode = p/d.width[i], n
		}
	}
	r.RelativeSquare = inv / inv2
	r.Tail = d.tail(density, sum)
	r.Point, r.Low, r.High = r.Quantile(0.5), r.Quantile(0.025), r.Quantile(0.975)
}

// screenEvery-th grid values are used to weigh the graphs at first.
const screenEvery = 8

// negligible is the log of a weight, beside the largest, that rounding swallows.
const negligible = -37

// screen weighs the graphs at a few values, so that the many that do not matter
// cost little. It returns the largest log weight seen and each graph's share.
func (d *dga) screen() (top float64, share []float64) {
	top = math.Inf(-1)
	share = make([]float64, len(d.graphs))
	step := screenEvery
	if len(d.grid) <= 4096 {
		step = 1
	}
	tops := make([]float64, len(d.graphs))
	for g := range d.graphs {
		logs := d.logWeights(d.graphs[g], step)
		tops[g] = slices.Max(logs)
		for _, w := range logs {
			if w -= tops[g]; w > negligible {
				share[g] += math.Exp(w)
			}
		}
		top = max(top, tops[g])
	}
	sum := 0.0
	for g := range share {
		share[g] *= math.Exp(tops[g] - top)
		sum += share[g]
	}
	for g := range share {
		share[g] /= sum
	}
	return top, share
}

// spread adds a graph's weights over the grid to density and returns their sum.
func (d *dga) spread(g decomposable, top float64, density []float64) (sum float64) {
	for i, w := range d.logWeights(g, 1) {
		if w -= top; w > negligible {
			w = math.Exp(w)
			density[i] += w
			sum += w
		}
	}
	return sum
}

// tail bounds the mass beyond the grid: the density at the end falls like a
// power of the unseen, read off its last two values.
func (d *dga) tail(density []float64, sum float64) float64 {
	i, j := len(density)-2, len(density)/2
	if i <= j || density[i] == 0 {
		return 0
	}
	end := density[i] / d.width[i]
	power := math.Log(density[j]/d.width[j]/end) / math.Log(d.grid[i]/d.grid[j])
	if power <= 1 {
		return 1
	}
	return end * d.grid[i] / (power - 1) / sum
}
