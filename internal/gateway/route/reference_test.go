package route

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The reference finder: every path that the semantics block describes, by brute
// force over plain lists and maps, without any of the finder's shortcuts.

type refPath struct {
	ids    []string
	unmet  map[string]bool // facts, and one entry a hop for an unknown state
	unsure bool
}

type reference struct {
	law   Law
	q     Question
	yes   map[string]bool
	no    map[string]bool
	paths []refPath
}

func refer(law Law, q Question) (routes, conditional, ask []string) {
	r := &reference{law: law, q: q, yes: map[string]bool{}, no: map[string]bool{}}
	for _, f := range q.Facts {
		if n, ok := strings.CutPrefix(f, "not:"); ok {
			r.no[n] = true
		} else {
			r.yes[f] = true
		}
	}
	r.extend(q.From, q.Holds, nil, map[string]bool{}, false)
	var full, open, unsure []refPath
	for _, p := range r.paths {
		switch {
		case p.unsure && len(p.unmet) == 0:
			unsure = append(unsure, p)
		case !p.unsure && len(p.unmet) == 0:
			full = append(full, p)
		case !p.unsure && len(p.unmet) <= MaxUnmet:
			open = append(open, p)
		}
	}
	for _, p := range full {
		if !anyProperSubset(p, full) {
			routes = append(routes, strings.Join(p.ids, ">"))
		}
	}
	for _, p := range open {
		if !anyProperSubset(p, slices.Concat(full, open)) && !slices.ContainsFunc(full, func(o refPath) bool { return subset(o, p) }) {
			conditional = append(conditional, strings.Join(p.ids, ">"))
		}
	}
	for _, p := range unsure {
		if !anyProperSubset(p, slices.Concat(full, unsure)) {
			for _, id := range p.ids {
				if r.row(id).Status == Uncertain {
					ask = append(ask, id)
				}
			}
		}
	}
	return dedupe(routes), dedupe(conditional), dedupe(ask)
}

func dedupe(l []string) []string {
	slices.Sort(l)
	return slices.Compact(l)
}

func subset(a, b refPath) bool {
	return !slices.ContainsFunc(a.ids, func(id string) bool { return !slices.Contains(b.ids, id) })
}

func anyProperSubset(p refPath, all []refPath) bool {
	return slices.ContainsFunc(all, func(o refPath) bool { return subset(o, p) && !subset(p, o) })
}

func (r *reference) row(id string) Gateway {
	return r.law.Gateways[slices.IndexFunc(r.law.Gateways, func(g Gateway) bool { return g.ID == id })]
}

func (r *reference) extend(at string, held, ids []string, unmet map[string]bool, unsure bool) {
	if len(ids) > 0 && at == r.q.To && slices.Contains(held, r.q.Wants) {
		r.paths = append(r.paths, refPath{slices.Clone(ids), unmet, unsure})
	}
	if len(ids) == r.q.MaxHops {
		return
	}
	for _, g := range r.law.Gateways {
		if slices.Contains(ids, g.ID) || !slices.Contains(g.From, at) || !slices.Contains(g.Purposes, r.q.Purpose) || !r.dated(g) {
			continue
		}
		accepted := meet(g.Accepts, held)
		if len(accepted) == 0 || slices.ContainsFunc(g.Unless, func(f string) bool { return r.yes[f] }) {
			continue
		}
		need := map[string]bool{}
		for k := range unmet {
			need[k] = true
		}
		if g.Status != Uncertain {
			if slices.ContainsFunc(g.Needs, func(f string) bool { return r.no[f] }) {
				continue
			}
			for _, f := range g.Needs {
				if !r.yes[f] {
					need[f] = true
				}
			}
		}
		yields := g.Yields
		if yields == nil {
			yields = g.Accepts
		}
		delivered := meet(yields, accepted)
		for _, y := range yields {
			if !slices.Contains(g.Accepts, y) {
				delivered = append(delivered, y)
			}
		}
		for _, to := range g.To {
			r.arrive(g, at, to, delivered, ids, need, unsure || g.Status == Uncertain)
		}
	}
}

// arrive branches on whether this hop is the last: only then is the state of
// the recipient that of the question.
func (r *reference) arrive(g Gateway, at, to string, delivered, ids []string, need map[string]bool, unsure bool) {
	from := r.named(at)
	if len(ids) == 0 && r.q.FromIn != "" {
		from = r.q.FromIn
	}
	next := append(slices.Clone(ids), g.ID)
	for _, last := range []bool{true, false} {
		in := r.named(to)
		if last && r.q.ToIn != "" {
			in = r.q.ToIn
		}
		n := map[string]bool{}
		for k := range need {
			n[k] = true
		}
		if len(g.FromIn) > 0 {
			fits := slices.ContainsFunc(g.FromIn, func(s string) bool { return (from == "" || from == s) && (in == "" || in == s) })
			if !fits {
				continue
			}
			if from == "" || in == "" {
				n[fmt.Sprintf("state at hop %d", len(next))] = true
			}
		}
		if last {
			if to == r.q.To && slices.Contains(delivered, r.q.Wants) {
				r.paths = append(r.paths, refPath{next, n, unsure})
			}
		} else {
			keep := r.paths
			r.paths = nil
			r.extend(to, delivered, next, n, unsure)
			deeper := slices.DeleteFunc(r.paths, func(p refPath) bool { return len(p.ids) == len(next) })
			r.paths = append(keep, deeper...)
		}
	}
}

