package displacement

import (
	"math"

	"parallax/estimate/survival"
	"parallax/internal/pool"
)

// A Curve is the share of selectors that are still out of sight after so many
// weeks (Kaplan and Meier), to the nearest 5 %.
type Curve struct {
	Group  string      `json:"group"`  // "venue" or "controls"
	Points []DarkPoint `json:"points"` // at the end of week 0, 1, 2, ...
}

// A DarkPoint is the share at the end of a week, with its interval.
type DarkPoint struct {
	Week int     `json:"week"`
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// curves are those of the venue and of the controls; a group below MinFlow has
// none.
func curves(f pool.Flows) (out []Curve) {
	for _, g := range []struct {
		name string
		pool.Dark
	}{{"venue", f.Target}, {"controls", f.Controls}} {
		if c := points(g.Dark); c != nil {
			out = append(out, Curve{g.name, c})
		}
	}
	return out
}

// subjects are those of a group. Everybody is followed to the end, so that only
// the end censors.
func subjects(d pool.Dark, group string) (all []survival.Subject) {
	for week, n := range d.Seen {
		for range n {
			all = append(all, survival.Subject{Time: float64(week + 1), Cause: survival.Event, Group: group})
		}
	}
	for range d.Unseen {
		all = append(all, survival.Subject{Time: float64(len(d.Seen)), Cause: survival.Censored, Group: group})
	}
	return all
}

// alike is the chance (Mantel's log-rank test, from 0.001 on) of curves so far
// apart if venue and controls were out of sight alike; nil where a group has no
// curve.
func alike(f pool.Flows) *float64 {
	venue, controls := subjects(f.Target, "venue"), subjects(f.Controls, "controls")
	if len(venue) < pool.MinFlow || len(controls) < pool.MinFlow {
		return nil
	}
	test, err := survival.LogRank(append(venue, controls...))
	if err != nil {
		return nil
	}
	p := max(math.Round(test.P*1000)/1000, 0.001)
	return &p
}

// points is Kaplan and Meier's curve by weeks.
func points(d pool.Dark) []DarkPoint {
	all := subjects(d, "")
	if len(all) < pool.MinFlow {
		return nil
	}
	curve := survival.KaplanMeier(all)
	out := []DarkPoint{{0, 1, 1, 1}}
	for week := range d.Seen {
		p := out[week]
		for _, s := range curve.Steps {
			if s.Time == float64(week+1) {
				p.Low, p.Mid, p.High = twentieth(s.Low, math.Floor), twentieth(s.Survival, math.Round), twentieth(s.High, math.Ceil)
			}
		}
		p.Week = week + 1
		out = append(out, p)
	}
	return out
}

// twentieth rounds a share to 5 %, limits outward.
func twentieth(v float64, way func(float64) float64) float64 { return way(v*20) / 20 }
