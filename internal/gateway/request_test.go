package gateway

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/law"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

// TestRequestBecomesCardAndPermit follows a request from the analyst to a permit.
func TestRequestBecomesCardAndPermit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		r := w.ask(smr())
		if r.State != Asked || r.Card.Answer.Answer != "yes" || len(r.Card.Answer.Duties) == 0 {
			t.Fatalf("%+v", r.Card.Answer)
		}
		var d Deadline
		for _, x := range r.Card.Deadlines {
			if x.Gateway == "AU-AMLCTF-41" {
				d = x
			}
		}
		// Monday 10 am in Sydney; three business days end on Thursday, local time.
		if want := time.Date(2026, 11, 26, 12, 59, 59, 0, time.UTC); !d.Due.Equal(want) {
			t.Errorf("due %v, want %v", d.Due.UTC(), want)
		}
		for at, want := range map[time.Duration]string{0: card.Open, 90 * time.Hour: card.Late} {
			if got := d.State(start.Add(at), time.Time{}); got != want {
				t.Errorf("after %v: %s, want %s", at, got, want)
			}
		}
		if d.State(start, start) != card.Met || d.State(start, start.Add(90*time.Hour)) != card.Missed {
			t.Error("done in time or late is not told apart")
		}
		r = w.approve(r, "AU-PRIV-APP62E")
		if r.State != Approved || !strings.Contains(r.Decision.Permit, "permit") {
			t.Errorf("%+v", r)
		}
		again, events, err := w.Get(ctx, officer, r.ID)
		must(t, err)
		if again.Decision.By != officer.ID || len(events) != 2 || events[1].What != "approved" {
			t.Errorf("%+v %+v", again.Decision, events)
		}
		want := []string{"gateway-request", "gateway-decision"}
		if got := w.log.kinds[len(w.log.kinds)-2:]; !slices.Equal(got, want) {
			t.Errorf("the log holds %v", got)
		}
		if _, _, err := w.Get(ctx, other, r.ID); !fault.Is(err, fault.NotFound) {
			t.Error("another organisation reads it", err)
		}
		if list, err := w.List(ctx, other, start.Add(time.Hour), 50); err != nil || len(list) != 0 {
			t.Error("another organisation lists it", list, err)
		}
	})
}

// TestUrgentDeadlineIsHours: suspicion of terrorism financing leaves 24 hours.
func TestUrgentDeadlineIsHours(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	d := smr()
	d.Urgent = true
	for _, x := range w.ask(d).Card.Deadlines {
		if x.Gateway == "AU-AMLCTF-41" && !x.Due.Equal(time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)) {
			t.Error(x.Due.UTC())
		}
	}
}

func TestWhoDecidesAndAboutWhat(t *testing.T) {
	w, ctx := newWorld(t, storetest.SQLite(t)), context.Background()
	r := w.ask(smr())
	shown := Shown{r.Edit, r.Card.Print}
	decide := func(who Person, s Shown, ids ...string) error {
		_, err := w.Approve(ctx, who, r.ID, s, ids, "")
		return err
	}
	self := Person{ID: analyst.ID, Organisation: "bank-a", Officer: true}
	refused(t, "an analyst decides", decide(analyst, shown, "AU-PRIV-APP62E"), fault.Forbidden)
	refused(t, "the requester decides", decide(self, shown, "AU-PRIV-APP62E"), fault.Forbidden)
	refused(t, "another organisation's officer decides", decide(other, shown, "AU-PRIV-APP62E"), fault.NotFound)
	refused(t, "another edit", decide(officer, Shown{2, r.Card.Print}, "AU-PRIV-APP62E"), fault.Conflict)
	refused(t, "another answer", decide(officer, Shown{1, "x"}, "AU-PRIV-APP62E"), fault.Conflict)
	refused(t, "a route that is none", decide(officer, shown, "AU-AMLCTF-41"), fault.Forbidden)
	refused(t, "no route", decide(officer, shown), fault.Forbidden)
	_, err := w.Refuse(ctx, officer, r.ID, shown, " ")
	refused(t, "a refusal without a reason", err, fault.Invalid)
	w.log.fail = errLog
	refused(t, "without the log", decide(officer, shown, "AU-PRIV-APP62E"), fault.Unavailable)
	w.log.fail = nil
	if got, _, _ := w.Get(ctx, analyst, r.ID); got.State != Asked {
		t.Error("something was decided though the log failed", got.State)
	}
	got, err := w.Refuse(ctx, officer, r.ID, shown, "the fields go beyond what is needed")
	must(t, err)
	if got.State != Refused || got.Decision.Reason == "" {
		t.Errorf("%+v", got.Decision)
	}
	refused(t, "a second decision", decide(officer, shown, "AU-PRIV-APP62E"), fault.Conflict)
}

