package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/store"
)

type hubRetention struct {
	Dir      string `required:"" type:"path" help:"The hub's directory."`
	Database string `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	Keys     string `env:"PARALLAX_HUB_KEYS" help:"Where the records' keys are; keys.db in the directory if left out."`
	JSON     bool   `name:"json" help:"Print as JSON."`
}

// Run prints what this hub holds and what ends when: counts only.
func (c *hubRetention) Run(ctx context.Context, std streams) error {
	if c.Database == "" {
		c.Database = filepath.Join(c.Dir, "hub.db")
		if _, err := os.Stat(c.Database); err != nil {
			return fault.Wrap(fault.Invalid, "there is no hub's database in "+c.Dir, err)
		}
	}
	db, err := store.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := openKeys(ctx, c.Dir, c.Keys, clock.System())
	if err != nil {
		return err
	}
	defer keys.Close()
	r, err := hub.Retain(ctx, db, keys, clock.System())
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, r)
	}
	for _, x := range []struct {
		what string
		n    int64
	}{{"observations held", r.Live}, {"  of them end within 30 days", r.Days30}, {"  within 90 days", r.Days90}, {"  later", r.Later},
		{"under a freeze that is to be decided", r.Frozen}, {"  for more than 30 days: only governance lifts those", r.Escalated}, {"revoked by an approver", r.Revoked},
		{"withdrawn", r.Withdrawn}, {"expired", r.Expired}, {"record keys", r.Keys}, {"record keys that the next tick destroys", r.ToForget},
		{"opened leads to review within 30 days", r.Reviews}, {"  overdue, so frozen", r.Overdue}, {"cleared, to become bare commitments", r.Cleared},
		{"findings for people who asked", r.Findings}, {"receipts for corrections that are waited for", r.Receipts}, {"  for more than 1 hour", r.LateAfter}} {
		fmt.Fprintf(std.out, "%8d  %s\n", x.n, x.what)
	}
	return nil
}
