package demo

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/sim"
	"parallax/seal"
)

// inboxLife is how long a tour trusts what the authority's desk last said; each
// look is logged at the hub.
const inboxLife = 5 * time.Second

// A tour is what the start page shows: the running stage, and which of its
// leads the visitor follows. It alone reads the truth, as a guide would.
type tour struct {
	s *stage

	// followed is the lead of the walk; its first row is the member's whose file
	// the walk begins with. Empty where the world has no true lead.
	followed []sim.Ref
	spare    []sim.Ref // another true lead, for the attempt without approval
	labels   map[sim.Ref]seal.Label

	mu      sync.Mutex // owns what follows
	box     desk.Inbox
	boxAt   time.Time // by the machine's clock; zero: look again
	read    *desk.Lead
	mistake *correction
	tried   []attempt
}

// correction is what the withdrawal of the false lead changed.
type correction struct {
	Before, After int // leads ready
	Result        desk.Withdrawal
}

func newTour(ctx context.Context, s *stage, fresh bool) (*tour, error) {
	t := &tour{s: s, labels: make(map[sim.Ref]seal.Label)}
	if fresh {
		return t, nil
	}
	t.followed, t.spare = choose(s.data)
	for _, r := range []sim.Ref{first(t.followed), first(t.spare), t.planted()} {
		if r == (sim.Ref{}) {
			continue
		}
		own, err := t.own(ctx, r)
		if err != nil {
			return nil, err
		}
		t.labels[r] = own.Label
	}
	return t, nil
}

func first(list []sim.Ref) sim.Ref {
	if len(list) == 0 {
		return sim.Ref{}
	}
	return list[0]
}

// planted is the row of the false lead.
func (t *tour) planted() sim.Ref {
	w := t.s.data.Truth.Withdraw[0]
	return sim.Ref{Organisation: w.Organisation, Reference: w.Reference}
}

// choose picks the lead to follow: one that a bank takes part in, if there is
// one, and that shows most organisations. The bank's row comes first.
func choose(d *sim.Data) (followed, spare []sim.Ref) {
	planted := d.Truth.Withdraw[0]
	var leads [][]sim.Ref
	for _, g := range d.Leads() {
		if !slices.Contains(g, sim.Ref{Organisation: planted.Organisation, Reference: planted.Reference}) {
			leads = append(leads, g)
		}
	}
	worth := func(g []sim.Ref) int {
		orgs := make(map[string]bool)
		n := 0
		for _, r := range g {
			if !orgs[r.Organisation] && slices.Contains(served, r.Organisation) {
				n++ // its desk has a page to look at
			}
			orgs[r.Organisation] = true
		}
		n += 2 * len(orgs)
		if bankRow(g) >= 0 {
			n += 4
		}
		return n
	}
	slices.SortStableFunc(leads, func(a, b []sim.Ref) int { return worth(b) - worth(a) })
	if len(leads) == 0 {
		return nil, nil
	}
	followed = slices.Clone(leads[0])
	if i := bankRow(followed); i > 0 {
		followed[0], followed[i] = followed[i], followed[0]
	}
	if len(leads) > 1 {
		spare = leads[1]
	}
	return followed, spare
}

func bankRow(g []sim.Ref) int {
	return slices.IndexFunc(g, func(r sim.Ref) bool { return strings.HasPrefix(r.Organisation, "bank-") })
}

// own asks a desk what it submitted under a reference.
func (t *tour) own(ctx context.Context, r sim.Ref) (desk.OwnRecord, error) {
	var list []desk.OwnRecord
	if err := t.s.deskJSON(ctx, r.Organisation, &list, "show", "--ref", r.Reference); err != nil {
		return desk.OwnRecord{}, err
	}
	if len(list) == 0 {
		return desk.OwnRecord{}, fault.Newf(fault.NotFound, "The desk of %s knows no row %s.", title(r.Organisation), r.Reference)
	}
	return list[0], nil
}

// inbox is what the authority's desk lists, at most a few seconds old.
func (t *tour) inbox(ctx context.Context) (desk.Inbox, error) {
	t.mu.Lock()
	box, at := t.box, t.boxAt
	t.mu.Unlock()
	if !at.IsZero() && t.s.say.clock.Now().Sub(at) < inboxLife {
		return box, nil
	}
	t.s.mu.Lock()
	box, err := t.s.inbox(ctx)
	t.s.mu.Unlock()
	if err != nil {
		return box, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.box, t.boxAt = box, t.s.say.clock.Now()
	return box, nil
}

// act does one thing at a time and forgets what was seen before it.
func (t *tour) act(do func() error) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	err := do()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.boxAt = time.Time{}
	return refusal(err)
}

// refusal keeps a command's own sentence for the page.
func refusal(err error) error {
	if f, ok := asFailed(err); ok {
		return fault.Wrap(fault.Conflict, f.Sentence(), err)
	}
	return err
}

// progress of the followed lead, from what the desks and the hub say.
type progress struct {
	Lead    *client.Lead         // ready, not requested
	Opening *client.OpeningState // requested or further
	Read    *desk.Lead
}

// where finds the lead that holds a row, ready or requested.
func (t *tour) where(ctx context.Context, r sim.Ref) (progress, error) {
	var p progress
	label, ok := t.labels[r]
	if !ok {
		return p, nil
	}
	box, err := t.inbox(ctx)
	if err != nil {
		return p, err
	}
	for i := range box.Leads {
		if slices.Contains(box.Leads[i].Labels, label) {
			p.Lead = &box.Leads[i]
		}
	}
	for i := range box.Openings {
		req, err := requestOf(box.Openings[i])
		if err != nil {
			return p, err
		}
		if slices.Contains(req.Labels, label) {
			p.Opening = &box.Openings[i]
		}
	}
	if r == first(t.followed) {
		t.mu.Lock()
		p.Read = t.read
		t.mu.Unlock()
	}
	return p, nil
}
