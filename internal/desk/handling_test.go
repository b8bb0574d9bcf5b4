package desk

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

const why = "An exercise with nobody in it."

// opened gives a world with a lead that the police desk has requested and that
// is released, and the desks.
func opened(t *testing.T) (w *world, bank, police, overseer *Desk) {
	t.Helper()
	ctx := context.Background()
	w = newWorld(t)
	w.daily = 4096
	bank, bankCard := w.desk(RoleContributor, "bank", "")
	police, policeCard := w.desk(RoleAuthority, "police", "a long passphrase")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	w.publish(bankCard, policeCard, overCard)
	for _, d := range []*Desk{bank, police, overseer} {
		_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
	must(t, err)
	_, err = bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	w.readyLead("")
	_, err = police.Request(ctx, Ask{Lead: "l1", Purpose: "investigation", Basis: "b1", Reason: why})
	must(t, err)
	w.opening.State = "released"
	return w, bank, police, overseer
}

// From an opened lead to what the contributor is told, at the desks' pages.
func TestFromLeadToOutcome(t *testing.T) {
	w, bank, police, overseer := opened(t)
	ctx := context.Background()
	v := visit(t, police).enter()
	at := "/openings/o1/handling"
	code, text := v.get(at)
	v.want("not read yet", code, http.StatusOK, text, "Suspected, not decided", "has not been read at this desk", "Show the log entries that this will write")
	code, text = v.post("/openings/o1/lead", nil)
	v.want("read", code, http.StatusOK, text, "What next with this lead")
	step := func(name, before string, values url.Values, want ...string) {
		t.Helper()
		values.Set("step", name)
		values.Set("before", before)
		if !values.Has("reason") {
			values.Set("reason", why)
		}
		code, text := v.post(at, values)
		status := http.StatusOK
		if strings.HasPrefix(want[0], "!") {
			status, want[0] = http.StatusUnprocessableEntity, want[0][1:]
		}
		v.want(name, code, status, text, want...)
	}
	last := func() string {
		c, err := police.Case(ctx, "o1")
		must(t, err)
		return c.Case.Last.String()
	}
	step("deconflict", last(), url.Values{}, "!Choose one")
	step("deconflict", last(), url.Values{"word": {"cleared"}, "reason": {"short"}}, "!Write the reason")
	first := last()
	step("deconflict", first, url.Values{"word": {"cleared"}}, "Could this be a child?", "Nobody else works on this")
	code, text = v.post(at, url.Values{"step": {"deconflict"}, "before": {first}, "word": {"hold"}, "reason": {why}})
	v.want("a page of before", code, http.StatusConflict, text, "Another step was signed")
	step("decide", last(), url.Values{"word": {"act"}}, "!Answer first whether this could be a child")
	step("decide", last(), url.Values{"word": {"act"}, "child": {"possible"}}, "!protect or refer")
	step("decide", last(), url.Values{"word": {"refer"}, "child": {"no-sign"}}, "!A referral names the organisation")
	step("decide", last(), url.Values{"word": {"act"}, "child": {"no-sign"}}, "Decided: Act", "Record an outcome")
	step("outcome", last(), url.Values{"word": {"investigation"}}, "Release the outcome to contributors", "Gateway decision to tell bank")
	step("release", last(), url.Values{"conditions": {"own-use"}}, "!Name the gateway decision")
	step("release", last(), url.Values{"tell-bank": {"G-7"}}, "!Choose at least one condition")
	step("release", last(), url.Values{"tell-bank": {"G-7"}, "conditions": {"tell-nobody", "own-use"}, "earliest": {"2026-12-01"}}, "Tell further contributors of the outcome", "Reason: "+why)

	c := visit(t, bank).enter()
	code, text = c.get("/outcomes")
	c.want("nothing asked yet", code, http.StatusOK, text, "Nothing has been released", "has not asked yet")
	code, text = c.post("/outcomes/fetch", nil)
	c.want("told", code, http.StatusOK, text, "An investigation was opened", "R1, R2", "Do not tell or contact the person", "G-7", "Asked last")
	if fresh, err := bank.FetchOutcomes(ctx); err != nil || fresh != 0 {
		t.Errorf("asked again: %d new, %v", fresh, err)
	}
	if _, err := overseer.Case(ctx, "o1"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("oversight handles a lead: %v", err)
	}
	released := w.opening.Handling[3]
	w.opening.Handling = w.opening.Handling[1:] // the hub leaves a step out
	if _, err := police.Case(ctx, "o1"); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "does not hold") {
		t.Errorf("a step was left out: %v", err)
	}
	log, err := os.ReadFile(police.readsPath())
	must(t, err)
	var h opening.Handling
	must(t, signed.Unmarshal(released.Body, &h))
	if len(h.Provenance) != 1 || h.Provenance[0] != smrDerived { // a bank that did not say so may have reported
		t.Errorf("the flags of the release: %v", h.Provenance)
	}
	if strings.Contains(string(log), why) || !strings.Contains(string(log), `"act":"decide act"`) {
		t.Error("the desk's log holds a reason, or lacks a step")
	}
}

