package displace

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Counts are the number of events before and after.
type Counts [2]float64

// UnmarshalJSON takes two numbers and nothing else: a missing one is no zero.
func (c *Counts) UnmarshalJSON(raw []byte) error {
	var v []*float64
	if err := json.Unmarshal(raw, &v); err != nil || len(v) != 2 || v[0] == nil || v[1] == nil {
		return fmt.Errorf("%.60s is not a pair of counts; write two numbers, before and after, as [308, 318]", raw)
	}
	c[0], c[1] = *v[0], *v[1]
	return nil
}

// maxEvents bounds a count, so that every result is finite.
const maxEvents = 1e12

// check refuses what is no count.
func (c Counts) check() error {
	for _, v := range c {
		if !(v >= 0 && v <= maxEvents) {
			return fmt.Errorf("the count %g: counts cannot be negative, nor above %.0e", v, float64(maxEvents))
		}
	}
	return nil
}

// WDDInput are the counts of the weighted displacement difference (Wheeler and
// Ratcliffe 2018): control, treated, and where there are any the displacement
// area's own control and treated counts.
type WDDInput struct {
	Control         Counts    `json:"ct"`
	Treated         Counts    `json:"tr"`
	DisplaceControl *Counts   `json:"dc,omitempty"`
	Displaced       *Counts   `json:"dt,omitempty"`
	TimeWeights     *Counts   `json:"tw,omitempty"`         // length of the periods; the counts are divided by it
	AreaWeights     []float64 `json:"aw,omitempty"`         // control, treated, displacement control, displacement treated
	Alpha           float64   `json:"alpha,omitempty"`      // 0 means 0.05
	Dispersion      float64   `json:"dispersion,omitempty"` // variance over mean before; above 1 it widens the interval
}

