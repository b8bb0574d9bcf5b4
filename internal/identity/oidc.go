package identity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"parallax/client"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/outbound"
	"parallax/internal/store"
)

// A Provider is an OpenID provider that people sign in at.
type Provider struct {
	ID       string `json:"id"`   // in addresses: lower-case letters, digits, hyphens
	Name     string `json:"name"` // on the button
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	Secret   Secret `json:"-"`
}

// A Secret is a text that prints as a placeholder.
type Secret string

// String hides the secret.
func (Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (Secret) GoString() string { return "[secret]" }

var providerID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// Check refuses settings that cannot be right, and says how to mend them.
func (p Provider) Check() error {
	u, err := url.Parse(p.Issuer)
	switch {
	case !providerID.MatchString(p.ID):
		return fmt.Errorf("OpenID provider %q: the id has 1 to 40 lower-case letters, digits and hyphens", p.ID)
	case !plainText(p.Name) || p.ClientID == "":
		return fmt.Errorf("OpenID provider %s: name and client_id are needed", p.ID)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("OpenID provider %s: the issuer is no address", p.ID)
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("OpenID provider %s: the issuer must begin with https://", p.ID)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Callback is where providers send the browser back to.
const Callback = "/sign-in/callback"

// A relyingParty signs people in at OpenID providers: the authorization code
// flow with PKCE, state and nonce. A provider is asked for nothing but who it is.
type relyingParty struct {
	s    *Service
	http *http.Client

	mu    sync.Mutex
	known map[string]*provider // those that have answered
}

type provider struct {
	Provider
	verify *oidc.IDTokenVerifier
	oauth  oauth2.Config
	named  bool // its answers always name it (RFC 9207)
}

func newRelyingParty(s *Service) (*relyingParty, error) {
	rp := &relyingParty{s: s, http: s.o.HTTP, known: map[string]*provider{}}
	seen, issuers := map[string]bool{}, []string{}
	for _, p := range s.o.Providers {
		if err := p.Check(); err != nil {
			return nil, err
		}
		if seen[p.ID] || seen[p.Issuer] {
			return nil, fmt.Errorf("OpenID provider %s: its id or issuer is listed twice", p.ID)
		}
		seen[p.ID], seen[p.Issuer] = true, true
		issuers = append(issuers, p.Issuer)
	}
	if rp.http == nil {
		guard, err := outbound.New(issuers...)
		if err != nil {
			return nil, err
		}
		rp.http = guard.Client(15*time.Second, 1<<20)
		rp.http.Transport = client.HTTPSOnly(rp.http.Transport)
	}
	return rp, nil
}

// provider finds one by id. It is asked for its settings at its first use, so
// that a provider that is down keeps neither the hub nor the others from
// working; an answer is kept.
func (rp *relyingParty) provider(id string) (*provider, error) {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	if p := rp.known[id]; p != nil {
		return p, nil
	}
	i := slices.IndexFunc(rp.s.o.Providers, func(p Provider) bool { return p.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "There is no such provider here.")
	}
	p := &provider{Provider: rp.s.o.Providers[i]}
	// The context is kept for later fetches of the provider's keys, so it is no
	// request's; the client has a timeout.
	found, err := oidc.NewProvider(oidc.ClientContext(context.Background(), rp.http), p.Issuer)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "The provider does not answer as it should, so you cannot sign in with it at the moment.", err)
	}
	p.verify = found.Verifier(&oidc.Config{ClientID: p.ClientID, Now: rp.s.o.Clock.Now})
	p.oauth = oauth2.Config{ClientID: p.ClientID, ClientSecret: string(p.Secret), Endpoint: found.Endpoint(), RedirectURL: rp.s.site.url(Callback), Scopes: []string{oidc.ScopeOpenID}}
	var said struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		Named   bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&said); err != nil {
		return nil, err
	}
	p.named, p.oauth.Endpoint.AuthStyle = said.Named, p.style(said.Methods)
	rp.known[id] = p
	return p, nil
}

