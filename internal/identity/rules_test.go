package identity

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/internal/authz"
	"parallax/internal/fault"
)

// No role, and no set of roles that one person may hold, both approves and
// reads; who runs a key holder reads and approves nothing.
func TestNoOneApprovesAndReads(t *testing.T) {
	for _, r := range Roles {
		if slices.Contains(r.Rights, RightApprove) && slices.Contains(r.Rights, RightRead) {
			t.Errorf("%s both approves and reads", r.Role)
		}
		if slices.Contains(r.Rights, RightHold) && len(r.Rights) > 1 {
			t.Errorf("%s holds a key and does more", r.Role)
		}
	}
	sets := 0
	for mask := 1; mask < 1<<len(Roles); mask++ { // every set of roles
		var set []Role
		for i, r := range Roles {
			if mask&(1<<i) != 0 {
				set = append(set, r.Role)
			}
		}
		rights := Rights(set)
		both := func(a, b Right) bool { return slices.Contains(rights, a) && slices.Contains(rights, b) }
		bad := both(RightApprove, RightRead) || both(RightHold, RightRead) || both(RightHold, RightApprove) || both(RightAudit, RightApprove) || both(RightAudit, RightSubmit) || both(RightAudit, RightRead) || both(RightAudit, RightHold)
		if err := CheckRoles(set, functions); (err != nil) != bad {
			t.Errorf("%v: %v", set, err)
		}
		if !bad {
			sets++
		}
	}
	if sets == 0 {
		t.Error("no set of roles is allowed")
	}
}

func drawRoles(t *rapid.T, name string, least int) []Role {
	all := make([]Role, len(Roles))
	for i, r := range Roles {
		all[i] = r.Role
	}
	n := rapid.IntRange(least, 3).Draw(t, name+"-n")
	return rapid.Permutation(all).Draw(t, name)[:n]
}

// Whatever is drawn: an act is allowed only within one organisation, by an
// administrator who is not the target, confirmed, of an organisation that is let
// in; and nobody comes to hold a right that the administrator may not give.
func TestWhoMayActOnWhom(t *testing.T) {
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		// Mostly what is allowed, so that each rule decides alone now and then.
		mostly := func(usual, odd string, name string) string {
			return rapid.SampledFrom([]string{usual, usual, usual, usual, usual, odd}).Draw(t, name)
		}
		byRoles := drawRoles(t, "by-roles", 0)
		if mostly("yes", "no", "admin") == "yes" && !slices.Contains(byRoles, OrganisationAdmin) {
			byRoles = append(byRoles, OrganisationAdmin)
		}
		ago := rapid.SampledFrom([]time.Duration{0, time.Minute, authz.StepUp, authz.StepUp - 1, authz.StepUp + time.Microsecond, -time.Second}).Draw(t, "step-up")
		q := question{act: rapid.SampledFrom([]act{actInvite, actRoles, actSuspend, actResume, actRemove, actRenew, actEnd}).Draw(t, "act"), now: start,
			org: Organisation{ID: mostly("bank-a", "bank-b", "org"), Stopped: mostly("", stoppedWord, "stopped"),
				Functions: rapid.SliceOfNDistinct(rapid.SampledFrom(functions), 1, 5, func(f Function) Function { return f }).Draw(t, "functions")},
			by: Principal{Person: "p-by", Organisation: mostly("bank-a", "bank-b", "by-org"), Roles: byRoles, StepUpAt: start.Add(-ago), Suspended: mostly("", "yes", "suspended") == "yes"},
			target: Person{ID: mostly("p-other", "p-by", "target"), Organisation: mostly("bank-a", "bank-b", "target-org"),
				State: rapid.SampledFrom([]string{Invited, Active, Suspended, Removed}).Draw(t, "state"), Roles: drawRoles(t, "target-roles", 1)},
			roles: drawRoles(t, "roles", 0), admins: rapid.IntRange(0, 2).Draw(t, "admins")}
		if q.act == actInvite {
			q.target = Person{}
		}
		if may(q) != nil {
			return
		}
		allowed++
		since := q.now.Sub(q.by.StepUpAt)
		switch {
		case !slices.Contains(q.by.Roles, OrganisationAdmin), q.by.Organisation != q.org.ID, q.by.Suspended, q.org.Stopped != "", since < 0, since > 5*time.Minute:
			t.Fatalf("allowed by %+v at %+v", q.by, q.org)
		case q.act != actInvite && (q.target.Organisation != q.by.Organisation || q.target.ID == q.by.Person || q.target.State == Removed):
			t.Fatalf("%s allowed on %+v", q.act, q.target)
		}
		held := q.roles
		if q.act == actResume || q.act == actRenew {
			held = q.target.Roles
		}
		if q.act == actInvite || q.act == actRoles || q.act == actResume || q.act == actRenew {
			for _, r := range held {
				if info, _ := Info(r); info.In != nil && !slices.ContainsFunc(info.In, func(f Function) bool { return slices.Contains(q.org.Functions, f) }) {
					t.Fatalf("%s lets in %s at an organisation with %v", q.act, r, q.org.Functions)
				}
			}
		}
	})
	if allowed == 0 {
		t.Error("nothing was ever allowed")
	}
}

