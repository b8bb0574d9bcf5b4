package series

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parallax/estimate/draw"
)

// A LocalLevel is a series whose level wanders, with regressors that do not:
//
//	y_t = level_t + x_t beta + e_t,  level_t+1 = level_t + h_t
//
// Both variances are by maximum likelihood with a diffuse start (Durbin and
// Koopman 2012), beta by generalised least squares at each of them.
type LocalLevel struct {
	Y []float64
	X [][]float64 // by point; nil for none
}

// A LevelFit is a fitted local level.
type LevelFit struct {
	VarLevel   float64   `json:"var_level"`
	VarEpsilon float64   `json:"var_epsilon"`
	Beta       []float64 `json:"beta"`
	LogLik     float64   `json:"log_lik"`

	level, spread float64 // at the last point: mean and variance
	cov           *mat.SymDense
}

const (
	minLevelPoints = 8
	maxRegressors  = 20
)

// Fit fits the level to every point.
func (s LocalLevel) Fit() (LevelFit, error) {
	n, p := len(s.Y), 0
	if s.X != nil {
		if len(s.X) != n {
			return LevelFit{}, errors.New("outcome and regressors must be equally long")
		}
		p = len(s.X[0])
	}
	if n > MaxPoints || p > maxRegressors || n < minLevelPoints+p {
		return LevelFit{}, fmt.Errorf("%d points and %d regressors; give %d points more than regressors, at most %d points and %d regressors", n, p, minLevelPoints, MaxPoints, maxRegressors)
	}
	for i, v := range s.Y {
		if !finite(v) || p > 0 && (len(s.X[i]) != p || slices.ContainsFunc(s.X[i], func(v float64) bool { return !finite(v) })) {
			return LevelFit{}, fmt.Errorf("point %d is not complete", i+1)
		}
	}
	// The likelihood over the log ratio of the variances has one top or runs to
	// an edge; a coarse grid and golden section find either.
	best, at := math.Inf(-1), 0.0
	value := func(u float64) float64 {
		f, err := s.at(math.Exp(u))
		if err != nil {
			return math.Inf(-1)
		}
		return f.LogLik
	}
	for u := -16.0; u <= 8; u++ {
		if ll := value(u); ll > best {
			best, at = ll, u
		}
	}
	const phi = 0.6180339887498949
	low, high := at-1, at+1
	for high-low > 1e-8 {
		a, b := high-phi*(high-low), low+phi*(high-low)
		if value(a) > value(b) {
			high = b
		} else {
			low = a
		}
	}
	return s.at(math.Exp((low + high) / 2))
}

// at runs the Kalman filter for one ratio of the level's variance to the noise's.
// The same gains filter outcome and regressors, so that beta is one weighted
// least squares of their innovations.
func (s LocalLevel) at(ratio float64) (LevelFit, error) {
	p := 0
	if s.X != nil {
		p = len(s.X[0])
	}
	// The first point starts the level; from then on the spread of the level is
	// in units of the noise.
	state := make([]float64, p+1)
	row := func(i int) []float64 { return append(append(make([]float64, 0, p+1), s.Y[i]), x(s.X, i)...) }
	copy(state, row(0))
	spread, logF := 1+ratio, 0.0
	cross := mat.NewSymDense(p+1, nil)
	for i := 1; i < len(s.Y); i++ {
		f := spread + 1
		gain := spread / f
		v := row(i)
		for j := range v {
			v[j] -= state[j]
			state[j] += gain * v[j]
		}
		for a := range v {
			for b := range a + 1 {
				cross.SetSym(a, b, cross.At(a, b)+v[a]*v[b]/f)
			}
		}
		logF += math.Log(f)
		spread = spread*(1-gain) + ratio
	}
	out := LevelFit{Beta: make([]float64, p)}
	rss := cross.At(0, 0)
	if p > 0 {
		var chol mat.Cholesky
		if !chol.Factorize(cross.SliceSym(1, p+1).(*mat.SymDense)) || chol.Cond() > 1e12 {
			return out, errors.New("a regressor does not change, or two say the same")
		}
		right := mat.NewVecDense(p, nil)
		for j := range p {
			right.SetVec(j, cross.At(0, j+1))
		}
		var beta mat.VecDense
		if err := chol.SolveVecTo(&beta, right); err != nil {
			return out, err
		}
		out.cov = new(mat.SymDense)
		if err := chol.InverseTo(out.cov); err != nil {
			return out, err
		}
		for j := range p {
			out.Beta[j] = beta.AtVec(j)
		}
		rss -= mat.Dot(&beta, right)
	}
	n := float64(len(s.Y) - 1)
	sigma2 := rss / n
	if !(sigma2 > 0) {
		return out, errors.New("the outcome does not vary")
	}
	out.VarEpsilon, out.VarLevel = sigma2, ratio*sigma2
	out.LogLik = -n/2*(math.Log(2*math.Pi*sigma2)+1) - logF/2
	out.level = state[0]
	for j, b := range out.Beta {
		out.level -= state[j+1] * b
	}
	// The level of the next point has this spread before it is seen.
	out.spread = spread * sigma2
	if p > 0 {
		out.cov.ScaleSym(sigma2, out.cov)
	}
	return out, nil
}

