package estimate

import (
	"math"
	"testing"

	"parallax/estimate/draw"
)

func TestConvergence(t *testing.T) {
	r := draw.New(1, 99, 0)
	same := func(shift func(chain int) float64, phi float64) [][]float64 {
		out := make([][]float64, 4)
		for i := range out {
			x := 0.0
			for range 2000 {
				x = phi*x + r.NormFloat64()
				out[i] = append(out[i], x+shift(i))
			}
		}
		return out
	}
	none := func(int) float64 { return 0 }
	if c := same(none, 0); RHat(c) > 1.01 || math.Abs(ESS(c)-8000) > 800 {
		t.Errorf("independent draws: R-hat %.3f, ESS %.0f of 8000", RHat(c), ESS(c))
	}
	// An autoregression has (1-phi)/(1+phi) as many independent draws.
	if c := same(none, 0.8); RHat(c) > 1.02 || math.Abs(ESS(c)-8000/9) > 200 {
		t.Errorf("correlated draws: R-hat %.3f, ESS %.0f, want about %d", RHat(c), ESS(c), 8000/9)
	}
	if c := same(func(i int) float64 { return float64(i % 2) }, 0); RHat(c) < 1.1 {
		t.Errorf("two modes pass: R-hat %.3f", RHat(c))
	}
}

// The samplers' means and spreads against theory.
func TestSamplers(t *testing.T) {
	r := draw.New(1, 98, 0)
	const n = 40_000
	check := func(what string, mu, v float64, draw func() float64) {
		var sum, sq float64
		for range n {
			x := draw() - mu
			sum += x
			sq += x * x
		}
		if math.Abs(sum/n) > 5*math.Sqrt(v/n) {
			t.Errorf("%s: mean off by %.4g", what, sum/n)
		}
		if got := sq / n; math.Abs(got/v-1) > 0.06 {
			t.Errorf("%s: variance %.4g, want %.4g", what, got, v)
		}
	}
	for _, c := range []struct {
		n int
		p float64
	}{{3, 0.4}, {50, 0.1}, {1000, 0.3}, {40, 0.9}, {1_000_000, 0.02}} {
		check("binomial", float64(c.n)*c.p, float64(c.n)*c.p*(1-c.p), func() float64 { return float64(draw.Binomial(r, c.n, c.p)) })
	}
	for _, mu := range []float64{0.3, 4, 30, 5000} {
		check("poisson", mu, mu, func() float64 { return draw.Poisson(r, mu) })
	}
	for _, a := range []float64{1, 2.5, 300} {
		check("gamma", a, a, func() float64 { return draw.Gamma(r, a) })
	}
	check("small gamma", 0.2, 0.2, func() float64 { return math.Exp(draw.LogGamma(r, 0.2)) })
	check("beta", 3.0/8, 3.0*5/(64*9), func() float64 { return draw.Beta(r, 3, 5) })
}
