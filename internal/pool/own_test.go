package pool

import (
	"context"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/seal"
	"parallax/selector"
)

func TestAMemberSeesItsOwnReceipts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		mail := tag{selector.Email, "one"}
		a, b := w.observe("org-0", nil, mail), w.observe("org-0", nil, tag{selector.Email, "two"})
		_, err := w.send("org-0", a, b)
		must(t, err)
		w.put("org-1", mail)
		w.clock.Advance(time.Minute)
		w.log.covered = true
		must(t, w.pool.MarkLogged(ctx))
		w.log.covered = false
		w.put("org-0", tag{selector.Email, "three"})
		w.clock.Advance(time.Minute)
		_, err = w.withdraw("org-0", labelsOf(t, []client.Contributed{a})...)
		must(t, err)

		list, err := w.pool.own(ctx, scope.Of("org-0"), newest, 10)
		must(t, err)
		if len(list) != 3 {
			t.Fatalf("%d acts: %+v", len(list), list)
		}
		if x := list[0]; !x.Withdrawal || x.Observations != 1 || x.Logged {
			t.Errorf("the withdrawal: %+v", x)
		}
		if x := list[1]; x.Withdrawal || x.Observations != 1 || x.Live != 1 || x.Logged {
			t.Errorf("the second batch: %+v", x)
		}
		if x := list[2]; x.Observations != 2 || x.Live != 1 || x.Withdrawn != 1 || !x.Logged {
			t.Errorf("the first batch: %+v", x)
		}
		// The same list, one row at a time.
		at := newest
		for i, want := range list {
			page, err := w.pool.own(ctx, scope.Of("org-0"), at, 1)
			must(t, err)
			if len(page) != 1 || page[0].Ticket != want.Ticket {
				t.Fatalf("page %d: %+v", i, page)
			}
			at = sentBefore{page[0].Received.UnixMicro(), page[0].Ticket}
		}
		if rest, err := w.pool.own(ctx, scope.Of("org-0"), at, 1); err != nil || len(rest) != 0 {
			t.Errorf("after the last: %+v, %v", rest, err)
		}
		if other, err := w.pool.own(ctx, scope.Of("org-2"), newest, 10); err != nil || len(other) != 0 {
			t.Errorf("a member that sent nothing: %+v, %v", other, err)
		}
	})
}

// The structure of a lead: what is near an observation, and what is live.
func TestNearAndLive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		a, b := w.put("org-0", tag{selector.Email, "one"}), w.put("org-1", tag{selector.Email, "one"})
		c := w.put("org-2", tag{selector.Email, "two"})
		w.link()
		near, err := w.pool.Near(ctx, a)
		must(t, err)
		if len(near) != 2 {
			t.Fatalf("near a: %+v", near)
		}
		_, err = w.withdraw("org-1", b)
		must(t, err)
		live, err := w.pool.Live(ctx, []seal.Label{a, b, c})
		must(t, err)
		if len(live) != 2 || live[0].Label == b || live[1].Label == b {
			t.Errorf("live: %+v", live)
		}
		w.link()
		if near, err = w.pool.Near(ctx, b); err != nil || len(near) != 0 {
			t.Errorf("near what was withdrawn: %+v, %v", near, err)
		}
	})
}
