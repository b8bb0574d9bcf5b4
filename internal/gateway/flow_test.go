package gateway

import (
	"context"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

func (w *world) lawful(f Flow) (r Ruling, err error) {
	w.t.Helper()
	return r, w.db.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		r, err = w.Lawful(ctx, tx, f)
		return err
	})
}

func opens() Flow {
	return Flow{Kind: law.FlowOpening, Decision: "basis-1", To: "police", By: "officer", Organisation: "police", Ref: "opening-1"}
}

// TestFlowsNeedADecision: each thing that could be wrong refuses, and what goes
// carries its decision and is in the log.
func TestFlowsNeedADecision(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r, err := w.lawful(opens())
		must(t, err)
		if r.Decision != "basis-1" || len(r.Route) != 1 || r.Route[0] != "SIM-POOL-OPENING" || w.log.kinds[len(w.log.kinds)-1] != "gateway-flow" {
			t.Errorf("%+v %v", r, w.log.kinds)
		}
		flows, err := w.Flows(context.Background(), "basis-1", 5)
		if err != nil || len(flows) != 1 || flows[0].Ref != "opening-1" || flows[0].Recipient != "police" {
			t.Errorf("%+v %v", flows, err)
		}
		for name, change := range map[string]func(*Flow){
			"no decision":          func(f *Flow) { f.Decision = "" },
			"an unknown decision":  func(f *Flow) { f.Decision = "basis-2" },
			"another kind of flow": func(f *Flow) { f.Kind = law.FlowReferral },
			"no kind":              func(f *Flow) { f.Kind = "" },
			"another recipient":    func(f *Flow) { f.To = "fiu" },
			"nobody sends":         func(f *Flow) { f.By = "" },
			"nothing is sent":      func(f *Flow) { f.Ref = "" },
			"a member's decision":  func(f *Flow) { f.Decision = "POOL-IN-FSP" },
			"another kind of body": func(f *Flow) { f.Kind, f.Decision, f.To, f.ToActor = law.FlowReferral, "REFERRAL-FIU", "x", "au.fsp" },
			"a body of no kind":    func(f *Flow) { f.Kind, f.Decision, f.To = law.FlowReferral, "REFERRAL-FIU", "x" },
			"reports into evidence": func(f *Flow) {
				f.Kind, f.Decision, f.ToActor, f.Provenance = law.FlowExport, "EXPORT-COURT", "au.court", []string{SMRDerived}
			},
		} {
			f := opens()
			change(&f)
			if _, err := w.lawful(f); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.log.fail = errLog
		_, err = w.lawful(opens())
		refused(t, "without the log", err, fault.Unavailable)
		w.log.fail = nil
		flows, err = w.Flows(context.Background(), "basis-1", 5)
		if err != nil || len(flows) != 1 {
			t.Errorf("a refused flow was kept: %+v %v", flows, err)
		}
	})
}

func TestUnsignedLawCarriesNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.restart(law.Files{Overlay: law.File{Name: "o.yaml", Raw: law.SimulatedText()}})
	_, err := w.lawful(opens())
	refused(t, "an unsigned overlay", err, fault.Forbidden)
	w.restart(law.Files{})
	_, err = w.lawful(opens())
	refused(t, "the built-in data", err, fault.Forbidden)
}

// TestApprovedRequestsCarryFlows: an officer's approval carries what it was asked
// for, on days on which the law does, until it is void.
func TestApprovedRequestsCarryFlows(t *testing.T) {
	w, ctx := newWorld(t, storetest.SQLite(t)), context.Background()
	d := Draft{Question: route.Question{From: "eu.nics", To: "us.ncmec", Holds: []string{"hash"}, Wants: "hash", Purpose: "detect", AsOf: "2026-03-01"},
		Facts: []Assertion{{"derogation_in_force", "counsel"}}, Fields: []string{"hash"}, Flow: law.FlowReferral}
	w.now.Set(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	r := w.ask(d)
	f := Flow{Kind: law.FlowReferral, Decision: r.ID, To: "x", ToActor: "us.ncmec", By: analyst.ID, Organisation: "bank-a", Ref: "referral-1"}
	_, err := w.lawful(f)
	refused(t, "before the approval", err, fault.Forbidden)
	r = w.approve(r, "EU-2021-1232")
	if got, err := w.lawful(f); err != nil || got.Decision != r.ID {
		t.Fatal(got, err)
	}
	f.Provenance = []string{SMRDerived}
	_, err = w.lawful(f)
	refused(t, "a flag that the request does not name", err, fault.Forbidden)
	f.Provenance, f.Organisation = nil, "bank-b"
	_, err = w.lawful(f)
	refused(t, "another organisation", err, fault.Forbidden)
	f.Organisation = "bank-a"
	w.now.Set(time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC))
	_, err = w.lawful(f)
	refused(t, "the day after the law lapsed", err, fault.Forbidden)
	w.now.Set(time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC))
	if _, err := w.lawful(f); err != nil {
		t.Error("the last day of the law", err)
	}
	if _, err := w.Withdraw(ctx, analyst, r.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.lawful(f)
	refused(t, "withdrawn", err, fault.Forbidden)
}

func TestReportsOfSuspicionGoToAuthoritiesOnly(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	d := Draft{Question: route.Question{From: "au.police", To: "au.court", Holds: []string{"transaction"}, Wants: "transaction", Purpose: "prosecute", AsOf: "2026-11-23"},
		Fields: []string{"transaction"}, Flow: law.FlowExport, Provenance: []string{SMRDerived}}
	r := w.ask(d)
	_, err := w.Approve(context.Background(), officer, r.ID, Shown{r.Edit, r.Card.Print}, []string{"AU-POLICE-COURT"}, "")
	refused(t, "reports into evidence", err, fault.Forbidden)
	d.Provenance = nil
	w.approve(w.ask(d), "AU-POLICE-COURT")
}
