package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/law/lawtest"
	"parallax/internal/gateway/route"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

// renew lays files down and lets the running hub look.
func (w *world) renew(files law.Files) (bool, error) {
	return w.Renew(context.Background(), func() (law.Files, error) { return files, nil })
}

func (w *world) version() string {
	_, version, _ := strings.Cut(w.Law().Set.Meta.DataVersion, "+")
	return version
}

func (w *world) state(r Request) (Request, []Event) {
	w.t.Helper()
	got, events, err := w.Get(context.Background(), analyst, r.ID)
	must(w.t, err)
	return got, events
}

// TestAPublishedVersionComesIntoUse: it voids what it answers otherwise, keeps what
// it does not touch, and says why.
func TestAPublishedVersionComesIntoUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, counsel := newWorld(t, db), lawtest.New(t)
		w.restart(counsel.Publish("bank.1", "2026-11-01", nil))
		touched := w.approve(w.ask(smr()), "AU-PRIV-APP62E")
		other := smr()
		other.Question.To, other.Question.Wants = "au.fiu", "austrac_info"
		untouched := w.approve(w.ask(other), "AU-AMLCTF-41")

		w.now.Advance(time.Hour)
		next := counsel.Publish("bank.2", "2026-11-01", map[string]func(*route.Gateway){
			"AU-PRIV-APP62E": func(g *route.Gateway) {
				g.Conditions = "Only after a second officer agreed."
				g.Obligations = map[string]string{"note": "make it the same day"}
			}})
		changed, err := w.renew(next)
		if err != nil || !changed || w.version() != "bank.2" {
			t.Fatal(changed, err, w.version())
		}
		got, events := w.state(touched)
		why := events[len(events)-1].Note
		for _, s := range []string{"bank.2", "the conditions of AU-PRIV-APP62E are other ones: Only after a second officer agreed.", "make it the same day"} {
			if got.State != Void || !strings.Contains(why, s) {
				t.Errorf("%s, because %q; it does not say %q", got.State, why, s)
			}
		}
		if got, _ := w.state(untouched); got.State != Approved {
			t.Errorf("an approval that nothing changes for is %s", got.State)
		}
		if kinds := w.log.kinds[len(w.log.kinds)-2:]; !slices.Equal(kinds, []string{"gateway-law", "gateway-void"}) {
			t.Errorf("the log ends with %v", kinds)
		}
		if changed, err := w.renew(next); changed || err != nil {
			t.Error("the same files change something", changed, err)
		}
		// The version before, laid down again, is a change that the log shows too; what
		// was voided does not come back by it.
		w.now.Advance(time.Hour)
		if changed, err := w.renew(counsel.Publish("bank.1", "2026-11-01", nil)); !changed || err != nil {
			t.Fatal(changed, err)
		}
		if kinds := w.log.kinds; kinds[len(kinds)-1] != "gateway-law" {
			t.Errorf("going back is not in the log: %v", kinds)
		}
		if got, _ := w.state(touched); got.State != Void {
			t.Errorf("an approval came back by itself: %s", got.State)
		}
	})
}

