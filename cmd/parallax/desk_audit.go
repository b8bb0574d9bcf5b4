package main

import (
	"context"
	"fmt"
	"io"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type deskAudit struct {
	deskDir
	Out     string `short:"o" type:"path" help:"File for the sealed answer; never overwritten. By default query-answer-ID and a digest, in this folder."`
	Auditor string `help:"The query auditor's id, where the manifest names several."`
	Since   string `help:"The first day to answer for, as 2026-11-24; by default 90 days back."`
	Until   string `help:"The last day, to answer in several files; by default today."`
	Yes     bool   `help:"Answer without asking."`
	JSON    bool   `name:"json" help:"Print what is opened as JSON."`
}

// Run shows what would be opened, asks, and writes the sealed answer.
func (c *deskAudit) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		qa, err := d.QueryAudit(ctx, c.Auditor, c.Since, c.Until)
		if err != nil {
			return err
		}
		if !c.JSON {
			showAudit(std.out, qa)
		}
		if qa.Rows > 0 && !c.Yes && !confirm(std, "Open these rows to this auditor?") {
			return fault.New(fault.Invalid, "nothing was opened")
		}
		raw, err := d.AnswerQueryAudit(ctx, qa)
		if err != nil {
			return err
		}
		if c.Out == "" {
			c.Out = fmt.Sprintf("query-answer-%s-%s.json", d.Profile().ID, opening.Digest(raw).String()[:8])
		}
		if err := desk.KeepAnswer(c.Out, raw); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, map[string]any{"audit": qa, "file": c.Out})
		}
		fmt.Fprintf(std.out, "The answer is in %s, sealed to %s alone: send it there. It is in this desk's own log.\n", c.Out, qa.Auditor)
		return nil
	})
}

func showAudit(w io.Writer, qa desk.QueryAudit) {
	for _, b := range qa.Batches {
		if b.Waits != "" {
			fmt.Fprintf(w, "batch %s of %s, %d points of %s: left out, %s\n", b.Batch.String()[:16], b.Day, b.Points, b.Class, b.Waits)
			continue
		}
		fmt.Fprintf(w, "batch %s of %s, %d points of %s: %d rows, %d of them padding\n", b.Batch.String()[:16], b.Day, b.Points, b.Class, b.Rows, b.Dummies)
	}
	for _, a := range qa.Away {
		fmt.Fprintf(w, "not reached, so what it drew is left out: %s\n", a)
	}
	fmt.Fprintf(w, "%s (%s) would see %d identifiers of this desk with the references, dates and kinds of their cases, and %d rows of padding.\n", qa.Auditor, qa.Entity, qa.Rows-qa.Dummies, qa.Dummies)
}
