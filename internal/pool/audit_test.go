package pool

import (
	"context"
	"crypto/ed25519"
	"testing"

	"parallax/client"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/seal"
	"parallax/selector"
)

// An auditor's view of a batch is what its organisation signed, and a ticket of
// something else gives nothing.
func TestAnAuditorSeesWhatWasSigned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := scope.With(context.Background(), scope.Pool())
		a, b := w.observe("org-0", nil, tag{selector.Email, "one"}), w.observe("org-0", nil, tag{selector.Email, "two"})
		o, err := w.send("org-0", a, b)
		must(t, err)
		r, err := client.CheckReceipt(o, keyOf("hub").Public().(ed25519.PublicKey))
		must(t, err)
		got, err := w.pool.Audit(ctx, []string{r.Ticket, "nothing"})
		must(t, err)
		x := got[r.Ticket]
		if len(got) != 1 || len(x.Observations) != 2 || len(x.Leaves) != 2 || x.Logged != 0 {
			t.Fatalf("%+v", got)
		}
		root, err := seal.Root(x.Leaves)
		must(t, err)
		must(t, seal.VerifyBatch(keyOf("org-0").Public().(ed25519.PublicKey), "pool", "2026-11", "org-0", root, x.Sig))
		for i, c := range []client.Contributed{a, b} {
			if _, label, err := x.Observations[i].Verify(); err != nil || label != labelsOf(t, []client.Contributed{c})[0] {
				t.Errorf("observation %d: %v", i, err)
			}
		}
	})
}
