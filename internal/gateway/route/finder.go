package route

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Finder is a data set made ready for questions. It may be used from several
// goroutines.
type Finder struct {
	law    Law
	actors codes
	data   codes
	facts  codes
	aims   codes    // purposes
	states []string // that some row is limited to
	named  []string // by actor: the state that its own code names, or ""
	edges  []edge
	leave  [][]int // by actor: the edges that leave it
	byID   map[string]int
}

// edge is a gateway with its lists as sets.
type edge struct {
	row           *Gateway
	index         int
	from, to      set
	accepts       set
	keeps, makes  set // what passes of what is held; what is yielded anew
	purposes      map[string]bool
	needs, unless set
	fromIn, toIn  []string // a state row: the states it is about
}

// New reads a data set. It refuses codes that are in no vocabulary and rows
// whose kind, mode, status or dates it cannot read.
func New(law Law) (*Finder, error) {
	law.Gateways = slices.Clone(law.Gateways)
	f := &Finder{law: law, byID: map[string]int{},
		actors: number("actor", sorted(law.Vocabulary.Actors)),
		data:   number("data category", sorted(law.Vocabulary.Data)),
		facts:  number("fact", sorted(law.Vocabulary.Facts)),
		aims:   number("purpose", law.Vocabulary.Purposes)}
	for _, c := range []codes{f.actors, f.data, f.facts} {
		if len(c.names) == 0 || len(c.names) > setSize {
			return nil, fmt.Errorf("there are %d codes of kind %s; 1 to %d are possible", len(c.names), c.what, setSize)
		}
	}
	f.leave = make([][]int, len(f.actors.names))
	var problems []error
	for i := range law.Gateways {
		problems = append(problems, f.add(&law.Gateways[i]))
	}
	for i := range law.Prohibitions {
		problems = append(problems, f.checkProhibition(&law.Prohibitions[i]))
	}
	slices.Sort(f.states)
	f.states = slices.Compact(f.states)
	for _, n := range f.actors.names {
		f.named = append(f.named, f.stateOf(n))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return f, nil
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func (f *Finder) add(g *Gateway) error {
	if _, ok := f.byID[g.ID]; ok || g.ID == "" {
		return fmt.Errorf("gateway %q: an id is given once and is not empty", g.ID)
	}
	if err := f.checkGateway(g); err != nil {
		return fmt.Errorf("gateway %s: %w", g.ID, err)
	}
	e := edge{row: g, index: len(f.edges), from: f.actors.set(g.From), to: f.actors.set(g.To),
		accepts: f.data.set(g.Accepts), needs: f.facts.set(g.Needs), unless: f.facts.set(g.Unless),
		purposes: map[string]bool{}, fromIn: g.FromIn, toIn: g.ToIn}
	yields := e.accepts
	if g.Yields != nil {
		yields = f.data.set(g.Yields)
	}
	e.keeps, e.makes = yields.and(e.accepts), yields.minus(e.accepts)
	for _, p := range g.Purposes {
		e.purposes[p] = true
	}
	if len(e.fromIn) == 0 {
		e.fromIn = g.ToIn
	}
	if len(e.toIn) == 0 {
		e.toIn = g.FromIn
	}
	f.states = append(append(f.states, g.FromIn...), g.ToIn...)
	f.byID[g.ID] = e.index
	f.edges = append(f.edges, e)
	for _, a := range g.From {
		if i := f.actors.index[a]; !slices.Contains(f.leave[i], e.index) {
			f.leave[i] = append(f.leave[i], e.index)
		}
	}
	return nil
}

func (f *Finder) checkGateway(g *Gateway) error {
	var problems []error
	oneOf := func(what, value string, known ...string) {
		if !slices.Contains(known, value) {
			problems = append(problems, errors.New(Unknown(what, value, known)))
		}
	}
	oneOf("kind", g.Kind, KindDisclosure, KindDemand)
	oneOf("mode", g.Mode, ModeMandatory, ModePermissive, ModeCompelled)
	oneOf("status", g.Status, InForce, Lapsed, Repealed, Uncertain, Proposed, NotCommenced)
	problems = append(problems,
		known(f.actors, g.From), known(f.actors, g.To), known(f.data, g.Accepts), known(f.data, g.Yields),
		known(f.facts, g.Needs), known(f.facts, g.Unless),
		known(f.aims, g.Purposes),
		optionalDate("valid_from", g.ValidFrom), optionalDate("valid_to", g.ValidTo))
	return errors.Join(problems...)
}

func (f *Finder) checkProhibition(p *Prohibition) error {
	if a := p.Applies; a != nil {
		err := errors.Join(known(f.actors, a.From), known(f.actors, a.To), known(f.actors, a.ToNot),
			known(f.data, a.Data), known(f.facts, a.Facts), optionalDate("valid_from", a.ValidFrom))
		if err != nil {
			return fmt.Errorf("prohibition %s: %w", p.ID, err)
		}
	}
	return nil
}

func known(c codes, names []string) error {
	var problems []error
	for _, n := range names {
		if _, ok := c.index[n]; !ok {
			problems = append(problems, errors.New(Unknown(c.what, n, c.names)))
		}
	}
	return errors.Join(problems...)
}

func optionalDate(what, date string) error {
	if date == "" {
		return nil
	}
	return Date(what, date)
}

// Date checks a date written YYYY-MM-DD.
func Date(what, date string) error {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("%s %q is not a date; write it as 2026-11-23", what, date)
	}
	return nil
}

// Law is the data set that the finder was made from.
func (f *Finder) Law() Law { return f.law }

// States are the states and territories that some row is limited to.
func (f *Finder) States() []string { return slices.Clone(f.states) }

// Gateway gives a row by its id.
func (f *Finder) Gateway(id string) (Gateway, bool) {
	i, ok := f.byID[id]
	if !ok {
		return Gateway{}, false
	}
	return *f.edges[i].row, true
}

// asked is a question in numbers.
type asked struct {
	Question
	from, to     int
	holds        set
	wants        int
	yes, no      set // facts
	maxHops      int
	fromIn, toIn string
}

// read checks a question. Everything wrong with it is said at once.
func (f *Finder) read(q Question) (asked, error) {
	a := asked{Question: q, maxHops: q.MaxHops}
	if q.MaxHops == 0 {
		a.maxHops = DefaultHops
	}
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	problems = append(problems, known(f.actors, []string{q.From, q.To}), known(f.data, q.Holds),
		known(f.data, []string{q.Wants}), Date("as-of date", q.AsOf),
		known(f.aims, []string{q.Purpose}))
	if len(q.Holds) == 0 {
		fail("the question says of no data category that %s holds it", q.From)
	}
	if a.maxHops < 1 || a.maxHops > 9 {
		fail("a route has 1 to 9 hops, not %d", q.MaxHops)
	}
	for _, s := range []string{q.FromIn, q.ToIn} {
		if s != "" && !slices.Contains(f.states, s) {
			fail("%s", Unknown("state", s, f.states))
		}
	}
	for _, text := range q.Facts {
		name, negated := strings.CutPrefix(text, "not:")
		i, ok := f.facts.index[name]
		switch {
		case !ok:
			fail("%s", Unknown("fact", name, f.facts.names))
		case negated:
			a.no.add(i)
		default:
			a.yes.add(i)
		}
	}
	for _, n := range f.facts.list(a.yes.and(a.no)) {
		fail("fact %q is said to hold and not to hold", n)
	}
	if err := errors.Join(problems...); err != nil {
		return a, err
	}
	a.from, a.to, a.wants = f.actors.index[q.From], f.actors.index[q.To], f.data.index[q.Wants]
	a.holds = f.data.set(q.Holds)
	a.fromIn, a.toIn = cmp.Or(q.FromIn, f.named[a.from]), cmp.Or(q.ToIn, f.named[a.to])
	return a, nil
}

var separators = regexp.MustCompile(`[^A-Z0-9]+`)

// stateOf is the state or territory that the id of a body names, or "".
func (f *Finder) stateOf(id string) string {
	text := "-" + separators.ReplaceAllString(strings.ToUpper(id), "-") + "-"
	for _, s := range f.states {
		if strings.Contains(text, "-"+s+"-") {
			return s
		}
	}
	return ""
}

// Suffices are the categories any one of which, held by the giver, lets the
// rows of a route deliver what is wanted. A hop works on each category by
// itself, so a set of them does what its best member does.
func (f *Finder) Suffices(r Route, wants string) []string {
	var out []string
	for i, name := range f.data.names {
		var held set
		held.add(i)
		for _, id := range r.IDs {
			e := &f.edges[f.byID[id]]
			if held.and(e.accepts).empty() {
				held = set{}
				break
			}
			held = held.and(e.keeps).or(e.makes)
		}
		if w, ok := f.data.index[wants]; ok && held.has(w) {
			out = append(out, name)
		}
	}
	return out
}
