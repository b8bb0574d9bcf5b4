// Package amends carries what puts something right to everybody whom it
// concerns, and keeps their receipts: every denial that the pool takes goes to
// all key holders, and to whoever may have read the observations that it names.
//
// Nothing of this happens while a contributor waits: the pool answers first,
// and a job takes the denial up afterwards. So neither the answer nor its time
// tells a contributor whether anybody ever read what it corrects, and what is
// kept here is shown to the authority, oversight and auditors only.
package amends
