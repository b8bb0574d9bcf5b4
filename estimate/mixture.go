package estimate

import "math"

// A Mixture is the equal-weight mixture of the admissible members. It is a
// convention for readers who must have one number, not an estimate better than
// its members: weights by fit would let one family of models speak for all.
type Mixture struct {
	Convention string   `json:"convention"`
	Members    []string `json:"members"`
	Median     *float64 `json:"median"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
}

const mixtureName = "equal-weight mixture of the admissible members"

// mix takes each member as a distribution of the unseen that is log-normal on
// either side of the point, through its limits. A member without an interval is
// left out; one without an upper limit leaves the mixture without one.
func mix(members []Member, n float64) *Mixture {
	out := &Mixture{Convention: mixtureName}
	type side struct{ mid, low, high float64 }
	var all []side
	open := false
	for _, m := range members {
		if m.Estimate == nil || m.Low == nil || *m.Estimate <= n {
			continue
		}
		s := side{mid: math.Log(*m.Estimate - n), low: (math.Log(*m.Estimate-n) - math.Log(max(*m.Low-n, 0.5))) / z95, high: math.Inf(1)}
		if m.High == nil {
			open = true
		} else {
			s.high = (math.Log(max(*m.High-n, 0.5)) - s.mid) / z95
		}
		all = append(all, s)
		out.Members = append(out.Members, m.Method)
	}
	if len(all) < 2 {
		return nil
	}
	cdf := func(u float64) (p float64) {
		for _, s := range all {
			spread := s.low
			if u > s.mid {
				spread = s.high
			}
			z := (u - s.mid) / max(spread, 1e-9)
			if math.IsInf(spread, 1) {
				z = 0
			}
			p += normCDF(z) / float64(len(all))
		}
		return p
	}
	at := func(p float64) *float64 {
		return number(n + math.Exp(bisect(func(u float64) bool { return cdf(u) >= p }, -40, 60)))
	}
	out.Median, out.Low = at(0.5), at(0.025)
	if !open {
		out.High = at(0.975)
	} else if len(all) == 2 {
		out.Median = nil // half of the mass has no end
	}
	return out
}
