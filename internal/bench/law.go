package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// lawbed is the bed on which the finder and a plain search answer the same
// questions over the whole built-in data set.
type lawbed struct {
	finder    *route.Finder
	rows      []route.Gateway
	questions []route.Question
	ours      []bool
	peer      []bool
}

// lawful asks from every kind of organisation for what one recipient could want.
func lawful(_ context.Context, o Options) (job, error) {
	set, err := law.BuiltIn()
	if err != nil {
		return job{}, err
	}
	b := &lawbed{rows: set.Gateways}
	if b.finder, err = set.Finder(); err != nil {
		return job{}, err
	}
	facts := []string{"suspicion_formed", "reasonable_belief_enforcement", "agency_function", "serious_contravention", "intends_warrant", "actual_knowledge_csam", "law_enforcement_purpose"}
	holds := slices.Sorted(maps.Keys(set.Vocab.Data))
	actors := slices.Sorted(maps.Keys(set.Vocab.Actors))
	for i, from := range actors {
		for _, to := range []string{"au.police", "us.provider", "au.court"} {
			b.questions = append(b.questions, route.Question{From: from, To: to, Holds: holds, Wants: "account_id", Purpose: set.Vocab.Purposes[i%len(set.Vocab.Purposes)], Facts: facts, AsOf: "2026-11-23"})
		}
	}
	b.questions = b.questions[:size(o, len(b.questions), 12)]
	return job{items: len(b.questions), ours: b.find, peer: b.search, check: func(context.Context) error {
		if len(b.ours) == 0 || !slices.Equal(b.ours, b.peer) {
			return errors.New("the plain search and the finder do not agree whether there is a route")
		}
		return nil
	}}, nil
}

func (b *lawbed) find(_ context.Context, w *watch) error {
	b.ours = b.ours[:0]
	w.on()
	defer w.off()
	for _, q := range b.questions {
		a, err := b.finder.Find(q)
		if err != nil {
			return fmt.Errorf("%s to %s: %w", q.From, q.To, err)
		}
		b.ours = append(b.ours, a.Answer == route.Yes)
	}
	return nil
}

func (b *lawbed) search(_ context.Context, w *watch) error {
	b.peer = b.peer[:0]
	w.on()
	defer w.off()
	for _, q := range b.questions {
		b.peer = append(b.peer, b.reaches(q, q.From, q.Holds, nil))
	}
	return nil
}

// reaches follows rows over lists of words, without an index, until one delivers
// what is wanted.
func (b *lawbed) reaches(q route.Question, at string, held []string, used []string) bool {
	if len(used) == route.DefaultHops {
		return false
	}
	for i := range b.rows {
		g := &b.rows[i]
		if !usable(g, q) || slices.Contains(used, g.ID) || !slices.Contains(g.From, at) || !overlap(g.Accepts, held) {
			continue
		}
		got := delivers(g, held)
		for _, to := range g.To {
			if to == q.To && slices.Contains(got, q.Wants) || b.reaches(q, to, got, append(slices.Clone(used), g.ID)) {
				return true
			}
		}
	}
	return false
}

// usable leaves out rows that need a state, which the questions do not give.
func usable(g *route.Gateway, q route.Question) bool {
	settled := g.Status == route.InForce || g.Status == route.Lapsed || g.Status == route.Repealed
	inTime := g.ValidFrom <= q.AsOf && (g.ValidTo == "" || q.AsOf <= g.ValidTo)
	missing := slices.ContainsFunc(g.Needs, func(n string) bool { return !slices.Contains(q.Facts, n) })
	return settled && inTime && !missing && len(g.FromIn)+len(g.ToIn) == 0 && slices.Contains(g.Purposes, q.Purpose) && !overlap(g.Unless, q.Facts)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

func delivers(g *route.Gateway, held []string) (out []string) {
	yields := g.Yields
	if yields == nil {
		yields = g.Accepts
	}
	for _, y := range yields {
		if slices.Contains(held, y) || !slices.Contains(g.Accepts, y) {
			out = append(out, y)
		}
	}
	return out
}
