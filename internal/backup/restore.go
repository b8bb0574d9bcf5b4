package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

// RestoreOptions of bringing a copy back.
type RestoreOptions struct {
	From       string // the copy
	To         string // the data folder; must not be there, or be empty
	Keys       string // the folder of the copies of record keys
	WithoutKey bool   // go on without record keys: what they sealed stays unreadable
	// Deletions is the newest list of deletions that there is. Without it
	// NoLaterDeletions must say that nothing was deleted since.
	Deletions        string
	NoLaterDeletions bool
	Passphrase       string
	Progress         Progress
}

// Restored says what was brought back.
type Restored struct {
	Manifest
	Records bool // record keys were brought back
}

// Restore brings a copy back into a new folder, whole or not at all. The list
// of deletions goes with it, so that the program deletes again, before it
// serves anything, what the copy still holds.
func Restore(ctx context.Context, o RestoreOptions) (Restored, error) {
	var out Restored
	m, k, err := readManifest(o.From, o.Passphrase)
	if err != nil {
		return out, err
	}
	out.Manifest = m
	if m.Part != PartData {
		return out, fault.New(fault.Invalid, o.From+" is a copy of record keys; name the copy of the data and give this one's folder with --keys.")
	}
	if err := empty(o.To); err != nil {
		return out, err
	}
	tmp := filepath.Clean(o.To) + ".partial"
	if err := os.RemoveAll(tmp); err != nil { // of a restore that was broken off
		return out, err
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return out, err
	}
	var all, done int64
	for _, f := range m.Files {
		all += f.Size
	}
	progress := func(n int) {
		if done += int64(n); o.Progress != nil {
			o.Progress(min(done, all), all)
		}
	}
	if err := write(ctx, k, o.From, tmp, m.Files, progress); err != nil {
		return out, err
	}
	if m.Apart {
		if out.Records, err = restoreKeys(ctx, o, m, tmp); err != nil {
			return out, err
		}
		if err := newestList(o, tmp); err != nil {
			return out, err
		}
	}
	if err := syncDir(tmp); err != nil {
		return out, err
	}
	if err := os.Remove(o.To); err != nil && !errors.Is(err, os.ErrNotExist) {
		return out, err
	}
	if err := os.Rename(tmp, o.To); err != nil {
		return out, err
	}
	return out, syncDir(filepath.Dir(filepath.Clean(o.To)))
}

func empty(dir string) error {
	found, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fault.New(fault.Conflict, dir+" is not empty; a restore overwrites nothing. Move what is there aside, and keep it: its list of deletions may be the newest.")
	}
	return nil
}

// write brings files back, and reads databases whole.
func write(ctx context.Context, k keys, from, to string, files []File, progress func(int)) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(to, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		err = open(k, from, f, w, progress)
		if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
			return fault.Wrap(fault.Invalid, fmt.Sprintf("The copy of %s cannot be brought back: %v. Nothing was changed; take another copy.", f.Name, err), err)
		}
		if strings.HasSuffix(f.Name, ".db") {
			if err := store.CheckFile(ctx, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreKeys finds the copy of record keys that was made with this copy.
func restoreKeys(ctx context.Context, o RestoreOptions, m Manifest, to string) (bool, error) {
	if o.WithoutKey {
		return false, nil
	}
	if o.Keys == "" {
		return false, fault.New(fault.Invalid, "The record keys are in another copy: say where with --keys. Where they were destroyed after 35 days, say --without-keys: what they sealed stays unreadable.")
	}
	dir := filepath.Join(o.Keys, m.ID)
	mk, k, err := readManifest(dir, o.Passphrase)
	if err != nil {
		return false, err
	}
	if mk.ID != m.ID || mk.Part != PartKeys || mk.Kind != m.Kind {
		return false, fault.New(fault.Invalid, dir+" holds the record keys of another copy.")
	}
	return true, write(ctx, k, dir, to, mk.Files, func(int) {})
}

// newestList puts the newest list of deletions in the place of the copy's own.
func newestList(o RestoreOptions, to string) error {
	if o.Deletions == "" {
		if o.NoLaterDeletions {
			return nil
		}
		return fault.New(fault.Invalid, "Name the newest list of deletions with --deletions, so that what was deleted since stays deleted; or say --no-later-deletions where nothing was.")
	}
	newer, err := os.ReadFile(o.Deletions)
	if err != nil {
		return fault.Wrap(fault.Invalid, "The list of deletions cannot be read.", err)
	}
	path := filepath.Join(to, recordkeys.ListFile)
	older, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !recordkeys.Extends(older, newer) {
		return fault.New(fault.Invalid, o.Deletions+" does not begin with the deletions that the copy itself knows: it is older, or of another folder. Bring the newest list.")
	}
	if err := recordkeys.NewList(o.Deletions).Each(func(recordkeys.Deletion) error { return nil }); err != nil {
		return fault.Wrap(fault.Invalid, "The list of deletions is not whole: "+err.Error()+".", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return writeFile(path, newer)
}
