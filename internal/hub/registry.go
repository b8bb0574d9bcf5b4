package hub

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"parallax/client"
	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/signed"
)

// A Route is one line of the table of all that a hub serves (table.go): the
// mux is built from the table and from nothing else. To add a page or a message,
// add one line there with one of the constructors below:
//
//	page(path, action, on, show)                   GET, a page for people
//	form(path, action, on, do)                     POST from a page of this hub
//	said(path, action, on, do)                     POST of JSON by a page's script
//	asset(path, handler)                           what every page loads
//	read(path, action, get(f))                     GET, JSON or text for anybody's machine
//	proven(path, action, on, limits, proof, f)     POST of an object that proves itself
//	message(path, action, on, limits, f)           POST of a signed message
//
// action is one of the closed list of internal/authz, where policy.cedar says
// who may do it; on says what it acts on (shared, own, named, leads, or a function of
// the request). The gate has decided before a handler runs. In the handler,
// authz.From(ctx) is who asks and scope.From(ctx) whose rows it may touch. A
// handler whose first step finds out more (a state, another resource) asks the
// gate again with s.enter. The authorisation matrix (matrix_test.go) fails
// until the new line is in its expectation; run it with -update and read the
// difference.
type Route struct {
	Method string // "" for every method
	Path   string // of net/http
	Action authz.Action
	By     By
	On     On
	Limits api.Limits // of the body

	serve func(s *Server, rt Route) http.Handler
}

// By is how it is found out who asks.
type By string

// The ways.
const (
	BySession   By = "session"   // a cookie of a person; else the public
	BySignature By = "signature" // a signed message of a member's machine or an approver's key
	ByObject    By = "object"    // nobody is asked: what is sent carries the signatures that count
	ByNobody    By = "nobody"    // the public
)

// On says what a request acts on, and whose it is, from the request and the
// principal alone: nothing is read, so that a refusal cannot depend on it.
type On func(r *http.Request, p authz.Principal) authz.Resource

// own is the records of the principal's own organisation. An id of another
// organisation's leads nowhere: queries name the scope's organisation.
func own(_ *http.Request, p authz.Principal) authz.Resource {
	return authz.Resource{Kind: authz.Records, Organisation: p.Organisation}
}

// shared is what belongs to everybody: the log, the keys, the policy.
func shared(*http.Request, authz.Principal) authz.Resource {
	return authz.Resource{Kind: authz.Hub}
}

// ofLeads is the leads and openings of the pool.
func ofLeads(*http.Request, authz.Principal) authz.Resource {
	return authz.Resource{Kind: authz.Leads}
}

// ofStatistics is estimates and displacement before their release.
func ofStatistics(*http.Request, authz.Principal) authz.Resource {
	return authz.Resource{Kind: authz.Statistics}
}

// named is the organisation that a part of the path names: never who asks.
func named(part string) On {
	return func(r *http.Request, _ authz.Principal) authz.Resource {
		return authz.Resource{Kind: authz.Organisation, Organisation: r.PathValue(part)}
	}
}

// formLimits bound what a page may post.
var formLimits = api.Limits{Bytes: 64 << 10}

func page(path string, a authz.Action, on On, show api.Handler) Route {
	return Route{Method: http.MethodGet, Path: path, Action: a, By: BySession, On: on, serve: forPeople(show)}
}

func form(path string, a authz.Action, on On, do api.Handler) Route {
	return Route{Method: http.MethodPost, Path: path, Action: a, By: BySession, On: on, Limits: formLimits,
		serve: func(s *Server, rt Route) http.Handler {
			return forPeople(func(w http.ResponseWriter, r *http.Request) error {
				r.Body = http.MaxBytesReader(w, r.Body, rt.Limits.Bytes)
				return do(w, r)
			})(s, rt)
		}}
}

// forPeople finds the session's principal and shows errors as pages.
func forPeople(h api.Handler) func(*Server, Route) http.Handler {
	return func(s *Server, rt Route) http.Handler {
		return s.people.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, err := s.console.who.Principal(r)
			if err == nil { // also what surrounds an error page knows who asks
				r = r.WithContext(authz.With(r.Context(), s.known(p)))
			}
			s.console.kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
				if err != nil {
					return err
				}
				return s.guard(rt, p, h)(w, r)
			}).ServeHTTP(w, r)
		}))
	}
}

