package hub

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/store/storetest"
)

const day = 24 * time.Hour

// The hub's clock jumps, those of its key holders do not. Meanwhile nothing that
// members contributed expires, what is public is served, and each round names
// the disagreement; afterwards the log goes on and everything is as before. When
// the holders' clocks say so too, what is over does end.
func TestAClockThatJumpsDestroysNothing(t *testing.T) {
	own := clock.Manual(start)
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.Clock = own })
	ctx := context.Background()
	round := func() {
		t.Helper()
		for range 2 {
			must(t, w.hub.Tick(ctx))
		}
	}
	receipts := make(map[string]client.Receipt)
	for i, kind := range []string{"payment-pattern", "account-report", "report"} {
		_, receipts[orgs[i].id] = w.contribute(orgs[i].id, "somebody@example.org", kind, nil)
	}
	both := func(d time.Duration) { own.Advance(d); w.clock.Advance(d) }
	round()
	both(2 * time.Hour)
	round()
	if n := len(w.leads()); n != 1 {
		t.Fatalf("%d leads before the clock jumps", n)
	}
	size := int64(0)
	for _, jump := range []time.Duration{3 * time.Hour, -2 * day, 40 * day, -400 * day, 400 * day, 4000 * day} {
		own.Advance(jump)
		for range 2 {
			if err := w.hub.Tick(ctx); err == nil || !strings.Contains(err.Error(), "outside the allowed window") {
				t.Errorf("with the clock off by %s a round must say that holders do not agree: %v", jump, err)
			}
		}
		if n := w.live(); n != 3 {
			t.Errorf("a clock off by %s ended %d of 3 observations", jump, 3-n)
		}
		var note []byte
		must(t, client.Get(ctx, http.DefaultClient, w.url+client.PathCheckpoint, &note))
		own.Set(w.clock.Now())
		round()
		st, err := w.hub.Status(ctx)
		must(t, err)
		if st.LogSize <= size || len(st.ReadOnly) > 0 {
			t.Errorf("after the clock was off by %s the log has %d witnessed entries after %d: %+v", jump, st.LogSize, size, st.ReadOnly)
		}
		size = st.LogSize
		if n := len(w.leads()); n != 1 {
			t.Errorf("%d leads after the clock was off by %s", n, jump)
		}
	}
	for id, r := range receipts {
		var p client.ReceiptProof
		must(t, w.call(id, client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, &p))
		if p.State != client.ReceiptLogged || p.Log == nil {
			t.Errorf("%s: its receipt is proven no more: %+v", id, p)
		}
	}
	both(400 * day)
	round()
	if n := w.live(); n != 0 {
		t.Errorf("%d of 3 observations live on after their time", n)
	}
}

// live counts the observations that have not ended.
func (w *world) live() int64 {
	w.t.Helper()
	l, err := w.hub.pool.Life(context.Background())
	must(w.t, err)
	return l.Live
}
