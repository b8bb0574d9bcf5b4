package main

import "parallax/opening"

type auditorCmd struct {
	Init  auditorInit  `cmd:"" help:"Make an auditor's key and print its public card for the manifest."`
	Query auditorQuery `cmd:"" help:"Audit what members asked the key holders: check their desks' answers against the log and every holder."`
}

type auditorInit struct {
	Key    string `required:"" type:"path" help:"File for the key; never overwritten."`
	ID     string `required:"" help:"The auditor's id."`
	Entity string `required:"" help:"The body that the auditor belongs to: none that contributes, holds a share, runs the hub or receives leads."`
	// Queries makes the card of a query auditor, who sees no structure and reads samples of queries.
	Queries bool `help:"Print the card of a query auditor, who opens samples of what members asked, and nothing of the pool's structure."`
}

// Run makes the key.
func (c *auditorInit) Run(std streams) error {
	pub, err := makeKey(c.Key, c.ID, c.Entity)
	if err != nil {
		return err
	}
	if c.Queries {
		key, err := readGovernor(c.Key)
		if err != nil {
			return err
		}
		_, hpke, err := queryHPKE(key)
		if err != nil {
			return err
		}
		return printJSON(std.out, opening.QueryAuditor{ID: c.ID, Entity: c.Entity, Key: pub, HPKE: hpke})
	}
	return printJSON(std.out, opening.Auditor{ID: c.ID, Entity: c.Entity, Key: pub})
}
