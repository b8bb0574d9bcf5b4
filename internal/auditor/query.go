package auditor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/tlog"
)

// QueryOptions of a query audit.
type QueryOptions struct {
	Hub     string
	Pin     opening.Hash
	Since   string        // first day (UTC) that is audited; empty: as far back as desks keep what opens a batch
	Auditor client.Caller // a query auditor whom the manifest names
	HPKE    []byte        // opens what is sealed to it
	Answers []AnswerFile
	// Selectors puts what was sampled into the report, to compare with case files.
	Selectors bool
	HTTP      *http.Client
	Clock     clock.Clock
	Progress  func(done, all int)
}

// An AnswerFile is what a member's desk wrote.
type AnswerFile struct {
	Name string
	Raw  []byte
}

// A QueryReport is what a query audit found, batch by batch.
type QueryReport struct {
	Hub      string        `json:"hub"`
	Result   string        `json:"result"` // Verified, Found, Incomplete; Failed or Forked before anything was audited
	Problem  string        `json:"problem,omitempty"`
	Pool     string        `json:"pool"`
	Epoch    string        `json:"epoch"`
	Since    string        `json:"since"`
	Entries  int64         `json:"entries"` // of the log
	Checks   []string      `json:"checks"`
	Holders  []Answering   `json:"holders"`
	Batches  []QueryBatch  `json:"batches"`
	Findings []Finding     `json:"findings"`
	Members  []MemberShare `json:"members"`
}

// More results, of query audits.
const (
	Found      = "found"
	Incomplete = "incomplete" // a key holder was not reached, or something waits for a tick
)

// Answering is what a key holder said of what it was asked.
type Answering struct {
	Holder  string `json:"holder"`
	Reached bool   `json:"reached"`
	Batches int    `json:"batches"`
	Why     string `json:"why,omitempty"`
}

// A QueryBatch is one batch that key holders answered. Waits says why it cannot be
// judged yet.
type QueryBatch struct {
	Batch        opening.Hash `json:"batch"`
	Organisation string       `json:"organisation"`
	Class        string       `json:"class"`
	Day          string       `json:"day"`
	Points       int          `json:"points"`
	Drawn        int          `json:"drawn"` // rows, by all key holders that answered it
	Waits        string       `json:"waits,omitempty"`
	Rows         []QueryRow   `json:"rows"` // opened

	claims  []*claim
	drawn   map[int]string // by whom, of the claims that hold
	opened  map[int]bool
	answers int
	logged  bool // else its member cannot show what opens the entry
}

