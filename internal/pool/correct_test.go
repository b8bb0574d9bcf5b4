package pool

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// correct sends a correction that author signs.
func (w *world) correct(kind, author string, labels ...seal.Label) error {
	w.t.Helper()
	d := opening.Denial{Kind: kind, Pool: "pool", Labels: labels, Author: author, Reason: "mistaken", Time: w.clock.Now().UnixMicro()}
	if _, ok := w.man.Member(author); ok {
		d.Member = author
	}
	if kind == opening.DenyAmend {
		d.Instead = []seal.Label{{9}}
	}
	_, err := rand.Read(d.Nonce[:])
	must(w.t, err)
	o, err := signed.Sign(opening.DenialDomain, author, keyOf(author), d)
	must(w.t, err)
	first, err := w.pool.Correct(context.Background(), w.man, w.gov, author, o)
	if err != nil {
		return err
	}
	again, err := w.pool.Correct(context.Background(), w.man, w.gov, author, o)
	must(w.t, err)
	if string(again.Body) != string(first.Body) {
		w.t.Error("the same correction gave another receipt")
	}
	return nil
}

// counted says which of the labels count towards leads now.
func (w *world) counted(labels ...seal.Label) (n int) {
	w.t.Helper()
	list, err := w.pool.Live(context.Background(), labels)
	must(w.t, err)
	items, err := w.pool.Items(context.Background(), labels)
	must(w.t, err)
	for _, it := range items {
		if it.Live {
			n++
		}
	}
	if n != len(list) {
		w.t.Errorf("%d count as items and %d as observed", n, len(list))
	}
	return n
}

func TestCorrections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.man.Approvers = []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority, Key: keyOf("officer").Public().(ed25519.PublicKey)}}
		w.gov = opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Key: keyOf("gov").Public().(ed25519.PublicKey)}}}
		var labels []seal.Label
		for _, org := range []string{"org-0", "org-1", "org-2"} {
			labels = append(labels, w.put(org, tag{selector.Email, "someone@example.org"}))
		}
		w.link()
		own := func() (live, withdrawn int) {
			list, err := w.pool.own(context.Background(), scope.Of("org-0"), newest, 10)
			must(t, err)
			for _, x := range list {
				live, withdrawn = live+x.Live, withdrawn+x.Withdrawn
			}
			return live, withdrawn
		}

		must(t, w.correct(opening.DenyFreeze, "org-0", labels...))
		if n := w.counted(labels...); n != 2 {
			t.Fatalf("%d count after a member froze its own, want 2", n)
		}
		if live, _ := own(); live != 1 {
			t.Errorf("the member sees %d kept", live)
		}
		must(t, w.correct(opening.DenyUphold, "org-0", labels[0]))
		if n := w.counted(labels...); n != 3 {
			t.Fatalf("%d count after the decision to keep, want 3", n)
		}
		if err := w.correct(opening.DenyUphold, "org-0", labels[0]); fault.KindOf(err) != fault.Conflict {
			t.Errorf("upholding what is not frozen: %v", err)
		}

		// What the authority does shows to no contributor.
		must(t, w.correct(opening.DenyFreeze, "officer", labels[0]))
		must(t, w.correct(opening.DenyRevoke, "officer", labels[1]))
		if n := w.counted(labels...); n != 1 {
			t.Fatalf("%d count, want 1", n)
		}
		if live, withdrawn := own(); live != 1 || withdrawn != 0 {
			t.Errorf("the member sees %d kept, %d withdrawn", live, withdrawn)
		}
		w.clock.Advance(opening.FreezeLife + time.Hour)
		if err := w.correct(opening.DenyUphold, "officer", labels[0]); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a decision after 30 days: %v", err)
		}
		must(t, w.correct(opening.DenyThaw, "gov", labels[0], labels[1]))
		if n := w.counted(labels...); n != 2 {
			t.Fatalf("%d count after governance thawed, want 2: what was revoked stays so", n)
		}

		must(t, w.correct(opening.DenyAmend, "org-0", labels[0], labels[2]))
		if n := w.counted(labels...); n != 1 {
			t.Fatalf("%d count after an amendment, want 1: another's observation is not its own to correct", n)
		}
		if live, withdrawn := own(); live != 0 || withdrawn != 1 {
			t.Errorf("the member sees %d kept, %d withdrawn", live, withdrawn)
		}
		if err := w.correct(opening.DenyRevoke, "stranger", labels[0]); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a stranger: %v", err)
		}
	})
}

// A tag lasts 12 months at most, that of a phone number 6.
func TestTagsEndInTime(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.man.KeysEnd = 0
	w.man.Classes = append(w.man.Classes, opening.ClassRule{Class: selector.Phone, RuleVersion: 1, DailyBudget: 1000})
	for _, c := range []struct {
		class  selector.Class
		months int
		ok     bool
	}{{selector.Email, 12, true}, {selector.Email, 13, false}, {selector.Phone, 6, true}, {selector.Phone, 7, false}} {
		x := w.observe("org-0", func(h *opening.Header) { h.Tags[0].Expires = start.AddDate(0, c.months, 0).UnixMicro() }, tag{c.class, "+61412903177"})
		if _, err := w.send("org-0", x); (err == nil) != c.ok {
			t.Errorf("%s for %d months: %v", c.class, c.months, err)
		}
	}
}