// WDDResult is the difference, its parts and its interval.
type WDDResult struct {
	Local      float64 `json:"est_local"`
	LocalSE    float64 `json:"se_local"`
	Displace   float64 `json:"est_displace"`
	DisplaceSE float64 `json:"se_displace"`
	Total      float64 `json:"est_total"`
	TotalSE    float64 `json:"se_total"`
	Z          float64 `json:"z"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}

// WDD computes the change at the treated venue and at its neighbours, each less
// the change at its control. The variance is that of Poisson counts, times the
// dispersion where counts come in bursts: without it the interval is too short.
func WDD(in WDDInput) (WDDResult, error) {
	alpha := in.Alpha
	if alpha == 0 {
		alpha = 0.05
	}
	tw, aw := Counts{1, 1}, [4]float64{1, 1, 1, 1}
	if in.TimeWeights != nil {
		tw = *in.TimeWeights
	}
	if in.AreaWeights != nil {
		if len(in.AreaWeights) != 4 && len(in.AreaWeights) != 2 {
			return WDDResult{}, errors.New("aw has one weight each for control, treated and, with displacement areas, their control and treated")
		}
		copy(aw[:], in.AreaWeights)
	}
	switch {
	case !(alpha > 0 && alpha < 1):
		return WDDResult{}, fmt.Errorf("alpha is %g and must lie between 0 and 1; 0.05 gives 95 %%", alpha)
	case (in.DisplaceControl == nil) != (in.Displaced == nil):
		return WDDResult{}, errors.New("dc and dt, the neighbours' control and the neighbours, are given together or not at all")
	case !(in.Dispersion >= 0 && in.Dispersion <= maxEvents):
		return WDDResult{}, fmt.Errorf("the dispersion %g is a variance over a mean and cannot be negative", in.Dispersion)
	}
	zero := Counts{}
	dc, dt := in.DisplaceControl, in.Displaced
	if dc == nil {
		dc, dt = &zero, &zero
	}
	var change, spread [4]float64
	for i, c := range []Counts{in.Control, in.Treated, *dc, *dt} {
		if err := c.check(); err != nil {
			return WDDResult{}, err
		}
		for period, sign := range []float64{-1, 1} {
			w := tw[period] * aw[i]
			if !(w >= 1/maxEvents && w <= maxEvents) {
				return WDDResult{}, fmt.Errorf("a weight is %g; weights must be above zero", w)
			}
			change[i] += sign * c[period] / w
			spread[i] += c[period] / (w * w)
		}
	}
	phi := max(in.Dispersion, 1)
	r := WDDResult{Local: change[1] - change[0], Displace: change[3] - change[2]}
	r.LocalSE, r.DisplaceSE = math.Sqrt(phi*(spread[0]+spread[1])), math.Sqrt(phi*(spread[2]+spread[3]))
	r.Total, r.TotalSE = r.Local+r.Displace, math.Hypot(r.LocalSE, r.DisplaceSE)
	if r.TotalSE == 0 {
		return WDDResult{}, errors.New("every count is zero; nothing can be said")
	}
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	r.Z, r.Low, r.High = r.Total/r.TotalSE, r.Total-z*r.TotalSE, r.Total+z*r.TotalSE
	return r, nil
}

// Dispersion is the variance over the mean of counts before an intervention:
// Pearson's chi-squared over its degrees of freedom, pooled over series that each
// have a level of their own. It is 1 for Poisson counts and, so that nobody is
// made surer, where there are too few to tell.
func Dispersion(before ...[]float64) float64 {
	chi, df := 0.0, 0.0
	for _, series := range before {
		mean := 0.0
		for _, y := range series {
			mean += y / float64(len(series))
		}
		if mean == 0 {
			continue
		}
		for _, y := range series {
			chi += (y - mean) * (y - mean) / mean
		}
		df += float64(len(series) - 1)
	}
	if df == 0 {
		return 1
	}
	return max(chi/df, 1)
}

// WDQInput are the counts of the weighted displacement quotient.
type WDQInput struct {
	Target  Counts `json:"target"`
	Buffer  Counts `json:"buffer"`
	Control Counts `json:"control"`
}

// WDQResult is the quotient (Bowers and Johnson 2003) with its error, and
// Guerette's (2009) total net effect.
type WDQResult struct {
	Success  float64 `json:"success"`
	Movement float64 `json:"movement"`
	WDQ      float64 `json:"wdq"`
	SE       float64 `json:"wdq_se_delta"`
	Gross    float64 `json:"gross_effect"`
	NetRatio float64 `json:"net_effect_ratio"`
	TotalNet float64 `json:"total_net_effect"`
	Report   bool    `json:"report"` // false where the target did not improve: the quotient then means nothing
	Reading  string  `json:"reading"`
}

// WDQ computes the quotient. Its standard error, by the delta method on Poisson
// counts, is often as large as itself: it accompanies WDD and does not replace it.
func WDQ(in WDQInput) (WDQResult, error) {
	a, b, c := in.Target, in.Buffer, in.Control
	for _, v := range []Counts{a, b, c} {
		if err := v.check(); err != nil {
			return WDQResult{}, err
		}
	}
	if c[0] == 0 || c[1] == 0 || a[0] == 0 {
		return WDQResult{}, errors.New("the control's counts and the target's count before must be above zero")
	}
	r := WDQResult{
		Success:  a[1]/c[1] - a[0]/c[0],
		Movement: b[1]/c[1] - b[0]/c[0],
		Gross:    a[0] - a[1],
		TotalNet: a[0]*c[1]/c[0] - a[1] + b[0]*c[1]/c[0] - b[1],
	}
	r.NetRatio = -r.Success
	if r.Success == 0 {
		return WDQResult{}, errors.New("the target moved exactly as the control did; the quotient is not defined")
	}
	r.WDQ = r.Movement/r.Success + 0 // no negative zero
	r.Report = r.Success < 0
	s := r.Success
	variance := (b[1]+r.WDQ*r.WDQ*a[1])/(c[1]*c[1]) + (b[0]+r.WDQ*r.WDQ*a[0])/(c[0]*c[0])
	for i, sign := range []float64{-1, 1} {
		d := sign * (b[i] - r.WDQ*a[i]) / (c[i] * c[i])
		variance += d * d * c[i]
	}
	r.SE = math.Sqrt(variance) / math.Abs(s)
	r.Reading = reading(r, b)
	return r, nil
}

func reading(r WDQResult, b Counts) string {
	switch {
	case b == Counts{}:
		return "nobody was counted at the neighbours, before or after: an error of 0 is not to be believed"
	case !r.Report:
		return "not to be reported: the target did not improve beside the control"
	case r.WDQ > 1:
		return "the neighbours gained more than the target (diffusion)"
	case r.WDQ > 0:
		return "the neighbours gained too (diffusion)"
	case r.WDQ == 0:
		return "the neighbours did not change"
	case r.WDQ > -1:
		return "part of the gain moved to the neighbours (partial displacement)"
	case r.WDQ == -1:
		return "the whole gain moved to the neighbours"
	}
	return fmt.Sprintf("more moved to the neighbours than was gained (%.2f)", r.WDQ)
}
