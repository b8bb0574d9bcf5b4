package identity

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"parallax/internal/authz"
)

// users are those of a real provider: two accounts with one e-mail address.
type users map[string]*storage.User

func (u users) GetUserByID(id string) *storage.User { return u[id] }
func (u users) ExampleClientID() string             { return "service" }
func (u users) GetUserByUsername(name string) *storage.User {
	for _, x := range u {
		if x.Username == name {
			return x
		}
	}
	return nil
}

const secretText = "kept in a file"

// provide starts a real OpenID provider in this process. tamper may change what
// a browser asks it for.
func provide(t *testing.T, id string, tamper func(q url.Values)) (Provider, func(callback string)) {
	t.Helper()
	front := http.NewServeMux()
	srv := httptest.NewServer(front)
	t.Cleanup(srv.Close)
	issuer := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	return Provider{ID: id, Name: "Provider " + id, Issuer: issuer, ClientID: "parallax", Secret: secretText}, func(callback string) {
		people := users{}
		for _, name := range []string{"ada", "bob", "eve"} {
			people["subject-"+name] = &storage.User{ID: "subject-" + name, Username: name, Password: "x", Email: "team@example.org", EmailVerified: true}
		}
		clients := map[string]*storage.Client{"parallax": storage.WebClient("parallax", secretText, callback)}
		op := exampleop.SetupServer(issuer, storage.NewStorageWithClients(people, clients), nil, false)
		front.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); r.URL.Path == "/auth" && tamper != nil {
				tamper(q)
				r.URL.RawQuery = q.Encode()
			}
			op.ServeHTTP(w, r)
		})
	}
}

