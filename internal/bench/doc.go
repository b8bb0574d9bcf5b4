// Package bench measures what the protocol costs and prints the peer's figure
// beside each, from the same run on the same machine: circl's pieces composed
// in the obvious way for desk and holder, standard HPKE for sealing, plain
// inserts for ingest, a map and a search for linking. Figures are CPU time of
// the process, on one core; every answer is checked, and where the peer
// computes the same thing its answer must be ours.
package bench
