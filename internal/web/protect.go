package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"parallax/internal/api"
	"parallax/internal/fault"
)

// Policy is the content security policy of every answer. Nothing is inline, and
// the browser refuses to turn text into script or markup.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// crossOrigin refuses what another site's page makes a browser send here.
func crossOrigin(trusted []string) (*http.CrossOriginProtection, error) {
	c := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := c.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("web: trusted origin: %w", err)
		}
	}
	return c, nil
}

// Protect puts the security headers on every answer, refuses cross-origin posts
// and turns a panic in a page into the error page. It belongs directly inside
// api.Edge, which gives each request its id.
func (k *Kit) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if k.https || r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		seen := &wroteWriter{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				k.panicked(seen, r, v)
			}
		}()
		if err := k.origins.Check(r); err != nil {
			k.Fail(seen, r, fault.Wrap(fault.Forbidden, "This was sent from another site's page, so it was refused.", err))
			return
		}
		next.ServeHTTP(seen, r)
	})
}

// panicked shows the error page where nothing was written yet. The log gets the
// stack but not the panic's value, which may hold what the request held.
func (k *Kit) panicked(w *wroteWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler || w.wrote { //nolint:errorlint // a sentinel by contract
		panic(http.ErrAbortHandler)
	}
	k.log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", api.RequestID(r.Context())),
		slog.String("route", r.Pattern), slog.String("stack", string(debug.Stack())))
	w.Header().Del("Content-Length")
	k.Fail(w, r, errPanic)
}

var errPanic = errors.New("web: a page's handler panicked")

// wroteWriter remembers whether the answer has begun.
type wroteWriter struct {
	http.ResponseWriter
	wrote bool
}

func (w *wroteWriter) WriteHeader(status int) {
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *wroteWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *wroteWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Handle turns a handler that returns errors into an http.Handler that shows
// them on the error page.
func (k *Kit) Handle(h api.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			k.Fail(w, r, err)
		}
	})
}

// notDone is an error that says what has not happened because of it.
type notDone struct {
	error
	sentence string
}

func (e notDone) Unwrap() error { return e.error }

// NotDone adds to err the sentence that the error page shows under "What was
// not done": "The approval was not recorded." A nil err stays nil.
func NotDone(err error, sentence string) error {
	if err == nil {
		return nil
	}
	return notDone{err, sentence}
}

// led is an error with a way on from it.
type led struct {
	error
	links []Link
}

func (e led) Unwrap() error { return e.error }

// Leads adds to err links that the error page shows: the way to what is
// missing. A nil err stays nil.
func Leads(err error, links ...Link) error {
	if err == nil {
		return nil
	}
	return led{err, links}
}

// failure is what the error page sees.
type failure struct {
	Sentence string
	NotDone  string
	Request  string
	Back     []Link
}

// Fail answers with the error page: the fault's sentence, what was not done and
// the request id. It logs the error; its cause is never shown.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) {
	status := api.StatusOf(err)
	attrs := []slog.Attr{slog.String("request_id", api.RequestID(r.Context())), slog.String("method", r.Method),
		slog.String("route", r.Pattern), slog.Int("status", status), slog.String("kind", fault.KindOf(err).String())}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	k.log.LogAttrs(r.Context(), level, "page refused", attrs...)
	view := View{Title: failTitle(status), Question: "What happened, and what was not done?",
		Data: failure{Sentence: fault.Sentence(err), NotDone: whatWasNotDone(err, r), Request: api.RequestID(r.Context()), Back: waysOn(err)}}
	if err := k.Render(w, r, status, "kit/error", view); err != nil {
		k.log.LogAttrs(r.Context(), slog.LevelError, "error page", slog.String("error", err.Error()))
		http.Error(w, "Something went wrong here. Nothing further was done.", http.StatusInternalServerError)
	}
}

func waysOn(err error) []Link {
	var l led
	if errors.As(err, &l) {
		return l.links
	}
	return nil
}

func failTitle(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "There is no such page"
	case status == http.StatusForbidden:
		return "This is not open to you"
	case status == http.StatusConflict:
		return "This was overtaken by something else"
	case status < http.StatusInternalServerError:
		return "This could not be accepted"
	case status == http.StatusServiceUnavailable:
		return "This is not possible at the moment"
	default:
		return "Something went wrong here"
	}
}

// whatWasNotDone says no more than is known: a refusal means that the act was
// not done, a failure on this side that it may not have been.
func whatWasNotDone(err error, r *http.Request) string {
	var said notDone
	if errors.As(err, &said) {
		return said.sentence
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "The page was not shown. Nothing was changed by asking for it."
	}
	if api.StatusOf(err) < http.StatusInternalServerError {
		return "What you asked for was not done."
	}
	return "What you asked for may not have been done. Look at the page it belongs to before you send it again."
}
