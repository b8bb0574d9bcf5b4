package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/permit"
	"parallax/internal/store"
)

// Ask keeps a request and shows its card. Any answer is kept, also a "no": it is
// what the register of barriers grows from.
func (s *Service) Ask(ctx context.Context, who Person, d Draft) (Request, error) {
	var r Request
	if who.Organisation == "" || who.ID == "" {
		return r, fault.New(fault.Forbidden, "A request is a person's, for an organisation.")
	}
	data := s.Law()
	d, card, err := Evaluate(data, d)
	if err != nil {
		return r, err
	}
	id, err := s.newID()
	if err != nil {
		return r, err
	}
	now := s.clock.Now()
	r = Request{ID: id, Organisation: who.Organisation, Author: who.ID, Edit: 1, Draft: d, Card: card, State: Asked,
		Done: map[string]int64{}, Created: now, Changed: now}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := insertRequest(ctx, tx, r); err != nil {
			return err
		}
		return s.happened(ctx, tx, data, r, who.ID, "gateway-request", "asked", card.Answer.Answer)
	})
	return r, err
}

// change does one act on a request of the person's organisation, writes what
// happened and keeps it, all in one transaction.
func (s *Service) change(ctx context.Context, data law.Deployed, who Person, id, kind string, act func(r *Request) (what, note string, err error)) (Request, error) {
	var r Request
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if r, err = readRequest(ctx, tx, who.Organisation, id); err != nil {
			return err
		}
		was := r
		what, note, err := act(&r)
		if err != nil {
			return err
		}
		r.Changed = s.clock.Now()
		if err := updateRequest(ctx, tx, r, was); err != nil {
			return err
		}
		return s.happened(ctx, tx, data, r, who.ID, kind, what, note)
	})
	return r, err
}

func (s *Service) happened(ctx context.Context, tx *store.Tx, data law.Deployed, r Request, who, kind, what, note string) error {
	if _, err := s.record(ctx, tx, data.Digest, kind, r.ID, who, map[string]string{"state": r.State, "edit": fmt.Sprint(r.Edit), "print": r.Card.Print, "what": what, "note": note}); err != nil {
		return err
	}
	return insertEvent(ctx, tx, r.ID, Event{At: s.clock.Now(), Who: who, What: what, Note: note})
}

// Edit replaces what a requester wrote. Whatever the officer said of it before
// is void.
func (s *Service) Edit(ctx context.Context, who Person, id string, edit int, d Draft) (Request, error) {
	data := s.Law()
	d, card, err := Evaluate(data, d)
	if err != nil {
		return Request{}, err
	}
	return s.change(ctx, data, who, id, "gateway-request", func(r *Request) (string, string, error) {
		switch {
		case r.Author != who.ID:
			return "", "", fault.New(fault.Forbidden, "Only who made the request edits it.")
		case r.State == Withdrawn:
			return "", "", fault.New(fault.Conflict, "The request was withdrawn. Make another one.")
		case r.Edit != edit:
			return "", "", fault.Wrap(fault.Conflict, "The request was edited meanwhile. Look at it again.", errStale)
		}
		note := ""
		if r.Decision != nil {
			note = "the decision about the text before is void"
		}
		r.Edit, r.Draft, r.Card, r.Decision, r.State, r.Done = r.Edit+1, d, card, nil, Asked, map[string]int64{}
		return "edited", note, nil
	})
}

// Withdraw ends a request; what was approved of it may not be used any more.
func (s *Service) Withdraw(ctx context.Context, who Person, id string) (Request, error) {
	return s.change(ctx, s.Law(), who, id, "gateway-request", func(r *Request) (string, string, error) {
		if r.Author != who.ID && !who.Officer {
			return "", "", fault.New(fault.Forbidden, "Only who made the request, or a gateway officer, withdraws it.")
		}
		if r.State == Withdrawn {
			return "", "", fault.New(fault.Conflict, "The request is withdrawn already.")
		}
		r.State = Withdrawn
		return "withdrawn", "", nil
	})
}

// Shown is what an officer had before the eyes: the edit and the card's print.
type Shown struct {
	Edit  int
	Print string
}

// Approve lets one route of a card be used. The officer is another person than
// the requester; the card must still say what was shown; the route must compile
// to a permit that Cedar allows.
func (s *Service) Approve(ctx context.Context, who Person, id string, shown Shown, ids []string, reason string) (Request, error) {
	data := s.Law()
	return s.change(ctx, data, who, id, "gateway-decision", func(r *Request) (string, string, error) {
		if err := s.mayDecide(data, who, r, shown); err != nil {
			return "", "", err
		}
		text, err := compiled(data, r.Draft, ids)
		if err != nil {
			return "", "", err
		}
		r.State = Approved
		r.Decision = &Decision{By: who.ID, Route: ids, Print: r.Card.Print, Reason: reason, Permit: text, At: s.clock.Now().UnixMicro()}
		return "approved", strings.Join(ids, " then "), nil
	})
}

