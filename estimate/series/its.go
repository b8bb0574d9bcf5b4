package series

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"parallax/estimate/regress"
)

// Families of an interrupted series.
const (
	QuasiPoisson     = "quasipoisson"
	NegativeBinomial = "negbin"
	Linear           = "linear" // least squares on the outcome itself
)

// Bounds of a series.
const (
	MaxPoints    = 20_000
	maxHarmonics = 12
	maxLeads     = 26
	maxValue     = 1e12 // of a time, an outcome, an exposure
)

// An ITS is an interrupted time series:
//
//	log E y = log exposure + b0 + b1 t + b2 step + b3 step (t - T0) + seasons + pulse
//
// With Linear, E y itself is the right side and there is no exposure.
type ITS struct {
	Time     []float64
	Outcome  []float64
	Exposure []float64 // what the counts are counted from; nil means 1
	Step     []float64 // 0 before and 1 from the intervention on
	Name     string    // of the step, in the answer
	Family   string    // empty means QuasiPoisson

	Harmonics int     // pairs of sine and cosine
	Period    float64 // of the first pair, in units of Time; 0 means 12
	Slope     bool    // let the trend change too
	HalfLife  float64 // of an effect that fades, 2^-((t-T0)/h); 0 means none
	Leads     int     // periods before the intervention that get a term each
	Lag       int     // of the Newey-West errors; 0 means 4 (n/100)^(2/9)
}

// A Term is one coefficient. SE is the largest of the three errors, and the
// limits are made from it.
type Term struct {
	Name      string  `json:"name"`
	Estimate  float64 `json:"estimate"`
	ModelSE   float64 `json:"se_model"`
	HACSE     float64 `json:"se_hac"`
	HACWideSE float64 `json:"se_hac_2lag"`
	SE        float64 `json:"se"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

// A Ratio is a factor with its 95 % interval.
type Ratio struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// An ITSResult is a fitted series.
type ITSResult struct {
	N           int       `json:"n"`
	Family      string    `json:"family"`
	Dispersion  float64   `json:"dispersion"`
	Theta       *float64  `json:"theta,omitempty"`
	Lag         int       `json:"lag"`
	Terms       []Term    `json:"terms"`
	RateRatio   *Ratio    `json:"rate_ratio,omitempty"` // exp of the step; nil for Linear
	Residuals   []float64 `json:"residual_acf"`         // lags 1 to 6
	MeanBefore  float64   `json:"mean_before"`          // of the outcome, or of its rate
	FittedMeans []float64 `json:"fitted"`
	// AR1 is the step where errors may follow each other; Linear only.
	AR1 *FollowingErrors `json:"ar1,omitempty"`
}

// FollowingErrors is the step of the same linear regression with errors that
// follow an autoregression of order one, by exact maximum likelihood.
type FollowingErrors struct {
	Rho    float64 `json:"rho"`
	Step   float64 `json:"step"`
	SE     float64 `json:"se"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	LogLik float64 `json:"loglik"`
}

var z95 = distuv.UnitNormal.Quantile(0.975)

// Fit fits the series.
func (s ITS) Fit() (ITSResult, error) {
	if err := s.check(); err != nil {
		return ITSResult{}, err
	}
	names, x := s.design()
	if len(s.Time) < len(names)+2 {
		return ITSResult{}, fmt.Errorf("%d points for %d terms; take out terms or give a longer series", len(s.Time), len(names))
	}
	var offset []float64
	if s.Exposure != nil {
		for _, e := range s.Exposure {
			offset = append(offset, math.Log(e))
		}
	}
	r := ITSResult{N: len(s.Time), Family: s.Family, Lag: s.Lag}
	if r.Lag == 0 {
		r.Lag = DefaultLag(r.N)
	}
	var fit regress.Fit
	var err error
	switch s.Family {
	case "", QuasiPoisson:
		r.Family = QuasiPoisson
		fit, err = regress.Poisson(x, s.Outcome, offset)
	case NegativeBinomial:
		fit, err = regress.NegativeBinomial(x, s.Outcome, offset)
	case Linear:
		fit, err = regress.LeastSquares(x, s.Outcome)
	}
	if err != nil {
		return ITSResult{}, err
	}
	s.fill(&r, fit, names)
	for _, t := range r.Terms {
		if !finite(t.Low) || !finite(t.High) || r.RateRatio != nil && !finite(r.RateRatio.High) {
			return ITSResult{}, fmt.Errorf("%s has no finite limits: the series does not tell it from the other terms", t.Name)
		}
	}
	if s.Family == Linear {
		ar, err := regress.AutoRegressive(x, s.Outcome)
		if err != nil {
			return ITSResult{}, err
		}
		se := regress.SE(ar.Cov, 2, 1)
		r.AR1 = &FollowingErrors{ar.Rho, ar.Beta[2], se, ar.Beta[2] - z95*se, ar.Beta[2] + z95*se, ar.LL}
	}
	return r, nil
}

