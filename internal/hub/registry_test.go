package hub

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/store/storetest"
	"parallax/opening"
)

// What a table may not hold: the hub is not made.
func TestTheTableIsChecked(t *testing.T) {
	nothing := func(http.ResponseWriter, *http.Request) error { return nil }
	get := page("/a", authz.UseHub, shared, nothing)
	post := form("/a", authz.UseHub, shared, nothing)
	if err := checkTable([]Route{get, post, asset("/b", nil), read("/c", authz.UseHub, nothing)}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(rt *Route){
		"an unknown action":    func(rt *Route) { rt.Action = "hub.yuse" },
		"acting on nothing":    func(rt *Route) { rt.On = nil },
		"serving nothing":      func(rt *Route) { rt.serve = nil },
		"asked by nobody":      func(rt *Route) { rt.By = "" },
		"a body without limit": func(rt *Route) { rt.Limits = api.Limits{} },
	} {
		rt := post
		change(&rt)
		if err := checkTable([]Route{get, rt}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := checkTable([]Route{get, post, get}); err == nil {
		t.Error("a route that is there twice was taken")
	}
}

// Whoever asks: the registry adds what the manifest knows of its organisation,
// and takes nothing away; the gate answers, and its scope goes on in the context.
func TestWhoAsksIsKnown(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.suspend("bank-b")
	s := w.hub
	for name, c := range map[string]struct{ is, want authz.Principal }{
		"nobody":               {authz.Principal{}, authz.Principal{Kind: authz.Public}},
		"of no organisation":   {authz.Principal{Kind: authz.Person}, authz.Principal{Kind: authz.Person}},
		"of a member":          {authz.Principal{Kind: authz.Person, Organisation: "bank-a"}, authz.Principal{Kind: authz.Person, Organisation: "bank-a", Contributes: true}},
		"of a suspended one":   {authz.Principal{Kind: authz.Person, Organisation: "bank-b"}, authz.Principal{Kind: authz.Person, Organisation: "bank-b", Suspended: true, Contributes: true}},
		"of none that it has":  {authz.Principal{Kind: authz.Person, Organisation: "else"}, authz.Principal{Kind: authz.Person, Organisation: "else"}},
		"suspended elsewhere":  {authz.Principal{Kind: authz.Person, Organisation: "else", Suspended: true}, authz.Principal{Kind: authz.Person, Organisation: "else", Suspended: true}},
		"a contributor before": {authz.Principal{Kind: authz.Person, Organisation: "else", Contributes: true}, authz.Principal{Kind: authz.Person, Organisation: "else", Contributes: true}},
		"both, of a member":    {authz.Principal{Kind: authz.Person, Organisation: "bank-a", Suspended: true, Contributes: true}, authz.Principal{Kind: authz.Person, Organisation: "bank-a", Suspended: true, Contributes: true}},
	} {
		if got := s.known(c.is); got.Kind != c.want.Kind || got.Organisation != c.want.Organisation || got.Suspended != c.want.Suspended || got.Contributes != c.want.Contributes {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}

	officer := authz.With(context.Background(), authz.Principal{Kind: authz.Approver, Person: "officer", Organisation: "police", Roles: []authz.Role{authz.LeadReviewer}})
	in, err := s.enter(officer, authz.ReadLeads, authz.Resource{Kind: authz.Leads})
	if of, ok := scope.From(in); err != nil || !ok || !of.Whole() || !s.may(officer, authz.ReadLeads, authz.Resource{Kind: authz.Leads}) {
		t.Errorf("the authority's approver: %v", err)
	}
	member := authz.With(context.Background(), s.known(memberMachine(opening.Member{ID: "bank-a", Status: opening.Active})))
	in, err = s.enter(member, authz.ReadLeads, authz.Resource{Kind: authz.Leads})
	if _, ok := scope.From(in); fault.KindOf(err) != fault.Forbidden || ok || s.may(member, authz.ReadLeads, authz.Resource{Kind: authz.Leads}) {
		t.Errorf("a member's machine: %v", err)
	}
	if !memberMachine(opening.Member{ID: "bank-b", Status: opening.Suspended}).Suspended || memberMachine(opening.Member{ID: "bank-a", Status: opening.Active}).Suspended {
		t.Error("whether a member is suspended")
	}

	// What the gate is shown of the pool is what the manifest says.
	c := s.compartment()
	if c.Pool != "pool" || c.Manifest != 1 || c.Authority != "police" || !slices.Equal(c.Oversight, []string{"Oversight"}) || !c.Demo {
		t.Errorf("the compartment: %+v", c)
	}
	for _, a := range w.man.Approvers {
		p := approverKey(w.man, a)
		want := map[string]authz.Principal{"officer": {Organisation: "police", Roles: []authz.Role{authz.LeadReviewer}},
			"overseer": {Organisation: "Oversight", Roles: []authz.Role{authz.OversightBoard}}}[a.ID]
		if p.Kind != authz.Approver || p.Organisation != want.Organisation || !slices.Equal(p.Roles, want.Roles) {
			t.Errorf("%s: %+v", a.ID, p)
		}
	}
	if p := approverKey(w.man, opening.Approver{ID: "x", Entity: "X", Role: "else"}); len(p.Roles) != 0 {
		t.Errorf("a role that nobody knows: %+v", p)
	}

	// An empty list of manifests proves nothing, nor do signatures of too few.
	if _, err := byQuorum(s, client.Manifests{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no manifest: %v", err)
	}
	if p, err := byQuorum(s, client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(w.man, "gov-1")}}); fault.KindOf(err) != fault.Forbidden || p.Kind != "" {
		t.Errorf("one governor: %+v, %v", p, err)
	}
	if p, err := byQuorum(s, client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(w.man, "gov-1", "gov-2")}}); err != nil || p.Kind != authz.Governance {
		t.Errorf("the quorum: %+v, %v", p, err)
	}
}

// Where it cannot be told who asks, nothing is done for anybody.
func TestWhoAsksCannotBeTold(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	w.hub.console.who = broken{}
	done := false
	rt := page("/x", authz.UseHub, shared, func(http.ResponseWriter, *http.Request) error { done = true; return nil })
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.Host = "127.0.0.1"
	rt.serve(w.hub, rt).ServeHTTP(rec, r)
	if done || rec.Code != http.StatusServiceUnavailable {
		t.Errorf("done %t, %d %s", done, rec.Code, rec.Body)
	}
}

// Also the page of a refusal knows who was refused: it lets them sign out.
func TestWhoAsksIsOnARefusal(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.Identity.URL = "https://hub.example" })
	who := &sessions{}
	w.hub.console.who = who
	h := w.hub.Handler()
	for _, rt := range w.hub.routes {
		if rt.Path != "/leads/{id}" || rt.Method != http.MethodGet {
			continue
		}
		for is, p := range map[bool]authz.Principal{true: {Kind: authz.Person, Person: "x", Organisation: "bank-a"}, false: {}} {
			rec := w.ask(h, who, rt, asker{person: p}, address(rt), nil)
			if rec.Code != http.StatusForbidden || strings.Contains(rec.Body.String(), `href="/sign-out"`) != is {
				t.Errorf("a person %t: %d %s", is, rec.Code, rec.Body)
			}
		}
		return
	}
	t.Fatal("no page of a lead")
}

// broken cannot tell who anybody is.
type broken struct{}

func (broken) Principal(*http.Request) (authz.Principal, error) {
	return authz.Principal{}, fault.New(fault.Unavailable, "It cannot be told who asks.")
}
