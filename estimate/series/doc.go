// Package series asks what a dated intervention did to a series of counts or
// measures: interrupted time series regression, a local level with its
// counterfactual, and a synthetic control. Each comes with the error that is
// larger where two can be had, and with the checks that a reader would ask for.
//
// None of them shows a cause by itself. Whatever else changed at the same time
// is in the answer; the synthetic control has placebos and the interrupted
// series lead terms because of that.
package series
