// Package estimate turns capture histories into a panel of population
// estimates, and refuses where none can be defended.
//
// A capture table counts, for each combination of lists, the records that
// stand on exactly these lists. What stands on none is never seen: every
// method here fills that one cell with an assumption, and methods with other
// assumptions give other answers. So the package prints a panel and its range
// and never one number, names each member's assumption, withholds a member
// whose own diagnostics fail, and says "at least n" where a gate fails.
//
// Everything is computed in memory from what the caller hands in: no files, no
// clock, no randomness but the seed that the caller names. The same table and
// seed give the same answer.
//
// Histories are bit masks: bit j is list j. Models are sets of interaction
// terms (masks of two or more lists); the intercept and each list's own term
// are always in. Log-linear fits use the lattice of subsets: log mu is a
// subset sum of the coefficients, and both score and information are superset
// sums of mu, so one Newton step costs k*2^k and not cells*terms^2.
package estimate
