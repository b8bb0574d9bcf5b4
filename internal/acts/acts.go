package acts

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// States of an act.
const (
	Proposed = "proposed"
	Approved = "approved" // both signed; waits for a witnessed checkpoint
	Done     = "done"
	Refused  = "refused" // it could not take effect; the reason says why
	Lapsed   = "lapsed"
)

// A Log takes a record in the caller's transaction and says later whether a
// witnessed checkpoint covers it.
type Log interface {
	Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (ticket string, commitment [32]byte, err error)
	Logged(ctx context.Context, ticket string) (bool, error)
}

// An Act is a proposal and how far it has come.
type Act struct {
	opening.Act
	ID        string
	Raw       []byte // what is signed
	Digest    opening.Hash
	Approvals []signed.Object
	State     string
	Reason    string
	Ticket    string
	Proposed  time.Time
	Changed   time.Time
}

// A Permit shows that an act was approved and is in the log.
type Permit struct {
	Manifest  opening.Manifest
	Raw       []byte
	Approvals []signed.Object
	Ticket    string
}

// Permit is the act's own, under the policy that it was approved under.
func (s *Service) Permit(a Act) (Permit, error) {
	m, ok := s.policy(a.Manifest)
	if !ok {
		return Permit{}, fault.Newf(fault.NotFound, "The policy version %d of the act is not known here.", a.Manifest)
	}
	return Permit{Manifest: m, Raw: a.Raw, Approvals: a.Approvals, Ticket: a.Ticket}, nil
}

// A Kind is what acts of one kind do.
type Kind struct {
	// Check refuses a body that cannot take effect. It is asked when an act is
	// proposed, and must not change anything.
	Check func(ctx context.Context, m opening.Manifest, body []byte) error
	// Take gives effect to an act that is approved and in the log. It may be
	// called again after a crash, and then changes nothing more. A fault that
	// the input caused ends the act; any other error is tried again.
	Take func(ctx context.Context, p Permit, a Act) error
}

// A Service keeps the acts of one hub.
type Service struct {
	db     *store.DB
	log    Log
	clock  clock.Clock
	random io.Reader
	policy func(version int) (opening.Manifest, bool)
	kinds  map[string]Kind
}

// New brings the tables up to date. policy gives the manifests that were or are
// in force, by version.
func New(ctx context.Context, db *store.DB, log Log, policy func(version int) (opening.Manifest, bool), c clock.Clock, random io.Reader) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "acts", sub); err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	return &Service{db: db, log: log, clock: c, random: random, policy: policy, kinds: make(map[string]Kind)}, nil
}

// Register says what acts of a kind do; once for each, before the first act.
func (s *Service) Register(name string, k Kind) { s.kinds[name] = k }

// maxBody bounds what an act says, in bytes.
const maxBody = 16 << 10

// Propose writes an act down. It does nothing by itself.
func (s *Service) Propose(ctx context.Context, m opening.Manifest, kind, proposer string, body any) (Act, error) {
	k, ok := s.kinds[kind]
	if !ok {
		return Act{}, fault.Newf(fault.Invalid, "There is no act of kind %q.", kind)
	}
	raw, err := signed.Marshal(body)
	if err != nil {
		return Act{}, fault.Wrap(fault.Invalid, "The act's body is no JSON.", err)
	}
	if len(raw) > maxBody {
		return Act{}, fault.Newf(fault.Invalid, "The act says %d bytes, at most %d are taken.", len(raw), maxBody)
	}
	if err := k.Check(ctx, m, raw); err != nil {
		return Act{}, err
	}
	now := s.clock.Now()
	a := opening.Act{Kind: kind, Pool: m.Pool, Epoch: m.Epoch, Manifest: m.Version, Proposer: proposer, Purpose: opening.PurposeStatistics,
		Body: raw, Time: now.UnixMicro(), Expires: now.Add(opening.MaxActLife).UnixMicro()}
	if _, err := io.ReadFull(s.random, a.Nonce[:]); err != nil {
		return Act{}, err
	}
	out := Act{Act: a, State: Proposed, Proposed: now, Changed: now}
	if out.Raw, err = signed.Marshal(a); err != nil {
		return Act{}, err
	}
	out.Digest = opening.ActDigest(out.Raw)
	out.ID = out.Digest.String()[:16]
	return out, s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return insert(ctx, tx, out) })
}

// A Record is what the log commits to for an act.
type Record struct {
	Type      string         `json:"type"` // "act"
	Kind      string         `json:"kind"`
	Pool      string         `json:"pool"`
	Act       opening.Hash   `json:"act"`
	Approvals []opening.Hash `json:"approvals"`
}

