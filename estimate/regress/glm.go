// Package regress fits regressions of counts (Poisson and negative binomial with
// log link) and of continuous outcomes (least squares), with model-based and
// with autocorrelation-consistent standard errors.
package regress

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrDiverged is a fit that finds no end: collinear columns or counts that some
// combination of columns separates.
var ErrDiverged = errors.New("the fit did not converge: columns may say the same, or some counts are zero throughout")

// A Fit is a fitted regression.
type Fit struct {
	Beta  []float64
	Mu    []float64     // fitted values
	Cov   *mat.SymDense // inverse information at dispersion 1
	Score [][]float64   // by observation: what it adds to the estimating equations
	LL    float64       // Poisson: the sum of y log mu - mu; others: the log likelihood
	// Dispersion is Pearson's chi-squared (least squares: the residual sum of
	// squares) over the degrees of freedom.
	Dispersion float64
	Theta      float64 // of the negative binomial; +Inf for Poisson
}

// Poisson fits y ~ Poisson(exp(offset + x beta)); a nil offset is zero.
func Poisson(x [][]float64, y, offset []float64) (Fit, error) { return irls(x, y, offset, math.Inf(1)) }

// irls fits a negative binomial with given theta, Poisson where it is infinite,
// by iteratively reweighted least squares.
func irls(x [][]float64, y, offset []float64, theta float64) (Fit, error) {
	p := len(x[0])
	f := Fit{Mu: make([]float64, len(y)), LL: math.Inf(-1), Theta: theta}
	eta := make([]float64, len(y))
	for i, v := range y {
		f.Mu[i] = v + 0.1
		eta[i] = math.Log(f.Mu[i])
	}
	info, right := make([]float64, p*p), make([]float64, p)
	for range 100 {
		clear(info)
		clear(right)
		for i, row := range x {
			w := f.Mu[i] / (1 + f.Mu[i]/theta)
			z := w * (eta[i] - at(offset, i) + (y[i]-f.Mu[i])/f.Mu[i])
			accumulate(info, right, row, w, z)
		}
		var err error
		if f.Beta, f.Cov, err = solve(info, right); err != nil {
			return f, err
		}
		ll := 0.0
		for i, row := range x {
			eta[i] = at(offset, i) + dot(row, f.Beta)
			f.Mu[i] = math.Exp(eta[i])
			ll += logLik(y[i], eta[i], f.Mu[i], theta)
		}
		if math.IsNaN(ll) || math.IsInf(ll, 0) {
			return f, ErrDiverged
		}
		done := math.Abs(ll-f.LL) < 1e-11*(math.Abs(ll)+1)
		f.LL = ll
		if done {
			f.finish(x, y)
			return f, nil
		}
	}
	return f, ErrDiverged
}

func logLik(y, eta, mu, theta float64) float64 {
	if math.IsInf(theta, 1) {
		return y*eta - mu
	}
	return lgamma(y+theta) - lgamma(theta) - lgamma(y+1) + theta*math.Log(theta/(theta+mu)) + y*math.Log(mu/(theta+mu))
}

func (f *Fit) finish(x [][]float64, y []float64) {
	chi := 0.0
	for i, row := range x {
		v := 1 + f.Mu[i]/f.Theta
		r := y[i] - f.Mu[i]
		chi += r * r / (f.Mu[i] * v)
		f.Score = append(f.Score, scaled(row, r/v))
	}
	f.Dispersion = chi / float64(len(y)-len(f.Beta))
}

// NegativeBinomial fits mean exp(offset + x beta) and variance mu + mu^2/theta,
// theta by maximum likelihood in turn with beta. Where counts vary no more than
// Poisson's do, theta has no end and is cut at 1e6.
func NegativeBinomial(x [][]float64, y, offset []float64) (Fit, error) {
	f, err := Poisson(x, y, offset)
	if err != nil {
		return f, err
	}
	last := math.Inf(1)
	for range 50 {
		theta := bestTheta(y, f.Mu)
		if f, err = irls(x, y, offset, theta); err != nil {
			return f, err
		}
		if math.Abs(math.Log(theta/last)) < 1e-9 {
			break
		}
		last = theta
	}
	return f, nil
}

// bestTheta maximises the likelihood over theta by golden section on its log.
func bestTheta(y, mu []float64) float64 {
	value := func(u float64) (ll float64) {
		theta := math.Exp(u)
		for i := range y {
			ll += logLik(y[i], 0, mu[i], theta)
		}
		return ll
	}
	const phi = 0.6180339887498949
	low, high := math.Log(1e-3), math.Log(1e6)
	for high-low > 1e-9 {
		a, b := high-phi*(high-low), low+phi*(high-low)
		if value(a) > value(b) {
			high = b
		} else {
			low = a
		}
	}
	return math.Exp((low + high) / 2)
}

