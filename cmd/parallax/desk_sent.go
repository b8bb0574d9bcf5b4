package main

import (
	"context"
	"fmt"

	"parallax/internal/desk"
	"parallax/internal/fault"
)

type deskReceipts struct {
	deskDir
	Out string `short:"o" type:"path" default:"receipts" help:"Directory for the files."`
}

// Run saves the receipts.
func (c *deskReceipts) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		saved, pending, err := d.Receipts(ctx, c.Out)
		for _, path := range saved {
			fmt.Fprintln(std.out, path)
		}
		if pending > 0 {
			fmt.Fprintf(std.err, "%d receipts are not in the witnessed log yet; try again after the next tick\n", pending)
		}
		return err
	})
}

type deskWithdraw struct {
	deskDir
	Ref    string `required:"" help:"The reference of the observations."`
	Reason string `required:"" help:"Why; key holders keep it. Name no person."`
}

// Run withdraws.
func (c *deskWithdraw) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		w, err := d.Withdraw(ctx, c.Ref, c.Reason)
		if err != nil {
			return err
		}
		if err := printJSON(std.out, w); err != nil {
			return err
		}
		if !w.Done || !w.Hub {
			return fault.New(fault.Unavailable, fmt.Sprintf("%d of the %d key holders needed keep the denial; run the same command again for the others", len(w.Acks), w.Need))
		}
		return nil
	})
}
