package displacement

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"parallax/estimate/displace"
	"parallax/internal/pool"
	"parallax/opening"
)

// Verdicts of an evaluation.
const (
	Measured   = "measured"
	CannotTell = "cannot_tell"
)

// Limits of what is said and shown.
const (
	MinCell  = 10  // least count that is shown
	maxWidth = 0.5 // an interval of the ratio that is wider says nothing
	reps     = 2000
	z95      = 1.959963984540054
)

// An Evaluation is what was measured so many weeks after an intervention. All
// figures in it have passed the thresholds.
type Evaluation struct {
	Weeks   int       `json:"weeks"`
	Verdict string    `json:"verdict"`
	Reason  string    `json:"reason"` // why it cannot be told
	Ratio   *Interval `json:"ratio"`  // excess moved of excess left; nil where it cannot be told
	// Left and Moved are the excess over the controls, in shares of those who
	// were at the venue.
	Left   *Interval    `json:"excess_left"`
	Moved  *Interval    `json:"excess_moved"`
	WDD    *Interval    `json:"weighted_difference"` // sightings at venue and neighbours, less controls
	Places []string     `json:"places"`              // columns of the matrix
	Matrix []FlowRow    `json:"matrix"`
	Labels []string     `json:"weeks_shown"`
	Before int          `json:"weeks_before"`
	Series []VenueWeeks `json:"series"`
	Dark   []Curve      `json:"dark_time"`
	Made   time.Time    `json:"made"`
	Seed   uint64       `json:"seed"`
}

// An Interval is an estimate with its 95 % interval.
type Interval struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// A Count is a count to the nearest five, or that there are fewer than MinCell.
type Count struct {
	Few bool `json:"few"`
	N   int  `json:"n"`
}

func countOf(n int) Count {
	if n < MinCell {
		return Count{Few: true}
	}
	return Count{N: (n + 2) / 5 * 5}
}

// String is the count in words.
func (c Count) String() string {
	if c.Few {
		return fmt.Sprintf("fewer than %d", MinCell)
	}
	return fmt.Sprint(c.N)
}

// A FlowRow is where those last seen at one place before were last seen after.
type FlowRow struct {
	From string  `json:"from"`
	To   []Count `json:"to"` // by Places
}

// VenueWeeks is how many selectors were seen at a venue in each week.
type VenueWeeks struct {
	Venue string  `json:"venue"`
	Weeks []Count `json:"weeks"`
}

// measure evaluates flows. It is a pure function: the seed of the bootstrap is
// that of the act.
func measure(f pool.Flows, i opening.InterventionAct, weeks int, act opening.Hash, now time.Time) Evaluation {
	e := Evaluation{Weeks: weeks, Labels: f.Weeks, Before: f.Before, Made: now, Seed: binary.BigEndian.Uint64(act[:8])}
	named := slices.Concat([]string{i.Venue}, i.Neighbours, i.Controls, []string{pool.VenueOther})
	e.Places = append(slices.Clone(named), pool.VenueGone)
	for _, from := range append(slices.Clone(named), pool.VenueNew) {
		row := FlowRow{From: from}
		for _, to := range e.Places {
			row.To = append(row.To, countOf(f.Matrix[from][to]))
		}
		e.Matrix = append(e.Matrix, row)
	}
	for _, v := range named {
		x := VenueWeeks{Venue: v}
		for _, n := range f.Series[v] {
			x.Weeks = append(x.Weeks, countOf(n))
		}
		e.Series = append(e.Series, x)
	}
	e.Dark = curves(f)
	e.ratio(f, i)
	e.difference(f, i)
	return e
}

// group is how the selectors of some venues fared: stayed, moved, gone.
type group [3]float64

func (g group) n() float64     { return g[0] + g[1] + g[2] }
func (g group) left() float64  { return (g[1] + g[2]) / g.n() }
func (g group) moved() float64 { return g[1] / g.n() }

func groupOf(f pool.Flows, venues ...string) (g group) {
	for _, v := range venues {
		for to, n := range f.Matrix[v] {
			switch to {
			case v:
				g[0] += float64(n)
			case pool.VenueGone:
				g[2] += float64(n)
			default:
				g[1] += float64(n)
			}
		}
	}
	return g
}

