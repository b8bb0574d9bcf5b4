package permit

import (
	"slices"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

// Check answers whether an approved route carries the flow that a question
// describes. The finder must still return the route, without anything unmet, and
// Cedar must allow the flow by the permit compiled from it; what neither can
// evaluate, and where the two disagree, is refused. The sentence says what
// changed.
func Check(f *route.Finder, q route.Question, approved []string) (route.Route, error) {
	a, err := f.Find(q)
	if err != nil {
		return route.Route{}, fault.Wrap(fault.Forbidden, "The gateway refuses: the question cannot be asked of this data: "+strings.ReplaceAll(err.Error(), "\n", "; ")+".", err)
	}
	i := slices.IndexFunc(a.Routes, func(r route.Route) bool { return slices.Equal(r.IDs, approved) })
	if i < 0 {
		return route.Route{}, fault.Newf(fault.Forbidden, "The gateway refuses: %s is no lawful route on %s under data %s. %s",
			strings.Join(approved, " then "), q.AsOf, a.DataVersion, why(a))
	}
	r := a.Routes[i]
	var set Set
	if err := set.Add(f, q, r); err != nil {
		return r, fault.Newf(fault.Forbidden, "The gateway refuses: the route cannot be made into a permit: %v.", err)
	}
	if d := set.Decide(q); !d.Allow {
		return r, fault.Newf(fault.Forbidden, "The gateway refuses: the permit of %s does not allow this flow. %s", ID(r), strings.Join(d.Errors, "; "))
	}
	return r, nil
}

// why is what an answer says against a route, in one line.
func why(a route.Answer) string {
	var parts []string
	for _, r := range a.Conditional {
		parts = append(parts, "needed and not known: "+strings.Join(r.Unmet, ", "))
	}
	for _, id := range a.AskCounsel {
		parts = append(parts, id+" is uncertain law: ask counsel")
	}
	parts = append(parts, a.Reasons...)
	if len(parts) == 0 {
		return "The answer is " + a.Answer + "."
	}
	return strings.Join(parts[:min(4, len(parts))], "; ") + "."
}
