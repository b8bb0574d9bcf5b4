package displacement

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
	"unicode/utf8"

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

// Horizons are the weeks after which an intervention is evaluated.
var Horizons = []int{2, 6, 13}

// fortnight is how long neighbours are watched, and lookEvery how often: more
// often would show nothing, since evidence is dated by the week.
const (
	fortnight = 14 * 24 * time.Hour
	lookEvery = 24 * time.Hour
)

// Pool is what displacement needs of the sealed pool: one thresholded view, which
// verifies the act that it is asked under.
type Pool interface {
	Flows(ctx context.Context, p acts.Permit, weeks int) (pool.Flows, opening.InterventionAct, error)
}

// A Service keeps interventions and what was measured of them.
type Service struct {
	db     *store.DB
	pool   Pool
	log    acts.Log
	acts   *acts.Service
	clock  clock.Clock
	random io.Reader
}

// New brings the tables up to date and says what registering an intervention
// does.
func New(ctx context.Context, db *store.DB, p Pool, log acts.Log, a *acts.Service, c clock.Clock, random io.Reader) (*Service, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "displacement", sub); err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	s := &Service{db: db, pool: p, log: log, acts: a, clock: c, random: random}
	a.Register(opening.ActIntervention, acts.Kind{Check: s.check, Take: s.register})
	return s, nil
}

// Viewers are the roles that an intervention can be shown to before it acts.
var Viewers = []string{"programme-lead", "lead-reviewer", "oversight-board", "auditor"}

// check refuses a registration that is not for the future, unless it says so.
func (s *Service) check(_ context.Context, m opening.Manifest, raw []byte) error {
	var i opening.InterventionAct
	err := signed.Unmarshal(raw, &i)
	if err == nil {
		err = i.Check()
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, "The intervention cannot be registered: "+err.Error()+".", err)
	}
	if _, ok := m.Class(i.Class); !ok {
		return fault.Newf(fault.Invalid, "This pool takes no identifiers of class %s.", i.Class)
	}
	for _, role := range i.See {
		if !slices.Contains(Viewers, role) {
			return fault.Newf(fault.Invalid, "%q is no role that an intervention can be shown to.", role)
		}
	}
	return s.inTime(i)
}

func (s *Service) inTime(i opening.InterventionAct) error {
	day, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return err
	}
	past := !s.clock.Now().Before(day)
	switch {
	case past && !i.Retrospective:
		return fault.New(fault.Conflict, "The intervention's day has come before it was registered. Register it anew, marked as retrospective: it is then shown as such for ever.")
	case !past && i.Retrospective:
		return fault.New(fault.Invalid, "An intervention whose day is still to come is not retrospective.")
	case come(i.Announced, s.clock.Now()) && !i.Retrospective:
		return fault.New(fault.Conflict, "The intervention became known before it was registered. Register it anew, marked as retrospective.")
	}
	return nil
}

// come reports a day, if there is one, that has come.
func come(day string, now time.Time) bool {
	at, err := time.Parse(time.DateOnly, day)
	return err == nil && !now.Before(at)
}

// register keeps an intervention. It counts as registered only when the log
// holds it: one whose day came first is refused.
func (s *Service) register(ctx context.Context, p acts.Permit, a acts.Act) error {
	var i opening.InterventionAct
	if _, err := acts.Verify(ctx, s.log, p, opening.ActIntervention, &i); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok, err := readIntervention(ctx, tx, a.ID); err != nil || ok {
			return err
		}
		if err := s.inTime(i); err != nil {
			return err
		}
		return insertIntervention(ctx, tx, Intervention{ID: a.ID, InterventionAct: i, Registered: s.clock.Now()})
	})
}

// An Intervention is what was registered, with what was measured of it.
type Intervention struct {
	opening.InterventionAct
	ID          string       `json:"id"`
	Registered  time.Time    `json:"registered"`
	Evaluations []Evaluation `json:"evaluations"` // by weeks
	Alerts      []Alert      `json:"alerts"`
	Notes       []Note       `json:"notes"`
}

// An Alert says that a neighbour moved in the first fortnight. It holds no
// count and no case.
type Alert struct {
	Venue string    `json:"venue"`
	Made  time.Time `json:"made"`
}

// A Note is what somebody wrote beside a series: a leak, a gap in coverage.
type Note struct {
	ID   string    `json:"id"`
	Day  string    `json:"day"`
	Text string    `json:"text"`
	By   string    `json:"by"`
	Made time.Time `json:"made"`
}

// Begins is the day on which the intervention acts.
func (i Intervention) Begins() time.Time {
	day, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return time.Time{} // a registered one has a day
	}
	return day
}

// due is when the evaluation after so many weeks is made: when the last of its
// weeks is over.
func (i Intervention) due(weeks int) time.Time {
	begin := i.Begins()
	if begin.Weekday() != time.Monday {
		begin = begin.AddDate(0, 0, int((8-begin.Weekday())%7))
	}
	return begin.AddDate(0, 0, 7*weeks)
}

// hidden reports that a reader of these roles may not know of it yet.
func (i Intervention) hidden(roles []string, now time.Time) bool {
	return now.Before(i.Begins()) && !slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(i.See, r) })
}

