package desk

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/seal/sealtest"
	"parallax/selector"
)

const people = "ref,email,mobile\nR1,first.person@gmail.com,0412 903 177\nR2,second.person@gmail.com,\nR2,second.person@gmail.com,\n"

var peopleMapping = Mapping{Reference: "ref", Strength: "=2", Columns: map[string]ColumnMapping{
	"email": {Class: selector.Email}, "mobile": {Class: selector.Phone, Country: "AU"}}}

func TestFromFileToReadLead(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, bankCard := w.desk(RoleContributor, "bank", "a long passphrase")
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	w.publish(bankCard, policeCard, overCard)
	pin := opening.Hash(w.setup.Transcript.Hash())
	if _, err := bank.Join(ctx, w.url, opening.Hash{1}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("a wrong pin: %v", err)
	}
	for _, d := range []*Desk{bank, police, overseer} {
		_, err := d.Join(ctx, w.url, pin)
		must(t, err)
	}
	path := file(t, "people.csv", people)
	p, err := bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if p.Observations != 2 || p.Done != 1 || !p.Fits() || p.Example == nil || len(p.Classes) != 2 || p.Classes[0].Points != 256 {
		t.Fatalf("plan %+v", p)
	}

	w.deaf = 2 // one holder left: nothing happens, and nothing is sent
	if _, err := bank.Submit(ctx, p, "b1", nil); err == nil || len(w.batches) != 0 {
		t.Fatalf("with one holder: %v, %d batches", err, len(w.batches))
	}
	w.deaf, w.down = 4, true
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the hub away: %v", err)
	}
	w.down = false
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	res, err := bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	if res.Resent != 1 || res.Observations != 0 || len(w.batches) != 1 || len(w.charges[0]) != 2 {
		t.Fatalf("resumed: %+v, %d batches, %d charged", res, len(w.batches), len(w.charges[0]))
	}
	s, err := bank.Status(ctx)
	must(t, err)
	if s.Contributions != 1 || s.Unsent != 0 || s.Rows != 2 || s.OpenBatches != 0 || !s.Admitted {
		t.Errorf("status %+v", s)
	}

	w.readyLead("")
	id, err := police.Request(ctx, Ask{Lead: "l1", Purpose: "investigation", Basis: "b1", Reason: "an exercise of the whole loop"})
	must(t, err)
	for _, d := range []*Desk{police, overseer} {
		_, err := d.Approve(ctx, id, "an exercise of the whole loop", nil)
		must(t, err)
	}
	if _, _, err := opening.Approved(w.manifest, w.opening.Request, w.opening.Approvals, today); err != nil {
		t.Errorf("approvals: %v", err)
	}
	lead, err := police.OpenLead(ctx, id)
	must(t, err)
	var text strings.Builder
	lead.Text(&text)
	if len(lead.Observations) != 2 || !strings.Contains(text.String(), "second.person@gmail.com") || !strings.Contains(text.String(), "Unverified") {
		t.Errorf("lead:\n%s", text.String())
	}
	w.tamper = func(it *client.FetchedItem, label seal.Label) {
		it.Observation.KEM, err = sealtest.Forge("pool", "e1", label)
		must(t, err)
	}
	if _, err := police.OpenLead(ctx, id); err == nil || !strings.Contains(fault.Sentence(err), "did not sign") {
		t.Errorf("an encapsulation that the hub swapped: %v", err)
	}
	w.tamper = func(it *client.FetchedItem, label seal.Label) {
		it.Observation.KEM, err = sealtest.Forge("pool", "e1", label)
		must(t, err)
		leaf, err := it.Observation.Leaf()
		must(t, err)
		it.Root, err = seal.Root([]seal.Leaf{leaf})
		must(t, err)
		it.Path = seal.Path{Index: 0, Count: 1, Nodes: []seal.Bytes32{}}
		it.BatchSig = seal.SignBatch(bank.signKey(), "pool", "e1", "bank", it.Root)
	}
	if _, err := police.OpenLead(ctx, id); err == nil || !strings.Contains(fault.Sentence(err), "What bank signed") {
		t.Errorf("an encapsulation that the member itself signed and that opens nothing: %v", err)
	}
	w.tamper = nil
	if _, err := overseer.OpenLead(ctx, id); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the overseer reads: %v", err)
	}
	raw, err := os.ReadFile(police.readsPath())
	must(t, err)
	must(t, os.WriteFile(police.readsPath(), []byte(strings.Replace(string(raw), "police", "nobody", 1)+string(raw)), 0o600))
	if _, err := police.OpenLead(ctx, id); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a changed read log: %v", err)
	}

	wd, err := bank.Withdraw(ctx, "R2", "mistaken")
	if err != nil || !wd.Done || wd.Observations != 1 || wd.Need != 2 || !wd.Hub {
		t.Errorf("withdrawal %+v, %v", wd, err)
	}
	w.deaf = 2
	if wd, err = bank.Withdraw(ctx, "R2", "mistaken"); err != nil || wd.Done {
		t.Errorf("one acknowledgement is not enough: %+v, %v", wd, err)
	}
}

