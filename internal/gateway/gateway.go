package gateway

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/store"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Log is the transparency log as the gateway uses it.
type Log interface {
	Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (ticket string, commitment [32]byte, err error)
}

// A Service keeps the gateway of one hub.
type Service struct {
	db     *store.DB
	log    Log
	law    atomic.Pointer[law.Deployed] // in use: replaced whole, never changed
	clock  clock.Clock
	random io.Reader

	compared compared
	renewal  renewal
}

// New brings the tables up to date, takes the law data into use and seeds the
// register where it is empty.
func New(ctx context.Context, db *store.DB, log Log, data law.Deployed, c clock.Clock, random io.Reader) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "gateway", sub); err != nil {
		return nil, err
	}
	if err := db.Isolate(ctx, isolated...); err != nil {
		return nil, err
	}
	s := &Service{db: db, log: log, clock: c, random: random}
	if err := s.adopt(ctx, data); err != nil {
		return nil, err
	}
	return s, s.seedBarriers(ctx)
}

// A Person is who acts, as far as the gateway asks.
type Person struct {
	ID           string
	Organisation string
	Officer      bool // a gateway officer of the organisation
	Keeper       bool // may edit the register: a gateway officer or a programme lead
}

// today is the day that law is evaluated for.
func (s *Service) today() string { return s.clock.Now().UTC().Format(time.DateOnly) }

// Law is the data in use. Whoever evaluates and writes asks once, so that both
// are under the same data while another version comes into use.
func (s *Service) Law() law.Deployed { return *s.law.Load() }

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return "", fmt.Errorf("random id: %w", err)
	}
	return hex.EncodeToString(raw[:]), nil
}

// A Record is what the log commits to of an act of the gateway. What was said is
// in it as a digest.
type Record struct {
	Type  string   `json:"type"` // "gateway-request", "gateway-decision", "gateway-void", "gateway-flow", "gateway-barrier" or "gateway-law"
	About string   `json:"about"`
	What  string   `json:"what"`
	By    string   `json:"by"`
	Law   string   `json:"law"` // digest of the law data
	Time  int64    `json:"time"`
	Nonce [32]byte `json:"nonce"`
}

// record writes an act into the log, in the transaction that keeps it. under is
// the digest of the law data that it rests on.
func (s *Service) record(ctx context.Context, tx *store.Tx, under, kind, about, by string, what any) (ticket string, err error) {
	raw, err := signed.Marshal(what)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	r := Record{Type: kind, About: about, What: hex.EncodeToString(sum[:]), By: by, Law: under, Time: s.clock.Now().UnixMicro()}
	if _, err := io.ReadFull(s.random, r.Nonce[:]); err != nil {
		return "", err
	}
	if raw, err = signed.Marshal(r); err != nil {
		return "", err
	}
	if ticket, _, err = s.log.Append(ctx, tx, kind, raw); err != nil {
		return "", fault.Wrap(fault.Unavailable, "The log cannot be written, so nothing was done.", err)
	}
	return ticket, nil
}
