package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"parallax/estimate"
	"parallax/internal/bench"
	"parallax/internal/fault"
)

type benchCmd struct {
	JSON  bool   `name:"json" help:"Print JSON."`
	Only  string `placeholder:"NAME" help:"One measurement: tokenise, evaluate, seal, verify, ingest, link, stepwise, lists11, bootstrap, dga, lcmcr or panel."`
	Table string `type:"existingfile" help:"Capture table to measure the estimators on, as for estimate; a simulated one by default."`
	Quick bool   `help:"Small sizes and two runs: shows that it works; its figures say little."`
	Dir   string `type:"existingdir" help:"Where the scratch databases are made; the system's temporary folder by default."`
}

// Run measures and prints each figure beside the peer's.
func (c *benchCmd) Run(ctx context.Context, std streams) error {
	o := bench.Options{Only: c.Only, Quick: c.Quick}
	if c.Table != "" {
		raw, err := readBounded(c.Table)
		if err != nil {
			return err
		}
		t, err := estimate.ReadCSV(bytes.NewReader(raw))
		if err != nil {
			return fault.Wrap(fault.Invalid, c.Table+": "+err.Error(), err)
		}
		o.Table = &t
	}
	dir, err := os.MkdirTemp(c.Dir, "parallax-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.Dir = dir
	rep, err := bench.Run(ctx, o, bench.Progress(bars(std.err)))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, rep)
	}
	return showBench(std.out, rep)
}

func showBench(w io.Writer, rep bench.Report) error {
	fmt.Fprintf(w, "%s, one core, %s, %s; the peer in the same run, its answers compared.\n", rep.Clock, rep.Go, rep.Arch)
	if rep.Quick {
		fmt.Fprintln(w, "Quick: the sizes are too small for these figures to mean much.")
	}
	for _, r := range rep.Rows {
		fmt.Fprintf(w, "\n%s: %s\n", r.Name, r.What)
		show := func(who string, f bench.Figure) {
			fmt.Fprintf(w, "  %-5s %10.2f us (fastest run %.2f)  %12.0f/s\n", who, f.MedianMicros, f.MinMicros, f.PerSecond)
		}
		show("ours", r.Ours)
		if r.Ratio > 0 {
			show("peer", r.Peer)
			fmt.Fprintf(w, "  per %s, median of %d runs of %d; the peer costs %.2f times ours\n", r.Unit, r.Runs, r.Items, r.Ratio)
		} else {
			fmt.Fprintf(w, "  per %s, median of %d runs of %d\n", r.Unit, r.Runs, r.Items)
		}
		if r.Goal > 0 {
			fmt.Fprintf(w, "  %d of them: %.3g s; the goal is %.3g s\n", r.Items, r.Ours.MedianMicros*float64(r.Items)/1e6, r.Goal)
		}
		fmt.Fprintf(w, "  peer: %s\n  checked: %s\n", r.Of, r.Check)
	}
	return nil
}