func asset(path string, h func(s *Server) http.Handler) Route {
	return Route{Method: http.MethodGet, Path: path, Action: authz.UseHub, By: ByNobody, On: shared,
		serve: func(s *Server, rt Route) http.Handler {
			return api.Handle(s.o.Log, s.guard(rt, authz.Principal{}, func(w http.ResponseWriter, r *http.Request) error {
				h(s).ServeHTTP(w, r)
				return nil
			}))
		}}
}

func read(path string, a authz.Action, h api.Handler) Route {
	return Route{Method: http.MethodGet, Path: path, Action: a, By: ByNobody, On: shared,
		serve: func(s *Server, rt Route) http.Handler { return api.Handle(s.o.Log, s.guard(rt, authz.Principal{}, h)) }}
}

// proven is a route for objects whose own signatures say whether they count,
// whoever brings them: proof tells from them who asks, or what is wrong.
func proven[Req, Ans any](path string, a authz.Action, on On, limits api.Limits, proof func(s *Server, req Req) (authz.Principal, error), act func(r *http.Request, req Req) (Ans, error)) Route {
	return Route{Method: http.MethodPost, Path: path, Action: a, By: ByObject, On: on, Limits: limits,
		serve: func(s *Server, rt Route) http.Handler {
			return api.Handle(s.o.Log, api.Call(rt.Limits, func(r *http.Request, req Req) (Ans, error) {
				var none Ans
				p, err := proof(s, req)
				if err != nil {
					return none, err
				}
				ctx, err := s.letIn(authz.With(r.Context(), p), rt, rt.On(r, p))
				if err != nil {
					return none, err
				}
				return act(r.WithContext(ctx), req)
			}))
		}}
}

// byPlace is the proof of a message to the key ceremony: the handler checks it
// against the place that it is for, and anybody may bring it.
func byPlace[Req any](*Server, Req) (authz.Principal, error) {
	return authz.Principal{Kind: authz.Public}, nil
}

// byQuorum is the proof of manifests: the governance quorum signed each.
func byQuorum(s *Server, req client.Manifests) (authz.Principal, error) {
	if len(req.Manifests) == 0 {
		return authz.Principal{}, fault.New(fault.Invalid, "No manifest was sent.")
	}
	for _, m := range req.Manifests {
		if _, err := m.Open(s.o.Plan.Governance); err != nil {
			return authz.Principal{}, fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+".", err)
		}
	}
	return authz.Principal{Kind: authz.Governance}, nil
}

// message is a route for signed messages: the signature, audience, path, time
// and nonce are checked, then the gate decides, then the body is read in its
// one canonical form.
func message[Req, Ans any](path string, a authz.Action, on On, limits api.Limits, act func(ctx context.Context, who caller, req Req) (Ans, error)) Route {
	return Route{Method: http.MethodPost, Path: path, Action: a, By: BySignature, On: on, Limits: limits,
		serve: func(s *Server, rt Route) http.Handler {
			return api.Handle(s.o.Log, byLine(api.Call(rt.Limits, func(r *http.Request, o signed.Object) (Ans, error) {
				var none Ans
				who, m, err := s.open(r.Context(), o, rt.Path, rt.Action.On())
				if err != nil {
					return none, err
				}
				p := s.known(who.principal)
				ctx, err := s.letIn(authz.With(r.Context(), p), rt, rt.On(r, p))
				if err != nil {
					return none, err
				}
				var req Req
				if err := signed.Unmarshal(m.Body, &req); err != nil {
					return none, fault.Wrap(fault.Invalid, "The message's body could not be read.", err)
				}
				return act(ctx, who, req)
			})))
		}}
}

// guard lets the gate decide before h runs.
func (s *Server) guard(rt Route, p authz.Principal, h api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p = s.known(p)
		ctx, err := s.letIn(authz.With(r.Context(), p), rt, rt.On(r, p))
		if err != nil {
			return s.wayOn(err, r, p, rt)
		}
		return h(w, r.WithContext(ctx))
	}
}

