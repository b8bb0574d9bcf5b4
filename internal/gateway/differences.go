package gateway

import (
	"fmt"
	"maps"
	"slices"

	"parallax/internal/gateway/card"
	"parallax/internal/gateway/permit"
	"parallax/internal/gateway/route"
)

// differences says in words what is not the same in two answers to one question:
// what a reader would have to act on otherwise.
func differences(was, now route.Answer) []string {
	var out []string
	if was.Answer != now.Answer {
		out = append(out, fmt.Sprintf("it was %q and is %q", card.Badge(was.Answer).Text, card.Badge(now.Answer).Text))
	}
	out = append(out, routesDiffer("route", was.Routes, now.Routes)...)
	out = append(out, routesDiffer("possible route", was.Conditional, now.Conditional)...)
	out = append(out, named("uncertain row", was.AskCounsel, now.AskCounsel)...)
	out = append(out, dutiesDiffer(was.Duties, now.Duties)...)
	out = append(out, named("warning", was.Prohibitions, now.Prohibitions)...)
	if out == nil {
		return []string{"its order or wording differs"}
	}
	return out
}

// named says which ids came and which went.
func named(what string, was, now []string) (out []string) {
	for _, id := range was {
		if !slices.Contains(now, id) {
			out = append(out, fmt.Sprintf("%s %s is gone", what, id))
		}
	}
	for _, id := range now {
		if !slices.Contains(was, id) {
			out = append(out, fmt.Sprintf("%s %s is new", what, id))
		}
	}
	return out
}

func routesDiffer(what string, was, now []route.Route) []string {
	ids := func(list []route.Route) (out []string) {
		for _, r := range list {
			out = append(out, permit.ID(r))
		}
		return out
	}
	out := named(what, ids(was), ids(now))
	for _, r := range now {
		i := slices.IndexFunc(was, func(o route.Route) bool { return permit.ID(o) == permit.ID(r) })
		if i < 0 {
			continue
		}
		out = append(out, named("for "+permit.ID(r)+" the fact", was[i].Unmet, r.Unmet)...)
		for k, h := range r.Hops {
			out = append(out, hopDiffers(was[i].Hops[k], h)...)
		}
	}
	return out
}

func hopDiffers(was, now route.Hop) (out []string) {
	if was.Conditions != now.Conditions {
		out = append(out, "the conditions of "+now.ID+" are other ones: "+now.Conditions)
	}
	out = append(out, obligationsDiffer(now.ID, was.Obligations, now.Obligations)...)
	if was.Mode != now.Mode || was.Kind != now.Kind || was.Confidence != now.Confidence {
		out = append(out, fmt.Sprintf("%s was %s, confidence %s, and is %s, confidence %s", now.ID, was.Mode, was.Confidence, now.Mode, now.Confidence))
	}
	if !slices.Equal(was.Passes, now.Passes) || was.From != now.From || was.To != now.To {
		out = append(out, "what "+now.ID+" passes, or to whom, is other")
	}
	return out
}

func obligationsDiffer(id string, was, now map[string]string) (out []string) {
	all := map[string]string{}
	maps.Copy(all, was)
	maps.Copy(all, now)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if was[k] != now[k] {
			out = append(out, fmt.Sprintf("the %s of %s was %q and is %q", card.Words(k), id, was[k], now[k]))
		}
	}
	return out
}

func dutiesDiffer(was, now []route.Duty) []string {
	ids := func(list []route.Duty) (out []string) {
		for _, d := range list {
			out = append(out, d.ID)
		}
		return out
	}
	out := named("duty", ids(was), ids(now))
	for _, d := range now {
		if i := slices.IndexFunc(was, func(o route.Duty) bool { return o.ID == d.ID }); i >= 0 {
			out = append(out, obligationsDiffer(d.ID, was[i].Obligations, d.Obligations)...)
		}
	}
	return out
}
