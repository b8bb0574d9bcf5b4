package hub

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rankSum is the two-sided p of Mann and Whitney's test that two samples come
// from one distribution, by its normal approximation (20 values or more each).
func rankSum(a, b []float64) float64 {
	type value struct {
		x     float64
		first bool
	}
	var all []value
	for _, x := range a {
		all = append(all, value{x, true})
	}
	for _, x := range b {
		all = append(all, value{x, false})
	}
	slices.SortFunc(all, func(p, q value) int { return cmp.Compare(p.x, q.x) })
	sum, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].x == all[i].x {
			j++
		}
		for _, v := range all[i:j] {
			if v.first {
				sum += float64(i+j+1) / 2
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	variance := n * m / 12 * ((n + m + 1) - ties/((n+m)*(n+m-1)))
	return twoSided((sum - n*(n+m+1)/2) / math.Sqrt(variance))
}

// signedRank is the two-sided p of Wilcoxon's test that differences within
// pairs are symmetric about nothing. It is the sharper of the two where what
// disturbs both runs of a pair is the same.
func signedRank(differences []float64) float64 {
	d := slices.DeleteFunc(slices.Clone(differences), func(x float64) bool { return x == 0 })
	slices.SortFunc(d, func(p, q float64) int { return cmp.Compare(math.Abs(p), math.Abs(q)) })
	n, up := float64(len(d)), 0.0
	for i, x := range d {
		if x > 0 {
			up += float64(i + 1)
		}
	}
	if n == 0 {
		return 1
	}
	return twoSided((up - n*(n+1)/4) / math.Sqrt(n*(n+1)*(2*n+1)/24))
}

func twoSided(z float64) float64 {
	if math.IsNaN(z) {
		return 1
	}
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// The tests must answer what they are asked: about one in twenty equal samples
// is below five per cent, and a shift of a third of the spread is certain.
func TestTwoSampleTests(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	low, missed := [2]int{}, 0
	for range 400 {
		a, b, d, moved := make([]float64, 500), make([]float64, 500), make([]float64, 500), make([]float64, 500)
		for i := range a {
			a[i], b[i] = rng.ExpFloat64(), rng.ExpFloat64()
			d[i], moved[i] = b[i]-a[i], b[i]+0.5
		}
		for i, p := range [2]float64{rankSum(a, b), signedRank(d)} {
			if p < 0.05 {
				low[i]++
			}
		}
		if rankSum(a, moved) > tellsApart {
			missed++
		}
	}
	for i, n := range low {
		if n < 8 || n > 36 {
			t.Errorf("test %d calls %d of 400 equal samples different at 5 %%", i, n)
		}
	}
	if missed > 0 {
		t.Errorf("a clear shift was missed %d times", missed)
	}
}
