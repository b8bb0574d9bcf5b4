package estimate

import (
	"math"
	"math/bits"
	"slices"
)

func trailing(h uint32) int { return bits.TrailingZeros32(h) }

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// variance is the sample variance.
func variance(v []float64) float64 {
	m, s := mean(v), 0.0
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return s / float64(len(v)-1)
}

// RHat is the rank-normalised split R-hat of Vehtari et al. (2021), the larger
// of bulk and folded: about 1 where chains agree in place and in spread.
func RHat(chains [][]float64) float64 {
	split := halves(chains)
	if len(split) < 2 || len(split[0]) < 4 {
		return math.Inf(1)
	}
	mid := quantile8(sortedAll(split), 0.5)
	folded := make([][]float64, len(split))
	for i, c := range split {
		folded[i] = make([]float64, len(c))
		for j, x := range c {
			folded[i][j] = math.Abs(x - mid)
		}
	}
	return max(rhat(rankNormal(split)), rhat(rankNormal(folded)))
}

// halves splits each chain in two, so that a chain that drifts disagrees with
// itself.
func halves(chains [][]float64) (out [][]float64) {
	for _, c := range chains {
		n := len(c) / 2
		out = append(out, c[:n], c[len(c)-n:])
	}
	return out
}

func sortedAll(chains [][]float64) []float64 {
	all := slices.Concat(chains...)
	slices.Sort(all)
	return all
}

// rankNormal replaces each draw by the normal score of its rank among all, ties
// sharing their mean rank.
func rankNormal(chains [][]float64) [][]float64 {
	all := sortedAll(chains)
	score := map[float64]float64{}
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j] == all[i] {
			j++
		}
		rank := float64(i+j+1) / 2
		score[all[i]] = normQuantile((rank - 3.0/8) / (float64(len(all)) + 0.25))
		i = j
	}
	out := make([][]float64, len(chains))
	for i, c := range chains {
		out[i] = make([]float64, len(c))
		for j, x := range c {
			out[i][j] = score[x]
		}
	}
	return out
}

// parts are the within-chain variance and the pooled one that splits between and
// within.
func parts(chains [][]float64) (within, pooled float64) {
	n := float64(len(chains[0]))
	var means []float64
	for _, c := range chains {
		means = append(means, mean(c))
		within += variance(c) / float64(len(chains))
	}
	return within, within*(n-1)/n + variance(means)
}

func rhat(chains [][]float64) float64 {
	within, pooled := parts(chains)
	if within == 0 {
		if pooled == 0 {
			return 1
		}
		return math.Inf(1)
	}
	return math.Sqrt(pooled / within)
}

// ESS is the bulk effective sample size of Vehtari et al. (2021): how many
// independent draws would tell as much.
func ESS(chains [][]float64) float64 {
	split := rankNormal(halves(chains))
	if len(split) < 2 || len(split[0]) < 4 {
		return 0
	}
	within, pooled := parts(split)
	if pooled == 0 {
		return 0
	}
	n := len(split[0])
	rho := func(lag int) float64 {
		cov := 0.0
		for _, c := range split {
			cov += autocovariance(c, lag) / float64(len(split))
		}
		return 1 - (within-cov)/pooled
	}
	// Geyer: pairs of lags are summed while they are positive and fall.
	tau, last := -1.0, math.Inf(1)
	for lag := 0; lag+1 < n; lag += 2 {
		pair := rho(lag) + rho(lag+1)
		if pair < 0 {
			break
		}
		last = min(last, pair)
		tau += 2 * last
	}
	total := float64(n * len(split))
	return min(total/max(tau, 1/math.Log10(total)), total*math.Log10(total))
}

func autocovariance(c []float64, lag int) float64 {
	m, s := mean(c), 0.0
	for i := lag; i < len(c); i++ {
		s += (c[i] - m) * (c[i-lag] - m)
	}
	return s / float64(len(c)-1)
}
