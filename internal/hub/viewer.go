package hub

import "net/http"

// A Role is what a person may look at here. Nobody signs or approves anything
// at the hub: that happens at desks, where the keys are.
type Role string

// The roles. Public is everyone.
const (
	Public      Role = "public"
	Contributor Role = "contributor"
	Authority   Role = "authority"
	Oversight   Role = "oversight"
	Auditor     Role = "auditor"
)

// A Viewer is who is looking.
type Viewer struct {
	Role Role
	ID   string // the member, for a contributor; the approver, for the authority and oversight
	Name string // in words
}

// Viewers tells who is looking. It must not fail: whoever it cannot tell is
// Public.
type Viewers interface {
	Who(r *http.Request) Viewer
}

// everyone knows nobody: a hub without a login serves only what is public.
type everyone struct{}

// Who implements Viewers.
func (everyone) Who(*http.Request) Viewer { return Viewer{Role: Public} }
