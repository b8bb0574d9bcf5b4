package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/store"
)

// How long a session lasts: without use, and in any case.
const (
	Idle     = 15 * time.Minute
	Absolute = 8 * time.Hour
	// touchEvery bounds how often a session's last use is written. A session may
	// end that much early, never late.
	touchEvery = 30 * time.Second
)

// Keys of a session's values.
const (
	keyPerson    = "person"
	keyConfirmed = "confirmed" // microseconds
	keyDevice    = "device"
	keyBegan     = "began" // microseconds; stays when the token is renewed
)

// sessions carries tokens in cookies with scs and decides by this hub's clock
// and tables whether they still count.
type sessions struct {
	s       *Service
	manager *scs.SessionManager
}

func newSessions(s *Service) *sessions {
	ss := &sessions{s: s, manager: scs.New()}
	m := ss.manager
	if unused, ok := m.Store.(*memstore.MemStore); ok {
		unused.StopCleanup()
	}
	// The store ends sessions by the injected clock; the manager's own limit is
	// beyond it and never decides.
	m.Store, m.Codec, m.Lifetime, m.HashTokenInStore = ss, codec{}, 2*Absolute, true
	m.Cookie = scs.SessionCookie{Name: s.site.cookie("session"), Path: "/", HttpOnly: true, Secure: s.site.secure, SameSite: http.SameSiteLaxMode}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		s.o.Logger.Error("session", "error", err.Error())
		http.Error(w, fault.Sentence(err), http.StatusServiceUnavailable)
	}
	return ss
}

// codec stores a session's values as JSON of texts.
type codec struct{}

type stored struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	out := stored{deadline, map[string]string{}}
	for k, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("identity: session value %s is a %T", k, v)
		}
		out.Values[k] = text
	}
	return json.Marshal(out)
}

// Decode implements scs.Codec.
func (codec) Decode(raw []byte) (time.Time, map[string]any, error) {
	var in stored
	err := json.Unmarshal(raw, &in)
	values := map[string]any{}
	for k, v := range in.Values {
		values[k] = v
	}
	return in.Deadline, values, err
}

// quietKey marks a request that is no use of the session: a page that asks by
// itself whether there is something new.
type quietKey struct{}

// insideKey marks a request that went through Middleware.
type insideKey struct{}

func inside(ctx context.Context) bool {
	in, _ := ctx.Value(insideKey{}).(bool)
	return in
}

// FindCtx implements scs.CtxStore: the one place where a session ends.
func (ss *sessions) FindCtx(ctx context.Context, token string) (body []byte, found bool, err error) {
	now := ss.s.o.Clock.Now()
	row, err := ss.find(ctx, token)
	if err != nil || row == nil {
		return nil, false, err
	}
	if over(row.created, row.seen, now) {
		return nil, false, ss.DeleteCtx(ctx, token)
	}
	if quiet, _ := ctx.Value(quietKey{}).(bool); !quiet && now.Sub(row.seen) >= touchEvery {
		if err := ss.touch(ctx, token, now); err != nil {
			return nil, false, err
		}
	}
	return row.body, true, nil
}

// over reports that a session has ended by itself. A clock that was set back
// behind its beginning ends it too.
func over(created, seen, now time.Time) bool {
	return now.Sub(seen) >= Idle || now.Sub(created) >= Absolute || now.Before(created)
}

// CommitCtx implements scs.CtxStore. What belongs to no person is not kept.
func (ss *sessions) CommitCtx(ctx context.Context, token string, body []byte, _ time.Time) error {
	_, values, err := codec{}.Decode(body)
	if err != nil {
		return err
	}
	person, _ := values[keyPerson].(string)
	if person == "" {
		return nil
	}
	confirmed, _ := values[keyConfirmed].(string)
	device, _ := values[keyDevice].(string)
	at, err := strconv.ParseInt(confirmed, 10, 64)
	if err != nil {
		return err
	}
	began, _ := values[keyBegan].(string)
	created, err := strconv.ParseInt(began, 10, 64)
	if err != nil {
		return err
	}
	id, err := ss.s.id("s-")
	if err != nil {
		return err
	}
	now := ss.s.o.Clock.Now()
	return ss.s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return putSession(ctx, tx, token, id, person, device, body, at, created, now)
	})
}

