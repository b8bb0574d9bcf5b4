package estimate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"parallax/estimate/draw"
)

// Missed links make one person look like several. Here each list's record
// carries the shared selector independently with a probability, its carry: the
// carriers of a person appear as one record, each of the others as a record of
// its own list alone. So the expected observed table is M mu, with mu the table
// that perfect linkage would show, and the log-linear model for mu is fitted
// through M: a composite link (Thompson and Baker 1981). That exact form is our
// own; it contains Ding and Fienberg's two-list correction.

// CheckCarry refuses a carry that does not fit a table.
func CheckCarry(carry []float64, k int) error {
	if len(carry) != k {
		return fmt.Errorf("%d carry probabilities for %d lists; give one for each list, in the order of the columns", len(carry), k)
	}
	for i, a := range carry {
		if !(a > 0 && a <= 1) {
			return fmt.Errorf("the carry of list %d is %g; it must be above 0 and at most 1", i+1, a)
		}
	}
	return nil
}

// blur applies M: it turns the table of people into the expected table of
// records.
func blur(mu, carry []float64, out []float64) {
	copy(out, mu)
	out[0] = 0
	// First only the carriers of each person are looked at.
	for j, a := range carry {
		for h := range out {
			if h>>j&1 == 1 {
				out[h&^(1<<j)] += (1 - a) * out[h]
				out[h] *= a
			}
		}
	}
	out[0] = 0
	// Then everybody who does not carry stands alone.
	for j, a := range carry {
		on := 0.0
		for h := range mu {
			if h>>j&1 == 1 {
				on += mu[h]
			}
		}
		out[1<<j] += (1 - a) * on
	}
}

// Unlink inverts M: the moment estimate of the table that perfect linkage would
// show, by history; y is indexed by history. Cells may come out negative where
// the data contradict the carry.
func Unlink(y, carry []float64) []float64 {
	size := len(y)
	order := make([]int, size)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return onLists(uint32(b)) - onLists(uint32(a)) })
	mu := make([]float64, size)
	seen := make([]float64, size)
	for _, h := range order {
		if h == 0 {
			continue
		}
		own := 1.0
		for j, a := range carry {
			if h>>j&1 == 1 && onLists(uint32(h)) > 1 {
				own *= a
			}
		}
		// What larger histories contribute is known by now.
		blur(mu, carry, seen)
		if onLists(uint32(h)) > 1 {
			mu[h] = (y[h] - seen[h]) / own
			continue
		}
		mu[h] = y[h] - seen[h]
	}
	return mu
}

// LinkedFit fits a log-linear model to records with missed links. y counts the
// records by history and need not be whole.
func LinkedFit(y, carry []float64, m Model) (Fit, error) {
	f := newFitter(Table{Lists: make([]string, len(carry))})
	f.load(y)
	if err := f.admissible(m).err(); err != nil {
		return Fit{Model: m, N: math.Inf(1)}, err
	}
	if _, err := f.fit(m); err != nil {
		return Fit{}, err
	}
	c := composite{f: f, carry: carry, eta: make([]float64, len(y))}
	return c.fit(m)
}

// composite is a fitter whose cells are seen through M.
type composite struct {
	f     *fitter
	carry []float64
	eta   []float64
	grad  [][]float64 // by term: derivative of eta
}

var errCarry = errors.New("the counts contradict the carry probabilities: more overlap than they allow")

// fit maximises the likelihood of the observed records by Fisher scoring, from
// the fit that takes links as perfect.
func (c *composite) fit(m Model) (Fit, error) {
	f := c.f
	p := len(f.terms)
	c.grad = make([][]float64, p)
	for i := range c.grad {
		c.grad[i] = make([]float64, len(f.y))
	}
	f.y[0] = 0
	ll := c.expect()
	for range 500 {
		if !c.scoring() {
			return Fit{}, errDiverged
		}
		cholSolve(f.h, f.g, p)
		step := slices.Clone(f.g)
		size := 0.0
		for i := range step {
			size = max(size, math.Abs(step[i]))
		}
		next, ok := c.move(step, ll)
		if !ok || size < 1e-11 {
			if size > 1e-4 {
				return Fit{}, errCarry
			}
			return c.result(m)
		}
		ll = next
	}
	return Fit{}, errDiverged
}

// expect computes eta and the log likelihood kernel from the coefficients.
func (c *composite) expect() float64 {
	c.f.expect(false)
	blur(c.f.mu, c.carry, c.eta)
	ll := 0.0
	for h := 1; h < len(c.eta); h++ {
		ll -= c.eta[h]
		if c.f.y[h] > 0 {
			ll += c.f.y[h] * math.Log(c.eta[h])
		}
	}
	return ll
}

