package identity

import (
	"slices"
	"time"

	"parallax/internal/authz"
	"parallax/internal/fault"
)

// A Principal is a person as a request finds it, or the operator's command on
// the hub's own machine.
type Principal = authz.Principal

// operator is the kind of whoever may run commands on the hub's own machine. No
// request is ever of this kind, and the gate knows none such.
const operator authz.PrincipalKind = "Operator"

// AtTheMachine is whoever may run commands on the hub's own machine. It starts
// organisations and stops people, and can do nothing else to them.
func AtTheMachine() Principal { return Principal{Kind: operator} }

// named is the principal as the log has it.
func named(p Principal) string {
	if p.Kind == operator {
		return "operator"
	}
	return p.Person
}

// Confirmed reports that the person confirmed lately enough who it is.
func Confirmed(p Principal, now time.Time) bool {
	return !p.StepUpAt.IsZero() && !p.StepUpAt.After(now) && now.Sub(p.StepUpAt) <= authz.StepUp
}

// The states of a person.
const (
	Invited   = "invited"
	Active    = "active"
	Suspended = "suspended"
	Removed   = "removed"
)

// A Person belongs to one organisation, for good.
type Person struct {
	ID           string
	Organisation string
	Name         string
	State        string
	Roles        []Role
	Account      string // how it signs in: "passkey", a provider's issuer, or ""
	Created      time.Time
	Seen         time.Time // when a session of it was last used; zero: none is open
	handle       []byte
}

// An act on a person.
type act string

const (
	actInvite  act = "invite"
	actRoles   act = "roles"
	actSuspend act = "suspend"
	actResume  act = "resume"
	actRemove  act = "remove"
	actRenew   act = "renew" // a new link to enrol: old ways to sign in end
	actEnd     act = "end-sessions"
)

// from are the states in which a person may be acted on so.
var from = map[act][]string{
	actRoles:   {Invited, Active, Suspended},
	actSuspend: {Invited, Active},
	actResume:  {Suspended},
	actRemove:  {Invited, Active, Suspended},
	actRenew:   {Invited, Active},
	actEnd:     {Invited, Active, Suspended},
}

// A question is whether by may do an act to target, a person of org; for an
// invitation target has no id yet. roles are those that the target would get.
type question struct {
	act    act
	by     Principal
	org    Organisation
	target Person
	roles  []Role
	admins int // administrators of the organisation, active or invited, besides target
	now    time.Time
}

// errNotYours is the one answer about people of other organisations, whether
// they exist or not.
var errNotYours = fault.New(fault.NotFound, "There is no such person in your organisation.")

// errConfirm asks for a step-up.
var errConfirm = fault.New(fault.Forbidden, "Confirm who you are first; this counts for five minutes.")

// may decides every act on people. The rules:
//
//   - the machine's operator starts an organisation that has no administrator,
//     suspends and signs out anybody, and does nothing else;
//   - an administrator acts in its own organisation, while that is not
//     suspended, on anybody but itself, having confirmed who it is;
//   - nobody acts on, or makes, a principal with a right that it lacks: an
//     administrator has the giving of those roles that governance lets its
//     organisation have, and of no other.
func may(q question) error {
	if q.act != actInvite && (q.target.ID == "" || q.target.Organisation != q.org.ID) {
		return errNotYours
	}
	if q.by.Kind == operator {
		return operatorMay(q)
	}
	switch {
	case !q.by.Has(OrganisationAdmin):
		return fault.New(fault.Forbidden, "Only an administrator of the organisation may do this.")
	case q.by.Organisation == "" || q.by.Organisation != q.org.ID:
		return errNotYours
	case q.by.Suspended || q.org.Stopped != "":
		return fault.New(fault.Forbidden, "Your organisation is suspended, so nothing about its people can be changed.")
	case q.act != actInvite && q.target.ID == q.by.Person:
		return fault.New(fault.Forbidden, "Nobody changes their own roles or state. Ask another administrator of your organisation.")
	case !Confirmed(q.by, q.now):
		return errConfirm
	}
	if err := inState(q); err != nil {
		return err
	}
	if len(Permitted(q.target.Roles, q.org.Functions)) != len(q.target.Roles) && q.act != actSuspend && q.act != actRemove && q.act != actEnd && q.act != actRoles {
		return fault.New(fault.Forbidden, "This person holds a role that your organisation no longer has, so it cannot be let in. Change its roles first.")
	}
	if q.act == actInvite || q.act == actRoles {
		return CheckRoles(q.roles, q.org.Functions)
	}
	return nil
}

func operatorMay(q question) error {
	first := len(q.target.Roles) == 1 && q.target.Roles[0] == OrganisationAdmin && q.target.State == Invited
	switch {
	case q.act == actSuspend || q.act == actEnd:
		return inState(q)
	case q.act != actInvite && !(q.act == actRenew && first):
		return fault.New(fault.Forbidden, "The operator starts organisations and stops people; everything else is for the administrators of the person's organisation.")
	case q.org.Stopped != "":
		return fault.New(fault.Forbidden, "The organisation is kept out: "+q.org.Stopped+".")
	case q.admins > 0:
		return fault.New(fault.Conflict, "The organisation has an administrator, or one is invited, and that person invites everybody else. Where a link was lost, make a new one for the same person; where all administrators are lost, suspend them first.")
	case q.act == actInvite && (len(q.roles) != 1 || q.roles[0] != OrganisationAdmin):
		return fault.New(fault.Forbidden, "The operator invites the first administrator of an organisation and nobody else.")
	}
	return nil
}

func inState(q question) error {
	if q.act == actInvite || slices.Contains(from[q.act], q.target.State) {
		return nil
	}
	return fault.Newf(fault.Conflict, "The person is %s, so this cannot be done.", q.target.State)
}
