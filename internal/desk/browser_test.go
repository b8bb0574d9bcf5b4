package desk

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/opening"
)

// cookie is what a browser with a screen needs to be the visitor.
func (v *visitor) cookie() browsertest.Option {
	at, err := url.Parse(v.base)
	must(v.t, err)
	c := v.http.Jar.Cookies(at)[0]
	c.Path = "/"
	return browsertest.Cookie(c)
}

// see audits a page; what it takes to get there from the address comes first.
func (v *visitor) see(b *browsertest.Browser, name, path string, options ...browsertest.Option) {
	v.t.Helper()
	b.Audit(v.t, v.base+path, append(options, v.cookie(), browsertest.Shot("desk-"+name))...)
}

// presses fills in and sends the form that goes to an address, and waits for
// what the next page has.
func presses(action, fill, then string) browsertest.Option {
	return browsertest.Prepare(chromedp.Evaluate[chromedp.Void](`((f) => { `+fill+`; f.querySelector("button").click(); })(document.querySelector("form[action='`+action+`']"))`),
		chromedp.WaitVisible(chromedp.CSS(then)))
}

// What follows an opening, in its states: a case from the read lead to the
// outcome that the contributor hears of, and what is put right meanwhile.
func TestHandlingInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	w, bank, police, _ := opened(t)
	ctx := t.Context()
	p, c := visit(t, police).enter(), visit(t, bank).enter()
	p.see(b, "corrections-empty", "/corrections")
	p.see(b, "handling-not-read", "/openings/o1/handling")
	c.see(b, "correct-review", "/correct", presses("/correct/review", `f.elements.reference.value = "R1"; f.elements.reason.value = "Another person's number."`, "form[action='/correct']"))
	c.see(b, "correct-wrong", "/correct", presses("/correct/review", `f.elements.reference.value = "R77"; f.elements.reason.value = "x"`, "#problems"), browsertest.Arrives("/correct/review", http.StatusUnprocessableEntity))
	c.see(b, "withdraw", "/withdraw")
	if code, text := p.post("/openings/o1/lead", nil); code != http.StatusOK {
		t.Fatalf("reading: %d %s", code, main(text))
	}
	_, err := police.Refer(ctx, "o1", "Regional police", "sealed mail 12")
	must(t, err)
	for i, kind := range []string{opening.DenyFreeze, opening.DenyUphold, opening.DenyRevoke} {
		w.clock.Advance(time.Duration(i+1) * time.Minute)
		_, err := bank.Correct(ctx, Correction{Kind: kind, Reference: "R1", Reason: "It is another person's number."})
		must(t, err)
		w.corrected = append(w.corrected, client.CorrectedItem{Denial: w.denials[len(w.denials)-1], Openings: []string{"o1"}, Waiting: true})
	}
	p.see(b, "corrections", "/corrections")
	p.see(b, "lead-corrected", "/openings/o1", presses("/openings/o1/lead", ``, "#corrected"))
	must(t, police.Confirm(ctx, "a long passphrase"))
	for _, step := range []Choice{{Step: opening.StepDeconflict, Word: "cleared"}, {Step: opening.StepDecide, Word: "act", Child: "no-sign"}, {Step: opening.StepOutcome, Word: "investigation"}} {
		step.Reason = why
		_, err := police.Handle(ctx, "o1", step)
		must(t, err)
		p.see(b, "handled-"+step.Step, "/openings/o1/handling")
	}
	c.see(b, "outcomes-empty", "/outcomes")
}

// A broken glass, until it is reviewed.
func TestAReviewInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	w, second := brokenGlass(t)
	v := visit(t, second).enter()
	v.see(b, "review", "/openings/o1")
	v.see(b, "review-wrong", "/openings/o1", presses("/openings/o1/review", ``, "#problems"), browsertest.Arrives("/openings/o1/review", http.StatusUnprocessableEntity))
	must(t, second.Review(t.Context(), "o1", opening.ReviewNot, why))
	if w.opening.Review == nil {
		t.Fatal("no review")
	}
	v.see(b, "reviewed", "/openings/o1")
}

// brokenGlass is a world with an opening that broke the glass and is released,
// and the desk of one who may review it.
func brokenGlass(t *testing.T) (w *world, second *Desk) {
	t.Helper()
	ctx := t.Context()
	w = newWorld(t)
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	second, secondCard := w.desk(RoleApprover, "overseer-2", "")
	w.emergency = &opening.Emergency{OpenSeconds: 0, ReleaseEvery: 1, ReviewSeconds: 3600, Limit: 2}
	w.publish(policeCard, overCard, secondCard)
	for _, d := range []*Desk{police, overseer, second} {
		_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	submitFile(t, police, people)
	w.readyLead("")
	_, err := police.Request(ctx, Ask{Lead: "l1", Purpose: "investigation", Basis: "b1", Reason: why, Emergency: "child-at-risk"})
	must(t, err)
	_, err = overseer.Approve(ctx, "o1", why, nil)
	must(t, err)
	w.opening.State, w.opening.ReviewBy = "released", today.Add(time.Hour).UnixMicro()
	return w, second
}

// The whole task of a page without scripts: every form is a form.
func TestDesksWithoutScripts(t *testing.T) {
	b := browsertest.Open(t)
	w, bank, police, overseer := opened(t)
	w.opening.State = "requested"
	c := b.WithoutScripts(t)
	at := func(v *visitor) string { return v.base + "/?key=" + testKey }
	v := visit(t, bank)
	c.Open(at(v))
	c.Open(v.base + "/correct")
	c.Fill("/correct/review", map[string]string{"reference": "R1", "reason": "mistaken"}, "Is this what is to be put right?")
	c.Fill("/correct", nil, "Frozen: 1 observation")
	c.Open(v.base + "/withdraw")
	c.Fill("/withdraw/review", map[string]string{"reference": "R2", "reason": "mistaken"}, "Withdraw 1 observation")
	c.Fill("/withdraw", nil, "Withdrawn: 1 observation")
	c.Open(v.base + "/outcomes")
	c.Fill("/outcomes/fetch", nil, "Asked last")
	v = visit(t, overseer)
	c.Open(at(v))
	c.Follow("/openings/o1")
	c.Fill("/openings/o1/approve", map[string]string{"reason": why}, "")
	if len(w.opening.Approvals) != 1 {
		t.Errorf("%d approvals", len(w.opening.Approvals))
	}
	c.Follow("/openings/o1") // look again, by the link that polling leaves
	w.opening.State = "released"
	v = visit(t, police)
	c.Open(at(v))
	c.Follow("/openings/o1")
	c.Fill("/openings/o1/lead", nil, "Unverified")
	c.Open(v.base + "/openings/o1/handling")
	c.Fill("/openings/o1/handling", map[string]string{"word": "cleared", "reason": why}, "Could this be a child?")
	c.Open(v.base + "/openings/o1")
	c.Fill("/openings/o1/referrals", map[string]string{"to": "Regional police", "how": "sealed mail"}, "Regional police")
	v = visit(t, bank)
	c.Open(at(v))
	c.Follow("/check")
	c.Fill("/check", map[string]string{"path": file(t, "people.csv", "ref,email\nR9,another.person@gmail.com\n")}, "Would become observations")
	c.Follow("/submit/")
	c.Fill("/submit/", map[string]string{"basis": "b1"}, "")
	v.site.jobs.Wait()
	c.Open(v.base + "/submit")
	c.Want("acknowledged")
}
