package keyholder

import (
	"regexp"
	"time"

	"parallax/opening"
)

// keptRefusals is how many refusals the page shows.
const keptRefusals = 50

// A refusal is a request that this holder refused, and why.
type refusal struct {
	Request opening.Hash
	Reason  string
	At      time.Time // last
	Times   int
}

// refusals keeps the last ones in memory, newest last: they prove nothing, and
// whoever sends rubbish must not fill the journal.
type refusals []refusal

// organisation is where a reason names a member; the page does not.
var organisation = regexp.MustCompile(`organisation "[^"]*"`)

// note keeps a refusal; the same once more only counts.
func (r *refusals) note(at time.Time, request opening.Hash, reason string) {
	x := refusal{Request: request, Reason: organisation.ReplaceAllString(reason, "a contributing organisation"), At: at, Times: 1}
	list := *r
	for i, had := range list {
		if had.Request == x.Request && had.Reason == x.Reason {
			x.Times += had.Times
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == keptRefusals {
		list = list[1:]
	}
	*r = append(list, x)
}
