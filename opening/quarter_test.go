package opening

import (
	"testing"
	"time"
)

// TestQuartersPartWeeks: over thirty years every day's week lies in exactly the
// quarter that its Thursday names, and quarters join without gap or overlap.
func TestQuartersPartWeeks(t *testing.T) {
	end := time.Time{}
	for day := time.Date(2010, 1, 4, 0, 0, 0, 0, time.UTC); day.Year() < 2040; day = day.AddDate(0, 0, 1) {
		q := QuarterOf(day)
		from, to, err := q.Span()
		if err != nil || day.Before(from) || !day.Before(to) {
			t.Fatalf("%s is said to lie in %s, which runs from %s to %s (%v)", day, q, from, to, err)
		}
		first, last, err := q.Weeks()
		if w := WeekOf(day); err != nil || w < first || w > last {
			t.Fatalf("week %s of %s is outside %s..%s", w, q, first, last)
		}
		if !end.IsZero() && day.Equal(end) && !from.Equal(end) {
			t.Fatalf("%s begins on %s, the one before ended on %s", q, from, end)
		}
		end = to
		if monday, err := WeekStart(WeekOf(day)); err != nil || day.Sub(monday) < 0 || day.Sub(monday) >= 7*24*time.Hour {
			t.Fatalf("week of %s starts on %s (%v)", day, monday, err)
		}
	}
	for _, bad := range []Quarter{"", "2026-Q0", "2026-Q5", "26-Q1", "2026-Q1 ", "2026-q1"} {
		if _, _, err := bad.Span(); err == nil {
			t.Errorf("quarter %q was taken", bad)
		}
	}
	if _, err := WeekStart("2025-W53"); err == nil {
		t.Error("2025 has no week 53")
	}
}