// Evaluate does what is due: evaluations at 2, 6 and 13 weeks, and a look at the
// neighbours of what acted within the last fortnight. Each runs once, or once a
// day; one that fails is tried again at the next tick.
func (s *Service) Evaluate(ctx context.Context) error {
	list, err := s.all(ctx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	var failed error
	for _, i := range list {
		for _, weeks := range Horizons {
			if now.Before(i.due(weeks)) || i.evaluated(weeks) {
				continue
			}
			failed = errors.Join(failed, s.evaluate(ctx, i, weeks))
		}
		if !now.Before(i.Begins()) && now.Before(i.Begins().Add(fortnight)) {
			failed = errors.Join(failed, s.look(ctx, i))
		}
	}
	return failed
}

func (i Intervention) evaluated(weeks int) bool {
	return slices.ContainsFunc(i.Evaluations, func(e Evaluation) bool { return e.Weeks == weeks })
}

// flows asks the pool under the act that registered the intervention. A refusal
// of the pool is a result; ok is false then, and the sentence says why.
func (s *Service) flows(ctx context.Context, i Intervention, weeks int) (f pool.Flows, a acts.Act, sentence string, ok bool, err error) {
	if a, err = s.acts.Get(ctx, i.ID); err != nil {
		return f, a, "", false, err
	}
	p, err := s.acts.Permit(a)
	if err != nil {
		return f, a, "", false, err
	}
	f, _, err = s.pool.Flows(ctx, p, weeks)
	if fault.KindOf(err) == fault.Conflict {
		return f, a, fault.Sentence(err), false, nil
	}
	return f, a, "", err == nil, err
}

func (s *Service) evaluate(ctx context.Context, i Intervention, weeks int) error {
	f, a, why, ok, err := s.flows(ctx, i, weeks)
	if err != nil {
		return fmt.Errorf("intervention %s at %d weeks: %w", i.ID, weeks, err)
	}
	e := Evaluation{Weeks: weeks, Verdict: CannotTell, Reason: why, Made: s.clock.Now()}
	if ok {
		if e, err = measure(ctx, f, i.InterventionAct, weeks, a.Digest, s.clock.Now()); err != nil {
			return fmt.Errorf("intervention %s at %d weeks: %w", i.ID, weeks, err)
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return insertEvaluation(ctx, tx, i.ID, e) })
}

// look compares the neighbours with the controls once a day.
func (s *Service) look(ctx context.Context, i Intervention) error {
	now := s.clock.Now()
	due := false
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		last, err := lastLook(ctx, tx, i.ID)
		due = now.Sub(last) >= lookEvery
		return err
	})
	if err != nil || !due {
		return err
	}
	f, _, _, ok, err := s.flows(ctx, i, Horizons[0])
	if err != nil {
		return fmt.Errorf("intervention %s in its first fortnight: %w", i.ID, err)
	}
	var moved []string
	if ok {
		moved = risen(f, i.InterventionAct)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, v := range moved {
			if err := insertAlert(ctx, tx, i.ID, Alert{v, now}); err != nil {
				return err
			}
		}
		return looked(ctx, tx, i.ID, now)
	})
}

// all reads every intervention with what hangs on it.
func (s *Service) all(ctx context.Context) (out []Intervention, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listInterventions(ctx, tx)
		return err
	})
	return out, err
}

// List gives the interventions that a reader of these roles may know of, the
// newest day first.
func (s *Service) List(ctx context.Context, roles []string) ([]Intervention, error) {
	list, err := s.all(ctx)
	now := s.clock.Now()
	return slices.DeleteFunc(list, func(i Intervention) bool { return i.hidden(roles, now) }), err
}

// Get reads one intervention; one that the reader may not know of yet is not
// there.
func (s *Service) Get(ctx context.Context, id string, roles []string) (i Intervention, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var ok bool
		if i, ok, err = readIntervention(ctx, tx, id); err == nil && (!ok || i.hidden(roles, s.clock.Now())) {
			err = fault.New(fault.NotFound, "There is no such intervention.")
		}
		return err
	})
	return i, err
}

// A NoteRecord is what the log commits to for a note.
type NoteRecord struct {
	Type         string       `json:"type"` // "note"
	Intervention string       `json:"intervention"`
	Note         opening.Hash `json:"note"` // of day, text and author
}

const maxNote = 200

// Annotate adds a note. It is in the log, and never changed.
func (s *Service) Annotate(ctx context.Context, id, day, text, by string, roles []string) error {
	if _, err := s.Get(ctx, id, roles); err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault.New(fault.Invalid, "The day must be written as 2026-11-24.")
	}
	if text == "" || utf8.RuneCountInString(text) > maxNote {
		return fault.Newf(fault.Invalid, "A note has 1 to %d characters.", maxNote)
	}
	var raw [8]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return err
	}
	n := Note{ID: hex.EncodeToString(raw[:]), Day: day, Text: text, By: by, Made: s.clock.Now()}
	record, err := signed.Marshal(NoteRecord{"note", id, opening.Digest(fmt.Appendf(nil, "%s\x00%s\x00%s", day, text, by))})
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		ticket, _, err := s.log.Append(ctx, tx, "note", record)
		if err != nil {
			return err
		}
		return insertNote(ctx, tx, id, n, ticket)
	})
}