// DefaultLag is the usual bandwidth for a series of n points.
func DefaultLag(n int) int { return int(4 * math.Pow(float64(n)/100, 2.0/9)) }

func (s ITS) check() error {
	n := len(s.Time)
	switch s.Family {
	case "", QuasiPoisson, NegativeBinomial, Linear:
	default:
		return fmt.Errorf("there is no family %q; they are %s, %s and %s", s.Family, QuasiPoisson, NegativeBinomial, Linear)
	}
	switch {
	case n > MaxPoints:
		return fmt.Errorf("%d points; at most %d", n, MaxPoints)
	case len(s.Outcome) != n || len(s.Step) != n || s.Exposure != nil && len(s.Exposure) != n:
		return errors.New("time, outcome, intervention and exposure must be equally long")
	case s.Family == Linear && s.Exposure != nil:
		return errors.New("an exposure goes with counts; divide the outcome by it for the linear family")
	case s.Harmonics < 0 || s.Harmonics > maxHarmonics || s.Leads < 0 || s.Leads > maxLeads || s.Lag < 0 || s.Lag > n:
		return fmt.Errorf("harmonics must be 0 to %d, leads 0 to %d and the lag 0 to the length of the series", maxHarmonics, maxLeads)
	case !(s.HalfLife >= 0) || !(s.Period >= 0):
		return errors.New("half-life and period cannot be negative")
	}
	before := 0
	var events [2]float64 // before, and from the intervention on
	for i := range s.Time {
		switch {
		case !(math.Abs(s.Time[i]) <= maxValue) || !(math.Abs(s.Outcome[i]) <= maxValue):
			return fmt.Errorf("point %d is not a number between plus and minus %.0e", i+1, float64(maxValue))
		case i > 0 && s.Time[i] <= s.Time[i-1]:
			return fmt.Errorf("point %d: times must rise; sort the series and keep one row for each time", i+1)
		case s.Family != Linear && s.Outcome[i] < 0:
			return fmt.Errorf("point %d: a count cannot be negative", i+1)
		case s.Exposure != nil && !(s.Exposure[i] > 1/maxValue && s.Exposure[i] <= maxValue):
			return fmt.Errorf("point %d: the exposure must be above zero", i+1)
		case s.Step[i] != 0 && s.Step[i] != 1:
			return fmt.Errorf("point %d: the intervention is 0 before and 1 from its first period on", i+1)
		case i > 0 && s.Step[i] < s.Step[i-1]:
			return fmt.Errorf("point %d: the intervention ends; a series here has one intervention that lasts", i+1)
		}
		if s.Step[i] == 0 {
			before++
		}
		events[int(s.Step[i])] += s.Outcome[i]
	}
	if before < 3 || n-before < 2 {
		return fmt.Errorf("%d points before the intervention and %d from it on; at least 3 and 2 are needed", before, n-before)
	}
	if s.Family != Linear && (events[0] == 0 || events[1] == 0) {
		return errors.New("nothing was counted before the intervention, or nothing from it on: their ratio has no limits; compare the two counts by displace wdd")
	}
	if s.Leads > before-3 {
		return fmt.Errorf("%d leads leave fewer than 3 points before the intervention", s.Leads)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// design gives the terms' names and a row for each point.
func (s ITS) design() (names []string, x [][]float64) {
	name := s.Name
	if name == "" {
		name = "step"
	}
	period := s.Period
	if period == 0 {
		period = 12
	}
	first := 0
	for s.Step[first] == 0 {
		first++
	}
	start := s.Time[first]
	for i, t := range s.Time {
		var row []float64
		add := func(name string, v float64) {
			if i == 0 {
				names = append(names, name)
			}
			row = append(row, v)
		}
		add("(Intercept)", 1)
		add("time", t)
		add(name, s.Step[i])
		if s.Slope {
			add(name+":time", s.Step[i]*(t-start))
		}
		if s.HalfLife > 0 {
			add("pulse", s.Step[i]*math.Exp2(-(t-start)/s.HalfLife))
		}
		for h := 1; h <= s.Harmonics; h++ {
			angle := 2 * math.Pi * float64(h) * t / period
			add(fmt.Sprintf("sin%d", h), math.Sin(angle))
			add(fmt.Sprintf("cos%d", h), math.Cos(angle))
		}
		for l := s.Leads; l >= 1; l-- {
			v := 0.0
			if i == first-l {
				v = 1
			}
			add(fmt.Sprintf("lead%d", l), v)
		}
		x = append(x, row)
	}
	return names, x
}

func (s ITS) fill(r *ITSResult, fit regress.Fit, names []string) {
	r.Dispersion, r.FittedMeans = fit.Dispersion, fit.Mu
	scale := max(fit.Dispersion, 1)
	switch r.Family {
	case NegativeBinomial:
		r.Theta, scale = &fit.Theta, 1
	case Linear:
		scale = fit.Dispersion
	}
	hac, wide := fit.HAC(r.Lag), fit.HAC(2*r.Lag)
	for i, name := range names {
		t := Term{Name: name, Estimate: fit.Beta[i], ModelSE: regress.SE(fit.Cov, i, scale), HACSE: regress.SE(hac, i, 1), HACWideSE: regress.SE(wide, i, 1)}
		t.SE = max(t.ModelSE, t.HACSE, t.HACWideSE)
		t.Low, t.High = t.Estimate-z95*t.SE, t.Estimate+z95*t.SE
		r.Terms = append(r.Terms, t)
	}
	if step := r.Terms[2]; r.Family != Linear {
		r.RateRatio = &Ratio{math.Exp(step.Estimate), math.Exp(step.Low), math.Exp(step.High)}
	}
	residual := make([]float64, len(fit.Mu))
	n := 0.0
	for i, mu := range fit.Mu {
		e := 1.0
		if s.Exposure != nil {
			e = s.Exposure[i]
		}
		if s.Step[i] == 0 {
			r.MeanBefore += s.Outcome[i] / e
			n++
		}
		residual[i] = s.Outcome[i] - mu
		if r.Family != Linear {
			residual[i] = deviance(s.Outcome[i], mu, fit.Theta)
		}
	}
	r.MeanBefore /= n
	r.Residuals = autocorrelations(residual, 6)
}

// deviance is the signed root of what a count adds to the deviance.
func deviance(y, mu, theta float64) float64 {
	d := mu - y
	if y > 0 {
		d += y * math.Log(y/mu)
	}
	if !math.IsInf(theta, 1) {
		d = -(y + theta) * math.Log((y+theta)/(mu+theta))
		if y > 0 {
			d += y * math.Log(y/mu)
		}
	}
	return math.Copysign(math.Sqrt(2*max(d, 0)), y-mu)
}

// autocorrelations of lags 1 to most.
func autocorrelations(v []float64, most int) (out []float64) {
	mean, all := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		all += (x - mean) * (x - mean)
	}
	for lag := 1; lag <= most && lag < len(v) && all > 0; lag++ {
		s := 0.0
		for i := lag; i < len(v); i++ {
			s += (v[i] - mean) * (v[i-lag] - mean)
		}
		out = append(out, s/all)
	}
	return out
}
