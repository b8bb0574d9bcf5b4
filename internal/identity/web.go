package identity

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/web"
)

// Pages are the pages of this package. The hub puts them on its routes, inside
// Middleware, and decides who may ask for them; what is done is decided here
// once more.
type Pages struct {
	s   *Service
	kit *web.Kit
	who func(r *http.Request) (Principal, error)
}

// NewPages makes the pages; who tells who asks, as the hub decided by.
func NewPages(s *Service, kit *web.Kit, who func(r *http.Request) (Principal, error)) *Pages {
	return &Pages{s, kit, who}
}

func (p *Pages) blocks(w http.ResponseWriter, r *http.Request, v web.View) error {
	status := http.StatusOK
	if len(v.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.kit.Render(w, r, status, web.Blocks, v)
}

// maxBody bounds what a form or a passkey's answer may hold.
const maxBody = 64 << 10

func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	return nil
}

// person is who asks; nobody gets on without a session.
func (p *Pages) person(r *http.Request) (Principal, error) {
	by, err := p.who(r)
	if err == nil && by.Person == "" {
		err = errSignIn
	}
	return by, err
}

var errSignIn = fault.New(fault.Forbidden, "Sign in first.")

// goesOn is what a finished sign-in answers: where the browser goes next.
type goesOn struct {
	Next string `json:"next"`
}

// withPasskeys says what a page must say about passkeys in words.
const withPasskeys = "A passkey needs this page's script: without it the button is not shown. Signing in with a provider works without the script."

// SignIn answers: how do I get in?
func (p *Pages) SignIn(w http.ResponseWriter, r *http.Request) error {
	next := local(r.URL.Query().Get("next"))
	v := web.View{Title: "Sign in", Question: "How do I get in?"}
	if by, err := p.who(r); err != nil {
		return err
	} else if by.Person != "" {
		v.Data = []any{web.Text("You are signed in as " + by.Name + "."), web.Actions{{Label: "Go on", Href: next, Primary: true}, {Label: "Sign out", Href: "/sign-out"}}}
		return p.blocks(w, r, v)
	}
	v.Data = append(p.ways("/sign-in", "with your passkey", web.Passkey{Label: "Sign in with a passkey", Options: "/sign-in/passkey/options", Finish: "/sign-in/passkey", Values: []web.Hidden{{Name: "next", Value: next}}},
		url.Values{"next": {next}}),
		web.Section{Title: "Not invited yet?", Body: []any{web.Text("There is no sign-up. An administrator of your organisation invites you and gives you a link that works once. Nobody here will ever ask you for a password.")}})
	return p.blocks(w, r, v)
}

// ways are the ways to sign in: a link for each provider, and a passkey.
func (p *Pages) ways(at, verb string, key web.Passkey, q url.Values) []any {
	if p.s.site.why != "" {
		return []any{web.Notice{Tone: web.Stop, Title: p.s.site.why}}
	}
	var out []any
	var links web.Actions
	for i, x := range p.s.o.Providers {
		links = append(links, web.Action{Label: "Continue with " + x.Name, Href: at + "/with/" + x.ID + "?" + q.Encode(), Primary: i == 0})
	}
	if links != nil {
		out = append(out, web.Section{Title: "With your organisation's account", Body: []any{links}})
	}
	body := []any{key, web.Text(withPasskeys)}
	if why := p.s.site.passkeys(); why != "" {
		body = []any{web.Text(why)}
	}
	return append(out, web.Section{Title: "With a passkey", ID: "passkey", Body: append([]any{web.Text("For people without an account at a provider: your device confirms that it is you, " + verb + ".")}, body...)})
}

// SignInAt sends the browser to a provider. Where another site's page led the
// browser here it shows the page to sign in instead: nobody is signed in without
// having asked for it.
func (p *Pages) SignInAt(w http.ResponseWriter, r *http.Request) error {
	if from := r.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" {
		return p.SignIn(w, r)
	}
	return p.at(w, r, flow{Kind: flowSignIn, Next: r.URL.Query().Get("next")})
}

