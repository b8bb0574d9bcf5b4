package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/selector"
	"parallax/tlog"
)

// rowsPerFile is how many observations one submission of a kill test makes.
const rowsPerFile = 40

// kills is how often the hub is killed: 1,000 times in the long form.
func kills() int {
	if os.Getenv("PARALLAX_SOAK") != "" {
		return 1000
	}
	return 30
}

// The hub is killed while desks contribute, a few milliseconds into an ingest,
// and started again on what it left. Nothing that it acknowledged is lost,
// nothing is there twice, and the log is the one that its witnesses saw.
func TestKilledHubLosesNothing(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { killHub(t, "", kills()) })
	t.Run("postgres", func(t *testing.T) { killHub(t, storetest.PostgresDSN(t), kills()) })
}

func killHub(t *testing.T, database string, times int) {
	s := buildWith(t, &stage{database: database, budget: 100_000_000})
	rows, batches, checkpoints := s.survive(times, func(int) {
		s.kill("hub")
		s.again("hub")
	})
	if !t.Failed() {
		t.Logf("%d kills: %d observations in %d batches acknowledged and stored once; %d checkpoints of one log", times, rows, batches, checkpoints)
	}
}

// survive has desks contribute all the time while crash strikes a few
// milliseconds into a contribution, so many times, and then counts: nothing that
// was acknowledged is lost, nothing is there twice, and there is one log.
func (s *stage) survive(times int, crash func(k int)) (rows, batches, checkpoints int) {
	t := s.t
	t.Helper()
	rng := rand.New(rand.NewPCG(5, uint64(times)))
	trap := &trap{next: http.DefaultTransport, due: make(chan struct{}, 1)}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for _, c := range contributors {
		writers.Go(func() {
			if err := s.keepSubmitting(c.id, trap, stop); err != nil {
				t.Errorf("%s: %v", c.id, err)
			}
		})
	}
	var seen []tlog.Checkpoint
	for k := range times {
		trap.arm(time.Duration(rng.IntN(60)) * time.Millisecond)
		trap.wait(t, k)
		crash(k)
		seen = s.checkpoint(seen)
	}
	close(stop)
	writers.Wait()
	if t.Failed() {
		return 0, 0, 0
	}
	last := len(seen)
	s.until("a new checkpoint after the last crash", func() bool { seen = s.checkpoint(seen); return len(seen) > last })
	for _, c := range contributors {
		var st desk.Status
		s.decode(s.at(c.id, "status", "--json"), &st)
		if st.Unsent != 0 || st.Contributions == 0 || st.Rows != st.Contributions*rowsPerFile {
			t.Errorf("%s: %d contributions with %d rows, %d unsent", c.id, st.Contributions, st.Rows, st.Unsent)
		}
		rows, batches = rows+st.Rows, batches+st.Contributions
		// The desk checks each receipt's proof; a batch that was lost has none.
		s.until("the proofs of "+c.id, func() bool {
			return len(strings.Fields(s.at(c.id, "receipts", "--out", s.path("receipts-"+c.id)))) == st.Contributions
		})
	}
	s.kill("hub")
	s.count(rows, batches)
	s.sameLog(seen)
	return rows, batches, len(seen)
}

// A trap says when to kill: some time after the next contribution has left.
type trap struct {
	next  http.RoundTripper
	delay atomic.Int64 // nanoseconds; below 0: not armed
	armed atomic.Bool
	due   chan struct{}
}

func (p *trap) arm(d time.Duration) {
	p.delay.Store(int64(d))
	p.armed.Store(true)
}

// RoundTrip implements http.RoundTripper.
func (p *trap) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, client.PathContribute) && p.armed.CompareAndSwap(true, false) {
		time.AfterFunc(time.Duration(p.delay.Load()), func() { p.due <- struct{}{} })
	}
	return p.next.RoundTrip(r)
}

func (p *trap) wait(t *testing.T, k int) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case <-p.due:
	case <-limit.C:
		t.Fatalf("no desk contributed before crash %d", k+1)
	}
}

