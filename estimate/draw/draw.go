// Package draw draws random numbers of the common distributions, from a seeded
// generator that the caller owns. It is for simulations and resampling; the
// noise of a private release never comes from here.
package draw

import (
	"math"
	"math/rand/v2"
)

// New is the generator of one purpose: a stream keeps the random numbers of one
// purpose apart from those of another, so that asking for one thing more changes
// no other answer, and a lane tells parallel runs apart.
func New(seed, stream, lane uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream<<32|lane))
}

// Binomial draws from Binomial(n, p): by counting up the distribution function
// where the mean is small, and by transformed rejection (Hoermann 1993) where
// it is not.
func Binomial(r *rand.Rand, n int, p float64) int {
	switch {
	case n <= 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - Binomial(r, n, 1-p)
	case float64(n)*p < 10:
		return binomialSmall(r, n, p)
	}
	nf := float64(n)
	spq := math.Sqrt(nf * p * (1 - p))
	b := 1.15 + 2.53*spq
	a := -0.0873 + 0.0248*b + 0.01*p
	c := nf*p + 0.5
	vr := 0.92 - 4.2/b
	alpha := (2.83 + 5.1/b) * spq
	lpq := math.Log(p / (1 - p))
	mode := math.Floor((nf + 1) * p)
	h := lgamma(mode+1) + lgamma(nf-mode+1)
	for {
		u := r.Float64() - 0.5
		v := r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + c)
		if us >= 0.07 && v <= vr {
			return int(k)
		}
		if k < 0 || k > nf {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		if v <= h-lgamma(k+1)-lgamma(nf-k+1)+(k-mode)*lpq {
			return int(k)
		}
	}
}

func binomialSmall(r *rand.Rand, n int, p float64) int {
	q := math.Exp(float64(n) * math.Log1p(-p))
	u := r.Float64()
	odds := p / (1 - p)
	for k := 0; ; k++ {
		if u < q || k == n {
			return k
		}
		u -= q
		q *= odds * float64(n-k) / float64(k+1)
	}
}

// Poisson draws from Poisson(mu), with the same two ways as Binomial.
func Poisson(r *rand.Rand, mu float64) float64 {
	if mu < 10 {
		limit, k := math.Exp(-mu), 0.0
		for u := r.Float64(); u > limit; u *= r.Float64() {
			k++
		}
		return k
	}
	b := 0.931 + 2.53*math.Sqrt(mu)
	a := -0.059 + 0.02483*b
	vr := 0.9277 - 3.6224/(b-2)
	logMu := math.Log(mu)
	for {
		u := r.Float64() - 0.5
		v := r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mu + 0.43)
		if us >= 0.07 && v <= vr {
			return k
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		if math.Log(v*(1.1239+1.1328/(b-3.4))/(a/(us*us)+b)) <= k*logMu-mu-lgamma(k+1) {
			return k
		}
	}
}

// Gamma draws from Gamma(shape, 1) for shape >= 1 (Marsaglia and Tsang 2000).
func Gamma(r *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := r.Float64()
		if u < 1-0.0331*x*x*x*x || math.Log(u) < x*x/2+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}

// LogGamma draws the log of Gamma(shape, 1). Small shapes give values far below
// the smallest number there is; their logs are harmless.
func LogGamma(r *rand.Rand, shape float64) float64 {
	if shape >= 1 {
		return math.Log(Gamma(r, shape))
	}
	return math.Log(Gamma(r, shape+1)) - r.ExpFloat64()/shape
}

// Beta draws from Beta(a, b) for a, b >= 1.
func Beta(r *rand.Rand, a, b float64) float64 {
	if a == 1 && b == 1 {
		return r.Float64()
	}
	x := Gamma(r, a)
	return x / (x + Gamma(r, b))
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// Multinomial draws n into kinds by weight; out counts each.
func Multinomial(r *rand.Rand, n int, weight, out []float64) {
	left := 0.0
	for _, w := range weight {
		left += w
	}
	for i, w := range weight {
		p := 1.0
		if i < len(weight)-1 {
			p = min(w/left, 1)
		}
		got := Binomial(r, n, p)
		out[i] = float64(got)
		n -= got
		left -= w
	}
}
