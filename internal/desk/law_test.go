package desk

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
)

// TestNothingIsSentWithoutCounselsAnswer: without law data, with data that nobody
// signed, after it is over, or for another kind of organisation, no message
// leaves the desk.
func TestNothingIsSentWithoutCounselsAnswer(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	plan := func() Plan {
		p, err := bank.Plan(ctx, File(file(t, "own.csv", "ref,email\nr1,someone@mail-one.net\n")), Mapping{Reference: "ref", Columns: map[string]ColumnMapping{"email": {Class: "email"}}})
		must(t, err)
		return p
	}
	good := plan()
	if good.Law == nil || good.Law.Decision != "POOL-IN-FSP" || good.LawRefusal != "" || !strings.Contains(good.Law.Review, "needs review by counsel") {
		t.Fatalf("%+v %s", good.Law, good.LawRefusal)
	}
	refuses := func(what, says string) {
		t.Helper()
		if p := plan(); p.Law != nil || !strings.Contains(p.LawRefusal, says) {
			t.Errorf("%s: the plan says %q", what, p.LawRefusal)
		}
		for _, act := range []func() error{
			func() error { _, err := bank.Submit(ctx, good, "", nil); return err },
			func() error { _, err := bank.SendKept(ctx); return err },
		} {
			if err := act(); !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.Sentence(err), says) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if len(w.batches) != 0 || len(w.charges[0]) != 0 {
			t.Errorf("%s: something left the desk", what)
		}
	}
	files, err := law.Simulated(rand.Reader)
	must(t, err)
	unsigned := law.Files{Overlay: files.Overlay}
	if _, err := bank.KeepLaw(ctx, unsigned, ""); !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.Sentence(err), "not signed by two") {
		t.Error("unsigned law data was kept", err)
	}
	if _, err := bank.KeepLaw(ctx, law.Files{}, ""); !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.Sentence(err), "Ask counsel") {
		t.Error("the built-in rows were kept", err)
	}
	if _, err := bank.KeepLaw(ctx, files, "au.carrier"); !fault.Is(err, fault.Forbidden) {
		t.Error("a kind of organisation without a decision was kept", err)
	}
	if st, err := bank.MaySubmit(ctx); err != nil || len(st.SignedBy) != 2 {
		t.Error("refused files took the place of what was there", err)
	}
	must(t, bank.records.keep(ctx, lawSetting, keptLaw{Files: unsigned, Actor: "au.fsp"}))
	refuses("unsigned", "not signed by two")
	must(t, bank.records.keep(ctx, lawSetting, keptLaw{Files: files, Actor: "au.carrier"}))
	refuses("another kind", "au.carrier")
	edited := files
	edited.Overlay.Raw = append([]byte("# edited\n"), files.Overlay.Raw...)
	must(t, bank.records.keep(ctx, lawSetting, keptLaw{Files: edited, Actor: "au.fsp"}))
	refuses("edited", "not the one that counsel signed")
	must(t, bank.records.keep(ctx, lawSetting, keptLaw{Files: files, Actor: "au.fsp"}))
	w.clock.Set(time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC))
	refuses("before its date", "effective 2020-01-01")
	w.clock.Set(today)
	res, err := bank.Submit(ctx, plan(), "case-ref", nil)
	if err != nil || res.Observations != 1 {
		t.Fatal(res, err)
	}
	if want := "POOL-IN-FSP@" + today.UTC().Format(time.DateOnly) + " case-ref"; w.basis != want {
		t.Errorf("evaluations carry %q, want %q", w.basis, want)
	}
}

