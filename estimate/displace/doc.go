// Package displace measures what an intervention at one venue did there and at
// its neighbours: counts before and after beside controls, movement of
// pseudonymous tokens between venues, and the time until a token is seen again.
//
// Everything is pure arithmetic on what the caller hands in. A measure comes
// with its error, and says so where it must not be reported.
package displace
