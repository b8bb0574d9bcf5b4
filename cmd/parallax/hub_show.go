package main

import (
	"context"
	"os"
	"path/filepath"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/store"
)

type hubShow struct {
	Labels   []string `arg:"" optional:"" name:"label" help:"Observations to show, by label (128 hex digits)."`
	Dir      string   `required:"" type:"path" help:"The hub's directory."`
	Database string   `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	Keys     string   `env:"PARALLAX_HUB_KEYS" help:"Where the records' keys are; keys.db in the directory if left out."`
}

// Run prints what the operator of a hub can see on its own disk, as JSON.
func (c *hubShow) Run(ctx context.Context, std streams) error {
	labels, err := readLabels(c.Labels)
	if err != nil {
		return err
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Dir, "hub.db")
		if _, err := os.Stat(c.Database); err != nil {
			return fault.Wrap(fault.Invalid, "there is no hub's database in "+c.Dir, err)
		}
	}
	db, err := store.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := openKeys(ctx, c.Dir, c.Keys, clock.System())
	if err != nil {
		return err
	}
	defer keys.Close()
	held, err := hub.Show(ctx, db, keys, labels)
	if err != nil {
		return err
	}
	return printJSON(std.out, held)
}
