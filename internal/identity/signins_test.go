package identity

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// edited is a transport that changes what a provider says of itself.
type edited struct{ old, new string }

func (e edited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		return res, err
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(strings.NewReader(strings.Replace(string(raw), e.old, e.new, 1)))
	res.ContentLength = -1
	return res, err
}

// A provider that says that it names itself in every answer must do so: an
// answer without a name could be another provider's.
func TestAnAnswerWithoutItsProviderIsRefused(t *testing.T) {
	provider, begin := provide(t, "one", nil)
	v := serve(t, func(o *Options) {
		o.Providers = []Provider{provider}
		o.HTTP = &http.Client{Transport: edited{"{", `{"authorization_response_iss_parameter_supported":true,`}}
	})
	begin(v.base + Callback)
	named := ""
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if q := r.URL.Query(); r.URL.Path == Callback && named != "" {
			q.Set("iss", named)
			r.URL.RawQuery = q.Encode()
		}
		return nil
	}
	e, a := v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	if a.status != http.StatusForbidden || v.one(e.Person).State != Invited {
		t.Errorf("without a name: %d", a.status)
	}
	named = provider.Issuer
	if a := v.at("/enrol/with/one?code="+e.Code, "ada"); a.status != http.StatusOK || v.one(e.Person).State != Active {
		t.Errorf("with its name: %d\n%s", a.status, a.body)
	}
}

// A sign-in that was begun at a provider is finished there: a passkey's answer,
// which it never asked for, is refused before it is read.
func TestAProvidersFlowTakesNoPasskey(t *testing.T) {
	v := withProviders(t, nil, "one")
	for begin, finish := range map[string]string{"/sign-in/with/one": "/sign-in/passkey", "/enrol/with/one?code=" + v.invite("hub", "Operator", OrganisationAdmin).Code: "/enrol/passkey"} {
		v.fresh()
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if a := v.get(begin); a.status != http.StatusSeeOther {
			t.Fatalf("%s: %d", begin, a.status)
		}
		if a := v.ask(finish, struct{}{}); a.status != http.StatusConflict {
			t.Errorf("%s: %d, want a conflict", finish, a.status)
		}
	}
}

// Also what a provider says of itself, its other addresses, is reached by https
// or on this machine: a code and the client's secret are never sent in the clear.
func TestProvidersAreAskedByHTTPS(t *testing.T) {
	w := newWorld(t, sqlite(t))
	for _, address := range []string{"http://op.example/token", "http://192.0.2.7/token"} {
		res, err := w.oidc.http.Get(address)
		if err == nil {
			res.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "not reached by https") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A link on another site's page signs nobody in.
func TestAnotherSiteBeginsNoSignIn(t *testing.T) {
	v := withProviders(t, nil, "one")
	for from, want := range map[string]int{"cross-site": http.StatusOK, "same-site": http.StatusOK, "same-origin": http.StatusSeeOther, "none": http.StatusSeeOther, "": http.StatusSeeOther} {
		r, err := http.NewRequest(http.MethodGet, v.base+"/sign-in/with/one?next=%2Fme", nil)
		must(t, err)
		r.Header.Set("Sec-Fetch-Site", from)
		res, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != want || want == http.StatusOK && len(res.Cookies()) > 0 {
			t.Errorf("%q: %d %v", from, res.StatusCode, res.Cookies())
		}
	}
}

// Each sign-in, good or refused, is a line of the hub's own log: when, by which
// way, by whom where that is known; no account, code or name.
func TestSignInsAreLogged(t *testing.T) {
	var lines bytes.Buffer
	provider, begin := provide(t, "one", nil)
	v := serve(t, func(o *Options) {
		o.Providers = []Provider{provider}
		o.Logger = slog.New(slog.NewJSONHandler(&lines, nil))
	})
	begin(v.base + Callback)
	var e Enrolment
	d := v.device()
	last := func(what string, want map[string]string) {
		t.Helper()
		var got map[string]any
		for _, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
			if strings.Contains(line, "sign-in failed") || strings.Contains(line, "signed in") {
				must(t, json.Unmarshal([]byte(line), &got))
			}
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %v, want %q:\n%s", what, name, got[name], value, lines.String())
			}
		}
		for _, secret := range []string{"ada", "subject-", "Operator", e.Code} {
			if secret != "" && strings.Contains(lines.String(), secret) {
				t.Errorf("%s: the log shows %q:\n%s", what, secret, lines.String())
			}
		}
		lines.Reset()
	}
	v.at("/sign-in/with/one", "ada")
	last("a stranger", map[string]string{"msg": "sign-in failed", "level": "WARN", "act": "sign-in", "way": "one", "person": "", "kind": "forbidden"})
	v.get("/sign-in/callback?state=x&code=y")
	last("no flow", map[string]string{"msg": "sign-in failed", "way": "", "kind": "conflict"})
	e, _ = v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	last("enrolled", map[string]string{"msg": "signed in", "act": "enrol", "way": "one", "person": e.Person})
	v.fresh()
	e = v.invite("hub", "Operator", OrganisationAdmin)
	d.create("/enrol/passkey", map[string]string{"code": e.Code})
	last("a passkey made", map[string]string{"msg": "signed in", "act": "enrol", "way": "passkey", "person": e.Person})
	d.use("/again/passkey", map[string]string{"next": "/me"})
	last("confirmed", map[string]string{"msg": "signed in", "act": "again", "way": "passkey", "person": e.Person})
	must(t, v.Suspend(t.Context(), AtTheMachine(), e.Person, "why"))
	v.fresh()
	d.use("/sign-in/passkey", nil)
	last("suspended", map[string]string{"msg": "sign-in failed", "act": "sign-in", "way": "passkey", "kind": "forbidden"})
}

// A person who changed how it signs in ends all its other sessions at once, and
// nobody else's; signing out has the browser forget what it keeps.
func TestEndAllOtherSessions(t *testing.T) {
	v := withProviders(t, nil, "one")
	e, _ := v.enrol("one", "ada", "bank-a", OrganisationAdmin)
	first := v.client
	v.fresh()
	if _, a := v.enrol("one", "bob", "bank-a", ContributorAnalyst); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	bob := v.client
	v.fresh()
	if v.at("/sign-in/with/one", "ada"); v.who() != e.Person {
		t.Fatal("not signed in twice")
	}
	if a := v.get("/me"); !strings.Contains(a.body, "End all other sessions") {
		t.Errorf("not offered:\n%s", a.body)
	}
	if a := v.post("/me/sessions/end", url.Values{"session": {"others"}}); a.status != http.StatusOK || v.who() != e.Person {
		t.Errorf("the one that asks ended too: %d", a.status)
	}
	second := v.client
	if v.client = first; v.who() != "" {
		t.Error("the other session is open still")
	}
	if v.client = bob; v.who() == "" {
		t.Error("another person's session ended")
	}
	v.client = second
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if a := v.post("/sign-out", nil); !strings.Contains(a.header.Get("Clear-Site-Data"), "storage") || v.who() != "" {
		t.Errorf("signed out: %v", a.header)
	}
}
