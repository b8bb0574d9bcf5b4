package pool

import (
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
)

// people joins the identifiers that were reported of one subject at the venue
// before the act, and notes which were seen after it. It lives as long as one
// count; only Several leaves.
type people struct {
	parent   map[oprf.Tag]oprf.Tag
	followed map[oprf.Tag]bool // identifiers at the venue that are of the followed kind
	after    map[oprf.Tag]bool // identifiers of any kind that were seen after the act
}

func newPeople() people {
	return people{make(map[oprf.Tag]oprf.Tag), make(map[oprf.Tag]bool), make(map[oprf.Tag]bool)}
}

// add takes one observation's live person tags. Those of one at the venue before
// are of one person.
func (p people) add(tags []opening.HeaderTag, followed selector.Class, now int64, before, after bool) {
	var first oprf.Tag
	n := 0
	for _, t := range tags {
		if !t.Class.Person() || t.Expires <= now {
			continue
		}
		x := t.Tag()
		if after {
			p.after[x] = true
		}
		if !before {
			continue
		}
		p.followed[x] = t.Class == followed
		if n++; n == 1 {
			first = x
		}
		p.parent[p.root(x)] = p.root(first)
	}
}

// root finds the representative of an identifier's person; a new one is its own.
func (p people) root(x oprf.Tag) oprf.Tag {
	for {
		up, ok := p.parent[x]
		if !ok || up == x {
			p.parent[x] = x
			return x
		}
		if next, ok := p.parent[up]; ok {
			p.parent[x] = next
		}
		x = up
	}
}

func (p people) count() (out Several) {
	type person struct{ followed, other, kept, keptFollowed bool }
	all := make(map[oprf.Tag]person)
	for x := range p.followed {
		one := all[p.root(x)]
		if p.followed[x] {
			one.followed = true
			one.keptFollowed = one.keptFollowed || p.after[x]
		} else {
			one.other = true
		}
		one.kept = one.kept || p.after[x]
		all[p.root(x)] = one
	}
	for _, one := range all {
		if !one.followed || !one.other {
			continue
		}
		out.People++
		if one.kept {
			out.Kept++
		}
		if one.keptFollowed {
			out.Followed++
		}
	}
	return out
}
