package estimate

import (
	"math"
	"math/big"
	"slices"
)

// Status says whether a log-linear fit means anything.
type Status int

// The codes are those of the literature: 0 sound, 1 the extended maximum
// likelihood estimate does not exist (Fienberg and Rinaldo), 2 the parameters
// are not identified, 3 both.
const (
	Sound        Status = 0
	NoEstimate   Status = 1
	NotUnique    Status = 2
	NeitherHolds Status = 3
)

// err is nil where the fit is sound.
func (s Status) err() error {
	switch {
	case s&NoEstimate != 0:
		return errNoEstimate
	case s&NotUnique != 0:
		return errNotUnique
	}
	return nil
}

// Check gives the status of a model for a table.
func Check(t Table, m Model) Status {
	f := newFitter(t)
	f.prepare(m)
	return f.status()
}

// admissible is Check for the model that prepare chose last.
func (f *fitter) admissible(m Model) Status {
	f.prepare(m)
	return f.status()
}

// existence decides, in whole numbers, whether the fit of the current terms
// exists.
//
// The estimate fails to exist where a direction d of the coefficients leaves
// every filled cell as it is (a.d = 0) and pushes some empty cell down and none
// up (a.d <= 0): the likelihood then rises for ever. Such directions lie in the
// null space of the filled cells. Most often that space is {0} and one
// elimination settles the matter; where it is not, it is small, and a linear
// programme in as many variables as it has dimensions does.
type existence struct {
	rows [][]int64 // reduced echelon form, primitive integer rows
	lead []int     // pivot column of each row
	col  []int64
}

func (f *fitter) status() Status {
	p := len(f.terms)
	e := &f.exist
	e.rows, e.lead = e.rows[:0], e.lead[:0]
	for _, h := range f.cell {
		if len(e.lead) == p {
			return Sound
		}
		if !e.add(f.column(h)) {
			return f.statusExact()
		}
	}
	if len(e.lead) == p {
		return Sound
	}
	null := nullSpace(rationals(e.rows), e.lead, p)
	return f.statusWithin(null)
}

// column is the 0/1 vector of the terms within a history.
func (f *fitter) column(h uint32) []int64 {
	c := f.exist.col[:0]
	for _, t := range f.terms {
		var v int64
		if t&h == t {
			v = 1
		}
		c = append(c, v)
	}
	f.exist.col = c
	return c
}

// tooLarge is where products could leave 64 bits; exact arithmetic takes over.
const tooLarge = 1 << 30

// add reduces a vector by the rows and keeps what is left. It reports false
// where the numbers grow too large.
func (e *existence) add(v []int64) bool {
	for i, r := range e.rows {
		if !cancel(v, r, e.lead[i]) {
			return false
		}
	}
	lead := slices.IndexFunc(v, func(x int64) bool { return x != 0 })
	if lead < 0 {
		return true
	}
	n := len(e.rows)
	if n < cap(e.rows) {
		e.rows = e.rows[:n+1]
	} else {
		e.rows = append(e.rows, nil)
	}
	e.rows[n] = append(e.rows[n][:0], v...)
	e.lead = append(e.lead, lead)
	for i := range n {
		if !cancel(e.rows[i], e.rows[n], lead) {
			return false
		}
	}
	return true
}

// cancel makes v zero in the pivot column of row and primitive again.
func cancel(v, row []int64, lead int) bool {
	if v[lead] == 0 {
		return true
	}
	a, b := row[lead], v[lead]
	var g int64
	for j := range v {
		v[j] = a*v[j] - b*row[j]
		if v[j] > tooLarge || v[j] < -tooLarge {
			return false
		}
		g = gcd(g, v[j])
	}
	if g > 1 {
		for j := range v {
			v[j] /= g
		}
	}
	return true
}

