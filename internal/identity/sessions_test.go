package identity

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/internal/authz"
	"parallax/internal/fault"
)

// browser is one browser at a small server: /begin?person= signs in, /confirm
// confirms, / says who asks.
type browser struct {
	t      testing.TB
	h      http.Handler
	cookie *http.Cookie
	set    string // the last Set-Cookie
}

func (w *world) browser() *browser {
	mux := http.NewServeMux()
	mux.HandleFunc("/begin", func(rw http.ResponseWriter, r *http.Request) {
		if err := w.sessions.begin(r, r.URL.Query().Get("person")); err != nil {
			w.t.Error(err)
		}
	})
	mux.HandleFunc("/confirm", func(rw http.ResponseWriter, r *http.Request) {
		if err := w.sessions.confirm(r.Context()); err != nil {
			w.t.Error(err)
		}
	})
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		p, err := w.Who(r)
		if err != nil {
			w.t.Error(err)
		}
		rw.Header().Set("Who", p.Person)
		if Confirmed(p, w.clock.Now()) {
			rw.Header().Set("Confirmed", "yes")
		}
		rw.Header().Set("Suspended", map[bool]string{true: "yes"}[p.Suspended])
	})
	return &browser{t: w.t, h: w.Middleware(mux)}
}

func (b *browser) get(path string, header ...string) http.Header {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, r)
	res := rec.Result()
	for _, c := range res.Cookies() {
		b.cookie, b.set = c, res.Header.Get("Set-Cookie")
	}
	return res.Header
}

func (b *browser) who() string { return b.get("/").Get("Who") }

func TestSessionCookie(t *testing.T) {
	w := newWorld(t, sqlite(t))
	p := w.join("bank-a", "Admin", OrganisationAdmin)
	b := w.browser()
	if h := b.get("/"); h.Get("Who") != "" || h.Get("Set-Cookie") != "" {
		t.Errorf("without a session: %v", h)
	}
	b.cookie = &http.Cookie{Name: "__Host-parallax-session", Value: "chosen-by-somebody-else"}
	b.get("/begin?person=" + p.Person)
	for _, want := range []string{"__Host-parallax-session=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(b.set, want) {
			t.Errorf("%q lacks %s", b.set, want)
		}
	}
	if strings.Contains(b.set, "chosen") || strings.Contains(b.set, "Domain") || strings.Contains(b.set, "Max-Age") {
		t.Errorf("the cookie is %q", b.set)
	}
	if b.who() != p.Person {
		t.Error("not signed in")
	}
	if local := newWorld(t, sqlite(t), func(o *Options) { o.URL = "http://localhost:7100" }); local.site.cookie("session") != "parallax-session-7100" || local.site.why != "" {
		t.Errorf("on a loopback name: %+v", local.site)
	}
	if plain := newWorld(t, sqlite(t), func(o *Options) { o.URL = "http://hub.example" }); plain.site.why == "" {
		t.Error("plain http elsewhere can be signed in to")
	}
}

// The whole life of a session on an injected clock.
func TestSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.join("bank-a", "Admin", OrganisationAdmin)
		b := w.browser()
		begin := func() { b.cookie = nil; b.get("/begin?person=" + p.Person) }
		begin()
		w.clock.Advance(Idle - time.Second)
		if b.who() != p.Person {
			t.Error("ended before 15 minutes of no use")
		}
		w.clock.Advance(Idle)
		if b.who() != "" {
			t.Error("open after 15 minutes of no use")
		}
		begin()
		for range 32 { // 8 hours of use, a request every quarter of an hour less a second
			w.clock.Advance(Idle - time.Second)
			if b.who() != p.Person {
				t.Fatal("ended in use before 8 hours")
			}
		}
		w.clock.Advance(time.Minute)
		if b.who() != "" {
			t.Error("open after 8 hours")
		}
		begin()
		w.clock.Advance(-time.Second)
		if b.who() != "" {
			t.Error("open before it began")
		}
	})
}

// A page that asks by itself for news does not keep a session open.
func TestPollsAreNoUse(t *testing.T) {
	w := newWorld(t, sqlite(t))
	p := w.join("bank-a", "Admin", OrganisationAdmin)
	b := w.browser()
	b.get("/begin?person=" + p.Person)
	for range 15 {
		if b.get("/", "Accept", "application/json").Get("Who") == "" {
			t.Fatal("ended early")
		}
		w.clock.Advance(time.Minute)
	}
	if b.who() != "" {
		t.Error("polls kept the session open")
	}
}

