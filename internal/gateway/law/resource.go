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

// Resourcing are the ways in which an organisation's own records can reach a
// court, with what each needs: what to do where a report about them may not.
func Resourcing(f *route.Finder, actor, day string) (out []string) {
	for _, wants := range []string{"transaction", "account_id"} {
		a, err := f.Find(route.Question{From: actor, To: Court, Holds: []string{"transaction", "customer_identity", "account_id"}, Wants: wants, Purpose: "prosecute", AsOf: day})
		if err != nil {
			continue
		}
		for _, r := range slices.Concat(a.Routes, a.Conditional) {
			way := strings.Join(r.IDs, " then ")
			if len(r.Unmet) > 0 {
				way += " (needs " + strings.Join(r.Unmet, ", ") + ")"
			}
			if !slices.Contains(out, way) {
				out = append(out, way)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return out
}
