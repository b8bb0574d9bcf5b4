package series

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"parallax/estimate/draw"
	"parallax/estimate/regress"
	"parallax/internal/shareddata"
)

func near(t *testing.T, what string, got, want, rel float64) {
	t.Helper()
	if !(math.Abs(got-want) <= rel*math.Abs(want)) {
		t.Errorf("%s: got %.9g, want %.9g", what, got, want)
	}
}

func reference(t *testing.T, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "displacement", name), v); err != nil {
		t.Fatal(err)
	}
}

// columns reads a CSV of numbers by the names of its columns; text is zero.
func columns(t *testing.T, name string) (names []string, col map[string][]float64) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(shareddata.Read(t, "statistics", "displacement", name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col = map[string][]float64{}
	for _, row := range rows[1:] {
		for i, cell := range row {
			v, _ := strconv.ParseFloat(cell, 64)
			col[rows[0][i]] = append(col[rows[0][i]], v)
		}
	}
	return rows[0], col
}

func sicily(t *testing.T) ITS {
	t.Helper()
	_, col := columns(t, "its_sicily.csv")
	return ITS{Time: col["time"], Outcome: col["aces"], Exposure: col["stdpop"], Step: col["smokban"], Name: "smokban"}
}

func (r ITSResult) term(name string) Term {
	for _, t := range r.Terms {
		if t.Name == name {
			return t
		}
	}
	return Term{Estimate: math.NaN()}
}

type sicilyModel struct {
	Coef, SE   map[string]float64
	RR         []float64 `json:"rr_smokban"`
	Dispersion float64
	OLS        float64            `json:"ols_se_smokban"`
	NW         map[string]float64 `json:"nw_se_smokban"`
	NWTime     map[string]float64 `json:"nw_se_time"`
}

func TestSicily(t *testing.T) {
	var doc struct {
		Models []sicilyModel
		ACF    []float64 `json:"residual_acf_1_6"`
	}
	reference(t, "its_sicily_reference.json", &doc)
	plain, err := sicily(t).Fit()
	if err != nil {
		t.Fatal(err)
	}
	step := plain.term("smokban")
	for name, want := range doc.Models[0].Coef {
		near(t, name, plain.term(name).Estimate, want, 1e-6)
	}
	for name, want := range doc.Models[0].SE {
		near(t, "Poisson error of "+name, plain.term(name).ModelSE/math.Sqrt(plain.Dispersion), want, 1e-5)
	}
	near(t, "Poisson low", math.Exp(step.Estimate-z95*step.ModelSE/math.Sqrt(plain.Dispersion)), doc.Models[0].RR[1], 1e-6)
	near(t, "dispersion", plain.Dispersion, doc.Models[1].Dispersion, 5e-6) // R weighs by the iteration before the last
	near(t, "rate ratio", plain.RateRatio.Estimate, doc.Models[1].RR[0], 1e-6)
	near(t, "quasi low", math.Exp(step.Estimate-z95*step.ModelSE), doc.Models[1].RR[1], 1e-5)
	near(t, "quasi high", math.Exp(step.Estimate+z95*step.ModelSE), doc.Models[1].RR[2], 1e-5)

	s := sicily(t)
	s.Harmonics = 2
	seasonal, err := s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range doc.Models[2].Coef {
		near(t, name, seasonal.term(name).Estimate, want, 1e-6)
	}
	near(t, "seasonal error", seasonal.term("smokban").ModelSE, doc.Models[2].SE["smokban"], 1e-5)
	near(t, "seasonal dispersion", seasonal.Dispersion, doc.Models[2].Dispersion, 5e-6)
	near(t, "seasonal ratio", seasonal.RateRatio.Estimate, doc.Models[2].RR[0], 1e-6)
	// The residuals alternate, so the model's error is the larger and is printed.
	near(t, "seasonal low", seasonal.RateRatio.Low, doc.Models[2].RR[1], 1e-5)
	near(t, "seasonal high", seasonal.RateRatio.High, doc.Models[2].RR[2], 1e-5)

	for i, want := range doc.ACF {
		near(t, "residual autocorrelation", seasonal.Residuals[i], want, 1e-3)
	}

	s.Slope = true
	sloped, err := s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	// The reference counts the step's time from 0, this package from its start.
	start := 0.0
	for i, v := range s.Step {
		if v == 1 {
			start = s.Time[i]
			break
		}
	}
	change := sloped.term("smokban:time")
	near(t, "slope change", change.Estimate, doc.Models[3].Coef["smokban:time"], 1e-5)
	near(t, "its error", change.ModelSE, doc.Models[3].SE["smokban:time"], 1e-5)
	near(t, "step at time 0", sloped.term("smokban").Estimate-start*change.Estimate, doc.Models[3].Coef["smokban"], 1e-5)

	s = sicily(t)
	s.Harmonics, s.Family = 2, Linear
	for i, v := range s.Outcome {
		s.Outcome[i] = math.Log(v / s.Exposure[i] * 1e5)
	}
	s.Exposure = nil
	for lag, want := range doc.Models[4].NW {
		s.Lag, _ = strconv.Atoi(strings.TrimPrefix(lag, "lag"))
		ols, err := s.Fit()
		if err != nil {
			t.Fatal(err)
		}
		step := ols.term("smokban")
		near(t, "least squares step", step.Estimate, doc.Models[4].Coef["smokban"], 1e-6)
		near(t, "least squares error", step.ModelSE, doc.Models[4].OLS, 1e-6)
		near(t, "Newey-West "+lag, step.HACSE, want, 1e-6)
		near(t, "Newey-West of time "+lag, ols.term("time").HACSE, doc.Models[4].NWTime[lag], 1e-6)
		if step.SE != step.ModelSE || step.ModelSE < step.HACSE {
			t.Errorf("the larger error is not taken: %+v", step)
		}
	}
}

func nile(t *testing.T) (doc struct {
	Y     []float64
	Level struct {
		Level   float64 `json:"var_level"`
		Epsilon float64 `json:"var_epsilon"`
	} `json:"local_level_ml"`
	Step struct {
		Coef map[string]float64
		OLS  float64            `json:"ols_se_step"`
		NW   map[string]float64 `json:"newey_west_lag4_se"`
	} `json:"step_1899_ols"`
	AR1 struct {
		Rho       float64 `json:"ar1"`
		Intercept float64 `json:"intercept"`
		Step      float64 `json:"step"`
		SE        float64 `json:"se_step"`
		Sigma2    float64 `json:"sigma2"`
		LL        float64 `json:"loglik"`
	} `json:"step_1899_ar1_ml"`
}) {
	t.Helper()
	reference(t, "nile_reference.json", &doc)
	return doc
}

func TestNileStep(t *testing.T) {
	doc := nile(t)
	s := ITS{Outcome: doc.Y, Family: Linear, Lag: 4}
	for i := range doc.Y {
		s.Time = append(s.Time, float64(i+1))
		s.Step = append(s.Step, 0)
		if 1871+i >= 1899 {
			s.Step[i] = 1
		}
	}
	r, err := s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "step error", r.term("step").ModelSE, doc.Step.OLS, 1e-6)
	for ours, theirs := range map[string]string{"(Intercept)": "intercept", "step": "step", "time": "t"} {
		near(t, theirs, r.term(ours).Estimate, doc.Step.Coef[theirs], 1e-6)
		near(t, "Newey-West "+theirs, r.term(ours).HACSE, doc.Step.NW[theirs], 1e-6)
	}
}

