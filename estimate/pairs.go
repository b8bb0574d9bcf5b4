package estimate

import (
	"errors"
	"math"
)

// An Estimate is a point and an interval. A bound that does not exist is
// infinite.
type Estimate struct{ Point, Low, High float64 }

// Chapman estimates the population from the overlap of two lists, which must
// be independent and catch everybody alike. The interval is normal and is not
// cut at what was observed, so that its width shows.
func Chapman(t Table, i, j int) Estimate {
	n1, n2, m := float64(t.On(1<<i)), float64(t.On(1<<j)), float64(t.On(1<<i|1<<j))
	point := (n1+1)*(n2+1)/(m+1) - 1
	v := (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) * (m + 1) * (m + 2))
	return Estimate{point, point - z95*math.Sqrt(v), point + z95*math.Sqrt(v)}
}

// LinkedPair is the two-list estimate with linkage error (Ding and Fienberg
// 1994): hit is the chance that the records of one person are linked, miss the
// chance that an unmatched record of list 1 is linked to a stranger's.
func LinkedPair(n1, n2, linked, hit, miss float64) (float64, error) {
	true2 := linked - miss*n1
	if !(hit > miss) || hit > 1 || miss < 0 {
		return 0, errors.New("the chance of a right link must lie above that of a wrong one, both between 0 and 1")
	}
	if true2 <= 0 {
		return 0, errors.New("wrong links alone explain the overlap; there is nothing left to estimate from")
	}
	return n1 * n2 * (hit - miss) / true2, nil
}

// PairSensitivity is the two-list estimate where being on one list multiplies
// the odds of being on the other by psi; psi = 1 is independence.
func PairSensitivity(t Table, i, j int, psi float64) float64 {
	m := float64(t.On(1<<i | 1<<j))
	only1, only2 := float64(t.On(1<<i))-m, float64(t.On(1<<j))-m
	return m + only1 + only2 + psi*only1*only2/m
}

// Chao1987 is the lower bound from those caught once and twice.
func Chao1987(f1, f2, n float64) Estimate {
	q := f1 / f2
	point := n + f1*f1/(2*f2)
	se := math.Sqrt(f2 * (q*q*q*q/4 + q*q*q + q*q/2))
	return Estimate{point, point - z95*se, point + z95*se}
}

// ChaoCorrected is Chao's bound for k lists, corrected for bias.
func ChaoCorrected(f1, f2, n float64, k int) float64 {
	return n + float64(k-1)/float64(k)*f1*(f1-1)/(2*(f2+1))
}
