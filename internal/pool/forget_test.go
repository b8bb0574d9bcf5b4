package pool

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parallax/client"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
)

// everything gives all bytes of a folder's files: databases, journals, shared
// memory, what was left over.
func everything(t *testing.T, dir string) (out []byte) {
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

// dump reads every row of every table of a PostgreSQL schema: what a logical
// copy would hold.
func dump(t *testing.T, db *store.DB) (out []byte) {
	t.Helper()
	must(t, db.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
		if err != nil {
			return err
		}
		var tables []string
		for rows.Next() {
			var name string
			must(t, rows.Scan(&name))
			tables = append(tables, name)
		}
		rows.Close()
		for _, name := range tables {
			rows, err := tx.QueryContext(ctx, `SELECT CAST(x AS TEXT) FROM `+name+` x`)
			if err != nil {
				return err
			}
			for rows.Next() {
				var text string
				must(t, rows.Scan(&text))
				out = append(out, text...)
			}
			rows.Close()
		}
		return nil
	}))
	return out
}

// A canary is what one observation says or is found by, and the key that it is
// sealed under.
type canary map[string][]byte

func (w *world) canaries(org, value string) (canary, seal.Label) {
	w.t.Helper()
	c := w.observe(org, nil, tag{selector.Email, value})
	_, err := w.send(org, c)
	must(w.t, err)
	label := labelsOf(w.t, []client.Contributed{c})
	h, err := opening.DecodeHeader(c.Observation.Header)
	must(w.t, err)
	tag := h.Tags[0].Tag()
	keys, err := w.keys.Get(context.Background(), [][]byte{label[0][:]})
	must(w.t, err)
	out := canary{"tag": tag[:], "key": keys[string(label[0][:])], "box": c.Box[:40], "header": c.Observation.Header[:200]}
	must(w.t, w.db.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		var sealed, box []byte
		err := tx.QueryRowContext(ctx, `SELECT sealed, box FROM pool_observation WHERE label = $1`, label[0][:]).Scan(&sealed, &box)
		out["sealed header"], out["sealed box"] = sealed[:60], box[:60]
		return err
	}))
	return out, label[0]
}

// hits says which of the canaries are in some bytes, raw or as hex digits.
func (c canary) hits(raw []byte) (found []string) {
	for name, b := range c {
		if len(b) > 0 && (bytes.Contains(raw, b) || bytes.Contains(raw, []byte(hex.EncodeToString(b)))) {
			found = append(found, name)
		}
	}
	return found
}

