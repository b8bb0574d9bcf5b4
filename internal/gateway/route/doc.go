// Package route answers one question: may this organisation give that one a
// category of data, for a purpose, on a date, given what is known? It searches
// rows of law (gateways) for minimal lawful routes and returns every route with
// the conditions and duties of each hop, what would be needed for more, and why
// a direct way does not exist. It never returns a bare yes or no.
//
// It is a pure function over a data set: no I/O, no clock, no log. What no row
// permits is not permitted. A fact is true, false or unknown, and unknown never
// counts as true. A row counts only within its dates; proposed law never does;
// uncertain law is only ever a question for counsel.
//
// What it answers is as good as the rows, which are illustrative until counsel
// signs them. The semantics block of the data set is the specification that
// this package follows, and a brute-force finder in its tests is written from
// that text alone.
package route
