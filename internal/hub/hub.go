package hub

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/amends"
	"parallax/internal/authz"
	"parallax/internal/clock"
	"parallax/internal/gateway"
	"parallax/internal/gateway/law"
	"parallax/internal/identity"
	"parallax/internal/leads"
	"parallax/internal/pool"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/internal/transparency"
	"parallax/signed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options of a hub.
type Options struct {
	DB *store.DB
	// Keys of the records and the list of what was deleted: each apart from DB.
	Keys      *recordkeys.Keys
	Deletions *recordkeys.List
	Identity  Identity
	Plan      client.Plan
	// Demo admits manifests that are marked as demonstrations.
	Demo bool
	// DemoConsole lets a visitor choose who is looking; for demonstrations on
	// one machine only. Without it only the public pages are served.
	DemoConsole bool
	// Home is the address of a demonstration's start page; may be empty.
	Home string
	// Law reads the law data that the gateway answers by, at the start and at
	// every tick; nil is the built-in data. Without files that two counsel signed
	// it holds no decision, and nothing opens.
	Law func() (law.Files, error)
	// LeavesPerTick is how many leaves the log grows by at every tick; 0 means 64.
	LeavesPerTick int
	// Providers are where people sign in; without any they use passkeys.
	Providers []identity.Provider
	Clock     clock.Clock
	Random    io.Reader    // nil: crypto/rand
	HTTP      *http.Client // nil: one with a timeout of two minutes
	Log       *slog.Logger
}

// A Server is one hub.
type Server struct {
	o       Options
	tlog    *transparency.Log
	pool    *pool.Service
	leads   *leads.Service
	gateway *gateway.Service
	counsel law.File // as it was at the start
	amends  *amends.Service
	people  *identity.Service
	statistics
	state   *state // setup and manifests
	console *console
	gate    *authz.Gate
	routes  []Route

	mu    sync.Mutex
	ticks int // rounds that Run has done since the start
}

