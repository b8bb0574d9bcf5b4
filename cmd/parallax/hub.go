package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

type hubCmd struct {
	Init          hubInit          `cmd:"" help:"Make the hub's identity and print its public card."`
	Serve         hubServe         `cmd:"" help:"Run the hub; before the key ceremony it serves the ceremony's board."`
	Invite        hubInvite        `cmd:"" help:"Print a one-time link for the first administrator of an organisation; nobody exists before."`
	People        hubPeople        `cmd:"" help:"List the people of this hub."`
	SuspendPerson hubSuspendPerson `cmd:"" help:"Keep a person out at once; its organisation lets it in again."`
	EndSessions   hubEndSessions   `cmd:"" help:"Sign a person out everywhere."`
	Show          hubShow          `cmd:"" help:"Show what the hub's operator can see on its own disk; asks nobody, changes nothing."`
	hubTimers
}

type hubTimers struct {
	Retention hubRetention `cmd:"" help:"Count what this hub holds and what ends when; asks nobody, changes nothing."`
}

type hubInit struct {
	Dir    string `required:"" type:"path" help:"The hub's directory."`
	ID     string `required:"" help:"The hub's id in the plan."`
	Entity string `required:"" help:"The body that operates the hub; it may hold no key share and no governance key."`
	URL    string `required:"" help:"Where members, approvers and key holders reach it."`
	Origin string `help:"Name of the transparency log; parallax/ID if left out."`
}

// Run makes the identity.
func (c *hubInit) Run(std streams) error {
	card, err := hub.Init(c.Dir, c.ID, c.Entity, c.URL, c.Origin, rand.Reader)
	if errors.Is(err, fs.ErrExist) {
		return fault.Wrap(fault.Invalid, "there is a hub in "+c.Dir+" already; it is left as it is", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "nobody can sign in yet; this prints the first link: parallax hub invite --dir %s --admin --name NAME --reason WHY\n", c.Dir)
	return printJSON(std.out, card)
}

type hubServe struct {
	Dir       string        `required:"" type:"path" help:"The hub's directory."`
	Plan      string        `type:"path" help:"The ceremony plan (JSON); plan.json in the directory if left out."`
	Listen    string        `default:"127.0.0.1:7100" help:"Address to listen on."`
	Database  string        `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	Keys      string        `env:"PARALLAX_HUB_KEYS" help:"Where the records' keys are, apart from them: a SQLite file or a postgres:// URL with a search_path of its own; keys.db in the directory if left out."`
	Tick      time.Duration `default:"10m" help:"How often the log grows, observations are linked and openings advance."`
	Leaves    int           `default:"64" help:"How many leaves the log grows by at every tick, whatever happened."`
	Demo      bool          `help:"Accept manifests that are marked as demonstrations."`
	DemoClock string        `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
	Console   bool          `name:"demo-console" help:"With --demo, on a loopback address: let visitors of the pages choose who is looking."`
	Home      string        `help:"With --demo: address of the demonstration's start page, linked from every page." placeholder:"URL"`
	OIDC      string        `name:"oidc" type:"path" help:"OpenID providers that people sign in at (JSON); oidc.json in the directory if it is there."`
	TLSCert   string        `type:"existingfile" help:"Certificate for TLS."`
	TLSKey    string        `type:"existingfile" help:"Key for TLS."`
	TLSProxy  bool          `name:"tls-by-proxy" help:"A proxy in front ends TLS; only then may plain HTTP be listened for beyond this machine."`
	LogLevel  string        `enum:"info,warn" default:"info" help:"What is written to stderr: info (every request, sign-in and refusal) or warn."`
	Law       lawData       `embed:"" prefix:"law-"`
}

// Run serves until it is told to stop.
func (c *hubServe) Run(ctx context.Context, std streams) error {
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	if err := c.checkConsole(); err != nil {
		return err
	}
	if c.Tick <= 0 {
		return fault.New(fault.Invalid, "--tick must be longer than nothing")
	}
	if err := checkListen(c.Listen, c.TLSCert, c.TLSProxy); err != nil {
		return err
	}
	who, err := hub.LoadIdentity(c.Dir)
	if err != nil {
		return fmt.Errorf("no hub in %s; run hub init first: %w", c.Dir, err)
	}
	providers, err := readProviders(c.OIDC, c.Dir)
	if err != nil {
		return err
	}
	plan, err := c.plan()
	if err != nil {
		return err
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Dir, "hub.db")
	}
	db, err := store.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := openKeys(ctx, c.Dir, c.Keys, now)
	if err != nil {
		return err
	}
	defer keys.Close()
	s, err := hub.Open(ctx, hub.Options{DB: db, Law: c.Law.files, Keys: keys, Deletions: recordkeys.NewList(filepath.Join(c.Dir, recordkeys.ListFile)), Identity: who, Plan: plan, Demo: c.Demo, Providers: providers, DemoConsole: c.Console, Home: c.Home, LeavesPerTick: c.Leaves,
		Clock: now, Log: slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: map[string]slog.Level{"warn": slog.LevelWarn}[c.LogLevel]}))})
	if err != nil {
		return err
	}
	ticking, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() { defer close(stopped); s.Run(ticking, c.Tick) }()
	defer func() { stop(); <-stopped }()
	return serve(ctx, std, "hub "+who.ID, c.Listen, c.TLSCert, c.TLSKey, s.Handler())
}

// openKeys opens the database of record keys.
func openKeys(ctx context.Context, dir, dsn string, now clock.Clock) (*recordkeys.Keys, error) {
	if dsn == "" {
		dsn = filepath.Join(dir, recordkeys.KeysFile)
	}
	db, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	k, err := recordkeys.New(ctx, db, now, rand.Reader)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return k, nil
}

// checkConsole refuses to let strangers choose who they are, and to call
// simulated what is not.
func (c *hubServe) checkConsole() error {
	if c.Console && !c.Demo {
		return fault.New(fault.Invalid, "--demo-console lets any visitor look as anyone, so it is only for demonstrations; add --demo or leave it out")
	}
	if c.Console && !loopback(c.Listen) {
		return fault.New(fault.Invalid, "--demo-console lets any visitor look as anyone, so it needs a loopback address: --listen 127.0.0.1:7100")
	}
	if c.Home == "" {
		return nil
	}
	if !c.Demo {
		return fault.New(fault.Invalid, "--home marks every page as a demonstration; add --demo or leave it out")
	}
	if u, err := url.Parse(c.Home); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fault.New(fault.Invalid, "--home must be a whole address, such as http://127.0.0.1:7000/")
	}
	return nil
}

// loopback reports an address that only this machine can reach. A name other
// than localhost may lead anywhere, and no name is every address.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *hubServe) plan() (client.Plan, error) {
	path := c.Plan
	if path == "" {
		path = filepath.Join(c.Dir, "plan.json")
	}
	if _, err := os.Stat(path); err != nil {
		return client.Plan{}, fault.Wrap(fault.Invalid, "the hub needs the ceremony plan: --plan FILE", err)
	}
	return readPlan(path)
}
