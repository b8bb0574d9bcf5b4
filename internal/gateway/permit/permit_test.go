package permit_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/permit"
	"parallax/internal/gateway/route"
)

func finder(t *testing.T) *route.Finder {
	t.Helper()
	f, err := law.BuiltInFinder()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// flows are pairs between which the data set knows many ways.
var flows = []route.Question{
	{From: "au.fsp", To: "au.police", Holds: []string{"transaction", "customer_identity", "account_id"}, Wants: "transaction", Purpose: "investigate"},
	{From: "au.fsp", To: "us.provider", Holds: []string{"transaction", "account_id"}, Wants: "demand", Purpose: "investigate"},
	{From: "au.fsp", To: "au.esafety", Holds: []string{"account_id"}, Wants: "austrac_info", Purpose: "protect_child"},
	{From: "us.provider", To: "au.police", Holds: []string{"url", "account_id", "comms_content"}, Wants: "account_id", Purpose: "investigate"},
	{From: "uk.provider", To: "uk.nca", Holds: []string{"url", "hash"}, Wants: "url", Purpose: "detect"},
	{From: "eu.nics", To: "us.ncmec", Holds: []string{"hash", "url"}, Wants: "hash", Purpose: "detect"},
	{From: "au.ngo", To: "au.police", Holds: []string{"victim_info", "url"}, Wants: "url", Purpose: "protect_child"},
	{From: "au.prescribed", To: "au.police", FromIn: "AU-NSW", ToIn: "AU-NSW", Holds: []string{"wellbeing_info"}, Wants: "wellbeing_info", Purpose: "protect_child"},
	{From: "au.fsp", To: "plx.pool", Holds: []string{"token"}, Wants: "token", Purpose: "detect"},
	{From: "au.police", To: "au.court", Holds: []string{"austrac_info", "transaction"}, Wants: "transaction", Purpose: "prosecute"},
}

var days = []string{"2007-01-01", "2021-08-02", "2024-06-01", "2026-04-03", "2026-04-04", "2026-11-23"}

// TestFinderAndCedarAgree compares them on 100,000 random sets of facts.
func TestFinderAndCedarAgree(t *testing.T) {
	f := finder(t)
	facts := make([]string, 0, 50)
	unless := map[string]bool{}
	for _, g := range f.Law().Gateways {
		for _, u := range g.Unless {
			unless[u] = true
		}
	}
	for name := range f.Law().Vocabulary.Facts {
		facts = append(facts, name)
	}
	slices.Sort(facts)
	random := rand.New(rand.NewPCG(1, 2))
	const rounds = 100_000
	allowed := 0
	per := rounds / len(flows)
	for _, flow := range flows {
		// Everything that could be approved: with all facts known to hold but
		// those that switch rows off, no minimal route is left out.
		var permits permit.Set
		q := flow
		for _, n := range facts {
			if !unless[n] {
				q.Facts = append(q.Facts, n)
			}
		}
		relevant := map[string]bool{}
		for _, q.AsOf = range days {
			a, err := f.Find(q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range a.Routes {
				for _, id := range r.IDs {
					g, _ := f.Gateway(id)
					for _, n := range append(g.Needs, g.Unless...) {
						relevant[n] = true
					}
				}
				if !slices.Contains(permits.IDs(), permit.ID(r)) {
					if err := permits.Add(f, q, r); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for range per {
			ask := flow
			ask.AsOf = days[random.IntN(len(days))]
			ask.Facts = nil
			for _, n := range facts {
				odds := 5
				if relevant[n] {
					odds = 2
				}
				switch {
				case random.IntN(odds) == 0:
					ask.Facts = append(ask.Facts, n)
				case random.IntN(4) == 0:
					ask.Facts = append(ask.Facts, "not:"+n)
				}
			}
			a, err := f.Decide(ask)
			if err != nil {
				t.Fatal(err)
			}
			d := permits.Decide(ask)
			if d.Allow != (a.Answer == route.Yes) || len(d.Errors) > 0 {
				t.Fatalf("%s -> %s on %s with %v: the finder says %s %v, Cedar %+v", ask.From, ask.To, ask.AsOf, ask.Facts, a.Answer, a.Routes, d)
			}
			for _, r := range a.Routes {
				if !slices.Contains(d.Routes, permit.ID(r)) {
					t.Fatalf("the finder returns %s, Cedar allows by %v", permit.ID(r), d.Routes)
				}
			}
			if d.Allow {
				allowed++
			}
		}
	}
	t.Logf("%d of %d questions allowed", allowed, rounds)
	if allowed < rounds/20 || allowed > rounds*19/20 {
		t.Errorf("%d of %d allowed: the comparison is weaker than it looks", allowed, rounds)
	}
}

func approved(t *testing.T) (*permit.Set, route.Question) {
	t.Helper()
	f := finder(t)
	q := flows[0]
	q.AsOf, q.Facts = "2026-11-23", []string{"reasonable_belief_enforcement"}
	a, err := f.Find(q)
	if err != nil || len(a.Routes) == 0 {
		t.Fatal(err, a.Answer)
	}
	var s permit.Set
	if err := s.Add(f, q, a.Routes[0]); err != nil {
		t.Fatal(err)
	}
	return &s, q
}

func TestEveryEvaluationErrorDenies(t *testing.T) {
	for name, bad := range map[string]*ast.Policy{
		"a permit that fails": ast.Permit().When(ast.Context().Access("missing").Equal(ast.True())),
		"a forbid that fails": ast.Forbid().When(ast.Context().Access("missing").Equal(ast.True())),
		"a type error":        ast.Forbid().When(ast.Context().Access("as_of").Contains(ast.True())),
	} {
		t.Run(name, func(t *testing.T) {
			s, q := approved(t)
			if !s.Decide(q).Allow {
				t.Fatal("the approved flow is denied before")
			}
			s.Policies().Add("bad", cedar.NewPolicyFromAST(bad))
			if d := s.Decide(q); d.Allow || len(d.Errors) == 0 || len(d.Routes) > 0 {
				t.Errorf("with an error the flow is %+v", d)
			}
		})
	}
}

func TestNothingButTheApprovedFlowIsAllowed(t *testing.T) {
	s, good := approved(t)
	for name, change := range map[string]func(*route.Question){
		"giver":      func(q *route.Question) { q.From = "au.ngo" },
		"recipient":  func(q *route.Question) { q.To = "au.fiu" },
		"category":   func(q *route.Question) { q.Wants = "customer_identity" },
		"purpose":    func(q *route.Question) { q.Purpose = "aware" },
		"day before": func(q *route.Question) { q.AsOf = "2014-03-11" },
		"no fact":    func(q *route.Question) { q.Facts = nil },
		"denied":     func(q *route.Question) { q.Facts = []string{"not:reasonable_belief_enforcement"} },
		"not held":   func(q *route.Question) { q.Holds = []string{"typology"} },
	} {
		q := good
		change(&q)
		if s.Decide(q).Allow {
			t.Errorf("another %s is allowed", name)
		}
	}
	if (&permit.Set{}).Decide(good).Allow {
		t.Error("a deployment without permits allows")
	}
	if !strings.Contains(s.Text(), "permit") || !slices.Equal(s.Decide(good).Routes, []string{"AU-PRIV-APP62E"}) {
		t.Error(s.Text())
	}
}

func TestOnlySettledRoutesWithoutUnmetFactsCompile(t *testing.T) {
	f := finder(t)
	q := route.Question{From: "au.fsp", To: "plx.pool", Holds: []string{"token"}, Wants: "token", Purpose: "detect", AsOf: "2026-11-23"}
	var s permit.Set
	if err := s.Add(f, q, route.Route{IDs: []string{"AU-POOL-AGENT"}}); err == nil {
		t.Error("uncertain law was compiled")
	}
	if err := s.Add(f, q, route.Route{IDs: []string{"AU-PRIV-APP62E"}, Unmet: []string{"warrant"}}); err == nil {
		t.Error("an unmet route was compiled")
	}
	if err := s.Add(f, q, route.Route{}); err == nil {
		t.Error("an empty route was compiled")
	}
}