func x(rows [][]float64, i int) []float64 {
	if rows == nil {
		return nil
	}
	return rows[i]
}

// A Band is the middle 95 % at a point.
type Band struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A Counterfactual is what the series would have done, and the difference.
type Counterfactual struct {
	Fit        LevelFit `json:"fit"`
	Expected   []Band   `json:"expected"`   // from the intervention on
	Effect     []Band   `json:"effect"`     // observed less expected
	Cumulative []Band   `json:"cumulative"` // the sum of the effects so far
}

const levelDraws = 4000

// Impact fits the level before the point first and simulates what would have
// come: the wandering level, the noise and the error of beta are drawn 4,000
// times. It holds if the regressors were not themselves changed.
func (s LocalLevel) Impact(first int, seed uint64) (Counterfactual, error) {
	if first < 0 || first >= len(s.Y) {
		return Counterfactual{}, errors.New("the intervention must be within the series")
	}
	before := LocalLevel{Y: s.Y[:first]}
	if s.X != nil {
		before.X = s.X[:min(first, len(s.X))]
	}
	fit, err := before.Fit()
	if err != nil {
		return Counterfactual{}, fmt.Errorf("before the intervention: %w", err)
	}
	out := Counterfactual{Fit: fit}
	ahead := len(s.Y) - first
	paths, sums := make([][]float64, ahead), make([][]float64, ahead)
	for rep := range levelDraws {
		path := fit.path(s, first, draw.New(seed, 2, uint64(rep)).NormFloat64)
		total := 0.0
		for i, v := range path {
			total += s.Y[first+i] - v
			paths[i], sums[i] = append(paths[i], v), append(sums[i], total)
		}
	}
	for i := range ahead {
		e := band(paths[i])
		out.Expected = append(out.Expected, e)
		y := s.Y[first+i]
		out.Effect = append(out.Effect, Band{y - e.Mean, y - e.High, y - e.Low})
		out.Cumulative = append(out.Cumulative, band(sums[i]))
	}
	return out, nil
}

// path is one draw of the outcome from first on.
func (f LevelFit) path(s LocalLevel, first int, normal func() float64) (out []float64) {
	beta := slices.Clone(f.Beta)
	shift := 0.0
	if len(beta) > 0 {
		var chol mat.Cholesky
		if chol.Factorize(f.cov) {
			var l mat.TriDense
			chol.LTo(&l)
			z := make([]float64, len(beta))
			for j := range z {
				z[j] = normal()
			}
			for j := range beta {
				for k := range j + 1 {
					beta[j] += l.At(j, k) * z[k]
				}
			}
		}
		// Another beta puts the level elsewhere: the two trade off at the last
		// point that was seen.
		for j := range beta {
			shift -= (beta[j] - f.Beta[j]) * s.X[first-1][j]
		}
	}
	level := f.level + shift + math.Sqrt(f.spread)*normal()
	for i := first; i < len(s.Y); i++ {
		v := level + math.Sqrt(f.VarEpsilon)*normal()
		for j, b := range beta {
			v += b * s.X[i][j]
		}
		out = append(out, v)
		level += math.Sqrt(f.VarLevel) * normal()
	}
	return out
}

func band(v []float64) Band {
	slices.Sort(v)
	mean := 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	cut := int(0.025 * float64(len(v)))
	return Band{mean, v[cut], v[len(v)-1-cut]}
}
