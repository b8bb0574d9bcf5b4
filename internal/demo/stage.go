package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/hub"
	"parallax/internal/sim"
	"parallax/opening"
)

// Times of the demonstration, all on its simulated clock. One tick of the hub
// is an hour; an observation or request waits six hours in the log, which is
// also the holders' veto window; releases happen at midnight.
const (
	tick         = time.Hour
	openDelay    = 6 * time.Hour
	releaseEvery = 24 * time.Hour
	// leaves is so many that one tick takes all that a demonstration queues.
	leaves = 256
	// admittedDays: members weigh in the rule after 90 days.
	admittedDays = 120
)

// A stage is a running pool with everything in one directory.
type stage struct {
	dir      string
	prog     *program
	clock    *clock.FileClock
	say      *narrator
	http     *http.Client
	data     *sim.Data // what the simulation wrote, with its truth
	plan     client.Plan
	manifest opening.Manifest
	pin      string
	opened   time.Time // simulated time at which the demonstration began
	home     string    // URL of the start page
	sent     fed

	pages map[string]page // by desk

	// mu lets one act happen at a time: no message is under way while the
	// clock jumps.
	mu sync.Mutex
}

// page is where a desk's local page is.
type page struct{ URL, Key string }

func (s *stage) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *stage) clockFile() string { return s.path("clock") }

// demo are the options that every part takes.
func (s *stage) demo() []string { return []string{"--demo", "--demo-clock", s.clockFile()} }

// desk runs a command at a desk.
func (s *stage) desk(ctx context.Context, id string, args ...string) ([]byte, error) {
	all := append([]string{"desk"}, args...)
	return s.prog.run(ctx, append(append(all, "--dir", s.path("desks", id)), s.demo()...)...)
}

// deskJSON runs a command at a desk and reads its answer.
func (s *stage) deskJSON(ctx context.Context, id string, out any, args ...string) error {
	raw, err := s.desk(ctx, id, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", title(id), err)
	}
	return decode(raw, out)
}

// call runs a command and reads its answer.
func (s *stage) call(ctx context.Context, out any, args ...string) error {
	raw, err := s.prog.run(ctx, args...)
	if err != nil {
		return err
	}
	return decode(raw, out)
}

func decode(raw []byte, out any) error {
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("a part answered what cannot be read: %w", err)
	}
	return nil
}

func (s *stage) write(name string, v any) (string, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "", err
	}
	return s.path(name), os.WriteFile(s.path(name), append(raw, '\n'), 0o600)
}

func (s *stage) hubStatus(ctx context.Context) (st hub.Status, err error) {
	return st, client.Get(ctx, s.http, s.plan.Hub.URL+client.PathStatus, &st)
}

// advance moves everybody's clock by a tick or more and waits until the hub has
// done its round.
func (s *stage) advance(ctx context.Context, d time.Duration) error {
	before, err := s.hubStatus(ctx)
	if err != nil {
		return err
	}
	if err := s.clock.Advance(max(d, tick)); err != nil {
		return err
	}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for range 2400 {
		now, err := s.hubStatus(ctx)
		if err != nil {
			return err
		}
		if now.Ticks > before.Ticks {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.prog.died:
			return s.prog.cause()
		case <-look.C:
		}
	}
	return errors.New("the hub did not do its round within two minutes")
}

// nextRelease moves the clock to the next time at which the holders release:
// one tick puts what was approved into the log, and the release follows the
// delay.
func (s *stage) nextRelease(ctx context.Context) error {
	if err := s.advance(ctx, tick); err != nil {
		return err
	}
	now := s.clock.Now()
	at := opening.NextRelease(s.manifest.Delays, now.Add(openDelay))
	return s.advance(ctx, at.Add(time.Minute).Sub(now))
}

func trimmed(raw []byte) string { return strings.TrimSpace(string(raw)) }
