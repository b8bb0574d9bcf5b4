package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/sim"
	"parallax/internal/sim/study"
)

// simCmd makes and scores simulated ecosystems.
type simCmd struct {
	Write simWrite `cmd:"" default:"withargs" help:"Write each organisation's export and the truth file."`
	Score simScore `cmd:"" help:"Score what the organisations find alone and together."`
	Study simStudy `cmd:"" help:"Run the estimators on simulated worlds and report how often they are right."`
}

type simWrite struct {
	Seed   uint64  `default:"1" help:"Seed; the same seed gives the same bytes."`
	Actors int     `default:"10000" help:"Simulated offenders; 100 innocent people stand beside each."`
	Reuse  float64 `default:"0.6" help:"Chance that a new account takes the main e-mail or phone; for sweeps."`
	Hazard float64 `default:"1" help:"Multiplies every chance of being noticed; for sweeps, 1 is the default world."`
	Out    string  `required:"" type:"path" help:"Directory for the files; made if it does not exist."`
}

// Run writes a world.
func (c *simWrite) Run(std streams) error {
	p := sim.DefaultParams(c.Seed, c.Actors)
	p.Reuse, p.HazardScale = c.Reuse, c.Hazard
	return sim.RunWrite(std.out, p, c.Out)
}

type simScore struct {
	Dir  string `required:"" type:"path" help:"Directory that sim wrote."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run scores a world.
func (c *simScore) Run(std streams) error { return sim.RunScore(std.out, c.Dir, c.JSON) }

type simStudy struct {
	Report string  `type:"path" help:"File for the report; standard output if not given."`
	Table  string  `type:"path" help:"File for the table that every estimate prints."`
	Share  float64 `default:"1" help:"Part of the worlds to run, above 0 and at most 1."`
	JSON   bool    `name:"json" help:"Print JSON."`
}

// Run runs the study; it takes many minutes.
func (c *simStudy) Run(ctx context.Context, std streams) error {
	if !(c.Share > 0 && c.Share <= 1) {
		return fault.New(fault.Invalid, "--share must be above 0 and at most 1")
	}
	r, err := study.Run(ctx, c.Share, desk.Progress(bars(std.err)))
	if err != nil {
		return err
	}
	var report, table bytes.Buffer
	if err := r.Markdown(&report); err != nil {
		return err
	}
	if err := r.WriteBlind(&table); err != nil {
		return err
	}
	if c.Table != "" {
		if err := os.WriteFile(c.Table, table.Bytes(), 0o644); err != nil {
			return fault.Wrap(fault.Invalid, "the table cannot be written", err)
		}
	}
	if c.Report != "" {
		if err := os.WriteFile(c.Report, report.Bytes(), 0o644); err != nil {
			return fault.Wrap(fault.Invalid, "the report cannot be written", err)
		}
	}
	switch {
	case c.JSON:
		return printJSON(std.out, r)
	case c.Report == "":
		_, err = fmt.Fprint(std.out, report.String())
	}
	return err
}
