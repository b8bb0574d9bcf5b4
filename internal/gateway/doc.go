// Package gateway keeps what organisations ask of the law: requests with their
// decision cards, the officer's decisions, the flows that went under them, and
// the register of barriers.
//
// A request is evaluated by the finder (package route) and becomes a decision
// card. A gateway officer of the same organisation, who is not the requester,
// approves one of its routes or refuses. The approval stands for exactly what was
// shown: any edit voids it, and so does law data under which the answer is
// another. A flow of the pool's own asks [Service.Lawful] and carries the id of
// the decision that it rests on; finder and Cedar must both allow it on the day,
// and whatever cannot be evaluated is refused. Each act is in the log in the
// transaction in which it is kept.
//
// Requests hold names of fields and facts, never values of a case. The register
// gives out counts, and withholds the small ones.
package gateway