// The operator starts organisations and stops people, and nothing else.
func TestOperatorStartsAndStops(t *testing.T) {
	bank := Organisation{ID: "bank-a", Functions: []Function{Contributes}}
	admin, analyst := []Role{OrganisationAdmin}, []Role{ContributorAnalyst}
	for _, c := range []struct {
		name string
		q    question
		want bool
	}{
		{"first administrator", question{act: actInvite, roles: admin}, true},
		{"second administrator", question{act: actInvite, roles: admin, admins: 1}, false},
		{"an analyst", question{act: actInvite, roles: analyst}, false},
		{"administrator and analyst", question{act: actInvite, roles: []Role{OrganisationAdmin, ContributorAnalyst}}, false},
		{"at a suspended organisation", question{act: actInvite, roles: admin, org: Organisation{ID: "bank-a", Functions: bank.Functions, Stopped: stoppedAccr}}, false},
		{"suspend", question{act: actSuspend, target: Person{ID: "p", Organisation: "bank-a", State: Active, Roles: analyst}, admins: 1}, true},
		{"end sessions", question{act: actEnd, target: Person{ID: "p", Organisation: "bank-a", State: Active, Roles: analyst}, admins: 1}, true},
		{"resume", question{act: actResume, target: Person{ID: "p", Organisation: "bank-a", State: Suspended, Roles: analyst}}, false},
		{"change roles", question{act: actRoles, target: Person{ID: "p", Organisation: "bank-a", State: Active, Roles: analyst}, roles: admin}, false},
		{"remove", question{act: actRemove, target: Person{ID: "p", Organisation: "bank-a", State: Active, Roles: analyst}}, false},
		{"a new link for an analyst", question{act: actRenew, target: Person{ID: "p", Organisation: "bank-a", State: Invited, Roles: analyst}}, false},
		{"a new link for a lost first administrator", question{act: actRenew, target: Person{ID: "p", Organisation: "bank-a", State: Invited, Roles: admin}}, true},
		{"a new link for an administrator who has one", question{act: actRenew, target: Person{ID: "p", Organisation: "bank-a", State: Active, Roles: admin}, admins: 1}, false},
	} {
		if c.q.org.ID == "" {
			c.q.org = bank
		}
		c.q.by, c.q.now = AtTheMachine(), start
		if err := may(c.q); (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// People of other organisations are answered alike whether they exist or not.
func TestForeignPeopleAreNobody(t *testing.T) {
	by := Principal{Person: "p-a", Organisation: "bank-a", Roles: []Role{OrganisationAdmin}, StepUpAt: start}
	q := question{act: actSuspend, by: by, now: start, org: Organisation{ID: "bank-b", Functions: functions}, target: Person{ID: "p-b", Organisation: "bank-b", State: Active}}
	there := may(q)
	q.target = Person{}
	not := may(q)
	if there == nil || not == nil || there.Error() != not.Error() || fault.KindOf(there) != fault.NotFound {
		t.Errorf("%v and %v", there, not)
	}
}
