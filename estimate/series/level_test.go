package series

import (
	"math"
	"testing"

	"parallax/estimate/draw"
)

func TestNileLevel(t *testing.T) {
	doc := nile(t)
	f, err := LocalLevel{Y: doc.Y}.Fit()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "variance of the level", f.VarLevel, doc.Level.Level, 1e-3)
	near(t, "variance of the noise", f.VarEpsilon, doc.Level.Epsilon, 1e-3)
	near(t, "log likelihood", f.LogLik, -632.5456, 1e-5) // Durbin and Koopman, one diffuse point
}

// Over many series with a wandering level and a regressor, the band of the sum
// covers what the intervention did.
func TestCounterfactualCovers(t *testing.T) {
	const worlds, n, first = 60, 80, 60
	covered, effect := 0, 0.0
	for w := range uint64(worlds) {
		r := draw.New(w, 8, 0)
		s := LocalLevel{}
		level, control := 50.0, 0.0
		for i := range n {
			level += r.NormFloat64()
			control += r.NormFloat64()
			y := level + 1.5*control + 3*r.NormFloat64()
			if i >= first {
				y -= 5
			}
			s.Y, s.X = append(s.Y, y), append(s.X, []float64{control})
		}
		got, err := s.Impact(first, w)
		if err != nil {
			t.Fatal(err)
		}
		sum := got.Cumulative[n-first-1]
		if sum.Low <= -5*(n-first) && -5*(n-first) <= sum.High {
			covered++
		}
		effect += sum.Mean / worlds / (n - first)
	}
	if covered < 52 || math.Abs(effect+5) > 1.5 {
		t.Errorf("%d of %d cover, mean effect %.2f", covered, worlds, effect)
	}
}

func TestBadLevels(t *testing.T) {
	flat := make([]float64, 20)
	for name, s := range map[string]LocalLevel{
		"flat": {Y: flat}, "short": {Y: flat[:5]}, "unequal": {Y: flat, X: [][]float64{{1}}},
		"not a number": {Y: append([]float64{math.NaN()}, flat...)},
	} {
		if got, err := s.Fit(); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	s := LocalLevel{}
	for i := range 20 {
		s.Y, s.X = append(s.Y, float64(i%5)), append(s.X, []float64{7})
	}
	if _, err := s.Fit(); err == nil {
		t.Error("a regressor that does not change was fitted")
	}
	if _, err := s.Impact(30, 1); err == nil {
		t.Error("an intervention after the end")
	}
}