// What is deleted is gone from the database, its journal, its shared memory and
// the keys, whether it was withdrawn or expired; before that it was there.
func TestNothingOfADeletedObservationIsLeft(t *testing.T) {
	ctx := context.Background()
	check := func(t *testing.T, db *store.DB, all func() []byte) {
		w := newWorld(t, db)
		keep, _ := w.canaries("org-1", "kept@example.org")
		gone, label := w.canaries("org-0", "canary@example.org")
		late, _ := w.canaries("org-2", "late@example.org")
		w.link()
		raw := all()
		raw = append(raw, everything(t, filepath.Dir(w.keyPath))...)
		for name, c := range map[string]canary{"withdrawn": gone, "expired": late} {
			if n := len(c.hits(raw)); n != 4 { // tag, key and both sealed parts; nothing in the clear
				t.Fatalf("%s: %d canaries before: %v", name, n, c.hits(raw))
			}
		}
		_, err := w.withdraw("org-0", label)
		must(t, err)
		w.log.covered = true
		must(t, w.pool.MarkLogged(ctx))
		must(t, w.pool.Forget(ctx))
		w.link()
		must(t, w.pool.Forget(ctx))
		w.clock.Advance(365 * 24 * 3600e9)
		must(t, w.pool.Expire(ctx, w.clock.Now()))
		must(t, w.pool.Forget(ctx))
		w.link()
		must(t, db.Scrub(ctx, "pool_obs_tag", "pool_touched", "pool_cluster"))
		raw = append(all(), everything(t, filepath.Dir(w.keyPath))...)
		for name, c := range map[string]canary{"withdrawn": gone, "expired": late, "expired as well": keep} {
			if found := c.hits(raw); len(found) > 0 {
				t.Errorf("%s: still there: %v", name, found)
			}
		}
		if n, err := w.keys.Count(ctx); err != nil || n != 0 {
			t.Errorf("%d keys are left, %v", n, err)
		}
		if n := len(w.log.forgot); n != 3 {
			t.Errorf("%d of 3 log entries can be opened no more", n)
		}
		items, err := w.pool.Items(ctx, []seal.Label{label})
		if err != nil || items[0].Live || items[0].Box != nil {
			t.Errorf("a deleted observation: %+v, %v", items, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		db, err := store.Open(ctx, filepath.Join(dir, "hub.db"))
		must(t, err)
		defer db.Close()
		check(t, db, func() []byte { return everything(t, dir) })
	})
	t.Run("postgres", func(t *testing.T) {
		db := storetest.Postgres(t)
		check(t, db, func() []byte { return dump(t, db) })
	})
}

// A database from before a deletion, as a restored backup is, is held against
// the list before it serves, and a deletion that broke anywhere is finished.
func TestDeletionsAreAppliedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		_, first := w.canaries("org-0", "one@example.org")
		_, second := w.canaries("org-0", "two@example.org")
		must(t, w.list.Add("withdrawn", start.UnixMicro(), [][]byte{first[:]})) // the deletion that the backup does not know
		n, err := w.pool.Reapply(ctx, "2026-11")
		if err != nil || n != 1 {
			t.Fatalf("%d ended again, %v", n, err)
		}
		if n, err = w.pool.Reapply(ctx, "2026-11"); err != nil || n != 0 {
			t.Fatalf("%d ended a second time, %v", n, err)
		}
		list, err := w.pool.Live(ctx, []seal.Label{first, second})
		if err != nil || len(list) != 1 || list[0].Label != second {
			t.Errorf("live: %+v, %v", list, err)
		}
		if keys, err := w.keys.Get(ctx, [][]byte{first[:], second[:]}); err != nil || len(keys) != 1 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		// The log cannot be written: nothing is acknowledged as deleted, and the
		// next round makes it up.
		_, err = w.withdraw("org-0", second)
		must(t, err)
		w.log.fail = errors.New("read-only")
		if err := w.pool.Forget(ctx); err == nil {
			t.Error("deleted without an entry in the log")
		}
		w.log.fail = nil
		must(t, w.pool.Forget(ctx))
		last := w.log.kinds[len(w.log.kinds)-1]
		if n, err := w.keys.Count(ctx); err != nil || n != 0 || last != "deletion" {
			t.Errorf("%d keys, last entry %q, %v", n, last, err)
		}
		raw, err := os.ReadFile(w.list.Path())
		must(t, err)
		must(t, os.WriteFile(w.list.Path(), bytes.Replace(raw, []byte(`"withdrawn"`), []byte(`"expired"`), 1), 0o600))
		if _, err := w.pool.Reapply(ctx, "2026-11"); err == nil {
			t.Error("a changed list is taken")
		}
	})
}

// A torn last line is a deletion that did not happen; a list goes on after it.
func TestListOfDeletions(t *testing.T) {
	path := filepath.Join(t.TempDir(), recordkeys.ListFile)
	l := recordkeys.NewList(path)
	for i := range 3 {
		must(t, l.Add("expired", int64(i), [][]byte{{byte(i)}}))
	}
	older, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(bytes.Clone(older), []byte(`{"number":4,"bef`)...), 0o600))
	must(t, l.Add("expired", 9, [][]byte{{9}}))
	newer, err := os.ReadFile(path)
	must(t, err)
	var seen []string
	must(t, l.Each(func(d recordkeys.Deletion) error { seen = append(seen, fmt.Sprint(d.Number, d.IDs)); return nil }))
	if got := fmt.Sprint(seen); got != "[1 [[0]] 2 [[1]] 3 [[2]] 4 [[9]]]" {
		t.Errorf("list %s", got)
	}
	if !recordkeys.Extends(older, newer) || recordkeys.Extends(newer, older) {
		t.Error("which list is the newer one")
	}
}
