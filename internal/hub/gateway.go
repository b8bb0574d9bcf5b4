package hub

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/gateway"
	"parallax/internal/gateway/law"
)

// openGateway starts the gateway with the law data of the day.
func (s *Server) openGateway(ctx context.Context, log gateway.Log) error {
	files, err := s.o.Law()
	if err != nil {
		return err
	}
	s.counsel = files.Counsel
	data, err := law.Deploy(files, s.o.Clock.Now().UTC().Format(time.DateOnly))
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(ctx, s.o.DB, log, data, s.o.Clock, s.o.Random)
	return err
}

// renewLaw takes a version that counsel published into use. Whose signatures count
// is settled at the start: a running hub takes no other list of counsel.
func (s *Server) renewLaw(ctx context.Context) error {
	changed, err := s.gateway.Renew(ctx, func() (law.Files, error) {
		files, err := s.o.Law()
		if err == nil && !bytes.Equal(files.Counsel.Raw, s.counsel.Raw) {
			err = fault.New(fault.Forbidden, "The list of counsel is another one than at the start: start the hub again if you accept it.")
		}
		return files, err
	})
	version := s.gateway.Law().Set.Meta.DataVersion
	switch {
	case err != nil && fault.KindOf(err) == fault.Internal:
		return err
	case err != nil:
		s.o.Log.Warn("the law data that lies ready is refused; the version in use stays", "in_use", version, "why", fault.Sentence(err))
	case changed:
		s.o.Log.Warn("other law data is in use", "version", version)
	}
	return nil
}

// lawyer is who looks at the gateway's pages, as the gate knows the person.
func lawyer(r *http.Request) gateway.Person {
	p := authz.From(r.Context())
	if p.Kind != authz.Person {
		return gateway.Person{}
	}
	officer := p.Has(authz.GatewayOfficer)
	return gateway.Person{ID: p.Person, Organisation: p.Organisation, Officer: officer, Keeper: officer || p.Has(authz.ProgrammeLead)}
}

// gatewayRoutes are the pages Routes and Barriers, and the question for machines.
func (s *Server) gatewayRoutes() []Route {
	g := s.console.gateway
	return []Route{
		read(gateway.PathRoute, authz.AskGateway, s.gateway.AnswerRoute),
		page("/routes", authz.AskGateway, shared, g.Routes),
		page("/routes/law", authz.CompareLaw, shared, g.Law),
		page("/routes/law/diff", authz.CompareLaw, shared, g.Diff),
		page("/routes/requests", authz.ReadRequests, own, g.Requests),
		page("/routes/request", authz.MakeRequest, own, g.RequestForm),
		form("/routes/requests", authz.MakeRequest, own, g.Make),
		page("/routes/requests/{id}", authz.ReadRequests, own, g.Card),
		page("/routes/requests/{id}/edit", authz.MakeRequest, own, g.EditForm),
		form("/routes/requests/{id}/edit", authz.MakeRequest, own, g.Edit),
		form("/routes/requests/{id}/withdraw", authz.MakeRequest, own, g.Withdraw),
		form("/routes/requests/{id}/done", authz.MakeRequest, own, g.Done),
		form("/routes/requests/{id}/approve", authz.DecideRequest, own, g.Approve),
		form("/routes/requests/{id}/refuse", authz.DecideRequest, own, g.Refuse),

		page("/barriers", authz.ReadBarriers, shared, g.Barriers),
		page("/barriers/register.csv", authz.ReadBarriers, shared, g.RegisterCSV),
		page("/barriers/brief", authz.ReadBarriers, shared, g.Brief),
		page("/barriers/new", authz.RecordBarrier, shared, g.NewBarrier),
		page("/barriers/case", authz.RecordBarrier, shared, g.CaseForm),
		form("/barriers/case", authz.RecordBarrier, shared, g.AddCase),
		form("/barriers", authz.RecordBarrier, shared, g.RecordBarrier),
		page("/barriers/{id}", authz.ReadBarriers, shared, g.Barrier),
		form("/barriers/{id}", authz.EditBarriers, shared, g.EditBarrier),
		form("/barriers/{id}/remove", authz.EditBarriers, shared, g.RemoveBarrier),
		form("/barriers/{id}/undo", authz.EditBarriers, shared, g.UndoBarrier),
		form("/barriers/import", authz.EditBarriers, shared, g.ImportBarriers),
	}
}
