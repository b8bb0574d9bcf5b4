package leads

import (
	"context"
	"slices"
	"time"

	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// rows is how many rows a list shows at once.
const rows = 50

// progress is an opening with what the key holders said of it.
type progress struct {
	openingRow
	request opening.Request
	holders []holderRow
}

// overview is the three lists of the authority: what is ready, what is under
// way and what is over.
type overview struct {
	ready       []leadRow
	under, over []progress
	more        struct{ ready, under, over place } // where each goes on; zero: nowhere
}

// look says which lists are read, and from where.
type look struct{ ready, under, over *place }

// whole refuses a scope that does not reach the whole pool's rows: the gate
// gives that to reviewers of the authority and of its oversight body.
func whole(of scope.Scope) error {
	if !of.Whole() {
		return fault.New(fault.Forbidden, "Leads are open to the authority and its oversight body only.")
	}
	return nil
}

// overview reads the lists that a reviewer looks at. What is shown is in the
// log first; where that fails nothing is shown.
func (s *Service) overview(ctx context.Context, of scope.Scope, m opening.Manifest, by string, l look) (overview, error) {
	var out overview
	if err := whole(of); err != nil {
		return out, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		out = overview{}
		if l.ready != nil {
			if out.ready, err = listReady(ctx, tx, *l.ready, rows+1); err != nil {
				return err
			}
			if len(out.ready) > rows {
				out.ready = out.ready[:rows]
				out.more.ready = place{out.ready[rows-1].Ready, out.ready[rows-1].ID}
			}
		}
		if out.under, out.more.under, err = listProgress(ctx, tx, false, l.under); err != nil {
			return err
		}
		if out.over, out.more.over, err = listProgress(ctx, tx, true, l.over); err != nil {
			return err
		}
		return s.logRead(ctx, tx, "lead-read", m.Pool, by, out.ids())
	})
	if err != nil {
		return overview{}, err
	}
	return out, nil
}

func (o overview) ids() (ids []string) {
	for _, r := range o.ready {
		ids = append(ids, r.ID)
	}
	for _, p := range slices.Concat(o.under, o.over) {
		ids = append(ids, p.ID)
	}
	return ids
}

func listProgress(ctx context.Context, tx *store.Tx, over bool, from *place) (out []progress, more place, err error) {
	if from == nil {
		return nil, place{}, nil
	}
	list, err := listOpenings(ctx, tx, over, *from, rows+1)
	if err != nil {
		return nil, place{}, err
	}
	if len(list) > rows {
		list = list[:rows]
		more = place{list[rows-1].Created.UnixMicro(), list[rows-1].ID}
	}
	out, err = withHolders(ctx, tx, list)
	return out, more, err
}

func withHolders(ctx context.Context, tx *store.Tx, list []openingRow) ([]progress, error) {
	out := make([]progress, len(list))
	for i, o := range list {
		out[i].openingRow = o
		if err := signed.Unmarshal(o.Request.Body, &out[i].request); err != nil {
			return nil, err
		}
		var err error
		if out[i].holders, err = readHolders(ctx, tx, o.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// structure is one lead as the hub can see it: no payload is in it, and the
// hub could not read one.
type structure struct {
	leadRow
	openings []progress
	evidence []piece
	gone     int // observations of the lead that were withdrawn or have expired
}

// A piece is one observation of a lead with what ties it to the others.
type piece struct {
	pool.Observed
	weight int
	shares []share
}

// share says that an observation has an identifier of a person class in common
// with another organisation's.
type share struct {
	tag  opening.HeaderTag
	with string // the organisation
}

// structure reads one lead. The read is in the log before it is returned;
// where that fails nothing is returned.
func (s *Service) structure(ctx context.Context, of scope.Scope, m opening.Manifest, by, id string) (structure, error) {
	if err := whole(of); err != nil {
		return structure{}, err
	}
	var out structure
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		lead, ok, err := readLead(ctx, tx, id)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no such lead.")
		}
		list, err := openingsOf(ctx, tx, id)
		if err != nil {
			return err
		}
		out.leadRow = lead
		out.openings, err = withHolders(ctx, tx, list)
		return err
	})
	if err != nil {
		return structure{}, err
	}
	if err := s.readEvidence(ctx, m, &out); err != nil {
		return structure{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.logRead(ctx, tx, "lead-read", m.Pool, by, []string{id})
	})
	if err != nil {
		return structure{}, err
	}
	return out, nil
}

// readEvidence finds the observations that carry the lead: what its opening
// fixed, or for a ready lead what its observations rest on now. Others of the
// same cluster stay sealed and are not shown.
func (s *Service) readEvidence(ctx context.Context, m opening.Manifest, out *structure) error {
	now := s.clock.Now()
	labels := out.Labels
	if len(out.openings) > 0 {
		labels = out.openings[0].Items
	} else if len(labels) > 0 {
		near, err := s.pool.Near(ctx, labels[0])
		if err != nil {
			return err
		}
		if all, ok := assess(m, near, now).support(m, labels); ok {
			labels = all
		}
	}
	live, err := s.pool.Live(ctx, labels)
	if err != nil {
		return err
	}
	out.gone = len(labels) - len(live)
	out.evidence = pieces(m, live, now)
	return nil
}

// pieces weighs observations and says what each has in common with those of
// other organisations.
func pieces(m opening.Manifest, list []pool.Observed, now time.Time) []piece {
	out := make([]piece, len(list))
	for i, o := range list {
		out[i].Observed = o
		if rule, ok := m.Rule(o.Header.Rule); ok {
			out[i].weight = rule.Weight(o.Header.Fact(o.Label, m, now), now)
		}
		for _, tag := range o.Header.Tags {
			if !tag.Class.Person() {
				continue // objects never link people
			}
			for _, other := range list {
				if other.Header.Organisation != o.Header.Organisation && hasTag(other.Header, tag) {
					out[i].shares = append(out[i].shares, share{tag, other.Header.Organisation})
				}
			}
		}
	}
	return out
}

func hasTag(h opening.Header, tag opening.HeaderTag) bool {
	return slices.ContainsFunc(h.Tags, func(x opening.HeaderTag) bool { return x.Class == tag.Class && x.Tag() == tag.Tag() })
}

// waiting tells whether openings are under way, and a version that changes
// with them. It holds nothing of a lead, so asking for it is no read of one.
func (s *Service) waiting(ctx context.Context) (any bool, version []int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		count, changed, approvals, released, err := underWay(ctx, tx)
		any, version = count > 0, []int64{count, changed, approvals, released}
		return err
	})
	return any, version, err
}
