package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/store"
	"parallax/seal"
)

type hubShow struct {
	Labels   []string `arg:"" optional:"" name:"label" help:"Observations to show, by label (128 hex digits)."`
	Dir      string   `required:"" type:"path" help:"The hub's directory."`
	Database string   `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
}

// Run prints what the operator of a hub can see on its own disk, as JSON.
func (c *hubShow) Run(ctx context.Context, std streams) error {
	labels := make([]seal.Label, len(c.Labels))
	for i, text := range c.Labels {
		if err := labels[i].UnmarshalText([]byte(strings.ToLower(text))); err != nil {
			return fault.Wrap(fault.Invalid, fmt.Sprintf("label %d must be %d hex digits", i+1, 2*len(labels[i])), err)
		}
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
	held, err := hub.Show(ctx, db, labels)
	if err != nil {
		return err
	}
	return printJSON(std.out, held)
}
