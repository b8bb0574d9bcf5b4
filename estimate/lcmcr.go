package estimate

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"parallax/estimate/draw"
)

// LCMCROptions set the prior and the length of the sampler. The zero value is
// the default.
type LCMCROptions struct {
	Classes int     // latent classes; 0 means 10
	Shape   float64 // shape of the gamma prior of the concentration; 0 means 0.25
	Rate    float64 // its rate; 0 means 0.25
	// MaxUnseen is the prior's bound on the unseen; 0 means 20 times the
	// observed. How often it binds is reported.
	MaxUnseen int
	Chains    int // 0 means 8
	// MaxSweeps ends each chain; 0 means 40,000. Chains are first run for a
	// quarter and go on only while they disagree.
	MaxSweeps int
	Seed      uint64
}

func (o *LCMCROptions) defaults(n int) {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&o.Classes, 10)
	set(&o.MaxUnseen, 20*n)
	set(&o.Chains, 8)
	set(&o.MaxSweeps, 40_000)
	if o.Shape == 0 {
		o.Shape, o.Rate = 0.25, 0.25
	}
}

// Gates of LCMCR: beyond them the chains describe different posteriors, and the
// interval of their mixture describes none.
const (
	MaxRHat = 1.05
	MinESS  = 400
)

// LCMCRResult is the posterior of N as several chains found it.
type LCMCRResult struct {
	Estimate     // median and 95 % equal-tailed interval; only to be shown where Converged
	Mean         float64
	RHat, ESS    float64
	Bound        float64 // share of draws in which the prior's bound on the unseen was met
	Sweeps       int     // of each chain, the first quarter left out of the draws
	ChainMedians []float64
	Converged    bool
	draws        [][]float64
}

// lcmcrThin is the distance of the draws that are kept.
const lcmcrThin = 10

// LCMCR fits a Dirichlet-process mixture of independence models (Manrique-Vallier
// 2016): people fall into latent classes, and within a class the lists are
// independent. It assumes no more than that people who are seen tell what the
// classes are; a class that no list reaches stays unseen.
func LCMCR(ctx context.Context, t Table, o LCMCROptions, tick func(share float64)) (LCMCRResult, error) {
	o.defaults(t.N())
	chains := make([]*chain, o.Chains)
	for i := range chains {
		chains[i] = newChain(t, o, draw.New(o.Seed, streamLCMCR, uint64(i)))
	}
	var r LCMCRResult
	step := max(o.MaxSweeps/4, lcmcrThin)
	for r.Sweeps < o.MaxSweeps {
		run(ctx, chains, step)
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.Sweeps += step
		if tick != nil {
			tick(float64(r.Sweeps) / float64(o.MaxSweeps))
		}
		if r.summarise(chains); r.Converged {
			break
		}
	}
	return r, nil
}

// run moves every chain on, several at a time. Each has a generator of its own,
// so the answer does not depend on how many processors there are.
func run(ctx context.Context, chains []*chain, sweeps int) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, c := range chains {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for i := range sweeps {
				if i%1000 == 0 && ctx.Err() != nil {
					return
				}
				c.sweep()
				if i%lcmcrThin == 0 {
					c.kept = append(c.kept, c.n+c.unseen)
				}
			}
		})
	}
	wg.Wait()
}

func (r *LCMCRResult) summarise(chains []*chain) {
	r.draws, r.ChainMedians = nil, nil
	var all []float64
	bound := 0
	for _, c := range chains {
		d := c.kept[len(c.kept)/4:]
		r.draws = append(r.draws, d)
		sorted := slices.Sorted(slices.Values(d))
		r.ChainMedians = append(r.ChainMedians, quantile8(sorted, 0.5))
		all = append(all, d...)
		bound += c.bound
	}
	slices.Sort(all)
	r.Mean = mean(all)
	r.Point, r.Low, r.High = quantile8(all, 0.5), quantile8(all, 0.025), quantile8(all, 0.975)
	r.Bound = float64(bound) / float64(r.Sweeps*len(chains))
	r.RHat, r.ESS = RHat(r.draws), ESS(r.draws)
	r.Converged = r.RHat <= MaxRHat && r.ESS >= MinESS
}

// chain is one Gibbs sampler.
type chain struct {
	r     *rand.Rand
	o     LCMCROptions
	k     int
	cells []Cell
	n     float64

	nu     []float64   // weight of each class
	logNu  []float64   // their logs, from the sticks
	reach  [][]float64 // by class: chance of being on each list
	on     [][]float64 // by class: how many are on each list
	size   []float64   // by class: how many people, the unseen included
	alpha  float64
	unseen float64
	p      []float64
	bound  int
	kept   []float64
}

func newChain(t Table, o LCMCROptions, r *rand.Rand) *chain {
	c := &chain{r: r, o: o, k: t.K(), cells: t.Cells, n: float64(t.N()), alpha: 1, unseen: float64(t.N())}
	c.nu, c.logNu, c.size, c.p = make([]float64, o.Classes), make([]float64, o.Classes), make([]float64, o.Classes), make([]float64, o.Classes)
	for range o.Classes {
		reach := make([]float64, c.k)
		for j := range reach {
			reach[j] = r.Float64()
		}
		c.reach = append(c.reach, reach)
		c.on = append(c.on, make([]float64, c.k))
	}
	for i := range c.nu {
		c.nu[i] = 1 / float64(o.Classes)
	}
	return c
}

