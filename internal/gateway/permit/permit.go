// Package permit turns an approved route into a Cedar policy and asks Cedar
// whether a flow may go. The policy is a permit whose id is the route's; there
// is nothing else that could allow the flow, so what no approved route covers is
// denied. Any error while a policy is evaluated denies too, whatever other
// policies say.
//
// A permit repeats what the finder decided on, so that the two can be compared:
// the two bodies and their states, what is wanted and what is held, the purpose,
// the dates between which all rows of the route are in force, the facts that
// must hold and those that must not.
package permit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"

	"parallax/internal/gateway/route"
)

const (
	bodyType  = "Parallax::Body"
	send      = "send"
	separator = ">"
)

// ID is the id of a route, and of the permit made from it.
func ID(r route.Route) string { return strings.Join(r.IDs, separator) }

// Set is the permits of a deployment. The zero Set denies everything.
type Set struct {
	policies *cedar.PolicySet
	ids      []string
}

// Add compiles a route that the finder returned for a question, and adds its
// permit. A route with anything unmet, or with a row that is not settled law,
// cannot be approved.
func (s *Set) Add(f *route.Finder, q route.Question, r route.Route) error {
	p, err := compile(f, q, r)
	if err != nil {
		return err
	}
	if s.policies == nil {
		s.policies = cedar.NewPolicySet()
	}
	id := ID(r)
	if !s.policies.Add(cedar.PolicyID(id), cedar.NewPolicyFromAST(p)) {
		return fmt.Errorf("a permit for %s is there already", id)
	}
	s.ids = append(s.ids, id)
	return nil
}

// IDs are the routes that have a permit, in the order in which they came.
func (s *Set) IDs() []string { return slices.Clone(s.ids) }

// Text is the permits in Cedar's own words, for a person to read.
func (s *Set) Text() string {
	if s.policies == nil {
		return ""
	}
	return string(s.policies.MarshalCedar())
}

// Decision is what Cedar says about a flow.
type Decision struct {
	Allow  bool
	Routes []string // the permits that allow it
	Errors []string // evaluation errors: with any of them the flow is denied
}

// Decide asks about the flow that a question describes.
func (s *Set) Decide(q route.Question) Decision {
	if s.policies == nil {
		return Decision{}
	}
	decision, why := cedar.Authorize(s.policies, cedar.EntityMap{}, request(q))
	out := Decision{Allow: decision == cedar.Allow && len(why.Errors) == 0}
	for _, e := range why.Errors {
		out.Errors = append(out.Errors, fmt.Sprintf("%s: %s", e.PolicyID, e.Message))
	}
	if out.Allow {
		for _, r := range why.Reasons {
			out.Routes = append(out.Routes, string(r.PolicyID))
		}
		slices.Sort(out.Routes)
	}
	return out
}

func compile(f *route.Finder, q route.Question, r route.Route) (*ast.Policy, error) {
	if len(r.Unmet) > 0 || len(r.IDs) == 0 {
		return nil, fmt.Errorf("route %s waits for %s; only a route without unmet facts can be approved", ID(r), strings.Join(r.Unmet, ", "))
	}
	var purposes, needs, unless []string
	from, to := "0000-00-00", "9999-99-99"
	state := false
	for i, id := range r.IDs {
		g, ok := f.Gateway(id)
		settled := g.Status == route.InForce || g.Status == route.Lapsed || g.Status == route.Repealed
		if !ok || !settled {
			return nil, fmt.Errorf("%s is no settled law of the data set", id)
		}
		if i == 0 {
			purposes = g.Purposes
		}
		purposes = slices.DeleteFunc(slices.Clone(purposes), func(p string) bool { return !slices.Contains(g.Purposes, p) })
		needs, unless = append(needs, g.Needs...), append(unless, g.Unless...)
		from = max(from, g.ValidFrom)
		if g.ValidTo != "" {
			to = min(to, g.ValidTo)
		}
		state = state || len(g.FromIn)+len(g.ToIn) > 0
	}
	context := ast.Context()
	when := context.Access("wants").Equal(ast.String(q.Wants)).
		And(texts(purposes).Contains(context.Access("purpose"))).
		And(context.Access("as_of").GreaterThanOrEqual(ast.Long(day(from)))).
		And(context.Access("as_of").LessThanOrEqual(ast.Long(day(to)))).
		And(context.Access("holds").ContainsAny(texts(f.Suffices(r, q.Wants)))).
		And(context.Access("facts").ContainsAll(texts(needs)))
	if len(unless) > 0 {
		when = when.And(ast.Not(context.Access("facts").ContainsAny(texts(unless))))
	}
	if state {
		when = when.And(context.Access("from_in").Equal(ast.String(q.FromIn))).And(context.Access("to_in").Equal(ast.String(q.ToIn)))
	}
	return ast.Permit().PrincipalEq(cedar.NewEntityUID(bodyType, cedar.String(q.From))).
		ActionEq(cedar.NewEntityUID("Parallax::Action", send)).
		ResourceEq(cedar.NewEntityUID(bodyType, cedar.String(q.To))).When(when), nil
}

func texts(list []string) ast.Node {
	nodes := make([]ast.Node, len(list))
	for i, s := range list {
		nodes[i] = ast.String(s)
	}
	return ast.Set(nodes...)
}

// day is a date as a number that compares as the date does.
func day(date string) int64 {
	var n int64
	for _, c := range date {
		if c != '-' {
			n = n*10 + int64(c-'0')
		}
	}
	return n
}

func request(q route.Question) cedar.Request {
	set := func(list []string) cedar.Set {
		values := make([]cedar.Value, len(list))
		for i, s := range list {
			values[i] = cedar.String(s)
		}
		return cedar.NewSet(values...)
	}
	hold := slices.DeleteFunc(slices.Clone(q.Facts), func(f string) bool { return strings.HasPrefix(f, "not:") })
	return cedar.Request{
		Principal: cedar.NewEntityUID(bodyType, cedar.String(q.From)),
		Action:    cedar.NewEntityUID("Parallax::Action", send),
		Resource:  cedar.NewEntityUID(bodyType, cedar.String(q.To)),
		Context: cedar.NewRecord(cedar.RecordMap{
			"wants": cedar.String(q.Wants), "purpose": cedar.String(q.Purpose), "as_of": cedar.Long(day(q.AsOf)),
			"holds": set(q.Holds), "facts": set(hold), "from_in": cedar.String(q.FromIn), "to_in": cedar.String(q.ToIn),
		}),
	}
}
