package keyholder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// maxBody bounds a request; the largest is a bundle of many observations.
const maxBody = 64 << 20

// Handler serves the holder's machine interface and its one plain page.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	handle(mux, client.PathEvaluate, s.Evaluate)
	handle(mux, client.PathBudget, s.Budget)
	handle(mux, client.PathAsked, s.Asked)
	handle(mux, client.PathCosign, s.Cosign)
	handle(mux, client.PathDeny, s.Deny)
	handle(mux, client.PathOpen, s.Open)
	handle(mux, client.PathManifest, func(req client.Manifests) (client.Manifests, error) {
		if err := s.Manifest(req.Manifests); err != nil {
			return client.Manifests{}, err
		}
		return client.Manifests{Manifests: []opening.SignedManifest{s.manifest()}}, nil
	})
	tell(mux, client.PathStatus, s.signedStatus)
	tell(mux, client.PathReleases, s.releaseCounts)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /page.css", style)
	return headers(mux)
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// handle registers a POST route that reads one JSON value and answers one.
func handle[Req, Ans any](mux *http.ServeMux, path string, act func(Req) (Ans, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var req Req
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err == nil {
			err = signed.Unmarshal(bytes.TrimSpace(raw), &req)
		}
		if err != nil {
			problem(w, fault.Wrap(fault.Invalid, "The request body could not be read.", err))
			return
		}
		ans, err := act(req)
		if err != nil {
			problem(w, err)
			return
		}
		writeJSON(w, http.StatusOK, ans)
	})
}

// tell registers a GET route that answers one value.
func tell[Ans any](mux *http.ServeMux, path string, act func() (Ans, error)) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		ans, err := act()
		if err != nil {
			problem(w, err)
			return
		}
		writeJSON(w, http.StatusOK, ans)
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := signed.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(raw)
}

// problemBody is a problem document (RFC 9457): one safe sentence and, in a
// refusal to cosign, the signed statement of where this holder stands.
type problemBody struct {
	Title    string         `json:"title"`
	Status   int            `json:"status"`
	Detail   string         `json:"detail"`
	Conflict *signed.Object `json:"conflict,omitempty"`
	// Generation of this holder's share, in a refusal because another was asked for.
	Generation *int `json:"generation,omitempty"`
}

// problem renders an error as problem+json.
func problem(w http.ResponseWriter, err error) {
	status := map[fault.Kind]int{fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound,
		fault.Forbidden: http.StatusForbidden, fault.Conflict: http.StatusConflict,
		fault.Unavailable: http.StatusServiceUnavailable}[fault.KindOf(err)]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	body := problemBody{Title: http.StatusText(status), Status: status, Detail: fault.Sentence(err)}
	var c *conflict
	if errors.As(err, &c) {
		body.Conflict = &c.statement
	}
	var g *otherGeneration
	if errors.As(err, &g) {
		body.Generation = &g.own
	}
	raw, merr := json.Marshal(body)
	if merr != nil {
		raw = []byte(`{"title":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(raw)
}

// Hub is the address of the hub: the manifest's or, before there is one, the
// plan's.
func (s *Server) Hub() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.manifest.Version > 0 {
		return s.state.manifest.Hub.URL
	}
	return s.keys.plan.Hub.URL
}

// Status is what the holder tells anyone.
func (s *Server) Status() client.HolderStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.state.last()
	st := client.HolderStatus{ID: s.who.ID, Index: s.keys.index, Pool: s.keys.plan.Pool, Epoch: s.keys.plan.Epoch,
		Manifest: s.state.manifest.Version, LogSize: last.Size, LogRoot: last.Root, Halted: s.state.denials.Halted(), Time: s.clock.Now().UnixMicro()}
	if c := s.keys.committee; c.Generation > 0 {
		st.Generation, st.Record = c.Generation, &c.Record
	}
	return st
}

// signedStatus signs it: nobody on the way can say for this holder that it
// stands elsewhere.
func (s *Server) signedStatus() (signed.Object, error) {
	return signed.Sign(client.StatusDomain, s.who.ID, s.who.signKey(), s.Status())
}

func (s *Server) manifest() opening.SignedManifest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.signed
}
