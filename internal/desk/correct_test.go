package desk

import (
	"context"
	"testing"
	"time"

	"parallax/client"
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

// What was put right is hidden at the desk that read it, whatever the hub still
// delivers and whether or not it says it again; the desk signs a receipt and
// says whom of those that got the lead nobody has told.
func TestTheReaderHidesWhatWasCorrected(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, police := joinedPair(t, w)
	submitFile(t, bank, people)
	w.readyLead(opening.PlaybookStandard)
	id, err := police.Request(ctx, Ask{Lead: "l1", Purpose: "investigation", Basis: "b1", Reason: why})
	must(t, err)
	w.opening.State = "released"
	read, err := police.OpenLead(ctx, id)
	must(t, err)
	if len(read.Observations) != 2 || len(read.Corrected) != 0 {
		t.Fatalf("before: %+v", read)
	}
	if _, err := police.Refer(ctx, id, "Regional police", "sealed mail 12"); err != nil {
		t.Fatal(err)
	}
	correct := func(kind string) {
		t.Helper()
		w.clock.Advance(time.Minute)
		_, err := bank.Correct(ctx, Correction{Kind: kind, Reference: "R1", Reason: "mistaken"})
		must(t, err)
		w.corrected = append(w.corrected, client.CorrectedItem{Denial: w.denials[len(w.denials)-1], Openings: []string{id}, Waiting: true})
	}
	correct(opening.DenyFreeze)
	read, err = police.OpenLead(ctx, id)
	must(t, err)
	if len(read.Observations) != 1 || read.Observations[0].Payload.Reference != "R2" || len(read.Corrected) != 1 || read.Corrected[0].Kind != opening.DenyFreeze || read.Read.Items != 1 {
		t.Fatalf("frozen, and delivered all the same: %+v", read)
	}
	var rec client.CorrectionReceipt
	must(t, w.receipts[0].Open(client.CorrectionReceiptDomain, police.who.Public, &rec))
	if rec.Correction != opening.Digest(w.denials[0].Body) || rec.Reader != "police" {
		t.Errorf("receipt %+v", rec)
	}
	correct(opening.DenyUphold)
	if read, err = police.OpenLead(ctx, id); err != nil || len(read.Observations) != 2 {
		t.Errorf("upheld: %+v, %v", read, err)
	}
	correct(opening.DenyRevoke)
	_, err = police.Corrections(ctx)
	must(t, err)
	w.corrected = nil // a hub that forgets what it said
	if read, err = police.OpenLead(ctx, id); err != nil || len(read.Observations) != 1 || read.Corrected[0].Kind != opening.DenyRevoke {
		t.Errorf("revoked: %+v, %v", read, err)
	}
	w.clock.Advance(2 * time.Hour)
	list, err := police.Corrections(ctx)
	must(t, err)
	if untold, late := Untold(list, w.clock.Now()); len(list) != 3 || untold != 3 || late != 3 {
		t.Errorf("%d corrections, %d untold, %d late", len(list), untold, late)
	}
	if _, err := police.TellRecipient(ctx, list[2].ID, "Regional police", "sealed mail 13"); err != nil {
		t.Fatal(err)
	}
	if list, err = police.Corrections(ctx); err != nil || list[2].Told[0].How != "sealed mail 13" {
		t.Errorf("told: %+v, %v", list, err)
	}
	forged := w.denials[0]
	forged.Body = append([]byte{}, forged.Body...)
	forged.Body[10] ^= 1
	w.corrected = []client.CorrectedItem{{Denial: forged, Openings: []string{id}, Waiting: true}}
	if _, err := police.OpenLead(ctx, id); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a forged correction: %v", err)
	}
	if _, err := bank.Corrections(ctx); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a contributor asks for corrections: %v", err)
	}
}
