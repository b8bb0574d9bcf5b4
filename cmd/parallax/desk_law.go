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

type deskLaw struct {
	deskDir
	lawData
	As   string `placeholder:"ACTOR" help:"What kind of organisation this is, as au.fsp; by its sector if left out."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// Run takes over what counsel signed, or shows what is there.
func (c *deskLaw) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		st, err := c.state(ctx, d)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, st)
		}
		showLaw(std.out, st)
		return nil
	})
}

func (c *deskLaw) state(ctx context.Context, d *desk.Desk) (desk.LawState, error) {
	if c.lawData == (lawData{}) {
		return d.MaySubmit(ctx)
	}
	files, err := c.files()
	if err != nil {
		return desk.LawState{}, err
	}
	return d.KeepLaw(ctx, files, c.As)
}

func showLaw(w io.Writer, st desk.LawState) {
	to := st.To
	if to == "" {
		to = "another version"
	}
	fmt.Fprintf(w, "Submissions to the pool rest on decision %s: %s -> plx.pool under %s.\n", st.Decision, st.Actor, strings.Join(st.Route, " then "))
	fmt.Fprintf(w, "Facts, asserted by %s: %s\n", st.FactsBy, strings.Join(st.Facts, ", "))
	fmt.Fprintf(w, "Signed by %s, effective %s to %s; data %s: %s\n", strings.Join(st.SignedBy, " and "), st.From, to, st.Version, st.Review)
}

type deskExport struct {
	deskDir
	Opening  string `arg:"" help:"The opening's id."`
	Decision string `required:"" help:"The standing decision of the gateway that the export rests on, as your counsel signed it."`
	Out      string `short:"o" required:"" type:"path" help:"The table to write; an existing file is kept."`
}

// Run writes an opened lead as a table.
func (c *deskExport) Run(ctx context.Context, std streams) error {
	if _, err := os.Lstat(c.Out); err == nil {
		return fault.Newf(fault.Invalid, "%s is there already; name another file", c.Out)
	}
	return c.use(ctx, func(d *desk.Desk) error {
		x, err := d.ExportLead(ctx, c.Opening, c.Decision)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if _, err := f.Write(x.CSV); err != nil {
			_ = f.Close() // the write is what failed
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "export %s: destroy the file and its copies by %s, and say so with \"parallax desk exports --destroyed %s\"\n", x.ID, x.Expires.Format("2 Jan 2006"), x.ID)
		fmt.Fprintf(std.err, "wrote %s under %s (%s); %d observations stem, or may stem, from a report of suspicion\n", c.Out, x.Decision, strings.Join(x.Route, " then "), x.Flagged)
		return nil
	})
}

type deskExports struct {
	deskDir
	Destroyed string `placeholder:"EXPORT" help:"Say that the file of this export and its copies were destroyed."`
}

// Run lists what left this desk as files, or notes that one was destroyed.
func (c *deskExports) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		if c.Destroyed != "" {
			x, err := d.DestroyedExport(ctx, c.Destroyed)
			if err != nil {
				return err
			}
			return printJSON(std.out, x)
		}
		list, err := d.Exports(ctx)
		if err != nil {
			return err
		}
		return printJSON(std.out, list)
	})
}
