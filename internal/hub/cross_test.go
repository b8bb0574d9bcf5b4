package hub

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"parallax/internal/browsertest"
	"parallax/internal/store/storetest"
)

// everything is all that the hub's database holds.
func (w *world) everything() string {
	w.t.Helper()
	var tables []string
	w.rows(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		tables = append(tables, name)
		return err
	})
	var b strings.Builder
	for _, name := range tables {
		var columns []string
		w.rows(`SELECT name FROM pragma_table_info('`+name+`')`, func(scan func(...any) error) error {
			var column string
			err := scan(&column)
			columns = append(columns, column)
			return err
		})
		n := 0
		w.rows(`SELECT "`+strings.Join(columns, `", "`)+`" FROM "`+name+`"`, func(scan func(...any) error) error {
			n++
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			err := scan(row...)
			for _, cell := range row {
				fmt.Fprintf(&b, "%v,", *cell.(*any))
			}
			return err
		})
		fmt.Fprintf(&b, "%s %d\n", name, n)
	}
	return b.String()
}

// Whatever another site's page sends to any route that changes something is
// refused, in a real browser whose every cookie comes along, and changes
// nothing. The routes are those of the table, so a new one is among them.
func TestOtherSitesChangeNothing(t *testing.T) {
	b := browsertest.Open(t)
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) {
		demoConsole(o)
		atLocalhost(o)
	})
	w.url = w.hub.o.Identity.URL
	admin := w.admin("bank-a")
	_, card, _ := w.send(http.MethodPost, "/routes/requests", "contributor/bank-a", bankRequest(t))
	c := b.Cross(t, w.url)
	at, err := url.Parse(w.url)
	must(t, err)
	session := admin.Client.Jar.Cookies(at)[0]
	session.Path = "/"

	requests := strings.Count(w.everything(), "gateway-request")
	c.As(w.url, w.cookie("contributor/bank-a"))
	if status, text := c.PostFrom(w.url+"/", w.url+"/routes/requests", bankRequest(t)); status != http.StatusOK || !strings.Contains(text, "Waits for the officer") || strings.Count(w.everything(), "gateway-request") == requests {
		t.Fatalf("the hub's own page changes nothing either: %d %s", status, text)
	}
	before := w.everything()
	var all []string
	for _, rt := range w.hub.routes {
		if rt.Method != http.MethodPost {
			continue
		}
		target := w.url + address(rt)
		all = append(all, target)
		if rt.By != BySession || os.Getenv("PARALLAX_SOAK") == "" && len(all)%6 != 0 {
			continue // a script's requests follow for each
		}
		who := w.cookie("officer/bank-a")
		if strings.HasPrefix(rt.Path, "/me") || strings.HasPrefix(rt.Path, "/people") || strings.HasPrefix(rt.Path, "/sign") || strings.HasPrefix(rt.Path, "/again") {
			who = session
		}
		c.As(w.url, who)
		if status, text := c.Post(target, url.Values{"reason": {"x"}, "sure": {"yes"}, "edit": {"1"}, "roles": {"organisation-admin"}, "name": {"x"}, "days": {"3"}}); status != http.StatusForbidden || !strings.Contains(text, "another site") {
			t.Errorf("%s: %d %s", rt.line(), status, text)
		}
	}
	for _, who := range []*http.Cookie{w.cookie("officer/bank-a"), session} {
		c.As(w.url, who)
		c.Fetch(all)
	}
	if after := w.everything(); after != before {
		t.Errorf("another site's pages changed something:\n%s", diff(before, after))
	}
	c.As(w.url, w.cookie("officer/bank-a"), session)
	for _, path := range []string{"/", card, "/me"} {
		if c.Framed(w.url + path) {
			t.Errorf("%s can be framed", path)
		}
	}
	t.Logf("%d routes that change something", len(all))
}

// Every answer of the table forbids to be framed, to be read elsewhere and to be
// taken for another kind, whoever asks.
func TestEveryAnswerIsProtected(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	h := w.hub.Handler()
	for _, rt := range w.hub.routes {
		method := rt.Method
		if method == "" {
			method = http.MethodGet
		}
		r := httptest.NewRequest(method, address(rt), nil)
		r.Host = "127.0.0.1"
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer"} {
			if got := rec.Header().Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", rt.line(), name, got)
			}
		}
	}
}
