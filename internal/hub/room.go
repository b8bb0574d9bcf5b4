package hub

import (
	"parallax/internal/fault"
)

// reserve is what stays free on the hub's disk for everything but new
// contributions: nonces, log entries, withdrawals, openings and their audit go
// on when members have filled the rest. Bytes.
const reserve = 32 << 20

// admit refuses a contribution when the reserve is all that is left. It looks at
// the disk alone, so that it says nothing about what the pool holds.
func (s *Server) admit() error {
	if s.o.DB.Room() >= reserve {
		return nil
	}
	return fault.New(fault.Unavailable, "The hub's disk is almost full: it takes no contributions until its operator has made room. Nothing was changed; withdrawals, receipts and openings go on.")
}