// DeleteCtx implements scs.CtxStore.
func (ss *sessions) DeleteCtx(ctx context.Context, token string) error {
	return ss.s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE token = $1`, token)
		return err
	})
}

var errContext = errors.New("identity: a session is found with its request's context only")

// Find implements scs.Store; it is never called.
func (*sessions) Find(string) ([]byte, bool, error) { return nil, false, errContext }

// Commit implements scs.Store; it is never called.
func (*sessions) Commit(string, []byte, time.Time) error { return errContext }

// Delete implements scs.Store; it is never called.
func (*sessions) Delete(string) error { return errContext }

// begin starts a session of a person under a new token: what a browser carried
// before it signed in is worth nothing afterwards.
func (ss *sessions) begin(r *http.Request, person string) error {
	ctx := r.Context()
	ss.manager.Put(ctx, keyPerson, person)
	ss.manager.Put(ctx, keyDevice, device(r.UserAgent()))
	ss.manager.Put(ctx, keyBegan, ss.now())
	return ss.confirm(ctx)
}

// confirm notes that the person confirmed just now who it is, under a new token:
// the one before opens nothing any more. The session ends when it would have.
func (ss *sessions) confirm(ctx context.Context) error {
	ss.manager.Put(ctx, keyConfirmed, ss.now())
	return ss.manager.RenewToken(ctx)
}

func (ss *sessions) now() string { return strconv.FormatInt(ss.s.o.Clock.Now().UnixMicro(), 10) }

// end signs out: the session is gone and its cookie with it.
func (ss *sessions) end(ctx context.Context) error { return ss.manager.Destroy(ctx) }

// Middleware finds the session of each request and writes what changed. It is
// around pages only: a machine's message has no session.
func (s *Service) Middleware(next http.Handler) http.Handler {
	inner := s.sessions.manager.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), insideKey{}, true)
		if r.Method == http.MethodGet && strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
			ctx = context.WithValue(ctx, quietKey{}, true)
		}
		inner.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Who is who asks; the zero Principal is the public. It reads the person, its
// roles and its organisation anew for every request.
func (s *Service) Who(r *http.Request) (Principal, error) {
	ctx := r.Context()
	if !inside(ctx) {
		return Principal{}, nil // a path that carries no session
	}
	id := s.sessions.manager.GetString(ctx, keyPerson)
	if id == "" {
		return Principal{}, nil
	}
	var p Principal
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		x, err := person(ctx, tx, id)
		if errors.Is(err, errNotYours) || err == nil && x.State != Active {
			return nil
		}
		if err != nil {
			return err
		}
		p, err = s.principal(ctx, tx, x)
		return err
	})
	if err != nil || p.Person == "" {
		return Principal{}, err
	}
	if at, err := strconv.ParseInt(s.sessions.manager.GetString(ctx, keyConfirmed), 10, 64); err == nil {
		p.StepUpAt = time.UnixMicro(at).UTC()
	}
	return p, nil
}

// principal is an active person with what its organisation lets it be now.
func (s *Service) principal(ctx context.Context, tx *store.Tx, p Person) (Principal, error) {
	org, err := s.organisation(ctx, tx, p.Organisation)
	return Principal{Kind: authz.Person, Person: p.ID, Name: p.Name, Organisation: p.Organisation, Roles: Permitted(p.Roles, org.Functions), Suspended: org.Stopped != ""}, err
}

// device is a browser and a system in words, from what the browser says of
// itself: enough to tell one's own sessions apart.
func device(agent string) string {
	pick := func(words ...[2]string) string {
		for _, w := range words {
			if strings.Contains(agent, w[0]) {
				return w[1]
			}
		}
		return ""
	}
	browser := pick([2]string{"Edg/", "Edge"}, [2]string{"Firefox/", "Firefox"}, [2]string{"Chrome/", "Chromium or Chrome"}, [2]string{"Safari/", "Safari"})
	system := pick([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "" && system == "":
		return "Unknown browser"
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}
