package hub

import (
	"net/http"

	"parallax/internal/authz"
	"parallax/opening"
)

// Viewers tells who a browser's session is: whoever it does not know is the
// public. An error means that it cannot be told now; the request then fails.
//
// It says what the session says and no more. Whether the principal may do what
// it asks is the gate's to decide, and the registry adds what the manifest
// knows of the principal's organisation.
type Viewers interface {
	Principal(r *http.Request) (authz.Principal, error)
}

// memberMachine is the principal of a member's key.
func memberMachine(m opening.Member) authz.Principal {
	return authz.Principal{Kind: authz.Member, Organisation: m.ID, Suspended: suspended(m)}
}

// approverKey is the principal of an approver's key at a desk.
func approverKey(m opening.Manifest, a opening.Approver) authz.Principal {
	p := authz.Principal{Kind: authz.Approver, Person: a.ID, Organisation: a.Entity}
	switch a.Role {
	case opening.RoleAuthority:
		p.Organisation, p.Roles = m.Authority.ID, []authz.Role{authz.LeadReviewer}
	case opening.RoleOversight:
		p.Roles = []authz.Role{authz.OversightBoard}
	}
	return p
}

func suspended(m opening.Member) bool { return m.Status != opening.Active }

// compartment shows the gate the pool that everything here lies in: its scope,
// its opening authority and its rule, as the manifest in force has them.
func (s *Server) compartment() authz.Compartment {
	m, ok := s.state.current()
	if !ok {
		return authz.Compartment{Pool: s.o.Plan.Pool}
	}
	c := authz.Compartment{Pool: m.Pool, Manifest: m.Version, Authority: m.Authority.ID, Rule: m.CurrentRule.String(),
		Scope: m.Scope.Roles, Offences: m.Scope.Offences, Demo: m.Demo}
	for _, a := range m.Approvers {
		if a.Role == opening.RoleOversight {
			c.Oversight = append(c.Oversight, a.Entity)
		}
	}
	return c
}
