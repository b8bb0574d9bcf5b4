package estimate

import "math"

// logPoissonTail is the log of min(P(X <= x), P(X >= x)) for X ~ Poisson(mu).
// The tail is summed outward from x in units of P(X = x): one minus the other
// tail would cancel to nothing where it matters.
func logPoissonTail(x, mu float64) float64 {
	if mu <= 0 {
		if x > 0 {
			return math.Inf(-1)
		}
		return 0
	}
	lg, _ := math.Lgamma(x + 1)
	at := x*math.Log(mu) - mu - lg
	below, term := 1.0, 1.0
	for i := x; i > 0 && term > 1e-17*below; i-- {
		term *= i / mu
		below += term
	}
	above, term := 1.0, 1.0
	for i := x + 1; term > 1e-17*above; i++ {
		term *= mu / i
		above += term
	}
	return min(at+math.Log(min(below, above)), 0)
}
