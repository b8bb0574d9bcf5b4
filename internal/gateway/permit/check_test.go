package permit_test

import (
	"slices"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/internal/gateway/permit"
	"parallax/internal/gateway/route"
)

// small is a data set of few rows, made for one test.
func small(t *testing.T, rows ...route.Gateway) *route.Finder {
	t.Helper()
	for i := range rows {
		g := &rows[i]
		g.Kind, g.Mode, g.Accepts, g.Purposes = route.KindDisclosure, route.ModePermissive, []string{"url"}, []string{"detect"}
		if g.Status == "" {
			g.Status = route.InForce
		}
	}
	f, err := route.New(route.Law{Version: "small", Review: "illustrative", Gateways: rows, Vocabulary: route.Vocabulary{
		Actors: map[string]string{"a": "giver", "b": "between", "c": "recipient"}, Data: map[string]string{"url": "location"}, Purposes: []string{"detect"},
		Facts: map[string]string{"warrant": "one was issued", "refusal": "somebody refused"}}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func row(id, from, to string, in ...string) route.Gateway {
	return route.Gateway{ID: id, From: []string{from}, To: []string{to}, FromIn: in, ToIn: in}
}

func asks(to string) route.Question {
	return route.Question{From: "a", To: to, Holds: []string{"url"}, Wants: "url", Purpose: "detect", AsOf: "2026-11-23"}
}

// TestCheckAsksBoth: an approved route is let go where finder and Cedar say so, and
// refused with what changed where it is none any more.
func TestCheckAsksBoth(t *testing.T) {
	gated := row("GATED", "a", "b")
	gated.Needs, gated.Unless = []string{"warrant"}, []string{"refusal"}
	open := row("OPEN", "a", "b")
	f := small(t, gated, open)
	q := asks("b")
	r, err := permit.Check(f, q, []string{"OPEN"})
	if err != nil || !slices.Equal(r.IDs, []string{"OPEN"}) {
		t.Fatal(r, err)
	}
	holds, refusal, unreadable := q, q, q
	holds.Facts = []string{"warrant"}
	refusal.Facts = []string{"warrant", "refusal"}
	unreadable.Facts = []string{"warant"}
	if _, err := permit.Check(f, holds, []string{"GATED"}); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		q        route.Question
		approved []string
		says     string
	}{
		"a fact that is not known":   {q, []string{"GATED"}, "needed and not known: warrant"},
		"a fact that switches off":   {refusal, []string{"GATED"}, "GATED is switched off because refusal holds"},
		"a route that is none":       {holds, []string{"OPEN", "GATED"}, "OPEN then GATED is no lawful route on 2026-11-23 under data small. The answer is yes."},
		"no route":                   {q, nil, "is no lawful route"},
		"a question nobody can read": {unreadable, []string{"OPEN"}, "the question cannot be asked of this data"},
	} {
		_, err := permit.Check(f, c.q, c.approved)
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.Sentence(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRepealedLawCompilesWithinItsDates: the permit ends with the row.
func TestRepealedLawCompilesWithinItsDates(t *testing.T) {
	old := row("OLD", "a", "b")
	old.Status, old.ValidTo = route.Repealed, "2026-11-23"
	f := small(t, old)
	q := asks("b")
	if _, err := permit.Check(f, q, []string{"OLD"}); err != nil {
		t.Error("on its last day", err)
	}
	var s permit.Set
	if err := s.Add(f, q, route.Route{IDs: []string{"OLD"}}); err != nil {
		t.Fatal(err)
	}
	q.AsOf = "2026-11-24"
	if s.Decide(q).Allow {
		t.Error("the permit outlives the row")
	}
}

// TestStatesAreInThePermit: where any row of a route is one state's, the permit is
// for the two bodies in the states for which it was asked; where none is, the
// states do not matter.
func TestStatesAreInThePermit(t *testing.T) {
	compile := func(rows ...route.Gateway) (permit.Set, route.Question) {
		var s permit.Set
		f := small(t, rows...)
		q := asks("c")
		var ids []string
		for _, g := range rows {
			ids = append(ids, g.ID)
		}
		if f.States() != nil {
			q.FromIn, q.ToIn = "AU-NSW", "AU-NSW"
		}
		if err := s.Add(f, q, route.Route{IDs: ids}); err != nil {
			t.Fatal(err)
		}
		return s, q
	}
	free, state := row("FREE", "a", "b"), row("STATE", "a", "b", "AU-NSW")
	freeOn, stateOn := row("FREE-ON", "b", "c"), row("STATE-ON", "b", "c", "AU-NSW")
	for name, c := range map[string]struct {
		rows    []route.Gateway
		matters bool
	}{
		"no state row":    {[]route.Gateway{free, freeOn}, false},
		"the first hop":   {[]route.Gateway{state, freeOn}, true},
		"the last hop":    {[]route.Gateway{free, stateOn}, true},
		"the same, alone": {[]route.Gateway{row("DIRECT", "a", "c", "AU-NSW")}, true},
	} {
		s, q := compile(c.rows...)
		if !s.Decide(q).Allow {
			t.Errorf("%s: what was approved is denied", name)
		}
		for _, elsewhere := range [][2]string{{"AU-VIC", "AU-NSW"}, {"AU-NSW", "AU-VIC"}, {"AU-VIC", "AU-VIC"}} {
			o := q
			o.FromIn, o.ToIn = elsewhere[0], elsewhere[1]
			if s.Decide(o).Allow == c.matters {
				t.Errorf("%s: from %s to %s", name, o.FromIn, o.ToIn)
			}
		}
	}
}