// What is revoked is out at its next request, without waiting for a clock.
func TestRevocationIsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		admin := w.join("bank-a", "Admin", OrganisationAdmin)
		p := w.join("bank-a", "Analyst", ContributorAnalyst)
		b, second := w.browser(), w.browser()
		for name, revoke := range map[string]func() error{
			"suspended": func() error { return w.Suspend(ctx, admin, p.Person, "why") },
			"new roles": func() error {
				return w.SetRoles(ctx, admin, p.Person, []Role{ContributorAnalyst, ProgrammeLead}, "why")
			},
			"ended":       func() error { return w.EndSessions(ctx, admin, p.Person, "why") },
			"by operator": func() error { return w.EndSessions(ctx, AtTheMachine(), p.Person, "why") },
			"own list": func() error {
				list, err := w.Sessions(ctx, p)
				if err != nil || len(list) != 2 {
					return fault.Newf(fault.Invalid, "%d sessions: %v", len(list), err)
				}
				if err := w.EndSession(ctx, admin, list[0].ID); fault.KindOf(err) != fault.NotFound {
					t.Errorf("somebody else ended a session: %v", err)
				}
				for _, x := range list {
					if err := w.EndSession(ctx, p, x.ID); err != nil {
						return err
					}
				}
				return nil
			},
		} {
			for _, x := range []*browser{b, second} {
				x.cookie = nil
				x.get("/begin?person=" + p.Person)
				if x.who() != p.Person {
					t.Fatalf("%s: not signed in", name)
				}
			}
			if err := revoke(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if b.who() != "" || second.who() != "" {
				t.Errorf("%s: still signed in", name)
			}
			if w.one(p.Person).State == Suspended {
				must(t, w.Resume(ctx, admin, p.Person, "why"))
			}
		}
		b.cookie = nil
		b.get("/begin?person=" + p.Person)
		must(t, w.deny("gov-1", "suspend", "bank-a"))
		if h := b.get("/"); h.Get("Who") != p.Person || h.Get("Suspended") != "yes" {
			t.Errorf("of a suspended organisation: %v", h)
		}
	})
}

func TestConfirmationLastsFiveMinutes(t *testing.T) {
	w := newWorld(t, sqlite(t))
	p := w.join("bank-a", "Admin", OrganisationAdmin)
	b := w.browser()
	b.get("/begin?person=" + p.Person)
	w.clock.Advance(authz.StepUp)
	if b.get("/").Get("Confirmed") != "yes" {
		t.Error("over before five minutes")
	}
	w.clock.Advance(time.Microsecond)
	if b.get("/").Get("Confirmed") != "" {
		t.Error("counts after five minutes")
	}
	before := b.cookie
	b.get("/confirm")
	if b.get("/").Get("Confirmed") != "yes" {
		t.Error("confirming again does not count")
	}
	after := b.cookie
	if b.cookie = before; after.Value == before.Value || b.who() != "" {
		t.Error("the token of before opens the session still")
	}
	b.cookie = after
	w.clock.Advance(Idle - time.Minute)
	for range 33 { // in use for more than 8 hours since the beginning, not since it was confirmed
		b.who()
		w.clock.Advance(Idle - time.Minute)
	}
	b.cookie = after
	if b.who() != "" {
		t.Error("confirming made the session longer than 8 hours")
	}
}

// Tokens are not in the database.
func TestTokensAreHashed(t *testing.T) {
	w := newWorld(t, sqlite(t))
	p := w.join("bank-a", "Admin", OrganisationAdmin)
	b := w.browser()
	b.get("/begin?person=" + p.Person)
	row, err := w.sessions.find(t.Context(), b.cookie.Value)
	if err != nil || row != nil {
		t.Errorf("the token itself finds %v, %v", row, err)
	}
	if row, err = w.sessions.find(t.Context(), storedToken(b.cookie.Value)); err != nil || row == nil || strings.Contains(string(row.body), b.cookie.Value) {
		t.Errorf("its hash finds %v, %v", row, err)
	}
}

// A session ends by itself exactly when it was 15 minutes without use or is 8
// hours old, whatever the order of requests.
func TestSessionEndsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		created := start
		seen := created.Add(time.Duration(rapid.Int64Range(0, int64(Absolute)).Draw(t, "seen")))
		now := created.Add(time.Duration(rapid.Int64Range(-int64(time.Minute), int64(9*time.Hour)).Draw(t, "now")))
		want := now.Before(created) || now.Sub(created) >= 8*time.Hour || now.Sub(seen) >= 15*time.Minute
		if over(created, seen, now) != want {
			t.Fatalf("created %s, seen %s, now %s", created, seen, now)
		}
	})
}
