package main

import "parallax/opening"

type auditorCmd struct {
	Init auditorInit `cmd:"" help:"Make an auditor's key and print its public card for the manifest."`
}

type auditorInit struct {
	Key    string `required:"" type:"path" help:"File for the key; never overwritten."`
	ID     string `required:"" help:"The auditor's id."`
	Entity string `required:"" help:"The body that the auditor belongs to: none that contributes, holds a share, runs the hub or receives leads."`
}

// Run makes the key.
func (c *auditorInit) Run(std streams) error {
	pub, err := makeKey(c.Key, c.ID, c.Entity)
	if err != nil {
		return err
	}
	return printJSON(std.out, opening.Auditor{ID: c.ID, Entity: c.Entity, Key: pub})
}
