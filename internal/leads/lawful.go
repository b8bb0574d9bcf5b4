package leads

import (
	"context"

	"parallax/internal/store"
)

// What leads let flow, each under a lawful route.
const (
	FlowOpening  = "opening"  // sealed observations become readable to the authority
	FlowReferral = "referral" // the authority hands a lead or a part of it to somebody
	FlowRelease  = "release"  // an outcome goes back to those who contributed
)

// A Flow is something that is about to leave.
type Flow struct {
	Kind    string // FlowOpening, FlowReferral or FlowRelease
	Gateway string // id of the approved decision that it rests on; empty is refused
	To      string // organisation that would receive it
	By      string // who sends
	Ref     string // what it is: the id of the opening, referral or release
	// Provenance are the flags that travel with the material, as "smr-derived".
	Provenance []string
}

// A Ruling says under what a flow may go.
type Ruling struct {
	Gateway string   // the approved decision
	Routes  []string // rows of law, in order of the hops
	Data    string   // version of the law data
}

// Lawful is asked before anything leaves. An error means that it does not: what
// nobody approved, what the law does not carry today and what could not be
// evaluated are all refused. The answer is recorded in the caller's transaction,
// so that a flow and its gateway id stand or fall together.
type Lawful interface {
	Lawful(ctx context.Context, tx *store.Tx, f Flow) (Ruling, error)
}
