package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
)

// On a new hub there is nobody; the operator's link works once, for one
// administrator, and then the organisation is its own.
func TestFirstRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.man = opening.Manifest{} // nothing is there but the machine
		if list, err := w.People(t.Context(), AtTheMachine(), "", 10); err != nil || len(list) != 0 {
			t.Fatalf("a new hub has %v, %v", list, err)
		}
		e, err := w.Invite(t.Context(), AtTheMachine(), "hub", "First", []Role{OrganisationAdmin}, 0, "why")
		must(t, err)
		if !strings.HasPrefix(e.Link, "https://hub.example/enrol?code=enrol_") || e.Expires != start.Add(DefaultValid) {
			t.Errorf("%+v", e)
		}
		must(t, w.db.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			codes, err := store.All(ctx, tx, func(row store.Row) (b []byte, err error) { err = row.Scan(&b); return b, err }, `SELECT code FROM identity_invitation`)
			if len(codes) != 1 || string(codes[0]) != string(hashOf(e.Code)) || strings.Contains(string(codes[0]), e.Code) {
				t.Error("the code is not stored as its hash")
			}
			return err
		}))
		nothing := func(context.Context, *store.Tx, Person, time.Time) error { return nil }
		boom := errors.New("boom")
		if _, err := w.bind(t.Context(), hashOf(e.Code), func(context.Context, *store.Tx, Person, time.Time) error { return boom }); !errors.Is(err, boom) {
			t.Errorf("%v", err)
		}
		if _, err := w.bind(t.Context(), hashOf(e.Code+"x"), nothing); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("another code: %v", err)
		}
		p, err := w.bind(t.Context(), hashOf(e.Code), nothing)
		must(t, err)
		if _, err := w.bind(t.Context(), hashOf(e.Code), nothing); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("the link worked twice: %v", err)
		}
		if got := w.one(p.ID); got.State != Active || !slices.Equal(got.Roles, []Role{OrganisationAdmin}) {
			t.Errorf("%+v", got)
		}
		if _, err := w.Invite(t.Context(), AtTheMachine(), "hub", "Second", []Role{OrganisationAdmin}, 0, "why"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a second first administrator: %v", err)
		}
		if _, err := w.Invite(t.Context(), AtTheMachine(), "elsewhere", "First", []Role{OrganisationAdmin}, 0, "why"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("an unknown organisation: %v", err)
		}
		var kinds []string
		for _, r := range w.records() {
			kinds = append(kinds, r.By+" "+r.Type)
		}
		if !slices.Equal(kinds, []string{"operator invite", p.ID + " enrol"}) {
			t.Errorf("the log has %v", kinds)
		}
	})
}

func TestLinksExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e, err := w.Invite(t.Context(), AtTheMachine(), "bank-a", "First", []Role{OrganisationAdmin}, time.Hour, "why")
		must(t, err)
		if p, o, err := w.InvitedBy(t.Context(), e.Code); err != nil || p.Name != "First" || o.Name != "Bank A" {
			t.Errorf("%+v %+v %v", p, o, err)
		}
		w.clock.Advance(time.Hour)
		if _, _, err := w.InvitedBy(t.Context(), e.Code); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("an hour later: %v", err)
		}
		next, err := w.Renew(t.Context(), AtTheMachine(), e.Person, time.Hour, "why")
		must(t, err)
		if _, _, err := w.InvitedBy(t.Context(), next.Code); err != nil {
			t.Errorf("the new link: %v", err)
		}
		for _, valid := range []time.Duration{time.Second, MaxValid + 1, -time.Hour} {
			if _, err := w.Invite(t.Context(), AtTheMachine(), "bank-b", "First", []Role{OrganisationAdmin}, valid, "why"); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", valid, err)
			}
		}
		must(t, w.deny("gov-1", "suspend", "bank-a"))
		if _, err := w.bind(t.Context(), hashOf(next.Code), nil); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("at a suspended organisation: %v", err)
		}
	})
}

