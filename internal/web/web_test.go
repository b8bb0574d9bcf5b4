package web_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"parallax/internal/api"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/web"
)

func get(t *testing.T, server *httptest.Server, path string) (*http.Response, string) {
	t.Helper()
	answer, err := server.Client().Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestHeaders(t *testing.T) {
	server := testServer(t)
	for _, path := range []string{"/gallery", "/nowhere", "/conflict", "/panic", "/assets/nothing.css"} {
		answer, _ := get(t, server, path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"X-Frame-Options":        "DENY",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
	for name := range map[string]bool{"Strict-Transport-Security": true, "Cross-Origin-Opener-Policy": true} {
		if answer, _ := get(t, server, "/gallery"); answer.Header.Get(name) != "" {
			t.Errorf("%s on plain http", name)
		}
	}
	answer, _ := get(t, server, "/gallery")
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page may be cached: %q", got)
	}
}

func TestCrossOriginPostsAreRefused(t *testing.T) {
	server := testServer(t)
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden,
		"same-origin": http.StatusSeeOther, "none": http.StatusSeeOther} {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/form", strings.NewReader("reason=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", site)
		answer, err := server.Client().Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d", site, answer.StatusCode, want)
		}
	}
}

func TestErrorPages(t *testing.T) {
	server := testServer(t)
	answer, body := get(t, server, "/conflict")
	if answer.StatusCode != http.StatusConflict {
		t.Errorf("status %d", answer.StatusCode)
	}
	id := answer.Header.Get(api.RequestIDHeader)
	for _, want := range []string{"Another reviewer has decided this opening.", "Your approval was not recorded.", id} {
		if id == "" || !strings.Contains(body, want) {
			t.Errorf("the error page lacks %q", want)
		}
	}
	answer, body = get(t, server, "/panic")
	if answer.StatusCode != http.StatusInternalServerError || strings.Contains(body, "held a value") ||
		!strings.Contains(body, "Something went wrong here") {
		t.Errorf("a panic gives %d and %s", answer.StatusCode, body)
	}
}

// What was not done is claimed only where it is known.
func TestWhatWasNotDone(t *testing.T) {
	kit := testKit(t)
	for _, c := range []struct {
		method string
		err    error
		want   string
	}{
		{http.MethodGet, errors.New("cause"), "Nothing was changed by asking for it."},
		{http.MethodPost, fault.New(fault.Invalid, "No."), "What you asked for was not done."},
		{http.MethodPost, errors.New("cause"), "may not have been done"},
		{http.MethodPost, fault.New(fault.Unavailable, "No."), "may not have been done"},
		{http.MethodPost, web.NotDone(fault.New(fault.Unavailable, "No."), "Nothing left this desk."), "Nothing left this desk."},
	} {
		w := httptest.NewRecorder()
		kit.Fail(w, httptest.NewRequest(c.method, "/x", nil), c.err)
		if !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "cause") {
			t.Errorf("%s %v: %s", c.method, c.err, w.Body.String())
		}
	}
	if web.NotDone(nil, "x") != nil {
		t.Error("a nil error became one")
	}
}

// The log of a failed page has the cause; nothing has the panic's value.
func TestPanicIsNotLogged(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	kit, err := web.New(web.Config{Log: log, Shell: testShell})
	if err != nil {
		t.Fatal(err)
	}
	handler := api.Edge{Log: log, Clock: clock.Fixed(noon), Next: kit.Protect(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { panic("held a value") }))}
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x?q=secret", nil))
	if text := out.String(); !strings.Contains(text, "panic") || strings.Contains(text, "held a value") || strings.Contains(text, "secret") {
		t.Errorf("the log holds %s", text)
	}
}