func gcd(a, b int64) int64 {
	if b < 0 {
		b = -b
	}
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func rationals(rows [][]int64) [][]*big.Rat {
	out := make([][]*big.Rat, len(rows))
	for i, r := range rows {
		out[i] = make([]*big.Rat, len(r))
		for j, v := range r {
			out[i][j] = new(big.Rat).SetInt64(v)
		}
	}
	return out
}

// statusExact is status in rationals of any size.
func (f *fitter) statusExact() Status {
	p := len(f.terms)
	var rows [][]*big.Rat
	var lead []int
	for _, h := range f.cell {
		v := rationals([][]int64{f.column(h)})[0]
		for i, r := range rows {
			subtract(v, r, lead[i])
		}
		l := slices.IndexFunc(v, func(x *big.Rat) bool { return x.Sign() != 0 })
		if l < 0 {
			continue
		}
		rows, lead = append(rows, v), append(lead, l)
		for _, r := range rows[:len(rows)-1] {
			subtract(r, v, l)
		}
		if len(lead) == p {
			return Sound
		}
	}
	return f.statusWithin(nullSpace(rows, lead, p))
}

// subtract makes v zero in the pivot column of row.
func subtract(v, row []*big.Rat, lead int) {
	if v[lead].Sign() == 0 {
		return
	}
	c := new(big.Rat).Quo(v[lead], row[lead])
	for j := range v {
		v[j].Sub(v[j], new(big.Rat).Mul(c, row[j]))
	}
}

// nullSpace gives a basis of the vectors that every row annihilates.
func nullSpace(rows [][]*big.Rat, lead []int, p int) (basis [][]*big.Rat) {
	for free := range p {
		if slices.Contains(lead, free) {
			continue
		}
		d := make([]*big.Rat, p)
		for j := range d {
			d[j] = new(big.Rat)
		}
		d[free].SetInt64(1)
		for i, r := range rows {
			d[lead[i]].Quo(r[free], r[lead[i]])
			d[lead[i]].Neg(d[lead[i]])
		}
		basis = append(basis, d)
	}
	return basis
}

// statusWithin looks at how the empty cells move along the null directions.
func (f *fitter) statusWithin(null [][]*big.Rat) (s Status) {
	rows := f.pushes(null)
	var e echelon
	for _, r := range rows {
		e.add(r)
	}
	if len(e.lead) < len(null) {
		s |= NotUnique
	}
	if pushesDown(rows, len(null)) {
		s |= NoEstimate
	}
	return s
}

// echelon counts the rank of rational rows.
type echelon struct {
	rows [][]*big.Rat
	lead []int
}

func (e *echelon) add(r []*big.Rat) {
	v := make([]*big.Rat, len(r))
	for j := range r {
		v[j] = new(big.Rat).Set(r[j])
	}
	for i, row := range e.rows {
		subtract(v, row, e.lead[i])
	}
	if l := slices.IndexFunc(v, func(x *big.Rat) bool { return x.Sign() != 0 }); l >= 0 {
		e.rows, e.lead = append(e.rows, v), append(e.lead, l)
	}
}

// pushes are the distinct non-zero ways in which the null directions move the
// empty cells.
func (f *fitter) pushes(null [][]*big.Rat) (rows [][]*big.Rat) {
	seen := map[string]bool{}
	for h := 1; h < len(f.y); h++ {
		if f.dead[h] || f.y[h] > 0 {
			continue
		}
		r := make([]*big.Rat, len(null))
		key, zero := "", true
		for i, d := range null {
			r[i] = new(big.Rat)
			for j, t := range f.terms {
				if t&uint32(h) == t && d[j].Sign() != 0 {
					r[i].Add(r[i], d[j])
				}
			}
			zero = zero && r[i].Sign() == 0
			key += r[i].RatString() + ","
		}
		if !zero && !seen[key] {
			seen[key] = true
			rows = append(rows, r)
		}
	}
	return rows
}

// pushesDown reports whether some y has rows*y <= 0 and not all zero. It
// maximises the sum of -rows*y under -1 <= rows*y <= 0; the origin is feasible
// and the optimum is positive exactly when there is such a y.
func pushesDown(rows [][]*big.Rat, q int) bool {
	if len(rows) == 0 || q == 0 {
		return false
	}
	if q == 1 {
		sign := rows[0][0].Sign()
		return !slices.ContainsFunc(rows, func(r []*big.Rat) bool { return r[0].Sign() != sign })
	}
	one := big.NewRat(1, 1)
	var a [][]*big.Rat
	var b []*big.Rat
	c := make([]*big.Rat, 2*q)
	for j := range c {
		c[j] = new(big.Rat)
	}
	for _, r := range rows {
		down, up := make([]*big.Rat, 2*q), make([]*big.Rat, 2*q)
		for j, v := range r {
			neg := new(big.Rat).Neg(v)
			down[j], down[q+j], up[j], up[q+j] = v, neg, neg, v
			c[j].Add(c[j], neg)
			c[q+j].Add(c[q+j], v)
		}
		a, b = append(a, down, up), append(b, new(big.Rat), one)
	}
	return improves(a, b, c)
}

// improves runs the simplex method with Bland's rule, which cannot cycle, on
// max c.z, a z <= b, z >= 0 with b >= 0, and reports whether the optimum is
// above zero. It stops at the first step that gains.
func improves(a [][]*big.Rat, b, c []*big.Rat) bool {
	m, n := len(a), len(c)
	// The tableau holds slacks after the variables; basis names each row's owner.
	basis := make([]int, m)
	tab := make([][]*big.Rat, m)
	for i := range a {
		tab[i] = make([]*big.Rat, n+m+1)
		for j := range tab[i] {
			tab[i][j] = new(big.Rat)
		}
		for j, v := range a[i] {
			tab[i][j].Set(v)
		}
		tab[i][n+i].SetInt64(1)
		tab[i][n+m].Set(b[i])
		basis[i] = n + i
	}
	cost := make([]*big.Rat, n+m+1)
	for j := range cost {
		cost[j] = new(big.Rat)
		if j < n {
			cost[j].Set(c[j])
		}
	}
	for {
		enter := slices.IndexFunc(cost[:n+m], func(v *big.Rat) bool { return v.Sign() > 0 })
		if enter < 0 {
			return false
		}
		leave := leaving(tab, basis, enter)
		if leave < 0 || tab[leave][n+m].Sign() > 0 {
			return true // unbounded, or the objective rises
		}
		pivot(tab, cost, leave, enter)
		basis[leave] = enter
	}
}

func leaving(tab [][]*big.Rat, basis []int, enter int) int {
	leave := -1
	var best *big.Rat
	for i, row := range tab {
		if row[enter].Sign() <= 0 {
			continue
		}
		ratio := new(big.Rat).Quo(row[len(row)-1], row[enter])
		if d := 0; best != nil {
			d = ratio.Cmp(best)
			if d > 0 || d == 0 && basis[i] > basis[leave] {
				continue
			}
		}
		best, leave = ratio, i
	}
	return leave
}

func pivot(tab [][]*big.Rat, cost []*big.Rat, leave, enter int) {
	row := tab[leave]
	inv := new(big.Rat).Inv(row[enter])
	for j := range row {
		row[j].Mul(row[j], inv)
	}
	clear := func(r []*big.Rat) {
		c := new(big.Rat).Set(r[enter])
		if c.Sign() == 0 {
			return
		}
		for j := range r {
			if row[j].Sign() != 0 {
				r[j].Sub(r[j], new(big.Rat).Mul(c, row[j]))
			}
		}
	}
	for i := range tab {
		if i != leave {
			clear(tab[i])
		}
	}
	clear(cost)
}

// finite reports whether a value can be printed as an estimate.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
