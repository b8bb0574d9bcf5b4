package baseline

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"parallax/internal/acts"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Pool is what baselines need of the sealed pool: views that verify the act that
// they are asked under.
type Pool interface {
	Counts(ctx context.Context, p acts.Permit) (pool.Counts, opening.CountsAct, error)
	Capture(ctx context.Context, p acts.Permit) (pool.Capture, opening.CaptureAct, error)
}

// A Service keeps runs, audits and releases.
type Service struct {
	db    *store.DB
	pool  Pool
	log   acts.Log
	sign  pool.Signer
	clock clock.Clock
}

// New brings the tables up to date and says what the acts of a baseline do.
func New(ctx context.Context, db *store.DB, p Pool, log acts.Log, sign pool.Signer, a *acts.Service, c clock.Clock) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "baseline", sub); err != nil {
		return nil, err
	}
	s := &Service{db: db, pool: p, log: log, sign: sign, clock: c}
	a.Register(opening.ActCapture, acts.Kind{Check: s.checkCapture, Take: s.capture})
	a.Register(opening.ActAudit, acts.Kind{Check: s.checkAudit, Take: s.audit})
	a.Register(opening.ActCounts, acts.Kind{Check: s.checkCounts, Take: s.counts})
	a.Register(opening.ActRelease, acts.Kind{Check: s.checkRelease, Take: s.release})
	return s, nil
}

func invalid(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Invalid, "The act cannot be taken: "+err.Error()+".", err)
}

// checkCapture refuses a question that cannot be answered now.
func (s *Service) checkCapture(ctx context.Context, m opening.Manifest, raw []byte) error {
	var q opening.CaptureAct
	if err := signed.Unmarshal(raw, &q); err != nil {
		return invalid(err)
	}
	if err := q.Check(); err != nil {
		return invalid(err)
	}
	if _, ok := m.Class(q.Class); !ok {
		return fault.Newf(fault.Invalid, "This pool takes no identifiers of class %s.", q.Class)
	}
	for _, l := range q.Lists {
		for _, o := range l.Organisations {
			if _, ok := m.Member(o); !ok {
				return fault.Newf(fault.Invalid, "List %s: %q is no member of this pool.", l.Name, o)
			}
		}
	}
	_, end, err := q.Quarter.Span()
	if err != nil {
		return invalid(err)
	}
	switch {
	case end.After(s.clock.Now()):
		return fault.Newf(fault.Invalid, "%s ends on %s; a quarter is counted when it is over.", q.Quarter, end.AddDate(0, 0, -1).Format(time.DateOnly))
	case m.KeysEnd > 0 && end.UnixMicro() > m.KeysEnd:
		return fault.Newf(fault.Invalid, "The keys of this epoch end before %s does. No estimate is made over a change of keys.", q.Quarter)
	}
	return s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if id, ok, err := runOf(ctx, tx, string(q.Class), string(q.Quarter)); err != nil || ok {
			return orConflict(err, "Class "+string(q.Class)+" of "+string(q.Quarter)+" was counted before, as run "+id+". A quarter is counted once: two counts of it would show who came between.")
		}
		return nil
	})
}

func orConflict(err error, sentence string) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, sentence)
}

// checkAudit refuses an audit whose figures do not belong together.
func (s *Service) checkAudit(_ context.Context, m opening.Manifest, raw []byte) error {
	var a opening.AuditAct
	if err := signed.Unmarshal(raw, &a); err != nil {
		return invalid(err)
	}
	day, err := time.Parse(time.DateOnly, a.Date)
	switch {
	case err != nil || day.After(s.clock.Now()):
		return fault.New(fault.Invalid, "The audit needs the day on which it ended, such as 2026-11-24, not in the future.")
	case a.Pairs < 1 || a.Linked < 0 || a.Linked > a.Pairs:
		return fault.New(fault.Invalid, "The audit needs the number of true pairs that were looked at and how many of them were linked.")
	case a.LowPercent < 0 || 100*a.Linked < a.LowPercent*a.Pairs:
		return fault.New(fault.Invalid, "The lower limit of the audit is above the share that it found.")
	case !opening.IsWord(a.By):
		return fault.New(fault.Invalid, "The audit needs the body that made it, as one lower-case word.")
	}
	if _, ok := m.Class(a.Class); !ok {
		return fault.Newf(fault.Invalid, "This pool takes no identifiers of class %s.", a.Class)
	}
	return nil
}

// audit records a check of links.
func (s *Service) audit(ctx context.Context, p acts.Permit, act acts.Act) error {
	var a opening.AuditAct
	if _, err := acts.Verify(ctx, s.log, p, opening.ActAudit, &a); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return insertAudit(ctx, tx, act.ID, a, s.clock.Now())
	})
}

// capture counts and estimates. The counting comes after the log: the pool
// verifies both the approvals and the log entry before it counts.
func (s *Service) capture(ctx context.Context, p acts.Permit, act acts.Act) error {
	c, q, err := s.pool.Capture(ctx, p)
	if err != nil {
		return err
	}
	var audit *opening.AuditAct
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		audit, err = lastAudit(ctx, tx, string(q.Class))
		return err
	})
	if err != nil {
		return err
	}
	r, err := estimateOf(ctx, act.Digest, c, q, audit, s.clock.Now())
	if err != nil {
		return err
	}
	r.ID = act.ID
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok, err := readRun(ctx, tx, act.ID); err != nil || ok {
			return err
		}
		if id, ok, err := runOf(ctx, tx, r.Class, r.Quarter); err != nil || ok {
			return orConflict(err, "This class and quarter were counted meanwhile, as run "+id+".")
		}
		return insertRun(ctx, tx, r)
	})
}

// Runs lists what was estimated, newest quarter first.
func (s *Service) Runs(ctx context.Context) (out []Run, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listRuns(ctx, tx)
		return err
	})
	return out, err
}

// Get reads one run.
func (s *Service) Get(ctx context.Context, id string) (r Run, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var ok bool
		if r, ok, err = readRun(ctx, tx, id); err == nil && !ok {
			err = fault.New(fault.NotFound, "There is no such run.")
		}
		return err
	})
	return r, err
}
