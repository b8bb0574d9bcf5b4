package identity

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"parallax/internal/authz"
	"parallax/internal/identity/identitytest"
)

// own is a person's device, in the browser that is used now.
type own struct {
	identitytest.Device
	v *visit
}

func (v *visit) device() *own { return &own{*identitytest.New(v.t, v.base), v} }

func (d *own) create(path string, values map[string]string) answered {
	d.Client = d.v.client
	status, body := d.Create(path, values)
	return answered{status: status, body: body}
}

func (d *own) use(path string, values map[string]string) answered {
	d.Client = d.v.client
	status, body := d.Use(path, values)
	return answered{status: status, body: body}
}

func (v *visit) invite(organisation, name string, roles ...Role) Enrolment {
	v.t.Helper()
	by := AtTheMachine()
	if len(roles) != 1 || roles[0] != OrganisationAdmin {
		by = Principal{Person: "p-admin", Organisation: organisation, Roles: []Role{OrganisationAdmin}, StepUpAt: v.clock.Now()}
	}
	e, err := v.Invite(v.t.Context(), by, organisation, name, roles, 0, "why")
	must(v.t, err)
	return e
}

// A local account from its link to its second passkey, with real signatures.
func TestPasskeys(t *testing.T) {
	v := serve(t)
	e := v.invite("hub", "Operator", OrganisationAdmin)
	if page := v.get("/enrol?code=" + e.Code); page.status != http.StatusOK || !strings.Contains(page.body, "Welcome, Operator") || !strings.Contains(page.body, "data-passkey=\"create\"") {
		t.Fatalf("the link: %d\n%s", page.status, page.body)
	}
	d := v.device()
	if a := d.create("/enrol/passkey", map[string]string{"code": e.Code}); a.status != http.StatusOK || a.body != `{"next":"/me"}`+"\n" && a.body != `{"next":"/me"}` {
		t.Fatalf("the first passkey: %d %s", a.status, a.body)
	}
	if v.who() != e.Person {
		t.Error("not signed in after enrolling")
	}
	if a := v.device().create("/enrol/passkey", map[string]string{"code": e.Code}); a.status != http.StatusForbidden {
		t.Errorf("the link worked twice: %d", a.status)
	}
	v.fresh()
	if a := d.use("/sign-in/passkey", map[string]string{"next": "/people"}); a.status != http.StatusOK || !strings.Contains(a.body, `"/people"`) || v.who() != e.Person {
		t.Fatalf("signing in: %d %s", a.status, a.body)
	}
	v.clock.Advance(authz.StepUp + time.Second)
	if a := v.device().create("/me/passkeys", nil); a.status != http.StatusForbidden {
		t.Errorf("another passkey without confirming: %d", a.status)
	}
	if a := d.use("/again/passkey", nil); a.status != http.StatusOK {
		t.Fatalf("confirming: %d %s", a.status, a.body)
	}
	second := v.device()
	if a := second.create("/me/passkeys", map[string]string{}); a.status != http.StatusOK {
		t.Fatalf("another passkey: %d %s", a.status, a.body)
	}
	by := Principal{Person: e.Person, StepUpAt: v.clock.Now()}
	list, err := v.Passkeys(t.Context(), by)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d passkeys, %v", len(list), err)
	}
	if a := v.post("/me/passkeys/remove", url.Values{"passkey": {list[0].ID}}); a.status != http.StatusOK {
		t.Errorf("removing: %d", a.status)
	}
	if a := v.post("/me/passkeys/remove", url.Values{"passkey": {list[1].ID}}); a.status != http.StatusConflict {
		t.Errorf("removing the last: %d", a.status)
	}
	v.fresh()
	if a := d.use("/sign-in/passkey", nil); a.status != http.StatusForbidden || v.who() != "" {
		t.Errorf("with a removed passkey: %d", a.status)
	}
	if a := second.use("/sign-in/passkey", nil); a.status != http.StatusOK || v.who() != e.Person {
		t.Errorf("with the second: %d %s", a.status, a.body)
	}
}

// What a device answers counts for one question, at this site, with its owner
// verified, and from one device.
func TestWrongAnswersOfADevice(t *testing.T) {
	v := serve(t)
	e := v.invite("hub", "Operator", OrganisationAdmin)
	d := v.device()
	if a := d.create("/enrol/passkey", map[string]string{"code": e.Code}); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	refused := func(name string, a answered, want ...int) {
		t.Helper()
		ok := false
		for _, status := range want {
			ok = ok || a.status == status
		}
		if !ok || v.who() != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	v.fresh()
	elsewhere := *d
	elsewhere.RP.Origin = "https://elsewhere.example"
	refused("another site", elsewhere.use("/sign-in/passkey", nil), http.StatusForbidden)
	elsewhere = *d
	elsewhere.RP.ID = "elsewhere.example"
	refused("another site's key", elsewhere.use("/sign-in/passkey", nil), http.StatusForbidden)
	absent := *d
	absent.Auth.Options.UserNotVerified = true
	refused("owner not verified", absent.use("/sign-in/passkey", nil), http.StatusForbidden)
	other := *d
	other.Key.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2).Key
	refused("another key", other.use("/sign-in/passkey", nil), http.StatusForbidden)

	d.Client = v.client
	_, good := d.Answer("/sign-in/passkey", nil)
	cookies := v.client.Jar
	v.fresh()
	refused("in another browser", v.ask("/sign-in/passkey", good), http.StatusConflict)
	v.client.Jar = cookies
	v.clock.Advance(flowLife)
	refused("too late", v.ask("/sign-in/passkey", good), http.StatusConflict)
	refused("the same again", v.ask("/sign-in/passkey", good), http.StatusConflict)
	for _, junk := range []string{"", "{}", "null", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		v.ask("/sign-in/passkey/options", nil)
		refused("junk "+junk, v.ask("/sign-in/passkey", junk), http.StatusBadRequest)
	}
	if a := d.use("/sign-in/passkey", nil); a.status != http.StatusOK {
		t.Fatalf("the device itself: %d %s", a.status, a.body)
	}
	v.fresh()
	d.Key.Counter -= 2 // a copy that lags behind
	refused("a copied passkey", d.use("/sign-in/passkey", nil), http.StatusForbidden)
}

// An address that cannot hold passkeys, or nobody can sign in to, says so.
func TestWherePasskeysCannotBe(t *testing.T) {
	for address, want := range map[string]string{"http://127.0.0.1:7100": "host name", "https://192.0.2.7": "host name", "http://hub.example": "not https", "https://hub.example": ""} {
		s, err := newSite(address)
		must(t, err)
		if why := s.passkeys(); want == "" && why != "" || !strings.Contains(why, want) {
			t.Errorf("%s: %q", address, why)
		}
	}
}
