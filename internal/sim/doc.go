// Package sim makes a simulated ecosystem with known truth and scores what the
// organisations in it can see alone and together.
//
// A World is drawn from one seed: people, the identifiers they use, what they
// do, and what each organisation notices of it. Write gives every organisation
// the export that an organisation of its kind would have, and one truth file
// that only the scorer reads. ScoreDir reads both back and reports recall,
// false leads and delay under the same opening rule that key holders apply.
//
// Nobody in it exists. It holds no material and no names. The parameters are in
// one struct, each with its grounding or the word "assumption"; none is fitted
// to a score. Exports must never be contributed to a pool that holds real
// observations: made-up numbers can coincide with numbers in service.
package sim
