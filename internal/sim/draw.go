package sim

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Streams of randomness. Every person has their own stream, so that a change
// to one does not shift the draws of the others.
const (
	streamActor    = 1 << 40
	streamInnocent = 2 << 40
	streamAlarm    = 3 << 40
	streamCell     = 4 << 40
)

func stream(seed, base uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, base+uint64(i)))
}

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// lognormal with mean 1.
func skew(r *rand.Rand, sigma float64) float64 {
	return math.Exp(sigma*r.NormFloat64() - sigma*sigma/2)
}

// lognormal with a median.
func around(r *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*r.NormFloat64())
}

// poisson sums small Poisson draws: a sum of Poissons is Poisson.
func poisson(r *rand.Rand, mean float64) int {
	n := 0
	for mean > 0 {
		m := min(mean, 25)
		mean -= m
		for limit, p := math.Exp(-m), r.Float64(); p > limit; p *= r.Float64() {
			n++
		}
	}
	return n
}

// career is the count of paid events of one payer.
func (p Params) career(r *rand.Rand) int {
	return 1 + poisson(r, p.PaidMean*skew(r, p.PaidSigma))
}

// paymentDays places a career around one event on a uniform day, because the
// population is those active in the window, and gives the days inside it.
func (p Params) paymentDays(r *rand.Rand, career int) []int {
	median := p.GapOther
	if career >= p.ProlificAt {
		median = p.GapProlific
	}
	anchor, at := r.IntN(career), r.Float64()*float64(p.Days)
	days := []int{int(at)}
	for _, side := range []struct {
		n    int
		sign float64
	}{{anchor, -1}, {career - 1 - anchor, 1}} {
		t := at
		for range side.n {
			t += side.sign * around(r, median, p.GapSigma)
			if t < 0 || t >= float64(p.Days) {
				break
			}
			days = append(days, int(t))
		}
	}
	sort.Ints(days)
	return days
}

// pick draws an index by weight.
func pick(r *rand.Rand, weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	x := r.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}
