// Package study runs the estimators on many simulated worlds whose truth is
// known, and says how often they are right: with their assumptions met, and with
// each of them broken.
//
// Everything follows from the seed, so that a few worlds run again must give
// what the committed report says of them.
package study
