package demo

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/web"
)

// site serves the start page and the walk.
type site struct {
	*tour
	kit   *web.Kit
	fresh bool
}

func newSite(t *tour, fresh bool, log *slog.Logger) (*site, error) {
	x := &site{tour: t, fresh: fresh}
	var err error
	x.kit, err = web.New(web.Config{Log: log, Shell: x.shell})
	return x, err
}

func (x *site) handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", x.kit.Assets())
	for pattern, do := range map[string]api.Handler{
		"GET /{$}":               x.start,
		"GET /follow":            x.follow,
		"POST /follow/request":   x.postRequest,
		"POST /follow/approve":   x.postApprove,
		"POST /follow/read":      x.postRead,
		"POST /clock":            x.postClock,
		"GET /stops/alone":       x.stopAlone,
		"GET /stops/hub":         x.stopHub,
		"GET /stops/contributor": x.stopContributor,
		"GET /stops/police":      x.stopPolice,
		"GET /stops/refusal":     x.stopRefusal,
		"POST /stops/refusal":    x.postRefusal,
		"GET /mistake":           x.showMistake,
		"POST /mistake":          x.postMistake,
		"/":                      notThere,
	} {
		mux.Handle(pattern, x.kit.Handle(do))
	}
	return api.Edge{Log: log, Clock: x.s.say.clock, Next: x.kit.Protect(loopbackOnly(mux))}
}

func notThere(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "There is nothing at this address.")
}

// loopbackOnly refuses a browser that was led here by another name: the links
// of these pages hold the keys of the desks' pages.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "The demonstration answers only under a loopback address.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (x *site) shell(*http.Request) web.Shell {
	return web.Shell{Product: "Parallax", Section: "Demonstration", Banner: "Demonstration: simulated data, made-up people, one machine",
		Footer: "A signal is not proof. Everything here is simulated, and unverified until an authority decides.",
		Nav: []web.NavItem{
			{Group: "Begin", Label: "Start", Href: "/", Key: "s"},
			{Group: "Begin", Label: "Follow one lead", Href: "/follow", Key: "f"},
			{Group: "Five stops", Label: "1. One member alone", Href: "/stops/alone"},
			{Group: "Five stops", Label: "2. What the hub holds", Href: "/stops/hub"},
			{Group: "Five stops", Label: "3. What a contributor sees", Href: "/stops/contributor"},
			{Group: "Five stops", Label: "4. The lead at the police desk", Href: "/stops/police"},
			{Group: "Five stops", Label: "5. Open it without approval", Href: "/stops/refusal"},
			{Group: "Mistakes", Label: "A false lead", Href: "/mistake", Key: "m"},
		}}
}

func (x *site) show(w http.ResponseWriter, r *http.Request, view web.View) error {
	return x.kit.Render(w, r, http.StatusOK, web.Blocks, view)
}

// back is where a posted form wants to return to: a page of this site.
func back(r *http.Request, otherwise string) string {
	to := r.PostFormValue("back")
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return otherwise
	}
	return to
}

// done goes on to a page after a post, or fails.
func done(w http.ResponseWriter, r *http.Request, err error, to, notDone string) error {
	if err != nil {
		return web.NotDone(err, notDone)
	}
	return web.Redirect(w, r, to)
}

// deskLink leads to a desk's own page, or to nothing where it has none.
func (x *site) deskLink(id, label string) web.Cell { return x.deskAt(id, "/", label) }

// deskAt leads to one page of a desk.
func (x *site) deskAt(id, path, label string) web.Cell {
	if p, ok := x.s.pages[id]; ok {
		return web.L(label, p.URL+path+"?key="+p.Key)
	}
	return web.T(label)
}

// hubLink leads to a page of the hub, seen as a role.
func (x *site) hubLink(label, role, member, next string) web.Cell {
	q := url.Values{"next": {next}}
	if member != "" {
		q.Set("member", member)
	}
	return web.L(label, x.s.plan.Hub.URL+"/demo/as/"+role+"?"+q.Encode())
}

// nextStop leads on at the end of a page.
func nextStop(label, href string) web.Actions {
	return web.Actions{{Label: label, Href: href, Primary: true}}
}

func (x *site) postClock(w http.ResponseWriter, r *http.Request) error {
	err := x.act(func() error { return x.s.nextRelease(r.Context()) })
	return done(w, r, err, back(r, "/"), "The clock may have moved; the page shows where it stands.")
}