func TestRefusedContributionAndBudget(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	path := file(t, "people.csv", people)
	w.refuse = true
	p, err := bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "observation 1") {
		t.Errorf("refused: %v", err)
	}
	w.refuse = false
	p, err = bank.Plan(ctx, File(path), peopleMapping)
	must(t, err)
	if res, err := bank.Submit(ctx, p, "b1", nil); err != nil || res.Observations != 2 || len(w.charges[0]) != 2 {
		t.Errorf("after the refusal: %+v, %v, charged %d", res, err, len(w.charges[0]))
	}
	var many strings.Builder
	many.WriteString("ref,email,mobile\n")
	for i := range 400 {
		fmt.Fprintf(&many, "N%d,person.number%d@gmail.com,\n", i, i)
	}
	p, err = bank.Plan(ctx, File(file(t, "many.csv", many.String())), peopleMapping)
	must(t, err)
	before := len(w.charges[0])
	if _, err := bank.Submit(ctx, p, "b1", nil); p.Fits() || fault.KindOf(err) != fault.Invalid || len(w.charges[0]) != before {
		t.Errorf("over budget: %v", err)
	}
}

func TestPossibleVictimPayloadIsEmpty(t *testing.T) {
	p := payload("bank", Record{Role: opening.RolePossibleVictim, Note: "n", Reference: "R", Selectors: []selector.Selector{{Class: selector.Email, Value: "v"}}})
	if p.Note != "" || len(p.Selectors) != 0 || p.Reference != "R" {
		t.Errorf("%+v", p)
	}
}

func TestStoreShowsNothing(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "secret words")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
	must(t, err)
	_, err = bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	must(t, bank.Close())
	names, err := filepath.Glob(filepath.Join(bank.dir, "*"))
	must(t, err)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		must(t, err)
		for _, word := range []string{"first.person", "903177"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s contains %q in the clear", filepath.Base(name), word)
			}
		}
	}
	if _, _, err := loadIdentity(bank.dir, "other words"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := Init(t.TempDir(), bank.Profile(), "eleven char", rand.Reader); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a short passphrase: %v", err)
	}
	if _, err := Init(bank.dir, bank.Profile(), "", rand.Reader); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second init: %v", err)
	}
}

func TestPayloadIsBounded(t *testing.T) {
	rec := Record{Reference: "R"}
	for range opening.MaxTags {
		rec.Selectors = append(rec.Selectors, selector.Selector{Class: selector.URL, Value: strings.Repeat(`"`, 2000)})
	}
	raw, err := payload("bank", rec).bounded()
	if err != nil || len(raw) > maxPayload || len(raw) < maxPayload/2 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}