// ratio is the share of the excess who left that moved: both less what the
// controls show without any intervention. Actors are drawn anew for the
// interval. Where nobody left in excess, or the interval is too wide, it is not
// told.
func (e *Evaluation) ratio(f pool.Flows, i opening.InterventionAct) {
	t, c := groupOf(f, i.Venue), groupOf(f, i.Controls...)
	e.Verdict = CannotTell
	if c.n() < pool.MinFlow {
		e.Reason = fmt.Sprintf("Fewer than %d selectors were at the controls before, so there is nothing to compare with.", pool.MinFlow)
		return
	}
	left, moved, ratios := bootstrap(t, c, e.Seed)
	e.Left = around(t.left()-c.left(), left)
	e.Moved = around(t.moved()-c.moved(), moved)
	if quantile(left, 0.025) <= 0 {
		e.Reason = "No more left the venue than left the controls, within the error: there is no excess of which a share could have moved."
		return
	}
	r := around((t.moved()-c.moved())/(t.left()-c.left()), ratios)
	if quantile(ratios, 0.975)-quantile(ratios, 0.025) > maxWidth {
		e.Reason = fmt.Sprintf("The interval of the ratio is wider than %.1f, so it says nothing either way.", maxWidth)
		return
	}
	e.Ratio, e.Verdict = r, Measured
}

func around(mid float64, draws []float64) *Interval {
	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	return &Interval{round(quantile(draws, 0.025)), round(mid), round(quantile(draws, 0.975))}
}

func quantile(sorted []float64, p float64) float64 {
	return sorted[min(max(int(math.Ceil(p*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

// bootstrap gives sorted draws of excess left, excess moved and their ratio.
func bootstrap(t, c group, seed uint64) (left, moved, ratio []float64) {
	r := rand.New(rand.NewPCG(seed, 0x646973706c616365)) //nolint:gosec // a simulation with a recorded seed
	for range reps {
		a, b := t.draw(r), c.draw(r)
		l, m := a.left()-b.left(), a.moved()-b.moved()
		left, moved = append(left, l), append(moved, m)
		switch {
		case l > 0:
			ratio = append(ratio, m/l)
		default: // nobody left in excess: the ratio could be anything
			ratio = append(ratio, math.Inf(1))
		}
	}
	slices.Sort(left)
	slices.Sort(moved)
	slices.Sort(ratio)
	return left, moved, ratio
}

// draw draws as many actors anew.
func (g group) draw(r *rand.Rand) (out group) {
	n := g.n()
	for range int(n) {
		switch x := r.Float64() * n; {
		case x < g[0]:
			out[0]++
		case x < g[0]+g[1]:
			out[1]++
		default:
			out[2]++
		}
	}
	return out
}

// difference is the weighted displacement difference (Wheeler and Ratcliffe) over
// equal spans before and after: the net change of sightings at the venue and its
// neighbours together, less the controls' scaled to them.
func (e *Evaluation) difference(f pool.Flows, i opening.InterventionAct) {
	span := min(f.Before, len(f.Weeks)-f.Before)
	sum := func(venues ...string) (c displace.Counts) {
		for _, v := range venues {
			for n := range span {
				c[0] += float64(f.Series[v][f.Before-1-n])
				c[1] += float64(f.Series[v][f.Before+n])
			}
		}
		return c
	}
	control, treated := sum(i.Controls...), sum(append([]string{i.Venue}, i.Neighbours...)...)
	if control[0] < MinCell || treated[0] < MinCell {
		return
	}
	r, err := displace.WDD(displace.WDDInput{Control: control, Treated: treated, AreaWeights: []float64{control[0] / treated[0], 1}})
	if err != nil {
		return
	}
	e.WDD = &Interval{math.Round(r.Low), math.Round(r.Total), math.Round(r.High)}
}

// risen are the neighbours at which more selectors are seen since the act than
// the controls lead to expect.
func risen(f pool.Flows, i opening.InterventionAct) (out []string) {
	count := func(venues ...string) (before, after float64) {
		for _, v := range venues {
			for n, x := range f.Series[v] {
				if n < f.Before {
					before += float64(x)
				} else {
					after += float64(x)
				}
			}
		}
		return before, after
	}
	cb, ca := count(i.Controls...)
	for _, v := range i.Neighbours {
		b, a := count(v)
		if a < MinCell || b < MinCell || ca < MinCell || cb < MinCell {
			continue
		}
		// The logarithm of the ratio of two ratios of Poisson counts.
		if z := (math.Log(a/b) - math.Log(ca/cb)) / math.Sqrt(1/a+1/b+1/ca+1/cb); z > 2.326 {
			out = append(out, v)
		}
	}
	return out
}
