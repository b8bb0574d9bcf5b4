package estimate

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// A Model is the interaction terms of a log-linear model, each a mask of two or
// more lists, ordered by size and then by the first lists. The intercept and
// every single list are understood.
type Model []uint32

// byTerm orders terms as the literature writes them: 12, 13, 23, then 123.
func byTerm(a, b uint32) int {
	if d := cmp.Compare(bits.OnesCount32(a), bits.OnesCount32(b)); d != 0 {
		return d
	}
	return cmp.Compare(bits.Reverse32(b), bits.Reverse32(a))
}

// with is the model with one more term.
func (m Model) with(term uint32) Model {
	out := append(slices.Clone(m), term)
	slices.SortFunc(out, byTerm)
	return out
}

// String writes the generators, the terms that no other term contains:
// "[12,13,4]" is pairs 1-2 and 1-3, and list 4 alone. From ten lists on the
// numbers in a term are joined by dots.
func (m Model) String() string { return m.name(0) }

// name is String for k lists, so that lists in no term are named too.
func (m Model) name(k int) string {
	var all []uint32
	for j := range k {
		all = append(all, 1<<j)
	}
	all = append(all, m...)
	var top []uint32
	for i, t := range all {
		if !slices.ContainsFunc(all[i+1:], func(u uint32) bool { return u&t == t }) {
			top = append(top, t)
		}
	}
	slices.SortFunc(top, func(a, b uint32) int { return -byTermSize(a, b) })
	parts := make([]string, len(top))
	for i, t := range top {
		parts[i] = termName(t, k)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// byTermSize orders by size only up, by first lists down, so that its negative
// puts large terms first and equal sizes in reading order.
func byTermSize(a, b uint32) int {
	if d := cmp.Compare(bits.OnesCount32(a), bits.OnesCount32(b)); d != 0 {
		return d
	}
	return -cmp.Compare(bits.Reverse32(b), bits.Reverse32(a))
}

func termName(t uint32, k int) string {
	var lists []string
	for j := 0; t>>j != 0; j++ {
		if t>>j&1 == 1 {
			lists = append(lists, strconv.Itoa(j+1))
		}
	}
	if k > 9 {
		return strings.Join(lists, ".")
	}
	return strings.Join(lists, "")
}

// pairs are the terms of two lists, in reading order.
func pairs(k int) []uint32 {
	var out []uint32
	for i := range k {
		for j := i + 1; j < k; j++ {
			out = append(out, 1<<i|1<<j)
		}
	}
	return out
}

// Fit is a fitted Poisson log-linear model.
type Fit struct {
	Model    Model
	N        float64 // estimate of the whole population
	Unseen   float64 // exp(intercept): the expected count of the cell of no list
	SE       float64 // standard error of log Unseen; +Inf where it has none
	LogLik   float64
	Deviance float64
	AIC, BIC float64 // BIC's penalty is the log of the records observed
	Params   int     // terms, those fixed at minus infinity included
	DF       int     // cells that can be filled, less Params that are finite
	Empty    []uint32
}

// fitter holds one table's counts and the work space of its fits; it is not
// safe for use by several goroutines at once.
type fitter struct {
	k    int
	y    []float64 // counts by history; y[0] is the unseen cell, zero unless profiled
	up   []float64 // up[m]: records on all lists of m
	cell []uint32  // histories with a positive count, smallest first
	n    float64
	sat  float64 // log likelihood of the saturated model
	logF float64 // sum of log y!

	mu, sum, alpha []float64
	dead           []bool
	terms          []uint32 // terms of the current model that are finite
	h, g           []float64
	exist          existence
}

func newFitter(t Table) *fitter {
	f := &fitter{k: t.K()}
	size := 1 << f.k
	f.y, f.up = make([]float64, size), make([]float64, size)
	f.mu, f.sum = make([]float64, size), make([]float64, size)
	f.alpha, f.dead = make([]float64, size), make([]bool, size)
	y := make([]float64, size)
	for _, c := range t.Cells {
		y[c.History] = float64(c.Count)
	}
	f.load(y)
	return f
}

// load sets the counts; they need not be whole.
func (f *fitter) load(y []float64) {
	f.n, f.sat, f.logF, f.cell = 0, 0, 0, f.cell[:0]
	copy(f.y, y)
	f.y[0] = 0
	for h, v := range f.y {
		if v > 0 {
			f.n += v
			f.cell = append(f.cell, uint32(h))
			f.sat += v*math.Log(v) - v
			lg, _ := math.Lgamma(v + 1)
			f.logF += lg
		}
	}
	slices.SortFunc(f.cell, byTerm)
	f.sat -= f.logF
	copy(f.up, f.y)
	superset(f.up, f.k)
}

// superset replaces a[m] by the sum of a over all masks that contain m.
func superset(a []float64, k int) {
	for step := 1; step < 1<<k; step <<= 1 {
		for lo := 0; lo < len(a); lo += 2 * step {
			x, z := a[lo:lo+step], a[lo+step:lo+2*step]
			for i := range x {
				x[i] += z[i]
			}
		}
	}
}

// subset replaces a[m] by the sum of a over all masks within m.
func subset(a []float64, k int) {
	for step := 1; step < 1<<k; step <<= 1 {
		for lo := 0; lo < len(a); lo += 2 * step {
			x, z := a[lo:lo+step], a[lo+step:lo+2*step]
			for i := range x {
				z[i] += x[i]
			}
		}
	}
}

// prepare chooses the finite terms of a model. A term whose overlap is empty is
// minus infinity: the term and every cell that contains it are dropped.
func (f *fitter) prepare(m Model) (empty []uint32) {
	clear(f.dead)
	f.terms = append(f.terms[:0], 0)
	drop := func(t uint32) {
		empty = append(empty, t)
		for h := t; h < uint32(len(f.dead)); h = (h + 1) | t {
			f.dead[h] = true
		}
	}
	for j := range f.k {
		if t := uint32(1) << j; f.up[t] > 0 {
			f.terms = append(f.terms, t)
		} else {
			drop(t)
		}
	}
	for _, t := range m {
		if f.up[t] > 0 {
			f.terms = append(f.terms, t)
		} else {
			drop(t)
		}
	}
	return empty
}

// Errors of a fit.
var (
	errNoEstimate = errors.New("the estimate does not exist: the counts let the unseen part grow without end")
	errNotUnique  = errors.New("the estimate is not identified: other parameters fit the same counts")
	errDiverged   = errors.New("the fit did not converge")
)

// fit is the maximum likelihood fit of m. Whether it exists is for admissible
// to say: where it does not, the fit here is only a point on the way.
func (f *fitter) fit(m Model) (Fit, error) {
	empty := f.prepare(m)
	ok := f.newton(-1)
	out := Fit{Model: m, Empty: empty, Params: len(f.terms) + len(empty), DF: -len(f.terms), SE: math.Inf(1)}
	for _, dead := range f.dead[1:] {
		if !dead {
			out.DF++
		}
	}
	out.Unseen = math.Exp(f.alpha[0])
	out.N = f.n + out.Unseen
	out.LogLik = f.logLik() - f.logF
	out.Deviance = 2 * (f.sat - out.LogLik)
	out.AIC = 2*float64(out.Params) - 2*out.LogLik
	out.BIC = math.Log(f.n)*float64(out.Params) - 2*out.LogLik
	if !ok {
		return out, errDiverged
	}
	if v, ok := f.interceptVariance(); ok {
		out.SE = math.Sqrt(v)
	}
	return out, nil
}

// logLik is the kernel: the sum of y log mu - mu, written in sufficient
// statistics.
func (f *fitter) logLik() float64 {
	ll := f.y[0]*f.alpha[0] - f.total()
	for _, t := range f.terms {
		ll += f.alpha[t] * f.up[t]
	}
	return ll
}

// total is the expected count of all cells that the fit covers.
func (f *fitter) total() float64 { return f.sum[0] }

// newton maximises the likelihood over the finite terms. With unseen >= 0 the
// cell of no list is part of the data and counts that many.
func (f *fitter) newton(unseen float64) bool {
	f.y[0] = max(unseen, 0)
	if !f.start(unseen >= 0) {
		return false
	}
	f.expect(unseen >= 0)
	ll := f.logLik()
	for range 60 {
		if !f.information() {
			return false
		}
		cholSolve(f.h, f.g, len(f.terms))
		decrement := 0.0
		for i, t := range f.terms {
			decrement += f.g[i] * f.score(t)
		}
		next, ok := f.move(ll, unseen >= 0)
		if !ok || decrement < 1e-9 {
			return decrement < 1e-6
		}
		ll = next
	}
	return false
}

// score is the derivative of the log likelihood by one coefficient.
func (f *fitter) score(t uint32) float64 {
	s := f.up[t] - f.sum[t]
	if t == 0 {
		s += f.y[0]
	}
	return s
}

// start sets the coefficients by one weighted least squares step from the
// counts themselves, as generalised linear models do.
func (f *fitter) start(seen0 bool) bool {
	w := f.sum
	z := f.mu
	for h := range w {
		if f.dead[h] || h == 0 && !seen0 {
			w[h], z[h] = 0, 0
			continue
		}
		w[h] = f.y[h] + 0.1
		z[h] = w[h]*math.Log(w[h]) - 0.1
	}
	superset(w, f.k)
	superset(z, f.k)
	p := len(f.terms)
	f.h, f.g = resize(f.h, p*p), resize(f.g, p)
	for i, a := range f.terms {
		f.g[i] = z[a]
		for j, b := range f.terms[:i+1] {
			f.h[i*p+j] = w[a|b]
		}
	}
	if !cholesky(f.h, p) {
		return false
	}
	cholSolve(f.h, f.g, p)
	clear(f.alpha)
	for i, t := range f.terms {
		f.alpha[t] = f.g[i]
	}
	return true
}

// expect computes mu and its superset sums from alpha.
func (f *fitter) expect(seen0 bool) {
	copy(f.mu, f.alpha)
	subset(f.mu, f.k)
	for h := range f.mu {
		if f.dead[h] {
			f.mu[h] = 0
		} else {
			f.mu[h] = math.Exp(f.mu[h])
		}
	}
	if !seen0 {
		f.mu[0] = 0
	}
	copy(f.sum, f.mu)
	superset(f.sum, f.k)
}

// information fills g with the score and h with the factor of the information.
// Close to the edge of existence the information is nearly singular; a small
// ridge then keeps the step finite.
func (f *fitter) information() bool {
	p := len(f.terms)
	for ridge := 0.0; ridge < 1; ridge = max(ridge*100, 1e-12) {
		for i, a := range f.terms {
			f.g[i] = f.score(a)
			for j, b := range f.terms[:i+1] {
				f.h[i*p+j] = f.sum[a|b]
			}
			f.h[i*p+i] *= 1 + ridge
		}
		if cholesky(f.h, p) {
			return true
		}
	}
	return false
}

// move takes the step in g, halved until the likelihood does not fall.
func (f *fitter) move(ll float64, seen0 bool) (float64, bool) {
	for scale, i := 1.0, 0; i < 30; i++ {
		for j, t := range f.terms {
			f.alpha[t] += scale * f.g[j]
		}
		f.expect(seen0)
		if next := f.logLik(); next >= ll-1e-9*math.Abs(ll) {
			return next, true
		}
		for j, t := range f.terms {
			f.alpha[t] -= scale * f.g[j]
		}
		scale /= 2
	}
	f.expect(seen0)
	return ll, false
}

// interceptVariance is the entry of the inverse information for the intercept.
func (f *fitter) interceptVariance() (float64, bool) {
	if !f.information() {
		return 0, false
	}
	clear(f.g)
	f.g[0] = 1
	cholSolve(f.h, f.g, len(f.terms))
	return f.g[0], f.g[0] > 0
}

// Interval is a log-normal interval for N at z standard errors.
func (r Fit) Interval(n, z float64) (low, high float64) {
	return n + r.Unseen*math.Exp(-z*r.SE), n + r.Unseen*math.Exp(z*r.SE)
}

// cholesky factors the lower triangle of a p by p matrix in place.
func cholesky(a []float64, p int) bool {
	for i := range p {
		row := a[i*p : i*p+i+1]
		for j := range i {
			other := a[j*p : j*p+j+1]
			s := row[j]
			for l := range j {
				s -= row[l] * other[l]
			}
			row[j] = s / other[j]
		}
		d, s := row[i], row[i]
		for l := range i {
			s -= row[l] * row[l]
		}
		if !(s > 1e-13*d) || math.IsInf(s, 0) {
			return false
		}
		row[i] = math.Sqrt(s)
	}
	return true
}

// cholSolve solves with the factor that cholesky left; b becomes the solution.
func cholSolve(a, b []float64, p int) {
	for i := range p {
		s := b[i]
		for l := range i {
			s -= a[i*p+l] * b[l]
		}
		b[i] = s / a[i*p+i]
	}
	for i := p - 1; i >= 0; i-- {
		s := b[i]
		for l := i + 1; l < p; l++ {
			s -= a[l*p+i] * b[l]
		}
		b[i] = s / a[i*p+i]
	}
}

func resize(a []float64, n int) []float64 {
	if cap(a) < n {
		return make([]float64, n)
	}
	return a[:n]
}
