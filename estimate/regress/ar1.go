package regress

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// An ARFit is a linear regression whose errors follow e_t = Rho e_{t-1} + u_t
// with u_t normal, fitted by exact maximum likelihood.
type ARFit struct {
	Rho    float64
	Beta   []float64
	Cov    *mat.SymDense // of Beta, with the variance of u in it
	Sigma2 float64       // of u
	LL     float64
}

// AutoRegressive fits y = x beta + e for points that are equally far apart.
// Given Rho, least squares on the transformed series (Prais and Winsten 1954)
// maximises the likelihood; Rho itself is found by search in (-1, 1). The errors
// of Beta treat Rho as known, which is right in large series, where the two do
// not move together.
func AutoRegressive(x [][]float64, y []float64) (ARFit, error) {
	if len(x) < len(x[0])+3 {
		return ARFit{}, errors.New("too few points for errors that follow each other")
	}
	at := func(rho float64) (ARFit, error) { return givenRho(x, y, rho) }
	const edge, golden = 0.999, 0.6180339887498949
	low, high := -edge, edge
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, err := at(a)
	if err != nil {
		return fa, err
	}
	fb, err := at(b)
	for err == nil && high-low > 1e-9 {
		if fa.LL > fb.LL {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa, err = at(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb, err = at(b)
		}
	}
	return fa, err
}

func givenRho(x [][]float64, y []float64, rho float64) (ARFit, error) {
	first := math.Sqrt(1 - rho*rho)
	tx, ty := [][]float64{scaled(x[0], first)}, []float64{y[0] * first}
	for t := 1; t < len(y); t++ {
		row := make([]float64, len(x[t]))
		for j, v := range x[t] {
			row[j] = v - rho*x[t-1][j]
		}
		tx, ty = append(tx, row), append(ty, y[t]-rho*y[t-1])
	}
	f, err := LeastSquares(tx, ty)
	if err != nil {
		return ARFit{}, err
	}
	n := float64(len(y))
	out := ARFit{Rho: rho, Beta: f.Beta, Sigma2: f.Dispersion * (n - float64(len(x[0]))) / n}
	out.LL = -n/2*(math.Log(2*math.Pi*out.Sigma2)+1) + math.Log(first)
	out.Cov = mat.NewSymDense(len(f.Beta), nil)
	out.Cov.ScaleSym(out.Sigma2, f.Cov)
	return out, nil
}
