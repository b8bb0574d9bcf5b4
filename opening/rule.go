package opening

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"parallax/signed"
)

// A Rule is an opening rule: the least evidence that opens an observation.
// Its hash is signed into every observation, so that a later rule never binds
// an earlier observation.
type Rule struct {
	Version int `json:"version"`
	// MinWeight is the least sum over controlling entities of the entity weight.
	MinWeight int `json:"min_weight"`
	// MinEntities, MinSectors and MinKinds count distinct controlling entities,
	// sectors and evidence kinds among observations of positive weight.
	MinEntities int `json:"min_entities"`
	MinSectors  int `json:"min_sectors"`
	MinKinds    int `json:"min_kinds"`
	// EntityCap bounds what one controlling entity can add to the sum.
	EntityCap int `json:"entity_cap"`
	// NonPayment requires a shared tag of a class that is not a payment class:
	// payment identifiers alone never meet a threshold.
	NonPayment bool `json:"non_payment"`
	// AdmittedDays is how long an entity must have been admitted before its
	// observations carry weight.
	AdmittedDays int `json:"admitted_days"`
	// FrequencyCap: a tag in more observations than this links nothing. It is
	// quality control against shared values, not security.
	FrequencyCap int `json:"frequency_cap"`
}

// DefaultRule is the rule that Parallax ships with: five points from three
// controlling entities in two sectors, two kinds of evidence, and at least one
// shared identifier that is not a payment identifier.
func DefaultRule() Rule {
	return Rule{Version: 1, MinWeight: 5, MinEntities: 3, MinSectors: 2, MinKinds: 2,
		EntityCap: 3, NonPayment: true, AdmittedDays: 90, FrequencyCap: 25}
}

// Hash identifies the rule: SHA-256 over a domain and its canonical bytes.
func (r Rule) Hash() Hash {
	raw, err := signed.Marshal(r)
	if err != nil { // a struct of integers and a bool always marshals
		panic("opening: rule cannot be encoded: " + err.Error())
	}
	return sha256.Sum256(append([]byte("parallax/rule/v1\x00"), raw...))
}

// Check refuses a rule that would open on a single source.
func (r Rule) Check() error {
	switch {
	case r.Version < 1:
		return fmt.Errorf("opening rule: version %d is below 1", r.Version)
	case r.MinEntities < 2:
		return fmt.Errorf("opening rule: min_entities %d is below 2: one organisation alone must never open a lead", r.MinEntities)
	case r.MinWeight < 1 || r.EntityCap < 1 || r.MinSectors < 1 || r.MinKinds < 1:
		return fmt.Errorf("opening rule: weights, sectors, kinds and the entity cap must be at least 1")
	case r.FrequencyCap < 2:
		return fmt.Errorf("opening rule: frequency_cap %d is below 2", r.FrequencyCap)
	}
	return nil
}

// A FactTag is a tag as the rule sees it: an opaque comparable value and what
// its class is.
type FactTag struct {
	Tag     string // opaque; equal tags mean equal selectors
	Person  bool   // person classes link; object classes never do
	Payment bool
}

// A Fact is one verified observation as the rule sees it.
type Fact struct {
	ID       string // label; only used to keep observations apart
	Entity   string // controlling entity of the contributor
	Sector   string
	Kind     string // evidence kind
	Strength int    // 1..3
	// Unreliable: graded as coming from an unreliable source.
	Unreliable bool
	// PossibleVictim: the subject may be a child; weighs 0 and switches the playbook.
	PossibleVictim bool
	Admitted       time.Time // of the entity's earliest admitted member
	Tags           []FactTag
}

// Weight is the evidence weight of one observation at a time: its strength, or
// 0 where the source is unreliable, the entity too new or the subject possibly
// a victim.
func (r Rule) Weight(f Fact, now time.Time) int {
	if f.Unreliable || f.PossibleVictim || f.Strength < 1 || f.Strength > 3 {
		return 0
	}
	if f.Admitted.IsZero() || now.Before(f.Admitted.AddDate(0, 0, r.AdmittedDays)) {
		return 0
	}
	return f.Strength
}

// A Condition is one line of a decision, in words that a person can read.
type Condition struct {
	Name string `json:"name"`
	Met  bool   `json:"met"`
	Have int    `json:"have"`
	Need int    `json:"need"`
}

