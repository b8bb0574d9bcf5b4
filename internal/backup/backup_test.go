package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
)

const words = "a passphrase for tests"

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func init() { scryptN = 1 << 8 }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder makes a data folder as a desk has one, with an open database.
func folder(t *testing.T) (dir string, db *store.DB, keys *recordkeys.Keys) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "desk")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "desk.json"), []byte("identity"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "reads.jsonl"), []byte("one\ntwo\ntorn"), 0o600))
	db, err := store.Open(t.Context(), filepath.Join(dir, "desk.db"))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	kdb, err := store.Open(t.Context(), filepath.Join(dir, recordkeys.KeysFile))
	must(t, err)
	t.Cleanup(func() { kdb.Close() })
	keys, err = recordkeys.New(t.Context(), kdb, clock.Manual(noon), nil)
	must(t, err)
	must(t, db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE desk_x (a BYTEA NOT NULL)`); err != nil {
			return err
		}
		for i := range 100 {
			if _, err := tx.ExecContext(ctx, `INSERT INTO desk_x (a) VALUES ($1)`, bytes.Repeat([]byte{byte(i)}, 700)); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = keys.Make(t.Context(), [][]byte{{1}, {2}})
	must(t, err)
	return dir, db, keys
}

func options(dir, out, keys string) Options {
	return Options{Dir: dir, Out: out, Keys: keys, Passphrase: words, Now: noon}
}

func TestACopyComesBackWhole(t *testing.T) {
	dir, db, keys := folder(t)
	list := recordkeys.NewList(filepath.Join(dir, recordkeys.ListFile))
	must(t, list.Add("expired", 1, [][]byte{{9}}))
	base := t.TempDir()
	out, vault, back := filepath.Join(base, "copy"), filepath.Join(base, "vault"), filepath.Join(base, "back")
	m, err := Run(t.Context(), options(dir, out, vault))
	must(t, err)
	for _, path := range []string{out, filepath.Join(vault, m.ID)} {
		raw := all(t, path)
		for _, secret := range [][]byte{[]byte("identity"), bytes.Repeat([]byte{7}, 700), []byte("SQLite format")} {
			if bytes.Contains(raw, secret) {
				t.Errorf("%s holds %q in the clear", path, secret[:8])
			}
		}
	}
	if _, err := Run(t.Context(), options(dir, out, vault)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("over another copy: %v", err)
	}

	must(t, list.Add("expired", 2, [][]byte{{1}})) // after the copy
	must(t, keys.Destroy(t.Context(), [][]byte{{1}}))
	r := RestoreOptions{From: out, To: back, Keys: vault, Deletions: list.Path(), Passphrase: words}
	got, err := Restore(t.Context(), r)
	must(t, err)
	if !got.Records || got.Kind != "desk" {
		t.Errorf("restored %+v", got)
	}
	raw, err := os.ReadFile(filepath.Join(back, "reads.jsonl"))
	if err != nil || string(raw) != "one\ntwo\n" {
		t.Errorf("a journal comes back as %q, %v", raw, err)
	}
	if raw, err = os.ReadFile(filepath.Join(back, recordkeys.ListFile)); err != nil || bytes.Count(raw, []byte("\n")) != 2 {
		t.Errorf("the newest list of deletions is not there: %q, %v", raw, err)
	}
	again, err := store.Open(t.Context(), filepath.Join(back, "desk.db"))
	must(t, err)
	defer again.Close()
	for _, d := range []*store.DB{db, again} {
		var n int
		must(t, d.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM desk_x`).Scan(&n)
		}))
		if n != 100 {
			t.Errorf("%d rows", n)
		}
	}
	if _, err := Restore(t.Context(), r); fault.KindOf(err) != fault.Conflict {
		t.Errorf("over a folder that is there: %v", err)
	}
}

func all(t *testing.T, dir string) (out []byte) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		out = append(out, raw...)
		return err
	}))
	return out
}