// Open wires a hub together and refuses to start on any mismatch between its
// identity and the plan.
func Open(ctx context.Context, o Options) (*Server, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.HTTP == nil {
		o.HTTP = client.NewHTTP(2 * time.Minute)
	}
	if o.Law == nil {
		o.Law = func() (law.Files, error) { return law.Files{}, nil }
	}
	if o.LeavesPerTick == 0 {
		o.LeavesPerTick = 64
	}
	if o.Keys == nil || o.Deletions == nil {
		return nil, errors.New("a hub needs a database of record keys and a list of deletions")
	}
	if err := o.Plan.Check(); err != nil {
		return nil, err
	}
	if o.DemoConsole && !o.Demo {
		return nil, errors.New("a console in which visitors choose who they are is for demonstrations only")
	}
	card := o.Identity.Card()
	if p := o.Plan.Hub; p.ID != card.ID || p.Entity != card.Entity || !p.Key.Equal(card.Key) || p.LogOrigin != card.LogOrigin || !p.LogKey.Equal(card.LogKey) {
		return nil, errors.New("the plan names another hub, or other keys for it, than this directory holds")
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := o.DB.Migrate(ctx, "hub", sub); err != nil {
		return nil, err
	}
	if above, err := o.DB.Unwalled(ctx); err != nil {
		return nil, err
	} else if above {
		o.Log.Warn("the database's user stands above row-level security: give the hub a role that is no superuser")
	}
	s := &Server{o: o}
	if s.gate, err = authz.New(o.Log); err != nil {
		return nil, err
	}
	if s.state, err = loadState(ctx, o.DB, o.Plan, o.Demo); err != nil {
		return nil, err
	}
	if err := s.openLog(ctx); err != nil {
		return nil, err
	}
	log := logAdapter{s.tlog}
	if s.pool, err = pool.New(ctx, o.DB, pool.Records{Keys: o.Keys, List: o.Deletions}, log, s.sign, o.Clock); err != nil {
		return nil, err
	}
	// A restored backup may hold what was deleted since: it goes before
	// anything is served.
	if _, err := s.pool.Reapply(ctx, o.Plan.Epoch); err != nil {
		return nil, err
	}
	if err := s.openGateway(ctx, log); err != nil {
		return nil, err
	}
	if s.leads, err = leads.New(ctx, o.DB, s.pool, log, holders{s}, lawful{s}, o.Clock, o.Random); err != nil {
		return nil, err
	}
	if err := s.openAmends(ctx); err != nil {
		return nil, err
	}
	if err := s.openStatistics(ctx, log); err != nil {
		return nil, err
	}
	if err := s.openPeople(ctx); err != nil {
		return nil, err
	}
	if s.console, err = newConsole(s); err != nil {
		return nil, err
	}
	s.routes = s.table()
	return s, checkTable(s.routes)
}

func (s *Server) openLog(ctx context.Context) (err error) {
	now := s.state.committee()
	s.state.switched = func(c client.Committee) { s.tlog.SetWitnesses(witnessKeys(c), c.T) }
	s.tlog, err = transparency.Open(ctx, transparency.Options{DB: s.o.DB, Origin: s.o.Identity.Origin, Key: s.o.Identity.logKey(),
		Witnesses: witnessKeys(now), Quorum: now.T, Clock: s.o.Clock, Random: s.o.Random, LeavesPerTick: s.o.LeavesPerTick})
	return err
}

func (s *Server) sign(domain string, v any) (signed.Object, error) {
	return signed.Sign(domain, s.o.Identity.ID, s.o.Identity.signKey(), v)
}

// Tick does one round of everything that waits: law data that counsel published
// comes into use, the log grows and is witnessed, what is covered is marked, what
// is over expires, what is new is linked, leads form and openings advance. One
// failing step does not keep the others from running; each reads what is on disk
// and can run again.
func (s *Server) Tick(ctx context.Context) error {
	var failed []error
	step := func(name string, err error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	step("law data", s.renewLaw(ctx))
	m, ok := s.state.current()
	if !ok {
		return errors.Join(failed...) // before the first manifest there is nothing else to do
	}
	step("log", s.tlog.Tick(ctx))
	step("witnesses", s.tlog.CollectCosignatures(ctx, s.witnesses()))
	due, err := s.destroyBefore(ctx)
	step("expiry", errors.Join(err, s.pool.Expire(ctx, due)))
	step("receipts", s.pool.MarkLogged(ctx))
	step("linking", s.link(ctx, m.Epoch))
	step("leads", s.leads.Refresh(ctx, m))
	step("openings", s.leads.Advance(ctx, m, s.state.after))
	step("forgetting", s.pool.Forget(ctx))
	step("corrections", s.amends.Collect(ctx, m))
	step("reviews", s.amends.Retain(ctx, due))
	step("spreading", s.amends.Spread(ctx, m))
	step("statistics", s.tickStatistics(ctx, m))
	step("sessions", s.people.Tidy(ctx))
	step("nonces", s.state.forgetNonces(ctx, due))
	return errors.Join(failed...)
}

// linkFor is how long a round may link: the log's timer, which everybody's proofs
// wait for, must not wait for a backlog.
const linkFor = 5 * time.Second

func (s *Server) link(ctx context.Context, epoch string) error {
	began := s.o.Clock.Now()
	return s.pool.Link(ctx, epoch, func() bool { return s.o.Clock.Now().Sub(began) < linkFor })
}

// destroyBefore is the time by which what is due is destroyed: this hub's clock,
// but never later than what a quorum of witnesses says it was. A clock that
// jumped ahead would otherwise end every observation, and nothing brings their
// keys back; nonces forgotten early would let a message count twice. While no
// quorum cosigns, nothing is destroyed.
func (s *Server) destroyBefore(ctx context.Context) (time.Time, error) {
	seen, err := s.tlog.WitnessedTime(ctx)
	if now := s.o.Clock.Now(); now.Before(seen) {
		return now, err
	}
	return seen, err
}

// lookEvery is how often Run looks at its clock between two rounds.
const lookEvery = 200 * time.Millisecond

// Run ticks until ctx ends, at most once per every of the hub's own clock: a
// simulated clock that jumps by a day makes one round, as a timer would. Before
// the first tick the log is compared with its witnesses: a hub that came back
// with an older log than they saw stays read-only.
func (s *Server) Run(ctx context.Context, every time.Duration) {
	if err := s.tlog.CollectCosignatures(ctx, s.witnesses()); err != nil {
		s.o.Log.Warn("not all witnesses answered at start", "error", err.Error())
	}
	look := time.NewTicker(min(every, lookEvery))
	defer look.Stop()
	for {
		began := s.o.Clock.Now()
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("tick", "error", err.Error())
		}
		s.mu.Lock()
		s.ticks++
		s.mu.Unlock()
		for due := false; !due; {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			passed := s.o.Clock.Now().Sub(began)
			due = passed >= every || passed < 0 // a clock set back must not stop the log
		}
	}
}

// Status is what the hub tells anyone: nothing in it depends on what members
// contribute, since the log grows by the same number of leaves at every tick.
type Status struct {
	ID       string `json:"id"`
	Manifest int    `json:"manifest"`
	LogSize  int64  `json:"log_size"`
	// Generation of the key shares in force; 0 is the ceremony's.
	Generation int `json:"generation"`
	Ticks      int `json:"ticks"` // rounds done since this hub was started
	// ReadOnly says why the log is stopped; nothing while it is not.
	ReadOnly []transparency.Halt `json:"read_only,omitempty"`
}

// Status reports the hub's state.
func (s *Server) Status(ctx context.Context) (Status, error) {
	size, _, err := s.tlog.Latest(ctx)
	halts, err2 := s.tlog.Halts(ctx)
	m, _ := s.state.current()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{ID: s.o.Identity.ID, Manifest: m.Version, LogSize: size, Generation: s.state.committee().Generation, Ticks: s.ticks, ReadOnly: halts}, errors.Join(err, err2)
}
