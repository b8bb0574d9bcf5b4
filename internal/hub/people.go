package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"parallax/client"
	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/identity"
	"parallax/internal/store"
	"parallax/internal/transparency"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

// openPeople wires who people are to the manifest and the log.
func (s *Server) openPeople(ctx context.Context) (err error) {
	card := s.o.Identity
	s.people, err = identity.New(ctx, identity.Options{DB: s.o.DB, Log: logAdapter{s.tlog}, Policy: s.state.current, Governance: s.o.Plan.Governance,
		Operator: identity.Operator{ID: card.ID, Entity: card.Entity}, URL: card.URL, Providers: s.o.Providers, Clock: s.o.Clock, Random: s.o.Random, Logger: s.o.Log})
	return err
}

// signedIn tells by sessions who asks; in a demonstration whoever chose nobody.
type signedIn struct {
	people *identity.Service
	chosen Viewers // nil: nobody can choose
}

// Principal implements Viewers.
func (v signedIn) Principal(r *http.Request) (authz.Principal, error) {
	if v.chosen != nil {
		if p, err := v.chosen.Principal(r); err != nil || p.Kind != "" {
			return p, err
		}
	}
	return v.people.Who(r)
}

// asking is who asks, for pages that act on people: the gate has decided by it.
func asking(r *http.Request) (authz.Principal, error) { return authz.From(r.Context()), nil }

// ofPeople is the people of the principal's own organisation. Whom an act is
// about is not known before it is read; identity then decides once more, also
// that nobody acts on one with a right that it lacks.
func ofPeople(_ *http.Request, p authz.Principal) authz.Resource {
	return authz.Resource{Kind: authz.Organisation, Organisation: p.Organisation}
}

// said is a POST of JSON by a page's script, answered in JSON.
func said(path string, a authz.Action, on On, do api.Handler) Route {
	return Route{Method: http.MethodPost, Path: path, Action: a, By: BySession, On: on, Limits: formLimits,
		serve: func(s *Server, rt Route) http.Handler {
			return s.people.Middleware(api.Handle(s.o.Log, func(w http.ResponseWriter, r *http.Request) error {
				r.Body = http.MaxBytesReader(w, r.Body, rt.Limits.Bytes)
				p, err := s.console.who.Principal(r)
				if err != nil {
					return err
				}
				return s.guard(rt, p, do)(w, r)
			}))
		}}
}

// wayOn adds to a refusal what would help: signing in, or confirming who one
// is. It depends on the route and on who asks, never on what is there.
func (s *Server) wayOn(err error, r *http.Request, p authz.Principal, rt Route) error {
	next := "/"
	if r.Method == http.MethodGet {
		next = r.URL.RequestURI()
	} else if part := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 2)[0]; part != "" {
		next = "/" + part
	}
	q := "?" + url.Values{"next": {next}}.Encode()
	if p.Kind == authz.Public && !s.o.DemoConsole {
		return web.Leads(err, web.Link{Label: "Sign in", Href: "/sign-in" + q})
	}
	if p.Kind != authz.Person || p.Demo {
		return err
	}
	confirmed := p
	confirmed.StepUpAt = s.o.Clock.Now()
	on := rt.On(r, p)
	on.Compartment = s.compartment()
	if s.gate.Decide(confirmed, rt.Action, on, s.o.Clock.Now()).Allow {
		return web.Leads(fault.Wrap(fault.Forbidden, "Confirm first that it is you: what you asked for changes what other people may do. A confirmation counts for five minutes.", err),
			web.Link{Label: "Confirm that it is you", Href: "/again" + q})
	}
	return err
}

func (c *console) members(w http.ResponseWriter, r *http.Request) error {
	return c.people.Members(w, r, c.s.state.policies())
}

func (c *console) policy(w http.ResponseWriter, r *http.Request) error {
	return c.people.Policy(w, r, c.s.state.policies())
}

