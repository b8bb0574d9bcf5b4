package regress

import (
	"errors"
	"math"
	"testing"

	"parallax/estimate/draw"
)

func near(t *testing.T, what string, got, want, abs float64) {
	t.Helper()
	if !(math.Abs(got-want) <= abs) {
		t.Errorf("%s: got %.10g, want %.10g", what, got, want)
	}
}

// Two groups of counts with exposures: the rates, the variance of their log ratio
// and Pearson's dispersion have closed forms.
func TestPoissonOfTwoGroups(t *testing.T) {
	y := []float64{3, 5, 4, 10, 14}
	exposure := []float64{10, 20, 10, 10, 15}
	x := [][]float64{{1, 0}, {1, 0}, {1, 0}, {1, 1}, {1, 1}}
	offset := make([]float64, len(y))
	for i, e := range exposure {
		offset[i] = math.Log(e)
	}
	f, err := Poisson(x, y, offset)
	if err != nil {
		t.Fatal(err)
	}
	r0, r1 := 12.0/40, 24.0/25
	near(t, "rate", f.Beta[0], math.Log(r0), 1e-9)
	near(t, "ratio", f.Beta[1], math.Log(r1/r0), 1e-9)
	near(t, "error of the ratio", SE(f.Cov, 1, 1), math.Sqrt(1.0/12+1.0/24), 1e-7)
	chi := 0.0
	for i, v := range y {
		mu := exposure[i] * []float64{r0, r1}[int(x[i][1])]
		near(t, "fitted", f.Mu[i], mu, 1e-8)
		chi += (v - mu) * (v - mu) / mu
	}
	near(t, "dispersion", f.Dispersion, chi/3, 1e-8)
}

// A line through four points, by hand.
func TestLeastSquares(t *testing.T) {
	x := [][]float64{{1, 0}, {1, 1}, {1, 2}, {1, 3}}
	f, err := LeastSquares(x, []float64{1, 3, 2, 6})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "intercept", f.Beta[0], 0.9, 1e-12)
	near(t, "slope", f.Beta[1], 1.4, 1e-12)
	near(t, "residual variance", f.Dispersion, 2.1, 1e-12) // 4.2 over 2
	near(t, "error of the slope", SE(f.Cov, 1, f.Dispersion), math.Sqrt(2.1/5), 1e-12)
	near(t, "likelihood", f.LL, -2*(math.Log(2*math.Pi*4.2/4)+1), 1e-12)
}

// The mean of a series: Newey and West's variance is the sum of its
// autocovariances with falling weights.
func TestHACOfAMean(t *testing.T) {
	y := []float64{1, 4, 2, 8, 5, 7}
	x := make([][]float64, len(y))
	for i := range x {
		x[i] = []float64{1}
	}
	f, err := LeastSquares(x, y)
	if err != nil {
		t.Fatal(err)
	}
	mean, n := 4.5, 6.0
	auto := func(lag int) (s float64) {
		for i := lag; i < len(y); i++ {
			s += (y[i] - mean) * (y[i-lag] - mean)
		}
		return s
	}
	near(t, "lag 0", f.HAC(0).At(0, 0), auto(0)/(n*n), 1e-12)
	near(t, "lag 2", f.HAC(2).At(0, 0), (auto(0)+2*(2.0/3*auto(1)+1.0/3*auto(2)))/(n*n), 1e-12)
}

// Counts drawn with theta 2 give it back; counts that vary no more than chance
// have no end of theta, and the fit of Poisson.
func TestNegativeBinomial(t *testing.T) {
	r := draw.New(4, 1, 0)
	var x [][]float64
	var y []float64
	for i := range 1500 {
		on := float64(i % 2)
		mu := math.Exp(1.5 + 0.7*on)
		x, y = append(x, []float64{1, on}), append(y, draw.Poisson(r, mu*draw.Gamma(r, 2)/2))
	}
	f, err := NegativeBinomial(x, y, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "theta", f.Theta, 2, 0.3)
	near(t, "effect", f.Beta[1], 0.7, 4*SE(f.Cov, 1, 1))
	plain, err := Poisson(x, y, nil)
	if err != nil {
		t.Fatal(err)
	}
	if SE(f.Cov, 1, 1) < 1.5*SE(plain.Cov, 1, 1) || plain.Dispersion < 2 {
		t.Errorf("errors %g and %g, dispersion %g", SE(f.Cov, 1, 1), SE(plain.Cov, 1, 1), plain.Dispersion)
	}
	even := []float64{5, 6, 5, 6, 5, 6}
	f, err = NegativeBinomial(x[:6], even, nil)
	if err != nil || f.Theta < 1e5 {
		t.Errorf("theta %g, %v", f.Theta, err)
	}
}

// Errors that follow each other are found, and make the mean less sure.
func TestAutoRegressive(t *testing.T) {
	r := draw.New(6, 1, 0)
	var x [][]float64
	var y []float64
	e := 0.0
	for range 1500 {
		e = 0.6*e + r.NormFloat64()
		x, y = append(x, []float64{1}), append(y, 10+e)
	}
	f, err := AutoRegressive(x, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "correlation", f.Rho, 0.6, 0.06)
	near(t, "mean", f.Beta[0], 10, 4*SE(f.Cov, 0, 1))
	near(t, "error of the mean", SE(f.Cov, 0, 1), 1/(1-f.Rho)/math.Sqrt(1500), 0.005)
	if _, err := AutoRegressive(x[:3], y[:3]); err == nil {
		t.Error("three points were taken")
	}
}

// Columns that say the same, and counts that a column separates, are refused.
func TestFitsThatDoNotExist(t *testing.T) {
	twice := [][]float64{{1, 1}, {1, 1}, {1, 1}, {1, 1}}
	if _, err := Poisson(twice, []float64{1, 2, 3, 4}, nil); !errors.Is(err, ErrDiverged) {
		t.Errorf("the same column twice: %v", err)
	}
	if _, err := LeastSquares(twice, []float64{1, 2, 3, 4}); !errors.Is(err, ErrDiverged) {
		t.Errorf("the same column twice, least squares: %v", err)
	}
	if _, err := LeastSquares([][]float64{{1, 0}, {1, 0}}, []float64{math.NaN(), 1}); err == nil {
		t.Error("not a number was taken")
	}
}
