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
	Reason   string `required:"" help:"Why; kept sealed at this desk, only its digest is signed."`
	// Where the pool's manifest allows breaking the glass.
	Emergency string `default:"" enum:",child-at-risk,life-at-risk,self-harm-at-risk" help:"Break the glass on this ground: child-at-risk, life-at-risk or self-harm-at-risk."`
}

// Run requests an opening and prints its id.
func (c *deskRequest) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		id, err := d.Request(ctx, desk.Ask{Lead: c.Lead, Purpose: c.Purpose, Basis: c.Basis, Playbook: c.Playbook, Emergency: c.Emergency, Reason: c.Reason})
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
	Reason  string `required:"" help:"Why; kept sealed at this desk, only its digest is signed."`
}

// Run approves exactly the request that it prints.
func (c *deskApprove) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		req, err := d.Approve(ctx, c.Opening, c.Reason, nil)
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