// Refuse says no, with a reason.
func (s *Service) Refuse(ctx context.Context, who Person, id string, shown Shown, reason string) (Request, error) {
	data := s.Law()
	return s.change(ctx, data, who, id, "gateway-decision", func(r *Request) (string, string, error) {
		if err := s.mayDecide(data, who, r, shown); err != nil {
			return "", "", err
		}
		if strings.TrimSpace(reason) == "" {
			return "", "", fault.New(fault.Invalid, "Say why: the requester needs to know what would change the answer.")
		}
		r.State = Refused
		r.Decision = &Decision{By: who.ID, Print: r.Card.Print, Reason: reason, At: s.clock.Now().UnixMicro()}
		return "refused", reason, nil
	})
}

// mayDecide checks who decides, about what, and that it is still so.
func (s *Service) mayDecide(data law.Deployed, who Person, r *Request, shown Shown) error {
	switch {
	case !who.Officer:
		return fault.New(fault.Forbidden, "Only a gateway officer decides about requests.")
	case who.ID == r.Author:
		return fault.New(fault.Forbidden, "Nobody decides about a request of their own.")
	case r.State != Asked && r.State != Void:
		return fault.Newf(fault.Conflict, "The request is %s; there is nothing to decide.", r.State)
	}
	_, now, err := Evaluate(data, r.Draft)
	if err != nil {
		return err
	}
	if r.Edit != shown.Edit || now.Print != shown.Print {
		return fault.Wrap(fault.Conflict, "The request or its answer is not what was shown any more. Nothing was decided; look at it again.", errStale)
	}
	r.Card = now
	return nil
}

// compiled is the permit of an approved route, in Cedar's words.
func compiled(data law.Deployed, d Draft, ids []string) (string, error) {
	r, err := permit.Check(data.Finder, d.Question, ids)
	if err != nil {
		return "", err
	}
	if slices.Contains(d.Provenance, SMRDerived) {
		if why := smrStops(d.Question.To); why != "" {
			return "", fault.New(fault.Forbidden, "The gateway refuses: "+why)
		}
	}
	var set permit.Set
	if err := set.Add(data.Finder, d.Question, r); err != nil {
		return "", fault.Wrap(fault.Forbidden, "The gateway refuses: the route cannot be made into a permit.", err)
	}
	return set.Text(), nil
}

// authorities are the kinds of body that may hold what stems from a report of
// suspicion.
var authorities = []string{"au.fiu", "au.police", "au.agency", "au.esafety", "au.childprotection"}

func smrStops(to string) string {
	if slices.Contains(authorities, to) {
		return ""
	}
	return "material that stems from a report of suspicion goes to authorities only, and never into evidence. Obtain the underlying records again by compulsory process."
}

// SetDone says when a duty of a request was done, or takes it back with the
// zero time.
func (s *Service) SetDone(ctx context.Context, who Person, id, gateway string, at time.Time) (Request, error) {
	return s.change(ctx, s.Law(), who, id, "gateway-request", func(r *Request) (string, string, error) {
		i := slices.IndexFunc(r.Card.Deadlines, func(d Deadline) bool { return d.Gateway == gateway })
		switch {
		case i < 0:
			return "", "", fault.Newf(fault.Invalid, "The request counts no deadline of %s.", gateway)
		case at.IsZero():
			delete(r.Done, gateway)
			return "duty not done", gateway, nil
		case at.After(s.clock.Now()):
			return "", "", fault.New(fault.Invalid, "What was done lies in the past.")
		}
		r.Done[gateway] = at.UnixMicro()
		return "duty done", gateway + ": " + r.Card.Deadlines[i].State(s.clock.Now(), at), nil
	})
}

// Event is one thing that happened to a request.
type Event struct {
	At   time.Time
	Who  string
	What string
	Note string
}

// Get gives a request of the person's organisation, with what happened to it.
func (s *Service) Get(ctx context.Context, who Person, id string) (r Request, events []Event, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if r, err = readRequest(ctx, tx, who.Organisation, id); err != nil {
			return err
		}
		events, err = readEvents(ctx, tx, id)
		return err
	})
	return r, events, err
}

// List gives the newest requests of the person's organisation, at most n, made
// before a time.
func (s *Service) List(ctx context.Context, who Person, before time.Time, n int) (out []Request, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listRequests(ctx, tx, who.Organisation, before, n)
		return err
	})
	return out, err
}