// Broken off anywhere, neither leaves anything in the place of a whole one, and
// the same command again does it.
func TestBrokenOff(t *testing.T) {
	dir, _, _ := folder(t)
	base := t.TempDir()
	out, vault, back := filepath.Join(base, "copy"), filepath.Join(base, "vault"), filepath.Join(base, "back")
	o := options(dir, out, vault)
	for at := 1; ; at += 4 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		o.Progress = func(int64, int64) {
			if n++; n == at {
				cancel()
			}
		}
		_, err := Run(ctx, o)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || exists(out) {
			t.Fatalf("broken off at step %d: %v, there: %t", at, err, exists(out))
		}
	}
	for at := 1; ; at += 4 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		_, err := Restore(ctx, RestoreOptions{From: out, To: back, Keys: vault, NoLaterDeletions: true, Passphrase: words, Progress: func(int64, int64) {
			if n++; n == at {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if exists(back) {
			t.Fatalf("a restore broken off at step %d left a folder: %v", at, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	if err != nil || len(left) > 0 || exists(out+".partial") || exists(back+".partial") {
		t.Errorf("left over: %v", left)
	}
}

func TestRefusals(t *testing.T) {
	dir, _, _ := folder(t)
	base := t.TempDir()
	out, vault := filepath.Join(base, "copy"), filepath.Join(base, "vault")
	for name, o := range map[string]Options{
		"a short passphrase":         {Dir: dir, Out: out, Keys: vault, Passphrase: "short", Now: noon},
		"no place for record keys":   {Dir: dir, Out: out, Passphrase: words, Now: noon},
		"a folder of something else": {Dir: base, Out: out, Keys: vault, Passphrase: words, Now: noon},
	} {
		if _, err := Run(t.Context(), o); fault.KindOf(err) != fault.Invalid || exists(out) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := Run(t.Context(), options(dir, out, vault))
	must(t, err)
	good := RestoreOptions{From: out, To: filepath.Join(base, "back"), Keys: vault, NoLaterDeletions: true, Passphrase: words}
	older := filepath.Join(base, "older.jsonl")
	must(t, recordkeys.NewList(older).Add("expired", 1, [][]byte{{1}}))
	must(t, os.WriteFile(filepath.Join(dir, recordkeys.ListFile), nil, 0o600))
	for name, change := range map[string]func(*RestoreOptions){
		"another passphrase":   func(o *RestoreOptions) { o.Passphrase = "another passphrase" },
		"no record keys":       func(o *RestoreOptions) { o.Keys = "" },
		"others' record keys":  func(o *RestoreOptions) { o.Keys = base },
		"no list of deletions": func(o *RestoreOptions) { o.NoLaterDeletions = false },
		"the keys for data":    func(o *RestoreOptions) { o.From = filepath.Join(vault, m.ID) },
		"no backup":            func(o *RestoreOptions) { o.From = dir },
	} {
		o := good
		change(&o)
		if _, err := Restore(t.Context(), o); fault.KindOf(err) != fault.Invalid || exists(o.To) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A changed byte anywhere in any file of the copy is found.
	for _, f := range m.Files {
		path := filepath.Join(out, f.Sealed)
		raw, err := os.ReadFile(path)
		must(t, err)
		for _, at := range []int{0, len(raw) / 2, len(raw) - 1} {
			bad := bytes.Clone(raw)
			bad[at] ^= 1
			must(t, os.WriteFile(path, bad, 0o600))
			if _, err := Restore(t.Context(), good); fault.KindOf(err) != fault.Invalid || exists(good.To) {
				t.Errorf("byte %d of %s changed: %v", at, f.Name, err)
			}
		}
		must(t, os.WriteFile(path, raw, 0o600))
	}
}

// A folder without record keys, as a key holder's is, needs no place for them.
func TestAFolderWithoutRecordKeys(t *testing.T) {
	dir, base := t.TempDir(), t.TempDir()
	for _, name := range []string{"identity.json", "shares.json", "journal.jsonl"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600))
	}
	out, back := filepath.Join(base, "copy"), filepath.Join(base, "back")
	_, err := Run(t.Context(), options(dir, out, ""))
	must(t, err)
	r, err := Restore(t.Context(), RestoreOptions{From: out, To: back, Passphrase: words})
	if err != nil || r.Kind != "keyholder" || r.Records || !bytes.Equal(all(t, dir), all(t, back)) {
		t.Errorf("restored %+v, %v", r, err)
	}
}

// Copies of record keys are kept for 35 days, and no other file is touched.
func TestRecordKeysAreForgotten(t *testing.T) {
	dir, _, _ := folder(t)
	base := t.TempDir()
	vault := filepath.Join(base, "vault")
	var ids []string
	for i, days := range []int{0, 34, 36} {
		o := options(dir, filepath.Join(base, fmt.Sprint("copy", i)), vault)
		o.Now = noon.AddDate(0, 0, days)
		m, err := Run(t.Context(), o)
		must(t, err)
		ids = append(ids, m.ID)
		must(t, os.WriteFile(filepath.Join(vault, "note.txt"), nil, 0o600))
	}
	if exists(filepath.Join(vault, ids[0])) || !exists(filepath.Join(vault, ids[1])) || !exists(filepath.Join(vault, "note.txt")) {
		t.Error("after 36 days the first copy of the keys must be gone, and nothing else")
	}
	o := RestoreOptions{From: filepath.Join(base, "copy0"), To: filepath.Join(base, "back"), Keys: vault, NoLaterDeletions: true, Passphrase: words}
	if _, err := Restore(t.Context(), o); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without keys: %v", err)
	}
	o.WithoutKey = true
	if r, err := Restore(t.Context(), o); err != nil || r.Records {
		t.Errorf("without keys, on purpose: %+v, %v", r, err)
	}
}

func TestStream(t *testing.T) {
	k, err := newKeys(words, make([]byte, 32))
	must(t, err)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2*chunk + 5}).Draw(t, "size")
		plain := bytes.Repeat([]byte{7}, n)
		var sealed, back bytes.Buffer
		quiet := func(int) {}
		if _, _, err := k.sealTo(&sealed, bytes.NewReader(plain), "f", quiet); err != nil {
			t.Fatal(err)
		}
		raw := sealed.Bytes()
		if _, _, err := k.openTo(&back, bytes.NewReader(raw), "f", quiet); err != nil || !bytes.Equal(back.Bytes(), plain) {
			t.Fatalf("%d bytes came back as %d, %v", n, back.Len(), err)
		}
		cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut")
		if _, _, err := k.openTo(io.Discard, bytes.NewReader(raw[:cut]), "f", quiet); err == nil {
			t.Fatalf("cut off after %d of %d bytes, and nobody noticed", cut, len(raw))
		}
		if _, _, err := k.openTo(io.Discard, bytes.NewReader(raw), "g", quiet); err == nil {
			t.Fatal("a file took another's place")
		}
	})
}
