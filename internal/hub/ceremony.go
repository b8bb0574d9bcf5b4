package hub

import (
	"context"
	"net/http"
	"strconv"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
)

// An AbortRecord is what the log commits to for an attempt at the key ceremony
// that a holder ended.
type AbortRecord struct {
	Type      string       `json:"type"` // "ceremony-abort"
	Pool      string       `json:"pool"`
	Epoch     string       `json:"epoch"`
	Attempt   int          `json:"attempt"`
	By        int          `json:"by"`
	Fault     int          `json:"fault"` // as By says
	Reason    string       `json:"reason"`
	Statement opening.Hash `json:"statement"` // digest of what By signed
}

// ceremony checks that a request is about this hub's ceremony.
func (s *Server) ceremony(r *http.Request) error {
	if r.PathValue("pool") != s.o.Plan.Pool || r.PathValue("epoch") != s.o.Plan.Epoch {
		return fault.New(fault.NotFound, "This hub has no ceremony for this pool and epoch.")
	}
	return nil
}

// number reads a small positive number of the path.
func number(r *http.Request, name string, most int) (int, error) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil || n < 1 || n > most {
		return 0, fault.Newf(fault.NotFound, "A ceremony has no %s %q.", name, r.PathValue(name))
	}
	return n, nil
}

// maxAttempts bounds what one plan can be tried; then it needs a new plan.
const maxAttempts = 1000

func (s *Server) ceremonyState(r *http.Request) (client.CeremonyState, error) {
	if err := s.ceremony(r); err != nil {
		return client.CeremonyState{}, err
	}
	return s.state.ceremony(r.Context())
}

// place reads attempt and round of a path.
func (s *Server) place(r *http.Request) (attempt, round int, err error) {
	if err := s.ceremony(r); err != nil {
		return 0, 0, err
	}
	if attempt, err = number(r, "attempt", maxAttempts); err != nil {
		return 0, 0, err
	}
	round, err = number(r, "round", dkg.Rounds)
	return attempt, round, err
}

// post takes a message into a holder's place only with that holder's signature
// for exactly this place: a stranger cannot spoil a ceremony.
func (s *Server) post(r *http.Request, m client.CeremonyMessage) (struct{}, error) {
	attempt, round, err := s.place(r)
	if err != nil {
		return struct{}{}, err
	}
	index, err := number(r, "index", s.o.Plan.N)
	if err != nil {
		return struct{}{}, err
	}
	params, err := s.o.Plan.Attempt(attempt)
	if err != nil {
		return struct{}{}, err
	}
	if err := dkg.CheckMessage(params, round, index, m.Message); err != nil {
		return struct{}{}, fault.Wrap(fault.Forbidden, "The message was refused: "+err.Error()+".", err)
	}
	return struct{}{}, s.state.post(r.Context(), attempt, round, index, m.Message)
}

func (s *Server) round(r *http.Request) (client.CeremonyMessages, error) {
	attempt, round, err := s.place(r)
	if err != nil {
		return client.CeremonyMessages{}, err
	}
	all, err := s.state.round(r.Context(), attempt, round)
	return client.CeremonyMessages{Messages: all}, err
}

// abort ends an attempt on a holder's signed word; the log records whose.
func (s *Server) abort(r *http.Request, m client.CeremonyMessage) (struct{}, error) {
	if err := s.ceremony(r); err != nil {
		return struct{}{}, err
	}
	attempt, err := number(r, "attempt", maxAttempts)
	if err != nil {
		return struct{}{}, err
	}
	params, err := s.o.Plan.Attempt(attempt)
	if err != nil {
		return struct{}{}, err
	}
	a, err := dkg.OpenAbort(params, m.Message)
	if err != nil {
		return struct{}{}, fault.Wrap(fault.Forbidden, "The statement was refused: "+err.Error()+".", err)
	}
	record, err := signed.Marshal(AbortRecord{Type: "ceremony-abort", Pool: params.Pool, Epoch: params.Epoch, Attempt: attempt,
		By: a.By, Fault: a.Fault, Reason: a.Reason, Statement: opening.Digest(m.Message)})
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, s.state.abort(r.Context(), attempt, a.By, m.Message, func(ctx context.Context, tx *store.Tx) error {
		s.o.Log.Warn("ceremony attempt ended", "attempt", attempt, "by", a.By, "fault", a.Fault)
		_, err := s.tlog.Append(ctx, tx, "ceremony-abort", record)
		return err
	})
}

func (s *Server) aborts(r *http.Request) (client.CeremonyMessages, error) {
	if err := s.ceremony(r); err != nil {
		return client.CeremonyMessages{}, err
	}
	attempt, err := number(r, "attempt", maxAttempts)
	if err != nil {
		return client.CeremonyMessages{}, err
	}
	all, err := s.state.aborts(r.Context(), attempt)
	return client.CeremonyMessages{Messages: all}, err
}

func (s *Server) putTranscript(r *http.Request, t dkg.Transcript) (struct{}, error) {
	if err := s.ceremony(r); err != nil {
		return struct{}{}, err
	}
	return struct{}{}, s.state.putTranscript(r.Context(), t)
}
