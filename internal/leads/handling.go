package leads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// A stepRow is one signed step after an opening.
type stepRow struct {
	Number  int
	Digest  opening.Hash
	Signed  signed.Object
	Ticket  string
	Gateway string
	At      time.Time
}

// Handle takes the next step after an opening, signed by an approver of the
// authority: it is in the log, and what it lets flow is under a lawful route,
// in the same transaction. The same step again changes nothing.
func (s *Service) Handle(ctx context.Context, m opening.Manifest, by string, req client.HandleRequest) (client.OpeningState, error) {
	if err := approver(m, by, opening.RoleAuthority); err != nil {
		return client.OpeningState{}, err
	}
	h, digest, err := opening.OpenHandling(m, req.Handling)
	if err == nil && h.Author != by {
		err = errors.New("it is signed by somebody else than its sender")
	}
	if off := s.clock.Now().UnixMicro() - h.Time; err == nil && (off < -signed.Window.Microseconds() || off > signed.Window.Microseconds()) {
		err = errors.New("it is not dated now")
	}
	if err != nil {
		return client.OpeningState{}, fault.Wrap(fault.Invalid, "The step was refused: "+err.Error()+".", err)
	}
	whose, err := s.owners(ctx, req.ID)
	if err != nil {
		return client.OpeningState{}, err
	}
	var out client.OpeningState
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := s.step(ctx, tx, m, req, h, digest, whose); err != nil {
			return err
		}
		out, err = s.viewOf(ctx, tx, req.ID)
		return err
	})
	return out, err
}

func (s *Service) step(ctx context.Context, tx *store.Tx, m opening.Manifest, req client.HandleRequest, h opening.Handling, digest opening.Hash, whose map[seal.Label]string) error {
	o, err := readOpening(ctx, tx, req.ID)
	if err != nil {
		return err
	}
	if o.State != Released || o.Digest != h.Request {
		return fault.New(fault.Conflict, "Only an opening that key holders have released is handled, and each step names its request.")
	}
	r, c, steps, err := caseOf(ctx, tx, o)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(steps, func(x stepRow) bool { return x.Digest == digest }) {
		return nil
	}
	if _, err := c.Next(h, digest, r.Playbook); err != nil {
		return fault.Wrap(fault.Conflict, "The step was refused: "+err.Error()+".", err)
	}
	row := stepRow{Number: h.Number, Digest: digest, Signed: req.Handling, At: s.clock.Now()}
	if row.Ticket, err = s.logStep(ctx, tx, m.Pool, h.Step, digest); err != nil {
		return err
	}
	if h.To != "" {
		ruling, err := s.mayFlow(ctx, tx, Flow{Kind: FlowReferral, Gateway: h.Gateway, To: h.To, By: h.Author, Ref: digest.String(), Provenance: h.Provenance})
		if err != nil {
			return err
		}
		row.Gateway = ruling.Gateway
	}
	if h.Step == opening.StepRelease {
		if err := s.takeNotes(ctx, tx, m, o.ID, whose, h, row.Ticket, req.Notes); err != nil {
			return err
		}
	} else if len(req.Notes) > 0 {
		return fault.New(fault.Invalid, "Only a release brings notes for contributors.")
	}
	return insertStep(ctx, tx, o.ID, row)
}

// A StepRecord is what the log commits to for a step after an opening, and for
// a review: that there was one, not what it says.
type StepRecord struct {
	Type string       `json:"type"` // "handling" or "review"
	Pool string       `json:"pool"`
	Step string       `json:"step"`
	Of   opening.Hash `json:"of"` // digest of what was signed
}

func (s *Service) logStep(ctx context.Context, tx *store.Tx, poolID, step string, digest opening.Hash) (string, error) {
	kind := "handling"
	if step == stepReview {
		kind = stepReview
	}
	raw, err := signed.Marshal(StepRecord{Type: kind, Pool: poolID, Step: step, Of: digest})
	if err != nil {
		return "", err
	}
	ticket, _, err := s.log.Append(ctx, tx, kind, raw)
	return ticket, err
}

// mayFlow asks for a lawful route. Whatever is not a clear yes is a no.
func (s *Service) mayFlow(ctx context.Context, tx *store.Tx, f Flow) (Ruling, error) {
	if f.Gateway == "" {
		return Ruling{}, fault.New(fault.Forbidden, "Refused: a "+f.Kind+" names the gateway decision that it rests on.")
	}
	r, err := s.lawful.Lawful(ctx, tx, f)
	switch {
	case err != nil && fault.KindOf(err) != fault.Internal:
		return Ruling{}, err
	case err != nil:
		return Ruling{}, fault.Wrap(fault.Unavailable, "Refused: whether this may flow could not be found out.", err)
	case r.Gateway != f.Gateway:
		return Ruling{}, fault.New(fault.Forbidden, "Refused: the answer is for another gateway decision.")
	}
	return r, nil
}

// caseOf folds the steps of an opening.
func caseOf(ctx context.Context, tx *store.Tx, o openingRow) (opening.Request, opening.Case, []stepRow, error) {
	var r opening.Request
	var c opening.Case
	if err := signed.Unmarshal(o.Request.Body, &r); err != nil {
		return r, c, nil, err
	}
	steps, err := readSteps(ctx, tx, o.ID)
	if err != nil {
		return r, c, nil, err
	}
	for _, x := range steps {
		var h opening.Handling
		if err := signed.Unmarshal(x.Signed.Body, &h); err != nil {
			return r, c, nil, err
		}
		if c, err = c.Next(h, x.Digest, r.Playbook); err != nil {
			return r, c, nil, fmt.Errorf("step %d of opening %s: %w", x.Number, o.ID, err)
		}
	}
	return r, c, steps, nil
}

// viewOf is an opening as approvers see it, with what came after the release.
func (s *Service) viewOf(ctx context.Context, tx *store.Tx, id string) (client.OpeningState, error) {
	o, err := readOpening(ctx, tx, id)
	if err != nil {
		return client.OpeningState{}, err
	}
	return s.fullView(ctx, tx, o)
}

func (s *Service) fullView(ctx context.Context, tx *store.Tx, o openingRow) (client.OpeningState, error) {
	holders, err := readHolders(ctx, tx, o.ID)
	if err != nil {
		return client.OpeningState{}, err
	}
	v := o.view(holders)
	if o.State != Released {
		return v, nil
	}
	steps, err := readSteps(ctx, tx, o.ID)
	if err != nil {
		return v, err
	}
	for _, x := range steps {
		v.Handling = append(v.Handling, x.Signed)
	}
	e, ok, err := readEmergency(ctx, tx, o.ID)
	if ok {
		v.ReviewBy, v.Review = e.ReviewBy.UnixMicro(), e.Review
	}
	return v, err
}
