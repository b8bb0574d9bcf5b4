package study

import (
	"context"
	"fmt"

	"parallax/estimate/displace"
	"parallax/internal/sim"
)

// A MoveArm is one kind of world for the displacement ratio.
type MoveArm struct {
	Name   string
	Worlds int
	Actors int
	Edit   func(*sim.Params, *sim.Takedown)
	Plain  bool // compare all together, not strata: matching left out
}

// A MoveResult is what one arm shows.
type MoveResult struct {
	Name      string  `json:"name"`
	Worlds    int     `json:"worlds"`
	Treated   float64 `json:"treated"`   // entities at the venue, mean
	Intervals int     `json:"intervals"` // worlds that gave an interval
	Covered   int     `json:"covered"`   // of these
	CanTell   int     `json:"can_tell"`
	Told      int     `json:"told_covered"` // covered among those that could tell
	Common    int     `json:"common"`       // intervals that hold the mean truth of all worlds
	Bias      float64 `json:"bias"`         // mean of estimate less truth
	Width     float64 `json:"width"`        // mean width
	Truth     float64 `json:"truth"`        // mean, same measure, from the arm without takedown
	Real      float64 `json:"real"`         // mean, of everybody who left, seen or not, under any selector
}

// moveArms are the arms of the study.
func moveArms() []MoveArm {
	return []MoveArm{
		{Name: "default", Worlds: 1000, Actors: 3000},
		{Name: "no matching", Worlds: 200, Actors: 3000, Plain: true},
		{Name: "seldom seen (0.05 an event)", Worlds: 200, Actors: 3000, Edit: func(_ *sim.Params, t *sim.Takedown) { t.Seen = 0.05 }},
		{Name: "small venue (platform-f)", Worlds: 200, Actors: 3000, Edit: func(_ *sim.Params, t *sim.Takedown) { t.Venue = "platform-f" }},
		{Name: "few actors (500)", Worlds: 200, Actors: 500},
		{Name: "new selectors (0.1 kept, reuse 0.3)", Worlds: 200, Actors: 3000, Edit: func(p *sim.Params, t *sim.Takedown) { t.Keeps, p.Reuse = 0.1, 0.3 }},
		{Name: "largest venue stops contributing", Worlds: 200, Actors: 3000, Edit: func(_ *sim.Params, t *sim.Takedown) { t.Lost = "platform-a" }},
	}
}

// movements turns sightings into what the estimator reads. Treated and controls
// are matched on what was seen of them before: how often, and at how many venues.
func movements(m sim.Moves, plain, null bool) (out []displace.Movement) {
	for _, s := range m.Sights {
		stratum := ""
		if !plain {
			stratum = fmt.Sprintf("%d/%d", min(s.Times, 6), min(s.Venues, 3))
		}
		f := s.Fate
		if null {
			f = s.Null
		}
		out = append(out, displace.Movement{Actor: s.Entity, Treated: s.Treated, Stratum: stratum, Fate: displace.Fate(f)})
	}
	return out
}

// truth is the ratio with the same people in the arm without takedown in place
// of controls.
func truth(m sim.Moves) (ratio float64, ok bool) {
	var moved, left [2]float64
	for _, s := range m.Sights {
		if !s.Treated {
			continue
		}
		for arm, f := range []int{s.Fate, s.Null} {
			if f == sim.FateMoved {
				moved[arm]++
			}
			if f != sim.FateStayed {
				left[arm]++
			}
		}
	}
	return (moved[0] - moved[1]) / (left[0] - left[1]), left[0] > left[1]
}

// Run runs one arm. Worlds are seeded base, base+1, ...
func (a MoveArm) Run(ctx context.Context, base uint64, tick func()) (MoveResult, error) {
	r := MoveResult{Name: a.Name, Worlds: a.Worlds}
	points, truths := 0, 0
	var limits [][2]float64
	for w := range uint64(a.Worlds) {
		p, t := sim.DefaultParams(base+w, a.Actors), sim.DefaultTakedown()
		p.SharedPhone = 0
		if a.Edit != nil {
			a.Edit(&p, &t)
		}
		m, err := sim.NewMoves(p, t)
		if err != nil {
			return r, err
		}
		got, err := displace.DisplacementRatio(ctx, movements(m, a.Plain, false), base+w)
		if err != nil {
			return r, err
		}
		tick()
		r.Treated += float64(got.Treated) / float64(a.Worlds)
		r.Real += float64(m.TrueMoved) / float64(max(m.TrueLeft, 1)) / float64(a.Worlds)
		want, ok := truth(m)
		if !ok {
			continue
		}
		r.Truth += want
		truths++
		if got.Estimate != nil {
			r.Bias += *got.Estimate - want
			points++
		}
		if got.Low == nil {
			continue
		}
		r.Intervals++
		r.Width += *got.High - *got.Low
		limits = append(limits, [2]float64{*got.Low, *got.High})
		inside := *got.Low <= want && want <= *got.High
		if inside {
			r.Covered++
		}
		if !got.CannotTell {
			r.CanTell++
			if inside {
				r.Told++
			}
		}
	}
	r.Truth /= float64(max(truths, 1))
	r.Bias /= float64(max(points, 1))
	r.Width /= float64(max(r.Intervals, 1))
	for _, l := range limits {
		if l[0] <= r.Truth && r.Truth <= l[1] {
			r.Common++
		}
	}
	for _, v := range []*float64{&r.Treated, &r.Bias, &r.Width, &r.Truth, &r.Real} {
		*v = round(*v)
	}
	return r, nil
}
