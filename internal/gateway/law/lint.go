package law

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parallax/internal/gateway/route"
)

// The levels of a finding.
const (
	LevelError   = "error"   // the row cannot be used as it is
	LevelWarning = "warning" // a person should look
)

// Finding is something that the linter found in a data set.
type Finding struct {
	Line  int    `json:"line"` // 0: not about one row
	Level string `json:"level"`
	ID    string `json:"id"`
	Text  string `json:"text"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%d: %s: %s: %s", f.Line, f.Level, f.ID, f.Text)
}

// Lint looks a data set over: dates, sources, unknown codes, rows that were
// never in force, codes that nothing uses. Findings come in the order of lines.
func Lint(name string, raw []byte) ([]Finding, error) {
	s, err := Read(name, raw)
	if err != nil {
		return nil, err
	}
	l := linter{set: s, lines: Lines(raw, "gateways"), used: map[string]bool{}}
	maps.Copy(l.lines, Lines(raw, "prohibitions"))
	if err := route.Date("meta.as_of", s.Meta.AsOf); err != nil {
		l.add("meta", LevelError, "%v", err)
	}
	for i := range s.Gateways {
		l.gateway(&s.Gateways[i])
	}
	for i := range s.Prohibitions {
		l.prohibition(&s.Prohibitions[i])
	}
	l.unused()
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.found, nil
}

type linter struct {
	set   Set
	lines map[string]int
	used  map[string]bool
	found []Finding
}

func (l *linter) add(id, level, format string, args ...any) {
	l.found = append(l.found, Finding{Line: l.lines[id], Level: level, ID: id, Text: fmt.Sprintf(format, args...)})
}

// codes reports unknown and doubled codes of one list.
func (l *linter) codes(id, what string, list []string, known map[string]string) {
	for i, c := range list {
		l.used[what+" "+c] = true
		if _, ok := known[c]; !ok {
			l.add(id, LevelError, "%s", route.Unknown(what, c, slices.Sorted(maps.Keys(known))))
		}
		if slices.Contains(list[:i], c) {
			l.add(id, LevelWarning, "%s %s stands twice", what, c)
		}
	}
}

func setOf(list []string) map[string]string {
	m := map[string]string{}
	for _, s := range list {
		m[s] = ""
	}
	return m
}

var (
	kinds       = setOf([]string{route.KindDisclosure, route.KindDemand})
	modes       = setOf([]string{route.ModeMandatory, route.ModePermissive, route.ModeCompelled})
	states      = setOf([]string{route.InForce, route.Lapsed, route.Repealed, route.Uncertain, route.Proposed, route.NotCommenced})
	confidences = setOf([]string{"high", "medium", "low"})
)

func (l *linter) gateway(g *route.Gateway) {
	v := l.set.Vocab
	for _, c := range []struct {
		what  string
		list  []string
		known map[string]string
	}{
		{"actor", slices.Concat(g.From), v.Actors}, {"actor", g.To, v.Actors}, {"data category", g.Accepts, v.Data}, {"data category", g.Yields, v.Data},
		{"purpose", g.Purposes, setOf(v.Purposes)}, {"fact", g.Needs, v.Facts}, {"fact", g.Unless, v.Facts},
		{"kind", []string{g.Kind}, kinds}, {"mode", []string{g.Mode}, modes}, {"status", []string{g.Status}, states},
		{"confidence", []string{g.Confidence}, confidences}, {"basis", g.Basis, l.set.Meta.BasisCodes},
	} {
		l.codes(g.ID, c.what, c.list, c.known)
	}
	for what, empty := range map[string]bool{"citation": g.Citation == "", "title": g.Title == "", "from": len(g.From) == 0, "to": len(g.To) == 0,
		"accepts": len(g.Accepts) == 0, "purposes": len(g.Purposes) == 0, "jurisdiction": len(g.Jurisdiction) == 0, "basis": len(g.Basis) == 0,
		"yields": g.Yields != nil && len(g.Yields) == 0} {
		if empty {
			l.add(g.ID, LevelError, "%s is empty", what)
		}
	}
	for _, n := range g.Needs {
		if slices.Contains(g.Unless, n) {
			l.add(g.ID, LevelError, "needs %s and is switched off by it, so it can never be used", n)
		}
	}
	if g.PairsWith != "" && !slices.ContainsFunc(l.set.Gateways, func(o route.Gateway) bool { return o.ID == g.PairsWith }) {
		l.add(g.ID, LevelError, "pairs_with %q is no row", g.PairsWith)
	}
	if !slices.Equal(g.FromIn, g.ToIn) {
		l.add(g.ID, LevelError, "from_in and to_in differ; a state row names the same states on both sides")
	}
	l.dates(g)
	l.sources(g)
}

func (l *linter) dates(g *route.Gateway) {
	for what, d := range map[string]string{"valid_from": g.ValidFrom, "valid_to": g.ValidTo} {
		if d != "" {
			if err := route.Date(what, d); err != nil {
				l.add(g.ID, LevelError, "%v", err)
				return
			}
		}
	}
	asOf := l.set.Meta.AsOf
	ended := g.ValidTo != "" && g.ValidTo < asOf
	switch {
	case g.ValidFrom != "" && g.ValidTo != "" && g.ValidFrom > g.ValidTo:
		l.add(g.ID, LevelWarning, "was never in force: it starts %s and ends %s", g.ValidFrom, g.ValidTo)
	case (g.Status == route.Lapsed || g.Status == route.Repealed) && g.ValidTo == "":
		l.add(g.ID, LevelError, "is %s and has no valid_to, so it would count for ever", g.Status)
	case g.Status == route.InForce && ended:
		l.add(g.ID, LevelWarning, "says in_force and ended %s", g.ValidTo)
	case g.Status == route.InForce && g.ValidFrom > asOf:
		l.add(g.ID, LevelWarning, "says in_force and starts %s", g.ValidFrom)
	case (g.Status == route.Lapsed || g.Status == route.Repealed) && !ended:
		l.add(g.ID, LevelWarning, "says %s and ends only %s", g.Status, g.ValidTo)
	case (g.Status == route.NotCommenced || g.Status == route.Proposed) && g.ValidFrom != "" && g.ValidFrom <= asOf:
		l.add(g.ID, LevelWarning, "says %s and its start %s has passed; find out whether it is in force", g.Status, g.ValidFrom)
	case g.ValidFrom == "" && g.Status == route.InForce:
		l.add(g.ID, LevelWarning, "start date not recorded: it would count for any day in the past")
	}
}

func (l *linter) sources(g *route.Gateway) {
	memory := len(g.Basis) > 0 && !slices.ContainsFunc(g.Basis, func(b string) bool { return b != "memory" })
	switch {
	case len(g.Sources) == 0 && !memory:
		l.add(g.ID, LevelError, "says %s was read and names no source", strings.Join(g.Basis, ", "))
	case len(g.Sources) == 0:
		l.add(g.ID, LevelWarning, "names no source; it is from memory")
	}
	if memory && g.Confidence == "high" {
		l.add(g.ID, LevelError, "confidence is high on memory alone")
	}
}

func (l *linter) prohibition(p *route.Prohibition) {
	v := l.set.Vocab
	l.codes(p.ID, "confidence", []string{p.Confidence}, confidences)
	l.codes(p.ID, "basis", p.Basis, l.set.Meta.BasisCodes)
	if p.Citation == "" || p.Blocks == "" {
		l.add(p.ID, LevelError, "citation and blocks must be given")
	}
	a := p.Applies
	switch {
	case a == nil && p.Kind != "input_rule":
		l.add(p.ID, LevelError, "has no applies, so it never warns; an input rule says kind: input_rule")
		return
	case a == nil:
		return
	case len(a.From)+len(a.To)+len(a.ToNot)+len(a.Data)+len(a.Facts) == 0:
		l.add(p.ID, LevelWarning, "applies to every question")
	}
	l.codes(p.ID, "actor", a.From, v.Actors)
	l.codes(p.ID, "actor", a.To, v.Actors)
	l.codes(p.ID, "actor", a.ToNot, v.Actors)
	l.codes(p.ID, "data category", a.Data, v.Data)
	l.codes(p.ID, "fact", a.Facts, v.Facts)
	if a.ValidFrom != "" {
		if err := route.Date("applies.valid_from", a.ValidFrom); err != nil {
			l.add(p.ID, LevelError, "%v", err)
		}
	}
}

// unused reports codes that no row uses.
func (l *linter) unused() {
	v := l.set.Vocab
	for _, c := range []struct {
		what  string
		codes map[string]string
	}{{"actor", v.Actors}, {"data category", v.Data}, {"purpose", setOf(v.Purposes)}, {"fact", v.Facts}} {
		for _, code := range slices.Sorted(maps.Keys(c.codes)) {
			if !l.used[c.what+" "+code] {
				l.add("vocab", LevelWarning, "%s %s is used by no row", c.what, code)
			}
		}
	}
}
