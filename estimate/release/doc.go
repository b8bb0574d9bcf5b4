// Package release decides what of the pool's counts may be printed, and adds
// the noise that lets a count be printed at all.
//
// The unit of privacy is one actor (one token where actors are not resolved),
// added or removed. The caller bounds what one actor adds to: one cell of a
// table and three tables a quarter. Noise is the exact discrete Laplace, drawn
// from the operating system's randomness in whole numbers and never from a
// seed: floating-point Laplace leaks through its rounding. It is drawn once for
// each cell of a release and kept; drawing again would average it away.
//
// A Ledger keeps the budget: it only grows, checks each entry against what was
// spent before, and refuses what would overdraw. Everything after the noise is
// post-processing and costs nothing.
//
// Estimates of a hidden population are not private in this sense and are never
// computed from noised counts: the noise destroys the overlaps that they live
// on. They have gates of their own (Headline, Windows).
package release
