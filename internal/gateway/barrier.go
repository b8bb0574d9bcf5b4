package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/store"
)

// The states of a barrier: where its reform stands.
const (
	BarrierOpen   = "open"
	BarrierWatch  = "watch"
	BarrierEased  = "eased"
	BarrierClosed = "closed"
)

// BarrierStates lists them, the pressing first.
func BarrierStates() []string {
	return []string{BarrierOpen, BarrierWatch, BarrierEased, BarrierClosed}
}

// Why a case stands on the register.
const (
	WhyNoRoute  = "no_route"
	WhyCounsel  = "ask_counsel"
	WhyDeadline = "missed_deadline"
)

// Threshold is the smallest count that the register gives out: a smaller one
// could be a case that somebody knows.
const Threshold = 5

// Systemic are the seven systemic barriers of the field, by number.
var Systemic = []string{"", "Data access and law", "Evidence split across sources", "Silos and one-way flows", "Unknown scale", "Material as currency", "Public awareness", "Displacement"}

// A Barrier is one law or process that stops or slows lawful work.
type Barrier struct {
	ID        string   `json:"-"`
	Title     string   `json:"title"`
	Systemic  int      `json:"systemic"` // 1 to 7
	Laws      []string `json:"laws"`     // rows of the law data, or citations
	Blocked   []string `json:"blocked"`  // kinds of organisation
	Unblock   string   `json:"unblock"`  // who could remove it
	Depends   string   `json:"depends"`  // what depends on it
	State     string   `json:"state"`
	Changed   string   `json:"changed"`   // day of the last change of the law; may be empty
	Detail    string   `json:"detail"`    // what it does
	Remaining string   `json:"remaining"` // what is left where it eased
	Reform    string   `json:"reform"`    // the reform that it is attached to
	Source    string   `json:"source"`
	Seeded    bool     `json:"seeded"` // from the illustrative seed
	// Elsewhere are cases and days that other registers counted and gave out.
	Elsewhere int `json:"elsewhere"`
	Days      int `json:"days"`
}

// Kept is a barrier as the register has it.
type Kept struct {
	Barrier
	Edit    int
	Removed bool
	cases   int // counted here
	days    int
	by      map[string]int // cases counted here, by why
}

// Cell is a count as the register gives it out.
type Cell struct {
	Count    int
	Withheld bool // there are some, and fewer than the threshold
}

// String is the cell in words.
func (c Cell) String() string {
	if c.Withheld {
		return fmt.Sprintf("fewer than %d", Threshold)
	}
	return fmt.Sprint(c.Count)
}

func cell(n int) Cell {
	if n > 0 && n < Threshold {
		return Cell{Withheld: true}
	}
	return Cell{Count: n}
}

// Cases is how many cases the barrier stopped or slowed.
func (k Kept) Cases() Cell { return cell(k.cases + k.Elsewhere) }

// DaysLost is how many days that took. A sum over few cases is withheld as their
// count is.
func (k Kept) DaysLost() Cell {
	if k.Cases().Withheld {
		return Cell{Withheld: true}
	}
	return Cell{Count: k.days + k.Days}
}

// Why is the cases counted here of one kind.
func (k Kept) Why(kind string) Cell { return cell(k.by[kind]) }

