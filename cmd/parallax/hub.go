package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/store"
)

type hubCmd struct {
	Init  hubInit  `cmd:"" help:"Make the hub's identity and print its public card."`
	Serve hubServe `cmd:"" help:"Run the hub; before the key ceremony it serves the ceremony's board."`
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
	return printJSON(std.out, card)
}

type hubServe struct {
	Dir       string        `required:"" type:"path" help:"The hub's directory."`
	Plan      string        `type:"path" help:"The ceremony plan (JSON); plan.json in the directory if left out."`
	Listen    string        `default:"127.0.0.1:7100" help:"Address to listen on."`
	Database  string        `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	Tick      time.Duration `default:"10m" help:"How often the log grows, observations are linked and openings advance."`
	Leaves    int           `default:"64" help:"How many leaves the log grows by at every tick, whatever happened."`
	Demo      bool          `help:"Accept manifests that are marked as demonstrations."`
	DemoClock string        `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
	TLSCert   string        `type:"existingfile" help:"Certificate for TLS."`
	TLSKey    string        `type:"existingfile" help:"Key for TLS."`
}

// Run serves until it is told to stop.
func (c *hubServe) Run(ctx context.Context, std streams) error {
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	if c.Tick <= 0 {
		return fault.New(fault.Invalid, "--tick must be longer than nothing")
	}
	who, err := hub.LoadIdentity(c.Dir)
	if err != nil {
		return fmt.Errorf("no hub in %s; run hub init first: %w", c.Dir, err)
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
	s, err := hub.Open(ctx, hub.Options{DB: db, Identity: who, Plan: plan, Demo: c.Demo, LeavesPerTick: c.Leaves,
		Clock: now, Log: slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	ticking, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() { defer close(stopped); s.Run(ticking, c.Tick) }()
	defer func() { stop(); <-stopped }()
	return serve(ctx, std, "hub "+who.ID, c.Listen, c.TLSCert, c.TLSKey, s.Handler())
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
