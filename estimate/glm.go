package estimate

import (
	"math"
)

// glmFit is a Poisson regression with log link on a dense design.
type glmFit struct {
	beta []float64
	mu   []float64
	cov  []float64 // p by p, inverse information
	ll   float64   // kernel: sum of y log mu - mu
}

// poissonGLM fits y ~ Poisson(exp(offset + x beta)) by iteratively reweighted
// least squares. x holds one row per observation.
func poissonGLM(x [][]float64, y, offset []float64) (glmFit, error) {
	p := len(x[0])
	f := glmFit{beta: make([]float64, p), mu: make([]float64, len(y))}
	eta := make([]float64, len(y))
	for i, v := range y {
		f.mu[i] = v + 0.1
		eta[i] = math.Log(f.mu[i])
	}
	h, g := make([]float64, p*p), make([]float64, p)
	f.ll = math.Inf(-1)
	for range 100 {
		clear(h)
		clear(g)
		for i, row := range x {
			w := f.mu[i]
			z := w*(eta[i]-at(offset, i)) + y[i] - f.mu[i]
			for a, v := range row {
				if v == 0 {
					continue
				}
				g[a] += v * z
				for b := range a + 1 {
					h[a*p+b] += w * v * row[b]
				}
			}
		}
		if !cholesky(h, p) {
			return f, errDiverged
		}
		cholSolve(h, g, p)
		copy(f.beta, g)
		ll := 0.0
		for i, row := range x {
			eta[i] = at(offset, i)
			for a, v := range row {
				eta[i] += v * f.beta[a]
			}
			f.mu[i] = math.Exp(eta[i])
			ll += y[i]*eta[i] - f.mu[i]
		}
		if !finite(ll) {
			return f, errDiverged
		}
		done := math.Abs(ll-f.ll) < 1e-11*(math.Abs(ll)+1)
		f.ll = ll
		if done {
			f.cov = inverse(h, p)
			return f, nil
		}
	}
	return f, errDiverged
}

func at(v []float64, i int) float64 {
	if v == nil {
		return 0
	}
	return v[i]
}

// inverse is the full inverse of the matrix whose Cholesky factor is h.
func inverse(h []float64, p int) []float64 {
	out := make([]float64, p*p)
	col := make([]float64, p)
	for j := range p {
		clear(col)
		col[j] = 1
		cholSolve(h, col, p)
		for i := range p {
			out[i*p+j] = col[i]
		}
	}
	return out
}