// TestReportsOfSuspicionNeverBecomeEvidence: the flag travels with the material;
// an evidence export with flagged material is refused with ways to obtain the
// records again, and a lawful referral carries the flag.
func TestReportsOfSuspicionNeverBecomeEvidence(t *testing.T) {
	for _, c := range []struct {
		name, smr string
		refused   bool
	}{{"from a report", "=yes", true}, {"not said, by a bank", "", true}, {"not from a report", "=no", false}} {
		t.Run(c.name, func(t *testing.T) {
			w, ctx := newWorld(t), context.Background()
			bank, card := w.desk(RoleContributor, "bank", "")
			police, authority := w.desk(RoleAuthority, "police", "")
			w.publish(card, authority)
			for _, d := range []*Desk{bank, police} {
				_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
				must(t, err)
			}
			files, err := law.Simulated(rand.Reader)
			must(t, err)
			_, err = police.KeepLaw(ctx, files, "au.police")
			must(t, err)
			p, err := bank.Plan(ctx, File(file(t, "own.csv", "ref,email\nr1,someone@mail-one.net\n")), Mapping{Reference: "ref", SMR: c.smr, Columns: map[string]ColumnMapping{"email": {Class: "email"}}})
			must(t, err)
			_, err = bank.Submit(ctx, p, "", nil)
			must(t, err)
			w.readyLead("standard")
			id, err := police.Request(ctx, Ask{Lead: "l1", Purpose: "investigation", Basis: "b1", Reason: "an exercise with nobody in it"})
			must(t, err)
			x, err := police.ExportLead(ctx, id, "EXPORT-COURT")
			if c.refused {
				for _, s := range []string{"not for use in court", "AU-CRIMES-WARRANT then AU-POLICE-COURT", "needs warrant", "bank: "} {
					if !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.Sentence(err), s) {
						t.Errorf("the refusal does not say %q: %v", s, err)
					}
				}
			} else if err != nil || !strings.Contains(string(x.CSV), "unverified,2027-02-22,EXPORT-COURT,AU-POLICE-COURT,no,bank") {
				t.Errorf("%v\n%s", err, x.CSV)
			}
			x, err = police.ExportLead(ctx, id, "REFERRAL-FIU")
			flag := map[string]string{"=yes": "yes", "": "not known", "=no": "no"}[c.smr]
			if err != nil || !strings.Contains(string(x.CSV), "unverified,2027-02-22,REFERRAL-FIU,AU-AFP-60A,"+flag+",bank") {
				t.Errorf("%v\n%s", err, x.CSV)
			}
			for _, bad := range []string{"", "POOL-IN-POLICE", "NO-SUCH"} {
				if _, err := police.ExportLead(ctx, id, bad); !fault.Is(err, fault.Forbidden) {
					t.Errorf("decision %q: %v", bad, err)
				}
			}
			if !c.refused {
				exportsExpire(t, w, police, id)
			}
		})
	}
}

// exportsExpire follows the two files that left for an opening: each says until
// when it may be kept; after that no lead leaves as a file before somebody says
// that they are destroyed. What was refused left no line.
func exportsExpire(t *testing.T, w *world, police *Desk, id string) {
	t.Helper()
	ctx := context.Background()
	states := func(want ...string) []Exported {
		t.Helper()
		list, err := police.Exports(ctx)
		must(t, err)
		var got []string
		for _, x := range list {
			got = append(got, x.State)
			if x.Opening != id || x.Rows != 1 || x.Expires-x.Made != ExportLife.Microseconds() {
				t.Errorf("%+v", x)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the exports are %v, want %v", got, want)
		}
		return list
	}
	states(ExportValid, ExportValid)
	w.clock.Advance(ExportLife - time.Microsecond)
	states(ExportValid, ExportValid)
	w.clock.Advance(time.Microsecond)
	list := states(ExportOver, ExportOver)
	for range list {
		reads := len(readsOf(t, police))
		_, err := police.ExportLead(ctx, id, "REFERRAL-FIU")
		if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Sentence(err), "was to be destroyed by 22 Feb 2027") {
			t.Errorf("with a file that should be gone: %v", err)
		}
		if len(readsOf(t, police)) != reads {
			t.Error("the lead was read for an export that was refused")
		}
		over := 0
		for over < len(list) && list[over].State != ExportOver {
			over++
		}
		x, err := police.DestroyedExport(ctx, list[over].ID)
		must(t, err)
		first := x.Destroyed
		w.clock.Advance(time.Hour)
		if x, err = police.DestroyedExport(ctx, x.ID); err != nil || x.Destroyed != first {
			t.Errorf("said twice: %+v, %v", x, err)
		}
		list, err = police.Exports(ctx)
		must(t, err)
	}
	states(ExportDestroyed, ExportDestroyed)
	if err := police.noneOver(ctx); err != nil {
		t.Errorf("after both are destroyed: %v", err)
	}
	if _, err := police.DestroyedExport(ctx, "0000"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown export: %v", err)
	}
}

// readsOf is the lines of a desk's read log.
func readsOf(t *testing.T, d *Desk) []byte {
	t.Helper()
	raw, err := os.ReadFile(d.readsPath())
	must(t, err)
	return raw
}
