package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

// hubDisk is where a hub keeps what it holds, read beside the running hub.
type hubDisk struct {
	Dir      string `required:"" type:"path" help:"The hub's directory."`
	Database string `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	Keys     string `env:"PARALLAX_HUB_KEYS" help:"Where the records' keys are; keys.db in the directory if left out."`
}

// look opens a hub's database and record keys for the time of f. It never makes
// a database where there is none.
func (c hubDisk) look(ctx context.Context, f func(*store.DB, *recordkeys.Keys) error) error {
	database := c.Database
	if database == "" {
		database = filepath.Join(c.Dir, "hub.db")
		if _, err := os.Stat(database); err != nil {
			return fault.Wrap(fault.Invalid, "there is no hub's database in "+c.Dir, err)
		}
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return err
	}
	keys, err := openKeys(ctx, c.Dir, c.Keys, clock.System())
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(f(db, keys), keys.Close(), db.Close())
}

type hubShow struct {
	Labels []string `arg:"" optional:"" name:"label" help:"Observations to show, by label (128 hex digits)."`
	hubDisk
}

// Run prints what the operator of a hub can see on its own disk, as JSON.
func (c *hubShow) Run(ctx context.Context, std streams) error {
	labels, err := readLabels(c.Labels)
	if err != nil {
		return err
	}
	return c.look(ctx, func(db *store.DB, keys *recordkeys.Keys) error {
		held, err := hub.Show(ctx, db, keys, labels)
		if err != nil {
			return err
		}
		return printJSON(std.out, held)
	})
}