// known completes a principal with what the manifest says of its organisation,
// so that no source of principals can forget it.
func (s *Server) known(p authz.Principal) authz.Principal {
	if p.Kind == "" {
		p.Kind = authz.Public
	}
	if m, ok := s.state.current(); ok && p.Organisation != "" {
		mem, found := m.Member(p.Organisation)
		p.Suspended = p.Suspended || found && suspended(mem)
		p.Contributes = p.Contributes || found
	}
	return p
}

// enter asks the gate whether the context's principal may do a to what r names,
// and gives back the context with the scope that the work may touch. The
// refusal is the same whatever there is.
func (s *Server) enter(ctx context.Context, a authz.Action, r authz.Resource) (context.Context, error) {
	r.Compartment = s.compartment()
	p := authz.From(ctx)
	d := s.gate.Decide(p, a, r, s.o.Clock.Now())
	if d.Allow {
		return scope.With(ctx, d.Scope()), nil
	}
	return ctx, s.refusal(p)
}

// letIn is enter for a route. Whom the gate refused is in the hub's own log, by
// ids, so that somebody who tries doors is seen.
func (s *Server) letIn(ctx context.Context, rt Route, r authz.Resource) (context.Context, error) {
	in, err := s.enter(ctx, rt.Action, r)
	if err != nil {
		p := authz.From(ctx)
		s.o.Log.LogAttrs(ctx, slog.LevelWarn, "denied", slog.String("request_id", api.RequestID(ctx)), slog.String("route", rt.Method+" "+rt.Path),
			slog.String("action", string(rt.Action)), slog.String("as", string(p.Kind)), slog.String("organisation", p.Organisation), slog.String("person", p.Person))
	}
	return in, err
}

// refusal is what a principal is told whom the gate denied something.
func (s *Server) refusal(p authz.Principal) error {
	switch {
	case p.Kind == authz.Member || p.Kind == authz.Approver:
		return fault.New(fault.Forbidden, "The key that signed this may not do it here.")
	case s.o.DemoConsole:
		return fault.New(fault.Forbidden, "This page is for another role. At /demo you can choose who is looking.")
	case p.Kind == authz.Public:
		return fault.New(fault.Forbidden, "This page is not open to the public.")
	default:
		return fault.New(fault.Forbidden, "This page is not open to your role or organisation.")
	}
}

// may is enter for what a page would show or offer, where a refusal only leaves
// it away.
func (s *Server) may(ctx context.Context, a authz.Action, r authz.Resource) bool {
	_, err := s.enter(ctx, a, r)
	return err == nil
}

// checkTable refuses a table that the gate does not know or that says one
// thing twice.
func checkTable(table []Route) error {
	seen := map[string]bool{}
	for _, rt := range table {
		name := rt.Method + " " + rt.Path
		switch {
		case seen[name]:
			return fmt.Errorf("hub: route %s is in the table twice", name)
		case rt.Action.On() == "":
			return fmt.Errorf("hub: route %s has the action %q, which the gate does not know", name, rt.Action)
		case rt.On == nil || rt.serve == nil || rt.By == "":
			return fmt.Errorf("hub: route %s is made without one of the constructors", name)
		case rt.Method == http.MethodPost && rt.Limits.Bytes == 0:
			return fmt.Errorf("hub: route %s takes a body without a limit", name)
		}
		seen[name] = true
	}
	return nil
}

// Handler serves every route of the table; there are no others.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes {
		mux.Handle(strings.TrimPrefix(rt.Method+" "+rt.Path, " "), rt.serve(s, rt))
	}
	// Machines send neither Origin nor Sec-Fetch headers, so the protection of
	// pages lets them pass.
	protected := s.console.kit.Protect(mux)
	// Until the gate has decided, a request may touch nobody's rows.
	nobody := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protected.ServeHTTP(w, r.WithContext(scope.With(r.Context(), scope.Scope{})))
	})
	return api.Edge{Log: s.o.Log, Clock: s.o.Clock, Next: nobody}
}
