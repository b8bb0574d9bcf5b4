package route

import (
	"fmt"
	"slices"
	"strings"
)

// ghosts are the minimal paths that one shut row would complete.
func (f *Finder) ghosts(q *asked, verdicts []verdict) []path {
	var shutOnes, real []path
	for _, p := range f.search(q, verdicts, true) {
		switch {
		case p.ghost >= 0:
			shutOnes = append(shutOnes, p)
		case !p.unsure:
			real = append(real, p)
		}
	}
	return ranked(minimal(shutOnes, real))
}

// reasons say why there is no direct way, and what stands in the way of others.
func (f *Finder) reasons(q *asked, a *Answer, verdicts []verdict, ghosts []path) []string {
	out := []string{}
	for _, id := range a.Prohibitions {
		i := slices.IndexFunc(f.law.Prohibitions, func(p Prohibition) bool { return p.ID == id })
		p := f.law.Prohibitions[i]
		out = append(out, fmt.Sprintf("%s (%s): %s", p.ID, p.Citation, p.Blocks))
	}
	if len(a.Direct) == 0 {
		out = append(out, f.noDirect(q, verdicts)...)
	}
	for _, p := range ghosts {
		why := verdicts[p.ghost].why
		if len(p.hops) > 1 {
			why += "; otherwise " + strings.Join(rows(p.hops), " then ") + " would be a route"
		}
		out = append(out, why)
	}
	for _, id := range a.AskCounsel {
		g := f.edges[f.byID[id]].row
		out = append(out, fmt.Sprintf("%s (%s) is uncertain law: only counsel can say whether it may be used", g.ID, g.Title))
	}
	return unique(out)
}

func rows(hops []hop) (out []string) {
	for _, h := range hops {
		out = append(out, h.e.row.ID)
	}
	return out
}

func unique(in []string) []string {
	out := []string{}
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// noDirect says for each row between the two bodies why it is no direct way.
func (f *Finder) noDirect(q *asked, verdicts []verdict) (out []string) {
	from, to := q.From, q.To
	any := false
	for _, i := range f.leave[q.from] {
		e, v := &f.edges[i], &verdicts[i]
		if !e.to.has(q.to) {
			continue
		}
		any = true
		carries := !q.holds.and(e.accepts).empty() && q.holds.and(e.keeps).or(e.makes).has(q.wants)
		possible, open := e.inStates(q.fromIn, q.toIn)
		switch {
		case v.silent:
			out = append(out, fmt.Sprintf("%s leads from %s to %s, but for other purposes than %s", e.row.ID, from, to, q.Purpose))
		case !carries:
			out = append(out, fmt.Sprintf("%s leads from %s to %s, but does not deliver %s out of what is held", e.row.ID, from, to, q.Wants))
		case v.standing == shut:
			out = append(out, v.why)
		case !possible:
			out = append(out, fmt.Sprintf("%s is limited to bodies of one state (%s)", e.row.ID, strings.Join(e.fromIn, ", ")))
		case !v.unmet.empty():
			out = append(out, fmt.Sprintf("no gateway %s -> %s without %s (%s)", from, to, strings.Join(f.facts.list(v.unmet), " and "), e.row.ID))
		case open:
			out = append(out, fmt.Sprintf("%s needs both bodies in the same state (%s); say where each is", e.row.ID, strings.Join(e.fromIn, ", ")))
		}
	}
	if !any {
		out = append(out, fmt.Sprintf("no gateway leads from %s to %s directly; what no row permits is not permitted", from, to))
	}
	return out
}

// Label is an actor's name without the explanation that follows it.
func (f *Finder) Label(actor string) string {
	name, _, _ := strings.Cut(f.law.Vocabulary.Actors[actor], " (")
	if name == "" {
		return actor
	}
	return name
}

var modeWord = map[string]string{ModeMandatory: "must", ModePermissive: "may", ModeCompelled: "must, once served with the instrument,"}

// explain says the answer in plain sentences.
func (f *Finder) explain(q *asked, a *Answer) []string {
	from, to := f.Label(q.From), f.Label(q.To)
	what := fmt.Sprintf("%s to reach %s from %s on %s", strings.ReplaceAll(q.Wants, "_", " "), to, from, q.AsOf)
	var out []string
	switch a.Answer {
	case Yes:
		out = append(out, fmt.Sprintf("Yes: there is a lawful way for %s, under the conditions below.", what))
	case Conditional:
		out = append(out, fmt.Sprintf("Not yet: there is a lawful way for %s only if more is known to hold.", what))
	case AskCounsel:
		out = append(out, fmt.Sprintf("Ask counsel: no settled law allows %s; what might is uncertain. Do not send.", what))
	default:
		out = append(out, fmt.Sprintf("No: nothing in the data set allows %s. What no row permits is not permitted.", what))
	}
	if a.Answer != No && a.Answer != AskCounsel && len(a.Direct) == 0 {
		out = append(out, fmt.Sprintf("%s may not give it to %s directly.", from, to))
	}
	for i, r := range a.Routes {
		out = append(out, fmt.Sprintf("Route %d: %s.", i+1, f.story(r)))
	}
	for _, r := range a.Conditional {
		out = append(out, fmt.Sprintf("You would need: %s. Then: %s.", f.needs(r.Unmet), f.story(r)))
	}
	for _, id := range a.AskCounsel {
		g := f.edges[f.byID[id]].row
		out = append(out, fmt.Sprintf("Ask counsel about %s (%s).", g.Title, g.ID))
	}
	for _, d := range a.Duties {
		s := fmt.Sprintf("Whatever you decide, %s is a duty of yours (%s)", d.Title, d.ID)
		if when := d.Obligations["deadline"]; when != "" {
			s += ": " + when
		}
		out = append(out, s+".")
	}
	return out
}

func (f *Finder) story(r Route) string {
	var out []string
	for _, h := range r.Hops {
		var s string
		if h.Kind == KindDemand {
			s = fmt.Sprintf("%s may serve an instrument on %s (%s); what is held there then: %s", f.Label(h.From), f.Label(h.To), h.ID, plain(h.Passes))
		} else {
			s = fmt.Sprintf("%s %s tell %s (%s); what is held there then: %s", f.Label(h.From), modeWord[h.Mode], f.Label(h.To), h.ID, plain(h.Passes))
		}
		if g, ok := f.Gateway(h.PairsWith); ok {
			s += fmt.Sprintf("; what it secures can be had later under %s (%s)", g.ID, g.Title)
		}
		out = append(out, s)
	}
	return strings.Join(out, ". Next, ")
}

func plain(codes []string) string {
	return strings.ReplaceAll(strings.Join(codes, ", "), "_", " ")
}

// needs says in words what is not known to hold.
func (f *Finder) needs(unmet []string) string {
	var out []string
	for _, u := range unmet {
		if in, ok := strings.CutPrefix(u, inStates); ok {
			out = append(out, "both bodies to be in the same one of "+strings.ReplaceAll(in, "|", ", "))
			continue
		}
		out = append(out, fmt.Sprintf("%s (%s)", f.law.Vocabulary.Facts[u], u))
	}
	return strings.Join(out, "; ")
}
