package estimate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"parallax/estimate/draw"
)

// Ratios of the unseen for the sensitivity table.
var sensitivityRatios = []float64{0.5, 2.0 / 3, 1, 1.5, 2, 4}

// A Sensitivity says what an estimate becomes where its identifying assumption
// is wrong by a ratio. "No interaction of all lists" fixes the unseen by an
// identity of odds ratios; nothing in the data speaks for or against it.
type Sensitivity struct {
	Ratio    float64 `json:"ratio"`
	Estimate float64 `json:"estimate"`
}

// Sensitivities multiplies the unseen by each ratio: 2 is "the people on no list
// are twice as many as the lists' pattern says".
func Sensitivities(n, estimate float64) (out []Sensitivity) {
	for _, r := range sensitivityRatios {
		out = append(out, Sensitivity{r, n + r*(estimate-n)})
	}
	return out
}

// A Variation is the estimate of the same method on a changed table; Estimate is
// nil where it has none, and Reason says why.
type Variation struct {
	Name     string   `json:"name"`
	N        int      `json:"n"`
	Estimate *float64 `json:"estimate"`
	Model    string   `json:"model,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

func vary(name string, t Table) Variation {
	v := Variation{Name: name, N: t.N()}
	fit, err := Stepwise(t, StepwiseP)
	if err != nil {
		v.Reason = err.Error()
		return v
	}
	v.Estimate, v.Model = number(fit.N), fit.Model.name(t.K())
	return v
}

// number is a pointer to a finite value and nil for any other.
func number(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

// LeaveOneOut repeats the stepwise estimate without each list.
func LeaveOneOut(t Table) (out []Variation) {
	for j, name := range t.Lists {
		if t.K() > 2 {
			out = append(out, vary("without "+name, t.Without(j)))
		}
	}
	return out
}

// Merges repeats the stepwise estimate with each pair of lists made one.
func Merges(t Table) (out []Variation) {
	for i := range t.Lists {
		for j := i + 1; j < t.K() && t.K() > 2; j++ {
			m := t.Merged(i, j)
			out = append(out, vary(m.Lists[i], m))
		}
	}
	return out
}

// A Consistency compares a list's known size with what the other lists would
// have estimated it to be from the part of it that they saw. Error is the
// relative error; nil where there was no estimate.
type Consistency struct {
	List     string   `json:"list"`
	Known    int      `json:"known"`
	Estimate *float64 `json:"estimate"`
	Error    *float64 `json:"error"`
}

// InternalConsistency hides each list in turn and estimates its known size.
func InternalConsistency(t Table) (out []Consistency) {
	for j, name := range t.Lists {
		c := Consistency{List: name, Known: t.On(1 << j)}
		inside := t.Inside(j)
		if inside.K() >= 2 && len(inside.Cells) > 0 {
			if fit, err := Stepwise(inside, StepwiseP); err == nil && finite(fit.N) {
				c.Estimate = number(fit.N)
				c.Error = number(fit.N/float64(c.Known) - 1)
			}
		}
		out = append(out, c)
	}
	return out
}

// ConsistencyLimit is how far an internal estimate may be off.
const ConsistencyLimit = 0.5

// Consistent reports whether most lists' known sizes are met within half.
func Consistent(all []Consistency) (good int, ok bool) {
	for _, c := range all {
		if c.Error != nil && math.Abs(*c.Error) <= ConsistencyLimit {
			good++
		}
	}
	return good, 2*good > len(all)
}

// A Thinned row is the stepwise estimate where each list keeps only a share of
// its records, chosen at random: the people stay as many, the lists see less of
// them. Where the estimate still climbs with the share, the whole has not
// settled either (after Binette and Steorts 2022).
type Thinned struct {
	Share  float64  `json:"share"`
	Median *float64 `json:"median"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
}

// Trajectory estimates with parts of each list, reps times for each share.
func Trajectory(ctx context.Context, t Table, reps int, seed uint64) (out []Thinned) {
	f := newFitter(t)
	y := make([]float64, len(f.y))
	for lane, share := range []float64{0.5, 0.6, 0.7, 0.8, 0.9} {
		r := draw.New(seed, streamThin, uint64(lane))
		var got []float64
		for range reps {
			if ctx.Err() != nil {
				return nil
			}
			clear(y)
			for _, c := range t.Cells {
				y[c.History] = float64(c.Count)
			}
			thin(r, y, t.K(), share)
			f.load(y)
			v := math.Inf(1)
			if fit, err := f.stepwise(StepwiseP); err == nil {
				v = fit.N
			}
			got = append(got, v)
		}
		slices.Sort(got)
		out = append(out, Thinned{share, number(quantile8(got, 0.5)), number(quantile8(got, 0.1)), number(quantile8(got, 0.9))})
	}
	return out
}

// thin takes each record off its list with one minus the share; who is on no
// list then is no longer seen.
func thin(r *rand.Rand, y []float64, k int, share float64) {
	for j := range k {
		for h := range y {
			if h>>j&1 == 1 && y[h] > 0 {
				off := float64(draw.Binomial(r, int(y[h]), 1-share))
				y[h] -= off
				y[h&^(1<<j)] += off
			}
		}
	}
	y[0] = 0
}
