package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/gateway"
	"parallax/internal/gateway/law"
	"parallax/internal/leads"
	"parallax/internal/store"
	"parallax/internal/transparency"
	"parallax/opening"
	"parallax/tlog"
)

// logAdapter gives the slices the log as they declare it.
type logAdapter struct{ log *transparency.Log }

func (a logAdapter) Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (string, [32]byte, error) {
	t, err := a.log.Append(ctx, tx, kind, record)
	return t.ID, t.Commitment, err
}

func (a logAdapter) Logged(ctx context.Context, ticket string) (bool, error) {
	size, _, err := a.log.Latest(ctx)
	if err != nil || size == 0 {
		return false, err
	}
	_, err = a.log.Prove(ctx, ticket, size)
	if errors.Is(err, transparency.ErrPending) {
		return false, nil
	}
	if errors.Is(err, transparency.ErrForgotten) {
		return true, nil
	}
	return err == nil, err
}

func (a logAdapter) Forget(ctx context.Context, tx *store.Tx, ticket string) error {
	return a.log.Forget(ctx, tx, ticket)
}

func (a logAdapter) Checkpoint(ctx context.Context) ([]byte, int64, error) {
	size, note, err := a.log.Latest(ctx)
	return note, size, err
}

func (a logAdapter) Proof(ctx context.Context, ticket string, size int64) (opening.LogProof, error) {
	p, err := a.log.Prove(ctx, ticket, size)
	return opening.LogProof{Opening: p.Opening, Inclusion: p.Inclusion}, err
}

func (a logAdapter) Consistency(ctx context.Context, old, size int64) (tlog.Consistency, error) {
	return a.log.Consistency(ctx, old, size)
}

// lawful asks the gateway on behalf of leads.
type lawful struct{ s *Server }

// Lawful implements leads.Lawful.
func (l lawful) Lawful(ctx context.Context, tx *store.Tx, f leads.Flow) (leads.Ruling, error) {
	flow := gateway.Flow{Kind: f.Kind, Decision: f.Gateway, To: f.To, By: f.By, Ref: f.Ref, Provenance: f.Provenance}
	if m, ok := l.s.state.current(); ok {
		flow.ToActor = kindOf(m, f.To)
		// What leads let flow is the authority's to answer for, also where an
		// approver of another body speaks last.
		flow.Organisation = m.Authority.ID
	}
	r, err := l.s.gateway.Lawful(ctx, tx, flow)
	return leads.Ruling{Gateway: r.Decision, Routes: r.Route, Data: r.Version}, err
}

// kindOf is what kind of organisation of the law data a member is; empty for who
// is none.
func kindOf(m opening.Manifest, id string) string {
	mem, ok := m.Member(id)
	if !ok {
		return ""
	}
	return law.ActorOf(mem.Sector)
}

// holders reaches key holders at the addresses of the plan or manifest.
type holders struct{ s *Server }

// statusWait is how long a key holder may take to say where it stands. One
// that hangs holds up a tick by that much and no longer.
const statusWait = 2 * time.Second

func (h holders) status(ctx context.Context, to opening.Holder) (client.HolderStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, statusWait)
	defer cancel()
	return client.Status(ctx, h.s.o.HTTP, to, h.s.o.Clock.Now)
}

// Status implements leads.Holders.
func (h holders) Status(ctx context.Context, to opening.Holder) (leads.HolderStatus, error) {
	st, err := h.status(ctx, to)
	return leads.HolderStatus{Manifest: st.Manifest, LogSize: st.LogSize}, err
}

// Open implements leads.Holders.
func (h holders) Open(ctx context.Context, to opening.Holder, b opening.Bundle) (client.OpenAnswer, error) {
	var ans client.OpenAnswer
	err := client.Post(ctx, h.s.o.HTTP, to.URL+client.PathOpen, b, &ans)
	return ans, err
}

// witness is a holder as the log knows it.
type witness struct {
	s  *Server
	to opening.Holder
}

func (s *Server) witnesses() []transparency.Witness {
	list := s.state.committee().Holders
	if m, ok := s.state.current(); ok {
		list = m.Holders
	}
	out := make([]transparency.Witness, len(list))
	for i, h := range list {
		out[i] = witness{s, h}
	}
	return out
}

// Name implements transparency.Witness.
func (w witness) Name() string { return w.to.ID }

// Size implements transparency.Witness.
func (w witness) Size(ctx context.Context) (int64, error) {
	st, err := holders{w.s}.status(ctx, w.to)
	return st.LogSize, err
}

// Cosign implements transparency.Witness.
func (w witness) Cosign(ctx context.Context, note []byte, proof tlog.Consistency) ([]byte, error) {
	o := w.s.o
	c := client.Caller{Sender: o.Identity.ID, Key: o.Identity.signKey(), HTTP: o.HTTP, Now: o.Clock.Now, Random: o.Random}
	var ans client.CosignAnswer
	err := c.Call(ctx, w.to.ID, w.to.URL, client.PathCosign, client.CosignRequest{Note: note, Proof: proof}, &ans)
	var p *client.Problem
	if errors.As(err, &p) && p.Conflict != nil {
		c, cerr := client.OpenRefusal(*p.Conflict, w.to, note)
		if cerr != nil {
			return nil, errors.Join(err, cerr)
		}
		return nil, fmt.Errorf("%w: %w", err, c)
	}
	return ans.Line, err
}
