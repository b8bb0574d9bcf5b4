package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"parallax/internal/desk"
	"parallax/internal/fault"
)

type deskServe struct {
	Dir        string `type:"path" help:"The desk's directory; without one, files can be checked and nothing else."`
	Passphrase string `env:"PARALLAX_DESK_PASSPHRASE" hidden:"" help:"Unlocks the desk; set it in the environment."`
	Listen     string `default:"127.0.0.1:7110" help:"Address on this computer to listen on; port 0 picks a free one."`
	AccessKey  string `env:"PARALLAX_DESK_ACCESS_KEY" help:"The key that opens the page, at least 16 letters and digits; random if left out."`
	Home       string `help:"Address of a demonstration's start page, linked below every page."`
	Demo       bool   `help:"Say that the data is simulated, and allow a simulated clock."`
	DemoClock  string `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
}

// Run serves the page until it is told to stop. It prints the address with the
// access key on standard output and nowhere else.
func (c *deskServe) Run(ctx context.Context, std streams) error {
	if err := desk.CheckListen(c.Listen); err != nil {
		return err
	}
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	o := desk.SiteOptions{Clock: now, AccessKey: c.AccessKey, Home: c.Home, Demo: c.Demo,
		Log: slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if c.hasDesk() {
		if o.Desk, err = desk.Open(ctx, desk.Options{Dir: c.Dir, Passphrase: c.Passphrase, Clock: now}); err != nil {
			return err
		}
		defer o.Desk.Close()
	} else {
		fmt.Fprintln(std.err, "there is no desk here: files can be checked, nothing can be sent")
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, fmt.Sprintf("%s cannot be listened on: %v; is another page running? Use --listen 127.0.0.1:0 for a free port", c.Listen, err), err)
	}
	o.Addr = ln.Addr()
	site, err := desk.NewSite(o)
	if err != nil {
		ln.Close()
		return err
	}
	defer site.Close()
	fmt.Fprintln(std.out, site.URL())
	fmt.Fprintln(std.err, "open this address in a browser on this computer; Ctrl+C stops the page")
	return serveOn(ctx, ln, "", "", site.Handler())
}

// hasDesk reports whether the directory holds a desk: one that is named and
// empty is no mistake on day one.
func (c *deskServe) hasDesk() bool {
	if c.Dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(c.Dir, "desk.json"))
	return err == nil
}
