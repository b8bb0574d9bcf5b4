package route

import (
	"cmp"
	"slices"
)

// hop is one step of a path that is being searched.
type hop struct {
	e       *edge
	from    int
	to      int
	passes  set  // what the recipient then holds
	inState bool // the state of a body is not known and would have to be right
}

// path is a way from the giver to the recipient that delivers what is wanted.
type path struct {
	hops   []hop
	ids    []int // edge numbers in ascending order
	unmet  set   // needed facts that are unknown
	states int   // hops that wait for the state of a body
	unsure bool  // has an uncertain row
	ghost  int   // edge number of the one shut row that it uses, or -1
}

// open is how many unknowns the path waits for.
func (p *path) open() int { return p.unmet.count() + p.states }

// search looks for all paths up to the number of hops that the question allows,
// the shortest first, and leaves out what cannot be minimal.
type search struct {
	f        *Finder
	q        *asked
	verdicts []verdict
	ghosts   bool    // also use one shut row a path, to tell what it would take
	named    bool    // the code of some actor names a state
	useful   [][]set // by hops left and actor: what, if held, can still lead to what is wanted
	used     []bool
	hops     []hop
	found    []path
}

func (f *Finder) search(q *asked, verdicts []verdict, ghosts bool) []path {
	s := &search{f: f, q: q, verdicts: verdicts, ghosts: ghosts, used: make([]bool, len(f.edges)),
		named: slices.ContainsFunc(f.named, func(state string) bool { return state != "" })}
	s.reach()
	for length := 1; length <= q.maxHops; length++ {
		s.walk(q.from, q.holds, length, set{}, 0)
	}
	return s.found
}

func (s *search) passable(e *edge) bool {
	v := &s.verdicts[e.index]
	return v.standing != shut || s.ghosts && !v.silent
}

// reach works backwards from what is wanted: useful[k][a] are the categories
// that, held by a, lead to it in exactly k hops where facts and repeated rows
// are not looked at. It only cuts branches, and never one that succeeds.
func (s *search) reach() {
	last := make([]set, len(s.f.actors.names))
	last[s.q.to].add(s.q.wants)
	s.useful = [][]set{last}
	for range s.q.maxHops {
		next := make([]set, len(last))
		for i := range s.f.edges {
			e := &s.f.edges[i]
			if !s.passable(e) {
				continue
			}
			var gain set
			for to := range last {
				if e.to.has(to) && !last[to].empty() {
					gain = gain.or(e.keeps.and(last[to]))
					if !e.makes.and(last[to]).empty() {
						gain = gain.or(e.accepts)
					}
				}
			}
			for from := range next {
				if e.from.has(from) {
					next[from] = next[from].or(gain)
				}
			}
		}
		s.useful = append(s.useful, next)
		last = next
	}
}

// walk extends the path from actor, who has held, by exactly left hops.
func (s *search) walk(actor int, held set, left int, unmet set, ghosts int) {
	if left == 0 {
		s.keep(unmet)
		return
	}
	if held.and(s.useful[left][actor]).empty() || s.goesRound(actor, held) || s.covered(1) {
		return
	}
	for _, i := range s.f.leave[actor] {
		e := &s.f.edges[i]
		v := &s.verdicts[i]
		if s.used[i] || !s.passable(e) || held.and(e.accepts).empty() || v.standing == shut && ghosts > 0 {
			continue
		}
		need := unmet.or(v.unmet)
		if need.count() > MaxUnmet {
			continue
		}
		passes := held.and(e.keeps).or(e.makes)
		s.used[i] = true
		for to := range s.f.actors.names {
			if !e.to.has(to) || passes.and(s.useful[left-1][to]).empty() {
				continue
			}
			ok, open := e.inStates(s.stateAt(actor, len(s.hops) == 0, s.q.fromIn), s.stateAt(to, left == 1, s.q.toIn))
			if !ok {
				continue
			}
			s.hops = append(s.hops, hop{e: e, from: actor, to: to, passes: passes, inState: open && len(e.fromIn) > 0})
			more := ghosts
			if v.standing == shut {
				more++
			}
			s.walk(to, passes, left-1, need, more)
			s.hops = s.hops[:len(s.hops)-1]
		}
		s.used[i] = false
	}
}

