package main

import (
	"context"
	"fmt"
	"time"

	"parallax/internal/desk"
	"parallax/internal/fault"
)

type deskWitness struct {
	deskDir
	Once  bool          `help:"Look once and end; for a timer of your own."`
	Every time.Duration `default:"10m" help:"How often to look otherwise."`
	JSON  bool          `name:"json" help:"With --once: print as JSON."`
}

// Run looks at the log's newest checkpoint, once or by timer, and cosigns what
// follows. By timer only a log that does not follow ends it: a hub that is away
// comes back.
func (c *deskWitness) Run(ctx context.Context, std streams) error {
	if c.Every < time.Second {
		return fault.New(fault.Invalid, "--every must be at least a second")
	}
	return c.use(ctx, func(d *desk.Desk) error {
		if c.Once {
			got, err := d.Witness(ctx)
			if err != nil {
				return err
			}
			return c.show(std, got)
		}
		timer := time.NewTicker(c.Every)
		defer timer.Stop()
		for {
			got, err := d.Witness(ctx)
			switch {
			case ctx.Err() != nil:
				return nil
			case fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.NotFound:
				fmt.Fprintln(std.err, "parallax:", describe(err))
			case err != nil:
				return err
			case got.New:
				fmt.Fprintf(std.err, "cosigned the log at %d entries\n", got.Size)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-timer.C:
			}
		}
	})
}

func (c *deskWitness) show(std streams, got desk.Cosigned) error {
	if c.JSON {
		return printJSON(std.out, got)
	}
	what := "cosigned"
	if !got.New {
		what = "has cosigned already"
	}
	fmt.Fprintf(std.out, "This desk %s the log at %d entries, which %d key holders and %d desks had signed.\n", what, got.Size, got.Holders, got.Desks)
	return nil
}
