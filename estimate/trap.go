package estimate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A TrapResponse compares how easily records are seen for the first time in a
// period with how easily they are seen again once they were (model Mb of Otis and
// others 1978; its first part is Zippin's 1956). Where a platform closes an
// account that it noticed, nobody sees it again: that is trap-death, the lists
// avoid each other, and every estimate comes out too high. The test takes
// everybody as alike and as there in all periods: people who come late make it
// look as if seen ones were seen more easily.
type TrapResponse struct {
	First    float64  `json:"first"`    // chance in a period of who was never seen
	Again    float64  `json:"again"`    // chance in a period of who was seen before
	Ratio    *float64 `json:"ratio"`    // Again over First; nil where first sightings do not thin out
	Estimate *float64 `json:"estimate"` // by the removal of the seen; nil likewise
	P        float64  `json:"p"`        // of the two chances being one
	Reading  string   `json:"reading"`
}

// NewTrapResponse needs four totals only: how many were seen, in how many
// periods; the periods before each was first seen, added up; and how often
// anybody was seen in a period after that.
func NewTrapResponse(seen, periods, waited, again int) (TrapResponse, error) {
	chances := seen*(periods-1) - waited
	if periods < 2 || seen < 1 || waited < 0 || again < 0 || again > chances {
		return TrapResponse{}, errors.New("a trap response needs two periods or more, somebody seen, and no more sightings again than there were chances")
	}
	if chances == 0 {
		return TrapResponse{}, errors.New("everybody was first seen in the last period, so nobody could be seen again")
	}
	first := func(p float64) float64 { return firstSeen(p, float64(seen), float64(periods), float64(waited)) }
	later := func(p float64) float64 { return trials(p, float64(again), float64(chances)) }
	const edge = 1e-9
	p := peak(first, edge, 1-edge)
	c := float64(again) / float64(chances)
	both := func(p float64) float64 { return first(p) + later(p) }
	fall := first(p) + later(c) - both(peak(both, edge, 1-edge))
	r := TrapResponse{First: p, Again: c, P: distuv.ChiSquared{K: 1}.Survival(2 * max(fall, 0))}
	if p > 1e-6 {
		r.Ratio = number(c / p)
		r.Estimate = number(float64(seen) / -math.Expm1(float64(periods)*math.Log1p(-p)))
	}
	r.read()
	return r, nil
}

// firstSeen is the log likelihood of when those seen were first seen.
func firstSeen(p, seen, periods, waited float64) float64 {
	return seen*math.Log(p) + waited*math.Log1p(-p) - seen*math.Log(-math.Expm1(periods*math.Log1p(-p)))
}

// trials is the log likelihood of so many successes among trials.
func trials(p, successes, n float64) (ll float64) {
	if successes > 0 {
		ll += successes * math.Log(p)
	}
	if n > successes {
		ll += (n - successes) * math.Log1p(-p)
	}
	return ll
}

// peak maximises a function with one peak between two points of the same sign.
func peak(f func(float64) float64, low, high float64) float64 {
	const golden = 0.6180339887498949
	a, b := math.Log(low), math.Log(high)
	for b-a > 1e-10 {
		u, v := b-golden*(b-a), a+golden*(b-a)
		if f(math.Exp(u)) > f(math.Exp(v)) {
			b = v
		} else {
			a = u
		}
	}
	return math.Exp((a + b) / 2)
}

// trapP is the chance below which a trap response is spoken of.
const trapP = 0.05

func (r *TrapResponse) read() {
	switch {
	case r.P >= trapP:
		r.Reading = fmt.Sprintf("no sign that being seen changes being seen again (Mb, %s)", chance(r.P))
	case r.Ratio != nil && *r.Ratio < 1:
		r.Reading = fmt.Sprintf("who was seen is seen again %.2g times as easily as others for the first time (Mb, %s): as if accounts were closed once noticed; estimates are possibly too high", *r.Ratio, chance(r.P))
	default:
		r.Reading = fmt.Sprintf("who was seen is seen again more easily than others for the first time (Mb, %s): some are easier to see than others, or come late; estimates are possibly too low", chance(r.P))
	}
}

// chance writes a p-value to two figures, from 0.001 on.
func chance(p float64) string {
	if p < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.2g", p)
}

// trapResponse takes the lists as periods in the order of time.
func (t Table) trapResponse() (TrapResponse, error) {
	waited, again := 0, 0
	for _, c := range t.Cells {
		first := 0
		for c.History>>first&1 == 0 {
			first++
		}
		waited += c.Count * first
		again += c.Count * (onLists(c.History) - 1)
	}
	return NewTrapResponse(t.N(), t.K(), waited, again)
}
