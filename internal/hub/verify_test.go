package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	outside "parallax/internal/auditor"
	"parallax/internal/fault"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/tlog"
)

// instead answers one address itself.
type instead struct {
	path string
	body []byte
}

// RoundTrip implements http.RoundTripper.
func (x instead) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != x.path {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(x.body)), Header: http.Header{}, Request: r}, nil
}

func (w *world) verify(o outside.Options) (outside.Report, error) {
	o.Hub, o.Clock = w.url, w.clock
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	return outside.Check(context.Background(), o)
}

// The whole of what `parallax verify --hub` does, against a real hub and real
// key holders, and what it says when something was changed.
func TestAHubIsVerifiedFromOutside(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), fewLeaves)
	state := filepath.Join(t.TempDir(), "seen.json")
	o := outside.Options{State: state}
	if r, err := w.verify(o); !errors.Is(err, client.ErrNoCheckpoint) || !strings.Contains(r.Problem, "no witnessed checkpoint yet") {
		t.Errorf("a log without a checkpoint: %v", err)
	}
	w.tick(0)
	first := w.checkpointNote()
	r, err := w.verify(o)
	if err != nil || r.Result != outside.Verified || r.Entries != 8 || r.Earlier != nil || len(r.Holders.Signed) != 3 || r.Pinned {
		t.Fatalf("%+v, %v", r, err)
	}
	w.tick(time.Minute)
	steps := 0
	r, err = w.verify(outside.Options{State: state, Pin: w.man.Transcript, Progress: func(done, all int) { steps = all - done }})
	if err != nil || r.Entries != 16 || r.Earlier == nil || r.Earlier.Size != 8 || !r.Pinned || steps != 0 || r.Tiles != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	kept, err := os.ReadFile(state)
	must(t, err)
	for name, x := range map[string]struct {
		change func(s map[string]any)
		http   http.RoundTripper
		o      outside.Options
		result string
		kind   fault.Kind
		says   string
	}{
		"other entries": {change: func(s map[string]any) {
			s["head"].(map[string]any)["Root"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		},
			result: outside.Forked, kind: fault.Conflict, says: "THE LOG WAS CHANGED"},
		"fewer entries": {change: func(s map[string]any) { s["head"].(map[string]any)["Size"] = 24 },
			result: outside.Forked, kind: fault.Conflict, says: "entries are missing"},
		"a shorter chain of manifests":  {change: func(s map[string]any) { s["manifest"] = 2 }, result: outside.Failed, kind: fault.Conflict, says: "had shown 2"},
		"another manifest":              {change: func(s map[string]any) { s["manifest_digest"] = strings.Repeat("0", 64) }, result: outside.Failed, kind: fault.Conflict, says: "two of one version"},
		"another ceremony than before":  {change: func(s map[string]any) { s["transcript"] = strings.Repeat("0", 64) }, result: outside.Failed, kind: fault.Conflict, says: "key ceremony"},
		"another pin than before":       {o: outside.Options{Pin: opening.Hash{1}}, result: outside.Failed, kind: fault.Invalid, says: "another --state"},
		"a state of another hub":        {change: func(s map[string]any) { s["hub"] = "https://other.example" }, result: outside.Failed, kind: fault.Invalid, says: "belongs to the hub"},
		"a state that is none":          {change: func(s map[string]any) { delete(s, "head") }, result: outside.Failed, kind: fault.Invalid, says: "no state"},
		"an older checkpoint is shown":  {http: instead{client.PathLog + "checkpoint", first}, result: outside.Failed, kind: fault.Conflict, says: "withheld"},
		"desks are asked for":           {o: outside.Options{Desks: 1}, result: outside.Failed, kind: fault.Conflict, says: "desk witnesses"},
		"a checkpoint without a quorum": {http: instead{client.PathLog + "checkpoint", tlog.SignCheckpoint(tlog.Checkpoint{Origin: w.hub.o.Identity.Origin, Size: 16}, w.hub.o.Identity.logKey())}, result: outside.Failed, kind: fault.Conflict, says: "0 key holders"},
		"a receipt that is not there":   {o: outside.Options{Receipts: map[string]outside.Receipt{"r.json": {}}}, result: outside.Failed, kind: fault.Conflict, says: "does not hold the entry of r.json"},
		"read-only, as the hub says": {http: instead{client.PathStatus, []byte(`{"read_only":[{"witness":"holder-2","size":99,"since":"2026-11-02T09:00:00Z"}]}`)},
			result: outside.ReadOnly, kind: fault.Unavailable, says: "read-only since 2026-11-02 09:00 UTC, because holder-2 has witnessed 99"},
	} {
		x.o.State = filepath.Join(t.TempDir(), "seen.json")
		var s map[string]any
		must(t, json.Unmarshal(kept, &s))
		if x.change != nil {
			x.change(s)
		}
		raw, err := json.Marshal(s)
		must(t, err)
		must(t, os.WriteFile(x.o.State, raw, 0o600))
		if x.http != nil {
			x.o.HTTP = &http.Client{Transport: x.http}
		}
		r, err := w.verify(x.o)
		if err == nil || r.Result != x.result || fault.KindOf(err) != x.kind || !strings.Contains(r.Problem, x.says) {
			t.Errorf("%s: %s, %v", name, r.Result, err)
		}
		if again, err := os.ReadFile(x.o.State); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: the state was changed", name)
		}
		if x.result == outside.Forked {
			if text, err := os.ReadFile(r.Evidence); err != nil || !bytes.Contains(text, []byte(`"earlier"`)) {
				t.Errorf("%s: no evidence: %v", name, err)
			}
		}
	}
	// A tick is under way at the first looks: whoever waits sees its end.
	late := &lateCheckpoint{note: first, looks: 3}
	if r, err := w.verify(outside.Options{HTTP: &http.Client{Transport: late}, Again: late.again}); err != nil || r.Entries != 16 || late.looks != 0 {
		t.Errorf("a tick under way: %+v, %v", r, err)
	}
	// A key holder that has cosigned another history says so itself.
	w.tick(time.Minute)
	must(t, os.WriteFile(state, kept, 0o600))
	if r, err := w.verify(o); err != nil || r.Entries != 24 {
		t.Fatalf("%+v, %v", r, err)
	}
	w.clock.Advance(25 * time.Hour)
	if r, err := w.verify(o); err != nil || !strings.Contains(strings.Join(r.Checks, "\n"), "25 hours old") {
		t.Errorf("an old checkpoint of a demonstration: %+v, %v", r, err)
	}
}

