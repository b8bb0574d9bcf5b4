package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Log takes an entry in the transaction of the act; where it cannot, the act
// does not happen.
type Log interface {
	Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (ticket string, commitment [32]byte, err error)
}

// Options of a Service.
type Options struct {
	DB         *store.DB
	Log        Log
	Policy     func() (opening.Manifest, bool) // the manifest in force
	Governance opening.Governance
	Operator   Operator
	// URL is where people reach this hub. Sign-in needs https, or http on a
	// loopback name for trying things out; anywhere else nobody can sign in.
	URL       string
	Providers []Provider
	Clock     clock.Clock
	Random    io.Reader    // nil: crypto/rand
	HTTP      *http.Client // asks OpenID providers; nil: one that follows no redirect
	Logger    *slog.Logger
}

// A Service is the organisations and people of one hub.
type Service struct {
	o        Options
	site     site
	sessions *sessions
	oidc     *relyingParty
	keys     *passkeys
}

// New migrates the tables and checks the options.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.DB == nil || o.Log == nil || o.Policy == nil || o.Clock == nil || o.Logger == nil || o.Operator.ID == "" {
		return nil, errors.New("identity: a database, a log, the policy, an operator, a clock and a logger are needed")
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := o.DB.Migrate(ctx, "identity", sub); err != nil {
		return nil, err
	}
	s := &Service{o: o}
	if s.site, err = newSite(o.URL); err != nil {
		return nil, err
	}
	s.sessions = newSessions(s)
	if s.oidc, err = newRelyingParty(s); err != nil {
		return nil, err
	}
	s.keys, err = newPasskeys(s)
	return s, err
}

// HTTPS reports that people reach this hub by https.
func (s *Service) HTTPS() bool { return s.site.secure }

// A Record is what the log keeps of an act on people or organisations. It names
// ids and words of closed lists, never a person.
type Record struct {
	Type         string `json:"type"`
	By           string `json:"by"` // a person's id, "operator" or "governance"
	Organisation string `json:"organisation"`
	Person       string `json:"person"`
	Roles        []Role `json:"roles"`
	Reason       string `json:"reason,omitempty"` // as whoever acted typed it
	Key          string `json:"key"`
	Act          string `json:"act"` // digest of a signed act
	Time         int64  `json:"time"`
}

// kindAct is the kind of the log's entries of this package.
const kindAct = "admin-act"

// record appends the act to the log, in its transaction.
func (s *Service) record(ctx context.Context, tx *store.Tx, r Record) (string, error) {
	if r.Roles == nil {
		r.Roles = []Role{}
	}
	r.Time = s.o.Clock.Now().UnixMicro()
	raw, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	ticket, _, err := s.o.Log.Append(ctx, tx, kindAct, raw)
	return ticket, err
}

// secret is 32 random bytes as text for a person or program to keep, and its
// hash to store. The bytes are drawn evenly, so a plain hash is enough.
func (s *Service) secret(prefix string) (text string, hash []byte, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.o.Random, raw); err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, "The server has no randomness at the moment.", err)
	}
	text = prefix + base64.RawURLEncoding.EncodeToString(raw)
	return text, hashOf(text), nil
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// id is a random id.
func (s *Service) id(prefix string) (string, error) {
	var raw [8]byte
	if _, err := io.ReadFull(s.o.Random, raw[:]); err != nil {
		return "", fault.Wrap(fault.Unavailable, "The server has no randomness at the moment.", err)
	}
	return prefix + hex.EncodeToString(raw[:]), nil
}

// Tidy drops what is over: old sessions, sign-ins that nobody finished, used
// and expired invitations after a while.
func (s *Service) Tidy(ctx context.Context) error {
	now := s.o.Clock.Now()
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tidy(ctx, tx, now)
	})
}
