package hub

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"

	"parallax/client"
	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/scope"
	"parallax/internal/transparency"
	"parallax/opening"
	"parallax/signed"
)

// A caller is who signed a message, and the manifest that says so.
type caller struct {
	id        string
	principal authz.Principal
	manifest  opening.Manifest
}

func get[Ans any](act func(r *http.Request) (Ans, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ans, err := act(r)
		if err != nil {
			return err
		}
		return api.WriteJSON(w, http.StatusOK, ans)
	}
}

// open verifies a message for an action on a kind of resource. An organisation
// that is a member and has an approver of the same id acts as the approver on
// leads and as the member on its own records.
func (s *Server) open(ctx context.Context, o signed.Object, path string, on authz.ResourceKind) (caller, signed.Message, error) {
	man, ok := s.state.current()
	if !ok {
		return caller{}, signed.Message{}, fault.New(fault.Unavailable, "The hub has no manifest yet.")
	}
	var key ed25519.PublicKey
	var p authz.Principal
	mem, isMember := man.Member(o.Key)
	a, isApprover := man.Approver(o.Key)
	switch {
	case isApprover && (!isMember || on != authz.Records):
		key, p = a.Key, approverKey(man, a)
	case isMember:
		key, p = mem.Key, memberMachine(mem)
	default:
		if a, ok := man.Auditor(o.Key); ok {
			key, p = a.Key, auditorKey(a.ID, a.Entity, authz.AuditorRole)
		} else if a, ok := man.QueryAuditor(o.Key); ok {
			key, p = a.Key, auditorKey(a.ID, a.Entity, authz.QueryAuditorRole)
		}
	}
	now := s.o.Clock.Now()
	m, err := o.OpenMessage(s.o.Identity.ID, path, key, now)
	switch {
	case errors.Is(err, signed.ErrClock):
		return caller{}, m, fault.Wrap(fault.Forbidden, "The message was refused: "+err.Error()+".", err)
	case err != nil:
		return caller{}, m, fault.Wrap(fault.Forbidden, "The message is not signed by a registered key for this address.", err)
	}
	return caller{id: m.Sender, principal: p, manifest: man}, m, s.state.spend(ctx, m.Sender, m.Nonce, now)
}

func auditorKey(id, entity string, role authz.Role) authz.Principal {
	return authz.Principal{Kind: authz.Approver, Person: id, Organisation: entity, Roles: []authz.Role{role}}
}

// byLine renders a refused batch with what is wrong in which line.
func byLine(h api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		var b *pool.BatchError
		if !errors.As(err, &b) {
			return err
		}
		raw, err := json.Marshal(client.Problem{Status: http.StatusUnprocessableEntity, Detail: fault.Sentence(err),
			RequestID: api.RequestID(r.Context()), Lines: b.Lines})
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write(raw) // the peer may be gone
		return nil
	}
}

// byWitness is the proof of a desk's cosignature: the handler checks the line
// against the manifest's desk witnesses, and anybody may bring it.
func byWitness(*Server, client.DeskCosignature) (authz.Principal, error) {
	return authz.Principal{Kind: authz.Public}, nil
}

// deskCosign keeps a desk witness's line. The answer says nothing.
func (s *Server) deskCosign(r *http.Request, req client.DeskCosignature) (struct{}, error) {
	m, _ := s.state.current()
	return struct{}{}, s.tlog.AddDesk(r.Context(), m.DeskWitnessKeys(), req.Size, req.Line)
}

// of is whose rows a request may touch, as the gate decided.
func of(ctx context.Context) scope.Scope {
	s, _ := scope.From(ctx)
	return s
}

func (s *Server) contribute(ctx context.Context, who caller, req client.ContributeRequest) (client.ContributeAnswer, error) {
	if err := s.admit(); err != nil {
		return client.ContributeAnswer{}, err
	}
	o, err := s.pool.Contribute(ctx, who.manifest, of(ctx), req)
	return client.ContributeAnswer{Receipt: o}, err
}

func (s *Server) withdraw(ctx context.Context, who caller, o signed.Object) (client.ContributeAnswer, error) {
	receipt, err := s.pool.Withdraw(ctx, who.manifest, s.o.Plan.Governance, of(ctx), o)
	return client.ContributeAnswer{Receipt: receipt}, err
}

// correct takes a correction of a member or an approver; which of them it is,
// and whose observations it may speak of, is in what they signed.
func (s *Server) correct(ctx context.Context, who caller, o signed.Object) (client.ContributeAnswer, error) {
	receipt, err := s.pool.Correct(ctx, who.manifest, s.o.Plan.Governance, who.id, o)
	return client.ContributeAnswer{Receipt: receipt}, err
}