// stateAt is the state of a body on the path: that of the question at either
// end, and what the body's own code names in between.
func (s *search) stateAt(actor int, end bool, asked string) string {
	if end {
		return asked
	}
	return s.f.named[actor]
}

// goesRound: the path is back at a body of a kind where it was before, with
// nothing new in hand. What can follow could have followed then.
func (s *search) goesRound(actor int, held set) bool {
	for i := range s.hops {
		had, at := s.q.holds, s.q.from
		if i > 0 {
			had, at = s.hops[i-1].passes, s.hops[i-1].to
		}
		if at == actor && held.within(had) && (i > 0 || s.q.fromIn == s.f.named[actor]) {
			return true
		}
	}
	return false
}

// covered: with more hops to come, the path has all rows of a path that was
// found, and others. It cannot become minimal: it waits for all the facts that
// the other waits for. For the states of bodies that is so unless the code of an
// actor names one, since of two hops or more none has both its bodies' states
// from the question.
func (s *search) covered(more int) bool {
	return slices.ContainsFunc(s.found, func(p path) bool {
		if p.states > 0 && s.named || p.ghost >= 0 || len(p.ids) >= len(s.hops)+more {
			return false
		}
		return !slices.ContainsFunc(p.ids, func(i int) bool { return !s.used[i] })
	})
}

func (s *search) keep(unmet set) {
	if s.covered(0) {
		return
	}
	p := path{hops: slices.Clone(s.hops), unmet: unmet, ghost: -1}
	for _, h := range p.hops {
		p.ids = append(p.ids, h.e.index)
		switch s.verdicts[h.e.index].standing {
		case uncertain:
			p.unsure = true
		case shut:
			p.ghost = h.e.index
		}
		if h.inState {
			p.states++
		}
	}
	slices.Sort(p.ids)
	if p.open() <= MaxUnmet {
		s.found = append(s.found, p)
	}
}

// contains reports whether p has every row of o, and more unless same allows
// for equal ones.
func (p *path) contains(o *path, same bool) bool {
	if len(o.ids) > len(p.ids) || len(o.ids) == len(p.ids) && !same {
		return false
	}
	return !slices.ContainsFunc(o.ids, func(i int) bool { _, in := slices.BinarySearch(p.ids, i); return !in })
}

// minimal keeps the paths that contain no other one, of them or of others.
func minimal(paths, others []path) []path {
	var out []path
	for i := range paths {
		if !slices.ContainsFunc(paths, func(o path) bool { return paths[i].contains(&o, false) }) &&
			!slices.ContainsFunc(others, func(o path) bool { return paths[i].contains(&o, true) }) {
			out = append(out, paths[i])
		}
	}
	return out
}

// ranked sorts paths as the data set says and keeps one for each list of rows:
// the same law through another body of the way is the same route.
func ranked(paths []path) []path {
	slices.SortStableFunc(paths, func(a, b path) int {
		return cmp.Or(a.open()-b.open(), len(a.hops)-len(b.hops), b.weakest()-a.weakest(),
			slices.CompareFunc(a.hops, b.hops, func(x, y hop) int { return cmp.Compare(x.e.row.ID, y.e.row.ID) }))
	})
	return slices.CompactFunc(paths, func(a, b path) bool {
		return slices.EqualFunc(a.hops, b.hops, func(x, y hop) bool { return x.e == y.e })
	})
}

var strength = map[string]int{ModeMandatory: 3, ModePermissive: 2, ModeCompelled: 1}

// weakest is the strength of the weakest hop: a route is as strong as that.
func (p *path) weakest() int {
	w := strength[ModeMandatory]
	for _, h := range p.hops {
		w = min(w, strength[h.e.row.Mode])
	}
	return w
}