// peopleRoutes are the routes for people: signing in, own account, people of
// the own organisation, organisations.
func (s *Server) peopleRoutes() []Route {
	p, c := s.console.people, s.console
	return []Route{
		// Machines.
		read(client.PathOrganisations, authz.ReadPolicy, s.people.OpenRead(identity.ReadOrganisations, get(s.getOrganisations))),
		proven(client.PathOrganisations, authz.Accredit, shared, messageLimits, byAccreditation, s.accredit),
		proven(client.PathSuspend, authz.Accredit, shared, messageLimits, byOneGovernor, s.suspendOrganisation),

		// Everybody.
		page("/members", authz.ReadPolicy, shared, c.members),
		page("/members/policy/{version}", authz.ReadPolicy, shared, c.policy),
		page("/sign-in", authz.UseHub, shared, p.SignIn),
		page("/sign-in/with/{provider}", authz.UseHub, shared, p.SignInAt),
		page(identity.Callback, authz.UseHub, shared, p.Callback),
		said("/sign-in/passkey/options", authz.UseHub, shared, p.SignInAsk),
		said("/sign-in/passkey", authz.UseHub, shared, p.Used),
		page("/enrol", authz.UseHub, shared, p.Enrol),
		page("/enrol/with/{provider}", authz.UseHub, shared, p.EnrolAt),
		said("/enrol/passkey/options", authz.UseHub, shared, p.EnrolAsk),
		said("/enrol/passkey", authz.UseHub, shared, p.Made),

		// Every person, for itself.
		page("/sign-out", authz.UseAccount, shared, p.SignOutForm),
		form("/sign-out", authz.UseAccount, shared, p.SignOut),
		page("/again", authz.UseAccount, shared, p.Again),
		page("/again/with/{provider}", authz.UseAccount, shared, p.AgainAt),
		said("/again/passkey/options", authz.UseAccount, shared, p.AgainAsk),
		said("/again/passkey", authz.UseAccount, shared, p.Used),
		page("/me", authz.UseAccount, shared, p.Me),
		form("/me/sessions/end", authz.UseAccount, shared, p.EndSession),
		said("/me/passkeys/options", authz.UseAccount, shared, p.AddAsk),
		said("/me/passkeys", authz.UseAccount, shared, p.Made),
		form("/me/passkeys/remove", authz.UseAccount, shared, p.RemovePasskey),

		// Administrators, for their organisation.
		form("/me/keys", authz.ManagePeople, ofPeople, p.MakeKey),
		form("/me/keys/revoke", authz.ManagePeople, ofPeople, p.RevokeKey),
		page("/people", authz.ReadPeople, ofPeople, p.People),
		page("/people/invite", authz.ManagePeople, ofPeople, p.InviteForm),
		form("/people/invite", authz.ManagePeople, ofPeople, p.Invite),
		page("/people/{person}", authz.ReadPeople, ofPeople, p.One),
		form("/people/{person}/{act}", authz.ManagePeople, ofPeople, p.Act),
	}
}

// byAccreditation is the proof of what the governance quorum signed about an
// organisation.
func byAccreditation(s *Server, sa identity.SignedAccreditation) (authz.Principal, error) {
	if _, err := sa.Open(s.o.Plan.Governance); err != nil {
		return authz.Principal{}, fault.Wrap(fault.Forbidden, "The accreditation was refused: "+err.Error()+".", err)
	}
	return authz.Principal{Kind: authz.Governance}, nil
}

func (s *Server) accredit(r *http.Request, sa identity.SignedAccreditation) (identity.Accreditation, error) {
	return s.people.Accredit(r.Context(), sa)
}

func (s *Server) getOrganisations(r *http.Request) (identity.Accreditations, error) {
	return s.people.Accreditations(r.Context())
}

// byOneGovernor is the proof of a suspension of an organisation, or of its
// lifting: the object that key holders take too.
func byOneGovernor(s *Server, o signed.Object) (authz.Principal, error) {
	m, _ := s.state.current()
	d, err := opening.OpenDenial(m, s.o.Plan.Governance, o)
	if err == nil && d.Kind != opening.DenySuspend && d.Kind != opening.DenyResume {
		err = errors.New("only a suspension or its lifting is taken here")
	}
	if err != nil {
		return authz.Principal{}, fault.Wrap(fault.Forbidden, "The suspension was refused: "+err.Error()+".", err)
	}
	return authz.Principal{Kind: authz.Governance}, nil
}

func (s *Server) suspendOrganisation(r *http.Request, o signed.Object) (client.Kept, error) {
	suspended, err := s.people.Deny(r.Context(), o)
	return client.Kept{Suspended: suspended}, err
}

// OpenPeople opens who people are on the hub's own machine, beside a hub that
// runs or not: for the operator's commands. It needs no plan, so that the first
// link can be made before there is one.
func OpenPeople(ctx context.Context, db *store.DB, who Identity, now clock.Clock, log *slog.Logger) (*identity.Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "hub", sub); err != nil {
		return nil, err
	}
	entries, err := transparency.Open(ctx, transparency.Options{DB: db, Origin: who.Origin, Key: who.logKey(), Clock: now, LeavesPerTick: 1})
	if err != nil {
		return nil, err
	}
	m, ok, err := newestManifest(ctx, db)
	if err != nil {
		return nil, err
	}
	return identity.New(ctx, identity.Options{DB: db, Log: logAdapter{entries}, Policy: func() (opening.Manifest, bool) { return m, ok },
		Operator: identity.Operator{ID: who.ID, Entity: who.Entity}, URL: who.URL, Clock: now, Logger: log})
}

// newestManifest is the last manifest that the hub took; its signatures were
// checked when it came.
func newestManifest(ctx context.Context, db *store.DB) (m opening.Manifest, ok bool, err error) {
	err = db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var text string
		var sm opening.SignedManifest
		err := tx.QueryRowContext(ctx, `SELECT body FROM hub_manifest ORDER BY version DESC LIMIT 1`).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &sm)
		}
		if err == nil {
			err, ok = signed.Unmarshal(sm.Body, &m), true
		}
		return err
	})
	return m, ok && err == nil, err
}
