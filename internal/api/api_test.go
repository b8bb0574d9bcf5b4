package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
)

func logger(buf *bytes.Buffer) *slog.Logger { return slog.New(slog.NewJSONHandler(buf, nil)) }

type note struct {
	Text string   `json:"text"`
	Tags []string `json:"tags"`
	In   *note    `json:"in"`
}

func TestParseIsStrict(t *testing.T) {
	limits := Limits{Bytes: 1000, Depth: 3, Values: 8}
	good := []string{
		`{"text":"x"}`,
		` {"text":"x","tags":["a","b"],"in":{"text":"y"}} ` + "\n",
		`{"text":"\u00e9","tags":[]}`,
		`{"in":{"text":"a"},"text":"a"}`, // the same name in two objects
	}
	for _, body := range good {
		var n note
		if err := Parse([]byte(body), limits, &n); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	bad := map[string]string{
		"empty":                  ``,
		"blank":                  `  `,
		"cut off":                `{"text":"x"`,
		"two values":             `{"text":"x"} {"text":"y"}`,
		"trailing bracket":       `{"text":"x"}]`,
		"not UTF-8":              "{\"text\":\"\xff\"}",
		"duplicate":              `{"text":"x","text":"y"}`,
		"duplicate by escape":    `{"text":"x","\u0074ext":"y"}`,
		"duplicate by case":      `{"text":"x","Text":"y"}`,
		"duplicate by long s":    `{"tags":[],"tag` + "\u017f" + `":[]}`,
		"duplicate further down": `{"in":{"text":"x","text":"y"}}`,
		"duplicate after a list": `{"tags":["a"],"text":"x","tags":[]}`,
		"unknown member":         `{"text":"x","more":1}`,
		"wrong type":             `{"text":1}`,
		"too deep":               `{"in":{"in":{"in":{"text":"x"}}}}`,
		"too many values":        `{"tags":["1","2","3","4","5","6","7"]}`,
		"missing comma":          `{"text":"x" "tags":[]}`,
		"comment":                `{"text":"x"} // y`,
	}
	for name, body := range bad {
		var n note
		err := Parse([]byte(body), limits, &n)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if s := fault.Sentence(err); s == "" || strings.Contains(s, `"`) {
			t.Errorf("%s: the sentence shows the body: %s", name, s)
		}
	}
}

func TestDeepBodiesAreCheap(t *testing.T) {
	body := strings.Repeat("[", 200_000)
	if err := Parse([]byte(body), DefaultLimits, new(any)); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"text":"x","tags":["a"],"in":{"text":"y"}}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Add([]byte(`[{"a":[]},null,1e9]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v any
		if err := Parse(raw, Limits{Depth: 8, Values: 100}, &v); err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		// What was accepted has one meaning: it survives being written again.
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w any
		if err := Parse(again, Limits{Depth: 8, Values: 100}, &w); err != nil {
			t.Fatalf("%q was accepted and %q was not: %v", raw, again, err)
		}
	})
}

func serve(t *testing.T, log *slog.Logger, h Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /notes/{id}", Handle(log, h))
	w := httptest.NewRecorder()
	Edge{Log: log, Clock: clock.Fixed(time.Unix(0, 0)), Next: mux}.ServeHTTP(w, r)
	return w
}

func post(body, contentType string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/notes/secret-id?q=secret-query", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestErrorsAreRenderedOnce(t *testing.T) {
	cases := []struct {
		err    error
		status int
		detail string
	}{
		{fault.New(fault.Invalid, "Bad."), 400, "Bad."},
		{fault.New(fault.Forbidden, "No."), 403, "No."},
		{fault.New(fault.NotFound, "None."), 404, "None."},
		{fault.New(fault.Conflict, "Late."), 409, "Late."},
		{fault.Wrap(fault.Unavailable, "Down.", errors.New("secret-cause")), 503, "Down."},
		{errors.New("secret-cause"), 500, fault.Sentence(errors.New("x"))},
		{Status(429, fault.New(fault.Unavailable, "Slow.")), 429, "Slow."},
	}
	for _, c := range cases {
		var buf bytes.Buffer
		w := serve(t, logger(&buf), func(http.ResponseWriter, *http.Request) error { return c.err }, post("", ""))
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != c.status || p.Status != c.status || p.Detail != c.detail || p.Title == "" || p.Code == "" {
			t.Errorf("%v: %d %+v", c.err, w.Code, p)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%v: content type %q", c.err, got)
		}
		if id := w.Header().Get(RequestIDHeader); len(id) != 16 || p.Request != id || !strings.Contains(buf.String(), id) {
			t.Errorf("%v: the id %q does not tie answer and log: %+v", c.err, id, p)
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: the answer shows the cause", c.err)
		}
		if strings.Contains(buf.String(), "secret-id") || strings.Contains(buf.String(), "secret-query") {
			t.Errorf("%v: the log shows the path or the query: %s", c.err, buf.String())
		}
		if logged := strings.Contains(buf.String(), "secret-cause"); logged != strings.Contains(c.err.Error(), "secret-cause") {
			t.Errorf("%v: cause in the log: %v", c.err, logged)
		}
	}
	if Status(400, nil) != nil {
		t.Error("Status made an error from none")
	}
}

func TestCall(t *testing.T) {
	echo := Call(Limits{Bytes: 40}, func(_ *http.Request, n note) (note, error) { return n, nil })
	var buf bytes.Buffer
	cases := []struct {
		name, body, contentType string
		status                  int
	}{
		{"good", `{"text":"<x>"}`, "application/json", 200},
		{"good with a parameter", `{"text":"x"}`, "application/json; charset=utf-8", 200},
		{"no content type", `{"text":"x"}`, "", 415},
		{"a form", `{"text":"x"}`, "application/x-www-form-urlencoded", 415},
		{"too large", `{"text":"` + strings.Repeat("x", 40) + `"}`, "application/json", 413},
		{"twice", `{"text":"x","text":"y"}`, "application/json", 400},
	}
	for _, c := range cases {
		w := serve(t, logger(&buf), echo, post(c.body, c.contentType))
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	w := serve(t, logger(&buf), echo, post(`{"text":"<x>"}`, "application/json"))
	if got := w.Body.String(); !strings.Contains(got, `"<x>"`) || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answer %s %v", got, w.Header())
	}
	unencodable := Call(Limits{}, func(*http.Request, note) (any, error) { return make(chan int), nil })
	if w := serve(t, logger(&buf), unencodable, post(`{}`, "application/json")); w.Code != 500 {
		t.Errorf("an answer that cannot be encoded: %d", w.Code)
	}
	refused := Call(Limits{}, func(*http.Request, note) (note, error) { return note{}, fault.New(fault.Conflict, "Late.") })
	if w := serve(t, logger(&buf), refused, post(`{}`, "application/json")); w.Code != 409 {
		t.Errorf("a refusal: %d", w.Code)
	}
}

func TestPanics(t *testing.T) {
	var buf bytes.Buffer
	w := serve(t, logger(&buf), func(http.ResponseWriter, *http.Request) error { panic("secret-value") }, post("", ""))
	if w.Code != 500 || strings.Contains(w.Body.String()+buf.String(), "secret-value") || !strings.Contains(buf.String(), "api_test.go") {
		t.Errorf("%d %s %s", w.Code, w.Body, buf.String())
	}
	for name, h := range map[string]Handler{
		"abort": func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
		"late": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			panic("a bug")
		},
	} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: the connection would not be cut: %v", name, v)
				}
			}()
			serve(t, logger(&buf), h, post("", ""))
		}()
	}
}

func TestRequestIDIsOurs(t *testing.T) {
	var buf bytes.Buffer
	r := post("", "")
	r.Header.Set(RequestIDHeader, "chosen-by-caller")
	var inside string
	w := serve(t, logger(&buf), func(w http.ResponseWriter, r *http.Request) error {
		inside = RequestID(r.Context())
		return nil
	}, r)
	if id := w.Header().Get(RequestIDHeader); id == "chosen-by-caller" || id != inside {
		t.Errorf("id %q, inside %q", id, inside)
	}
	w = httptest.NewRecorder()
	Edge{Log: logger(&buf), Clock: clock.System(), Rand: strings.NewReader(""), Next: http.NotFoundHandler()}.ServeHTTP(w, post("", ""))
	if w.Code != 503 {
		t.Errorf("without randomness: %d", w.Code)
	}
}
