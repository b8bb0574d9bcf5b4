package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"parallax/internal/web"
)

// careless serves pages that show the query's text as it is. They are here only
// so that a look at them must notice.
func careless(t *testing.T, policy string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		fmt.Fprintf(w, "<!doctype html><html lang=en><title>Careless</title><body><h1>Careless</h1>"+r.URL.Query().Get("page"), r.URL.Query().Get("x"))
	}))
	t.Cleanup(s.Close)
	return s
}

// What a careless page lets happen is caught, with and without a policy, and a
// page where nothing happens is not.
func TestACarelessPageIsCaught(t *testing.T) {
	b := Open(t)
	var said []string
	h, err := b.hostile(func(problem string) { said = append(said, problem) })
	if err != nil {
		t.Fatal(err)
	}
	open, strict := careless(t, ""), careless(t, web.Policy)
	for name, c := range map[string]struct {
		page, payload, want string
		server              *httptest.Server
	}{
		"a script runs":              {"<p>%s", `<script>pxm("px001q")</script>`, "a script ran: px001q", open},
		"a handler runs":             {"<p>%s", `<img src=x onerror=pxm("px001q")>`, "a script ran: px001q", open},
		"a dialog":                   {"<p>%s", `<script>alert("px001q")</script>`, "a dialog: px001q", open},
		"an attribute":               {`<input value="%s">`, `" autofocus onfocus=pxm("px001q") x="`, "a script ran: px001q", open},
		"a script is stopped":        {"<p>%s", `<script>pxm("px001q")</script>`, "policy violation: script-src", strict},
		"a style is stopped":         {"<p>%s", `<p style="color:red">`, "policy violation: style-src", strict},
		"markup alone":               {"<p>%s", `<b data-px>x</b>`, "markup: ", strict},
		"an attribute alone":         {`<input value="%s">`, `" data-px="`, "markup: ", strict},
		"an address that runs":       {`<a href="%s">x</a>`, "java\tscript:pxm()", "an address that runs", strict},
		"an address elsewhere":       {`<a href="%s">x</a>`, `/\elsewhere.example/`, "an address elsewhere", strict},
		"the page goes elsewhere":    {"<p>%s", `<meta http-equiv=refresh content="0;url=//elsewhere.example/">`, "a request to another host", open},
		"an image from elsewhere":    {"<p>%s", `<img src=//elsewhere.example/>`, "a request to another host", open},
		"another base":               {"<p>%s", `<base href=//elsewhere.example/>`, "an element that no page has", strict},
		"a message in the console":   {"<p>%s", `<script>console.log("px001q")</script>`, "console log", open},
		"a script that went wrong":   {"<p>%s", `<script>nothing.at.all</script>`, "uncaught", open},
		"nothing: the text is plain": {"<p>%.0s", `<script>pxm(1)</script>`, "", strict},
	} {
		said = nil
		h.Get(c.server.URL + "/?" + url.Values{"page": {c.page}, "x": {c.payload}}.Encode())
		if c.want == "" && len(said) > 0 || c.want != "" && !strings.Contains(strings.Join(said, "\n"), c.want) {
			t.Errorf("%s: heard %q, want %q", name, said, c.want)
		}
	}
}

// inert are the contexts of payloads that do nothing in markup: they wait for a
// server, a template or a script that decodes.
var inert = []string{"template", "encoded", "unicode", "object"}

// Every other payload is caught where it is put into a text, an attribute and
// an address as it is. The quick form takes every sixth.
func TestThePayloadsAreAlive(t *testing.T) {
	if len(Payloads) < 60 {
		t.Fatalf("%d payloads", len(Payloads))
	}
	b := Open(t)
	caught := false
	h, err := b.hostile(func(string) { caught = true })
	if err != nil {
		t.Fatal(err)
	}
	server := careless(t, web.Policy)
	step, looked := 6, 0
	if os.Getenv("PARALLAX_SOAK") != "" {
		step = 1
	}
	for i := 0; i < len(Payloads); i += step {
		p := Payloads[i]
		if slices.Contains(inert, p.Context) {
			continue
		}
		caught = false
		looked++
		h.Get(server.URL + "/?" + url.Values{"page": {`<p>%[1]s</p><input value="%[1]s"><input value='%[1]s'><input value=%[1]s><a href="%[1]s">x</a><p>'>"></p>`}, "x": {p.Put(Mark(1))}}.Encode())
		if !caught {
			t.Errorf("%s: %q does nothing to a careless page", p.Context, p.Text)
		}
	}
	t.Logf("%d payloads, %d of them looked at", len(Payloads), looked)
}

// An audit notices what it is for, under the page's own policy.
func TestABadPageFailsTheAudit(t *testing.T) {
	b := Open(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/style.css" {
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, `body{background:#fff;color:#000} @media (prefers-color-scheme: dark){.dark{color:#eee}} @media (max-width:400px){.wide{width:600px} .small a{display:inline-block;width:9px;height:9px;overflow:hidden}}`)
			return
		}
		if r.URL.Path == "/favicon.ico" {
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", web.Policy)
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1"><title>Audited</title><link rel="stylesheet" href="/style.css"></head><body><main><h1>Audited</h1>%s</main></body></html>`, r.URL.Query().Get("x"))
	}))
	t.Cleanup(s.Close)
	for x, want := range map[string]string{
		`<input type="text">`:                                       "axe: label",
		`<p class="dark">pale</p>`:                                  "dark at 1280 px: axe: color-contrast",
		`<p class="wide">wide</p>`:                                  "light at 375 px: the page scrolls sideways",
		`<p class="small"><a href="/1">a</a><a href="/2">b</a></p>`: "light at 375 px: axe: target-size",
		`<p style="color:red">x</p>`:                                "browser log, error",
		`<script>1</script>`:                                        "browser log, error",
		`<img alt="" src="//elsewhere.example/">`:                   "a request to another host",
		`<p>good</p>`:                                               "",
	} {
		var said []string
		if err := b.audit(&audit{status: http.StatusOK}, s.URL+"/?"+url.Values{"x": {x}}.Encode(), func(problem string) { said = append(said, problem) }); err != nil {
			t.Fatal(err)
		}
		if want == "" && len(said) > 0 || !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%s: heard %q, want %q", x, said, want)
		}
	}
}

// A page without any protection is reached by other sites, so that a look at a
// protected one says something.
func TestACarelessServerIsReached(t *testing.T) {
	b := Open(t)
	got := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			cookie, _ := r.Cookie("session")
			got <- fmt.Sprint(r.URL.Path, cookie != nil)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "x", Path: "/", SameSite: http.SameSiteStrictMode})
		fmt.Fprint(w, "taken")
	}))
	t.Cleanup(s.Close)
	c := b.Cross(t, s.URL)
	c.Visit(s.URL + "/")
	if status, text := c.Post(s.URL+"/form", url.Values{"a": {"b"}}); status != http.StatusOK || text != "taken" || <-got != "/formtrue" {
		t.Errorf("a form of another origin: %d %s", status, text)
	}
	c.Fetch([]string{s.URL + "/script"})
	with := 0
	for range 4 {
		if <-got == "/scripttrue" {
			with++
		}
	}
	if with != 2 {
		t.Errorf("%d requests of scripts had the session: those from the same site should, those from another should not", with)
	}
	if !c.Framed(s.URL + "/") {
		t.Error("a page that forbids no frame was not framed")
	}
}
