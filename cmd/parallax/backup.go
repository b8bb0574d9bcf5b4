package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"parallax/internal/backup"
)

type backupCmd struct {
	Dir        string `arg:"" type:"existingdir" help:"The data folder; its program may go on running."`
	To         string `required:"" type:"path" help:"Where the copy goes; must not be there yet."`
	Keys       string `type:"path" help:"Folder for the copies of record keys, on another medium than the copies of the data; copies older than 35 days are destroyed there."`
	Passphrase string `env:"PARALLAX_BACKUP_PASSPHRASE" hidden:"" help:"Seals the copy; set it in the environment."`
	JSON       bool   `name:"json" help:"Print the manifest as JSON."`
}

// Run copies a data folder.
func (c *backupCmd) Run(ctx context.Context, std streams) error {
	m, err := backup.Run(ctx, backup.Options{Dir: c.Dir, Out: c.To, Keys: c.Keys, Passphrase: c.Passphrase, Now: time.Now(), Progress: byteBar(std.err, "copying")})
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "hub.db")); err != nil && m.Kind == "hub" {
		fmt.Fprintln(std.err, "this folder holds no database: copy PostgreSQL itself with pg_dump, and its schema of record keys apart")
	}
	if c.JSON {
		return printJSON(std.out, m)
	}
	fmt.Fprintf(std.out, "%s of %s, %d files, read again and whole: %s\n", m.ID, m.Kind, len(m.Files), c.To)
	return nil
}

type restoreCmd struct {
	Dir              string `arg:"" type:"path" help:"The data folder to make; must be empty or not there."`
	From             string `required:"" type:"existingdir" help:"The copy."`
	Keys             string `type:"path" help:"Folder of the copies of record keys."`
	WithoutKeys      bool   `help:"The record keys were destroyed: go on, what they sealed stays unreadable."`
	Deletions        string `type:"path" help:"The newest list of deletions that there is: deletions.jsonl of the folder that was lost, or of the newest copy."`
	NoLaterDeletions bool   `help:"Nothing was deleted since the copy was made."`
	Passphrase       string `env:"PARALLAX_BACKUP_PASSPHRASE" hidden:"" help:"Opens the copy; set it in the environment."`
	JSON             bool   `name:"json" help:"Print the manifest as JSON."`
}

// Run brings a copy back.
func (c *restoreCmd) Run(ctx context.Context, std streams) error {
	r, err := backup.Restore(ctx, backup.RestoreOptions{From: c.From, To: c.Dir, Keys: c.Keys, WithoutKey: c.WithoutKeys, Deletions: c.Deletions,
		NoLaterDeletions: c.NoLaterDeletions, Passphrase: c.Passphrase, Progress: byteBar(std.err, "bringing back")})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, r)
	}
	fmt.Fprintf(std.out, "%s of %s is in %s\n", r.ID, r.Kind, c.Dir)
	switch r.Kind {
	case "hub":
		fmt.Fprintln(std.err, "It deletes again what the list names before it serves. If its log is older than its witnesses saw, it stays read-only: see \"When the log is read-only\" in the operator's guide.")
	case "keyholder":
		fmt.Fprintln(std.err, "What this key holder was told and witnessed since is not in the copy: withdrawals, corrections, halts, charges. Do not start it before the steps in the operator's guide, \"A key holder comes back\", are done.")
	}
	return nil
}

func byteBar(w io.Writer, what string) backup.Progress {
	var bar *progressbar.ProgressBar
	return func(done, all int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
				progressbar.OptionShowBytes(true), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
		}
		_ = bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	}
}