// A Decision is the outcome of the rule for one observation, with its reasons.
type Decision struct {
	Open       bool        `json:"open"`
	Conditions []Condition `json:"conditions"`
	// ChildPossible: some linked observation says that the subject may be a
	// child. The lead opens only on the playbook "could this be a child?".
	ChildPossible bool `json:"child_possible"`
}

// Linked returns S(o): o and those of others that directly share a person tag
// with it, a tag in more than FrequencyCap observations linking nothing.
// The frequency is counted over o and others. An observation has few tags and
// others may be many, so o's are looked for in each, without a table of all.
func (r Rule) Linked(o Fact, others []Fact) []Fact {
	own := make([]string, 0, MaxTags)
	for _, t := range o.Tags {
		if t.Person && !slices.Contains(own, t.Tag) {
			own = append(own, t.Tag)
		}
	}
	count := make([]int, len(own))
	for _, f := range others {
		if f.ID == o.ID {
			continue
		}
		for i, tag := range own {
			if f.hasPerson(tag) {
				count[i]++
			}
		}
	}
	links := own[:0]
	for i, tag := range own {
		if count[i]+1 <= r.FrequencyCap { // o itself is one more
			links = append(links, tag)
		}
	}
	set := append(make([]Fact, 0, min(1+len(others), 16)), o)
	for _, f := range others {
		if f.ID != o.ID && slices.ContainsFunc(links, f.hasPerson) {
			set = append(set, f)
		}
	}
	return set
}

func (f Fact) hasPerson(tag string) bool {
	for _, t := range f.Tags {
		if t.Person && t.Tag == tag {
			return true
		}
	}
	return false
}

// Decide applies the rule to observation o among others: it opens only if the
// rule holds over S(o). Pure: same facts and time, same decision.
func Decide(r Rule, o Fact, others []Fact, now time.Time) Decision {
	return decideOver(r, o, r.Linked(o, others), now)
}

func decideOver(r Rule, o Fact, set []Fact, now time.Time) Decision {
	entities, sectors, kinds := make([]string, 0, 8), make([]string, 0, 8), make([]string, 0, 8)
	best := make([]int, 0, 8) // by entity
	var d Decision
	for _, f := range set {
		d.ChildPossible = d.ChildPossible || f.PossibleVictim
		w := r.Weight(f, now)
		if w == 0 {
			continue
		}
		at := slices.Index(entities, f.Entity)
		if at < 0 {
			at, entities, best = len(entities), append(entities, f.Entity), append(best, 0)
		}
		best[at] = max(best[at], w)
		sectors, kinds = withWord(sectors, f.Sector), withWord(kinds, f.Kind)
	}
	sum := 0
	for _, w := range best {
		sum += min(r.EntityCap, w)
	}
	d.Conditions = make([]Condition, 0, 5)
	d.Conditions = append(d.Conditions,
		atLeast("evidence weight", sum, r.MinWeight),
		atLeast("independent organisations", len(entities), r.MinEntities),
		atLeast("sectors", len(sectors), r.MinSectors),
		atLeast("kinds of evidence", len(kinds), r.MinKinds))
	if r.NonPayment {
		d.Conditions = append(d.Conditions, atLeast("shared identifiers other than payment", sharedNonPayment(r, o, set, now), 1))
	}
	d.Open = true
	for _, c := range d.Conditions {
		d.Open = d.Open && c.Met
	}
	return d
}

// withWord adds a word that is not there yet; the lists are short.
func withWord(list []string, word string) []string {
	if slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

func atLeast(name string, have, need int) Condition {
	return Condition{Name: name, Met: have >= need, Have: have, Need: need}
}

// sharedNonPayment counts the non-payment person tags that o shares with an
// observation of positive weight from another controlling entity. Both have to
// call the tag so: a class in a header is its contributor's word.
func sharedNonPayment(r Rule, o Fact, set []Fact, now time.Time) int {
	found := make([]string, 0, MaxTags)
	for _, f := range set {
		if f.Entity == o.Entity || r.Weight(f, now) == 0 {
			continue
		}
		for _, t := range f.Tags {
			if t.Person && !t.Payment && o.hasNonPayment(t.Tag) {
				found = withWord(found, t.Tag)
			}
		}
	}
	return len(found)
}

func (f Fact) hasNonPayment(tag string) bool {
	for _, t := range f.Tags {
		if t.Person && !t.Payment && t.Tag == tag {
			return true
		}
	}
	return false
}
