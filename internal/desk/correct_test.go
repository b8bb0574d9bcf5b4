package desk

import (
	"context"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// joinedPair gives a bank's and the authority's desk in one pool.
func joinedPair(t *testing.T, w *world) (bank, police *Desk) {
	t.Helper()
	bank, bankCard := w.desk(RoleContributor, "bank", "")
	police, policeCard := w.desk(RoleAuthority, "police", "")
	w.publish(bankCard, policeCard)
	for _, d := range []*Desk{bank, police} {
		_, err := d.Join(t.Context(), w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	return bank, police
}

func submitFile(t *testing.T, d *Desk, text string) {
	t.Helper()
	p, err := d.Plan(t.Context(), File(file(t, "rows.csv", text)), peopleMapping)
	must(t, err)
	_, err = d.Submit(t.Context(), p, "b1", nil)
	must(t, err)
}

func TestCorrectAtTheDesk(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.daily = 4096
	bank, police := joinedPair(t, w)
	submitFile(t, bank, "ref,email,mobile\nR1,first.person@gmail.com,\n")
	if _, err := bank.Correct(ctx, Correction{Kind: opening.DenyAmend, Reference: "R1", Reason: "r"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("nothing takes its place: %v", err)
	}
	w.clock.Advance(time.Hour)
	submitFile(t, bank, "ref,email,mobile\nR1,first.personne@gmail.com,\n")
	den, _, err := bank.correction(ctx, Correction{Kind: opening.DenyAmend, Reference: "R1", Reason: "r"})
	must(t, err)
	own, err := bank.Own(ctx, "R1")
	must(t, err)
	for _, o := range own {
		if old := o.Record.Selectors[0].Value == "first.person@gmail.com"; old != (o.Label == den.Labels[0]) || old == (o.Label == den.Instead[0]) {
			t.Errorf("the last submission takes the place of the first: %+v", den)
		}
	}
	for _, kind := range []string{opening.DenyFreeze, opening.DenyUphold, opening.DenyAmend, opening.DenyRevoke} {
		if x, err := bank.Correct(ctx, Correction{Kind: kind, Reference: "R1", Reason: "r"}); err != nil || !x.Done || !x.Hub {
			t.Errorf("%s: %+v, %v", kind, x, err)
		}
	}
	if _, err := bank.Correct(ctx, Correction{Kind: opening.DenyFreeze, Labels: []seal.Label{{1}}}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a contributor by label: %v", err)
	}
	if x, err := police.Correct(ctx, Correction{Kind: opening.DenyFreeze, Labels: den.Labels, Reason: "r"}); err != nil || x.Observations != 1 {
		t.Errorf("the authority by label: %+v, %v", x, err)
	}
	if _, err := police.Correct(ctx, Correction{Kind: opening.DenyAmend, Labels: den.Labels, Reason: "r"}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the authority replaces: %v", err)
	}
}