// The reference has no trend; its error of the step is from the curvature in all
// parameters together, ours treats the autoregression as known.
func TestNileStepWithFollowingErrors(t *testing.T) {
	doc := nile(t)
	var x [][]float64
	for i := range doc.Y {
		step := 0.0
		if 1871+i >= 1899 {
			step = 1
		}
		x = append(x, []float64{1, step})
	}
	r, err := regress.AutoRegressive(x, doc.Y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "autoregression", r.Rho, doc.AR1.Rho, 1e-3)
	near(t, "intercept", r.Beta[0], doc.AR1.Intercept, 1e-5)
	near(t, "step", r.Beta[1], doc.AR1.Step, 1e-5)
	near(t, "variance", r.Sigma2, doc.AR1.Sigma2, 1e-3)
	near(t, "log likelihood", r.LL, doc.AR1.LL, 1e-5)
	near(t, "error of the step", regress.SE(r.Cov, 1, 1), doc.AR1.SE, 0.01)
}

// simulated draws a series with a known step and a known pulse, more spread than
// Poisson.
func simulated(r *rand.Rand, n int, step, pulse, halfLife, theta float64) ITS {
	var s ITS
	for i := range n {
		t := float64(i)
		on := 0.0
		if i >= n/2 {
			on = 1
		}
		mu := math.Exp(4 + 0.002*t + 0.2*math.Sin(2*math.Pi*t/12) + on*(step+pulse*math.Exp2(-(t-float64(n/2))/halfLife)))
		if theta > 0 {
			mu *= draw.Gamma(r, theta) / theta
		}
		s.Time, s.Step, s.Outcome = append(s.Time, t), append(s.Step, on), append(s.Outcome, draw.Poisson(r, mu))
	}
	s.Harmonics = 1
	return s
}

