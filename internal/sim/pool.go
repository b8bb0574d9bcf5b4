package sim

import (
	"time"

	"parallax/opening"
)

// A pool is a set of observations with an index of who shares a person tag.
type pool struct {
	entries []entry
	byTag   map[string][]int
}

func newPool(entries []entry) *pool {
	p := &pool{entries: entries, byTag: make(map[string][]int)}
	for i, e := range entries {
		seen := make(map[string]bool)
		for _, t := range e.fact.Tags {
			if t.Person && !seen[t.Tag] {
				seen[t.Tag] = true
				p.byTag[t.Tag] = append(p.byTag[t.Tag], i)
			}
		}
	}
	return p
}

// near gives everything that shares a person tag with observation i. That is
// enough for the rule: it counts a tag's frequency over what it is given, and
// every holder of a tag of i is given.
func (p *pool) near(i int) []int {
	seen := map[int]bool{i: true}
	var out []int
	for _, t := range p.entries[i].fact.Tags {
		if !t.Person {
			continue
		}
		for _, j := range p.byTag[t.Tag] {
			if !seen[j] {
				seen[j] = true
				out = append(out, j)
			}
		}
	}
	return out
}

func (p *pool) facts(index []int) []opening.Fact {
	out := make([]opening.Fact, len(index))
	for k, i := range index {
		out[k] = p.entries[i].fact
	}
	return out
}

// scoreTime is when the rule is applied: after everything was submitted.
var scoreTime = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// open lists the observations that the rule opens over what is directly linked.
func (p *pool) open(rule opening.Rule) []int {
	var out []int
	for i, e := range p.entries {
		near := p.near(i)
		if len(near)+1 < rule.MinEntities {
			continue
		}
		if opening.Decide(rule, e.fact, p.facts(near), scoreTime).Open {
			out = append(out, i)
		}
	}
	return out
}

func (p *pool) subjects(index []int) map[string]bool {
	out := make(map[string]bool)
	for _, i := range index {
		out[p.entries[i].subject] = true
	}
	return out
}

// clusters joins observations over shared person tags within the frequency cap.
func (p *pool) clusters(rule opening.Rule) []int {
	root := make([]int, len(p.entries))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for i, e := range p.entries {
		for _, t := range e.fact.Tags {
			if same := p.byTag[t.Tag]; t.Person && len(same) <= rule.FrequencyCap {
				a, b := find(i), find(same[0])
				root[max(a, b)] = min(a, b)
			}
		}
	}
	for i := range root {
		root[i] = find(i)
	}
	return root
}

// groups counts the clusters in which something opens.
func (p *pool) groups(rule opening.Rule, open []int) int {
	root, seen := p.clusters(rule), make(map[int]bool)
	for _, i := range open {
		seen[root[i]] = true
	}
	return len(seen)
}

// openClosure opens every observation of a cluster over which the rule holds.
// One tag that all of the cluster share stands for the closure; the real tags
// stay, so that the non-payment condition is judged on those of the cluster.
func (p *pool) openClosure(rule opening.Rule) []int {
	root := p.clusters(rule)
	members := make(map[int][]int)
	for i, r := range root {
		members[r] = append(members[r], i)
	}
	var out []int
	for r := range p.entries {
		if len(members[r]) < rule.MinEntities {
			continue
		}
		if clusterOpens(rule, p.facts(members[r])) {
			out = append(out, members[r]...)
		}
	}
	return out
}

// clusterOpens: the rule holds over a whole cluster if it holds over any
// observation to which all others are tied.
func clusterOpens(rule opening.Rule, facts []opening.Fact) bool {
	rule.FrequencyCap = len(facts) + 1
	tie := opening.FactTag{Tag: "closure", Person: true, Payment: true}
	tied := make([]opening.Fact, len(facts))
	for i, f := range facts {
		tied[i] = f
		tied[i].Tags = append([]opening.FactTag{tie}, f.Tags...)
	}
	for i := range tied {
		if opening.Decide(rule, tied[i], tied, scoreTime).Open {
			return true
		}
	}
	return false
}

// perfect opens with the truth as the link: every row on a subject is linked,
// by an identifier that is not a payment identifier.
func perfect(entries []entry, rule opening.Rule) map[string]bool {
	linked := make(map[string][]opening.Fact)
	for _, e := range entries {
		f := e.fact
		f.Tags = []opening.FactTag{{Tag: e.subject, Person: true}}
		linked[e.subject] = append(linked[e.subject], f)
	}
	out := make(map[string]bool)
	for subject, facts := range linked {
		rule.FrequencyCap = len(facts) + 1
		if opening.Decide(rule, facts[0], facts, scoreTime).Open {
			out[subject] = true
		}
	}
	return out
}

func ownOnly(entries []entry, rule opening.Rule) map[string]bool {
	var own []entry
	for _, e := range entries {
		if !e.refer {
			own = append(own, e)
		}
	}
	p := newPool(own)
	return p.subjects(p.open(rule))
}

// medianDays walks each found actor's observations forward in time and takes
// the first day on which one of them opens.
func (p *pool) medianDays(rule opening.Rule, open []int, actors map[string]bool) float64 {
	first, lead := make(map[string]time.Time), make(map[string]time.Time)
	for _, e := range p.entries {
		if t, ok := first[e.subject]; !ok || e.noticed.Before(t) {
			first[e.subject] = e.noticed
		}
	}
	for _, i := range open {
		subject := p.entries[i].subject
		at, ok := p.opensAt(rule, i)
		if before, had := lead[subject]; ok && actors[subject] && (!had || at.Before(before)) {
			lead[subject] = at
		}
	}
	var days []float64
	for subject, at := range lead {
		days = append(days, at.Sub(first[subject]).Hours()/24)
	}
	return median(days)
}

// opensAt is the first day on which observation i opens over what had been
// submitted by then.
func (p *pool) opensAt(rule opening.Rule, i int) (time.Time, bool) {
	near := p.near(i)
	var best time.Time
	found := false
	for _, k := range append([]int{i}, near...) {
		day := p.entries[k].submit
		if day.Before(p.entries[i].submit) || found && !day.Before(best) {
			continue
		}
		var there []int
		for _, j := range near {
			if !p.entries[j].submit.After(day) {
				there = append(there, j)
			}
		}
		if opening.Decide(rule, p.entries[i].fact, p.facts(there), scoreTime).Open {
			best, found = day, true
		}
	}
	return best, found
}
