package api

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"

	"parallax/internal/clock"
	"parallax/internal/fault"
)

type requestIDKey struct{}

// RequestID is the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

var errPanic = errors.New("api: a handler panicked")

// RequestIDHeader carries the request id of an answer.
const RequestIDHeader = "X-Request-Id"

// Edge is the outermost handler of a server. It gives each request an id, which
// is never taken from the request; turns a panic into a logged 500; and logs
// each request by its route's pattern.
type Edge struct {
	Log   *slog.Logger
	Clock clock.Clock
	Rand  io.Reader // nil: crypto/rand
	Next  http.Handler
}

// ServeHTTP implements http.Handler.
func (e Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := e.Clock.Now()
	id, err := newID(e.Rand)
	if err != nil {
		WriteProblem(w, r, e.Log, fault.Wrap(fault.Unavailable, "The server cannot answer at the moment.", err))
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
	w.Header().Set(RequestIDHeader, id)
	seen := &statusWriter{ResponseWriter: w}
	defer func() {
		e.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("request_id", id),
			slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", seen.status),
			slog.Duration("took", e.Clock.Now().Sub(start)))
	}()
	defer func() {
		if v := recover(); v != nil {
			e.panicked(seen, r, v)
		}
	}()
	e.Next.ServeHTTP(seen, r)
}

// panicked answers 500 where nothing has been written yet, and cuts the
// connection where something has, so that half an answer is not taken for a
// whole one. The log gets the stack but not the panic's value, which may hold
// what the request held.
func (e Edge) panicked(w *statusWriter, r *http.Request, v any) {
	if v != http.ErrAbortHandler { //nolint:errorlint // a sentinel by contract
		e.Log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", RequestID(r.Context())),
			slog.String("route", r.Pattern), slog.String("stack", string(debug.Stack())))
	}
	if v == http.ErrAbortHandler || w.status != 0 { //nolint:errorlint // as above
		panic(http.ErrAbortHandler)
	}
	WriteProblem(w, r, e.Log, errPanic)
}

// newID is 80 random bits in 16 letters and digits.
func newID(from io.Reader) (string, error) {
	if from == nil {
		from = rand.Reader
	}
	var raw [10]byte
	if _, err := io.ReadFull(from, raw[:]); err != nil {
		return "", err
	}
	return base32.StdEncoding.EncodeToString(raw[:]), nil
}

// statusWriter remembers the status of the answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