// Over many series the interval of the step covers, in both families.
func TestStepIsFoundAgain(t *testing.T) {
	for _, family := range []string{QuasiPoisson, NegativeBinomial} {
		covered, sum := 0, 0.0
		const worlds = 60
		for w := range uint64(worlds) {
			s := simulated(draw.New(w, 7, 0), 120, -0.3, 0, 1, 20)
			s.Family = family
			r, err := s.Fit()
			if err != nil {
				t.Fatal(err)
			}
			step := r.term("step")
			sum += step.Estimate / worlds
			if step.Low <= -0.3 && -0.3 <= step.High {
				covered++
			}
		}
		if covered < 53 || math.Abs(sum+0.3) > 0.03 {
			t.Errorf("%s: %d of %d cover, mean %.3f", family, covered, worlds, sum)
		}
	}
}

func TestPulseAndLeads(t *testing.T) {
	s := simulated(draw.New(1, 7, 1), 200, 0, -0.8, 8, 0)
	s.HalfLife = 8
	r, err := s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	if p := r.term("pulse"); p.Low > -0.8 || p.High < -0.8 || p.High > 0 {
		t.Errorf("pulse %+v", p)
	}
	// Two periods before the intervention already fall: with leads the step is
	// what it is, without them it is too small.
	s = simulated(draw.New(2, 7, 1), 60, -1, 0, 1, 0)
	s.Outcome[29], s.Outcome[28] = s.Outcome[29]/4, s.Outcome[28]/4
	short, err := s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	s.Leads = 2
	r, err = s.Fit()
	if err != nil {
		t.Fatal(err)
	}
	if r.term("lead1").High > -0.5 || math.Abs(r.term("step").Estimate+1) > math.Abs(short.term("step").Estimate+1) {
		t.Errorf("lead %+v, step %.2f with and %.2f without", r.term("lead1"), r.term("step").Estimate, short.term("step").Estimate)
	}
}

func TestBadSeries(t *testing.T) {
	good := func() ITS { return simulated(draw.New(1, 7, 2), 30, 0, 0, 1, 0) }
	for want, spoil := range map[string]func(*ITS){
		"equally long":       func(s *ITS) { s.Step = s.Step[1:] },
		"no family":          func(s *ITS) { s.Family = "magic" },
		"times must rise":    func(s *ITS) { s.Time[4] = s.Time[3] },
		"cannot be negative": func(s *ITS) { s.Outcome[2] = -1 },
		"0 before and 1":     func(s *ITS) { s.Step[20] = 0.5 },
		"intervention ends":  func(s *ITS) { s.Step[29] = 0 },
		"0 points before": func(s *ITS) {
			clear(s.Step)
			for i := range s.Step {
				s.Step[i] = 1
			}
		},
		"and 0 from it on":         func(s *ITS) { clear(s.Step) },
		"not a number":             func(s *ITS) { s.Outcome[0] = math.NaN() },
		"above zero":               func(s *ITS) { s.Exposure = make([]float64, 30) },
		"harmonics must be":        func(s *ITS) { s.Harmonics = 99 },
		"points for":               func(s *ITS) { s.Harmonics = 12; s.Leads = 9 },
		"leave fewer than 3":       func(s *ITS) { s.Leads = 14 },
		"columns may say the same": func(s *ITS) { s.Harmonics, s.Period = 1, 1 },
	} {
		s := good()
		spoil(&s)
		if _, err := s.Fit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
