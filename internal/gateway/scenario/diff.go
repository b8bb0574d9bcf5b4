package scenario

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// Diff is what changed between two data sets, and which answers change.
type Diff struct {
	Old     string   `json:"old"`
	New     string   `json:"new"`
	Rows    []Change `json:"rows"`
	Codes   []string `json:"codes"`
	Asked   int      `json:"asked"` // questions that were put to both
	Answers []Moved  `json:"answers"`
}

// Change is what changed in one row.
type Change struct {
	ID     string   `json:"id"`
	What   string   `json:"what"` // added, removed or changed
	Fields []string `json:"fields,omitempty"`
}

// Moved is a question whose answer is another one.
type Moved struct {
	Case     string         `json:"case,omitempty"` // of a scenario
	Question route.Question `json:"question"`
	Old      string         `json:"old"`
	New      string         `json:"new"`
}

// Compare tells what changed, and asks both data sets the questions of the
// scenarios and of a grid: every giver and recipient, what is wanted and the
// purposes of the changed rows, with all facts known to hold, over the dates on
// which the changed rows begin and end. Routes in the grid have two hops at most.
func Compare(ctx context.Context, before, after law.Set, files []File, progress func(done, all int)) (Diff, error) {
	d := Diff{Old: before.Meta.DataVersion, New: after.Meta.DataVersion, Rows: []Change{}, Answers: []Moved{},
		Codes: codeChanges(before.Vocab, after.Vocab)}
	old, err := before.Finder()
	if err != nil {
		return d, err
	}
	now, err := after.Finder()
	if err != nil {
		return d, err
	}
	touched := d.rows(before, after)
	for _, f := range files {
		for _, s := range f.Scenarios {
			for _, c := range s.Cases {
				d.ask(old, now, c.ID, f.Question(c))
			}
		}
	}
	grid := questions(after, touched)
	for i, q := range grid {
		if i%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return d, err
			}
			progress(i, len(grid))
		}
		d.ask(old, now, "", q)
	}
	progress(len(grid), len(grid))
	return d, nil
}

func (d *Diff) ask(old, now *route.Finder, id string, q route.Question) {
	a, errA := old.Decide(q)
	b, errB := now.Decide(q)
	d.Asked++
	was, is := gist(a, errA), gist(b, errB)
	if was != is {
		d.Answers = append(d.Answers, Moved{Case: id, Question: q, Old: was, New: is})
	}
}

// gist is an answer as one line: what would make a reader act otherwise.
func gist(a route.Answer, err error) string {
	if err != nil {
		return "cannot be asked: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	parts := []string{a.Answer}
	for _, p := range []struct {
		what string
		list []string
	}{{"routes", texts(routeIDs(a.Routes))}, {"conditional", texts(routeIDs(a.Conditional))}, {"ask counsel", a.AskCounsel}, {"prohibitions", a.Prohibitions}} {
		if len(p.list) > 0 {
			parts = append(parts, p.what+" "+show(p.list))
		}
	}
	var duties []string
	for _, d := range a.Duties {
		duties = append(duties, d.ID)
	}
	if len(duties) > 0 {
		parts = append(parts, "duties "+show(duties))
	}
	return strings.Join(parts, "; ")
}

// rows compares the rows and returns those that differ, as they were and are.
func (d *Diff) rows(before, after law.Set) (touched []route.Gateway) {
	old, now := map[string]any{}, map[string]any{}
	for _, part := range []struct {
		set law.Set
		in  map[string]any
	}{{before, old}, {after, now}} {
		for _, g := range part.set.Gateways {
			part.in[g.ID] = g
		}
		for _, p := range part.set.Prohibitions {
			part.in[p.ID] = p
		}
	}
	all := slices.Sorted(maps.Keys(old))
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := old[id]; !ok {
			all = append(all, id)
		}
	}
	for _, id := range all {
		a, inOld := old[id]
		b, inNew := now[id]
		c := Change{ID: id, What: "changed"}
		switch {
		case !inOld:
			c.What = "added"
		case !inNew:
			c.What = "removed"
		default:
			if c.Fields = fields(a, b); len(c.Fields) == 0 {
				continue
			}
		}
		d.Rows = append(d.Rows, c)
		for _, row := range []any{a, b} {
			if g, ok := row.(route.Gateway); ok {
				touched = append(touched, g)
			}
		}
	}
	return touched
}

// fields lists the fields in which two rows of one type differ.
func fields(a, b any) (out []string) {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	if va.Type() != vb.Type() {
		return []string{"kind of row"}
	}
	for i := range va.NumField() {
		name, _, _ := strings.Cut(va.Type().Field(i).Tag.Get("yaml"), ",")
		x, y := va.Field(i).Interface(), vb.Field(i).Interface()
		if !reflect.DeepEqual(x, y) {
			out = append(out, fmt.Sprintf("%s: %s -> %s", name, brief(x), brief(y)))
		}
	}
	return out
}

func brief(v any) string {
	if p, ok := v.(*route.Applies); ok && p != nil {
		v = *p
	}
	s := fmt.Sprintf("%v", v)
	if s == "" || s == "[]" || s == "map[]" || s == "<nil>" {
		return "(none)"
	}
	return s
}

func codeChanges(a, b route.Vocabulary) []string {
	out := []string{}
	for _, part := range []struct {
		what     string
		old, now map[string]string
	}{{"actor", a.Actors, b.Actors}, {"data category", a.Data, b.Data}, {"fact", a.Facts, b.Facts}} {
		for _, c := range slices.Sorted(maps.Keys(part.old)) {
			if _, ok := part.now[c]; !ok {
				out = append(out, part.what+" "+c+" removed")
			} else if part.now[c] != part.old[c] {
				out = append(out, part.what+" "+c+" means something else")
			}
		}
		for _, c := range slices.Sorted(maps.Keys(part.now)) {
			if _, ok := part.old[c]; !ok {
				out = append(out, part.what+" "+c+" added")
			}
		}
	}
	return out
}

// questions is the grid.
func questions(set law.Set, touched []route.Gateway) (out []route.Question) {
	purposes, days, off := map[string]bool{}, map[string]bool{set.Meta.AsOf: true}, map[string]bool{}
	wants := map[string]bool{}
	for _, g := range touched {
		for _, p := range g.Purposes {
			purposes[p] = true
		}
		for _, w := range slices.Concat(g.Yields, g.Accepts) {
			wants[w] = true
		}
		for _, day := range []string{g.ValidFrom, g.ValidTo} {
			if day != "" {
				days[day] = true
			}
		}
	}
	for _, g := range set.Gateways {
		for _, u := range g.Unless {
			off[u] = true
		}
	}
	var facts []string
	for _, f := range slices.Sorted(maps.Keys(set.Vocab.Facts)) {
		if off[f] {
			f = "not:" + f
		}
		facts = append(facts, f)
	}
	keys := func(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
	holds := slices.Sorted(maps.Keys(set.Vocab.Data))
	for _, day := range keys(days) {
		for _, purpose := range keys(purposes) {
			for _, want := range keys(wants) {
				for _, from := range slices.Sorted(maps.Keys(set.Vocab.Actors)) {
					for _, to := range slices.Sorted(maps.Keys(set.Vocab.Actors)) {
						out = append(out, route.Question{From: from, To: to, Holds: holds, Wants: want, Purpose: purpose, Facts: facts, AsOf: day, MaxHops: 2})
					}
				}
			}
		}
	}
	return out
}