func TestAssets(t *testing.T) {
	server := testServer(t)
	_, page := get(t, server, "/gallery")
	found := 0
	for _, part := range strings.Split(page, `"`) {
		if !strings.HasPrefix(part, "/assets/") {
			continue
		}
		found++
		answer, body := get(t, server, part)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || body == "" {
			t.Errorf("%s: %d, %s", part, answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
	}
	if found != 4 {
		t.Errorf("%d assets on the page, want the style sheet, the script, the icon and the blank page", found)
	}
	if answer, _ := get(t, server, "/assets/kit-000000000000.css"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("an old address gives %d", answer.StatusCode)
	}
}

func TestPagesAreSmall(t *testing.T) {
	server := testServer(t)
	for _, path := range []string{"/gallery", "/form", "/charts"} {
		if _, body := get(t, server, path); len(body) > 100_000 {
			t.Errorf("%s has %d bytes", path, len(body))
		}
	}
}

func TestInputIsText(t *testing.T) {
	_, body := get(t, testServer(t), "/form")
	if strings.Contains(body, "<script>alert") || !strings.Contains(body, "&lt;script&gt;alert") {
		t.Error("a value was not escaped")
	}
	if strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Error("there is something inline")
	}
}

func TestNavigationKnowsWhereItIs(t *testing.T) {
	_, body := get(t, testServer(t), "/gallery")
	if !strings.Contains(body, `<a href="/gallery" aria-current="page">Openings</a>`) || strings.Count(body, "aria-current=\"page\"") != 1 {
		t.Error("the navigation does not mark the page")
	}
}

// Pages that could only fail in front of a reader stop the start.
func TestAddRefuses(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no pages":           {},
		"does not parse":     {"a.html": {Data: []byte("{{if}}")}},
		"missing template":   {"a.html": {Data: []byte(`{{template "gone" .}}`)}},
		"cannot be escaped":  {"a.html": {Data: []byte(`<a href="{{if .X}}" {{end}}>`)}},
		"unknown function":   {"a.html": {Data: []byte(`{{raw .X}}`)}},
		"only shared pieces": {"_a.html": {Data: []byte("x")}},
	} {
		if err := testKit(t).Add("other", files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	kit := testKit(t)
	if err := kit.Add("slice", fstest.MapFS{"own.html": {Data: []byte("x")}}); err == nil {
		t.Error("a second page of the same name was accepted")
	}
	w := httptest.NewRecorder()
	if err := kit.Render(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, "slice/none", web.View{}); err == nil || w.Body.Len() > 0 {
		t.Error("a page that is not there was rendered")
	}
	if err := kit.Render(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, web.Blocks, web.View{Data: []any{42}}); err == nil || w.Body.Len() > 0 {
		t.Error("a number was taken for a component")
	}
	if _, err := web.New(web.Config{}); err == nil {
		t.Error("a kit without a logger was made")
	}
}

func TestFormProblems(t *testing.T) {
	form := web.Form{Fields: []web.Field{{Name: "a", Error: "Write a."}, {Name: "b"}, {Name: "c", Error: "Write c."}}}
	if got := form.Problems(); len(got) != 2 || got[0] != (web.Problem{Field: "a", Sentence: "Write a."}) || got[1].Field != "c" {
		t.Errorf("%v", got)
	}
	_, body := get(t, testServer(t), "/form")
	for _, want := range []string{`href="#f-reason"`, `id="f-reason"`, `aria-describedby="f-reason-help f-reason-error"`, `aria-invalid="true"`, `id="f-reason-error"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
}

// What somebody types to confirm is masked, is never shown again, and may come
// from a password manager.
func TestSecretsAreMasked(t *testing.T) {
	rec := httptest.NewRecorder()
	form := web.Form{Action: "/x", Fields: []web.Field{{Kind: web.FieldPassword, Name: "confirm", Label: "Passphrase", Value: "typed before", Autocomplete: "current-password"}}}
	if err := testKit(t).Render(rec, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, web.Blocks, web.View{Title: "A", Question: "B?", Data: []any{form}}); err != nil {
		t.Fatal(err)
	}
	_, field, _ := strings.Cut(rec.Body.String(), `<input type="password"`)
	field, _, _ = strings.Cut(field, ">")
	if !strings.Contains(field, `name="confirm"`) || !strings.Contains(field, `autocomplete="current-password"`) || strings.Contains(field, "value=") || strings.Contains(field, "onpaste") {
		t.Errorf("the field is %q", field)
	}
}

func TestSlug(t *testing.T) {
	for text, want := range map[string]string{"Ready leads": "ready-leads", "  A / B!": "a-b", "": "part-0", "ü": "part-2"} {
		if got := web.Slug(text); got != want {
			t.Errorf("Slug(%q) = %q", text, got)
		}
	}
}