// sweep draws everything once.
func (c *chain) sweep() {
	c.assign()
	c.drawReach()
	c.drawWeights()
	c.drawUnseen()
}

// assign puts the people of each history into classes. Its cost depends on the
// number of distinct histories, not of people.
func (c *chain) assign() {
	clear(c.size)
	for _, on := range c.on {
		clear(on)
	}
	for _, cell := range c.cells {
		total := 0.0
		for i, nu := range c.nu {
			p := nu
			for j, q := range c.reach[i] {
				if cell.History>>j&1 == 1 {
					p *= q
				} else {
					p *= 1 - q
				}
			}
			c.p[i] = p
			total += p
		}
		c.share(cell.Count, total, func(class int, n float64) {
			c.size[class] += n
			for h := cell.History; h != 0; h &= h - 1 {
				c.on[class][trailing(h)] += n
			}
		})
	}
	total := 0.0
	for i, nu := range c.nu {
		p := nu
		for _, q := range c.reach[i] {
			p *= 1 - q
		}
		c.p[i] = p
		total += p
	}
	c.share(int(c.unseen), total, func(class int, n float64) { c.size[class] += n })
}

// share draws a multinomial over the classes with weights p. Few people are put
// into classes one by one, many class by class.
func (c *chain) share(n int, total float64, put func(class int, n float64)) {
	if n <= 4 {
		for range n {
			u := c.r.Float64() * total
			class := 0
			for u -= c.p[0]; u > 0 && class < len(c.p)-1; u -= c.p[class] {
				class++
			}
			put(class, 1)
		}
		return
	}
	for class := 0; class < len(c.p) && n > 0; class++ {
		got := n
		if class < len(c.p)-1 {
			got = draw.Binomial(c.r, n, c.p[class]/total)
		}
		if got > 0 {
			put(class, float64(got))
		}
		n -= got
		total -= c.p[class]
	}
}

func (c *chain) drawReach() {
	for i, on := range c.on {
		for j, n := range on {
			c.reach[i][j] = draw.Beta(c.r, 1+n, 1+c.size[i]-n)
		}
	}
}

// drawWeights draws the concentration, then the sticks. The rest of a stick can
// be smaller than any number; its log is kept instead.
func (c *chain) drawWeights() {
	for range 3 {
		c.swap()
	}
	c.drawAlpha()
	left := c.n + c.unseen
	logRest := 0.0
	last := len(c.nu) - 1
	for i := range last {
		left -= c.size[i]
		x, y := draw.LogGamma(c.r, 1+c.size[i]), draw.LogGamma(c.r, c.alpha+max(left, 0))
		sum := logAdd(x, y)
		c.logNu[i] = logRest + x - sum
		logRest += y - sum
	}
	c.logNu[last] = logRest
	for i, l := range c.logNu {
		c.nu[i] = math.Exp(l)
	}
}

// swap offers to exchange the places of two classes, the sticks integrated out.
// Classes are alike but for their place, and large ones belong in front: without
// this a chain stays for thousands of sweeps with its main class at the back.
func (c *chain) swap() {
	i, j := c.r.IntN(len(c.size)), c.r.IntN(len(c.size))
	if c.size[i] == c.size[j] {
		return
	}
	gain := -c.logAlpha(c.alpha)
	// The last class has no stick of its own, so its size is not rewarded.
	switch last := len(c.size) - 1; last {
	case i:
		gain += lgamma(1+c.size[i]) - lgamma(1+c.size[j])
	case j:
		gain += lgamma(1+c.size[j]) - lgamma(1+c.size[i])
	}
	c.size[i], c.size[j] = c.size[j], c.size[i]
	if math.Log(c.r.Float64()) >= gain+c.logAlpha(c.alpha) {
		c.size[i], c.size[j] = c.size[j], c.size[i]
		return
	}
	c.reach[i], c.reach[j] = c.reach[j], c.reach[i]
}

// drawAlpha moves the concentration with the sticks integrated out. Drawn given
// the sticks, it would creep: empty classes' sticks follow it to zero and hold
// it there.
func (c *chain) drawAlpha() {
	now := c.logAlpha(c.alpha)
	for range 2 {
		next := c.alpha * math.Exp(2*c.r.NormFloat64())
		if p := c.logAlpha(next); math.Log(c.r.Float64()) < p-now {
			c.alpha, now = next, p
		}
	}
}

// logAlpha is the log density of log alpha given the class sizes.
func (c *chain) logAlpha(alpha float64) float64 {
	p := c.o.Shape*math.Log(alpha) - c.o.Rate*alpha
	left := c.n + c.unseen
	for _, size := range c.size[:len(c.size)-1] {
		if left == 0 {
			break
		}
		all := left
		left -= size
		p += math.Log(alpha) - lgamma(1+alpha+all)
		p += lgamma(alpha + left)
	}
	return p
}

// drawUnseen draws how many people no list holds: negative binomial, cut at the
// prior's bound.
func (c *chain) drawUnseen() {
	miss := 0.0
	for i, nu := range c.nu {
		p := nu
		for _, q := range c.reach[i] {
			p *= 1 - q
		}
		miss += p
	}
	miss = min(miss, 1-1e-12)
	limit := float64(c.o.MaxUnseen)
	for range 100 {
		u := draw.Poisson(c.r, draw.Gamma(c.r, c.n)*miss/(1-miss))
		if u <= limit {
			c.unseen = u
			return
		}
	}
	c.unseen = limit
	c.bound++
}

func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
