package displacement

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
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
	MinCell = 10 // least count that is shown
	z95     = 1.959963984540054
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
	Left  *Interval `json:"excess_left"`
	Moved *Interval `json:"excess_moved"`
	WDD   *Interval `json:"weighted_difference"` // sightings at venue and neighbours, less controls
	// Dispersion is the variance over the mean of the weekly sightings before,
	// which widens the interval of WDD.
	Dispersion float64      `json:"dispersion"`
	Places     []string     `json:"places"` // columns of the matrix
	Matrix     []FlowRow    `json:"matrix"`
	Labels     []string     `json:"weeks_shown"`
	Before     int          `json:"weeks_before"`
	Series     []VenueWeeks `json:"series"`
	Dark       []Curve      `json:"dark_time"`
	Alike      *float64     `json:"dark_time_p"` // of venue and controls being out of sight alike
	// Several is nil where too few people were reported under several kinds.
	Several *Several  `json:"several_kinds"`
	Made    time.Time `json:"made"`
	Seed    uint64    `json:"seed"`
}

// Several is of people who were at the venue under the followed kind of
// identifier and another: how many there were, how many were seen again under
// any of theirs, and how many of these only under another kind. The last look
// gone in everything else that is measured, and are not: the blind spot is at
// least that large among them.
type Several struct {
	People    Count `json:"people"`
	Kept      Count `json:"kept"`
	OtherKind Count `json:"only_another_kind"`
}

func severalOf(s pool.Several) *Several {
	if s.People < pool.MinFlow {
		return nil
	}
	return &Several{countOf(s.People), countOf(s.Kept), countOf(s.Kept - s.Followed)}
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
func measure(ctx context.Context, f pool.Flows, i opening.InterventionAct, weeks int, act opening.Hash, now time.Time) (Evaluation, error) {
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
	e.Dark, e.Alike = curves(f), alike(f)
	e.Several = severalOf(f.Several)
	e.difference(f, i)
	return e, e.ratio(ctx, f, i)
}

// movements are the fates of those last seen at some venues before. Rows of the
// matrix hold no names, so they get numbers.
func movements(f pool.Flows, treated bool, venues ...string) (out []displace.Movement) {
	for _, v := range venues {
		for _, to := range slices.Sorted(maps.Keys(f.Matrix[v])) {
			fate := displace.Moved
			switch to {
			case v:
				fate = displace.Stayed
			case pool.VenueGone:
				fate = displace.Gone
			}
			for range f.Matrix[v][to] {
				out = append(out, displace.Movement{Actor: fmt.Sprint(v, " ", to, " ", len(out)), Treated: treated, Fate: fate})
			}
		}
	}
	return out
}

// ratio is the share of the excess who left that moved: both less what the
// controls show without any intervention. Where nobody left in excess, or the
// interval is too wide, it is not told. The reasons hold no exact count.
func (e *Evaluation) ratio(ctx context.Context, f pool.Flows, i opening.InterventionAct) error {
	e.Verdict = CannotTell
	treated, controls := movements(f, true, i.Venue), movements(f, false, i.Controls...)
	if len(controls) < pool.MinFlow {
		e.Reason = fmt.Sprintf("Fewer than %d selectors were at the controls before, so there is nothing to compare with.", pool.MinFlow)
		return nil
	}
	r, err := displace.DisplacementRatio(ctx, append(treated, controls...), e.Seed)
	if err != nil {
		return err
	}
	n, m := float64(len(treated)), float64(len(controls))
	e.Left, e.Moved = excess(r.Left, r.ExpLeft, n, m), excess(r.Moved, r.ExpMoved, n, m)
	switch {
	case r.Estimate == nil || r.Low == nil || e.Left.Low <= 0:
		e.Reason = "No more left the venue than left the controls, within the error: there is no excess of which a share could have moved."
	case r.CannotTell:
		e.Reason = fmt.Sprintf("The interval of the ratio is wider than %.1f, so it says nothing either way.", displace.MaxWidth)
	default:
		e.Ratio, e.Verdict = &Interval{hundredth(*r.Low), hundredth(*r.Estimate), hundredth(*r.High)}, Measured
	}
	return nil
}

func hundredth(v float64) float64 { return math.Round(v*100) / 100 }

// excess is a share less the controls', with the error of two independent
// samples; one more who did and one more who did not is added to each (Agresti
// and Caffo 2000), so that where all or none did nobody is sure.
func excess(p, q, n, m float64) *Interval {
	variance := func(p, n float64) float64 {
		p = (p*n + 1) / (n + 2)
		return p * (1 - p) / (n + 2)
	}
	w := z95 * math.Sqrt(variance(p, n)+variance(q, m))
	return &Interval{hundredth(p - q - w), hundredth(p - q), hundredth(p - q + w)}
}

// difference is the weighted displacement difference (Wheeler and Ratcliffe) over
// equal spans before and after: the net change of sightings at the venue and its
// neighbours together, less the controls' scaled to them.
func (e *Evaluation) difference(f pool.Flows, i opening.InterventionAct) {
	span := min(f.Before, len(f.Weeks)-f.Before)
	neighbourhood := append([]string{i.Venue}, i.Neighbours...)
	sum := func(venues ...string) (c displace.Counts) {
		for _, v := range venues {
			for n := range span {
				c[0] += float64(f.Series[v][f.Before-1-n])
				c[1] += float64(f.Series[v][f.Before+n])
			}
		}
		return c
	}
	control, treated := sum(i.Controls...), sum(neighbourhood...)
	if control[0] < MinCell || treated[0] < MinCell {
		return
	}
	e.Dispersion = math.Ceil(10*displace.Dispersion(before(f, i.Controls), before(f, neighbourhood))) / 10
	r, err := displace.WDD(displace.WDDInput{Control: control, Treated: treated, AreaWeights: []float64{control[0] / treated[0], 1}, Dispersion: e.Dispersion})
	if err != nil {
		return
	}
	e.WDD = &Interval{math.Round(r.Low), math.Round(r.Total), math.Round(r.High)}
}

// before are the weekly sightings at some venues together, before the act.
func before(f pool.Flows, venues []string) []float64 {
	out := make([]float64, f.Before)
	for _, v := range venues {
		for n := range out {
			out[n] += float64(f.Series[v][n])
		}
	}
	return out
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
