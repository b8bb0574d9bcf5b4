package main

import (
	"context"
	"fmt"

	"parallax/internal/clock"
	"parallax/internal/hub"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

type hubRetention struct {
	hubDisk
	JSON bool `name:"json" help:"Print as JSON."`
}

// Run prints what this hub holds and what ends when: counts only.
func (c *hubRetention) Run(ctx context.Context, std streams) error {
	var r hub.Retention
	err := c.look(ctx, func(db *store.DB, keys *recordkeys.Keys) (err error) {
		r, err = hub.Retain(ctx, db, keys, clock.System())
		return err
	})
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
