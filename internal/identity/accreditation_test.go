package identity

import (
	"slices"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
)

func sqlite(t testing.TB) *store.DB { return storetest.SQLite(t) }

func TestOrganisationsOfTheManifest(t *testing.T) {
	w := newWorld(t, sqlite(t))
	want := map[string]Function{"hub": Operates, "bank-a": Contributes, "police": Receives, "Oversight": Oversees, "holder-1": HoldsKey}
	for id, f := range want {
		if o := w.org(id); !slices.Equal(o.Functions, []Function{f}) || o.Stopped != "" || o.Accredited() {
			t.Errorf("%s: %+v", id, o)
		}
	}
	w.man.Members[0].Status = opening.Suspended
	if w.org("bank-a").Stopped == "" {
		t.Error("a member that the policy suspends is let in")
	}
	w.man = opening.Manifest{}
	if list, err := w.Organisations(t.Context()); err != nil || len(list) != 1 || list[0].ID != "hub" {
		t.Errorf("before the first manifest: %+v, %v", list, err)
	}
}

// Only the governance quorum accredits, version by version; what needs a key
// comes from the manifest alone.
func TestAccreditation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.accreditation("audit-office", Audits, Contributes)
		if err := w.accredit(a, "gov-1"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("by one governor of three: %v", err)
		}
		must(t, w.accredit(a, "gov-1", "gov-3"))
		must(t, w.accredit(a, "gov-1", "gov-3")) // the same again
		if o := w.org("audit-office"); !slices.Equal(o.Functions, []Function{Audits}) || o.Stopped != "" || o.InManifest || o.Kind != "company" {
			t.Errorf("%+v", o)
		}
		late := a
		late.Version = 3
		if err := w.accredit(late, "gov-1", "gov-2"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("version 3 after 1: %v", err)
		}
		stale := a
		stale.Name = "Another"
		if err := w.accredit(stale, "gov-1", "gov-2"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("another version 1: %v", err)
		}
		foreign := a
		foreign.Pool = "elsewhere"
		if err := w.accredit(foreign, "gov-1", "gov-2"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("for another pool: %v", err)
		}
		w.log.broken = true
		next := a
		next.Version, next.Status = 2, StatusSuspended
		if err := w.accredit(next, "gov-1", "gov-2"); err == nil || w.org("audit-office").Stopped != "" {
			t.Errorf("without a log: %v", err)
		}
		w.log.broken = false
		must(t, w.accredit(next, "gov-1", "gov-2"))
		if o := w.org("audit-office"); o.Stopped != stoppedAccr || len(o.Functions) != 0 {
			t.Errorf("suspended: %+v", o)
		}
		if acts, err := w.Acts(t.Context(), "audit-office"); err != nil || len(acts) != 2 || len(w.records()) != 2 {
			t.Errorf("%d acts, %d entries, %v", len(acts), len(w.records()), err)
		}
		bank := w.accreditation("bank-a", Contributes)
		must(t, w.accredit(bank, "gov-1", "gov-2"))
		if o := w.org("bank-a"); o.Entity != "Bank A" || o.Name != "Name of bank-a" || !slices.Equal(o.Functions, []Function{Contributes}) {
			t.Errorf("an accreditation changed what the manifest says: %+v", o)
		}
		w.clock.Set(start.AddDate(1, 0, 0))
		if o := w.org("bank-a"); o.Stopped != stoppedEnded {
			t.Errorf("after its end: %+v", o)
		}
	})
}

func TestAccreditationSaysWhatItMust(t *testing.T) {
	w := newWorld(t, sqlite(t))
	for name, spoil := range map[string]func(a *Accreditation){
		"version":       func(a *Accreditation) { a.Version = 0 },
		"name":          func(a *Accreditation) { a.Name = "two\nlines" },
		"kind":          func(a *Accreditation) { a.Kind = "club" },
		"jurisdiction":  func(a *Accreditation) { a.Jurisdictions = []string{"Australia"} },
		"jurisdictions": func(a *Accreditation) { a.Jurisdictions = nil },
		"twice":         func(a *Accreditation) { a.Jurisdictions = []string{"AU", "AU"} },
		"function":      func(a *Accreditation) { a.Functions = []Function{"root"} },
		"until":         func(a *Accreditation) { a.Until = a.From },
		"status":        func(a *Accreditation) { a.Status = "" },
		"reason":        func(a *Accreditation) { a.Reason = "" },
	} {
		a := w.accreditation("x", Audits)
		spoil(&a)
		if _, err := a.Encode(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A single governor can stop an organisation's people at once; two of different
// bodies let them in again, as at the key holders.
func TestSuspensionOfAnOrganisation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.deny("gov-1", "halt", ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a halt of openings: %v", err)
		}
		w.gov["stranger"] = w.gov["gov-2"]
		if err := w.deny("stranger", "suspend", "bank-a"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("by a stranger: %v", err)
		}
		must(t, w.deny("gov-1", "suspend", "bank-a"))
		if w.org("bank-a").Stopped != stoppedWord || w.org("bank-b").Stopped != "" {
			t.Error("not suspended, or both")
		}
		must(t, w.deny("gov-2", "resume", "bank-a")) // dated no later than the suspension
		w.clock.Advance(time.Second)
		must(t, w.deny("gov-3", "resume", "bank-a"))
		must(t, w.deny("gov-3", "resume", "bank-a"))
		if w.org("bank-a").Stopped == "" {
			t.Error("one governor alone lifted it")
		}
		must(t, w.deny("gov-2", "resume", "bank-a"))
		if w.org("bank-a").Stopped != "" || len(w.records()) != 5 {
			t.Errorf("%+v, %d entries", w.org("bank-a"), len(w.records()))
		}
	})
}
