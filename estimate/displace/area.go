package displace

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Counts are the number of events before and after.
type Counts [2]float64

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
	if !(alpha > 0 && alpha < 1) || (in.DisplaceControl == nil) != (in.Displaced == nil) {
		return WDDResult{}, errors.New("alpha lies between 0 and 1, and dc and dt are given together or not at all")
	}
	zero := Counts{}
	dc, dt := in.DisplaceControl, in.Displaced
	if dc == nil {
		dc, dt = &zero, &zero
	}
	var change, spread [4]float64
	for i, c := range []Counts{in.Control, in.Treated, *dc, *dt} {
		for period, sign := range []float64{-1, 1} {
			w := tw[period] * aw[i]
			if !(w > 0) || !(c[period] >= 0) || math.IsInf(c[period], 0) {
				return WDDResult{}, errors.New("counts cannot be negative and weights must be above zero")
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
		if !(v[0] >= 0 && v[1] >= 0) || math.IsInf(v[0]+v[1], 0) {
			return WDQResult{}, errors.New("counts cannot be negative")
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
	r.WDQ = r.Movement / r.Success
	r.Report = r.Success < 0
	s := r.Success
	variance := (b[1]+r.WDQ*r.WDQ*a[1])/(c[1]*c[1]) + (b[0]+r.WDQ*r.WDQ*a[0])/(c[0]*c[0])
	for i, sign := range []float64{-1, 1} {
		d := sign * (b[i] - r.WDQ*a[i]) / (c[i] * c[i])
		variance += d * d * c[i]
	}
	r.SE = math.Sqrt(variance) / math.Abs(s)
	r.Reading = reading(r)
	return r, nil
}

func reading(r WDQResult) string {
	switch {
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
