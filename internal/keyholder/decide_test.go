package keyholder

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf"
	"parallax/signed"
	"parallax/tlog"
)

// The hub logs an entry for something else than it shows: each field of the
// entry counts.
func TestHoldersRefuseEntriesOfSomethingElse(t *testing.T) {
	for name, change := range map[string]func(r *opening.RequestRecord){
		"another type":      func(r *opening.RequestRecord) { r.Type = "batch" },
		"another pool":      func(r *opening.RequestRecord) { r.Pool = "other" },
		"another request":   func(r *opening.RequestRecord) { r.Request[0] ^= 1 },
		"an approval fewer": func(r *opening.RequestRecord) { r.Approvals = r.Approvals[:1] },
		"another approval":  func(r *opening.RequestRecord) { r.Approvals[1][0] ^= 1 },
		"an approval more":  func(r *opening.RequestRecord) { r.Approvals = append(r.Approvals, opening.Hash{}) },
	} {
		t.Run("request: "+name, func(t *testing.T) {
			w := newWorld(t)
			a := w.request(w.evidence(), 0)
			a.record = change
			w.assemble(a)
			if _, err := w.holders[0].Open(a.bundle); err == nil || !strings.Contains(fault.Sentence(err), "another request or other approvals") {
				t.Errorf("%v", err)
			}
		})
	}
	for name, change := range map[string]func(r *opening.BatchRecord){
		"another type":         func(r *opening.BatchRecord) { r.Type = "request" },
		"another pool":         func(r *opening.BatchRecord) { r.Pool = "other" },
		"another epoch":        func(r *opening.BatchRecord) { r.Epoch = "2025-11" },
		"another organisation": func(r *opening.BatchRecord) { r.Org = "bank-b" },
		"another batch":        func(r *opening.BatchRecord) { r.Root[0] ^= 1 },
	} {
		t.Run("batch: "+name, func(t *testing.T) {
			w := newWorld(t)
			items := w.evidence()
			r := opening.BatchRecord{Type: "batch", Pool: "pool", Epoch: "2026-11", Org: "bank-a", Root: items[0].item.Root}
			change(&r)
			items[0].index = w.log.append(t, r)
			a := w.request(items, 0)
			w.assemble(a)
			if _, err := w.holders[0].Open(a.bundle); err == nil || !strings.Contains(fault.Sentence(err), "log entry is for another batch") {
				t.Errorf("%v", err)
			}
		})
	}
}

// An observation that came into the log after its request does not open, least
// of all at a holder that was down when it came and cannot tell its age.
func TestAHolderThatWasDownWaits(t *testing.T) {
	w := newWorld(t)
	a := w.request(w.evidence(), 0)
	w.assemble(a)
	all := w.holders
	w.holders = all[:2]
	a.items[0].index = w.log.append(t, opening.BatchRecord{Type: "batch", Pool: "pool", Epoch: "2026-11", Org: "bank-a", Root: a.items[0].item.Root})
	note := w.tick()
	for i, h := range all {
		b := a.bundle
		b.Checkpoint, b.RequestLog, b.Items = note, w.proof(b.RequestLog.Inclusion.Index), nil
		for _, c := range a.items {
			it := c.item
			it.Log = w.proof(c.index)
			b.Items = append(b.Items, it)
		}
		var err error
		b.Consistency, err = tlog.ProveConsistency(h.Status().LogSize, int64(len(w.log.openings)), w.log.store)
		must(t, err)
		if _, err := h.Open(b); !errors.Is(err, opening.ErrWait) || !strings.Contains(fault.Sentence(err), "observation 1 was not in the witnessed log") || len(h.state.releases) > 0 {
			t.Errorf("holder %d: %v", i+1, err)
		}
	}
}

