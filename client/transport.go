package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"parallax/oprf/dkg"
	"parallax/signed"
)

// maxAnswer bounds what is read from any server, in bytes.
const maxAnswer = 64 << 20

// A Problem is an error that a server answered with (RFC 9457).
type Problem struct {
	Status    int           `json:"status"`
	Detail    string        `json:"detail"`
	RequestID string        `json:"request_id"`
	Lines     []LineProblem `json:"lines"`
	// Conflict is a key holder's signed CosignRefusal, if that is what it is.
	Conflict *signed.Object `json:"conflict,omitempty"`
	// Generation of the share that a key holder has, if it refuses because it is
	// another than was asked for.
	Generation *int `json:"generation,omitempty"`
}

// A LineProblem is what is wrong with one observation of a batch; Line counts
// from 1.
type LineProblem struct {
	Line   int    `json:"line"`
	Detail string `json:"detail"`
}

// Error gives the server's sentence.
func (p *Problem) Error() string { return p.Detail }

// ErrUnreachable: nothing is known to have happened; asking again is safe.
var ErrUnreachable = errors.New("could not be reached")

// A Caller signs machine messages as one sender and posts them.
type Caller struct {
	Sender string
	Key    ed25519.PrivateKey
	HTTP   *http.Client
	Now    func() time.Time
	Random io.Reader
}

// Call posts body as a signed message to audience at url+path and decodes the
// answer into out. An answer of the server's own is a *Problem; anything else
// wraps ErrUnreachable.
func (c Caller) Call(ctx context.Context, audience, url, path string, body, out any) error {
	raw, err := signed.Marshal(body)
	if err != nil {
		return err
	}
	o, err := signed.NewMessage(audience, c.Sender, path, raw, c.Key, c.Now(), c.Random)
	if err != nil {
		return err
	}
	return Post(ctx, c.HTTP, url+path, o, out)
}

// Post sends v as canonical JSON and decodes the answer into out.
func Post(ctx context.Context, h *http.Client, url string, v, out any) error {
	raw, err := signed.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return do(h, req, out)
}

// Get reads url and decodes the answer into out; a *[]byte gets it raw.
func Get(ctx context.Context, h *http.Client, url string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return do(h, req, out)
}

func do(h *http.Client, req *http.Request, out any) error {
	res, err := h.Do(req)
	if err != nil {
		return fmt.Errorf("%s %w: %w", req.URL.Host, ErrUnreachable, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %w: %w", req.URL.Host, ErrUnreachable, err)
	}
	if res.StatusCode/100 != 2 {
		p := &Problem{}
		if json.Unmarshal(raw, p) != nil || p.Detail == "" {
			p.Detail = req.URL.Host + " answered " + res.Status
		}
		p.Status = res.StatusCode
		return p
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = raw
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s answered something unreadable: %w", req.URL.Host, err)
	}
	return nil
}

// A Board is the hub's bulletin board for one key ceremony.
type Board struct {
	hub  string
	url  string
	http *http.Client
}

// NewBoard names the board of a pool's epoch at a hub.
func NewBoard(hub, pool, epoch string, h *http.Client) *Board {
	return &Board{hub: hub, url: hub + PathCeremony + pool + "/" + epoch + "/", http: h}
}

// State asks which attempt is open.
func (b *Board) State(ctx context.Context) (CeremonyState, error) {
	var st CeremonyState
	err := Get(ctx, b.http, b.url+"state", &st)
	return st, err
}

// Post puts a message up once; the same bytes again change nothing.
func (b *Board) Post(ctx context.Context, attempt, round, index int, message []byte) error {
	return Post(ctx, b.http, fmt.Sprintf("%s%d/%d/%d", b.url, attempt, round, index), CeremonyMessage{message}, nil)
}

// Round reads a round: message i-1 is holder i's, empty if not there yet.
func (b *Board) Round(ctx context.Context, attempt, round int) ([][]byte, error) {
	var m CeremonyMessages
	err := Get(ctx, b.http, fmt.Sprintf("%s%d/%d", b.url, attempt, round), &m)
	return m.Messages, err
}

// Abort ends an attempt with a signed statement.
func (b *Board) Abort(ctx context.Context, attempt int, statement []byte) error {
	return Post(ctx, b.http, fmt.Sprintf("%s%d/abort", b.url, attempt), CeremonyMessage{statement}, nil)
}

// Aborts reads the statements that ended an attempt.
func (b *Board) Aborts(ctx context.Context, attempt int) ([][]byte, error) {
	var m CeremonyMessages
	err := Get(ctx, b.http, fmt.Sprintf("%s%d/aborts", b.url, attempt), &m)
	return m.Messages, err
}

// Transcript reads the finished transcript.
func (b *Board) Transcript(ctx context.Context) (dkg.Transcript, error) {
	var s Setup
	err := Get(ctx, b.http, b.hub+PathTranscript, &s)
	return s.Transcript, err
}

// PostTranscript stores the finished transcript at the hub.
func (b *Board) PostTranscript(ctx context.Context, t dkg.Transcript) error {
	return Post(ctx, b.http, b.url+"transcript", t, nil)
}

// System is a Caller's ordinary clock and randomness.
func System(sender string, key ed25519.PrivateKey) Caller {
	return Caller{Sender: sender, Key: key, HTTP: NewHTTP(2 * time.Minute), Now: time.Now, Random: rand.Reader}
}