// thaw takes a governor's lifting of a freeze, whoever brings it.
func (s *Server) thaw(r *http.Request, o signed.Object) (client.ContributeAnswer, error) {
	m, ok := s.state.current()
	if !ok {
		return client.ContributeAnswer{}, fault.New(fault.Unavailable, "The hub has no manifest yet.")
	}
	receipt, err := s.pool.Correct(r.Context(), m, s.o.Plan.Governance, o.Key, o)
	return client.ContributeAnswer{Receipt: receipt}, err
}

// byGovernor is the proof of what one governor signed to lift a freeze.
func byGovernor(s *Server, o signed.Object) (authz.Principal, error) {
	m, _ := s.state.current()
	d, err := opening.OpenDenial(m, s.o.Plan.Governance, o)
	if err == nil && d.Kind != opening.DenyThaw {
		err = errors.New("only governance lifts freezes here")
	}
	if err != nil {
		return authz.Principal{}, fault.Wrap(fault.Forbidden, "Refused: "+err.Error()+".", err)
	}
	return authz.Principal{Kind: authz.Governance}, nil
}

func (s *Server) receipt(ctx context.Context, who caller, req client.ReceiptRequest) (client.ReceiptProof, error) {
	own, err := s.pool.OwnTicket(ctx, of(ctx), req.Ticket)
	if err != nil {
		return client.ReceiptProof{}, err
	}
	if !own {
		return client.ReceiptProof{}, fault.New(fault.NotFound, "Your organisation has no receipt with this ticket.")
	}
	size, note, err := s.tlog.Latest(ctx)
	if err != nil {
		return client.ReceiptProof{}, err
	}
	p, err := s.tlog.Prove(ctx, req.Ticket, size)
	if errors.Is(err, transparency.ErrPending) {
		return client.ReceiptProof{State: client.ReceiptPending}, nil
	}
	if errors.Is(err, transparency.ErrForgotten) {
		return client.ReceiptProof{State: client.ReceiptDeleted}, nil
	}
	if err != nil {
		return client.ReceiptProof{}, err
	}
	return client.ReceiptProof{State: client.ReceiptLogged, Checkpoint: note,
		Log: &opening.LogProof{Opening: p.Opening, Inclusion: p.Inclusion}}, nil
}

func (s *Server) list(ctx context.Context, who caller, _ struct{}) (client.Leads, error) {
	return s.leads.List(ctx, who.manifest, who.id)
}

func (s *Server) request(ctx context.Context, who caller, req client.OpeningRequest) (client.OpeningID, error) {
	return s.leads.Request(ctx, who.manifest, who.id, req)
}

func (s *Server) approve(ctx context.Context, who caller, req client.ApproveRequest) (client.OpeningState, error) {
	return s.leads.Approve(ctx, who.manifest, who.id, req)
}

func (s *Server) openings(ctx context.Context, who caller, _ struct{}) (client.Openings, error) {
	return s.leads.Openings(ctx, who.manifest, who.id)
}

func (s *Server) waiting(ctx context.Context, who caller, _ struct{}) (client.Waiting, error) {
	return s.leads.Waiting(ctx, who.manifest, who.id)
}

func (s *Server) fetch(ctx context.Context, who caller, req client.OpeningID) (client.Fetched, error) {
	return s.leads.Fetch(ctx, who.manifest, who.id, req.ID)
}

func (s *Server) handle(ctx context.Context, who caller, req client.HandleRequest) (client.OpeningState, error) {
	return s.leads.Handle(ctx, who.manifest, who.id, req)
}

func (s *Server) review(ctx context.Context, who caller, req client.ReviewRequest) (client.OpeningState, error) {
	return s.leads.Review(ctx, who.manifest, who.id, req)
}

// outcomes is the same answer in size and shape to every member.
func (s *Server) outcomes(ctx context.Context, who caller, req client.OutcomesRequest) (client.Outcomes, error) {
	return s.leads.Outcomes(ctx, who.manifest, of(ctx), req)
}

func (s *Server) getTranscript(*http.Request) (client.Setup, error) { return s.state.setup() }

func (s *Server) getManifests(*http.Request) (client.Manifests, error) {
	return client.Manifests{Manifests: s.state.after(0)}, nil
}

func (s *Server) getStatus(r *http.Request) (Status, error) { return s.Status(r.Context()) }

func (s *Server) putManifests(r *http.Request, req client.Manifests) (client.Manifests, error) {
	if err := s.state.putManifests(r.Context(), req.Manifests, s.o.Clock.Now()); err != nil {
		return client.Manifests{}, err
	}
	return client.Manifests{Manifests: s.state.after(0)}, nil
}

func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) error {
	size, note, err := s.tlog.Latest(r.Context())
	if err != nil {
		return err
	}
	if size == 0 {
		return fault.New(fault.NotFound, "The log has no witnessed checkpoint yet.")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(note) // the peer may be gone
	return nil
}