// TestVersionsThatARunningHubRefuses: each leaves the version in use, its
// approvals and its decisions, says why once, and is looked at again when it is
// mended.
func TestVersionsThatARunningHubRefuses(t *testing.T) {
	w, counsel := newWorld(t, storetest.SQLite(t)), lawtest.New(t)
	w.restart(counsel.Publish("bank.1", "2026-11-01", nil))
	r := w.approve(w.ask(smr()), "AU-PRIV-APP62E")
	rows := map[string]func(*route.Gateway){"AU-PRIV-APP62E": nil}
	good := counsel.Publish("bank.2", "2026-11-01", rows)
	overlay := lawtest.Overlay(t, "bank.2", rows)
	with := func(change func(*law.Files)) law.Files { f := good; change(&f); return f }
	for name, c := range map[string]struct {
		files law.Files
		says  string
	}{
		"one signature":         {counsel.Sign(overlay, "bank.2", "2026-11-01", "", 1), "two counsel"},
		"another deployment's":  {with(func(f *law.Files) { f.Counsel = lawtest.New(t).List }), "two counsel"},
		"edited after signing":  {with(func(f *law.Files) { f.Overlay.Raw = append(slices.Clone(f.Overlay.Raw), "\n# more\n"...) }), "not the one that counsel signed"},
		"not signed":            {with(func(f *law.Files) { f.Published, f.Counsel = law.File{}, law.File{} }), "not signed by two counsel"},
		"no overlay at all":     {law.Files{}, "not signed by two counsel"},
		"a publication missing": {with(func(f *law.Files) { f.Published.Raw = []byte("{") }), "no publication"},
		"tomorrow's":            {counsel.Publish("bank.2", "2026-11-24", rows), "2026-11-24"},
		"yesterday's":           {counsel.Sign(overlay, "bank.2", "2026-11-01", "2026-11-22", 2), "2026-11-22"},
		"written for other rows": {counsel.Sign([]byte(strings.Replace(string(overlay), "2026-11-23.2", "2026-11-23.1", 1)), "bank.2", "2026-11-01", "", 2),
			"written for data 2026-11-23.1"},
		"an unknown code": {counsel.Sign([]byte(strings.Replace(string(overlay), "pool_agent]", "pool_agnt]", 1)), "bank.2", "2026-11-01", "", 2), "pool_agnt"},
		"no YAML":         {counsel.Sign([]byte("gateways: {"), "bank.2", "2026-11-01", "", 2), "line"},
	} {
		t.Run(name, func(t *testing.T) {
			changed, err := w.renew(c.files)
			if err == nil || changed || !strings.Contains(fault.Sentence(err), c.says) {
				t.Errorf("changed %v, %v", changed, err)
			}
			if x := w.Refused(); x == nil || !x.At.Equal(start) || !strings.HasSuffix(x.Why, ".") {
				t.Errorf("nobody is told: %+v", x)
			}
			if _, err := w.renew(c.files); err != nil {
				t.Error("the same refusal is told twice a day", err)
			}
			if got, _ := w.state(r); w.version() != "bank.1" || got.State != Approved {
				t.Errorf("version %s, the approval is %s", w.version(), got.State)
			}
			if _, err := w.lawful(opens()); err != nil {
				t.Error("the standing decision does not carry any more", err)
			}
		})
	}
	unreadable := errors.New("the disk is gone")
	if _, err := w.Renew(context.Background(), func() (law.Files, error) { return law.Files{}, unreadable }); !errors.Is(err, unreadable) || w.Refused() == nil {
		t.Error("files that cannot be read", err)
	}
	if changed, err := w.renew(good); !changed || err != nil || w.Refused() != nil {
		t.Error("the mended version", changed, err, w.Refused())
	}
}

// TestEffectiveDates: a version that is signed for later waits for its day, and
// when what counsel signed is over nothing leaves under it any more.
func TestEffectiveDates(t *testing.T) {
	w, counsel := newWorld(t, storetest.SQLite(t)), lawtest.New(t)
	ends := counsel.Sign(lawtest.Overlay(t, "bank.1", nil), "bank.1", "2026-11-01", "2026-11-25", 2)
	w.restart(ends)
	d := smr()
	d.Flow = law.FlowReferral
	r := w.approve(w.ask(d), "AU-PRIV-APP62E")
	refer := Flow{Kind: law.FlowReferral, Decision: r.ID, To: "police", ToActor: "au.police", By: analyst.ID, Organisation: "bank-a", Ref: "referral-1"}
	flows := func() []error {
		_, standing := w.lawful(opens())
		_, person := w.lawful(refer)
		return []error{standing, person}
	}
	later := counsel.Publish("bank.2", "2026-11-27", nil)
	for _, day := range []struct {
		date    string
		files   law.Files
		version string
		refused bool // nothing may leave
	}{
		{"2026-11-25", later, "bank.1", false}, // the last day of what is in use
		{"2026-11-26", later, "bank.1", true},  // it is over, and the next one waits
		{"2026-11-27", later, "bank.2", false},
	} {
		at, err := time.Parse(time.DateOnly, day.date)
		must(t, err)
		w.now.Set(at)
		_, err = w.renew(day.files)
		if (err != nil) == (day.version == "bank.2") || w.version() != day.version {
			t.Errorf("%s: %v, %s is in use", day.date, err, w.version())
		}
		for _, err := range flows() {
			if (err != nil) != day.refused || err != nil && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: a flow is answered %v", day.date, err)
			}
		}
	}
}

// TestNothingIsDecidedBetweenVersions: what an officer saw under one version is not
// approved under another.
func TestNothingIsDecidedBetweenVersions(t *testing.T) {
	w, counsel := newWorld(t, storetest.SQLite(t)), lawtest.New(t)
	w.restart(counsel.Publish("bank.1", "2026-11-01", nil))
	r := w.ask(smr())
	w.now.Advance(time.Hour)
	_, err := w.renew(counsel.Publish("bank.2", "2026-11-01", map[string]func(*route.Gateway){"AU-PRIV-APP62E": lawtest.Condition("Only in writing.")}))
	must(t, err)
	_, err = w.Approve(context.Background(), officer, r.ID, Shown{r.Edit, r.Card.Print}, []string{"AU-PRIV-APP62E"}, "")
	refused(t, "an approval of the answer before", err, fault.Conflict)
	_, card, err := Evaluate(w.Law(), r.Draft)
	must(t, err)
	if _, err = w.Approve(context.Background(), officer, r.ID, Shown{r.Edit, card.Print}, []string{"AU-PRIV-APP62E"}, ""); err != nil {
		t.Error("the answer of today", err)
	}
}
