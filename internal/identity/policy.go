package identity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/internal/vocab"
	"parallax/opening"
)

// A Change is one difference between two policies.
type Change struct {
	What, Before, After string
	Loosens             bool // allows something that was not allowed
}

// Changes lists what differs between two policies, for people. Whether a change
// loosens is asked of opening.Loosens, which key holders go by too: of a policy
// that differs in this one thing only.
func Changes(old, next opening.Manifest) (out []Change) {
	add := func(what, before, after string, only func(m *opening.Manifest)) {
		m := old
		only(&m)
		out = append(out, Change{what, before, after, opening.Loosens(old, m)})
	}
	for _, part := range []func(old, next opening.Manifest, add adder){changedMembers, changedApprovers, changedClasses, changedGrounds, changedRest} {
		part(old, next, add)
	}
	return out
}

type adder func(what, before, after string, only func(m *opening.Manifest))

// pairs calls each with what stands under a key before and after; nil: nothing.
func pairs[T any](old, next []T, key func(T) string, each func(key string, before, after *T)) {
	seen := map[string]bool{}
	find := func(list []T, k string) *T {
		for i := range list {
			if key(list[i]) == k {
				return &list[i]
			}
		}
		return nil
	}
	for _, list := range [][]T{old, next} {
		for _, x := range list {
			if k := key(x); !seen[k] {
				seen[k] = true
				each(k, find(old, k), find(next, k))
			}
		}
	}
}

// with is old with what stands under a key replaced, added or taken away.
func with[T any](old []T, key func(T) string, k string, x *T) []T {
	out := slices.DeleteFunc(slices.Clone(old), func(o T) bool { return key(o) == k })
	if x != nil {
		out = append(out, *x)
	}
	return out
}

const none = "Not listed"

func changedMembers(old, next opening.Manifest, add adder) {
	id := func(m opening.Member) string { return m.ID }
	say := func(m *opening.Member) string {
		if m == nil {
			return none
		}
		return fmt.Sprintf("%s, %s, admitted on %s, %s", m.Entity, vocab.Sectors.Label(m.Sector), time.UnixMicro(m.Admitted).UTC().Format("2 Jan 2006"), vocab.MemberStatuses.Label(m.Status))
	}
	pairs(old.Members, next.Members, id, func(k string, a, b *opening.Member) {
		before, after := say(a), say(b)
		if a != nil && b != nil && !a.Key.Equal(b.Key) {
			before, after = before+", key A", after+", another key"
		}
		if before != after || a != nil && b != nil && a.Name != b.Name {
			add("Member "+k, before, after, func(m *opening.Manifest) { m.Members = with(old.Members, id, k, b) })
		}
	})
}

func changedApprovers(old, next opening.Manifest, add adder) {
	id := func(a opening.Approver) string { return a.ID }
	say := func(a *opening.Approver) string {
		if a == nil {
			return none
		}
		return a.Entity + ", " + a.Role
	}
	pairs(old.Approvers, next.Approvers, id, func(k string, a, b *opening.Approver) {
		before, after := say(a), say(b)
		if a != nil && b != nil && !a.Key.Equal(b.Key) {
			before, after = before+", key A", after+", another key"
		}
		if before != after {
			add("Approver "+k, before, after, func(m *opening.Manifest) { m.Approvers = with(old.Approvers, id, k, b) })
		}
	})
}

func changedClasses(old, next opening.Manifest, add adder) {
	id := func(c opening.ClassRule) string { return string(c.Class) }
	say := func(c *opening.ClassRule) string {
		if c == nil {
			return none
		}
		return fmt.Sprintf("rules version %d, %d a day", c.RuleVersion, c.DailyBudget)
	}
	pairs(old.Classes, next.Classes, id, func(k string, a, b *opening.ClassRule) {
		if say(a) != say(b) {
			add("Kind of identifier "+k, say(a), say(b), func(m *opening.Manifest) { m.Classes = with(old.Classes, id, k, b) })
		}
	})
}

func changedGrounds(old, next opening.Manifest, add adder) {
	id := func(b opening.LegalBasis) string { return b.ID }
	say := func(b *opening.LegalBasis) string {
		if b == nil {
			return none
		}
		return fmt.Sprintf("%s for %s, %s to %s", b.Purpose, b.Recipient, time.UnixMicro(b.From).UTC().Format("2 Jan 2006"), time.UnixMicro(b.To).UTC().Format("2 Jan 2006"))
	}
	pairs(old.LegalBases, next.LegalBases, id, func(k string, a, b *opening.LegalBasis) {
		if a == nil || b == nil || *a != *b {
			add("Legal basis "+k, say(a), say(b), func(m *opening.Manifest) { m.LegalBases = with(old.LegalBases, id, k, b) })
		}
	})
	rule := func(r opening.Rule) string { return r.Hash().String() }
	pairs(old.Rules, next.Rules, rule, func(k string, a, b *opening.Rule) {
		if a == nil || b == nil {
			listed := map[bool]string{true: "Listed", false: none}
			add("Opening rule "+k[:12], listed[a != nil], listed[b != nil], func(m *opening.Manifest) { m.Rules = with(old.Rules, rule, k, b) })
		}
	})
}

func changedRest(old, next opening.Manifest, add adder) {
	for _, c := range []struct {
		what          string
		before, after string
		only          func(m *opening.Manifest)
	}{
		{"Rule for new contributions", old.CurrentRule.String()[:12], next.CurrentRule.String()[:12], func(m *opening.Manifest) { m.CurrentRule = next.CurrentRule }},
		{"Offences in scope", strings.Join(old.Scope.Offences, "; "), strings.Join(next.Scope.Offences, "; "), func(m *opening.Manifest) { m.Scope.Offences = next.Scope.Offences }},
		{"Subject roles in scope", strings.Join(old.Scope.Roles, "; "), strings.Join(next.Scope.Roles, "; "), func(m *opening.Manifest) { m.Scope.Roles = next.Scope.Roles }},
		{"Delay and veto window", fmt.Sprint(old.Delays.OpenSeconds, " s"), fmt.Sprint(next.Delays.OpenSeconds, " s"), func(m *opening.Manifest) { m.Delays.OpenSeconds = next.Delays.OpenSeconds }},
		{"Releases every", fmt.Sprint(old.Delays.ReleaseEvery, " s"), fmt.Sprint(next.Delays.ReleaseEvery, " s"), func(m *opening.Manifest) { m.Delays.ReleaseEvery = next.Delays.ReleaseEvery }},
		{"Opening authority", old.Authority.ID + ", " + old.Authority.Entity, next.Authority.ID + ", " + next.Authority.Entity, func(m *opening.Manifest) {
			m.Authority.ID, m.Authority.Entity = next.Authority.ID, next.Authority.Entity
		}},
		{"End of the keys", moment(old.KeysEnd), moment(next.KeysEnd), func(m *opening.Manifest) { m.KeysEnd = next.KeysEnd }},
	} {
		if c.before != c.after {
			add(c.what, c.before, c.after, c.only)
		}
	}
	if !bytes.Equal(old.Authority.HPKE, next.Authority.HPKE) {
		add("Key that openings are sealed to", "Key A", "Another key", func(m *opening.Manifest) { m.Authority.HPKE = next.Authority.HPKE })
	}
}

func moment(micros int64) string {
	if micros == 0 {
		return "Not fixed"
	}
	return time.UnixMicro(micros).UTC().Format("2 Jan 2006")
}