// What an administrator does to people of its organisation, and what each act
// leaves in the log; where the log cannot be written, nothing happens.
func TestLifeOfAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		admin := w.join("bank-a", "Admin", OrganisationAdmin)
		analyst := w.join("bank-a", "Analyst", ContributorAnalyst)
		other := w.join("bank-b", "Other", OrganisationAdmin)
		before := len(w.records())
		for name, do := range map[string]func(by Principal) error{
			"suspend": func(by Principal) error { return w.Suspend(ctx, by, analyst.Person, "why") },
			"roles": func(by Principal) error {
				return w.SetRoles(ctx, by, analyst.Person, []Role{ProgrammeLead}, "why")
			},
			"remove": func(by Principal) error { return w.Remove(ctx, by, analyst.Person, "why") },
			"renew":  func(by Principal) error { _, err := w.Renew(ctx, by, analyst.Person, 0, "why"); return err },
			"end":    func(by Principal) error { return w.EndSessions(ctx, by, analyst.Person, "why") },
		} {
			if err := do(other); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s by another organisation: %v", name, err)
			}
			if err := do(analyst); err == nil {
				t.Errorf("%s by itself", name)
			}
			stale := admin
			stale.StepUpAt = w.clock.Now().Add(-authz.StepUp - time.Second)
			if err := do(stale); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s without confirming: %v", name, err)
			}
			w.log.broken = true
			if err := do(admin); !errors.Is(err, errLog) {
				t.Errorf("%s without a log: %v", name, err)
			}
			w.log.broken = false
		}
		if got := w.one(analyst.Person); got.State != Active || !slices.Equal(got.Roles, []Role{ContributorAnalyst}) || len(w.records()) != before {
			t.Fatalf("refused acts left %+v and %d entries", got, len(w.records())-before)
		}
		must(t, w.SetRoles(ctx, admin, analyst.Person, []Role{ProgrammeLead, ContributorAnalyst}, "why"))
		if err := w.SetRoles(ctx, admin, analyst.Person, []Role{LeadReviewer}, "why"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a role that the organisation does not have: %v", err)
		}
		must(t, w.Suspend(ctx, admin, analyst.Person, "why"))
		if err := w.Suspend(ctx, admin, analyst.Person, "why"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("suspended twice: %v", err)
		}
		must(t, w.Resume(ctx, admin, analyst.Person, "why"))
		must(t, w.Remove(ctx, admin, analyst.Person, "why"))
		if got := w.one(analyst.Person); got.State != Removed || got.Name != "" || len(got.Roles) != 0 {
			t.Errorf("removed: %+v", got)
		}
		if list, err := w.People(ctx, admin, "", 10); err != nil || len(list) != 1 {
			t.Errorf("the list has %d, %v", len(list), err)
		}
		for _, err := range []error{w.Suspend(ctx, admin, admin.Person, "why"), w.Remove(ctx, admin, admin.Person, "why"), w.SetRoles(ctx, admin, admin.Person, []Role{ContributorAnalyst}, "why")} {
			if fault.KindOf(err) != fault.Forbidden {
				t.Errorf("an administrator acts on itself: %v", err)
			}
		}
		var types []string
		for _, r := range w.records()[before:] {
			types = append(types, r.Type)
			if r.By != admin.Person || r.Person != analyst.Person || r.Organisation != "bank-a" || r.Time != w.clock.Now().UnixMicro() {
				t.Errorf("%+v", r)
			}
		}
		if !slices.Equal(types, []string{"roles", "suspend", "resume", "remove"}) {
			t.Errorf("the log has %v", types)
		}
		must(t, w.Suspend(ctx, AtTheMachine(), admin.Person, "why"))
		if _, err := w.Invite(ctx, AtTheMachine(), "bank-a", "Next", []Role{OrganisationAdmin}, 0, "why"); err != nil {
			t.Errorf("an organisation that lost its administrators: %v", err)
		}
	})
}

