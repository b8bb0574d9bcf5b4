package estimate

import (
	"math"
	"math/rand/v2"

	"parallax/estimate/draw"
)

// Streams of random numbers by purpose; see package draw.
const (
	streamBCa uint64 = iota + 1
	streamTop
	streamLCMCR
	streamThin
	streamSimulate
	streamCarry
)

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// resample draws n records anew from the observed ones, cell by cell.
func resample(r *rand.Rand, cells []Cell, y []float64) {
	clear(y)
	left := 0
	for _, c := range cells {
		left += c.Count
	}
	rest := left
	for _, c := range cells {
		got := draw.Binomial(r, rest, float64(c.Count)/float64(left))
		y[c.History] = float64(got)
		rest -= got
		left -= c.Count
	}
}