// scoring fills g with the score and h with the factor of the information.
func (c *composite) scoring() bool {
	f := c.f
	p := len(f.terms)
	part := make([]float64, len(f.mu))
	for i, t := range f.terms {
		for h, mu := range f.mu {
			part[h] = 0
			if uint32(h)&t == t {
				part[h] = mu
			}
		}
		blur(part, c.carry, c.grad[i])
		f.g[i] = 0
		for h := 1; h < len(c.eta); h++ {
			if c.eta[h] > 0 {
				f.g[i] += c.grad[i][h] * (f.y[h]/c.eta[h] - 1)
			}
		}
		for j := range i + 1 {
			s := 0.0
			for h := 1; h < len(c.eta); h++ {
				if c.eta[h] > 0 {
					s += c.grad[i][h] * c.grad[j][h] / c.eta[h]
				}
			}
			f.h[i*p+j] = s
		}
	}
	return cholesky(f.h, p)
}

func (c *composite) move(step []float64, ll float64) (float64, bool) {
	scale := 1.0
	for range 40 {
		for i, t := range c.f.terms {
			c.f.alpha[t] += scale * step[i]
		}
		if next := c.expect(); next >= ll-1e-12*math.Abs(ll) {
			return next, true
		}
		for i, t := range c.f.terms {
			c.f.alpha[t] -= scale * step[i]
		}
		scale /= 2
	}
	c.expect()
	return ll, false
}

// result reads the population off the fit: everybody on a list, counted once,
// and the unseen.
func (c *composite) result(m Model) (Fit, error) {
	f := c.f
	ll := c.expect()
	out := Fit{Model: m, Unseen: math.Exp(f.alpha[0]), SE: math.Inf(1), Params: 1 + f.k + len(m)}
	people := 0.0
	for h := 1; h < len(f.mu); h++ {
		people += f.mu[h]
	}
	out.N = people + out.Unseen
	out.LogLik = ll - f.logF
	out.Deviance = 2 * (f.sat - out.LogLik)
	out.AIC = 2*float64(out.Params) - 2*out.LogLik
	out.BIC = math.Log(f.n)*float64(out.Params) - 2*out.LogLik
	p := len(f.terms)
	if !c.scoring() {
		return out, nil
	}
	// The standard error is that of log N by the delta method.
	d := make([]float64, p)
	for i, t := range f.terms {
		d[i] = f.sum[t]
	}
	d[0] += out.Unseen
	v := slices.Clone(d)
	cholSolve(f.h, v, p)
	s := 0.0
	for i := range d {
		s += d[i] * v[i]
	}
	out.SE = math.Sqrt(s) / out.N
	return out, nil
}

// LinkedBootstrap is the interval of a linked fit with everything that is
// uncertain drawn anew: the records, by history, and each list's carry, from the
// beta distribution that its audit of so many links leaves. The model is taken
// as given. What has no estimate is left out, as in BCa; how many is told.
func LinkedBootstrap(ctx context.Context, t Table, carry []float64, audited []int, m Model, reps int, seed uint64) (e Estimate, lost float64, err error) {
	y := make([]float64, 1<<t.K())
	a := make([]float64, len(carry))
	var got []float64
	for i := range reps {
		if err := ctx.Err(); err != nil {
			return e, 0, err
		}
		r := draw.New(seed, streamCarry, uint64(i))
		resample(r, t.Cells, y)
		for j, c := range carry {
			n := float64(audited[j])
			a[j] = min(max(draw.Beta(r, 1+n*c, 1+n*(1-c)), 1e-3), 1)
		}
		if fit, err := LinkedFit(y, a, m); err == nil && finite(fit.N) {
			got = append(got, fit.N)
		}
	}
	lost = 1 - float64(len(got))/float64(reps)
	if len(got) == 0 {
		return e, lost, errNoEstimate
	}
	slices.Sort(got)
	e = Estimate{quantile8(got, 0.5), quantile8(got, 0.025), quantile8(got, 0.975)}
	if lost > maxLost {
		e.High = math.Inf(1)
	}
	return e, lost, nil
}

// CheckAudited refuses sizes of audits that do not fit.
func CheckAudited(audited []int, k int) error {
	if len(audited) != k {
		return fmt.Errorf("%d audits for %d lists; give the number of links checked for each list, in the order of the columns", len(audited), k)
	}
	for i, n := range audited {
		if n < 1 || n > MaxCount {
			return fmt.Errorf("the audit of list %d checked %d links; give at least 1", i+1, n)
		}
	}
	return nil
}