// Each line is a batch that its sender signed, or did not, as it should not be.
func TestHoldersRefuseABatch(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	good := func() (client.BatchManifest, []group.Point) {
		points := make([]group.Point, 256)
		for i := range points {
			var err error
			_, points[i], err = oprf.Blind([]byte("x"), rand.Reader)
			must(t, err)
		}
		root, err := client.PointsRoot(points)
		must(t, err)
		return client.BatchManifest{Pool: "pool", Epoch: "2026-11", Organisation: "bank-a", Class: "email", Count: len(points), Root: root,
			Transcript: w.manifest.Transcript}, points
	}
	for name, c := range map[string]struct {
		change func(b *client.BatchManifest, points *[]group.Point)
		signer string
		want   string
	}{
		"in order":               {},
		"another's signature":    {signer: "platform-a", want: "not signed by the sender"},
		"another pool":           {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Pool = "other" }, want: "another pool, epoch or organisation"},
		"another epoch":          {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Epoch = "2025-11" }, want: "another pool, epoch or organisation"},
		"another organisation":   {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Organisation = "platform-a" }, want: "another pool, epoch or organisation"},
		"an unknown class":       {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Class = "phone" }, want: "does not admit"},
		"fewer points than said": {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Count = 512 }, want: "as its manifest says"},
		"points of no size": {change: func(b *client.BatchManifest, p *[]group.Point) {
			*p = (*p)[:100]
			b.Count = 100
			root, err := client.PointsRoot(*p)
			must(t, err)
			b.Root = root
		}, want: "as its manifest says"},
		"no points":        {change: func(_ *client.BatchManifest, p *[]group.Point) { *p = nil }, want: "power of two"},
		"another ceremony": {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Transcript = opening.Hash{1} }, want: "another ceremony"},
		"other points":     {change: func(b *client.BatchManifest, _ *[]group.Point) { b.Root[0] ^= 1 }, want: "not those"},
	} {
		man, points := good()
		if c.change != nil {
			c.change(&man, &points)
		}
		if c.signer == "" {
			c.signer = "bank-a"
		}
		o, err := signed.Sign(client.BatchDomain, c.signer, w.keys[c.signer], man)
		must(t, err)
		_, _, _, err = h.checkBatch("bank-a", client.EvaluateRequest{Batch: o, Points: points})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(fault.Sentence(err), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, by := range map[string][2]string{"under another's name": {"platform-a", "bank-a"}, "with another's key": {"bank-a", "platform-a"}} {
		man, points := good()
		o, err := signed.Sign(client.BatchDomain, by[0], w.keys[by[1]], man)
		must(t, err)
		if _, _, _, err = h.checkBatch("bank-a", client.EvaluateRequest{Batch: o, Points: points}); err == nil || !strings.Contains(fault.Sentence(err), "not signed by the sender") {
			t.Errorf("a batch %s: %v", name, err)
		}
	}
}

// Whose messages a holder takes: members that are active and not suspended, and
// the hub of its plan.
func TestHoldersRefuseWhoIsNotRegistered(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	check := func(id string, want bool) {
		t.Helper()
		if got := h.memberKey(id); (got != nil) != want || want && !got.Equal(pub(w.keys[id])) {
			t.Errorf("%s: key %x, want one %t", id, got, want)
		}
	}
	check("bank-a", true)
	check("officer", false)
	w.deny(opening.Denial{Kind: opening.DenySuspend, Member: "bank-a"}, "gov-1")
	check("bank-a", false)
	check("platform-a", true)
	w.next(func(m *opening.Manifest) { m.Members[1].Status = opening.Suspended })
	check("platform-a", false)
	check("hotline-a", true)
	if h.hubKey("bank-a") != nil || !h.hubKey("hub").Equal(w.plan.Hub.Key) {
		t.Error("the hub's key")
	}
	body := struct{}{}
	for name, c := range map[string]struct {
		o    signed.Object
		kind fault.Kind
	}{
		"a stranger":      {w.message(h, "stranger", client.PathCosign, `{}`), fault.Forbidden},
		"for another act": {w.message(h, "hub", client.PathDeny, `{}`), fault.Forbidden},
		"no JSON":         {w.message(h, "hub", client.PathCosign, `{"x":1}`), fault.Invalid},
	} {
		if _, err := h.sender(c.o, client.PathCosign, h.hubKey, &body); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.sender(w.message(h, "hub", client.PathCosign, `{}`), client.PathCosign, h.hubKey, &body); err != nil {
		t.Error(err)
	}
}

func (w *world) message(h *Server, sender, path, body string) signed.Object {
	w.t.Helper()
	o, err := signed.NewMessage(h.who.ID, sender, path, []byte(body), w.keys[sender], w.clock.Now(), rand.Reader)
	must(w.t, err)
	return o
}

// A request that waits is noted once, with the time at which it may open; asking
// again writes nothing.
func TestAWaitingReleaseIsNotedOnce(t *testing.T) {
	w := newWorld(t)
	a := w.request(w.evidence(), 0)
	a.wait = time.Minute
	w.assemble(a)
	h := w.holders[0]
	var sizes []int64
	for range 3 {
		if _, err := h.Open(a.bundle); !errors.Is(err, opening.ErrWait) {
			t.Fatal(err)
		}
		st, err := os.Stat(filepath.Join(h.dir, journalFile))
		must(t, err)
		sizes = append(sizes, st.Size())
	}
	p, ok := h.state.pending[opening.Digest(a.bundle.Request.Body)]
	if !ok || p.NotBefore <= w.clock.Now().UnixMicro() || sizes[0] != sizes[1] || sizes[1] != sizes[2] {
		t.Errorf("%+v, journal of %d bytes", p, sizes)
	}
}
