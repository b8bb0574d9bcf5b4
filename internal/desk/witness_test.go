package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/tlog"
)

// logHub serves a log by its tiles and takes cosignatures.
type logHub struct {
	w      *world
	hashes []tlog.Hash
	leaves []tlog.Hash
	note   []byte
	away   bool // takes no cosignature
	taken  []client.DeskCosignature
}

func (l *logHub) read(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, x := range at {
		out[i] = l.hashes[x]
	}
	return out, nil
}

// grow appends leaves; mark makes another history; signers are how many key
// holders sign the new head.
func (l *logHub) grow(to int, mark byte, signers int) {
	l.w.t.Helper()
	for n := len(l.leaves); n < to; n++ {
		leaf := tlog.Commit(tlog.Hash{mark}, fmt.Append(nil, n))
		more, err := tlog.Append(int64(n), leaf, l.read)
		must(l.w.t, err)
		l.hashes, l.leaves = append(l.hashes, more...), append(l.leaves, leaf)
	}
	root, err := tlog.Root(int64(to), l.read)
	must(l.w.t, err)
	cp := tlog.Checkpoint{Origin: "log", Size: int64(to), Root: root}
	l.note = tlog.SignCheckpoint(cp, l.w.hub)
	for i := range signers {
		l.note = tlog.AddLine(l.note, tlog.Cosign(cp, fmt.Sprint("holder-", i+1), l.w.witness[i], today))
	}
}

// RoundTrip implements http.RoundTripper.
func (l *logHub) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, body []byte) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{}, Request: r}, nil
	}
	switch path := r.URL.Path; {
	case path == client.PathLog+"checkpoint":
		return answer(200, l.note)
	case path == client.PathDeskCosign && l.away:
		return answer(503, nil)
	case path == client.PathDeskCosign:
		var c client.DeskCosignature
		must(l.w.t, json.NewDecoder(r.Body).Decode(&c))
		l.taken = append(l.taken, c)
		return answer(200, []byte("{}"))
	case strings.HasPrefix(path, client.PathLog):
		tile, err := tlog.ParseTile(strings.TrimPrefix(path, client.PathLog+"tile/"))
		must(l.w.t, err)
		hashes, err := l.read(tile.Places())
		must(l.w.t, err)
		var out []byte
		for _, h := range hashes {
			out = append(out, h[:]...)
		}
		return answer(200, out)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func watching(t *testing.T, listed bool) (*logHub, *Desk) {
	t.Helper()
	w := newWorld(t)
	w.witnesses = listed
	d, card := w.desk(RoleContributor, "bank-a", "")
	w.publish(card)
	_, err := d.Join(t.Context(), w.url, w.setup.Transcript.Hash())
	must(t, err)
	l := &logHub{w: w}
	l.grow(5, 0, 2)
	d.http = &http.Client{Transport: l}
	return l, d
}

func TestADeskCosignsWhatFollows(t *testing.T) {
	l, d := watching(t, true)
	desks := l.w.manifest.DeskWitnessKeys()
	for i, size := range []int{5, 5, 300, 700} {
		l.grow(size, 0, 2+i%2)
		got, err := d.Witness(t.Context())
		if err != nil || got.Size != int64(size) || got.New != (i != 1) || got.Holders != 2+i%2 {
			t.Fatalf("look %d: %+v, %v", i, got, err)
		}
		if i == 1 {
			continue
		}
		line := l.taken[len(l.taken)-1]
		if _, by, err := tlog.VerifyNote(tlog.AddLine(l.note, line.Line), "log", public(l.w.hub), desks, 1); err != nil || by[0].Witness != "bank-a" || line.Size != int64(size) {
			t.Fatalf("look %d: %v", i, err)
		}
	}
	if len(l.taken) != 3 {
		t.Errorf("%d cosignatures for 3 heads", len(l.taken))
	}
}

// Where a desk stands is on disk before a signature leaves it: what was not
// sent is sent again, and a desk that cannot write signs nothing.
func TestADeskWritesBeforeItCosigns(t *testing.T) {
	l, d := watching(t, true)
	l.away = true
	if _, err := d.Witness(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the hub takes nothing: %v", err)
	}
	again, err := Open(t.Context(), Options{Dir: d.dir, Clock: l.w.clock, HTTP: d.http})
	must(t, err)
	l.away = false
	l.grow(6, 1, 2)
	other := *l // another history of the same size, while the desk was down
	l.hashes, l.leaves = nil, nil
	l.grow(5, 9, 2)
	if _, err := again.Witness(t.Context()); fault.KindOf(err) != fault.Conflict || len(l.taken) != 0 {
		t.Fatalf("a desk that was stopped forgot where it stands: %v", err)
	}
	*l = other
	if got, err := again.Witness(t.Context()); err != nil || !got.New || len(l.taken) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	l.grow(7, 1, 2)
	must(t, again.Close())
	if _, err := again.Witness(t.Context()); err == nil || len(l.taken) != 1 {
		t.Errorf("a desk that cannot write has signed: %v", err)
	}
}

func TestADeskRefusesWhatDoesNotFollow(t *testing.T) {
	for name, x := range map[string]struct {
		change func(l *logHub)
		says   string
	}{
		"fewer entries":         {func(l *logHub) { l.hashes, l.leaves = nil, nil; l.grow(3, 0, 2) }, "NOT COSIGNED"},
		"others of one size":    {func(l *logHub) { l.hashes, l.leaves = nil, nil; l.grow(5, 9, 2) }, "NOT COSIGNED"},
		"others, and more":      {func(l *logHub) { l.hashes, l.leaves = nil, nil; l.grow(9, 9, 3) }, "NOT COSIGNED"},
		"one key holder":        {func(l *logHub) { l.grow(6, 0, 1) }, "2 are needed"},
		"another log's key":     {func(l *logHub) { l.w.hub = newKey(t); l.grow(6, 0, 2) }, "refused"},
		"a head out of nowhere": {func(l *logHub) { l.note = []byte("log\n") }, "refused"},
	} {
		l, d := watching(t, true)
		_, err := d.Witness(t.Context())
		must(t, err)
		x.change(l)
		for range 2 { // asked again it does not give in
			if _, err := d.Witness(t.Context()); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), x.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
		files, err := filepath.Glob(filepath.Join(d.dir, "log-fork-*.json"))
		must(t, err)
		if want := strings.Contains(x.says, "NOT"); (len(files) == 1) != want || len(l.taken) != 1 {
			t.Errorf("%s: %d cosignatures, evidence in %v", name, len(l.taken), files)
		}
	}
	_, d := watching(t, false)
	if _, err := d.Witness(context.Background()); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a desk that is no witness: %v", err)
	}
}
