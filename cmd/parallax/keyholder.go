package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/keyholder"
)

type keyholderCmd struct {
	Init     keyholderInit     `cmd:"" help:"Make this holder's identity and print its public card."`
	Ceremony keyholderCeremony `cmd:"" help:"Take part in the key ceremony; refuses to start on any mismatch."`
	Join     keyholderJoin     `cmd:"" help:"Give a new holder its seat in a pool whose ceremony is over; a resharing gives it a share."`
	Consent  keyholderConsent  `cmd:"" help:"Show an order that changes who holds the shares, and allow this holder to take part in it."`
	Serve    keyholderServe    `cmd:"" help:"Run the key holder."`
}

type keyholderInit struct {
	Dir    string `required:"" type:"path" help:"The holder's directory."`
	ID     string `required:"" help:"The holder's id in the plan."`
	Entity string `required:"" help:"The body that controls this holder."`
	URL    string `required:"" help:"Where members and the hub reach it."`
}

// Run makes the identity.
func (c *keyholderInit) Run(std streams) error {
	card, err := keyholder.Init(c.Dir, c.ID, c.Entity, c.URL, rand.Reader)
	if err != nil {
		return err
	}
	return printJSON(std.out, card)
}

type keyholderCeremony struct {
	Dir     string        `required:"" type:"path" help:"The holder's directory."`
	Plan    string        `required:"" type:"existingfile" help:"The ceremony plan (JSON), the same for all holders."`
	Timeout time.Duration `default:"10m" help:"How long to wait for the other holders."`
}

// Run takes part in the ceremony.
func (c *keyholderCeremony) Run(ctx context.Context, std streams) error {
	plan, err := readPlan(c.Plan)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	board := client.NewBoard(plan.Hub.URL, plan.Pool, plan.Epoch, machines)
	tr, err := keyholder.Ceremony(ctx, c.Dir, plan, board, keyholder.Poll(100*time.Millisecond),
		func(line string) { fmt.Fprintln(std.err, line) })
	if err != nil {
		return err
	}
	hash := tr.Hash()
	if err := board.PostTranscript(ctx, tr); err != nil {
		return fmt.Errorf("the ceremony is done and the shares are stored, but the transcript could not be posted: %w; if another holder ended this attempt, delete shares.json in %s and run this again", err, c.Dir)
	}
	fmt.Fprintln(std.err, "the ceremony is done; compare this transcript hash with the other holders:")
	fmt.Fprintf(std.out, "%x\n", hash[:])
	return nil
}

type keyholderServe struct {
	Dir       string        `required:"" type:"path" help:"The holder's directory."`
	Listen    string        `default:"127.0.0.1:7101" help:"Address to listen on."`
	Demo      bool          `help:"Accept manifests that are marked as demonstrations."`
	DemoClock string        `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
	Look      time.Duration `default:"10s" help:"How often to look at the hub for an order to reshare the key shares."`
	TLSCert   string        `type:"existingfile" help:"Certificate for TLS."`
	TLSKey    string        `type:"existingfile" help:"Key for TLS."`
	TLSProxy  bool          `name:"tls-by-proxy" help:"A proxy in front ends TLS; only then may plain HTTP be listened for beyond this machine."`
}

// Run serves until it is told to stop.
func (c *keyholderServe) Run(ctx context.Context, std streams) error {
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	if err := checkListen(c.Listen, c.TLSCert, c.TLSProxy); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(std.err, nil))
	s, err := keyholder.Open(keyholder.Options{Dir: c.Dir, Demo: c.Demo, Clock: now, Log: log})
	if err != nil {
		return err
	}
	defer s.Close()
	go reshares(ctx, s, c.Look, log)
	return serve(ctx, std, "key holder "+s.Status().ID, c.Listen, c.TLSCert, c.TLSKey, s.Handler())
}

// pickClock refuses a simulated clock outside a demonstration.
func pickClock(demo bool, file string) (clock.Clock, error) {
	if file == "" {
		return clock.System(), nil
	}
	if !demo {
		return nil, fault.New(fault.Invalid, "--demo-clock is only for demonstrations; add --demo or leave it out")
	}
	return clock.File(file), nil
}

// checkListen refuses plain HTTP on an address that other machines reach, unless
// a proxy there is said to end TLS.
func checkListen(addr, cert string, byProxy bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("--listen %s: want an address and a port, as 127.0.0.1:7100", addr), err)
	}
	if cert != "" || byProxy || host == "localhost" || net.ParseIP(host).IsLoopback() {
		return nil
	}
	return fault.New(fault.Invalid, fmt.Sprintf("--listen %s can be reached by other machines without TLS: give --tls-cert and --tls-key, or --tls-by-proxy where a proxy in front ends it", addr))
}

// serve listens, says where, and shuts down in order when ctx ends.
func serve(ctx context.Context, std streams, what, addr, cert, key string, h http.Handler) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s listens on %s\n", what, ln.Addr())
	return serveOn(ctx, ln, cert, key, h)
}

// serveOn serves on an open listener until ctx ends.
func serveOn(ctx context.Context, ln net.Listener, cert, key string, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13}}
	done := make(chan error, 1)
	go func() {
		if cert != "" || key != "" {
			done <- srv.ServeTLS(ln, cert, key)
			return
		}
		done <- srv.Serve(ln)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func readPlan(path string) (client.Plan, error) {
	var plan client.Plan
	raw, err := os.ReadFile(path)
	if err != nil {
		return plan, err
	}
	if err := json.Unmarshal(raw, &plan); err != nil {
		return plan, fault.Wrap(fault.Invalid, fmt.Sprintf("%s is not a ceremony plan: %v", path, err), err)
	}
	if err := plan.Check(); err != nil {
		return plan, fault.Wrap(fault.Invalid, err.Error(), err)
	}
	return plan, nil
}

func printJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
