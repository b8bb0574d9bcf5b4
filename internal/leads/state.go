package leads

import (
	"parallax/internal/fault"
)

// State is where an opening stands. A lead that is forming is not stored.
type State string

// States in their order; closed is the end of every opening that was refused,
// withdrawn from under it or not finished in time.
const (
	Requested State = "requested"
	Approved  State = "approved"
	Logged    State = "logged"
	Released  State = "released"
	Closed    State = "closed"
)

// moves lists every move there is.
var moves = map[State][]State{
	Requested: {Approved, Closed},
	Approved:  {Logged, Closed},
	Logged:    {Released, Closed},
}

// Move checks that an opening may go from one state to another.
func Move(from, to State) error {
	for _, s := range moves[from] {
		if s == to {
			return nil
		}
	}
	return fault.Newf(fault.Conflict, "The opening is %s and cannot become %s.", from, to)
}

// States of one holder's answer.
const (
	HolderWaiting     = "waiting"
	HolderRefused     = "refused"
	HolderReleased    = "released"
	HolderUnreachable = "unreachable"
)
