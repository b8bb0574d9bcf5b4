package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"parallax/internal/fault"
	"parallax/internal/sim"
)

// Options of a demonstration.
type Options struct {
	Seed   uint64
	Actors int
	Once   bool   // run the loop, print a summary and end
	JSON   bool   // of the summary
	Fresh  bool   // feed nothing, to show empty states
	Dir    string // kept; empty: a temporary one, removed at the end
	Listen string // of the start page; a loopback address
	Out    io.Writer
	Err    io.Writer // progress
}

// check refuses bad input before anything is started or written.
func (o Options) check() error {
	switch {
	case o.Once && o.Fresh:
		return fault.New(fault.Invalid, "--once runs the loop over what is fed and --fresh feeds nothing; give one of them")
	case o.JSON && !o.Once:
		return fault.New(fault.Invalid, "--json is the form of the summary that --once prints; add --once")
	case o.Actors < 10 || o.Actors > sim.MaxActors:
		return fault.Newf(fault.Invalid, "--actors must be 10 to %d, not %d", sim.MaxActors, o.Actors)
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fault.Wrap(fault.Invalid, "--listen must be an address with a port, such as 127.0.0.1:7000", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fault.New(fault.Invalid, "--listen must be a loopback address such as 127.0.0.1:7000: the demonstration lets anybody take any role")
	}
	if o.Dir == "" {
		return nil
	}
	if list, err := os.ReadDir(o.Dir); err == nil && len(list) > 0 {
		return fault.Newf(fault.Invalid, "%s is not empty; name a new directory with --dir, nothing in it was changed", o.Dir)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("--dir: %v", err), err)
	}
	return nil
}

// Run runs the demonstration until it is done or ctx ends.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	var ln net.Listener
	if !o.Once {
		if ln, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Listen); err != nil {
			return fault.Wrap(fault.Invalid, fmt.Sprintf("--listen: %v", err), err)
		}
		defer ln.Close()
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "parallax-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	} else if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("--dir: %v", err), err)
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	say := newNarrator(o.Err)
	var s *stage
	err = say.step("draw", "drawing a simulated world", func() (err error) { s, err = newStage(ctx, o, say); return err })
	if err == nil {
		defer s.prog.stop()
		err = s.play(ctx, o, ln)
		if lost := s.prog.cause(); err != nil && lost != nil { // what failed, failed because of it
			err = lost
		}
	}
	if ctx.Err() != nil { // what failed, failed because it was told to end
		return interrupted(o)
	}
	return err
}

// interrupted: who is told to end before the summary has failed at it.
func interrupted(o Options) error {
	if !o.Once {
		return nil
	}
	return fault.New(fault.Unavailable, "the demonstration was told to end before it was done")
}

// play sets the stage and runs the loop once, or serves until ctx ends.
func (s *stage) play(ctx context.Context, o Options, ln net.Listener) error {
	if ln != nil {
		s.home = "http://" + ln.Addr().String() + "/"
	}
	if err := s.say.step("keys", "keys of all bodies, ceremony of three key holders", func() error { return s.keys(ctx) }); err != nil {
		return err
	}
	if err := s.say.step("desks", "desks of fourteen organisations, signed manifest", func() error { return s.admit(ctx) }); err != nil {
		return err
	}
	if o.Once {
		return s.once(ctx, o)
	}
	if err := s.say.step("pages", "the desks' own pages", func() error { return s.deskPages(ctx) }); err != nil {
		return err
	}
	if !o.Fresh {
		if err := s.fill(ctx); err != nil {
			return err
		}
		if err := s.say.step("count", "two people approve a count and an intervention; the pool counts", func() error { return s.statistics(ctx) }); err != nil {
			return err
		}
	}
	return s.welcome(ctx, o, ln)
}

// welcome serves the start page, says where, and waits.
func (s *stage) welcome(ctx context.Context, o Options, ln net.Listener) error {
	log := slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	t, err := newTour(ctx, s, o.Fresh)
	if err != nil {
		return err
	}
	x, err := newSite(t, o.Fresh, log)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: x.handler(log), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	defer srv.Close()
	fmt.Fprintf(o.Err, "Ready after %.0f s. Everything runs on this machine and ends with Ctrl+C. Open this address in a browser:\n", s.say.total())
	fmt.Fprintln(o.Out, s.home)
	select {
	case <-ctx.Done():
		return nil
	case <-s.prog.died:
		return s.prog.cause()
	case err := <-ended:
		return err
	}
}

// fill feeds the pool and brings the leads to where they can be requested.
func (s *stage) fill(ctx context.Context) error {
	err := s.say.step("feed", "each desk blinds, seals and submits its export", func() (err error) { s.sent, err = s.feed(ctx); return err })
	if err != nil {
		return err
	}
	return s.say.step("link", "the log is witnessed, the pool links, leads form", func() error { return s.ready(ctx) })
}

// once runs the loop to its end and prints the summary.
func (s *stage) once(ctx context.Context, o Options) error {
	sum := Summary{Seed: o.Seed, Actors: o.Actors}
	if err := s.fill(ctx); err != nil {
		return err
	}
	sent := s.sent
	sum.Organisations, sum.Observations, sum.Contributions, sum.Selectors = sent.Organisations, sent.Observations, sent.Contributions, sent.Selectors
	if err := s.say.step("withdraw", "a member withdraws the row of a false lead", func() error { return s.withdrawn(ctx, &sum) }); err != nil {
		return err
	}
	var opened []sim.Ref
	err := s.say.step("open", "requests, approvals, release, reading", func() error {
		leads, err := s.openAll(ctx)
		opened, sum.LeadsOpened = refs(leads), len(leads)
		return err
	})
	if err != nil {
		return err
	}
	err = s.say.step("verify", "checkpoint, witnesses and all receipts", func() (err error) {
		sum.Log.Size, err = s.verifyLog(ctx, sent.Contributions)
		sum.Log.Verified = err == nil
		return err
	})
	if err != nil {
		return err
	}
	if err := s.say.step("score", "what was opened against the truth", func() error { return sum.score(s.data, opened) }); err != nil {
		return err
	}
	sum.Seconds = s.say.seconds
	sum.Seconds["total"] = s.say.total()
	if !o.JSON {
		sum.Text(o.Out)
		return nil
	}
	enc := json.NewEncoder(o.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(sum)
}

// withdrawn counts the leads before and after the withdrawal.
func (s *stage) withdrawn(ctx context.Context, sum *Summary) error {
	before, err := s.inbox(ctx)
	if err != nil {
		return err
	}
	sum.LeadsReady = len(before.Leads)
	if _, err := s.withdraw(ctx); err != nil {
		return err
	}
	after, err := s.inbox(ctx)
	sum.LeadsWithdrawn = len(before.Leads) - len(after.Leads)
	return err
}
