package estimate

import "gonum.org/v1/gonum/stat/distuv"

// z95 bounds the middle 95 % of a standard normal.
var z95 = normQuantile(0.975)

func normQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
func normCDF(x float64) float64      { return distuv.UnitNormal.CDF(x) }
