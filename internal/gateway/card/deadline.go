package card

import (
	"slices"
	"time"

	"parallax/internal/gateway/due"
	"parallax/internal/gateway/route"
)

// A Deadline is a duty's, counted from when its clock began.
type Deadline struct {
	Gateway string    `json:"gateway"`
	Rule    string    `json:"rule"`
	Due     time.Time `json:"due,omitzero"` // zero: the law gives no number
	Note    string    `json:"note"`
	Skipped []string  `json:"skipped"`
}

// Where a deadline stands.
const (
	Open   = "open" // due later
	Late   = "late" // over, and not done
	Met    = "met"
	Missed = "missed" // done, but after it was over
)

// State says where a deadline stands; done is zero until the duty was.
func (d Deadline) State(now, done time.Time) string {
	switch {
	case done.IsZero() && (d.Due.IsZero() || !now.After(d.Due)):
		return Open
	case done.IsZero():
		return Late
	case d.Due.IsZero() || !done.After(d.Due):
		return Met
	}
	return Missed
}

// Deadlines counts those of the holder's duties and of the first hops, which the
// holder takes itself. Without a start there are none.
func Deadlines(a route.Answer, start time.Time, place string, urgent bool) ([]Deadline, error) {
	out := []Deadline{}
	if start.IsZero() {
		return out, nil
	}
	var ids []string
	for _, x := range a.Duties {
		ids = append(ids, x.ID)
	}
	for _, r := range a.Routes {
		ids = append(ids, r.IDs[0])
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		x, ok, err := due.For(id, start, place, urgent)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, Deadline{Gateway: id, Rule: x.Rule, Due: x.Due, Note: x.Note, Skipped: x.Skipped})
		}
	}
	return out, nil
}
