package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Causes of an end. Above Event they are competing events: what ends the watch
// for good and is not the event asked about.
const (
	Censored = 0
	Event    = 1
)

// A Subject was watched from 0 until Time, when Cause ended the watch.
type Subject struct {
	Time  float64
	Cause int
	Group string
	// Lost says of a censored subject that the watch ended because of the very
	// thing under study, so that censoring tells something; see Bounds.
	Lost bool
}

// MaxSubjects bounds what one curve is made from.
const MaxSubjects = 1_000_000

// Check refuses what no curve can be made from.
func Check(all []Subject) error {
	if len(all) == 0 {
		return errors.New("there is nobody in it")
	}
	if len(all) > MaxSubjects {
		return fmt.Errorf("%d subjects; at most %d", len(all), MaxSubjects)
	}
	for i, s := range all {
		if !(s.Time >= 0) || math.IsInf(s.Time, 0) || s.Cause < 0 {
			return fmt.Errorf("subject %d: the time must be 0 or more and the cause 0 (censored), 1 (event) or above (competing)", i+1)
		}
	}
	return nil
}

// A Step is the curve from one time of events to the next.
type Step struct {
	Time     float64 `json:"time"`
	AtRisk   int     `json:"at_risk"`
	Events   int     `json:"events"`
	Survival float64 `json:"survival"`
	SE       float64 `json:"std_err"` // Greenwood; 0 where nobody is left
	Low      float64 `json:"low"`     // 95 %, on the log-log scale, so never outside 0..1
	High     float64 `json:"high"`
}

// A Curve is the share still waiting, by time.
type Curve struct {
	N     int    `json:"n"`
	Steps []Step `json:"steps"`
}

var z95 = distuv.UnitNormal.Quantile(0.975)

// moment is what happens at one time.
type moment struct {
	time   float64
	atRisk int
	ends   map[int]int // by cause, the censored left out
	events int         // all ends
}

// moments orders subjects by the times at which any of them had an event. Who
// is censored at a time is still at risk at it.
func moments(all []Subject) (out []moment) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Subject) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	for i := 0; i < len(sorted); {
		m := moment{time: sorted[i].Time, atRisk: len(sorted) - i, ends: map[int]int{}}
		for ; i < len(sorted) && sorted[i].Time == m.time; i++ {
			if c := sorted[i].Cause; c != Censored {
				m.ends[c]++
				m.events++
			}
		}
		if m.events > 0 {
			out = append(out, m)
		}
	}
	return out
}

// KaplanMeier is the product-limit curve (Kaplan and Meier 1958) with
// Greenwood's errors. Competing causes end the watch as censoring does: where
// there are any, Incidence answers the better question.
func KaplanMeier(all []Subject) Curve {
	c := Curve{N: len(all)}
	s, sum := 1.0, 0.0
	for _, m := range moments(all) {
		d, n := float64(m.ends[Event]), float64(m.atRisk)
		if d == 0 {
			continue
		}
		s *= (n - d) / n
		step := Step{Time: m.time, AtRisk: m.atRisk, Events: m.ends[Event], Survival: s}
		if n > d {
			sum += d / (n * (n - d))
			step.SE = s * math.Sqrt(sum)
			w := z95 * math.Sqrt(sum) / math.Log(s)
			step.Low, step.High = math.Pow(s, math.Exp(-w)), math.Pow(s, math.Exp(w))
		}
		c.Steps = append(c.Steps, step)
	}
	return c
}

// At is the share still waiting at a time.
func (c Curve) At(time float64) float64 {
	s := 1.0
	for _, step := range c.Steps {
		if step.Time > time {
			break
		}
		s = step.Survival
	}
	return s
}

// Quantile is the time by which a share p has had the event, with the times at
// which the limits of the curve cross. Infinite: not within the watch.
func (c Curve) Quantile(p float64) (at, low, high float64) {
	cross := func(of func(Step) float64) float64 {
		for i, step := range c.Steps {
			v := of(step)
			switch {
			case v > 1-p+1e-9:
				continue
			case math.Abs(v-(1-p)) <= 1e-9 && i+1 < len(c.Steps):
				// A curve that lies flat at the share crosses in the middle.
				return (step.Time + c.Steps[i+1].Time) / 2
			}
			return step.Time
		}
		return math.Inf(1)
	}
	return cross(func(s Step) float64 { return s.Survival }),
		cross(func(s Step) float64 { return s.Low }),
		cross(func(s Step) float64 { return s.High })
}

// Median is the time by which half have had the event, with its 95 % limits.
func (c Curve) Median() (at, low, high float64) { return c.Quantile(0.5) }

// Bounds are the curves between which the truth lies where some were lost from
// sight because of the thing under study: in the first each of them had the
// event when lost, in the second none did as long as anybody was watched.
func Bounds(all []Subject) (soonest, latest Curve) {
	early, late := slices.Clone(all), slices.Clone(all)
	end := 0.0
	for _, s := range all {
		end = max(end, s.Time)
	}
	for i, s := range all {
		if s.Cause == Censored && s.Lost {
			early[i].Cause, late[i].Time = Event, end
		}
	}
	return KaplanMeier(early), KaplanMeier(late)
}
