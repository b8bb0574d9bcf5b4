package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"parallax/client"
	"parallax/internal/acts"
	"parallax/internal/baseline"
	"parallax/internal/displacement"
	"parallax/opening"
)

// statistics are acts and the two slices that they have an effect on.
type statistics struct {
	acts         *acts.Service
	baseline     *baseline.Service
	displacement *displacement.Service
}

// tickStatistics gives effect to what was approved and evaluates what is due.
func (s *Server) tickStatistics(ctx context.Context, m opening.Manifest) error {
	return errors.Join(s.acts.Advance(ctx, m), s.displacement.Evaluate(ctx))
}

// openStatistics wires acts and the two slices that they have an effect on.
func (s *Server) openStatistics(ctx context.Context, log logAdapter) (err error) {
	if s.acts, err = acts.New(ctx, s.o.DB, log, s.state.at, s.o.Clock, s.o.Random); err != nil {
		return err
	}
	if s.baseline, err = baseline.New(ctx, s.o.DB, s.pool, log, s.sign, s.acts, s.o.Clock); err != nil {
		return err
	}
	s.displacement, err = displacement.New(ctx, s.o.DB, s.pool, log, s.acts, s.o.Clock, s.o.Random)
	return err
}

// at is the manifest of a version, the one in force or one before it.
func (s *state) at(version int) (opening.Manifest, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if version < 1 || version > len(s.chain) {
		return opening.Manifest{}, false
	}
	m, err := s.chain[version-1].Open(s.plan.Governance)
	return m, err == nil
}

// maxActs is how many acts a desk is shown.
const maxActs = 100

func actState(a acts.Act) client.ActState {
	return client.ActState{ID: a.ID, State: a.State, Reason: a.Reason, Act: a.Raw, Approvals: a.Approvals}
}

func (s *Server) listActs(ctx context.Context, _ caller, _ struct{}) (client.ActList, error) {
	list, err := s.acts.List(ctx, maxActs)
	out := client.ActList{Acts: []client.ActState{}}
	for _, a := range list {
		out.Acts = append(out.Acts, actState(a))
	}
	return out, err
}

func (s *Server) proposeAct(ctx context.Context, who caller, req client.ActProposal) (client.ActState, error) {
	a, err := s.acts.Propose(ctx, who.manifest, req.Kind, who.id, json.RawMessage(req.Body))
	return actState(a), err
}

func (s *Server) approveAct(ctx context.Context, who caller, req client.ActApproveRequest) (client.ActState, error) {
	a, err := s.acts.Approve(ctx, who.manifest, req.ID, req.Approval)
	return actState(a), err
}

// released is what anybody may read of baselines.
func (s *Server) released(r *http.Request) (client.Releases, error) {
	list, err := s.baseline.Releases(r.Context())
	out := client.Releases{Releases: []client.ReleasedBaseline{}}
	for _, x := range list {
		out.Releases = append(out.Releases, client.ReleasedBaseline{Statement: x.Object.Body, Signed: x.Object, Ticket: x.Ticket})
	}
	return out, err
}
