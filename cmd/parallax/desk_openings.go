package main

import (
	"context"
	"fmt"

	"parallax/internal/desk"
)

type deskInbox struct {
	deskDir
}

// Run lists what waits.
func (c *deskInbox) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		in, err := d.Inbox(ctx)
		if err != nil {
			return err
		}
		return printJSON(std.out, in)
	})
}

type deskRequest struct {
	deskDir
	Lead     string `arg:"" help:"The lead's id."`
	Purpose  string `required:"" help:"The purpose, as the legal basis has it."`
	Basis    string `required:"" help:"The id of the legal basis in the manifest."`
	Playbook string `default:"standard" enum:"standard,child-possible" help:"standard or child-possible."`
}

// Run requests an opening and prints its id.
func (c *deskRequest) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		id, err := d.Request(ctx, c.Lead, c.Purpose, c.Basis, c.Playbook)
		if err != nil {
			return err
		}
		fmt.Fprintln(std.out, id)
		return nil
	})
}

type deskApprove struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
}

// Run approves exactly the request that it prints.
func (c *deskApprove) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		req, err := d.Approve(ctx, c.Opening)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "approved: %d observations for %s under %s, playbook %s\n", len(req.Labels), req.Purpose, req.LegalBasis, req.Playbook)
		return nil
	})
}

type deskOpen struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Run reads an opening.
func (c *deskOpen) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		lead, err := d.OpenLead(ctx, c.Opening)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, lead)
		}
		lead.Text(std.out)
		return nil
	})
}
