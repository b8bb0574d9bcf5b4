package route

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustFind(t rapid.TB, law Law, q Question) Answer {
	t.Helper()
	f, err := New(law)
	if err != nil {
		t.Fatal(err)
	}
	// A question may only name states that some row knows.
	if !slices.Contains(f.states, q.FromIn) {
		q.FromIn = ""
	}
	if !slices.Contains(f.states, q.ToIn) {
		q.ToIn = ""
	}
	a, err := f.Find(q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ids(routes []Route) []string {
	out := []string{}
	for _, r := range routes {
		out = append(out, strings.Join(r.IDs, ">"))
	}
	return out
}

func TestFinderAgreesWithBruteForce(t *testing.T) {
	kinds := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		law := randomLaw(t)
		for range 20 {
			q := randomQuestion(t)
			kinds[compare(t, law, q)]++
		}
	})
	t.Logf("answers compared: %v", kinds)
	for _, k := range []string{Yes, Conditional, AskCounsel, No} {
		if kinds[k] == 0 {
			t.Errorf("no random question was answered %q; the comparison is weaker than it looks: %v", k, kinds)
		}
	}
}

func compare(t *rapid.T, law Law, q Question) string {
	a := mustFind(t, law, q)
	states := []string{}
	for _, g := range law.Gateways {
		states = append(states, g.FromIn...)
	}
	if !slices.Contains(states, q.FromIn) {
		q.FromIn = ""
	}
	if !slices.Contains(states, q.ToIn) {
		q.ToIn = ""
	}
	routes, conditional, ask := refer(law, q)
	same := func(what string, want, got []string) {
		got = slices.Clone(got)
		slices.Sort(got)
		if len(want)+len(got) > 0 && !reflect.DeepEqual(want, got) {
			t.Fatalf("%s: brute force finds %v, the finder %v", what, want, got)
		}
	}
	same("routes", routes, ids(a.Routes))
	same("conditional", conditional, ids(a.Conditional))
	same("ask_counsel", ask, a.AskCounsel)
	return a.Answer
}

func TestRemovingAnyRowOfARouteRemovesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		law, q := randomLaw(t), randomQuestion(t)
		for _, r := range mustFind(t, law, q).Routes {
			for _, id := range r.IDs {
				less := law
				less.Gateways = slices.DeleteFunc(slices.Clone(law.Gateways), func(g Gateway) bool { return g.ID == id })
				if slices.Contains(ids(mustFind(t, less, q).Routes), strings.Join(r.IDs, ">")) {
					t.Fatalf("without %s the route %v is still returned", id, r.IDs)
				}
			}
		}
	})
}

func TestMoreFactsTakeNoRouteAwayUnlessTheRowSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		law, q := randomLaw(t), randomQuestion(t)
		before := mustFind(t, law, q)
		more := q
		more.Facts = slices.Clone(q.Facts)
		var added []string
		for _, f := range someFacts {
			known := slices.ContainsFunc(q.Facts, func(k string) bool { return strings.TrimPrefix(k, "not:") == f })
			if !known && rapid.Bool().Draw(t, "add "+f) {
				added = append(added, f)
			}
		}
		more.Facts = append(more.Facts, added...)
		after := ids(mustFind(t, law, more).Routes)
		for _, r := range before.Routes {
			switchedOff := slices.ContainsFunc(r.IDs, func(id string) bool {
				g := law.Gateways[slices.IndexFunc(law.Gateways, func(g Gateway) bool { return g.ID == id })]
				return slices.ContainsFunc(g.Unless, func(f string) bool { return slices.Contains(added, f) })
			})
			// With the state of a body unknown, fewer rows may come to suffice.
			contained := slices.ContainsFunc(after, func(o string) bool { return within(o, r.IDs) })
			if !switchedOff && !contained {
				t.Fatalf("with %v the route %v is gone: %v", added, r.IDs, after)
			}
		}
	})
}

func within(route string, ids []string) bool {
	return !slices.ContainsFunc(strings.Split(route, ">"), func(id string) bool { return !slices.Contains(ids, id) })
}

func TestHopsStayInsideDatesAndPassNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		law, q := randomLaw(t), randomQuestion(t)
		a := mustFind(t, law, q)
		for _, r := range slices.Concat(a.Routes, a.Conditional) {
			held, at := q.Holds, q.From
			for i, h := range r.Hops {
				g := law.Gateways[slices.IndexFunc(law.Gateways, func(g Gateway) bool { return g.ID == h.ID })]
				if g.ValidFrom > q.AsOf || g.ValidTo != "" && g.ValidTo < q.AsOf || g.Status == Proposed || g.Status == NotCommenced || g.Status == Uncertain {
					t.Fatalf("%s is used on %s", h.ID, q.AsOf)
				}
				if h.From != at || !slices.Contains(g.From, h.From) || !slices.Contains(g.To, h.To) {
					t.Fatalf("hop %d of %v does not start where the last one ended", i, r.IDs)
				}
				for _, p := range h.Passes {
					transform := slices.Contains(g.Yields, p) && !slices.Contains(g.Accepts, p)
					if !transform && !(slices.Contains(held, p) && slices.Contains(g.Accepts, p)) {
						t.Fatalf("hop %s delivers %s, which %s neither held nor makes", h.ID, p, h.From)
					}
				}
				held, at = h.Passes, h.To
			}
			if at != q.To || !slices.Contains(held, q.Wants) {
				t.Fatalf("route %v ends at %s with %v", r.IDs, at, held)
			}
		}
		if !slices.IsSortedFunc(a.Routes, func(x, y Route) int { return len(x.IDs) - len(y.IDs) }) {
			t.Fatal("routes are not ranked by hops")
		}
	})
}

func TestUncertainLawNeverPermits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		law, q := randomLaw(t), randomQuestion(t)
		for i := range law.Gateways {
			if rapid.Bool().Draw(t, "uncertain") {
				law.Gateways[i].Status = Uncertain
			}
		}
		a := mustFind(t, law, q)
		for _, r := range slices.Concat(a.Routes, a.Conditional) {
			for _, h := range r.Hops {
				if law.Gateways[slices.IndexFunc(law.Gateways, func(g Gateway) bool { return g.ID == h.ID })].Status == Uncertain {
					t.Fatalf("uncertain row %s is part of a route", h.ID)
				}
			}
		}
	})
}
