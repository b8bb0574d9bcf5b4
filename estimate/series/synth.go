package series

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Bounds of a synthetic control.
const (
	minDonors = 2
	maxDonors = 500
	minBefore = 3
)

// A Panel is one series for each unit; the first First points lie before the
// intervention at the treated unit.
type Panel struct {
	Units   []string
	Values  [][]float64 // by unit, then time
	Treated int
	First   int
}

// A Synthetic is the treated unit beside a weighted mean of the others that were
// not treated (Abadie and Gardeazabal 2003): weights of 0 or more that add up to
// one and come closest to the outcome before the intervention.
type Synthetic struct {
	Unit    string             `json:"unit"`
	Weights map[string]float64 `json:"weights"` // those above 0.0001
	RMSPE   float64            `json:"pre_rmspe"`
	Gap     []float64          `json:"gap"` // treated less synthetic, every point
	MeanGap float64            `json:"mean_gap"`
	Ratio   float64            `json:"rmspe_ratio"` // after over before
}

// A SyntheticReport has the checks without which a synthetic control says little.
type SyntheticReport struct {
	Synthetic
	// Placebos treat each donor as if it had been treated. P is the treated
	// unit's rank among all by RMSPE ratio over their number: the chance of being
	// so far up if nothing had happened.
	Placebos []Placebo `json:"placebos"`
	P        float64   `json:"placebo_p"`
	// LeaveOut repeats the whole without each donor that has weight.
	LeaveOut []LeftOut `json:"leave_one_donor_out"`
}

// A Placebo is the ratio of a unit that was not treated.
type Placebo struct {
	Unit  string  `json:"unit"`
	RMSPE float64 `json:"pre_rmspe"`
	Ratio float64 `json:"rmspe_ratio"`
}

// LeftOut is the mean gap without one donor.
type LeftOut struct {
	Donor   string  `json:"donor"`
	MeanGap float64 `json:"mean_gap"`
	RMSPE   float64 `json:"pre_rmspe"`
}

func (p Panel) check() error {
	n := len(p.Units)
	if n < minDonors+1 || n > maxDonors || len(p.Values) != n || p.Treated < 0 || p.Treated >= n {
		return fmt.Errorf("%d units; give the treated one and %d to %d others", n, minDonors, maxDonors-1)
	}
	length := len(p.Values[0])
	if p.First < minBefore || p.First >= length || length > MaxPoints {
		return fmt.Errorf("%d points before the intervention and %d from it on; at least %d and 1 are needed", p.First, length-p.First, minBefore)
	}
	for i, v := range p.Values {
		if slices.Index(p.Units, p.Units[i]) != i {
			return fmt.Errorf("unit %q is named twice", p.Units[i])
		}
		if len(v) != length || slices.ContainsFunc(v, func(x float64) bool { return !finite(x) }) {
			return fmt.Errorf("unit %q has not one number for each time", p.Units[i])
		}
	}
	return nil
}

// Synthesise builds the control and its checks.
func Synthesise(p Panel) (SyntheticReport, error) {
	if err := p.check(); err != nil {
		return SyntheticReport{}, err
	}
	all := make([]int, len(p.Units))
	for i := range all {
		all[i] = i
	}
	own, err := p.fit(p.Treated, all)
	if err != nil {
		return SyntheticReport{}, err
	}
	r := SyntheticReport{Synthetic: own, Placebos: []Placebo{}, LeaveOut: []LeftOut{}}
	rank := 1
	for _, i := range all {
		if i == p.Treated {
			continue
		}
		s, err := p.fit(i, all)
		if err != nil {
			continue // a unit without a placebo takes no rank
		}
		r.Placebos = append(r.Placebos, Placebo{s.Unit, s.RMSPE, s.Ratio})
		if s.Ratio >= own.Ratio {
			rank++
		}
	}
	r.P = float64(rank) / float64(len(r.Placebos)+1)
	for _, i := range all {
		if i == p.Treated || own.Weights[p.Units[i]] == 0 {
			continue
		}
		s, err := p.fit(p.Treated, slices.DeleteFunc(slices.Clone(all), func(j int) bool { return j == i }))
		if err == nil {
			r.LeaveOut = append(r.LeaveOut, LeftOut{p.Units[i], s.MeanGap, s.RMSPE})
		}
	}
	return r, nil
}