// Approve adds one approval. With the second of two different bodies the act
// goes into the log in the same transaction. Approving twice changes nothing.
func (s *Service) Approve(ctx context.Context, m opening.Manifest, id string, o signed.Object) (out Act, err error) {
	now := s.clock.Now()
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if out, err = read(ctx, tx, id); err != nil {
			return err
		}
		if slices.ContainsFunc(out.Approvals, func(x signed.Object) bool { return x.Key == o.Key }) {
			return nil
		}
		if out.State != Proposed {
			return fault.Newf(fault.Conflict, "The act is %s; nothing was added to it.", out.State)
		}
		a, digest, err := opening.OpenAct(m, out.Raw)
		if err == nil && a.Expires <= now.UnixMicro() {
			err = errors.New("it has lapsed; propose it anew")
		}
		var body opening.ActApproval
		if err == nil {
			_, body, err = opening.OpenActApproval(m, o, a, digest)
		}
		if err == nil && body.Time > now.Add(signed.Window).UnixMicro() {
			err = errors.New("it is dated in the future")
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, "The approval was refused: "+err.Error()+".", err)
		}
		out.Approvals, out.Changed = append(out.Approvals, o), now
		if _, _, err := opening.ApprovedAct(m, out.Raw, out.Approvals); err == nil {
			if out.Ticket, err = s.logAct(ctx, tx, out); err != nil {
				return err
			}
			out.State = Approved
		}
		return update(ctx, tx, out)
	})
	return out, err
}

func (s *Service) logAct(ctx context.Context, tx *store.Tx, a Act) (string, error) {
	r := Record{Type: "act", Kind: a.Kind, Pool: a.Pool, Act: a.Digest, Approvals: []opening.Hash{}}
	for _, o := range a.Approvals {
		r.Approvals = append(r.Approvals, opening.Digest(o.Body))
	}
	raw, err := signed.Marshal(r)
	if err != nil {
		return "", err
	}
	ticket, _, err := s.log.Append(ctx, tx, "act", raw)
	return ticket, err
}

// Verify checks a permit: both signatures, the kind, and that a witnessed
// checkpoint covers the act's log entry. Whoever gives something out under an
// act asks this first, and reads the body from what it returns.
func Verify(ctx context.Context, log Log, p Permit, kind string, body any) (opening.Act, error) {
	a, _, err := opening.ApprovedAct(p.Manifest, p.Raw, p.Approvals)
	if err != nil {
		return a, fault.Wrap(fault.Forbidden, "This needs an act that two people of different bodies have approved: "+err.Error()+".", err)
	}
	if a.Kind != kind {
		return a, fault.Newf(fault.Forbidden, "The act is a %s, not a %s.", a.Kind, kind)
	}
	ok := false
	if p.Ticket != "" {
		if ok, err = log.Logged(ctx, p.Ticket); err != nil {
			return a, err
		}
	}
	if !ok {
		return a, fault.New(fault.Forbidden, "The act is not in the witnessed log yet, so nothing leaves under it.")
	}
	if err := signed.Unmarshal(a.Body, body); err != nil {
		return a, fault.Wrap(fault.Invalid, "The act's body is not in its one canonical form.", err)
	}
	return a, nil
}

// Advance gives effect to what is approved and in the log, and lets lapse what
// was not approved in time. One act that fails does not keep others waiting.
func (s *Service) Advance(ctx context.Context, m opening.Manifest) error {
	list, err := s.open(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, a := range list {
		failed = errors.Join(failed, s.advance(ctx, m, a))
	}
	return failed
}

func (s *Service) advance(ctx context.Context, m opening.Manifest, a Act) error {
	now := s.clock.Now()
	switch a.State {
	case Proposed:
		if now.UnixMicro() < a.Expires && a.Manifest == m.Version {
			return nil
		}
		return s.end(ctx, a, Lapsed, "It was not approved in time, or the policy changed.")
	case Approved:
		if ok, err := s.log.Logged(ctx, a.Ticket); err != nil || !ok {
			return err
		}
	}
	p, err := s.Permit(a)
	if err == nil {
		err = s.kinds[a.Kind].Take(ctx, p, a)
	}
	if err == nil {
		return s.end(ctx, a, Done, "")
	}
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable: // tried again at the next tick
		return fmt.Errorf("act %s: %w", a.ID, err)
	}
	return s.end(ctx, a, Refused, fault.Sentence(err))
}

func (s *Service) end(ctx context.Context, a Act, state, reason string) error {
	a.State, a.Reason, a.Changed = state, reason, s.clock.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return update(ctx, tx, a) })
}

// List gives the newest acts first.
func (s *Service) List(ctx context.Context, limit int) (out []Act, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = list(ctx, tx, limit)
		return err
	})
	return out, err
}

// Get reads one act.
func (s *Service) Get(ctx context.Context, id string) (a Act, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err = read(ctx, tx, id)
		return err
	})
	return a, err
}

func (s *Service) open(ctx context.Context) (out []Act, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = unfinished(ctx, tx)
		return err
	})
	return out, err
}
