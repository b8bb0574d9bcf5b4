package estimate

import (
	"math"
	"math/bits"

	"parallax/estimate/regress"
)

// ChaoMth is the lower bound of Chao (1987) in its log-linear form with lists of
// unequal reach (Rivest and Baillargeon 2007): heterogeneity enters as one
// hinge for each number of lists from three up, (m-2)+, (m-3)+ and so on. A
// negative hinge would say that people differ less than not at all, so it is
// set to zero. The result bounds N from below; it does not estimate it.
func ChaoMth(t Table) (point, se float64, err error) {
	k := t.K()
	x, y := mthDesign(t)
	hinges := make([]int, 0, k)
	for m := 2; m < k; m++ {
		hinges = append(hinges, m)
	}
	for {
		rows := make([][]float64, len(x))
		for i, base := range x {
			row := append(make([]float64, 0, len(base)+len(hinges)), base...)
			on := 0.0
			for _, v := range base[1:] {
				on += v
			}
			for _, m := range hinges {
				row = append(row, max(on-float64(m), 0))
			}
			rows[i] = row
		}
		fit, err := regress.Poisson(rows, y, nil)
		if err != nil {
			return 0, 0, err
		}
		kept := hinges[:0:0]
		for i, m := range hinges {
			if fit.Beta[1+k+i] >= 0 {
				kept = append(kept, m)
			}
		}
		if len(kept) == len(hinges) {
			n0 := math.Exp(fit.Beta[0])
			n := float64(t.N())
			return n + n0, math.Sqrt(n0 + n0*n0*fit.Cov.At(0, 0)), nil
		}
		hinges = kept
	}
}

// mthDesign gives a row (intercept and lists) and a count for each history.
func mthDesign(t Table) (x [][]float64, y []float64) {
	k := t.K()
	y = make([]float64, 1<<k-1)
	for _, c := range t.Cells {
		y[c.History-1] = float64(c.Count)
	}
	x = make([][]float64, len(y))
	for h := range x {
		x[h] = make([]float64, 1, k+1)
		x[h][0] = 1
		for j := range k {
			x[h] = append(x[h], float64((h+1)>>j&1))
		}
	}
	return x, y
}

// FrequencyChao is Chao's bound for counts of how often each person was caught
// over an open number of occasions: freq[i] people were caught i+1 times.
func FrequencyChao(freq []int) (point, se float64) {
	n := 0
	for _, f := range freq {
		n += f
	}
	e := Chao1987(float64(freq[0]), float64(freq[1]), float64(n))
	return e.Point, (e.High - e.Point) / z95
}

// FrequencyChaoProfile is the multinomial profile interval for FrequencyChao.
// Who was caught three times or more is fitted freely and tells nothing about
// who was never caught; the rest are Poisson with one rate.
func FrequencyChaoProfile(freq []int) Estimate {
	f1, f2 := float64(freq[0]), float64(freq[1])
	n := 0.0
	for _, f := range freq {
		n += float64(f)
	}
	x := [][]float64{{1, 0}, {1, 1}, {1, 2}}
	return profile(n, n+f1*f1/(2*f2), func(unseen float64) float64 {
		fit, err := regress.Poisson(x, []float64{unseen, f1, f2}, []float64{0, 0, -math.Ln2})
		if err != nil {
			return math.Inf(-1)
		}
		return fit.LL
	})
}

// onLists is the number of lists in a history.
func onLists(h uint32) int { return bits.OnesCount32(h) }
