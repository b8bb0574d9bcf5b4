package hub

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parallax/internal/store/storetest"
)

// Every route answers, whoever asks and whatever becomes of it, with the headers
// that keep browsers from running, framing, guessing or keeping it.
func TestEveryAnswerHasItsHeaders(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.Identity.URL = "https://hub.example" })
	w.contribute("bank-a", "one@example.org", "payment", nil)
	w.tick(0)
	who := &sessions{}
	w.hub.console.who = who
	h := w.hub.Handler()
	askers := []asker{{name: "anyone|"}}
	for _, a := range persons(w.clock.Now()) {
		if strings.HasSuffix(a.name, "|own") {
			askers = append(askers, a)
		}
	}
	for _, rt := range w.hub.routes {
		list := askers
		if rt.By == BySignature {
			list = machines
		}
		for _, a := range list {
			rec := w.ask(h, who, rt, a, address(rt), struct{}{})
			if err := headersOf(rec); err != "" {
				t.Errorf("%s as %s: %d: %s: %v", rt.line(), a.name, rec.Code, err, rec.Header())
			}
			if page := strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html"); page && rt.By == BySession && a.person.Kind != "" && !strings.Contains(rec.Body.String(), `href="/sign-out"`) {
				t.Errorf("%s as %s: nobody can sign out from this page", rt.line(), a.name)
			}
		}
		if rec := plain(h, http.MethodTrace, address(rt)); rec.Code < 400 {
			t.Errorf("TRACE %s: %d", rt.Path, rec.Code)
		}
	}
	// Tiles and assets never change under their name, so they may be kept.
	for _, path := range []string{"/log/tile/0/000.p/8", styleSheet(w)} {
		if rec := plain(h, http.MethodGet, path); rec.Code != http.StatusOK || !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") || headersOf(rec) == "" {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
	}
}

// styleSheet is the address of the style sheet, as a page names it.
func styleSheet(w *world) string {
	_, page, _ := w.browse("", "/")
	_, rest, _ := strings.Cut(page, `href="/assets/`)
	name, _, _ := strings.Cut(rest, `"`)
	return "/assets/" + name
}

func plain(h http.Handler, method, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
	return rec
}

// headersOf says what an answer that may not be kept lacks.
func headersOf(rec *httptest.ResponseRecorder) string {
	h := rec.Header()
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Strict-Transport-Security": "max-age=31536000; includeSubDomains", "Cross-Origin-Resource-Policy": "same-origin"} {
		if !strings.HasPrefix(h.Get(name), want) {
			return "no " + name
		}
	}
	kind := h.Get("Content-Type")
	switch {
	case h.Get("Access-Control-Allow-Origin") != "":
		return "other sites may read it"
	case rec.Body.Len() > 0 && kind == "":
		return "no Content-Type"
	case strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=utf-8"):
		return "text without a charset"
	case rec.Body.Len() > 0 && !strings.Contains(h.Get("Cache-Control"), "no-store") && !strings.Contains(h.Get("Cache-Control"), "no-cache"):
		return "may be cached"
	}
	return ""
}

// Whom the gate refused is in the hub's own log by ids; what was asked for is
// not, beyond the route.
func TestWhoIsDeniedIsLogged(t *testing.T) {
	var lines bytes.Buffer
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.Log = slog.New(slog.NewJSONHandler(&lines, nil)) })
	who := &sessions{}
	w.hub.console.who = who
	h := w.hub.Handler()
	for _, rt := range w.hub.routes {
		if rt.Path != "/leads/{id}" && rt.Path != "/v1/leads" {
			continue
		}
		a := persons(w.clock.Now())[0]
		if rt.By == BySignature {
			a = machines[0]
		}
		lines.Reset()
		if rec := w.ask(h, who, rt, a, address(rt), struct{}{}); rec.Code != http.StatusForbidden {
			t.Fatalf("%s: %d", rt.line(), rec.Code)
		}
		var denied int
		for _, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
			var got map[string]any
			must(t, json.Unmarshal([]byte(line), &got))
			if got["msg"] != "denied" {
				continue
			}
			denied++
			if got["action"] != string(rt.Action) || got["organisation"] != "bank-a" || got["request_id"] == "" || got["level"] != "WARN" || got["time"] == "" {
				t.Errorf("%s", line)
			}
		}
		if denied != 1 || strings.Contains(lines.String(), "leads/bank-a") {
			t.Errorf("%s: %d lines of a refusal:\n%s", rt.line(), denied, lines.String())
		}
	}
}