// withProviders starts a hub with providers.
func withProviders(t *testing.T, tamper func(q url.Values), ids ...string) *visit {
	t.Helper()
	var list []Provider
	var starts []func(string)
	for _, id := range ids {
		p, begin := provide(t, id, tamper)
		list, starts = append(list, p), append(starts, begin)
	}
	v := serve(t, func(o *Options) { o.Providers = list })
	for _, begin := range starts {
		begin(v.base + Callback)
	}
	return v
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// at signs in at the provider that the browser was sent to, and comes back.
func (v *visit) at(begin, name string) answered {
	v.t.Helper()
	login := v.get(begin)
	id := requestID.FindStringSubmatch(login.body)
	if id == nil {
		return login // it did not get there
	}
	to, err := url.Parse(login.url)
	must(v.t, err)
	return v.post(to.Scheme+"://"+to.Host+"/login/username", url.Values{"id": {id[1]}, "username": {name}, "password": {"x"}})
}

// enrol invites somebody and binds the account of a user at a provider.
func (v *visit) enrol(provider, user, organisation string, roles ...Role) (Enrolment, answered) {
	v.t.Helper()
	by := AtTheMachine()
	if len(roles) != 1 || roles[0] != OrganisationAdmin {
		by = Principal{Person: "p-admin", Organisation: organisation, Roles: []Role{OrganisationAdmin}, StepUpAt: v.clock.Now()}
	}
	e, err := v.Invite(v.t.Context(), by, organisation, user, roles, 0, "why")
	must(v.t, err)
	return e, v.at("/enrol/with/"+provider+"?code="+e.Code, user)
}

// The whole authorization code flow with PKCE against a real provider: the
// first sign-in of an invited person binds (issuer, subject), and nothing else
// of the account counts.
func TestSignInWithAProvider(t *testing.T) {
	v := withProviders(t, nil, "one", "two")
	if page := v.get("/sign-in"); !strings.Contains(page.body, "Continue with Provider one") || !strings.Contains(page.body, "needs this page&#39;s script") {
		t.Errorf("the page to sign in:\n%s", page.body)
	}
	// Nobody was invited: whoever the provider knows is nobody here.
	if a := v.at("/sign-in/with/one", "ada"); a.status != http.StatusForbidden || v.who() != "" {
		t.Errorf("without an invitation: %d", a.status)
	}
	e, a := v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	if a.status != http.StatusOK || !strings.HasSuffix(a.url, "/me") || v.who() != e.Person {
		t.Fatalf("enrolled: %d at %s\n%s", a.status, a.url, a.body)
	}
	if a := v.at("/enrol/with/one?code="+e.Code, "bob"); a.status != http.StatusForbidden {
		t.Errorf("the link worked twice: %d", a.status)
	}
	v.fresh()
	if a := v.at("/sign-in/with/one?next=%2Fpeople", "ada"); !strings.HasSuffix(a.url, "/people") || v.who() != e.Person {
		t.Errorf("signing in again: %d at %s", a.status, a.url)
	}
	// Another subject with the same verified e-mail address is another person.
	v.fresh()
	if a := v.at("/sign-in/with/one", "bob"); a.status != http.StatusForbidden || v.who() != "" {
		t.Errorf("the same e-mail address: %d, %s", a.status, v.who())
	}
	// So is the same subject at another issuer.
	v.fresh()
	if a := v.at("/sign-in/with/two", "ada"); a.status != http.StatusForbidden || v.who() != "" {
		t.Errorf("the same subject elsewhere: %d, %s", a.status, v.who())
	}
	// One account is one person.
	v.fresh()
	if _, a := v.enrol("one", "ada", "bank-b", OrganisationAdmin); a.status != http.StatusConflict {
		t.Errorf("one account for two people: %d", a.status)
	}
	for _, next := range []string{"//elsewhere.example", "https://elsewhere.example/", "javascript:alert(1)"} {
		v.fresh()
		if a := v.at("/sign-in/with/one?next="+url.QueryEscape(next), "ada"); a.url != v.base+"/" {
			t.Errorf("next=%s leads to %s", next, a.url)
		}
	}
	must(t, v.Suspend(t.Context(), AtTheMachine(), e.Person, "why"))
	v.fresh()
	if a := v.at("/sign-in/with/one", "ada"); a.status != http.StatusForbidden || v.who() != "" {
		t.Errorf("suspended: %d", a.status)
	}
}

// What comes back is spent at its first use, in the browser that began, for the
// provider that it was begun at.
func TestCallbackIsUsedOnce(t *testing.T) {
	v := withProviders(t, nil, "one")
	v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	v.fresh()
	var back string
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), v.base+Callback) {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	v.at("/sign-in/with/one", "ada")
	if back == "" {
		t.Fatal("the provider sent nobody back")
	}
	v.client.CheckRedirect = nil
	mine := v.client
	v.fresh()
	if a := v.get(back); a.status != http.StatusConflict || v.who() != "" {
		t.Errorf("in another browser: %d", a.status)
	}
	v.client = mine
	for _, change := range []struct{ name, value string }{{"state", "AAAA"}, {"state", ""}} {
		u, err := url.Parse(back)
		must(t, err)
		q := u.Query()
		q.Set(change.name, change.value)
		u.RawQuery = q.Encode()
		if a := v.get(u.String()); a.status != http.StatusConflict || v.who() != "" {
			t.Errorf("%s=%q: %d", change.name, change.value, a.status)
		}
	}
	if a := v.get(back); a.status != http.StatusOK || v.who() == "" {
		t.Errorf("as it came: %d\n%s", a.status, a.body)
	}
	v.fresh()
	v.client.Jar = mine.Jar
	if a := v.get(back); a.status != http.StatusConflict {
		t.Errorf("the same state again: %d", a.status)
	}
}

