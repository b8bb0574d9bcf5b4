package leads

import (
	"slices"
	"sort"
	"time"

	"parallax/internal/pool"
	"parallax/opening"
	"parallax/seal"
)

// maxLabels is the most observations that one request may list.
const maxLabels = 1000

// formed is what a cluster gives under the rules: the observations that open.
type formed struct {
	labels     []seal.Label // sorted
	conditions []opening.Condition
	playbook   string
}

// A cluster is one group of the pool's index with its facts.
type cluster struct {
	list     []pool.Observed
	facts    []opening.Fact // all that count, by the same index as kept
	kept     []pool.Observed
	seasoned []opening.Fact // those logged for the delay
	at       map[seal.Label]int
}

// assess turns headers into facts: active members, tags that have not expired.
// Only what a witnessed checkpoint has covered for the manifest's delay may
// help an opening; what warns of a possible victim counts at once.
func assess(m opening.Manifest, list []pool.Observed, now time.Time) cluster {
	c := cluster{list: list, at: make(map[seal.Label]int)}
	delay := time.Duration(m.Delays.OpenSeconds) * time.Second
	for _, o := range list {
		member, ok := m.Member(o.Header.Organisation)
		f := o.Header.Fact(o.Label, m, now)
		if !ok || member.Status != opening.Active || member.Sector != o.Header.Sector || len(f.Tags) == 0 ||
			o.Header.Pool != m.Pool || o.Header.Epoch != m.Epoch {
			continue
		}
		c.at[o.Label] = len(c.facts)
		c.facts, c.kept = append(c.facts, f), append(c.kept, o)
		if !o.Logged.IsZero() && !now.Before(o.Logged.Add(delay)) {
			c.seasoned = append(c.seasoned, f)
		}
	}
	return c
}

// form applies to each observation of a cluster the rule that it was
// contributed under. It returns false where none opens.
func form(m opening.Manifest, c cluster, now time.Time) (formed, bool) {
	out := formed{playbook: opening.PlaybookStandard}
	for _, f := range c.seasoned {
		rule, ok := m.Rule(c.kept[c.at[seal.Label([]byte(f.ID))]].Header.Rule)
		if !ok {
			continue
		}
		d := opening.Decide(rule, f, c.seasoned, now)
		if !d.Open {
			continue
		}
		if c.childPossible(rule, f) {
			out.playbook = opening.PlaybookChildPossible
		}
		out.labels = append(out.labels, seal.Label([]byte(f.ID)))
		if out.conditions == nil || d.Conditions[0].Have > out.conditions[0].Have {
			out.conditions = d.Conditions
		}
	}
	sort.Slice(out.labels, func(i, j int) bool { return string(out.labels[i][:]) < string(out.labels[j][:]) })
	if len(out.labels) > maxLabels {
		out.labels = out.labels[:maxLabels]
	}
	return out, len(out.labels) > 0
}

// childPossible looks at everything linked, logged for the delay or not.
func (c cluster) childPossible(rule opening.Rule, f opening.Fact) bool {
	return slices.ContainsFunc(rule.Linked(f, c.facts), func(x opening.Fact) bool { return x.PossibleVictim })
}

// support gives the union of S(O) over the labels, sorted: what a bundle must
// show. It returns false where a label is not in the cluster.
func (c cluster) support(m opening.Manifest, labels []seal.Label) ([]seal.Label, bool) {
	set := make(map[seal.Label]bool)
	for _, l := range labels {
		i, ok := c.at[l]
		if !ok {
			return nil, false
		}
		rule, ok := m.Rule(c.kept[i].Header.Rule)
		if !ok {
			return nil, false
		}
		for _, f := range rule.Linked(c.facts[i], c.seasoned) {
			set[seal.Label([]byte(f.ID))] = true
		}
	}
	out := make([]seal.Label, 0, len(set))
	for l := range set {
		out = append(out, l)
	}
	sort.Slice(out, func(i, j int) bool { return string(out[i][:]) < string(out[j][:]) })
	return out, true
}

// covers reports that every label of small is in big.
func covers(big, small []seal.Label) bool {
	set := make(map[seal.Label]bool, len(big))
	for _, l := range big {
		set[l] = true
	}
	return !slices.ContainsFunc(small, func(l seal.Label) bool { return !set[l] })
}