// Nobody acts on another person without saying why: one line, which the act's
// entry in the log holds.
func TestActsOnPeopleSayWhy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		admin := w.join("bank-a", "Admin", OrganisationAdmin)
		analyst := w.join("bank-a", "Analyst", ContributorAnalyst)
		acts := []struct {
			name string
			do   func(why string) error
		}{
			{"invite", func(why string) error {
				_, err := w.Invite(ctx, admin, "bank-a", "New", []Role{ContributorAnalyst}, 0, why)
				return err
			}},
			{"roles", func(why string) error { return w.SetRoles(ctx, admin, analyst.Person, []Role{ProgrammeLead}, why) }},
			{"end-sessions", func(why string) error { return w.EndSessions(ctx, admin, analyst.Person, why) }},
			{"suspend", func(why string) error { return w.Suspend(ctx, admin, analyst.Person, why) }},
			{"resume", func(why string) error { return w.Resume(ctx, admin, analyst.Person, why) }},
			{"renew", func(why string) error { _, err := w.Renew(ctx, admin, analyst.Person, 0, why); return err }},
			{"remove", func(why string) error { return w.Remove(ctx, admin, analyst.Person, why) }},
		}
		for _, a := range acts {
			before := len(w.records())
			for _, why := range []string{"", " ", "two\nlines", strings.Repeat("x", maxText+1)} {
				if err := a.do(why); !errors.Is(err, errReason) {
					t.Errorf("%s because %q: %v", a.name, why, err)
				}
			}
			if n := len(w.records()); n != before {
				t.Errorf("%s left %d entries without a reason", a.name, n-before)
			}
			must(t, a.do("a reason for "+a.name))
			list := w.records()
			if r := list[len(list)-1]; len(list) != before+1 || r.Type != a.name || r.Reason != "a reason for "+a.name {
				t.Errorf("%s: %+v", a.name, r)
			}
		}
		if err := w.Suspend(ctx, AtTheMachine(), admin.Person, ""); !errors.Is(err, errReason) {
			t.Errorf("the operator without a reason: %v", err)
		}
	})
}

// The page asks why, and shows what was typed and what is wrong with it.
func TestThePageOfAPersonAsksWhy(t *testing.T) {
	v := withProviders(t, nil, "one")
	v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	ada := v.client
	v.fresh()
	e, _ := v.enrol("one", "bob", "bank-a", ContributorAnalyst)
	v.client = ada
	at := "/people/" + e.Person
	if a := v.get(at); strings.Count(a.body, ">Why<") != 3 || strings.Contains(a.body, "Let in again") {
		t.Errorf("the page:\n%s", a.body)
	}
	for name, form := range map[string]url.Values{
		"person-acts":   {"act": {"suspend"}, "why-person-acts": {" "}},
		"person-remove": {"sure": {"yes"}},
		"person-roles":  {"roles": {"programme-lead"}},
	} {
		to := at + "/act"
		if name != "person-acts" {
			to = at + "/" + strings.TrimPrefix(name, "person-")
		}
		if a := v.post(to, form); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `href="#f-why-`+name+`"`) || v.one(e.Person).State != Active {
			t.Errorf("%s without a reason: %d, %s\n%s", name, a.status, v.one(e.Person).State, a.body)
		}
	}
	if a := v.post(at+"/act", url.Values{"why-person-acts": {"a reason"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Choose what should happen") {
		t.Errorf("no act chosen: %d", a.status)
	}
	if a := v.post(at+"/act", url.Values{"act": {"suspend"}, "why-person-acts": {"left the team"}}); a.status != http.StatusOK || v.one(e.Person).State != Suspended {
		t.Errorf("suspending: %d", a.status)
	}
	if list := v.records(); list[len(list)-1].Reason != "left the team" {
		t.Errorf("the log: %+v", list[len(list)-1])
	}
}

func TestNamesAreOneLine(t *testing.T) {
	w := newWorld(t, sqlite(t))
	for _, name := range []string{"", " x", "a\nb", strings.Repeat("x", maxText+1), "a\x00b", "a\u202eb", "\xff"} {
		if _, err := w.Invite(t.Context(), AtTheMachine(), "hub", name, []Role{OrganisationAdmin}, 0, "why"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
