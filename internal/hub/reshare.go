package hub

import (
	"context"
	"net/http"
	"strconv"

	"parallax/client"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// Kinds of log entries about the key shares.
const (
	logReshareOrder = "reshare-order"
	logReshareEnded = "reshare-ended"
	logReshared     = "reshared"
	logDestroyed    = "shares-destroyed"
)

// A ReshareRecord is what the log commits to for each step of a resharing.
type ReshareRecord struct {
	Type       string       `json:"type"` // reshare-order, reshare-ended, reshared or shares-destroyed
	Pool       string       `json:"pool"`
	Epoch      string       `json:"epoch"`
	Generation int          `json:"generation"`
	Attempt    int          `json:"attempt,omitempty"`
	By         string       `json:"by,omitempty"`     // who ended the run or destroyed its share
	Reason     string       `json:"reason,omitempty"` // as governance or a holder says it
	What       opening.Hash `json:"what"`             // digest of what was signed; of a complete run its record
}

// note puts a step into the log in the transaction of the act.
func (s *Server) note(ctx context.Context, tx *store.Tx, r ReshareRecord) error {
	r.Pool, r.Epoch = s.o.Plan.Pool, s.o.Plan.Epoch
	raw, err := signed.Marshal(r)
	if err != nil {
		return err
	}
	s.o.Log.Info("key shares", "step", r.Type, "generation", r.Generation, "attempt", r.Attempt, "by", r.By)
	_, err = s.tlog.Append(ctx, tx, r.Type, raw)
	return err
}

func (s *Server) getReshare(r *http.Request) (client.ReshareView, error) {
	return s.state.reshareView(r.Context())
}

// byOrder is the proof of an order to reshare: the governance quorum signed it.
func byOrder(s *Server, o client.SignedOrder) (authz.Principal, error) {
	if _, err := o.Open(s.o.Plan.Governance); err != nil {
		return authz.Principal{}, fault.Wrap(fault.Forbidden, "The order was refused: "+err.Error()+".", err)
	}
	return authz.Principal{Kind: authz.Governance}, nil
}

// postOrder opens a run. It is checked as every holder checks it, so that a
// mistake shows before anybody deals.
func (s *Server) postOrder(r *http.Request, so client.SignedOrder) (client.ReshareView, error) {
	o, err := so.Open(s.o.Plan.Governance)
	if err != nil {
		return client.ReshareView{}, err
	}
	refuse := func(err error) (client.ReshareView, error) {
		return client.ReshareView{}, fault.Wrap(fault.Forbidden, "The order was refused: "+err.Error()+".", err)
	}
	m, ok := s.state.current()
	if !ok {
		return client.ReshareView{}, fault.New(fault.Conflict, "The hub has no manifest yet; key shares are reshared under one.")
	}
	setup, err := s.state.setup()
	if err != nil {
		return client.ReshareView{}, err
	}
	if _, err := setup.Run(o, so.Digest()); err != nil {
		return refuse(err)
	}
	if err := o.Under(m); err != nil {
		return refuse(err)
	}
	if s.o.Clock.Now().UnixMicro() >= o.Expires {
		return client.ReshareView{}, fault.New(fault.Forbidden, "The order was refused: it has expired.")
	}
	err = s.state.putOrder(r.Context(), o, so, func(ctx context.Context, tx *store.Tx) error {
		return s.note(ctx, tx, ReshareRecord{Type: logReshareOrder, Generation: o.Generation, Attempt: o.Attempt, Reason: o.Reason, What: so.Digest()})
	})
	if err != nil {
		return client.ReshareView{}, err
	}
	return s.state.reshareView(r.Context())
}

// postReshare takes a message of the run that is open into a party's place, with
// that party's signature for exactly this place.
func (s *Server) postReshare(r *http.Request, m client.CeremonyMessage) (struct{}, error) {
	place, err := strconv.Atoi(r.PathValue("place"))
	step := r.PathValue("step")
	if err != nil || (step != client.StepKey && step != client.StepDeal && step != client.StepTake) {
		return struct{}{}, fault.New(fault.NotFound, "A resharing has no such place.")
	}
	return struct{}{}, s.state.putReshare(r.Context(), r.PathValue("order"), step, place, m.Message, s.note)
}

// postDestroyed keeps a holder's statement that it destroyed a share that is
// over. The first one stands; another of the same holder changes nothing.
func (s *Server) postDestroyed(r *http.Request, o signed.Object) (struct{}, error) {
	generation, err1 := strconv.Atoi(r.PathValue("generation"))
	index, err2 := strconv.Atoi(r.PathValue("index"))
	setup, err := s.state.setup()
	if err1 != nil || err2 != nil || err != nil {
		return struct{}{}, fault.New(fault.NotFound, "There is no share of this place.")
	}
	d, err := setup.OpenDestroyed(generation, index, o)
	if err != nil {
		return struct{}{}, fault.Wrap(fault.Forbidden, "The statement was refused: "+err.Error()+".", err)
	}
	return struct{}{}, s.state.putDestroyed(r.Context(), generation, index, o, func(ctx context.Context, tx *store.Tx) error {
		return s.note(ctx, tx, ReshareRecord{Type: logDestroyed, Generation: generation, By: d.Holder, What: opening.Digest(o.Body)})
	})
}
