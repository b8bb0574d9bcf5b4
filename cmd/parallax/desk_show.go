package main

import (
	"context"

	"parallax/internal/desk"
)

type deskShow struct {
	deskDir
	Ref string `required:"" help:"The reference of the observations."`
}

// Run prints this desk's own records under a reference, as JSON.
func (c *deskShow) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		own, err := d.Own(ctx, c.Ref)
		if err != nil {
			return err
		}
		return printJSON(std.out, own)
	})
}
