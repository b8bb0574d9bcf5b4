package hub

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/backup"
	"parallax/internal/clock"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

func openKeysIn(t *testing.T, dir string, now clock.Clock) *recordkeys.Keys {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(dir, recordkeys.KeysFile))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	k, err := recordkeys.New(context.Background(), db, now, rand.Reader)
	must(t, err)
	return k
}

// The restore drill: a hub is copied while it runs, goes on, deletes something
// and loses its disk. The copy comes back with the newest list of deletions:
// what was deleted since is gone before anything is served, in every byte of
// the folder, and the log, older than its witnesses saw, is read-only.
func TestRestoreDrill(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "hub")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "plan.json"), []byte("{}"), 0o600))
	db, err := store.Open(ctx, filepath.Join(dir, "hub.db"))
	must(t, err)
	defer db.Close()
	var o Options
	w := newWorldWith(t, db, func(x *Options) {
		x.Keys, x.Deletions = openKeysIn(t, dir, x.Clock), recordkeys.NewList(filepath.Join(dir, recordkeys.ListFile))
		o = *x
	})
	gone, label := w.draft("bank-a", "canary@example.org", "payment-pattern", nil)
	stays, kept := w.draft("bank-a", "kept@example.org", "payment-pattern", nil)
	m := w.member("bank-a")
	for _, c := range []client.Contributed{gone, stays} {
		req, err := m.Sign([]client.Contributed{c})
		must(t, err)
		_, _, err = m.Contribute(ctx, req)
		must(t, err)
	}
	w.tick(time.Minute)

	base := t.TempDir()
	copyTo, vault, back := filepath.Join(base, "copy"), filepath.Join(base, "vault"), filepath.Join(base, "back")
	_, err = backup.Run(ctx, backup.Options{Dir: dir, Out: copyTo, Keys: vault, Passphrase: "a passphrase for tests", Now: w.clock.Now()})
	must(t, err)

	h, err := opening.DecodeHeader(gone.Observation.Header)
	must(t, err)
	tag := h.Tags[0].Tag()
	keys, err := o.Keys.Get(ctx, [][]byte{label[:]})
	must(t, err)
	canaries := map[string][]byte{"tag": tag[:], "key": keys[string(label[:])], "box": gone.Box[:64], "header": gone.Observation.Header[:200]}
	_, err = w.correct(opening.DenyRevoke, "bank-a", client.PathCorrect, label)
	must(t, err)
	w.tick(time.Minute)
	w.tick(time.Minute)
	must(t, db.Close())

	_, err = backup.Restore(ctx, backup.RestoreOptions{From: copyTo, To: back, Keys: vault, Deletions: filepath.Join(dir, recordkeys.ListFile), Passphrase: "a passphrase for tests"})
	must(t, err)
	if found := hits(t, back, canaries); len(found) != 2 {
		t.Fatalf("the copy is from before the deletion and must hold tag and key: %v", found)
	}
	if o.DB, err = store.Open(ctx, filepath.Join(back, "hub.db")); err != nil {
		t.Fatal(err)
	}
	defer o.DB.Close()
	o.Keys, o.Deletions = openKeysIn(t, back, w.clock), recordkeys.NewList(filepath.Join(back, recordkeys.ListFile))
	again, err := Open(ctx, o)
	must(t, err)
	if found := hits(t, back, canaries); len(found) > 0 {
		t.Errorf("before anything is served there is still: %v", found)
	}
	items, err := again.pool.Items(ctx, []seal.Label{label, kept})
	if err != nil || items[0].Live || !items[1].Live {
		t.Errorf("items %+v, %v", items, err)
	}
	_ = again.tlog.CollectCosignatures(ctx, again.witnesses())
	if !again.tlog.ReadOnly() {
		t.Error("a log older than its witnesses saw goes on")
	}
	if err := again.Tick(ctx); err == nil {
		t.Error("a tick on a read-only log")
	}
}

func hits(t *testing.T, dir string, canaries map[string][]byte) (found []string) {
	t.Helper()
	var raw []byte
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		raw = append(raw, b...)
		return err
	}))
	for name, c := range canaries {
		if len(c) == 0 {
			t.Fatalf("the canary %s is empty", name)
		}
		if bytes.Contains(raw, c) {
			found = append(found, name)
		}
	}
	return found
}