// lateCheckpoint shows an older checkpoint until it was looked at so many times.
type lateCheckpoint struct {
	note  []byte
	looks int
}

func (l *lateCheckpoint) again(context.Context, int) bool { l.looks--; return l.looks >= 0 }

func (l *lateCheckpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.looks > 0 {
		return instead{client.PathLog + "checkpoint", l.note}.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *world) checkpointNote() []byte {
	w.t.Helper()
	_, note, err := w.hub.tlog.Latest(context.Background())
	must(w.t, err)
	return note
}

// A split view: one key holder was shown another history. Its own signed word
// against the hub's log is enough for whoever checks.
func TestASplitViewIsFoundFromOutside(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.otherHistory(w.man.Holders[1], 3)
	_ = w.hub.Tick(context.Background())
	if !w.hub.tlog.ReadOnly() {
		t.Fatal("the log goes on")
	}
	r, err := w.verify(outside.Options{})
	if err == nil || r.Result != outside.Forked || !strings.Contains(r.Problem, "A key holder has cosigned that other history") {
		t.Errorf("%+v, %v", r, err)
	}
	st, err := w.hub.Status(context.Background())
	if err != nil || len(st.ReadOnly) != 1 || st.ReadOnly[0].Witness != "holder-2" || st.ReadOnly[0].Size != 3 || !st.ReadOnly[0].Since.Equal(start) {
		t.Errorf("the hub says %+v, %v", st, err)
	}
}
