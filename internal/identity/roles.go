package identity

import (
	"slices"

	"parallax/internal/authz"
	"parallax/internal/fault"
)

// A Role is what a person is there for. The public has none.
type Role = authz.Role

// The roles of people.
const (
	ContributorAnalyst = authz.ContributorAnalyst
	LeadReviewer       = authz.LeadReviewer
	GatewayOfficer     = authz.GatewayOfficer
	ProgrammeLead      = authz.ProgrammeLead
	OrganisationAdmin  = authz.OrganisationAdmin
	KeyHolderOperator  = authz.KeyHolderOperator
	Auditor            = authz.AuditorRole
	OversightBoard     = authz.OversightBoard
)

// A Function is what an organisation is there for, in one pool. Those that need
// a key come from the manifest, the others from an accreditation.
type Function string

// The functions.
const (
	Contributes Function = "contributor"
	Receives    Function = "authority"
	HoldsKey    Function = "key-holder"
	Oversees    Function = "oversight"
	Operates    Function = "operator" // of the hub
	Witnesses   Function = "witness"
	Audits      Function = "auditor"
)

// A Right is the reason for a role. Rights exist to say which roles one person
// may not hold together.
type Right string

// The rights.
const (
	RightSubmit  Right = "submit"  // sends what its organisation knows
	RightRead    Right = "read"    // reads what was opened, at the authority's desk
	RightApprove Right = "approve" // signs that something may be opened or may flow
	RightSurvey  Right = "survey"  // sees estimates before their release
	RightPeople  Right = "people"  // invites and removes people of its organisation
	RightHold    Right = "hold"    // runs a key holder
	RightAudit   Right = "audit"   // checks the work of all others
)

// A RoleInfo is what a role means.
type RoleInfo struct {
	Role   Role
	Label  string
	What   string     // one sentence
	Rights []Right    // why it exists
	In     []Function // an organisation with one of these may have it; nil: any
}

// Roles lists every role, in the order in which it is shown.
var Roles = []RoleInfo{
	{ContributorAnalyst, "Contributor analyst", "Sends what its own organisation knows and sees its own receipts; at the authority, reads what was opened, at the desk.",
		[]Right{RightSubmit, RightRead}, []Function{Contributes, Receives}},
	{LeadReviewer, "Lead reviewer", "At the authority: sees which sealed matches may be opened and approves or declines.", []Right{RightApprove}, []Function{Receives}},
	{GatewayOfficer, "Gateway officer", "Counsel: signs that a flow of information has a lawful route.", []Right{RightApprove}, []Function{Contributes, Receives}},
	{ProgrammeLead, "Programme lead", "Sees the whole view: estimates, barriers and outcomes, no lead. Where its organisation contributes, no estimates before their release.", []Right{RightSurvey}, []Function{Contributes, Receives, Oversees, Audits}},
	{OrganisationAdmin, "Organisation administrator", "Invites, changes, suspends and removes people of its own organisation, and makes its keys for open reads.", []Right{RightPeople}, nil},
	{KeyHolderOperator, "Key-holder operator", "Runs a key holder. Sees what it is asked to open and on what grounds; reads nothing.", []Right{RightHold}, []Function{HoldsKey}},
	{Auditor, "Auditor", "Checks the log, the key holders and the policy. Sees no lead.", []Right{RightAudit}, []Function{Audits}},
	{OversightBoard, "Oversight board", "Approves or declines openings at a body unrelated to the authority. Reads nothing.", []Right{RightApprove}, []Function{Oversees}},
}

// apart are rights that one person never holds together: nobody both approves
// and reads, who runs a key holder reads and approves nothing, and an auditor
// does not audit itself.
var apart = [][2]Right{
	{RightApprove, RightRead},
	{RightHold, RightRead}, {RightHold, RightApprove},
	{RightAudit, RightRead}, {RightAudit, RightApprove}, {RightAudit, RightSubmit}, {RightAudit, RightHold},
}

// Info is what a role means; ok is false for a word that is no role.
func Info(r Role) (info RoleInfo, ok bool) {
	for _, x := range Roles {
		if x.Role == r {
			return x, true
		}
	}
	return RoleInfo{}, false
}

// Label is a role in words.
func Label(r Role) string {
	if x, ok := Info(r); ok {
		return x.Label
	}
	return "Unknown role"
}

// Rights are the rights that roles give together.
func Rights(roles []Role) (out []Right) {
	for _, r := range roles {
		x, _ := Info(r)
		for _, right := range x.Rights {
			if !slices.Contains(out, right) {
				out = append(out, right)
			}
		}
	}
	return out
}

// Open reports that an organisation with these functions may have the role.
func (r RoleInfo) Open(functions []Function) bool {
	return len(functions) > 0 && (r.In == nil || slices.ContainsFunc(r.In, func(f Function) bool { return slices.Contains(functions, f) }))
}

// Permitted are those of the roles that an organisation with these functions
// may have: when a function ends, what people could do by it ends too.
func Permitted(roles []Role, functions []Function) (out []Role) {
	for _, r := range roles {
		if x, ok := Info(r); ok && x.Open(functions) {
			out = append(out, r)
		}
	}
	return out
}

// CheckRoles refuses roles that one person of such an organisation may not
// hold, or not together.
func CheckRoles(roles []Role, functions []Function) error {
	if len(roles) == 0 {
		return fault.New(fault.Invalid, "Choose at least one role.")
	}
	for i, r := range roles {
		x, ok := Info(r)
		switch {
		case !ok:
			return fault.New(fault.Invalid, "One of the roles does not exist. The roles are listed under Members and policy.")
		case slices.Contains(roles[:i], r):
			return fault.New(fault.Invalid, "A role is named twice.")
		case !x.Open(functions):
			return fault.Newf(fault.Invalid, "The organisation is not there for what the role %q does.", x.Label)
		}
	}
	for _, pair := range apart {
		for _, a := range roles {
			for _, b := range roles {
				if a != b && has(a, pair[0]) && has(b, pair[1]) {
					return fault.Newf(fault.Invalid, "One person may not be %q and %q: what one of them does, the other checks.", Label(a), Label(b))
				}
			}
		}
	}
	return nil
}

func has(r Role, right Right) bool {
	x, _ := Info(r)
	return slices.Contains(x.Rights, right)
}
