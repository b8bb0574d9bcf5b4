package displacement

import (
	"math"

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
		if c := survival(g.Dark); c != nil {
			out = append(out, Curve{g.name, c})
		}
	}
	return out
}

// survival is the product limit by weeks with log-log limits from Greenwood's
// variance. Everybody is followed to the end, so that only the end censors.
func survival(d pool.Dark) []DarkPoint {
	risk := float64(d.Unseen)
	for _, n := range d.Seen {
		risk += float64(n)
	}
	if risk < pool.MinFlow {
		return nil
	}
	out := []DarkPoint{{0, 1, 1, 1}}
	s, sum := 1.0, 0.0
	for week, n := range d.Seen {
		seen := float64(n)
		if risk > 0 {
			s *= 1 - seen/risk
		}
		if risk > seen {
			sum += seen / (risk * (risk - seen))
		}
		risk -= seen
		p := DarkPoint{Week: week + 1, Low: s, Mid: s, High: s}
		if s > 0 && s < 1 {
			w := z95 * math.Sqrt(sum) / math.Abs(math.Log(s))
			p.Low, p.High = math.Pow(s, math.Exp(w)), math.Pow(s, math.Exp(-w))
		}
		out = append(out, DarkPoint{p.Week, twentieth(p.Low, math.Floor), twentieth(p.Mid, math.Round), twentieth(p.High, math.Ceil)})
	}
	return out
}

// twentieth rounds a share to 5 %, limits outward.
func twentieth(v float64, way func(float64) float64) float64 { return way(v*20) / 20 }
