package hub

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/internal/identity"
	"parallax/internal/store/storetest"
	"parallax/opening"
)

// nextPolicy publishes a second policy, which loosens and tightens: thirty days
// after its issue, since the hub refuses it before.
func (w *world) nextPolicy() {
	w.t.Helper()
	next := w.man
	next.Version, next.Previous, next.Issued = 2, opening.Digest(w.signManifest(w.man, "gov-1").Body), w.clock.Now().UnixMicro()
	next.Delays.OpenSeconds = 7200
	next.Classes = append([]opening.ClassRule{}, w.man.Classes...)
	next.Classes[0].DailyBudget = 8192
	next.Members = append([]opening.Member{}, w.man.Members...)
	next.Members[3].Status = opening.Suspended
	w.clock.Advance(opening.LooseningDelay)
	must(w.t, client.Post(context.Background(), http.DefaultClient, w.url+client.PathManifest,
		client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(next, "gov-1", "gov-2")}}, nil))
}

// The pages of people, empty and full, in every look; and the script's part of
// passkeys with the browser's own authenticator.
func TestPeopleInABrowser(t *testing.T) {
	browser := browsertest.Open(t)
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) {
		atLocalhost(o)
		o.Providers = []identity.Provider{{ID: "example", Name: "Example Directory", Issuer: "https://login.example", ClientID: "parallax"}}
	})
	base := w.hub.o.Identity.URL
	see := func(name, path string, options ...browsertest.Option) {
		t.Run(name, func(t *testing.T) {
			browser.Audit(t, base+path, append(options, browsertest.Shot("people-"+name))...)
		})
	}
	by := func(p *someone) (options []browsertest.Option) {
		at, err := url.Parse(base)
		must(t, err)
		for _, c := range p.Client.Jar.Cookies(at) {
			c.Path = "/"
			options = append(options, browsertest.Cookie(c))
		}
		return options
	}
	e, err := w.hub.people.Invite(t.Context(), identity.AtTheMachine(), "bank-a", "First Administrator", []identity.Role{identity.OrganisationAdmin}, 0, "first administrator")
	must(t, err)
	see("sign-in", "/sign-in")
	see("enrol", "/enrol?code="+e.Code)
	see("members-empty", "/members")
	signsIn(t, browser, base, e.Link)

	admin := w.admin("hub")
	see("me-empty", "/me", by(admin)...)
	bank := w.admin("platform-a")
	analyst := w.invites(bank, "Analyst with a long name for a narrow window", "contributor-analyst")
	w.invites(bank, "Counsel", "gateway-officer", "programme-lead")
	if status, body := bank.post("/me/keys", url.Values{"label": {"Dashboard"}, "reads": {"log", "status"}, "days": {"30"}}); status != http.StatusOK {
		t.Fatalf("a key: %d %s", status, body)
	}
	see("me", "/me", by(bank)...)
	see("people", "/people", by(bank)...)
	see("person", "/people/"+analyst.id, by(bank)...)
	see("invite", "/people/invite", by(bank)...)
	w.clock.Advance(6 * time.Minute)
	see("confirm-first", "/people/invite", append(by(bank), browsertest.Status(http.StatusForbidden))...)
	see("again", "/again?next=%2Fpeople", by(bank)...)
	w.nextPolicy()
	see("members", "/members")
	see("policy", "/members/policy/2")
}

// signsIn enrols and signs in by the buttons of the pages, with the browser's
// own authenticator.
func signsIn(t *testing.T, browser *browsertest.Browser, base, link string) {
	t.Helper()
	tab := browser.Tab(t)
	if _, err := chromedp.Call(tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}}); err != nil {
		t.Fatal(err)
	}
	press := func(at, button, then string) {
		t.Helper()
		if err := chromedp.Do(tab, chromedp.Navigate(at), chromedp.Evaluate[chromedp.Void](`document.querySelector("`+button+`").click()`),
			chromedp.WaitVisible(chromedp.CSS(then))); err != nil {
			said, _ := chromedp.Run(tab, chromedp.Evaluate[string](`String((document.querySelector("[data-passkey-text]") || {}).textContent)`))
			t.Fatalf("%s: %v; the page says %q", at, err, said)
		}
	}
	const passkey, form = "[data-passkey] button", "main form button"
	press(link, passkey, "#sessions")
	press(base+"/again?next=%2Fpeople", passkey, "#people-of-bank-a")
	press(base+"/sign-out", form, "#does-it-work-as-it-should")
	press(base+"/sign-in?next=%2Fme", passkey, "#sessions")
	press(base+"/sign-out", form, "#does-it-work-as-it-should")
}