// fit builds the control of one unit from the others of a set.
func (p Panel) fit(unit int, from []int) (Synthetic, error) {
	var donors []int
	var columns [][]float64
	for _, i := range from {
		if i != unit {
			donors, columns = append(donors, i), append(columns, p.Values[i][:p.First])
		}
	}
	if len(donors) < minDonors {
		return Synthetic{}, errors.New("too few donors are left")
	}
	w, err := Simplex(columns, p.Values[unit][:p.First])
	if err != nil {
		return Synthetic{}, err
	}
	s := Synthetic{Unit: p.Units[unit], Weights: map[string]float64{}}
	for j, i := range donors {
		if w[j] > 1e-4 {
			s.Weights[p.Units[i]] = w[j]
		}
	}
	s.Gap = p.Gap(unit, donors, w)
	s.RMSPE = rootMean(s.Gap[:p.First])
	if s.RMSPE <= 1e-9*rootMean(p.Values[unit][:p.First]) {
		return s, fmt.Errorf("the donors reproduce %q exactly before the intervention: too few points for so many donors", s.Unit)
	}
	s.Ratio = rootMean(s.Gap[p.First:]) / s.RMSPE
	for _, g := range s.Gap[p.First:] {
		s.MeanGap += g / float64(len(s.Gap)-p.First)
	}
	return s, nil
}

// Gap is a unit less the weighted mean of donors, at every point.
func (p Panel) Gap(unit int, donors []int, weights []float64) []float64 {
	gap := slices.Clone(p.Values[unit])
	for j, i := range donors {
		for t := range gap {
			gap[t] -= weights[j] * p.Values[i][t]
		}
	}
	return gap
}

func rootMean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x / float64(len(v))
	}
	return math.Sqrt(s)
}

// Simplex finds the weights, none below 0 and together 1, whose mix of the
// columns comes closest to the target in squares. It is the active-set method of
// Lawson and Hanson with the sum held at one; it ends at the optimum, up to
// rounding.
func Simplex(columns [][]float64, target []float64) ([]float64, error) {
	q := newQuadratic(columns, target)
	n := len(columns)
	w := make([]float64, n)
	best := 0
	for j := range n {
		if q.vertex(j) < q.vertex(best) {
			best = j
		}
	}
	w[best] = 1
	active := []int{best}
	for range 50 * n {
		next, at, gain := -1, 0.0, -1e-13*q.size
		grad := q.gradient(w)
		for _, j := range active {
			at += w[j] * grad[j]
		}
		for j := range n {
			if d := grad[j] - at; !slices.Contains(active, j) && d < gain {
				next, gain = j, d
			}
		}
		if next < 0 {
			return w, nil
		}
		active = append(active, next)
		// The best point of this face may lie outside; walk to the border and
		// drop what arrives there, until it does not.
		for {
			v, ok := q.face(active)
			if !ok {
				active = active[:len(active)-1]
				return w, nil // the newcomer is a mix of the others: no gain is left
			}
			step, out := 1.0, -1
			for i, j := range active {
				if v[i] < 0 {
					if s := w[j] / (w[j] - v[i]); s < step {
						step, out = s, i
					}
				}
			}
			for i, j := range active {
				w[j] += step * (v[i] - w[j])
			}
			if out < 0 {
				break
			}
			w[active[out]] = 0
			active = slices.Delete(active, out, out+1)
		}
	}
	return nil, errors.New("the weights did not settle")
}

// quadratic is half the squared distance as w'Gw/2 - c'w.
type quadratic struct {
	g    *mat.SymDense
	c    []float64
	size float64
}

func newQuadratic(columns [][]float64, target []float64) quadratic {
	n := len(columns)
	q := quadratic{g: mat.NewSymDense(n, nil), c: make([]float64, n)}
	// With weights that add up to one, taking the target off every column changes
	// nothing and keeps small differences between large numbers.
	off := make([][]float64, n)
	for j, col := range columns {
		off[j] = make([]float64, len(target))
		for t := range target {
			off[j][t] = col[t] - target[t]
		}
	}
	for i := range n {
		for j := range i + 1 {
			s := 0.0
			for t := range target {
				s += off[i][t] * off[j][t]
			}
			q.g.SetSym(i, j, s)
		}
		q.size = max(q.size, q.g.At(i, i))
	}
	return q
}

func (q quadratic) vertex(j int) float64 { return q.g.At(j, j)/2 - q.c[j] }

func (q quadratic) gradient(w []float64) []float64 {
	n := len(w)
	var out mat.VecDense
	out.MulVec(q.g, mat.NewVecDense(n, slices.Clone(w)))
	grad := make([]float64, n)
	for j := range grad {
		grad[j] = out.AtVec(j) - q.c[j]
	}
	return grad
}

// face is the best point of the plane through the active columns.
func (q quadratic) face(active []int) ([]float64, bool) {
	n := len(active)
	a := mat.NewDense(n+1, n+1, nil)
	b := mat.NewVecDense(n+1, nil)
	for i, p := range active {
		for j, r := range active {
			a.Set(i, j, q.g.At(p, r)/q.size)
		}
		a.Set(i, n, 1)
		a.Set(n, i, 1)
		b.SetVec(i, q.c[p]/q.size)
	}
	b.SetVec(n, 1)
	var lu mat.LU
	lu.Factorize(a)
	if lu.Cond() > 1e14 {
		return nil, false
	}
	var v mat.VecDense
	if err := lu.SolveVecTo(&v, false, b); err != nil {
		return nil, false
	}
	return v.RawVector().Data[:n], true
}
