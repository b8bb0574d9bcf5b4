// Package baseline says how much there may be: it asks the pool for capture
// histories under an act that two bodies approved, estimates from them with
// everything that package estimate knows to doubt, and publishes what two people
// signed.
//
// What it keeps has passed the thresholds: the capture table is used once, in
// memory, and only its digest stays. A refusal to name a number is a result like
// any other and is kept, shown and published in the same way.
package baseline