// A provider's answer counts for the question that was asked only: another
// nonce, another proof of the code, an answer that names another issuer, one
// that comes too late.
func TestWrongAnswersOfAProvider(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(q url.Values)
		back   func(q url.Values)
		late   time.Duration
		want   int
	}{
		"another nonce":     {tamper: func(q url.Values) { q.Set("nonce", "another") }, want: http.StatusForbidden},
		"no nonce":          {tamper: func(q url.Values) { q.Del("nonce") }, want: http.StatusForbidden},
		"another challenge": {tamper: func(q url.Values) { q.Set("code_challenge", strings.Repeat("A", 43)) }, want: http.StatusForbidden},
		"another issuer":    {back: func(q url.Values) { q.Set("iss", "https://elsewhere.example") }, want: http.StatusForbidden},
		"another code":      {back: func(q url.Values) { q.Set("code", q.Get("code")+"x") }, want: http.StatusForbidden},
		"an error":          {back: func(q url.Values) { q.Set("error", "access_denied") }, want: http.StatusForbidden},
		"too late":          {late: flowLife, want: http.StatusConflict},
	} {
		t.Run(name, func(t *testing.T) {
			v := withProviders(t, c.tamper, "one")
			e, err := v.Invite(t.Context(), AtTheMachine(), "bank-a", "Ada", []Role{OrganisationAdmin}, 0, "why")
			must(t, err)
			v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
				if r.URL.Path == Callback {
					v.clock.Advance(c.late)
					if c.back != nil {
						q := r.URL.Query()
						c.back(q)
						r.URL.RawQuery = q.Encode()
					}
				}
				return nil
			}
			a := v.at("/enrol/with/one?code="+e.Code, "ada")
			if a.status != c.want || v.who() != "" || v.one(e.Person).State != Invited {
				t.Errorf("%d, signed in as %q, %s\n%s", a.status, v.who(), v.one(e.Person).State, a.body)
			}
		})
	}
}

// A provider that says that it is another is not used at all.
func TestProviderMustBeItsIssuer(t *testing.T) {
	real, begin := provide(t, "one", nil)
	begin("http://localhost/x")
	wrong := real
	wrong.Issuer = strings.Replace(real.Issuer, "localhost", "127.0.0.1", 1)
	v := serve(t, func(o *Options) { o.Providers = []Provider{wrong} })
	if a := v.get("/sign-in/with/one"); a.status != http.StatusServiceUnavailable {
		t.Errorf("%d", a.status)
	}
	if a := v.get("/sign-in/with/none"); a.status != http.StatusNotFound {
		t.Errorf("an unknown provider: %d", a.status)
	}
	for name, p := range map[string]Provider{"plain http": {ID: "x", Name: "x", Issuer: "http://op.example", ClientID: "x"}, "no client": {ID: "x", Name: "x", Issuer: "https://op.example"},
		"bad id": {ID: "X Y", Name: "x", Issuer: "https://op.example", ClientID: "x"}, "no address": {ID: "x", Name: "x", Issuer: "op", ClientID: "x"}} {
		if p.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// To confirm, the provider asks anew, and the same person must answer.
func TestConfirmWithAProvider(t *testing.T) {
	v := withProviders(t, nil, "one")
	e, _ := v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	ada := v.client
	v.fresh()
	v.enrol("one", "bob", "bank-a", ContributorAnalyst)
	v.client = ada
	v.clock.Advance(authz.StepUp + time.Second) // the provider's clock is now behind: what it did before does not count
	if a := v.get("/people/invite"); strings.Contains(a.body, `name="name"`) {
		t.Error("the form is shown without confirming")
	}
	if a := v.post("/people/invite", url.Values{"name": {"New"}, "roles": {"contributor-analyst"}, "days": {"3"}, "why-person-acts": {"joins the team"}}); a.status != http.StatusForbidden {
		t.Errorf("invited without confirming: %d", a.status)
	}
	if a := v.at("/again/with/one?next=%2Fpeople", "ada"); a.status != http.StatusForbidden {
		t.Errorf("with a sign-in of long ago: %d at %s", a.status, a.url)
	}
	v.clock.Advance(-authz.StepUp)
	if a := v.at("/again/with/one", "bob"); a.status != http.StatusForbidden || v.who() != e.Person {
		t.Errorf("somebody else confirmed: %d", a.status)
	}
	if a := v.at("/again/with/one?next=%2Fpeople", "ada"); a.status != http.StatusOK || !strings.HasSuffix(a.url, "/people") {
		t.Errorf("confirming: %d at %s", a.status, a.url)
	}
	if a := v.post("/people/invite", url.Values{"name": {"New"}, "roles": {"contributor-analyst"}, "days": {"3"}, "why-person-acts": {"joins the team"}}); a.status != http.StatusOK || strings.Count(a.body, "enrol_") != 1 {
		t.Errorf("inviting: %d\n%s", a.status, a.body)
	}
}
