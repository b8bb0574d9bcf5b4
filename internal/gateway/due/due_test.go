package due

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDeadlines(t *testing.T) {
	for _, c := range []struct {
		name, gateway, start, place string
		urgent                      bool
		due, skipped                string
	}{
		{"an ordinary week", "AU-AMLCTF-41", "2026-11-23 09:00", "AU-NSW", false, "2026-11-26", ""},
		{"over a weekend", "AU-AMLCTF-41", "2026-11-26 16:00", "AU-NSW", false, "2026-12-01", ""},
		{"formed on a Saturday", "AU-AMLCTF-41", "2026-11-28 10:00", "AU-VIC", false, "2026-12-02", ""},
		{"over Christmas", "AU-AMLCTF-41", "2026-12-23 18:00", "AU-QLD", false, "2026-12-30", "2026-12-25 Christmas Day,2026-12-28 Additional day for Boxing Day"},
		{"over Easter", "AU-AMLCTF-41", "2026-04-01 12:00", "AU-SA", false, "2026-04-08", "2026-04-03 Good Friday,2026-04-06 Easter Monday"},
		{"a day of one state", "AU-AMLCTF-41", "2026-04-24 12:00", "AU-NSW", false, "2026-04-30", "2026-04-27 Additional day for Anzac Day"},
		{"not of another", "AU-AMLCTF-41", "2026-04-24 12:00", "AU-VIC", false, "2026-04-29", ""},
		{"over New Year", "AU-AMLCTF-41", "2026-12-31 08:00", "AU-WA", false, "2027-01-06", "2027-01-01 New Year's Day"},
		{"ten days", "AU-AMLCTF-45", "2026-11-23 09:00", "AU-NSW", false, "2026-12-07", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, ok, err := For(c.gateway, at(t, c.start), c.place, c.urgent)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if got := d.Due.Format(time.DateOnly); got != c.due || strings.Join(d.Skipped, ",") != c.skipped {
				t.Errorf("due %s (passed over %v), want %s (%s)", got, d.Skipped, c.due, c.skipped)
			}
		})
	}
}

func TestTerrorismFinancingIsTwentyFourHours(t *testing.T) {
	start := at(t, "2026-12-25 23:30")
	d, _, err := For("AU-AMLCTF-41", start, "AU-NSW", true)
	if err != nil || d.Due.Sub(start) != 24*time.Hour || !strings.Contains(d.Rule, "24 hours") {
		t.Errorf("%+v %v", d, err)
	}
	if when, ok := HasUrgent("AU-AMLCTF-41"); !ok || !strings.Contains(when, "terrorism") {
		t.Error(when)
	}
}

func TestWhatCannotBeCountedSaysSo(t *testing.T) {
	d, ok, err := For("US-2258A", at(t, "2026-11-23 09:00"), "", false)
	if err != nil || !ok || !d.Due.IsZero() || !strings.Contains(d.Rule, "as soon as reasonably possible") {
		t.Errorf("%+v %v", d, err)
	}
	if _, ok, _ := For("AU-PRIV-DEID", at(t, "2026-11-23 09:00"), "", false); ok {
		t.Error("a row without a deadline has one")
	}
	if d, _, _ := For("AU-AMLCTF-41", at(t, "2029-12-24 09:00"), "AU-NSW", false); !strings.Contains(d.Note, "2029") {
		t.Errorf("a year without a calendar is not mentioned: %+v", d)
	}
	if d, _, _ := For("AU-AMLCTF-41", at(t, "2026-11-23 09:00"), "", false); !strings.Contains(d.Note, "no state") {
		t.Errorf("a missing state is not mentioned: %+v", d)
	}
	if _, _, err := For("AU-AMLCTF-41", at(t, "2026-11-23 09:00"), "AU-NSX", false); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "AU-NSW") {
		t.Error(err)
	}
}

// TestCountIsExact: exactly n business days lie after the
// first day up to the due one, and the due one is itself a business day.
func TestCountIsExact(t *testing.T) {
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 2*365*24).Draw(t, "hours")) * time.Hour)
		place := rapid.SampledFrom(append(b.places(), "")).Draw(t, "place")
		d, _, err := For("AU-AMLCTF-41", start, place, false)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for day := start.AddDate(0, 0, 1); !day.After(d.Due); day = day.AddDate(0, 0, 1) {
			wd := day.Weekday()
			if wd != time.Saturday && wd != time.Sunday && b.holiday(day.Format(time.DateOnly), place) == "" {
				n++
			}
		}
		if n != 3 {
			t.Fatalf("from %s in %s: %d business days up to %s", start, place, n, d.Due)
		}
		national, _, _ := For("AU-AMLCTF-41", start, "", false)
		if d.Due.Before(national.Due) {
			t.Fatal("more holidays give an earlier deadline")
		}
	})
}

func TestEveryStatedDeadlineHasARule(t *testing.T) {
	set, err := law.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]bool{}
	for _, g := range set.Gateways {
		if g.Obligations["deadline"] != "" {
			stated[g.ID] = true
			if _, ok := b.rules[g.ID]; !ok {
				t.Errorf("%s states the deadline %q and deadlines.yaml has no rule", g.ID, g.Obligations["deadline"])
			}
		}
	}
	for id := range b.rules {
		if !stated[id] {
			t.Errorf("deadlines.yaml has a rule for %s, which states none", id)
		}
	}
}

func TestHolidaysFallOnWorkingDays(t *testing.T) {
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range b.calendar.Holidays {
		if wd := at(t, h.Date+" 00:00").Weekday(); wd == time.Saturday || wd == time.Sunday {
			t.Errorf("%s %s is a %s", h.Date, h.Name, wd)
		}
	}
}