// LeastSquares fits y = x beta + error.
func LeastSquares(x [][]float64, y []float64) (f Fit, err error) {
	p := len(x[0])
	info, right := make([]float64, p*p), make([]float64, p)
	for i, row := range x {
		accumulate(info, right, row, 1, y[i])
	}
	if f.Beta, f.Cov, err = solve(info, right); err != nil {
		return f, err
	}
	rss := 0.0
	for i, row := range x {
		mu := dot(row, f.Beta)
		f.Mu = append(f.Mu, mu)
		f.Score = append(f.Score, scaled(row, y[i]-mu))
		rss += (y[i] - mu) * (y[i] - mu)
	}
	n := float64(len(y))
	f.Dispersion = rss / (n - float64(p))
	f.LL = -n / 2 * (math.Log(2*math.Pi*rss/n) + 1)
	return f, nil
}

func accumulate(info, right, row []float64, w, z float64) {
	p := len(row)
	for a, v := range row {
		if v == 0 {
			continue
		}
		right[a] += v * z
		for b := range a + 1 {
			info[a*p+b] += w * v * row[b]
		}
	}
}

// solve gives info^-1 right and info^-1; info's lower triangle is filled.
func solve(info, right []float64) ([]float64, *mat.SymDense, error) {
	p := len(right)
	s := mat.NewSymDense(p, nil)
	for a := range p {
		for b := range a + 1 {
			v := info[a*p+b]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, ErrDiverged
			}
			s.SetSym(a, b, v)
		}
	}
	// Columns of unlike size are scaled, so that the condition says something.
	scale := make([]float64, p)
	for a := range p {
		if scale[a] = 1 / math.Sqrt(s.At(a, a)); math.IsInf(scale[a], 0) || math.IsNaN(scale[a]) {
			return nil, nil, ErrDiverged
		}
	}
	for a := range p {
		for b := range a + 1 {
			s.SetSym(a, b, s.At(a, b)*scale[a]*scale[b])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(s) || chol.Cond() > 1e13 {
		return nil, nil, ErrDiverged
	}
	var cov mat.SymDense
	if err := chol.InverseTo(&cov); err != nil {
		return nil, nil, ErrDiverged
	}
	r := mat.NewVecDense(p, nil)
	for a := range p {
		r.SetVec(a, right[a]*scale[a])
	}
	var beta mat.VecDense
	if err := chol.SolveVecTo(&beta, r); err != nil {
		return nil, nil, ErrDiverged
	}
	out := make([]float64, p)
	for a := range p {
		out[a] = beta.AtVec(a) * scale[a]
		for b := range a + 1 {
			cov.SetSym(a, b, cov.At(a, b)*scale[a]*scale[b])
		}
	}
	return out, &cov, nil
}

// HAC is the covariance of the coefficients where observations in a row are
// correlated (Newey and West 1987): Bartlett weights up to a lag, no
// prewhitening and no adjustment for degrees of freedom.
func (f Fit) HAC(lag int) *mat.SymDense {
	p := len(f.Beta)
	meat := mat.NewDense(p, p, nil)
	for l := 0; l <= lag && l < len(f.Score); l++ {
		w := 1 - float64(l)/float64(lag+1)
		for i := l; i < len(f.Score); i++ {
			u, v := f.Score[i], f.Score[i-l]
			for a := range p {
				for b := range p {
					g := u[a] * v[b]
					if l > 0 {
						g += v[a] * u[b]
					}
					meat.Set(a, b, meat.At(a, b)+w*g)
				}
			}
		}
	}
	var half, whole mat.Dense
	half.Mul(f.Cov, meat)
	whole.Mul(&half, f.Cov)
	out := mat.NewSymDense(p, nil)
	for a := range p {
		for b := range a + 1 {
			out.SetSym(a, b, (whole.At(a, b)+whole.At(b, a))/2)
		}
	}
	return out
}

// SE is the square root of a diagonal entry, times that of a dispersion.
func SE(cov *mat.SymDense, i int, dispersion float64) float64 {
	return math.Sqrt(max(cov.At(i, i)*dispersion, 0))
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func scaled(row []float64, by float64) []float64 {
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = v * by
	}
	return out
}

func at(v []float64, i int) float64 {
	if v == nil {
		return 0
	}
	return v[i]
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
