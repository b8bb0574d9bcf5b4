// Package opening holds everything that decides whether a sealed observation
// may be opened: the manifest that says who may do what, the headers that
// observations carry, the bundle that is put before a key holder, the opening
// rule and the verification of all of it.
//
// It is one pure library on purpose. Hub, key holder, desk and the verify
// command all import it, so there is one reading of the rules and an auditor
// reads one package. It does no I/O, keeps no clock and logs nothing: the
// caller hands in bytes and the time, and gets a decision with its reasons.
//
// Facts that help an opening may come from anyone, the hub included; they are
// believed only with their signatures and proofs. Facts that forbid one
// (withdrawal, suspension, halt) come signed from their author and are kept by
// each key holder itself; see [Denials].
package opening
