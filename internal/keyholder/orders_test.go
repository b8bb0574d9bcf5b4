package keyholder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// When an order counts, by this holder's own clock, and where it has a place.
func TestOrdersToTheEdge(t *testing.T) {
	w := newWorld(t)
	h, now := w.holders[0], w.clock.Now().UnixMicro()
	window := signed.Window.Microseconds()
	for name, c := range map[string]struct {
		change func(o *client.ReshareOrder)
		want   string
	}{
		"in order":           {func(*client.ReshareOrder) {}, ""},
		"expired now":        {func(o *client.ReshareOrder) { o.Issued, o.Expires = now-1, now }, "expired"},
		"not yet expired":    {func(o *client.ReshareOrder) { o.Issued, o.Expires = now-1, now+1 }, ""},
		"as clocks may be":   {func(o *client.ReshareOrder) { o.Issued = now + window }, ""},
		"from the future":    {func(o *client.ReshareOrder) { o.Issued = now + window + 1 }, "future"},
		"with another name":  {func(o *client.ReshareOrder) { o.Holders[0].ID = "holder-9" }, "of another body"},
		"without this one":   {func(o *client.ReshareOrder) { o.Holders[0] = w.stranger("Else"); o.Holders[0].Index = 1 }, ""},
		"for the authority":  {func(o *client.ReshareOrder) { o.Holders[2] = w.stranger("Police") }, "belongs to the authority"},
		"of two generations": {func(o *client.ReshareOrder) { o.Generation = 2 }, "does not follow"},
	} {
		so := w.order(w.setup, c.change)
		o, err := h.checkOrder(so)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (o.Generation != 1 || len(o.Dealers) != 2) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if _, err := h.checkOrder(w.order(w.setup, nil, "gov-1")); err == nil {
		t.Error("one governor's order was taken")
	}
	// A new holder has no manifest yet; the dealers tell it.
	h.state.manifest = opening.Manifest{}
	if _, err := h.checkOrder(w.order(w.setup, func(o *client.ReshareOrder) { o.Holders[2] = w.stranger("Police") })); err != nil {
		t.Errorf("without a manifest: %v", err)
	}
}

// A refresh needs nobody's word; a second order for one generation, or a new
// body, needs this holder's operator to have allowed exactly that order.
func TestOrdersNeedTheOperatorsWord(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	ask := func(what string, so client.SignedOrder, want bool) {
		t.Helper()
		o, err := so.Open(w.plan.Governance)
		must(t, err)
		if got, err := h.consents(o, so.Digest()); err != nil || got != want {
			t.Errorf("%s: consents %t, %v", what, got, err)
		}
	}
	allow := func(so client.SignedOrder) {
		must(t, replaceFile(filepath.Join(h.dir, consentFile), []byte(`"`+so.Digest().String()+`"`)))
	}
	first := w.order(w.setup, nil)
	second := w.order(w.setup, func(o *client.ReshareOrder) { o.Attempt = 2 })
	moved := w.order(w.setup, func(o *client.ReshareOrder) { o.Holders[2] = w.stranger("Else") })
	later := w.order(w.setup, func(o *client.ReshareOrder) { o.Generation = 2 })
	ask("a refresh", first, true)
	ask("a new body", moved, false)
	allow(second)
	ask("a new body, where another order is allowed", moved, false)
	allow(moved)
	ask("a new body that is allowed", moved, true)
	must(t, h.keepNext(first.Digest(), nextShares{Order: first}))
	ask("the order whose word was given", first, true)
	ask("another for the same generation", second, false)
	ask("one for another generation", later, true)
	allow(second)
	ask("another that is allowed", second, true)

	o, err := first.Open(w.plan.Governance)
	must(t, err)
	if err := os.WriteFile(nextPath(h.dir, second.Digest()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ok, err := h.consents(o, first.Digest()); ok || err == nil {
		t.Errorf("where it cannot be told what was given: %t, %v", ok, err)
	}
	must(t, os.Remove(nextPath(h.dir, second.Digest())))
	must(t, os.WriteFile(filepath.Join(h.dir, consentFile), []byte("{"), 0o600))
	m, err := moved.Open(w.plan.Governance)
	must(t, err)
	if ok, err := h.consents(m, moved.Digest()); ok || err == nil {
		t.Errorf("where it cannot be told what is allowed: %t, %v", ok, err)
	}
}

// A holder acts on one order of a generation at a time, and only goes forward.
func TestOrdersGoForward(t *testing.T) {
	h := newWorld(t).holders[0]
	for i, c := range []struct {
		generation, attempt int
		digest              byte
		want                bool
	}{
		{1, 2, 1, true}, {1, 2, 1, true}, {1, 2, 2, false}, {1, 1, 3, false}, {1, 3, 4, true}, {1, 2, 1, false}, {2, 1, 5, true},
	} {
		n, err := h.begin(client.ReshareOrder{Generation: c.generation, Attempt: c.attempt}, opening.Hash{c.digest})
		if (err == nil) != c.want || err == nil && n.Order != (opening.Hash{c.digest}) {
			t.Errorf("%d: %+v, %v, want taken %t", i, n, err, c.want)
		}
	}
	must(t, os.WriteFile(filepath.Join(h.dir, actedFile), []byte("{"), 0o600))
	if _, err := h.begin(client.ReshareOrder{Generation: 3, Attempt: 1}, opening.Hash{6}); err == nil {
		t.Error("where it cannot be told what was acted on")
	}
}

// A checkpoint counts by fresh cosignatures of a quorum and where it follows
// from what this holder witnessed.
func TestCheckpointsToTheEdge(t *testing.T) {
	w := newWorld(t)
	w.evidence()
	h := w.holders[0]
	note, last, at := w.tick(), h.state.last(), w.clock.Now()
	size := int64(len(w.log.openings))
	proof, err := tlog.ProveConsistency(last.Size, size, w.log.store)
	must(t, err)
	b := opening.Bundle{Checkpoint: note, Consistency: proof}
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{
		{0, true}, {maxCheckpointAge, true}, {maxCheckpointAge + time.Microsecond, false}, {-5 * time.Minute, true}, {-5*time.Minute - time.Microsecond, false},
	} {
		if cp, err := h.verifyCheckpoint(b, last, at.Add(c.age)); (err == nil) != c.want || err == nil && cp.Size != size {
			t.Errorf("of %s ago: %v, want taken %t", c.age, err, c.want)
		}
	}
	ahead := last
	ahead.Size = size + 1
	if _, err := h.verifyCheckpoint(b, ahead, at); err == nil || !strings.Contains(err.Error(), "is behind") {
		t.Errorf("behind: %v", err)
	}
	behind := last
	behind.Size = size - 1
	if _, err := h.verifyCheckpoint(b, behind, at); err == nil || !strings.Contains(err.Error(), "does not start at") {
		t.Errorf("a proof from elsewhere: %v", err)
	}
	other := b
	other.Consistency.New++
	if _, err := h.verifyCheckpoint(other, last, at); err == nil || !strings.Contains(err.Error(), "does not start at") {
		t.Errorf("a proof to elsewhere: %v", err)
	}
	forked := last
	forked.Root[0] ^= 1
	if _, err := h.verifyCheckpoint(b, forked, at); err == nil || !strings.Contains(err.Error(), "does not follow") {
		t.Errorf("a fork: %v", err)
	}
	h.state.manifest = opening.Manifest{}
	if _, err := h.verifyCheckpoint(b, last, at); err == nil || !strings.Contains(err.Error(), "no manifest yet") {
		t.Errorf("without a manifest: %v", err)
	}
}