func (p *Pages) at(w http.ResponseWriter, r *http.Request, f flow) error {
	to, err := p.s.oidc.start(w, r, r.PathValue("provider"), f)
	if err != nil {
		return err
	}
	return web.Redirect(w, r, to)
}

// Callback takes the browser back from a provider.
func (p *Pages) Callback(w http.ResponseWriter, r *http.Request) error {
	next, err := p.s.oidc.finish(w, r)
	if err != nil {
		return web.NotDone(err, "You are not signed in by this.")
	}
	return web.Redirect(w, r, next)
}

// asked is what a page's script sends to begin with a passkey.
type asked struct {
	Next string `json:"next"`
	Code string `json:"code"`
}

func (p *Pages) asked(w http.ResponseWriter, r *http.Request) (a asked, err error) {
	return a, api.Decode(w, r, api.Limits{Bytes: maxBody}, &a)
}

// SignInAsk begins to sign in with a passkey.
func (p *Pages) SignInAsk(w http.ResponseWriter, r *http.Request) error {
	a, err := p.asked(w, r)
	if err != nil {
		return err
	}
	options, err := p.s.keys.ask(w, r, flow{Kind: flowSignIn, Next: a.Next}, nil)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, options)
}

// Used signs in, or confirms, with a passkey.
func (p *Pages) Used(w http.ResponseWriter, r *http.Request) error {
	raw, err := answer(w, r)
	if err != nil {
		return err
	}
	f, who, err := p.s.keys.used(w, r, raw)
	return p.arrived(w, r, f, who, err)
}

// arrived ends what was begun with a passkey.
func (p *Pages) arrived(w http.ResponseWriter, r *http.Request, f flow, who Person, err error) error {
	if err == nil && f.Kind != flowAdd {
		err = p.s.arrive(r, f, who)
	}
	p.s.noteSignIn(r, f, who, err)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, goesOn{local(f.Next)})
}

func answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "The device's answer could not be read.", err)
	}
	return raw, nil
}

// SignOutForm asks once more, since a link must not end a session.
func (p *Pages) SignOutForm(w http.ResponseWriter, r *http.Request) error {
	return p.blocks(w, r, web.View{Title: "Sign out", Question: "Do you want to end this session?", Data: []any{
		web.Text("Sessions end by themselves after 15 minutes without use and after 8 hours in any case."),
		web.Actions{{Label: "Sign out", Href: "/sign-out", Post: true, Primary: true}, {Label: "My sessions", Href: "/me"}}}})
}

