package survival

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Test is the log-rank comparison of groups.
type Test struct {
	ChiSquared float64 `json:"chisq"`
	DF         int     `json:"df"`
	P          float64 `json:"p"`
}

// Groups splits subjects by group, in the order of the names.
func Groups(all []Subject) (names []string, by map[string][]Subject) {
	by = map[string][]Subject{}
	for _, s := range all {
		if by[s.Group] == nil {
			names = append(names, s.Group)
		}
		by[s.Group] = append(by[s.Group], s)
	}
	slices.Sort(names)
	return names, by
}

// LogRank asks whether the groups of all wait alike (Mantel 1966): at each time
// of an event, how many each group had beside how many it would have had if
// everybody at risk were the same.
func LogRank(all []Subject) (Test, error) {
	names, by := Groups(all)
	k := len(names)
	if k < 2 {
		return Test{}, errors.New("a comparison needs two groups")
	}
	diff := make([]float64, k-1)
	cov := mat.NewSymDense(k-1, nil)
	risk, dead := make([]float64, k), make([]float64, k)
	at := make([][]moment, k)
	watched := make([][]float64, k)
	for g, name := range names {
		at[g] = moments(by[name])
		for _, s := range by[name] {
			watched[g] = append(watched[g], s.Time)
		}
		slices.Sort(watched[g])
	}
	next := make([]int, k)
	for _, m := range moments(all) {
		n, d := float64(m.atRisk), float64(m.ends[Event])
		for g := range names {
			before, _ := slices.BinarySearch(watched[g], m.time)
			risk[g], dead[g] = float64(len(watched[g])-before), 0
			if i := next[g]; i < len(at[g]) && at[g][i].time == m.time {
				dead[g] = float64(at[g][i].ends[Event])
				next[g]++
			}
		}
		if d == 0 {
			continue
		}
		for g := range k - 1 {
			diff[g] += dead[g] - d*risk[g]/n
			for h := g; n > 1 && h < k-1; h++ {
				v := -risk[g] * risk[h] / (n * n)
				if g == h {
					v += risk[g] / n
				}
				cov.SetSym(g, h, cov.At(g, h)+v*d*(n-d)/(n-1))
			}
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return Test{}, errors.New("the groups are never at risk together, so they cannot be compared")
	}
	var x mat.VecDense
	if err := chol.SolveVecTo(&x, mat.NewVecDense(k-1, diff)); err != nil {
		return Test{}, errors.New("the groups overlap too little to be compared")
	}
	chi := mat.Dot(&x, mat.NewVecDense(k-1, diff))
	return Test{chi, k - 1, distuv.ChiSquared{K: float64(k - 1)}.Survival(chi)}, nil
}

// An IncidenceStep is the share that one cause has ended by a time.
type IncidenceStep struct {
	Time  float64 `json:"time"`
	Share float64 `json:"share"`
	SE    float64 `json:"std_err"`
}

// Incidence is the cumulative incidence of a cause beside its competitors
// (Aalen and Johansen 1978), with the delta-method error of Marubini and
// Valsecchi. One minus Kaplan-Meier would say what would happen if the
// competitors did not exist, which is always more.
func Incidence(all []Subject, cause int) (out []IncidenceStep) {
	type past struct{ share, survival, d, own, n float64 }
	var seen []past
	s, share := 1.0, 0.0
	for _, m := range moments(all) {
		d, own, n := float64(m.events), float64(m.ends[cause]), float64(m.atRisk)
		share += s * own / n
		seen = append(seen, past{share, s, d, own, n})
		s *= (n - d) / n
		if own == 0 {
			continue
		}
		v := 0.0
		for _, p := range seen {
			gap := share - p.share
			if gap > 0 {
				v += gap * gap * p.d / (p.n * (p.n - p.d))
			}
			v += p.survival * p.survival * (p.n - p.own) / p.n * p.own / (p.n * p.n)
			v -= 2 * gap * p.survival * p.own / (p.n * p.n)
		}
		out = append(out, IncidenceStep{m.time, share, math.Sqrt(max(v, 0))})
	}
	return out
}

// CausesOf lists the causes that ended a watch, in order.
func CausesOf(all []Subject) (causes []int) {
	for _, s := range all {
		if s.Cause != Censored && !slices.Contains(causes, s.Cause) {
			causes = append(causes, s.Cause)
		}
	}
	slices.Sort(causes)
	return causes
}
