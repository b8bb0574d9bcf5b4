package hub

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store/storetest"
	"parallax/internal/transparency"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// otherHistory has a witness cosign a log of other entries under the hub's own
// keys: what a split view shows to it, or what a restored backup has lost.
func (w *world) otherHistory(to opening.Holder, entries int64) tlog.Hash {
	w.t.Helper()
	var hashes []tlog.Hash
	read := func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = hashes[x]
		}
		return out, nil
	}
	for n := range entries {
		more, err := tlog.Append(n, tlog.Commit(tlog.Hash{byte(n)}, []byte("elsewhere")), read)
		must(w.t, err)
		hashes = append(hashes, more...)
	}
	root, err := tlog.Root(entries, read)
	must(w.t, err)
	hub := w.hub.o.Identity
	note := tlog.SignCheckpoint(tlog.Checkpoint{Origin: hub.Origin, Size: entries, Root: root}, hub.logKey())
	proof, err := tlog.ProveConsistency(0, entries, read)
	must(w.t, err)
	c := client.System(hub.ID, hub.signKey())
	c.Now = w.clock.Now
	must(w.t, c.Call(context.Background(), to.ID, to.URL, client.PathCosign, client.CosignRequest{Note: note, Proof: proof}, nil))
	return root
}

// A fork that has grown past a witness: its own size does not show it, only the
// signed refusal does. The log stops at the first one, and so does every act
// that it would record.
func TestAForkBeyondAWitnessStopsTheHub(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	content, _ := w.draft("bank-a", "someone@example.org", "report", nil)
	root := w.otherHistory(w.man.Holders[1], 3)
	err := w.hub.Tick(context.Background())
	var c *tlog.Conflict
	if !errors.Is(err, transparency.ErrRollback) || !errors.As(err, &c) || c.Size != 3 || c.Root != root {
		t.Fatalf("the tick on a fork: %v", err)
	}
	if !w.hub.tlog.ReadOnly() {
		t.Fatal("the log goes on")
	}
	if err := w.call("bank-a", client.PathQueries, client.QueryRequest{Batch: opening.Hash{1}}, nil); status(err) != http.StatusServiceUnavailable {
		t.Errorf("a batch handed in to a forked log: %v", err)
	}
	req, err := w.member("bank-a").Sign([]client.Contributed{content})
	must(t, err)
	if _, _, err := w.member("bank-a").Contribute(context.Background(), req); status(err) != http.StatusServiceUnavailable {
		t.Errorf("a contribution to a forked log: %v", err)
	}
	w.clock.Advance(time.Hour)
	if err := w.hub.Tick(context.Background()); err == nil {
		t.Error("a later tick goes on")
	}
}

// Nobody but the witness itself, about this very note, stops the log.
func TestForgedRefusalsAreNotBelieved(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	to, note := w.man.Holders[0], []byte("a note")
	good := client.CosignRefusal{Checkpoint: opening.Digest(note), Conflict: tlog.Conflict{Size: 9, Root: tlog.Hash{1}, Reason: "x"}}
	own, err := signed.Sign(client.RefusalDomain, to.ID, w.keys["stranger"], good)
	must(t, err)
	if _, err := client.OpenRefusal(own, to, note); err == nil {
		t.Error("a stranger's refusal is believed")
	}
	to.Key = pub(w.keys["stranger"])
	if c, err := client.OpenRefusal(own, to, note); err != nil || c.Size != 9 {
		t.Errorf("a true refusal: %v", err)
	}
	if _, err := client.OpenRefusal(own, to, []byte("another note")); err == nil {
		t.Error("a refusal of another note is believed")
	}
	good.Conflict.Size = -1
	own, err = signed.Sign(client.RefusalDomain, to.ID, w.keys["stranger"], good)
	must(t, err)
	if _, err := client.OpenRefusal(own, to, note); err == nil {
		t.Error("a refusal that stands below nothing is believed")
	}
}
