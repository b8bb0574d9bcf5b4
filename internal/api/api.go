// Package api is the edge of every JSON interface: handlers that return errors,
// bodies that are read strictly, errors rendered once as RFC 9457 problem
// documents, and a request id that ties an answer to its log line.
//
// A problem document carries the fault's sentence, never its cause. The log
// carries the method, the route's pattern, the status, the duration and, for a
// failure on this side, the cause: never a path, a query, a header or a body,
// since those may hold identifiers.
package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"parallax/internal/fault"
)

// Handler is a handler that returns what went wrong instead of writing it. It
// must not have written anything when it returns an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle turns a Handler into an http.Handler that renders the error as a
// problem document and logs it.
func Handle(log *slog.Logger, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			WriteProblem(w, r, log, err)
		}
	})
}

// Call turns a function from one value to another into a Handler that reads a
// JSON body strictly within limits and answers 200 with JSON.
func Call[Req, Ans any](limits Limits, act func(r *http.Request, req Req) (Ans, error)) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var req Req
		if err := Decode(w, r, limits, &req); err != nil {
			return err
		}
		ans, err := act(r, req)
		if err != nil {
			return err
		}
		return WriteJSON(w, http.StatusOK, ans)
	}
}

// WriteJSON answers with v. It encodes before it writes, so an error leaves the
// answer untouched.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/json", v)
}

func write(w http.ResponseWriter, status int, contentType string, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The peer may be gone; there is nobody left to tell.
	_, _ = w.Write(buf.Bytes())
	return nil
}

// Problem is an RFC 9457 problem document. Code is the kind of fault.
type Problem struct {
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Code    string `json:"code"`
	Request string `json:"request_id,omitempty"`
}

// statusError is an error whose HTTP status is not that of its kind.
type statusError struct {
	error
	status int
}

func (e statusError) Unwrap() error { return e.error }

// Status returns err with the HTTP status to be used for it at the edge in
// place of its kind's (415, 429, ...). A nil err stays nil.
func Status(status int, err error) error {
	if err == nil {
		return nil
	}
	return statusError{err, status}
}

// StatusOf is the HTTP status of an error: that given to Status, or its kind's.
func StatusOf(err error) int {
	var s statusError
	if errors.As(err, &s) {
		return s.status
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// WriteProblem answers with the problem document of err and logs it: failures
// on this side as errors with their cause, refusals without it.
func WriteProblem(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	status := StatusOf(err)
	attrs := []slog.Attr{slog.String("request_id", RequestID(r.Context())), slog.String("method", r.Method),
		slog.String("route", r.Pattern), slog.Int("status", status), slog.String("kind", fault.KindOf(err).String())}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	log.LogAttrs(r.Context(), level, "request refused", attrs...)
	// Encoding a struct of strings and an integer cannot fail.
	_ = write(w, status, "application/problem+json", Problem{Title: http.StatusText(status), Status: status,
		Detail: fault.Sentence(err), Code: fault.KindOf(err).String(), Request: RequestID(r.Context())})
}
