package authz

import (
	"context"
	"time"
)

// StepUp is how long a person's last confirmation counts for dangerous actions.
const StepUp = 5 * time.Minute

// A PrincipalKind says what stands behind a request.
type PrincipalKind string

// The kinds of principal, which are entity types of the schema.
const (
	Public     PrincipalKind = "Public"     // anyone
	Person     PrincipalKind = "Person"     // a person with a session
	Member     PrincipalKind = "Member"     // a contributing organisation's machine, by its signature
	Approver   PrincipalKind = "Approver"   // an approver's key at a desk, by its signature
	Governance PrincipalKind = "Governance" // the quorum that signs manifests, by its signatures
)

var principalKinds = []PrincipalKind{Public, Person, Member, Approver, Governance}

// A Role is a right that a person or an approver's key holds.
type Role string

// The roles. The public has none.
const (
	ContributorAnalyst Role = "contributor-analyst"
	LeadReviewer       Role = "lead-reviewer" // of the authority that the pool opens to
	GatewayOfficer     Role = "gateway-officer"
	ProgrammeLead      Role = "programme-lead"
	OrganisationAdmin  Role = "organisation-admin"
	KeyHolderOperator  Role = "key-holder-operator"
	AuditorRole        Role = "auditor"
	OversightBoard     Role = "oversight-board"
	QueryAuditorRole   Role = "query-auditor" // of a key in the manifest only
)

// Roles lists every role.
func Roles() []Role {
	return []Role{ContributorAnalyst, LeadReviewer, GatewayOfficer, ProgrammeLead, OrganisationAdmin, KeyHolderOperator, AuditorRole, OversightBoard, QueryAuditorRole}
}

// A Principal is who asks. The zero Principal is the public.
type Principal struct {
	Kind   PrincipalKind
	Person string // the person's or approver's id; "" for others
	// Organisation is whom the principal acts for, by the id under which the
	// manifest knows it: a member's id, the authority's id, an oversight body's
	// controlling entity.
	Organisation string
	Roles        []Role
	StepUpAt     time.Time // when the person last confirmed who it is; zero: never
	Suspended    bool      // its organisation is suspended
	Contributes  bool      // its organisation is a member of the pool
	Demo         bool      // chosen by a visitor of a demonstration
	Name         string    // in words, for a page's header; no decision looks at it
}

// Has reports a role. Only pages ask it, to say what a role is for; whether
// something may be done is the gate's to say.
func (p Principal) Has(r Role) bool {
	for _, x := range p.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// A ResourceKind says what is acted on.
type ResourceKind string

// The kinds of resource, which are entity types of the schema.
const (
	Hub          ResourceKind = "Hub"          // what is everybody's: log, keys, policy, status
	Records      ResourceKind = "Records"      // what one organisation sent, and its receipts
	Leads        ResourceKind = "Leads"        // leads and openings of the pool
	Organisation ResourceKind = "Organisation" // an organisation and its people, to administer
	Statistics   ResourceKind = "Statistics"   // estimates and displacement before their release
)

var resourceKinds = []ResourceKind{Hub, Records, Leads, Organisation, Statistics}

// A Resource is what is acted on, as far as it is known before it is read: a
// refusal must not depend on whether it is there.
type Resource struct {
	Kind         ResourceKind
	Organisation string // whose it is; "" for the pool's
	State        string // of a lead, an opening, an organisation; "" where the action asks for none
	Roles        []Role // that the person acted on holds: nobody acts on one with a right that it lacks
	Compartment  Compartment
}

// A Compartment is the pool that a resource lies in, as its manifest says.
type Compartment struct {
	Pool      string
	Manifest  int      // version in force; 0 before the first
	Authority string   // id of the organisation that the pool opens to
	Oversight []string // controlling entities of the oversight approvers
	Rule      string   // hash of the opening rule for new contributions
	Scope     []string // subject roles that the pool admits
	Offences  []string // what the pool is for
	Demo      bool
}

type contextKey struct{}

// With puts the principal into a request's context.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From is the principal of a request; the public where nobody was found.
func From(ctx context.Context) Principal {
	p, ok := ctx.Value(contextKey{}).(Principal)
	if !ok {
		return Principal{Kind: Public}
	}
	return p
}
