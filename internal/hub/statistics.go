package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"parallax/client"
	"parallax/internal/acts"
	"parallax/internal/api"
	"parallax/internal/authz"
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

// insight are the console's pages of both.
type insight struct {
	baseline     *baseline.Pages
	displacement *displacement.Pages
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

// statisticsPages makes the pages Baseline and Displacement.
func (c *console) statisticsPages() {
	s := c.s
	propose := func(ctx context.Context) bool {
		return s.may(ctx, authz.ProposeAct, authz.Resource{Kind: authz.Statistics})
	}
	who := func(r *http.Request) displacement.Reader {
		p := authz.From(r.Context())
		out := displacement.Reader{ID: p.Person}
		for _, role := range p.Roles {
			out.Roles = append(out.Roles, string(role))
		}
		if out.ID == "" {
			out.ID = strings.Join(out.Roles, ", ")
		}
		return out
	}
	cite := func(ctx context.Context) string {
		h, err := c.head(ctx)
		if err != nil || h.Size == 0 {
			return "Parallax, log " + s.o.Plan.Hub.LogOrigin + ", no witnessed checkpoint yet"
		}
		return h.cite()
	}
	c.baseline = baseline.NewPages(s.baseline, s.acts, c.kit, s.state.current, func(r *http.Request) string { return who(r).ID }, propose, cite)
	c.displacement = displacement.NewPages(s.displacement, s.acts, c.kit, s.state.current, who, propose, cite)
}

// statisticsRoutes are the lines of the table for acts about statistics.
func (s *Server) statisticsRoutes() []Route {
	c := s.console
	look := func(path string, show api.Handler) Route { return page(path, authz.ReadStatistics, ofStatistics, show) }
	ask := func(path string, show api.Handler) Route { return page(path, authz.ProposeAct, ofStatistics, show) }
	send := func(path string, do api.Handler) Route { return form(path, authz.ProposeAct, ofStatistics, do) }
	return []Route{
		message(client.PathActs, authz.ReadStatistics, ofStatistics, messageLimits, s.listActs),
		message(client.PathActsPropose, authz.ProposeAct, ofStatistics, messageLimits, s.proposeAct),
		message(client.PathActsApprove, authz.ApproveAct, ofStatistics, messageLimits, s.approveAct),
		read(client.PathBaseline, authz.ReadReleased, get(s.released)),

		look("/baseline", c.baseline.Overview),
		look("/baseline/published.csv", c.baseline.PublishedCSV),
		look("/baseline/runs/{id}", c.baseline.Run),
		look("/baseline/runs/{id}/panel.csv", c.baseline.RunCSV),
		ask("/baseline/propose", c.baseline.Propose),
		send("/baseline/propose", c.baseline.SendProposal),
		send("/baseline/runs/{id}/release", c.baseline.ProposeRelease),
		look("/displacement", c.displacement.Overview),
		look("/displacement/{id}", c.displacement.Show),
		look("/displacement/{id}/{weeks}/{file}", c.displacement.CSV),
		ask("/displacement/register", c.displacement.Register),
		send("/displacement/register", c.displacement.SendRegistration),
		send("/displacement/{id}/notes", c.displacement.Annotate),
	}
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
