package identity

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parallax/internal/api"
	"parallax/internal/clock"
	"parallax/internal/web"
	"parallax/opening"
)

// visit is a hub with these pages on a real server, and one browser's cookies.
type visit struct {
	*world
	base   string
	client *http.Client
}

// serve starts a server for the pages; now is the real time, since providers
// have no other.
func serve(t *testing.T, change ...func(*Options)) *visit {
	t.Helper()
	front := http.NewServeMux()
	srv := httptest.NewServer(front)
	t.Cleanup(srv.Close)
	base := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	w := newWorld(t, sqlite(t), append([]func(*Options){func(o *Options) { o.URL = base }}, change...)...)
	w.clock.Set(clock.System().Now())
	kit, err := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Shell: func(*http.Request) web.Shell { return web.Shell{Product: "Parallax"} }})
	must(t, err)
	p := NewPages(w.Service, kit, w.Who)
	policies := func() []opening.Manifest { return []opening.Manifest{w.man} }
	mux := http.NewServeMux()
	page := func(pattern string, h api.Handler) { mux.Handle(pattern, kit.Handle(h)) }
	said := func(pattern string, h api.Handler) { mux.Handle(pattern, api.Handle(w.opts.Logger, h)) }
	page("GET /sign-in", p.SignIn)
	page("GET /sign-in/with/{provider}", p.SignInAt)
	page("GET /sign-in/callback", p.Callback)
	said("POST /sign-in/passkey/options", p.SignInAsk)
	said("POST /sign-in/passkey", p.Used)
	page("POST /sign-out", p.SignOut)
	page("GET /enrol", p.Enrol)
	page("GET /enrol/with/{provider}", p.EnrolAt)
	said("POST /enrol/passkey/options", p.EnrolAsk)
	said("POST /enrol/passkey", p.Made)
	page("GET /again", p.Again)
	page("GET /again/with/{provider}", p.AgainAt)
	said("POST /again/passkey/options", p.AgainAsk)
	said("POST /again/passkey", p.Used)
	page("GET /me", p.Me)
	said("POST /me/passkeys/options", p.AddAsk)
	said("POST /me/passkeys", p.Made)
	page("POST /me/passkeys/remove", p.RemovePasskey)
	page("POST /me/sessions/end", p.EndSession)
	page("POST /me/keys", p.MakeKey)
	page("GET /people", p.People)
	page("POST /people/invite", p.Invite)
	page("GET /people/{person}", p.One)
	page("POST /people/{person}/{act}", p.Act)
	page("GET /members", func(w http.ResponseWriter, r *http.Request) error { return p.Members(w, r, policies()) })
	page("GET /", func(rw http.ResponseWriter, r *http.Request) error {
		by, err := w.Who(r)
		rw.Header().Set("Who", by.Person)
		return err
	})
	front.Handle("/", kit.Protect(w.Middleware(mux)))
	v := &visit{world: w, base: base}
	v.fresh()
	return v
}

// fresh is another browser, without cookies.
func (v *visit) fresh() {
	jar, err := cookiejar.New(nil)
	must(v.t, err)
	v.client = &http.Client{Jar: jar}
}

type answered struct {
	status int
	url    string
	body   string
	header http.Header
}

func (v *visit) do(method, address string, contentType, body string) answered {
	v.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.base + address
	}
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	must(v.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := v.client.Do(req)
	must(v.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(v.t, err)
	return answered{res.StatusCode, res.Request.URL.String(), string(raw), res.Header}
}

func (v *visit) get(address string) answered { return v.do(http.MethodGet, address, "", "") }

func (v *visit) post(address string, values url.Values) answered {
	return v.do(http.MethodPost, address, "application/x-www-form-urlencoded", values.Encode())
}

func (v *visit) ask(address string, body any) answered {
	raw, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		must(v.t, err)
		raw = string(b)
	}
	return v.do(http.MethodPost, address, "application/json", raw)
}

// who is whom this browser is signed in as.
func (v *visit) who() string { return v.get("/").header.Get("Who") }
