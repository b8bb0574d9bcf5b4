package pool

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/recordkeys"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Log takes a record in the caller's transaction and says later whether a
// witnessed checkpoint covers it.
type Log interface {
	// Append promises a place in the log: a ticket to ask for the proof with
	// and the hiding commitment that will be the leaf.
	Append(ctx context.Context, tx *store.Tx, kind string, record []byte) (ticket string, commitment [32]byte, err error)
	// Logged reports that a witnessed checkpoint covers the ticket's leaf.
	Logged(ctx context.Context, ticket string) (bool, error)
}

// A ForgettingLog also destroys what opens an entry.
type ForgettingLog interface {
	Log
	// Forget destroys the nonce and the record behind a leaf, in the caller's
	// transaction; the commitment stays.
	Forget(ctx context.Context, tx *store.Tx, ticket string) error
}

// Records keeps what lets an observation be forgotten: its key, and the list of
// what was deleted.
type Records struct {
	Keys *recordkeys.Keys
	List *recordkeys.List
}

// Signer signs an object as the hub.
type Signer func(domain string, v any) (signed.Object, error)

// A Service is the sealed pool of one hub.
type Service struct {
	db      *store.DB
	records Records
	log     ForgettingLog
	sign    Signer
	clock   clock.Clock
}

// New brings the pool's tables up to date and returns the pool.
func New(ctx context.Context, db *store.DB, records Records, log ForgettingLog, sign Signer, c clock.Clock) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "pool", sub); err != nil {
		return nil, err
	}
	return &Service{db: db, records: records, log: log, sign: sign, clock: c}, db.Isolate(ctx, isolated...)
}

// Contribute takes one batch of the scope's organisation, all or nothing. It returns a signed
// receipt once everything is on disk; the same root again gives the same
// receipt. A refusal by line is a [*BatchError] inside a fault.
func (s *Service) Contribute(ctx context.Context, m opening.Manifest, of scope.Scope, req client.ContributeRequest) (signed.Object, error) {
	sender := of.Organisation()
	if o, ok, err := s.receipt(ctx, sender, req.Root); err != nil || ok {
		return o, err
	}
	now := s.clock.Now()
	entries, err := check(m, sender, req, now)
	if err != nil {
		return signed.Object{}, err
	}
	var out signed.Object
	keys, err := s.records.Keys.Make(ctx, labelKeys(entries))
	if err != nil {
		return signed.Object{}, settle(err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, ok, err := readReceipt(ctx, tx, sender, req.Root)
		if err != nil || ok {
			out = o
			return err
		}
		if err := refuseWithdrawn(ctx, tx, sender, entries); err != nil {
			return err
		}
		record := opening.BatchRecord{Type: "batch", Pool: m.Pool, Epoch: m.Epoch, Org: sender, Root: req.Root}
		var ticket string
		if out, ticket, err = s.promise(ctx, tx, "batch", record, m.Pool, sender, req.Root, now); err != nil {
			return err
		}
		return insertBatch(ctx, tx, batchRow{org: sender, root: req.Root, sig: req.Sig, ticket: ticket, receipt: out, received: now}, entries, keys)
	})
	return out, settle(err)
}

// promise appends a record to the log and signs the receipt for it.
func (s *Service) promise(ctx context.Context, tx *store.Tx, kind string, record any, pool, org string, root opening.Hash, now time.Time) (signed.Object, string, error) {
	raw, err := signed.Marshal(record)
	if err != nil {
		return signed.Object{}, "", err
	}
	ticket, commitment, err := s.log.Append(ctx, tx, kind, raw)
	if err != nil {
		return signed.Object{}, "", err
	}
	o, err := s.sign(client.ReceiptDomain, client.Receipt{Pool: pool, Org: org, Root: root,
		Commitment: commitment, Ticket: ticket, Time: now.UnixMicro()})
	return o, ticket, err
}

