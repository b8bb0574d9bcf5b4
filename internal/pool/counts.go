package pool

import (
	"cmp"
	"context"
	"slices"

	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
)

// A CountCell is one cell of a fixed table: how many selectors each organisation
// brought into it. It is noised before anybody sees it.
type CountCell struct {
	Name string
	From []int // by organisation, in no order that says which
}

// Counts are the tables of one class in one quarter. Their cells are fixed by
// vocabularies, whatever the pool holds. A selector is in one cell of each.
type Counts struct {
	National, Sector, Kind []CountCell
}

// Counts counts under an approved and logged act of kind counts. What it gives
// out is exact and only for the noise: the caller stores none of it.
func (s *Service) Counts(ctx context.Context, p acts.Permit) (Counts, opening.CountsAct, error) {
	var q opening.CountsAct
	act, err := acts.Verify(ctx, s.log, p, opening.ActCounts, &q)
	if err != nil {
		return Counts{}, q, err
	}
	t := tally{epoch: act.Epoch, class: q.Class, now: s.clock.Now().UnixMicro(), first: make(map[oprf.Tag]opening.Header)}
	if t.from, t.to, err = q.Quarter.Weeks(); err != nil {
		return Counts{}, q, fault.Wrap(fault.Invalid, "The question cannot be answered: "+err.Error()+".", err)
	}
	if err := s.eachHeader(ctx, t.add); err != nil {
		return Counts{}, q, err
	}
	out, err := t.result(q.Quarter)
	return out, q, err
}

// tally keeps for each selector the observation that counts: the earliest.
type tally struct {
	epoch, from, to string
	class           selector.Class
	now             int64
	first           map[oprf.Tag]opening.Header
	straddles       bool
}

func (t *tally) add(x seen) {
	h := x.header
	if h.Week < t.from || h.Week > t.to {
		return
	}
	if h.Epoch != t.epoch {
		t.straddles = true
		return
	}
	if !x.live || !counts(h) || h.Origin != "own" {
		return
	}
	for _, tag := range h.Tags {
		if tag.Class != t.class || tag.Expires <= t.now {
			continue
		}
		had, ok := t.first[tag.Tag()]
		if !ok || earlier(h, had) < 0 {
			t.first[tag.Tag()] = h
		}
	}
}

// earlier orders observations so that which one counts does not depend on the
// order in which the store gives them.
func earlier(a, b opening.Header) int {
	return cmp.Or(cmp.Compare(a.Week, b.Week), cmp.Compare(a.Organisation, b.Organisation), cmp.Compare(a.Kind, b.Kind))
}

func (t *tally) result(q opening.Quarter) (Counts, error) {
	if t.straddles {
		return Counts{}, fault.Newf(fault.Conflict, "Observations of %s were made with the keys of two epochs, so a selector would count twice.", q)
	}
	by := map[string]map[string]int{} // cell -> organisation -> selectors
	for _, h := range t.first {
		for _, cell := range []string{"all", "sector " + h.Sector, "kind " + h.Kind} {
			if by[cell] == nil {
				by[cell] = make(map[string]int)
			}
			by[cell][h.Organisation]++
		}
	}
	cell := func(key, name string) CountCell {
		c := CountCell{Name: name}
		for _, n := range by[key] {
			c.From = append(c.From, n)
		}
		slices.Sort(c.From)
		return c
	}
	out := Counts{National: []CountCell{cell("all", "all")}}
	for _, w := range vocab.Sectors.Words() {
		out.Sector = append(out.Sector, cell("sector "+w.Code, w.Code))
	}
	for _, w := range vocab.Kinds.Words() {
		out.Kind = append(out.Kind, cell("kind "+w.Code, w.Code))
	}
	return out, nil
}