// TestEditsVoid: any edit ends an approval, and only the requester edits.
func TestEditsVoid(t *testing.T) {
	w, ctx := newWorld(t, storetest.SQLite(t)), context.Background()
	r := w.approve(w.ask(smr()), "AU-PRIV-APP62E")
	_, err := w.Edit(ctx, officer, r.ID, 1, smr())
	refused(t, "the officer edits", err, fault.Forbidden)
	_, err = w.Edit(ctx, analyst, r.ID, 7, smr())
	refused(t, "an old edit", err, fault.Conflict)
	d := smr()
	d.Fields = append(d.Fields, "name of the payee")
	got, err := w.Edit(ctx, analyst, r.ID, 1, d)
	must(t, err)
	if got.State != Asked || got.Decision != nil || got.Edit != 2 {
		t.Errorf("%+v", got)
	}
	_, err = w.Approve(ctx, officer, r.ID, Shown{1, r.Card.Print}, []string{"AU-PRIV-APP62E"}, "")
	refused(t, "the decision about the old text", err, fault.Conflict)
	if _, err := w.Withdraw(ctx, analyst, r.ID); err != nil {
		t.Error(err)
	}
	_, err = w.Edit(ctx, analyst, r.ID, 2, d)
	refused(t, "an edit after withdrawal", err, fault.Conflict)
}

// TestLawDataThatAnswersOtherwiseVoids: other data leaves an approval whose
// answer is the same, and voids one whose answer is another.
func TestLawDataThatAnswersOtherwiseVoids(t *testing.T) {
	w, ctx := newWorld(t, storetest.SQLite(t)), context.Background()
	r := w.approve(w.ask(smr()), "AU-PRIV-APP62E")
	overlay := func(version, more string) law.Files {
		text := strings.Replace(string(law.SimulatedText()), "simulated.2", version, 1)
		return law.Files{Overlay: law.File{Name: "o.yaml", Raw: []byte(strings.Replace(text, "replaces: [AU-POOL-AGENT]\n", more, 1))}}
	}
	w.restart(overlay("simulated.3", "replaces: [AU-POOL-AGENT]\n"))
	if got, _, _ := w.Get(ctx, analyst, r.ID); got.State != Approved {
		t.Errorf("data that answers the same voids: %s", got.State)
	}
	w.restart(overlay("simulated.4", "replaces: [AU-POOL-AGENT]\nremoves: [AU-PRIV-APP62E]\n"))
	got, events, err := w.Get(ctx, analyst, r.ID)
	must(t, err)
	if got.State != Void || !strings.Contains(events[len(events)-1].Note, "simulated.4") || w.log.kinds[len(w.log.kinds)-1] != "gateway-void" {
		t.Errorf("%s %+v", got.State, events)
	}
	versions, err := w.Versions(ctx)
	if err != nil || len(versions) != 3 {
		t.Errorf("%d versions were kept: %v", len(versions), err)
	}
	back, err := law.Simulated(rand.Reader)
	must(t, err)
	w.restart(back)
	if got, _, _ := w.Get(ctx, analyst, r.ID); got.State != Void {
		t.Error("an approval came back by itself")
	}
}

func TestDraftsHoldNoValues(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for name, change := range map[string]func(*Draft){
		"an address":         func(d *Draft) { d.Fields = []string{"someone@mail-one.net"} },
		"a number":           func(d *Draft) { d.Fields = []string{"account 0123 4567"} },
		"a link":             func(d *Draft) { d.Recipient = "https://a.example" },
		"no fields":          func(d *Draft) { d.Fields = []string{" "} },
		"nobody asserts":     func(d *Draft) { d.Facts[0].By = "" },
		"a fact twice":       func(d *Draft) { d.Facts = append(d.Facts, d.Facts[0]) },
		"a fact and its not": func(d *Draft) { d.Facts = append(d.Facts, Assertion{"not:suspicion_formed", "x"}) },
		"an unknown flow":    func(d *Draft) { d.Flow = "parcel" },
		"no time":            func(d *Draft) { d.Started = "yesterday" },
		"no place":           func(d *Draft) { d.Place = "AU-XX" },
		"an unknown body":    func(d *Draft) { d.Question.To = "au.polise" },
	} {
		d := smr()
		change(&d)
		if _, err := w.Ask(context.Background(), analyst, d); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if detail("82,764 reports in 2024-25, recs 8.6-8.8 of 2026-11-23") || !detail("phone 0491 570 006") {
		t.Error("dates and numbers are not told apart")
	}
	if _, err := w.Ask(context.Background(), Person{ID: "x"}, smr()); !fault.Is(err, fault.Forbidden) {
		t.Error("somebody of no organisation asks", err)
	}
}