// keepSubmitting submits one file after the other; after a break it runs the
// same submission again until it is done.
func (s *stage) keepSubmitting(id string, rt http.RoundTripper, stop <-chan struct{}) error {
	d, err := desk.Open(context.Background(), desk.Options{Dir: s.path(id), HTTP: &http.Client{Transport: rt, Timeout: time.Minute}})
	if err != nil {
		return err
	}
	defer d.Close()
	m := desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind", Role: "=suspected_consumer",
		Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}}
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		file := s.path(fmt.Sprintf("%s-%d.csv", id, n))
		var b strings.Builder
		b.WriteString("case,email,strength,kind\n")
		for i := range rowsPerFile {
			fmt.Fprintf(&b, "%s-%d-%d,person.%d@mail-one.net,2,report\n", id, n, i, n*rowsPerFile+i)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			return err
		}
		for {
			err := submitFile(d, file, m)
			if err == nil {
				break
			}
			if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "read-only") {
				return err
			}
			<-pause.C
		}
	}
}

func submitFile(d *desk.Desk, file string, m desk.Mapping) error {
	p, err := d.Plan(context.Background(), desk.File(file), m)
	if err != nil {
		return err
	}
	_, err = d.Submit(context.Background(), p, "basis-1", nil)
	return err
}

// checkpoint fetches the witnessed checkpoint, verifies it and keeps it where
// it is a new one.
func (s *stage) checkpoint(seen []tlog.Checkpoint) []tlog.Checkpoint {
	s.t.Helper()
	var note []byte
	var p *client.Problem
	err := client.Get(context.Background(), http.DefaultClient, s.hub+client.PathCheckpoint, &note)
	if errors.As(err, &p) && p.Status == http.StatusNotFound && len(seen) == 0 {
		return seen // before the first one
	}
	s.must(err)
	var witnesses []tlog.WitnessKey
	for _, h := range s.plan.Holders {
		witnesses = append(witnesses, tlog.WitnessKey{Name: h.ID, Key: h.Witness})
	}
	cp, _, err := tlog.VerifyNote(note, s.plan.Hub.LogOrigin, s.plan.Hub.LogKey, witnesses, s.plan.T)
	s.must(err)
	if n := len(seen); n > 0 && (cp.Size < seen[n-1].Size || cp.Size == seen[n-1].Size && cp.Root != seen[n-1].Root) {
		s.t.Fatalf("the log went from %d entries to %d", seen[n-1].Size, cp.Size)
	}
	if len(seen) == 0 || cp.Size > seen[len(seen)-1].Size {
		seen = append(seen, cp)
	}
	return seen
}

// count looks into the hub's database: everything once.
func (s *stage) count(rows, batches int) {
	s.t.Helper()
	s.look(func(ctx context.Context, tx *store.Tx) error {
		for query, want := range map[string]int{
			`SELECT COUNT(*) FROM pool_observation WHERE state = 'live'`:                                                                    rows,
			`SELECT COUNT(*) FROM pool_batch`:                                                                                               batches,
			`SELECT COUNT(*) FROM pool_batch_leaf`:                                                                                          rows,
			`SELECT COUNT(*) FROM transparency_entry WHERE kind = 'batch'`:                                                                  batches,
			`SELECT COUNT(*) FROM pool_batch b WHERE NOT EXISTS (SELECT 1 FROM transparency_entry e WHERE e.ticket = b.ticket)`:             0,
			`SELECT COUNT(*) FROM pool_observation o WHERE NOT EXISTS (SELECT 1 FROM pool_obs_tag t WHERE t.label = o.label)`:               0,
			`SELECT COUNT(*) FROM pool_observation o WHERE NOT EXISTS (SELECT 1 FROM pool_batch b WHERE b.org = o.org AND b.root = o.root)`: 0,
		} {
			var n int
			if err := tx.QueryRowContext(ctx, query).Scan(&n); err != nil {
				return err
			}
			if n != want {
				s.t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		return nil
	})
}

// sameLog computes from the stored hashes every root that the hub ever showed.
func (s *stage) sameLog(seen []tlog.Checkpoint) {
	s.t.Helper()
	s.look(func(ctx context.Context, tx *store.Tx) error {
		stored := func(places []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(places))
			for i, p := range places {
				var raw []byte
				if err := tx.QueryRowContext(ctx, `SELECT hash FROM transparency_hash WHERE place = $1`, p).Scan(&raw); err != nil {
					return nil, err
				}
				copy(out[i][:], raw)
			}
			return out, nil
		}
		for _, cp := range seen {
			if root, err := tlog.Root(cp.Size, stored); err != nil || root != cp.Root {
				s.t.Errorf("the log of %d entries is not the one that was witnessed: %v", cp.Size, err)
			}
		}
		return nil
	})
}

func (s *stage) look(f func(ctx context.Context, tx *store.Tx) error) {
	s.t.Helper()
	db, err := store.Open(context.Background(), s.database)
	s.must(err)
	defer db.Close()
	s.must(db.Read(context.Background(), f))
}