// read checks a barrier. vocabulary is the law data's.
func (b Barrier) read(v route.Vocabulary) (Barrier, error) {
	var problems []string
	trim := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	b.Title, b.Unblock, b.Depends, b.Detail, b.Remaining, b.Reform, b.Source = trim(b.Title), trim(b.Unblock), trim(b.Depends),
		trim(b.Detail), trim(b.Remaining), trim(b.Reform), trim(b.Source)
	for _, list := range []*[]string{&b.Laws, &b.Blocked} {
		clean := []string{}
		for _, x := range *list {
			if x = trim(x); x != "" && !slices.Contains(clean, x) {
				clean = append(clean, x)
			}
		}
		*list = clean
	}
	for _, x := range b.Blocked {
		if _, ok := v.Actors[x]; !ok {
			known := make([]string, 0, len(v.Actors))
			for k := range v.Actors {
				known = append(known, k)
			}
			slices.Sort(known)
			problems = append(problems, route.Unknown("kind of organisation", x, known))
		}
	}
	if b.Title == "" {
		problems = append(problems, "give it a title: what stops whom")
	}
	if b.Systemic < 1 || b.Systemic >= len(Systemic) {
		problems = append(problems, fmt.Sprintf("the systemic barrier is 1 to 7, not %d", b.Systemic))
	}
	if !slices.Contains(BarrierStates(), b.State) {
		problems = append(problems, route.Unknown("state", b.State, BarrierStates()))
	}
	if b.Changed != "" {
		if err := route.Date("day of the change", b.Changed); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if n := cell(b.Elsewhere); n.Withheld || b.Elsewhere < 0 || b.Days < 0 || b.Elsewhere == 0 && b.Days > 0 {
		problems = append(problems, fmt.Sprintf("cases counted elsewhere are none or at least %d, and days belong to cases", Threshold))
	}
	for _, text := range slices.Concat([]string{b.Title, b.Unblock, b.Depends, b.Detail, b.Remaining, b.Reform}, b.Laws) {
		if detail(text) {
			problems = append(problems, fmt.Sprintf("%q reads like a detail of a case, and none goes on the register", text))
		}
		if len(text) > 1000 {
			problems = append(problems, "a text has at most 1,000 characters")
		}
	}
	if problems != nil {
		return b, fault.New(fault.Invalid, "The barrier was not kept: "+strings.Join(problems, "; ")+".")
	}
	return b, nil
}

// Rank puts barriers in the order in which they stop most, by nothing but what
// the register gives out: a withheld count ranks as none, so that the order tells
// nothing of it.
func Rank(list []Kept) {
	slices.SortStableFunc(list, func(a, b Kept) int {
		return cmp.Or(cmp.Compare(b.Cases().Count, a.Cases().Count), cmp.Compare(b.DaysLost().Count, a.DaysLost().Count),
			cmp.Compare(slices.Index(BarrierStates(), a.State), slices.Index(BarrierStates(), b.State)), cmp.Compare(a.ID, b.ID))
	})
}

// seedBarriers fills an empty register from the illustrative seed.
func (s *Service) seedBarriers(ctx context.Context) error {
	seed, err := law.Barriers()
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if any, err := anyBarrier(ctx, tx); err != nil || any {
			return err
		}
		for _, x := range seed {
			b := Barrier{ID: x.ID, Title: x.Title, Systemic: x.Barrier, Laws: x.Refs, State: x.State, Changed: x.Changed,
				Detail: strings.TrimSuffix(strings.Join([]string{x.Detail, x.StatusNote}, "; "), "; "), Remaining: x.Remaining, Source: x.Source, Seeded: true}
			b.Blocked = s.blockedBy(x.Refs)
			if b, err = b.read(s.Law().Set.Vocab); err != nil {
				return err
			}
			if err := saveBarrier(ctx, tx, Kept{Barrier: b, Edit: 1}, 0, "", s.clock.Now()); err != nil {
				return err
			}
		}
		_, err := s.record(ctx, tx, s.Law().Digest, "gateway-barrier", "seed", "", len(seed))
		return err
	})
}

// blockedBy is who would give under the named rows.
func (s *Service) blockedBy(laws []string) []string {
	out := []string{}
	for _, id := range laws {
		if g, ok := s.Law().Finder.Gateway(id); ok {
			out = append(out, g.From...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// keepBarrier writes a barrier, its edit and the entry in the log. was is the
// edit that it replaces; 0: it is new.
func (s *Service) keepBarrier(ctx context.Context, tx *store.Tx, who string, k Kept, was int) error {
	if err := saveBarrier(ctx, tx, k, was, who, s.clock.Now()); err != nil {
		return err
	}
	_, err := s.record(ctx, tx, s.Law().Digest, "gateway-barrier", k.ID, who, map[string]any{"edit": k.Edit, "removed": k.Removed, "barrier": k.Barrier})
	return err
}

// Barriers lists the register in its order.
func (s *Service) Barriers(ctx context.Context) (out []Kept, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = readBarriers(ctx, tx)
		return err
	})
	out = slices.DeleteFunc(out, func(k Kept) bool { return k.Removed })
	Rank(out)
	return out, err
}

// Barrier gives one, also a removed one, with its edits.
func (s *Service) Barrier(ctx context.Context, id string) (k Kept, edits []BarrierEdit, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if k, err = readBarrier(ctx, tx, id); err != nil {
			return err
		}
		edits, err = readBarrierEdits(ctx, tx, id)
		return err
	})
	return k, edits, err
}

