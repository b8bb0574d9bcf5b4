package hub

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	outside "parallax/internal/auditor"
	"parallax/internal/desk"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/tlog"
)

// Desks of two members watch the log of a real hub; whoever checks the hub and
// whoever opens its page sees them, and nobody can sign for them.
func TestDesksAreASecondSetOfWitnesses(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), fewLeaves)
	var desks []*desk.Desk
	next := w.man
	next.Version, next.Previous = 2, opening.Digest(w.signManifest(w.man).Body)
	for i := range 2 {
		dir := filepath.Join(t.TempDir(), "desk")
		card, err := desk.Init(dir, desk.Profile{ID: fmt.Sprint("watch-", i), Entity: fmt.Sprint("Watcher ", i), Sector: "bank", Role: desk.RoleContributor}, "", rand.Reader)
		must(t, err)
		next.DeskWitnesses = append(next.DeskWitnesses, *card.Witness)
		d, err := desk.Open(context.Background(), desk.Options{Dir: dir, Clock: w.clock})
		must(t, err)
		t.Cleanup(func() { d.Close() })
		desks = append(desks, d)
	}
	list := client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(next, "gov-1", "gov-2")}}
	must(t, client.Post(context.Background(), http.DefaultClient, w.url+client.PathManifest, list, nil))
	w.tick(0)
	for _, d := range desks {
		_, err := d.Join(context.Background(), w.url, w.man.Transcript)
		must(t, err)
		if got, err := d.Witness(context.Background()); err != nil || !got.New || got.Holders != 3 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	r, err := w.verify(outside.Options{Desks: 2})
	if err != nil || len(r.Desks.Signed) != 2 || len(r.Holders.Signed) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, body, _ := w.browse("", "/log"); !strings.Contains(body, "3 of 3 key holders; 2 of 2 desks") || !strings.Contains(body, "watch-1") {
		t.Errorf("the page does not show the desks:\n%s", body)
	}
	w.tick(time.Minute)
	w.tick(time.Minute)
	if got, err := desks[0].Witness(context.Background()); err != nil || !got.New || got.Size != 24 {
		t.Fatalf("%+v, %v", got, err)
	}
	w.postLines(r.Head)
}

// postLines tries to put up lines that are not a desk's under this checkpoint.
func (w *world) postLines(first tlog.Checkpoint) {
	w.t.Helper()
	line := func(name, key string, cp tlog.Checkpoint) []byte { return tlog.Cosign(cp, name, w.keys[key], start) }
	for name, x := range map[string]struct {
		client.DeskCosignature
		status int
	}{
		"another key under its name":  {client.DeskCosignature{Size: first.Size, Line: line("watch-1", "stranger", first)}, http.StatusForbidden},
		"a member that is no witness": {client.DeskCosignature{Size: first.Size, Line: line("bank-a", "bank-a", first)}, http.StatusForbidden},
		"no such checkpoint":          {client.DeskCosignature{Size: 5, Line: line("watch-1", "stranger", first)}, http.StatusNotFound},
		"two lines":                   {client.DeskCosignature{Size: first.Size, Line: append(line("watch-1", "stranger", first), line("watch-0", "stranger", first)...)}, http.StatusBadRequest},
		"nothing":                     {client.DeskCosignature{Size: first.Size}, http.StatusBadRequest},
	} {
		err := client.Post(context.Background(), http.DefaultClient, w.url+client.PathDeskCosign, x.DeskCosignature, nil)
		if status(err) != x.status {
			w.t.Errorf("%s: %v", name, err)
		}
	}
	if _, note, err := w.hub.tlog.Latest(context.Background()); err != nil || strings.Count(string(note), "watch-") != 1 {
		w.t.Errorf("the checkpoint has other lines now: %v\n%s", err, note)
	}
}