// A note that is not the authority's, or for another member, is refused.
func TestAForeignNoteIsRefused(t *testing.T) {
	w, bank, police, overseer := opened(t)
	ctx := context.Background()
	n := opening.Note{Pool: "pool", To: "bank", Labels: w.lead.Labels[:1], Outcome: "charges", Conditions: []string{"own-use"}, Gateway: "G", Author: "overseer"}
	for name, d := range map[string]*Desk{"oversight": overseer, "another member": police} {
		if d == police {
			n.Author, n.To = "police", "platform"
		}
		o, err := signed.Sign(opening.NoteDomain, d.who.ID, d.signKey(), n)
		must(t, err)
		w.notes = []signed.Object{o}
		if _, err := bank.FetchOutcomes(ctx); fault.KindOf(err) != fault.Invalid {
			t.Errorf("signed by %s: %v", name, err)
		}
		if list, _, err := bank.Outcomes(ctx); err != nil || len(list) != 0 {
			t.Errorf("kept: %+v %v", list, err)
		}
	}
}

// Two leads that share an identifier are found at the desk alone.
func TestOverlapsAreFoundAtTheDesk(t *testing.T) {
	tag := func(n byte) opening.Hash { return opening.Hash{n} }
	all := map[string]mark{"a": {Read: 1, Tags: []opening.Hash{tag(1), tag(2)}}, "b": {Read: 2, Tags: []opening.Hash{tag(2), tag(3)}}, "c": {Read: 3, Tags: []opening.Hash{tag(4)}}}
	if got := overlaps(all, "a"); len(got) != 1 || got[0].Opening != "b" || got[0].Tags != 1 {
		t.Errorf("%+v", got)
	}
	if got := overlaps(all, "c"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A desk asks again who is there before it signs: its passphrase, or the secret
// that was registered at a desk with a key file.
func TestStepUp(t *testing.T) {
	w, _, police, overseer := opened(t)
	ctx := context.Background()
	handle := func() error {
		_, err := police.Handle(ctx, "o1", Choice{Step: "deconflict", Word: "cleared", Reason: why})
		return err
	}
	w.clock.Advance(5*time.Minute + time.Second) // since the desk was opened
	if err := handle(); fault.KindOf(err) != fault.Forbidden || len(w.opening.Handling) != 0 {
		t.Fatalf("after five minutes: %v", err)
	}
	if err := police.Confirm(ctx, "another passphrase"); fault.KindOf(err) != fault.Forbidden {
		t.Fatalf("a wrong passphrase: %v", err)
	}
	must(t, police.Confirm(ctx, "a long passphrase"))
	w.clock.Advance(-time.Hour) // a clock set back makes nothing fresh
	if err := handle(); err == nil {
		t.Fatal("confirmed in the future")
	}
	w.clock.Advance(time.Hour)
	v := visit(t, police).enter()
	must(t, handle())
	w.clock.Advance(6 * time.Minute)
	c, err := police.Case(ctx, "o1")
	must(t, err)
	values := url.Values{"step": {"decide"}, "before": {c.Case.Last.String()}, "word": {"act"}, "child": {"no-sign"}, "reason": {why}, "confirm": {"wrong"}}
	code, text := v.post("/openings/o1/handling", values)
	v.want("a wrong passphrase", code, http.StatusUnprocessableEntity, text, "That is not the passphrase of this desk", "Nothing was signed", why)
	values.Set("confirm", "a long passphrase")
	code, text = v.post("/openings/o1/handling", values)
	v.want("the passphrase", code, http.StatusOK, text, "Decided: Act")
	if strings.Contains(text, "f-confirm") {
		t.Error("it asks again at once")
	}

	w.opening.State = "requested"
	if _, err := overseer.Approve(ctx, "o1", why, nil); err != nil {
		t.Errorf("a key file and no secret: %v", err)
	}
	if err := overseer.RegisterStepUp(ctx, "short"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a short secret: %v", err)
	}
	must(t, overseer.RegisterStepUp(ctx, "a long step-up secret"))
	if _, err := overseer.Approve(ctx, "o1", why, nil); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("not confirmed: %v", err)
	}
	if err := overseer.RegisterStepUp(ctx, "another long secret"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("replaced without the old one: %v", err)
	}
	must(t, overseer.Confirm(ctx, "a long step-up secret"))
	if _, err := overseer.Approve(ctx, "o1", why, nil); err != nil {
		t.Errorf("confirmed: %v", err)
	}
	w.clock.Advance(time.Hour)
	if _, err := overseer.Halt(ctx, "exercise"); err != nil {
		t.Errorf("to halt never asks who it is: %v", err)
	}
}

// A broken glass: requested on a listed ground only, shown as one, reviewed by
// an oversight approver who did not approve it.
func TestABrokenGlassAtTheDesk(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	second, secondCard := w.desk(RoleApprover, "overseer-2", "")
	w.emergency = &opening.Emergency{OpenSeconds: 0, ReleaseEvery: 1, ReviewSeconds: 3600, Limit: 2}
	w.publish(policeCard, overCard, secondCard)
	for _, d := range []*Desk{police, overseer, second} {
		_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	p, err := police.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
	must(t, err)
	_, err = police.Submit(ctx, p, "b1", nil)
	must(t, err)
	w.readyLead("")
	v := visit(t, police).enter()
	code, text := v.get("/leads/l1")
	v.want("request", code, http.StatusOK, text, "Is harm imminent?", "A child is at risk of harm now")
	grounds := url.Values{"basis": {"b1"}, "playbook": {"standard"}, "emergency": {"press-interest"}, "labels": {labelsDigest(w.lead)}, "reason": {why}}
	code, text = v.post("/leads/l1/review", grounds)
	v.want("another ground", code, http.StatusUnprocessableEntity, text, "Choose a ground of the list")
	grounds.Set("emergency", "child-at-risk")
	code, text = v.post("/leads/l1/review", grounds)
	v.want("review", code, http.StatusOK, text, "Break-glass", "24 hours after it is signed")
	code, text = v.post("/leads/l1", grounds)
	v.want("requested", code, http.StatusOK, text, "This request breaks the glass")
	_, err = overseer.Approve(ctx, "o1", why, nil)
	must(t, err)
	w.opening.State, w.opening.ReviewBy = "released", today.Add(time.Hour).UnixMicro()

	if err := overseer.Review(ctx, "o1", opening.ReviewUpheld, why); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "does not review") {
		t.Errorf("who approved reviews: %v", err)
	}
	o := visit(t, second).enter()
	code, text = o.get("/openings/o1")
	o.want("to review", code, http.StatusOK, text, "Was the harm imminent", "Review of the broken glass")
	code, text = o.post("/openings/o1/review", url.Values{"reason": {why}})
	o.want("no finding", code, http.StatusUnprocessableEntity, text, "Choose a finding")
	code, text = o.post("/openings/o1/review", url.Values{"reason": {why}, "finding": {"not-upheld"}})
	o.want("reviewed", code, http.StatusOK, text, "Reviewed by overseer-2")
}

// What would not fit, or is not padded, is no digest.
func TestDigestsHaveOneSize(t *testing.T) {
	empty, err := client.PackNotes(nil)
	must(t, err)
	if len(empty) != client.OutcomesSize {
		t.Errorf("%d bytes", len(empty))
	}
	for name, buf := range map[string][]byte{"short": empty[:100], "long": append([]byte{}, append(empty, 0)...), "a lie": append([]byte{0xff}, empty[1:]...)} {
		if _, err := client.OpenNotes(opening.Manifest{}, "bank", buf); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
