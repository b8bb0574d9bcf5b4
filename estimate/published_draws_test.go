package estimate

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"testing"
)

// Published bootstrap limits are one run of 1,000 resamples with one seed, and
// some rest on a handful of these. So that they can be compared exactly, the
// generators that drew them are written here anew, from the papers: the Mersenne
// Twister (Matsumoto and Nishimura 1998) and the binomial of Kachitvichyanukul
// and Schmeiser (1988), seeded and rounded as R 4.2 does.
type rDraws struct {
	state [624]uint32
	at    int
}

// newRDraws is the generator after R's set.seed.
func newRDraws(seed uint32) *rDraws {
	r := &rDraws{at: 624}
	next := func() { seed = 69069*seed + 1 }
	for range 50 {
		next()
	}
	next() // the place that R keeps its position in
	for i := range r.state {
		next()
		r.state[i] = seed
	}
	return r
}

// uniform is the next number strictly between 0 and 1.
func (r *rDraws) uniform() float64 {
	if r.at == 624 {
		r.at = 0
		for i := range r.state {
			y := r.state[i]&(1<<31) | r.state[(i+1)%624]&(1<<31-1)
			r.state[i] = r.state[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
	}
	y := r.state[r.at]
	r.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	y ^= y >> 18
	const unit = 2.328306437080797e-10 // 1/(2^32-1)
	return min(max(float64(y)*2.3283064365386963e-10, unit/2), 1-unit/2)
}

// binomial is algorithm BTPE where the mean of the rarer outcome is 30 or more,
// and inversion below.
func (r *rDraws) binomial(n int, prob float64) int {
	switch {
	case n == 0 || prob == 0:
		return 0
	case prob == 1:
		return n
	}
	p := min(prob, 1-prob)
	x := 0
	if float64(n)*p < 30 {
		x = r.invert(n, p)
	} else {
		x = r.btpe(n, p)
	}
	if prob > 0.5 {
		return n - x
	}
	return x
}

func (r *rDraws) invert(n int, p float64) int {
	odds := p / (1 - p)
	g := odds * float64(n+1)
	first := 1.0
	for base, e := 1-p, n; e > 0; base, e = base*base, e>>1 {
		if e&1 == 1 {
			first *= base
		}
	}
	for {
		f, u := first, r.uniform()
		for x := 0; x <= 110; {
			if u < f {
				return x
			}
			u -= f
			x++
			f *= g/float64(x) - odds
		}
	}
}

// btpe: a triangle over the middle, parallelograms beside it, exponential tails.
func (r *rDraws) btpe(n int, p float64) int {
	q, odds := 1-p, p/(1-p)
	g, mean := odds*float64(n+1), float64(n)*p
	top := mean + p
	m := int(top)
	v0 := mean * q
	p1 := float64(int(2.195*math.Sqrt(v0)-4.6*q)) + 0.5
	mid := float64(m) + 0.5
	left, right := mid-p1, mid+p1
	c := 0.134 + 20.5/(15.3+float64(m))
	slope := func(a float64) float64 { return a * (1 + 0.5*a) }
	ll, lr := slope((top-left)/(top-left*p)), slope((right-top)/(right*q))
	p2 := p1 * (1 + c + c)
	p3 := p2 + c/ll
	p4 := p3 + c/lr
	for {
		u, v := r.uniform()*p4, r.uniform()
		var x int
		switch {
		case u <= p1:
			return int(mid - p1*v + u)
		case u <= p2:
			at := left + (u-p1)/c
			if v = v*c + 1 - math.Abs(mid-at)/p1; v > 1 || v <= 0 {
				continue
			}
			x = int(at)
		case u > p3:
			if x = int(right - math.Log(v)/lr); x > n {
				continue
			}
			v *= (u - p3) * lr
		default:
			if x = int(left + math.Log(v)/ll); x < 0 {
				continue
			}
			v *= (u - p2) * ll
		}
		// Published tables are small: the ratio of two chances is always worked
		// out, without the bounds that spare it for large variances.
		f := 1.0
		for i := m + 1; i <= x; i++ {
			f *= g/float64(i) - odds
		}
		for i := x + 1; i <= m; i++ {
			f /= g/float64(i) - odds
		}
		if v <= f {
			return x
		}
	}
}

// multinomial draws n over cells; what is left is kept in 64 bits of mantissa,
// as R does.
func (r *rDraws) multinomial(n int, counts []int) []int {
	long := func(v float64) *big.Float { return new(big.Float).SetPrec(64).SetFloat64(v) }
	sum := 0.0
	for _, c := range counts {
		sum += float64(c)
	}
	rest := long(0)
	for _, c := range counts {
		rest.Add(rest, long(float64(c)/sum))
	}
	out := make([]int, len(counts))
	for i, c := range counts[:len(counts)-1] {
		if c == 0 {
			continue
		}
		p, _ := new(big.Float).SetPrec(64).Quo(long(float64(c)/sum), rest).Float64()
		out[i] = n
		if p < 1 {
			out[i] = r.binomial(n, p)
		}
		if n -= out[i]; n <= 0 {
			return out
		}
		rest.Sub(rest, long(float64(c)/sum))
	}
	out[len(counts)-1] = n
	return out
}

// byFirstList orders histories as the published New Orleans table of eight lists
// does: by the first list, then by how many.
func byFirstList(a, b uint32) int {
	return cmp.Or(cmp.Compare(bits.TrailingZeros32(a), bits.TrailingZeros32(b)), byTerm(a, b))
}

// published draws the replicates of a table with the published seed and in the
// published order of histories.
func published(t Table, order func(a, b uint32) int, reps int) func(i int, y []float64) {
	cells := slices.SortedFunc(slices.Values(t.Cells), func(a, b Cell) int { return order(a.History, b.History) })
	counts := make([]int, len(cells))
	for i, c := range cells {
		counts[i] = c.Count
	}
	r, all := newRDraws(1234), make([][]int, reps)
	for i := range all {
		all[i] = r.multinomial(t.N(), counts)
	}
	return func(i int, y []float64) {
		clear(y)
		for at, c := range cells {
			y[c.History] = float64(all[i][at])
		}
	}
}

func TestTwisterOfR(t *testing.T) {
	r := newRDraws(1234) // set.seed(1234); runif(3)
	for _, want := range []float64{0.1137034, 0.6222994, 0.6092747} {
		if got := r.uniform(); math.Abs(got-want) > 1e-7 {
			t.Errorf("%.7f, want %.7f", got, want)
		}
	}
}

// With the very resamples of the published runs the limits are the published
// ones, neworl8's smallest replicate and korea3's upper limits among them: what
// another seed changes is the draw and not the method. Where the last digits
// differ, the fits of the reference decide a tie (korea3: three resamples give
// exactly the estimate, and one of them came out below it) or whether a single
// resample has an estimate.
func TestPublishedDraws(t *testing.T) {
	for _, c := range []struct {
		table     string
		order     func(a, b uint32) int
		low, high float64 // tolerances
	}{{"uk5", byTerm, 1e-6, 1e-6}, {"uk6", byTerm, 1e-6, 1e-6}, {"neworl5", byTerm, 1e-6, 1e-6}, {"western5", byTerm, 1e-6, 1e-3}, {"neworl8", byFirstList, 1e-6, 1e-2}} {
		tab := load(t, c.table)
		got, err := bca(t.Context(), tab, 1000, 1, published(tab, c.order, 1000), byStepwise(StepwiseP), nil)
		if err != nil {
			t.Fatal(c.table, err)
		}
		for _, r := range references(t, "sparse_stepwise_bca") {
			if r.table == c.table {
				near(t, r.table+" low", got[0].Low, r.lower, c.low)
				near(t, r.table+" high", got[0].High, r.upper, c.high)
			}
		}
	}
	// Silverman, Chan and Vincent (2024), tables 2 and 3, as printed.
	for _, c := range []struct {
		table      string
		order, top int
		low, high  float64
	}{{"korea3", 2, 1, 131, 248}, {"korea3", 2, 2, 130, 348}, {"korea3", 2, 6, 128, 349}, {"kosovo4", 3, 1, 9100, 12_000}, {"kosovo4", 3, 5, 8500, 17_000}, {"kosovo4", 3, 10, 6900, 18_000}} {
		tab := load(t, c.table)
		best, err := Search(t.Context(), tab, c.order, c.top, BIC)
		if err != nil {
			t.Fatal(c.table, err)
		}
		got, err := bca(t.Context(), tab, 1000, len(best), published(tab, byTerm, 1000), byTop(best, BIC), nil)
		if err != nil {
			t.Fatal(c.table, err)
		}
		last := got[len(got)-1]
		near(t, fmt.Sprintf("%s, %d models, low", c.table, c.top), last.Low, c.low, 0.01)
		near(t, fmt.Sprintf("%s, %d models, high", c.table, c.top), last.High, c.high, 0.01)
	}
}
