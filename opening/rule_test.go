package opening

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var ruleNow = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// contributor is one observation in the terms of the exhaustive test.
type contributor struct {
	entity, sector, weight int
	payment                bool
}

func (c contributor) fact(i int) Fact {
	f := Fact{ID: fmt.Sprint(i), Entity: fmt.Sprint("e", c.entity), Sector: fmt.Sprint("s", c.sector),
		Kind: "payment", Strength: max(c.weight, 1), Unreliable: c.weight == 0,
		Admitted: ruleNow.AddDate(0, 0, -120),
		Tags:     []FactTag{{Tag: "pay", Person: true, Payment: true}}}
	if !c.payment {
		f.Kind = "account"
		f.Tags = append(f.Tags, FactTag{Tag: "other", Person: true})
	}
	return f
}

// reference is the default rule again, written from its description alone:
// contributors all share one payment identifier, those not marked payment
// another identifier too; the first is the one to open.
func reference(cs []contributor) bool {
	best := map[int]int{}
	sectors, kinds := map[int]bool{}, map[bool]bool{}
	shared := false
	for _, c := range cs {
		if c.weight > 0 {
			best[c.entity] = max(best[c.entity], c.weight)
			sectors[c.sector], kinds[c.payment] = true, true
			shared = shared || (!c.payment && !cs[0].payment && c.entity != cs[0].entity)
		}
	}
	sum := 0
	for _, w := range best {
		sum += min(3, w)
	}
	return sum >= 5 && len(best) >= 3 && len(sectors) >= 2 && len(kinds) >= 2 && shared
}

func compare(t *testing.T, cs []contributor) {
	t.Helper()
	facts := make([]Fact, len(cs))
	for i, c := range cs {
		facts[i] = c.fact(i)
	}
	got := Decide(DefaultRule(), facts[0], facts[1:], ruleNow)
	if got.Open != reference(cs) {
		t.Fatalf("rule says %v, reference %v for %+v: %+v", got.Open, !got.Open, cs, got.Conditions)
	}
}

// entityStates lists, for one entity, every set of contributors that the rule
// can tell apart: each sector may hold a payment and an other observation, and
// within an entity only the highest weight counts.
func entityStates(entity int) [][]contributor {
	states := [][]contributor{nil, {{entity: entity, weight: 0}}}
	for weight := 1; weight <= 3; weight++ {
		for mask := 1; mask < 27; mask++ { // per sector: none, payment, other
			var cs []contributor
			for sector, m := 0, mask; sector < 3; sector, m = sector+1, m/3 {
				if m%3 > 0 {
					w := 1
					if len(cs) == 0 {
						w = weight
					}
					cs = append(cs, contributor{entity, sector, w, m%3 == 1})
				}
			}
			states = append(states, cs)
		}
	}
	return states
}

// Every set of up to 8 contributors over 4 entities, 3 sectors, payment or
// other and weights 0 to 3 is equivalent to one of these up to the order of
// entities; which contributor is the one to open rotates from set to set.
func TestRuleAgainstReferenceExhaustive(t *testing.T) {
	var states [4][][]contributor
	for e := range states {
		states[e] = entityStates(e)
	}
	n, checked := len(states[0]), 0
	for a := 0; a < n; a++ {
		for b := a; b < n; b++ {
			for c := b; c < n; c++ {
				step := 1
				if testing.Short() {
					step = 7
				}
				for d := c; d < n; d += step {
					var cs []contributor
					for e, i := range [4]int{a, b, c, d} {
						cs = append(cs, states[e][i]...)
					}
					if len(cs) == 0 || len(cs) > 8 {
						continue
					}
					first := checked % len(cs)
					cs[0], cs[first] = cs[first], cs[0]
					compare(t, cs)
					checked++
				}
			}
		}
	}
	t.Logf("%d sets compared", checked)
}

func TestRuleAgainstReferenceRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		cs := make([]contributor, 1+rng.IntN(12))
		for i := range cs {
			cs[i] = contributor{rng.IntN(4), rng.IntN(3), rng.IntN(4), rng.IntN(2) == 0}
		}
		compare(t, cs)
	}
}

func TestRuleTellsWhy(t *testing.T) {
	base := []contributor{{0, 0, 2, false}, {1, 1, 2, true}, {2, 1, 1, false}}
	change := func(f func(facts []Fact)) Decision {
		var facts []Fact
		for i, c := range base {
			facts = append(facts, c.fact(i))
		}
		f(facts)
		return Decide(DefaultRule(), facts[0], facts[1:], ruleNow)
	}
	if d := change(func([]Fact) {}); !d.Open {
		t.Fatalf("the base case must open: %+v", d)
	}
	for name, f := range map[string]func([]Fact){
		"an unreliable source weighs nothing":      func(f []Fact) { f[1].Unreliable = true },
		"a possible victim weighs nothing":         func(f []Fact) { f[1].PossibleVictim = true },
		"a newly admitted entity weighs nothing":   func(f []Fact) { f[2].Admitted = ruleNow.AddDate(0, 0, -89) },
		"an unregistered entity weighs nothing":    func(f []Fact) { f[2].Admitted = time.Time{} },
		"object tags do not link":                  func(f []Fact) { f[2].Tags = []FactTag{{Tag: "other"}, {Tag: "pay"}} },
		"two entities are not three":               func(f []Fact) { f[2].Entity = f[1].Entity },
		"one sector is not two":                    func(f []Fact) { f[1].Sector, f[2].Sector = f[0].Sector, f[0].Sector },
		"payment identifiers alone do not open":    func(f []Fact) { f[2].Tags = f[2].Tags[:1] },
		"only a shared other identifier counts":    func(f []Fact) { f[2].Tags[1].Tag = "something else" },
		"a strength outside 1 to 3 weighs nothing": func(f []Fact) { f[1].Strength = 9 },
	} {
		if d := change(f); d.Open {
			t.Errorf("%s: it opened all the same", name)
		}
	}
	if d := change(func(f []Fact) { f[1].PossibleVictim = true }); !d.ChildPossible {
		t.Error("a possible victim must switch the playbook")
	}
}

func TestFrequencyCapLinksNothing(t *testing.T) {
	var facts []Fact
	for i := range 26 {
		facts = append(facts, contributor{i % 4, i % 3, 3, i%2 == 0}.fact(i))
	}
	if d := Decide(DefaultRule(), facts[1], append(facts[:1:1], facts[2:]...), ruleNow); d.Open {
		t.Fatal("a tag in 26 observations must link nothing")
	}
	if d := Decide(DefaultRule(), facts[1], append(facts[:1:1], facts[2:25]...), ruleNow); !d.Open {
		t.Fatal("a tag in 25 observations links")
	}
}

func TestRuleCheckAndHash(t *testing.T) {
	if err := DefaultRule().Check(); err != nil {
		t.Fatal(err)
	}
	r := DefaultRule()
	r.MinEntities = 1
	if r.Check() == nil {
		t.Error("a rule that opens on one organisation must be refused")
	}
	if r.Hash() == DefaultRule().Hash() {
		t.Error("rules that differ must have different hashes")
	}
}
