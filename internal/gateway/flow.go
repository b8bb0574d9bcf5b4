package gateway

import (
	"context"
	"slices"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/permit"
	"parallax/internal/store"
)

// A Flow is something that is about to leave.
type Flow struct {
	Kind         string // one of law.Flows
	Decision     string // id of the decision that it rests on
	To           string // the organisation that would receive
	ToActor      string // its kind, where that is known
	By           string // who sends
	Organisation string // whom the sender acts for
	Ref          string // what it is
	Provenance   []string
}

// A Ruling says under what a flow may go.
type Ruling struct {
	Decision string
	Route    []string
	Version  string // of the law data
}

// Lawful answers whether a flow may go, and records it in the caller's
// transaction with its entry in the log. It rests on a standing decision that two
// counsel signed, or on a request that an officer approved. An error means that
// nothing may leave.
func (s *Service) Lawful(ctx context.Context, tx *store.Tx, f Flow) (Ruling, error) {
	if f.Decision == "" {
		return Ruling{}, fault.Newf(fault.Forbidden, "The gateway refuses: every %s names the decision that it rests on.", f.Kind)
	}
	if f.Ref == "" || f.By == "" || !slices.Contains(law.Flows(), f.Kind) {
		return Ruling{}, fault.New(fault.Forbidden, "The gateway refuses: a flow says what it is, of which kind and who sends it.")
	}
	data := s.Law()
	ruling, err := s.standing(data, f)
	if fault.Is(err, fault.NotFound) {
		ruling, err = s.approved(ctx, tx, data, f)
	}
	if err != nil {
		return Ruling{}, err
	}
	ticket, err := s.record(ctx, tx, data.Digest, "gateway-flow", f.Kind+"/"+f.Ref, f.By, ruling)
	if err != nil {
		return Ruling{}, err
	}
	return ruling, insertFlow(ctx, tx, f, ruling, data.Digest, ticket, s.clock.Now())
}

// standing rules by a decision of the signed law data; NotFound where it holds
// none of that id.
func (s *Service) standing(data law.Deployed, f Flow) (Ruling, error) {
	if !slices.ContainsFunc(data.Decisions, func(d law.Decision) bool { return d.ID == f.Decision }) {
		return Ruling{}, fault.New(fault.NotFound, "no standing decision")
	}
	d, r, err := data.Standing(f.Decision, s.today())
	if err != nil {
		return Ruling{}, err
	}
	if err := fits(f, d.Flow, d.To, d.Recipient); err != nil {
		return Ruling{}, err
	}
	if slices.Contains(f.Provenance, SMRDerived) && !d.AllowSMR {
		return Ruling{}, fault.Newf(fault.Forbidden, "The gateway refuses: %s does not carry material that stems from a report of suspicion.", d.ID)
	}
	return Ruling{Decision: d.ID, Route: r.IDs, Version: data.Set.Meta.DataVersion}, nil
}

// approved rules by a request that an officer approved.
func (s *Service) approved(ctx context.Context, tx *store.Tx, data law.Deployed, f Flow) (Ruling, error) {
	r, err := readRequest(ctx, tx, f.Organisation, f.Decision)
	if fault.Is(err, fault.NotFound) {
		return Ruling{}, fault.Newf(fault.Forbidden, "The gateway refuses: there is no decision %q here for this organisation.", f.Decision)
	}
	if err != nil {
		return Ruling{}, err
	}
	if err := r.carries(data, s.today()); err != nil {
		return Ruling{}, err
	}
	if err := fits(f, r.Draft.Flow, r.Draft.Question.To, r.Draft.Recipient); err != nil {
		return Ruling{}, err
	}
	for _, flag := range f.Provenance {
		if !slices.Contains(r.Draft.Provenance, flag) {
			return Ruling{}, fault.Newf(fault.Forbidden, "The gateway refuses: the material is marked %s and the request says nothing of that.", flag)
		}
	}
	return Ruling{Decision: r.ID, Route: r.Decision.Route, Version: data.Set.Meta.DataVersion}, nil
}

// carries says whether the approval of a request may be used on a day: it stands,
// the data that counsel signed is in force, its answer is what the officer saw, and
// finder and Cedar let the route go on that day.
func (r Request) carries(data law.Deployed, day string) error {
	if r.State != Approved || r.Decision == nil {
		return fault.Newf(fault.Forbidden, "The gateway refuses: request %s is %s, not approved.", r.ID, r.State)
	}
	if err := over(data, day); err != nil {
		return err
	}
	if why := r.otherwise(data); why != "" {
		return fault.Newf(fault.Forbidden, "The gateway refuses: the approval of request %s is void, because %s.", r.ID, why)
	}
	q := r.Draft.Question
	q.AsOf = day
	_, err := permit.Check(data.Finder, q, r.Decision.Route)
	return err
}

// over refuses data that counsel signed for other days than this.
func over(data law.Deployed, day string) error {
	if data.SignedBy == nil {
		return nil
	}
	if err := data.Statement.Effective(day); err != nil {
		return fault.Wrap(fault.Forbidden, "The gateway refuses: what counsel signed is over. "+whole(err), err)
	}
	return nil
}

// fits holds a flow to what was decided: its kind, and who receives.
func fits(f Flow, kind, actor, recipient string) error {
	switch {
	case kind != f.Kind:
		return fault.Newf(fault.Forbidden, "The gateway refuses: %s is a decision about %s, and this is %s.", f.Decision, orNothing(kind), f.Kind)
	case recipient != "" && recipient != f.To:
		return fault.Newf(fault.Forbidden, "The gateway refuses: %s is a decision for another recipient.", f.Decision)
	case recipient == "" && f.ToActor != actor:
		return fault.Newf(fault.Forbidden, "The gateway refuses: %s is a decision for a recipient of kind %s.", f.Decision, actor)
	}
	return nil
}

func orNothing(kind string) string {
	if kind == "" {
		return "no flow of the pool"
	}
	return kind
}

// Flows gives the newest flows of a decision, for its card.
func (s *Service) Flows(ctx context.Context, decision string, n int) (out []Flown, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = readFlows(ctx, tx, decision, n)
		return err
	})
	return out, err
}