// style says how the client shows its secret. Trying both would spend the code.
func (p *provider) style(methods []string) oauth2.AuthStyle {
	if p.Secret == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// start begins a flow at a provider and gives the address to send the browser
// to. To confirm, the provider must ask the person anew.
func (rp *relyingParty) start(w http.ResponseWriter, r *http.Request, id string, f flow) (string, error) {
	if rp.s.site.why != "" {
		return "", fault.New(fault.Forbidden, rp.s.site.why)
	}
	p, err := rp.provider(id)
	if err != nil {
		return "", err
	}
	f.Provider, f.Verifier = id, oauth2.GenerateVerifier()
	if f.Nonce, _, err = rp.s.secret(""); err != nil {
		return "", err
	}
	state, err := rp.s.begin(r.Context(), w, f)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if f.Kind == flowAgain {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth.AuthCodeURL(state, options...), nil
}

// finish takes the browser back from a provider, and returns where it goes on to.
func (rp *relyingParty) finish(w http.ResponseWriter, r *http.Request) (next string, err error) {
	q := r.URL.Query()
	if q.Get("state") == "" {
		return "", errFlow
	}
	var who Person
	f, err := rp.s.take(w, r, q.Get("state"))
	defer func() { rp.s.noteSignIn(r, f, who, err) }()
	if err != nil {
		return "", err
	}
	if f.Provider == "" {
		return "", errFlow
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return "", fault.New(fault.Forbidden, "The provider did not sign you in. Nothing was changed.")
	}
	p, err := rp.provider(f.Provider)
	if err != nil {
		return "", err
	}
	if iss := q.Get("iss"); iss != p.Issuer && (iss != "" || p.named) {
		return "", errToken // RFC 9207: another provider's answer
	}
	subject, err := rp.redeem(r.Context(), p, q.Get("code"), f)
	if err != nil {
		return "", err
	}
	if who, err = rp.s.account(r.Context(), f, p.Issuer, subject); err != nil {
		return "", err
	}
	if err = rp.s.arrive(r, f, who); err != nil {
		return "", err
	}
	return local(f.Next), nil
}

var errToken = fault.New(fault.Forbidden, "What the provider sent does not hold, so nobody was signed in.")

// redeem changes the code for an ID token and checks everything about it.
func (rp *relyingParty) redeem(ctx context.Context, p *provider, code string, f flow) (subject string, err error) {
	ctx = oidc.ClientContext(ctx, rp.http)
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return "", fault.Wrap(fault.Forbidden, "The provider did not accept the sign-in. Begin again.", withoutBody(err))
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verify.Verify(ctx, raw)
	if err != nil {
		return "", fault.Wrap(fault.Forbidden, fault.Sentence(errToken), err)
	}
	var claims struct {
		Party    string `json:"azp"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", fault.Wrap(fault.Forbidden, fault.Sentence(errToken), err)
	}
	switch {
	case id.Nonce == "" || id.Nonce != f.Nonce, id.Subject == "":
		return "", errToken
	case len(id.Audience) > 1 && claims.Party != p.ClientID, claims.Party != "" && claims.Party != p.ClientID:
		return "", errToken
	case f.Kind == flowAgain && !recently(time.Unix(claims.AuthTime, 0), rp.s.o.Clock.Now()):
		return "", fault.New(fault.Forbidden, "The provider did not ask you to sign in anew, so nothing was confirmed.")
	}
	return id.Subject, nil
}

// withoutBody keeps what a provider answered out of the log: it may hold a token.
func withoutBody(err error) error {
	var re *oauth2.RetrieveError
	if errors.As(err, &re) && re.Response != nil {
		return fmt.Errorf("identity: the provider answered %s to the code", re.Response.Status)
	}
	return err
}

// recently allows a minute between the two clocks.
func recently(at, now time.Time) bool {
	return now.Sub(at) <= authz.StepUp && at.Sub(now) <= time.Minute
}

// account is the person of an account at a provider; for who was invited, the
// account is bound to it now.
func (s *Service) account(ctx context.Context, f flow, issuer, subject string) (p Person, err error) {
	if f.Kind == flowEnrol {
		p, err = s.bind(ctx, f.Code, func(ctx context.Context, tx *store.Tx, p Person, now time.Time) error {
			return insertLogin(ctx, tx, issuer, subject, p.ID, now)
		})
		p.State = Active
		return p, err
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err = loggedIn(ctx, tx, issuer, subject)
		return err
	})
	return p, err
}