// SignOut ends the session, and has the browser forget what it keeps of this
// site.
func (p *Pages) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.s.sessions.end(r.Context()); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"cookies", "storage"`)
	return web.Redirect(w, r, "/")
}

// Enrol answers: who invites me, and how will I sign in?
func (p *Pages) Enrol(w http.ResponseWriter, r *http.Request) error {
	code := r.URL.Query().Get("code")
	if code == "" {
		return p.blocks(w, r, web.View{Title: "Enrol", Question: "Who invites me, and how will I sign in?", Data: []any{
			web.Form{Label: "Invitation", Action: "/enrol", Get: true, Submit: "Go on", Fields: []web.Field{{Name: "code", Label: "Code of your invitation", Help: "It begins with enrol_ and works once."}}}}})
	}
	who, org, err := p.s.InvitedBy(r.Context(), code)
	if err != nil {
		return err
	}
	roles := web.List{Label: "Your roles"}
	for _, x := range who.Roles {
		info, _ := Info(x)
		roles.Items = append(roles.Items, web.Cell{Text: info.Label, Note: info.What})
	}
	v := web.View{Title: "Welcome, " + who.Name, Question: "Who invites me, and how will I sign in?"}
	v.Data = append([]any{web.Text("You are invited to this hub for " + org.Name + ". Choose how you will sign in; the link works once."), roles},
		p.ways("/enrol", "and you need nothing else afterwards", web.Passkey{Label: "Make a passkey", Create: true, Options: "/enrol/passkey/options", Finish: "/enrol/passkey", Values: []web.Hidden{{Name: "code", Value: code}}},
			url.Values{"code": {code}})...)
	return p.blocks(w, r, v)
}

// EnrolAt binds an account at a provider to who was invited.
func (p *Pages) EnrolAt(w http.ResponseWriter, r *http.Request) error {
	code := r.URL.Query().Get("code")
	if _, _, err := p.s.InvitedBy(r.Context(), code); err != nil {
		return err
	}
	return p.at(w, r, flow{Kind: flowEnrol, Next: "/me", Code: hashOf(code)})
}

// EnrolAsk begins the first passkey of who was invited.
func (p *Pages) EnrolAsk(w http.ResponseWriter, r *http.Request) error {
	a, err := p.asked(w, r)
	if err != nil {
		return err
	}
	who, _, err := p.s.InvitedBy(r.Context(), a.Code)
	if err != nil {
		return err
	}
	options, err := p.s.keys.offer(w, r, flow{Kind: flowEnrol, Next: "/me", Code: hashOf(a.Code)}, owner{Person: who})
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, options)
}

// Made keeps a new passkey: the first, which signs in, or another one.
func (p *Pages) Made(w http.ResponseWriter, r *http.Request) error {
	raw, err := answer(w, r)
	if err != nil {
		return err
	}
	f, who, err := p.s.keys.made(w, r, raw)
	return p.arrived(w, r, f, who, err)
}

// Again answers: is it still you?
func (p *Pages) Again(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	next := local(r.URL.Query().Get("next"))
	me, err := p.s.me(r.Context(), by)
	if err != nil {
		return err
	}
	v := web.View{Title: "Confirm that it is you", Question: "Is it still you?"}
	v.Data = []any{web.Text("What you are about to do changes what other people may do, or makes a key. Confirm who you are; that counts for five minutes.")}
	if me.Account == Passkey {
		v.Data = append(v.Data.([]any), web.Passkey{Label: "Confirm with your passkey", Options: "/again/passkey/options", Finish: "/again/passkey", Values: []web.Hidden{{Name: "next", Value: next}}}, web.Text(withPasskeys))
		return p.blocks(w, r, v)
	}
	i := slices.IndexFunc(p.s.o.Providers, func(x Provider) bool { return x.Issuer == me.Account })
	if i < 0 {
		v.Data = []any{web.Notice{Tone: web.Stop, Title: "The provider that you signed in with is not set up here any more, so you cannot confirm. Ask the operator of this hub."}}
		return p.blocks(w, r, v)
	}
	x := p.s.o.Providers[i]
	v.Data = append(v.Data.([]any), web.Actions{{Label: "Sign in again with " + x.Name, Href: "/again/with/" + x.ID + "?" + url.Values{"next": {next}}.Encode(), Primary: true}})
	return p.blocks(w, r, v)
}

// AgainAt confirms at the provider.
func (p *Pages) AgainAt(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	return p.at(w, r, flow{Kind: flowAgain, Next: r.URL.Query().Get("next"), Person: by.Person})
}

// AgainAsk begins to confirm with a passkey.
func (p *Pages) AgainAsk(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	a, err := p.asked(w, r)
	if err != nil {
		return err
	}
	o, err := p.s.owner(r.Context(), by)
	if err != nil {
		return err
	}
	options, err := p.s.keys.ask(w, r, flow{Kind: flowAgain, Next: a.Next, Person: by.Person}, &o)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, options)
}

// me is the principal's own person.
func (s *Service) me(ctx context.Context, by Principal) (p Person, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err = person(ctx, tx, by.Person)
		return err
	})
	return p, err
}

// owner is the principal with its passkeys.
func (s *Service) owner(ctx context.Context, by Principal) (o owner, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := person(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		o, err = owned(ctx, tx, p)
		return err
	})
	return o, err
}
