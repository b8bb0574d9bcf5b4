package hub

import (
	"net/http"

	"parallax/internal/authz"
	"parallax/internal/gateway"
)

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
