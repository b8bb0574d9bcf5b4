package estimate

import "math"

// chi95 is half the 95 % point of chi-squared with one degree of freedom: how
// far the log likelihood may fall from its top.
var chi95 = z95 * z95 / 2

// Profile is the multinomial profile-likelihood interval of a log-linear model
// (Cormack 1992; Baillargeon and Rivest 2007): N is inside while the best fit
// that has exactly N people is not much worse than the best of all. It follows
// the skew that a log-normal interval assumes away. The interval takes the
// model as given: the choice of the model is not in it.
func Profile(t Table, m Model) (Estimate, error) {
	f := newFitter(t)
	fit, err := f.sound(m)
	if err != nil {
		return Estimate{}, err
	}
	e := profile(f.n, fit.N, func(unseen float64) float64 {
		if !f.newton(unseen) {
			return math.Inf(-1)
		}
		return f.logLik()
	})
	return e, nil
}

// profile maximises and bounds N given kernel, the Poisson log likelihood
// (without factorials) of the best fit in which the unseen count that many.
// The multinomial likelihood is the Poisson one divided by the chance of the
// total, times the factorial of the unseen.
func profile(n, start float64, kernel func(unseen float64) float64) Estimate {
	at := func(total float64) float64 {
		unseen := total - n
		lg0, _ := math.Lgamma(unseen + 1)
		lgN, _ := math.Lgamma(total + 1)
		return kernel(unseen) - lg0 + lgN - total*math.Log(total) + total
	}
	top := maximise(at, n, start)
	limit := at(top) - chi95
	e := Estimate{Point: top, Low: n, High: math.Inf(1)}
	if at(n) < limit {
		e.Low = bisect(func(x float64) bool { return at(x) >= limit }, n, top)
	}
	for far := top + (top - n) + 1; far < 1e4*(start+1); far = top + 2*(far-top) {
		if at(far) < limit {
			e.High = bisect(func(x float64) bool { return at(x) < limit }, top, far)
			break
		}
	}
	return e
}

// maximise finds the top of a function with one peak, at or above n, by golden
// section on the log of the unseen.
func maximise(at func(float64) float64, n, start float64) float64 {
	low, high := math.Log(max(start-n, 1e-6)/4), math.Log(max(start-n, 1e-6)*4)
	const phi = 0.6180339887498949
	value := func(u float64) float64 { return at(n + math.Exp(u)) }
	a, b := high-phi*(high-low), low+phi*(high-low)
	fa, fb := value(a), value(b)
	for high-low > 1e-7 {
		if fa > fb {
			high, b, fb = b, a, fa
			a = high - phi*(high-low)
			fa = value(a)
		} else {
			low, a, fa = a, b, fb
			b = low + phi*(high-low)
			fb = value(b)
		}
	}
	return n + math.Exp((low+high)/2)
}

// bisect finds where ok turns true between low (false) and high (true).
func bisect(ok func(float64) bool, low, high float64) float64 {
	for range 60 {
		mid := (low + high) / 2
		if ok(mid) {
			high = mid
		} else {
			low = mid
		}
		if high-low < 1e-7*high {
			break
		}
	}
	return high
}
