package opening

import (
	"fmt"
	"time"
)

// A Quarter is three months, written as 2026-Q3. Its weeks are those ISO weeks
// whose Thursday lies in it, so that every week belongs to exactly one quarter
// and windows never overlap.
type Quarter string

// Weeks gives the first and the last ISO week of the quarter.
func (q Quarter) Weeks() (first, last string, err error) {
	from, to, err := q.Span()
	if err != nil {
		return "", "", err
	}
	return WeekOf(from), WeekOf(to.AddDate(0, 0, -1)), nil
}

// Span gives the Monday of the first week and the Monday after the last one.
func (q Quarter) Span() (from, to time.Time, err error) {
	var year, n int
	if _, err := fmt.Sscanf(string(q), "%04d-Q%d", &year, &n); err != nil || n < 1 || n > 4 || year < 2000 || string(q) != fmt.Sprintf("%04d-Q%d", year, n) {
		return from, to, fmt.Errorf("a quarter is written as 2026-Q3, not %q", string(q))
	}
	begin := time.Date(year, time.Month(3*n-2), 1, 0, 0, 0, 0, time.UTC)
	return weekStart(begin), weekStart(begin.AddDate(0, 3, 0)), nil
}

// weekStart is the Monday of the first week whose Thursday is not before day.
func weekStart(day time.Time) time.Time {
	thursday := day.AddDate(0, 0, int((time.Thursday-day.Weekday()+7)%7))
	return thursday.AddDate(0, 0, -3)
}

// QuarterOf is the quarter that a day's week belongs to.
func QuarterOf(day time.Time) Quarter {
	monday, err := WeekStart(WeekOf(day))
	if err != nil {
		return ""
	}
	thursday := monday.AddDate(0, 0, 3)
	return Quarter(fmt.Sprintf("%04d-Q%d", thursday.Year(), (int(thursday.Month())+2)/3))
}

// WeekOf is the ISO week of a day, as headers hold it.
func WeekOf(day time.Time) string {
	y, w := day.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// WeekStart is the Monday of an ISO week.
func WeekStart(week string) (time.Time, error) {
	var y, w int
	if !weekForm.MatchString(week) {
		return time.Time{}, fmt.Errorf("a week is written as 2026-W47, not %q", week)
	}
	if _, err := fmt.Sscanf(week, "%04d-W%02d", &y, &w); err != nil {
		return time.Time{}, err
	}
	// The fourth of January is always in the first week.
	first := time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := first.AddDate(0, 0, -int((first.Weekday()+6)%7)+7*(w-1))
	if WeekOf(monday) != week {
		return time.Time{}, fmt.Errorf("%d has no week %d", y, w)
	}
	return monday, nil
}
