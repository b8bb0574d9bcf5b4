// Package survival measures the time until something happens where not
// everybody is watched until it does: here the dark time of a token, from a
// takedown to the first day on which the same token is seen anywhere covered.
//
// A token that is not seen again may have gone, may have a new selector, or may
// be where nobody looks. So the measure is same-selector dark time and never
// desistance, whoever could not be watched any longer is censored and not
// dropped, and where the loss of sight followed the takedown itself, Bounds
// gives the two curves between which the truth lies.
package survival