// named is the state that a body's own code names, where some row knows it.
func (r *reference) named(actor string) string {
	_, state, _ := strings.Cut(actor, ".")
	if !slices.ContainsFunc(r.law.Gateways, func(g Gateway) bool { return slices.Contains(g.FromIn, state) }) {
		return ""
	}
	return state
}

func (r *reference) dated(g Gateway) bool {
	if g.Status == Proposed || g.Status == NotCommenced {
		return false
	}
	return (g.ValidFrom == "" || g.ValidFrom <= r.q.AsOf) && (g.ValidTo == "" || r.q.AsOf <= g.ValidTo)
}

func meet(a, b []string) (out []string) {
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// Small random data sets: few codes, so that routes meet and contain each other.

var (
	someActors   = []string{"a", "b", "c.S1"}
	someData     = []string{"x", "y", "z"}
	somePurposes = []string{"p", "q"}
	someFacts    = []string{"f1", "f2", "f3", "f4", "f5"}
	someStates   = []string{"S1", "S2"}
	someDates    = []string{"", "", "", "", "", "", "", "", "2026-01-01", "2026-02-01", "2026-03-01"}
)

func meanings(codes []string) map[string]string {
	m := map[string]string{}
	for _, c := range codes {
		m[c] = "meaning of " + c
	}
	return m
}

func some(t *rapid.T, label string, from []string, least, most int) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), least, most, rapid.ID[string]).Draw(t, label)
}

func randomLaw(t *rapid.T) Law {
	law := Law{Version: "test", Review: "illustrative", Vocabulary: Vocabulary{Actors: meanings(someActors), Data: meanings(someData),
		Purposes: somePurposes, Facts: meanings(someFacts)}}
	n := rapid.IntRange(3, 9).Draw(t, "rows")
	for i := range n {
		g := Gateway{ID: fmt.Sprintf("G%d", i), Kind: KindDisclosure,
			Mode:      rapid.SampledFrom([]string{ModeMandatory, ModePermissive, ModeCompelled}).Draw(t, "mode"),
			Status:    rapid.SampledFrom([]string{InForce, InForce, InForce, InForce, InForce, InForce, InForce, Lapsed, Repealed, Uncertain, Uncertain, Proposed, NotCommenced}).Draw(t, "status"),
			ValidFrom: rapid.SampledFrom(someDates).Draw(t, "valid_from"), ValidTo: rapid.SampledFrom(someDates).Draw(t, "valid_to"),
			From: some(t, "from", someActors, 1, 2), To: some(t, "to", someActors, 1, 2),
			Accepts: some(t, "accepts", someData, 1, 3), Purposes: some(t, "purposes", somePurposes, 1, 2),
			Needs: some(t, "needs", someFacts, 0, 2), Unless: some(t, "unless", someFacts, 0, 1)}
		switch rapid.IntRange(0, 3).Draw(t, "yields") {
		case 0:
			g.Yields = some(t, "yields", someData, 1, 2)
		case 1, 2:
			g.Yields = g.Accepts
		}
		if rapid.IntRange(0, 4).Draw(t, "state row") == 0 {
			g.FromIn = some(t, "states", someStates, 1, 2)
			g.ToIn = g.FromIn
		}
		law.Gateways = append(law.Gateways, g)
	}
	return law
}

func randomQuestion(t *rapid.T) Question {
	q := Question{From: rapid.SampledFrom(someActors).Draw(t, "q.from"), To: rapid.SampledFrom(someActors).Draw(t, "q.to"),
		Holds: some(t, "q.holds", someData, 1, 3), Wants: rapid.SampledFrom(someData).Draw(t, "q.wants"),
		Purpose: rapid.SampledFrom(somePurposes).Draw(t, "q.purpose"),
		AsOf:    rapid.SampledFrom([]string{"2025-12-31", "2026-01-01", "2026-02-01", "2026-02-15", "2026-03-02"}).Draw(t, "q.as_of"),
		MaxHops: rapid.IntRange(1, 5).Draw(t, "q.hops")}
	for _, f := range someFacts {
		switch rapid.IntRange(0, 4).Draw(t, f) {
		case 0, 1:
			q.Facts = append(q.Facts, f)
		case 2:
			q.Facts = append(q.Facts, "not:"+f)
		}
	}
	if states := stateCodes(t); len(states) > 0 {
		q.FromIn, q.ToIn = states[0], states[1]
	}
	return q
}

func stateCodes(t *rapid.T) []string {
	pick := rapid.SampledFrom([]string{"", "S1", "S1", "S2"})
	return []string{pick.Draw(t, "from_in"), pick.Draw(t, "to_in")}
}
