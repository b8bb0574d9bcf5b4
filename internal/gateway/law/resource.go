package law

import (
	"slices"
	"strings"

	"parallax/internal/gateway/route"
)

// Court is the kind of organisation that evidence goes to.
const Court = "au.court"

// OfSuspicion are the categories that stem from reports of suspicion, which are
// not for use in court.
func OfSuspicion() []string { return []string{"austrac_info", "suspicion_report"} }

// A Way is one by which records can reach a court.
type Way struct {
	IDs   []string // rows in order
	Needs []string // facts that are not known to hold
}

func (w Way) String() string {
	s := strings.Join(w.IDs, " then ")
	if len(w.Needs) > 0 {
		s += " (needs " + strings.Join(w.Needs, ", ") + ")"
	}
	return s
}

// Resourcing are the ways in which an organisation's own records can reach a
// court, with what each needs: what to do where a report about them may not.
func Resourcing(f *route.Finder, actor, day string) (out []Way) {
	for _, wants := range []string{"transaction", "account_id"} {
		a, err := f.Find(route.Question{From: actor, To: Court, Holds: []string{"transaction", "customer_identity", "account_id"}, Wants: wants, Purpose: "prosecute", AsOf: day})
		if err != nil {
			continue
		}
		for _, r := range slices.Concat(a.Routes, a.Conditional) {
			out = append(out, Way{r.IDs, r.Unmet})
		}
		if len(out) > 0 {
			return out
		}
	}
	return out
}
