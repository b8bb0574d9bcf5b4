package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
)

type deskActs struct {
	List    deskActsList    `cmd:"" default:"1" help:"List acts about statistics: what each says, and who approved it."`
	Propose deskActsPropose `cmd:"" help:"Propose an act: capture, linkage-audit, release, counts or intervention."`
	Approve deskActsApprove `cmd:"" help:"Approve an act; it takes one approver of the authority and one of oversight."`
}

type deskActsList struct {
	deskDir
	JSON bool `name:"json" help:"Print as JSON."`
}

// Run lists acts.
func (c *deskActsList) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		list, err := d.Acts(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, list)
		}
		if len(list) == 0 {
			fmt.Fprintln(std.out, "There are no acts. One is proposed at a desk, or on the hub's pages Baseline and Displacement.")
		}
		for _, a := range list {
			printAct(std.out, a)
		}
		return nil
	})
}

func printAct(out io.Writer, a desk.Act) {
	fmt.Fprintf(out, "%s  %s, %s, proposed by %s on %s\n", a.ID, a.Kind, a.State, a.Proposer, a.Proposed.Format("2006-01-02 15:04 UTC"))
	if len(a.Approvals) > 0 {
		fmt.Fprintf(out, "  approved by %s\n", strings.Join(a.Approvals, " and "))
	}
	if a.Reason != "" {
		fmt.Fprintf(out, "  %s\n", a.Reason)
	}
	fmt.Fprintf(out, "  %s\n", a.Says)
}

type deskActsPropose struct {
	deskDir
	Kind string `arg:"" enum:"capture,linkage-audit,release,counts,intervention" help:"capture, linkage-audit, release, counts or intervention."`
	File string `arg:"" type:"path" help:"What the act says (JSON); - reads standard input."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// Run proposes and prints the act's id.
func (c *deskActsPropose) Run(ctx context.Context, std streams) error {
	raw, err := readOrStdin(c.File, std.in)
	if err != nil {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("%s cannot be read: %v", c.File, err), err)
	}
	return c.use(ctx, func(d *desk.Desk) error {
		a, err := d.ProposeAct(ctx, c.Kind, raw)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, a)
		}
		fmt.Fprintln(std.out, a.ID)
		return nil
	})
}

// readOrStdin reads a small file, or standard input where it is called "-".
func readOrStdin(path string, in io.Reader) ([]byte, error) {
	if strings.HasSuffix(path, "/-") || path == "-" {
		return io.ReadAll(io.LimitReader(in, 1<<20))
	}
	return os.ReadFile(path)
}

type deskActsApprove struct {
	deskDir
	Act  string `arg:"" help:"The act's id."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// Run approves exactly the act that it prints.
func (c *deskActsApprove) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		a, err := d.ApproveAct(ctx, c.Act)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, a)
		}
		printAct(std.out, a)
		return nil
	})
}