// A QueryRow is an opened row that holds.
type QueryRow struct {
	Row       int    `json:"row"`
	Dummy     bool   `json:"dummy"`
	Reference string `json:"reference,omitempty"`
	Date      string `json:"date,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Selector  string `json:"selector,omitempty"`
}

// A Finding is something that is not as it must be. Row is -1 where it is about a
// whole batch, and Batch empty where it is about none.
type Finding struct {
	Against      string `json:"against"` // a member, a key holder or the hub, by id
	Organisation string `json:"organisation,omitempty"`
	Batch        string `json:"batch,omitempty"`
	Row          int    `json:"row"`
	Text         string `json:"text"`
}

// A MemberShare says how much of a member's queries one honest key holder's draw
// would catch: the probability that it misses every bad row if one row in twenty
// of each batch is bad.
type MemberShare struct {
	Organisation string  `json:"organisation"`
	Batches      int     `json:"batches"`
	Points       int     `json:"points"`
	Missed       float64 `json:"missed"`
}

// A claim is what one key holder says of one batch.
type claim struct {
	client.AskedBatch
	holder  opening.Holder
	promise client.QueryPromise
	rows    []int // that it drew
}

// queryAudit is one run.
type queryAudit struct {
	o       QueryOptions
	c       *check
	out     *QueryReport
	batches map[opening.Hash]*QueryBatch
	sealed  []client.SealedAnswer // as QueryOptions.Answers
}

// QueryAudit asks the key holders what they answered, reads the whole log, draws
// the rows again and checks every answer. The report says what was found also
// where the error is not nil.
func QueryAudit(ctx context.Context, o QueryOptions) (QueryReport, error) {
	if o.Since == "" {
		o.Since = o.Clock.Now().UTC().Add(-client.QueryWindow).Format(time.DateOnly)
	}
	r := QueryReport{Hub: o.Hub, Since: o.Since, Result: Failed, Checks: []string{}, Holders: []Answering{}, Batches: []QueryBatch{}, Findings: []Finding{}, Members: []MemberShare{}}
	report := Report{Checks: []string{}, Asked: []Stand{}}
	c := &check{Options: Options{Hub: o.Hub, Pin: o.Pin, HTTP: o.HTTP, Clock: o.Clock, Progress: o.Progress},
		report: &report, source: client.LogSource{URL: o.Hub, HTTP: o.HTTP}}
	q := &queryAudit{o: o, c: c, out: &r, batches: map[opening.Hash]*QueryBatch{}}
	for _, step := range []func(context.Context) error{q.files, c.remember, c.keys, q.known, q.ask, c.ask, c.checkpoint, c.log, q.draw, q.read} {
		if err := step(ctx); err != nil {
			r.Checks, r.Problem = report.Checks, sentence(err)
			var f *client.Fork
			if errors.As(err, &f) {
				r.Result = Forked
			}
			return r, err
		}
	}
	r.Pool, r.Epoch, r.Entries, r.Checks = report.Pool, report.Epoch, report.Entries, report.Checks
	return r, q.conclude()
}

// known: the manifest must name this auditor, or nobody answers it.
func (q *queryAudit) known(context.Context) error {
	a, ok := q.c.report.manifest.QueryAuditor(q.o.Auditor.Sender)
	if !ok || !a.Key.Equal(q.o.Auditor.Key.Public()) {
		return fault.New(fault.Forbidden, "The manifest names no query auditor with this id and key.")
	}
	return nil
}

// ask asks every key holder which batches it answered. A holder that cannot be
// reached leaves the audit incomplete: its draw may be the only honest one.
func (q *queryAudit) ask(ctx context.Context) error {
	for _, h := range q.c.report.manifest.Holders {
		list, err := client.AskedBy(ctx, q.o.Auditor, h, "", q.o.Since)
		a := Answering{Holder: h.ID, Reached: err == nil, Batches: len(list)}
		if err != nil {
			a.Why = err.Error()
		}
		q.out.Holders = append(q.out.Holders, a)
		for _, b := range list {
			q.claim(h, b)
		}
	}
	return nil
}

// claim takes what a key holder says of a batch, with the hub's promise for it.
func (q *queryAudit) claim(h opening.Holder, a client.AskedBatch) {
	m := q.c.report.manifest
	p, err := client.OpenPromise(a.Promise, m.Hub.Key, m.Pool, m.Epoch, a.Organisation, a.Batch)
	if err != nil {
		q.find(Finding{Against: h.ID, Organisation: a.Organisation, Batch: a.Batch.String(), Row: -1, Text: "it answered a batch without the hub's promise: " + err.Error()})
		return
	}
	if _, ok := m.Member(a.Organisation); !ok {
		q.find(Finding{Against: h.ID, Organisation: a.Organisation, Batch: a.Batch.String(), Row: -1, Text: "it answered who is no member of this pool"})
		return
	}
	b := q.batches[a.Batch]
	if b == nil {
		b = &QueryBatch{Batch: a.Batch, Organisation: a.Organisation, Class: a.Class, Day: a.Day, Points: a.Points, Rows: []QueryRow{}, opened: map[int]bool{}}
		q.batches[a.Batch] = b
	}
	b.claims = append(b.claims, &claim{AskedBatch: a, holder: h, promise: p})
	q.c.wanted = append(q.c.wanted, tlog.Hash(p.Commitment))
	if a.Draw != nil {
		q.c.sizes = append(q.c.sizes, a.Draw.Size)
	}
}

func (q *queryAudit) find(f Finding) { q.out.Findings = append(q.out.Findings, f) }

// about begins a finding about a batch.
func (b *QueryBatch) about(against string, row int, format string, args ...any) Finding {
	return Finding{Against: against, Organisation: b.Organisation, Batch: b.Batch.String(), Row: row, Text: fmt.Sprintf(format, args...)}
}

// draw finds each batch in the log and draws its rows again.
func (q *queryAudit) draw(context.Context) error {
	for _, b := range q.sorted() {
		hub := q.c.report.manifest.Hub.ID
		for _, x := range b.claims {
			if x.promise != b.claims[0].promise {
				q.find(b.about(hub, -1, "it gave two different promises for one batch"))
			}
			place, logged := q.c.found.Found[tlog.Hash(x.promise.Commitment)]
			b.logged = b.logged || logged
			since := q.o.Clock.Now().Sub(time.UnixMicro(x.promise.Time))
			switch {
			case !logged && since <= maxAge:
				b.Waits = "the hub has promised to log it and has not yet"
			case !logged:
				q.find(b.about(hub, -1, "promised on %s and not in the log of %d entries", time.UnixMicro(x.promise.Time).UTC().Format("2006-01-02 15:04 UTC"), q.c.report.Entries))
			}
			if x.Draw == nil {
				continue
			}
			if logged && place >= x.Draw.Size {
				q.find(b.about(hub, -1, "in the log at place %d, after the checkpoint of %d entries that drew its rows: the hub's queue was longer than a tick, or it held the entry back", place+1, x.Draw.Size))
			}
			q.take(b, x)
		}
		b.gather()
		if b.Drawn == 0 && b.Waits == "" {
			b.Waits = "its rows are drawn at the log's next tick"
		}
	}
	return nil
}

// gather says which rows are drawn, and by whom.
func (b *QueryBatch) gather() {
	b.drawn = map[int]string{}
	for _, x := range b.claims {
		for _, i := range x.rows {
			if by := b.drawn[i]; by != "" {
				b.drawn[i] = by + " and " + x.holder.ID
			} else {
				b.drawn[i] = x.holder.ID
			}
		}
	}
	b.Drawn = len(b.drawn)
}

// take draws the rows of one key holder again, if its head is one of this log's.
func (q *queryAudit) take(b *QueryBatch, x *claim) {
	if root, ok := q.c.found.Roots[x.Draw.Size]; !ok || root != x.Draw.Root {
		q.find(b.about(x.holder.ID, -1, "it names a checkpoint of %d entries that this log does not have: it was shown another log, or says so", x.Draw.Size))
		return
	}
	var err error
	if x.rows, err = x.Draw.Sample(q.c.report.manifest, x.holder, x.AskedBatch); err != nil {
		q.find(b.about(x.holder.ID, -1, "%v", err))
	}
}

// sorted gives the batches by organisation, day and digest.
func (q *queryAudit) sorted() []*QueryBatch {
	out := make([]*QueryBatch, 0, len(q.batches))
	for _, b := range q.batches {
		out = append(out, b)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Organisation != b.Organisation {
			return a.Organisation < b.Organisation
		}
		if a.Day != b.Day {
			return a.Day < b.Day
		}
		return string(a.Batch[:]) < string(b.Batch[:])
	})
	return out
}

// conclude says what is missing, what the audit was worth and how it ended.
func (q *queryAudit) conclude() error {
	r, waiting := q.out, 0
	shares := map[string]*MemberShare{}
	for _, b := range q.sorted() {
		q.missing(b)
		if b.Waits != "" {
			waiting++
		}
		s := shares[b.Organisation]
		if s == nil {
			s = &MemberShare{Organisation: b.Organisation, Missed: 1}
			shares[b.Organisation] = s
		}
		s.Batches, s.Points, s.Missed = s.Batches+1, s.Points+b.Points, s.Missed*client.Escape(b.Points, b.Points/20)
		r.Batches = append(r.Batches, *b)
	}
	for _, s := range shares {
		r.Members = append(r.Members, *s)
	}
	sort.Slice(r.Members, func(i, j int) bool { return r.Members[i].Organisation < r.Members[j].Organisation })
	away := slices.IndexFunc(r.Holders, func(a Answering) bool { return !a.Reached })
	switch {
	case len(r.Findings) > 0:
		r.Result = Found
		return fault.Newf(fault.Conflict, "%d findings; each names whom it is against, and the batch.", len(r.Findings))
	case away >= 0:
		r.Result = Incomplete
		return fault.Newf(fault.Unavailable, "Key holder %s was not reached. What it drew is not checked, and its draw may be the only honest one: ask again.", r.Holders[away].Holder)
	case waiting > 0:
		r.Result = Incomplete
		return fault.Newf(fault.Unavailable, "%d batches are too young: ask again after the log's next tick.", waiting)
	}
	r.Result = Verified
	return nil
}

// missing finds rows that were drawn and are in no answer.
func (q *queryAudit) missing(b *QueryBatch) {
	if b.answers == 0 {
		if b.Drawn > 0 && b.logged {
			q.find(b.about(b.Organisation, -1, "no answer: %d rows were drawn and none was opened", b.Drawn))
		}
		return
	}
	for i := range b.Points {
		if by := b.drawn[i]; by != "" && !b.opened[i] {
			q.find(b.about(b.Organisation, i, "drawn by %s and not opened", by))
		}
	}
}
