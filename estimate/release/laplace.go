package release

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Epsilon is a privacy loss in thousandths, so that budgets add up exactly.
type Epsilon int64

func (e Epsilon) String() string { return fmt.Sprintf("%g", float64(e)/1000) }

// maxEpsilon and maxSensitivity bound what the sampler is asked for; both are
// far outside what a release uses.
const (
	maxEpsilon     = 100_000
	maxSensitivity = 1_000_000
)

func check(e Epsilon, sensitivity int) error {
	if e < 1 || e > maxEpsilon || sensitivity < 1 || sensitivity > maxSensitivity {
		return fmt.Errorf("epsilon %v with sensitivity %d: epsilon must be 0.001 to %d and the sensitivity 1 to %d", e, sensitivity, maxEpsilon/1000, maxSensitivity)
	}
	return nil
}

// Noise draws whole numbers x with probability proportional to
// exp(-|x| epsilon / sensitivity), exactly, by rejection over Bernoulli draws
// with rational chances (Canonne, Kamath and Steinke 2020). It reads from the
// operating system's randomness.
func Noise(e Epsilon, sensitivity, cells int) ([]int64, error) {
	return noise(rand.Reader, e, sensitivity, cells)
}

func noise(from io.Reader, e Epsilon, sensitivity, cells int) ([]int64, error) {
	if err := check(e, sensitivity); err != nil {
		return nil, err
	}
	s := sampler{from: from}
	out := make([]int64, cells)
	for i := range out {
		out[i] = s.laplace(uint64(e), 1000*uint64(sensitivity))
	}
	if s.err != nil {
		return nil, fmt.Errorf("no randomness: %w", s.err)
	}
	return out, nil
}

// sampler draws from exact distributions with whole-number parameters. After an
// error it returns zeros, and the caller looks at err once.
type sampler struct {
	from io.Reader
	err  error
}

// below draws uniformly from 0..n-1.
func (s *sampler) below(n uint64) uint64 {
	limit := math.MaxUint64 - math.MaxUint64%n
	for s.err == nil {
		var b [8]byte
		if _, s.err = io.ReadFull(s.from, b[:]); s.err != nil {
			break
		}
		if x := binary.LittleEndian.Uint64(b[:]); x < limit {
			return x % n
		}
	}
	return 0
}

// expBelowOne is true with probability exp(-a/b), 0 <= a <= b: the first k at
// which a chance of a/(b k) fails is odd.
func (s *sampler) expBelowOne(a, b uint64) bool {
	k := uint64(1)
	for s.err == nil && s.below(b*k) < a {
		k++
	}
	return k%2 == 1
}

// laplace draws with scale t/num.
func (s *sampler) laplace(num, t uint64) int64 {
	for s.err == nil {
		u := s.below(t)
		if !s.expBelowOne(u, t) {
			continue
		}
		v := uint64(0)
		for s.err == nil && s.expBelowOne(1, 1) {
			v++
		}
		y := int64((u + t*v) / num)
		if s.below(2) == 0 {
			return y
		} else if y > 0 {
			return -y
		}
		// Zero with a minus sign would count zero twice.
	}
	return 0
}

// Probability is the chance of the noise x.
func Probability(e Epsilon, sensitivity int, x int64) float64 {
	q := ratio(e, sensitivity)
	return (1 - q) / (1 + q) * math.Pow(q, math.Abs(float64(x)))
}

// Variance of the noise.
func Variance(e Epsilon, sensitivity int) float64 {
	q := ratio(e, sensitivity)
	return 2 * q / ((1 - q) * (1 - q))
}

// HalfWidth is the smallest w such that the noise lies within plus or minus w
// with probability share, and that probability: the error bar of a cell.
func HalfWidth(e Epsilon, sensitivity int, share float64) (w int64, covered float64) {
	q := ratio(e, sensitivity)
	w = max(int64(math.Ceil(math.Log((1-share)*(1+q)/2)/math.Log(q)-1-1e-9)), 0)
	return w, 1 - 2*math.Pow(q, float64(w+1))/(1+q)
}

func ratio(e Epsilon, sensitivity int) float64 {
	return math.Exp(-float64(e) / 1000 / float64(sensitivity))
}