// RecordBarrier adds one to the register.
func (s *Service) RecordBarrier(ctx context.Context, who Person, b Barrier) (Kept, error) {
	id, err := s.newID()
	if err != nil {
		return Kept{}, err
	}
	b.ID, b.Seeded = "BR-"+id[:12], false
	if b, err = b.read(s.Law().Set.Vocab); err != nil {
		return Kept{}, err
	}
	k := Kept{Barrier: b, Edit: 1}
	return k, s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return s.keepBarrier(ctx, tx, who.ID, k, 0) })
}

var errKeeper = fault.New(fault.Forbidden, "Only a gateway officer or a programme lead changes the register.")

// EditBarrier replaces what stands there; attaching a reform is an edit.
func (s *Service) EditBarrier(ctx context.Context, who Person, edit int, b Barrier) (Kept, error) {
	return s.changeBarrier(ctx, who, b.ID, edit, func(k *Kept) (err error) {
		b.Seeded = false
		k.Barrier, err = b.read(s.Law().Set.Vocab)
		return err
	})
}

// RemoveBarrier takes one off the register; undo brings it back.
func (s *Service) RemoveBarrier(ctx context.Context, who Person, id string, edit int) (Kept, error) {
	return s.changeBarrier(ctx, who, id, edit, func(k *Kept) error {
		k.Removed = true
		return nil
	})
}

// UndoBarrier brings back what stood before the last edit, as a new edit.
func (s *Service) UndoBarrier(ctx context.Context, who Person, id string, edit int) (k Kept, err error) {
	if !who.Keeper {
		return k, errKeeper
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if k, err = readBarrier(ctx, tx, id); err != nil {
			return err
		}
		if k.Edit != edit {
			return fault.New(fault.Conflict, "Somebody else changed this meanwhile. Load it again.")
		}
		edits, err := readBarrierEdits(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(edits) < 2 {
			return fault.New(fault.Conflict, "There is nothing to undo: this is the first text of the barrier.")
		}
		was := edits[1]
		k.Barrier, k.Removed, k.Edit = was.Barrier, was.Removed, k.Edit+1
		return s.keepBarrier(ctx, tx, who.ID, k, edit)
	})
	return k, err
}

func (s *Service) changeBarrier(ctx context.Context, who Person, id string, edit int, change func(*Kept) error) (k Kept, err error) {
	if !who.Keeper {
		return k, errKeeper
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if k, err = readBarrier(ctx, tx, id); err != nil {
			return err
		}
		if k.Edit != edit {
			return fault.New(fault.Conflict, "Somebody else changed this meanwhile. Load it again.")
		}
		if err := change(&k); err != nil {
			return err
		}
		k.ID, k.Edit = id, edit+1
		return s.keepBarrier(ctx, tx, who.ID, k, edit)
	})
	return k, err
}

// A Case is what the register learns of one answer that was no yes.
type Case struct {
	Barrier string
	Why     string
	Days    int    // lost
	Origin  string // names the answer; it is kept as a digest
}

// AddCase counts a case once.
func (s *Service) AddCase(ctx context.Context, who Person, c Case) error {
	if c.Days < 0 || c.Days > 3650 {
		return fault.New(fault.Invalid, "Days lost are 0 to 3,650.")
	}
	if !slices.Contains([]string{WhyNoRoute, WhyCounsel, WhyDeadline}, c.Why) || c.Origin == "" {
		return fault.New(fault.Invalid, "A case says why it stands on the register: no route, ask counsel or a missed deadline.")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		k, err := readBarrier(ctx, tx, c.Barrier)
		if err != nil {
			return err
		}
		if k.Removed {
			return fault.New(fault.Conflict, "This barrier was taken off the register.")
		}
		added, err := insertCase(ctx, tx, c, digestOf(who.Organisation+"|"+c.Why+"|"+c.Origin), who.Organisation, s.clock.Now().UTC().Format("2006-01"))
		if err != nil || !added {
			return err
		}
		_, err = s.record(ctx, tx, s.Law().Digest, "gateway-barrier", c.Barrier, who.ID, map[string]string{"case": c.Why})
		return err
	})
}