// settle leaves faults as they are and calls everything else a store that
// cannot be written: nothing was acknowledged.
func settle(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fault.Unavailable, "The hub could not store the batch, so nothing was taken. Sending it again is safe.", err)
}

func (s *Service) receipt(ctx context.Context, org string, root opening.Hash) (o signed.Object, ok bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, ok, err = readReceipt(ctx, tx, org, root)
		return err
	})
	return o, ok, settle(err)
}

// OwnTicket reports that a ticket came with one of the organisation's own
// receipts, so that nobody asks after another's batch.
func (s *Service) OwnTicket(ctx context.Context, of scope.Scope, ticket string) (ok bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		ok, err = readOwnTicket(ctx, tx, of.Organisation(), ticket)
		return err
	})
	return ok, err
}

// A WithdrawalRecord is what the log commits to for a withdrawal or another
// correction.
type WithdrawalRecord struct {
	Type   string       `json:"type"` // "withdrawal" or "correction"
	Pool   string       `json:"pool"`
	Org    string       `json:"org"`
	Denial opening.Hash `json:"denial"`
}

// Withdraw takes a member's own signed withdrawal. What it names stops
// counting at once and leaves its clusters when the linking job next runs;
// boxes are emptied here. Labels that are not the member's change nothing and
// show nothing. The receipt has the shape of every other receipt.
func (s *Service) Withdraw(ctx context.Context, m opening.Manifest, g opening.Governance, of scope.Scope, o signed.Object) (signed.Object, error) {
	sender := of.Organisation()
	d, err := opening.OpenDenial(m, g, o)
	if err != nil {
		return signed.Object{}, fault.Wrap(fault.Forbidden, "The withdrawal is not signed by your organisation for this pool.", err)
	}
	if d.Kind != opening.DenyWithdraw || d.Member != sender {
		return signed.Object{}, fault.New(fault.Forbidden, "A member may only withdraw its own observations.")
	}
	return s.deny(ctx, m, sender, o, "withdrawal", func(ctx context.Context, tx *store.Tx) error {
		return withdraw(ctx, tx, sender, d.Labels, s.clock.Now())
	})
}

// deny keeps a denial with its log entry and does what follows from it, once.
func (s *Service) deny(ctx context.Context, m opening.Manifest, sender string, o signed.Object, kind string, act func(ctx context.Context, tx *store.Tx) error) (out signed.Object, err error) {
	now, digest := s.clock.Now(), opening.Digest(o.Body)
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		had, ok, err := readDenialReceipt(ctx, tx, sender, digest)
		if err != nil || ok {
			out = had
			return err
		}
		record := WithdrawalRecord{Type: kind, Pool: m.Pool, Org: sender, Denial: digest}
		var ticket string
		if out, ticket, err = s.promise(ctx, tx, kind, record, m.Pool, sender, digest, now); err != nil {
			return err
		}
		if err := insertDenial(ctx, tx, sender, ticket, digest, o, out, now); err != nil {
			return err
		}
		return act(ctx, tx)
	})
	return out, settle(err)
}

// Expire ends tags and observations whose time had come by then. What it ends
// does not come back, so then must not be one machine's clock alone.
func (s *Service) Expire(ctx context.Context, then time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return expire(ctx, tx, then.UnixMicro()) })
}

// MarkLogged notes which batches a witnessed checkpoint now covers, with the
// time: an observation counts towards a lead only from then on.
func (s *Service) MarkLogged(ctx context.Context) error {
	var tickets []string
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		tickets, err = unlogged(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	var done []string
	for _, t := range tickets {
		ok, err := s.log.Logged(ctx, t)
		if err != nil {
			return err
		}
		if ok {
			done = append(done, t)
		}
	}
	if len(done) == 0 {
		return nil
	}
	now := s.clock.Now().UnixMicro()
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, t := range done {
			if err := markLogged(ctx, tx, t, now); err != nil {
				return err
			}
		}
		return nil
	})
}
