package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

// KeysLife is how long copies of record keys are kept.
const KeysLife = 35 * 24 * time.Hour

// Progress hears of bytes done of all.
type Progress func(done, all int64)

// Options of a copy.
type Options struct {
	Dir        string // the data folder
	Out        string // where the copy goes; must not be there
	Keys       string // folder that holds one copy of record keys for each backup; needed where there are record keys
	Passphrase string
	Now        time.Time
	Progress   Progress
}

// minPassphrase is the least length of a passphrase, in bytes.
const minPassphrase = 12

// kinds tells the programs' data folders apart by a file in each.
var kinds = []struct{ kind, file string }{{"desk", "desk.json"}, {"keyholder", "shares.json"}, {"hub", "hub.db"}, {"hub", "plan.json"}}

func kindOf(dir string) (string, error) {
	for _, k := range kinds {
		if _, err := os.Stat(filepath.Join(dir, k.file)); err == nil {
			return k.kind, nil
		}
	}
	return "", fault.New(fault.Invalid, "There is no hub, key holder or desk in "+dir+"; nothing was copied.")
}

// left are files that belong to a running program and mean nothing elsewhere.
func left(name string) bool {
	return strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm") || strings.HasSuffix(name, "-journal") || strings.HasPrefix(filepath.Base(name), tempPrefix)
}

const tempPrefix = ".backup-"

// list gives the files of a data folder in the order in which they are copied:
// databases first, then record keys, which are made before the records that
// they seal, then the rest, the list of deletions last.
func list(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || left(name) {
			return err
		}
		if !d.Type().IsRegular() {
			return fault.New(fault.Invalid, path+" is no plain file; a data folder holds nothing else. Nothing was copied.")
		}
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	rank := func(name string) int {
		switch {
		case name == recordkeys.ListFile:
			return 3
		case name == recordkeys.KeysFile:
			return 1
		case strings.HasSuffix(name, ".db"):
			return 0
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names, err
}

// Run makes a copy, reads it again, and destroys copies of record keys that are
// too old. It gives the manifest of the data.
func Run(ctx context.Context, o Options) (Manifest, error) {
	kind, err := kindOf(o.Dir)
	if err != nil {
		return Manifest{}, err
	}
	names, err := list(o.Dir)
	if err != nil {
		return Manifest{}, err
	}
	hasKeys := slices.Contains(names, recordkeys.KeysFile)
	switch {
	case len(o.Passphrase) < minPassphrase:
		return Manifest{}, fault.Newf(fault.Invalid, "A backup holds keys: set PARALLAX_BACKUP_PASSPHRASE to a passphrase of at least %d characters that is kept elsewhere.", minPassphrase)
	case hasKeys && o.Keys == "":
		return Manifest{}, fault.New(fault.Invalid, "This folder holds record keys, which are copied apart and for 35 days only: say where with --keys.")
	case exists(o.Out):
		return Manifest{}, fault.New(fault.Conflict, o.Out+" is there already; a backup overwrites nothing.")
	}
	var raw [8]byte
	salt := make([]byte, 32)
	if _, err := rand.Read(raw[:]); err != nil {
		return Manifest{}, err
	}
	if _, err := rand.Read(salt); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Version: 1, ID: o.Now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(raw[:]), Kind: kind, Part: PartData, Apart: hasKeys, Made: o.Now.UTC(), Salt: salt}
	k, err := newKeys(o.Passphrase, salt)
	if err != nil {
		return m, err
	}
	c := &copying{o: o, k: k, all: sizeOf(o.Dir, names)}
	data := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == recordkeys.KeysFile })
	// Data first, keys second: a record whose key is not in the copy was deleted
	// in between.
	if err := c.part(ctx, &m, o.Out, data); err != nil {
		return m, err
	}
	if hasKeys {
		mk := m
		mk.Part, mk.Files, mk.Tag = PartKeys, nil, nil
		if err := c.part(ctx, &mk, filepath.Join(o.Keys, m.ID), []string{recordkeys.KeysFile}); err != nil {
			return m, errors.Join(err, os.RemoveAll(o.Out))
		}
	}
	if o.Keys == "" {
		return m, nil
	}
	return m, prune(o.Keys, o.Now)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func sizeOf(dir string, names []string) (n int64) {
	for _, name := range names {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil {
			n += st.Size()
		}
	}
	return 2 * n // written, then read again
}

// copying is one run.
type copying struct {
	o         Options
	k         keys
	done, all int64
}

func (c *copying) progress(n int) {
	c.done += int64(n)
	if c.o.Progress != nil {
		c.o.Progress(min(c.done, c.all), c.all)
	}
}

// part writes one part of a copy beside its place, reads it again, and puts it
// there.
func (c *copying) part(ctx context.Context, m *Manifest, out string, names []string) error {
	tmp := out + ".partial"
	if err := os.RemoveAll(tmp); err != nil { // of a copy that was broken off
		return err
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return err
	}
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := File{Name: name, Sealed: fmt.Sprintf("%04d.sealed", i)}
		if err := c.seal(ctx, &f, filepath.Join(tmp, f.Sealed)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.Files = append(m.Files, f)
	}
	if err := m.write(tmp, c.k); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := open(c.k, tmp, f, io.Discard, c.progress); err != nil {
			return fmt.Errorf("the copy of %s was read again and is not whole: %w", f.Name, err)
		}
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, out); err != nil {
		return err
	}
	return syncDir(filepath.Dir(out))
}

// seal copies one file: a database as it is at one moment, a journal up to its
// last whole line, anything else as it is.
func (c *copying) seal(ctx context.Context, f *File, to string) error {
	from := filepath.Join(c.o.Dir, filepath.FromSlash(f.Name))
	if strings.HasSuffix(f.Name, ".db") {
		snap := filepath.Join(c.o.Dir, tempPrefix+filepath.Base(f.Name))
		if err := os.RemoveAll(snap); err != nil {
			return err
		}
		defer os.Remove(snap)
		if err := store.Snapshot(ctx, from, snap); err != nil {
			return err
		}
		from = snap
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	var r io.Reader = in
	if strings.HasSuffix(f.Name, ".jsonl") {
		raw, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		r = bytes.NewReader(raw[:bytes.LastIndexByte(raw, '\n')+1])
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.Size, f.SHA256, err = c.k.sealTo(out, r, f.Name, c.progress)
	return errors.Join(err, out.Sync(), out.Close())
}

// open reads one sealed file and compares it with what the manifest says.
func open(k keys, dir string, f File, w io.Writer, progress func(int)) error {
	in, err := os.Open(filepath.Join(dir, f.Sealed))
	if err != nil {
		return err
	}
	defer in.Close()
	size, sum, err := k.openTo(w, in, f.Name, progress)
	if err != nil {
		return err
	}
	if size != f.Size || !bytes.Equal(sum, f.SHA256) {
		return errors.New("it is not what the manifest says")
	}
	return nil
}

// prune destroys copies of record keys that are older than KeysLife.
func prune(dir string, now time.Time) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range found {
		stamp, _, _ := strings.Cut(strings.TrimSuffix(d.Name(), ".partial"), "-")
		made, err := time.Parse("20060102T150405Z", stamp)
		if err != nil || now.Sub(made) <= KeysLife {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, d.Name())); err != nil {
			return err
		}
	}
	return syncDir(dir)
}
