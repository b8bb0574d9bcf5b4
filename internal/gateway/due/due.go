// Package due counts deadlines: business days by the calendar of a state or
// territory of Australia, and hours.
//
// A business day is a day that is no Saturday, no Sunday and no public holiday
// where the duty is counted. The day on which the clock starts is not counted;
// the deadline is the end of the last day. Where a calendar does not say, days
// count as business days, so that what is shown may be too early and is never
// too late. Calendars and deadlines are illustrative, as the law data is.
package due

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // deadlines are local times, also on a computer without zone files

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// Country is the area of the holidays that hold everywhere.
const Country = "AU"

// Holiday is a day that is no business day.
type Holiday struct {
	Date   string   `yaml:"date"`
	Name   string   `yaml:"name"`
	In     []string `yaml:"in"`
	Source string   `yaml:"source"`
}

type calendar struct {
	Meta struct {
		Review   string            `yaml:"review_status"`
		Covers   []int             `yaml:"covers"`
		Compiled string            `yaml:"compiled"`
		Sources  map[string]string `yaml:"sources"`
	} `yaml:"meta"`
	Holidays []Holiday `yaml:"holidays"`
}

// Rule is how long a duty leaves.
type Rule struct {
	Gateway      string  `yaml:"gateway"`
	Starts       string  `yaml:"starts"` // what starts the clock, in words
	BusinessDays int     `yaml:"business_days"`
	Words        string  `yaml:"words"` // of a deadline that cannot be counted
	Urgent       *Urgent `yaml:"urgent"`
}

// Urgent is the shorter time of a duty in a graver case.
type Urgent struct {
	When  string `yaml:"when"`
	Hours int    `yaml:"hours"`
}

var (
	//go:embed holidays.yaml
	holidaysText []byte
	//go:embed deadlines.yaml
	deadlinesText []byte
)

type book struct {
	calendar calendar
	rules    map[string]Rule
}

var open = sync.OnceValues(func() (book, error) {
	b := book{rules: map[string]Rule{}}
	if err := law.Strict("holidays.yaml (built in)", holidaysText, &b.calendar); err != nil {
		return b, err
	}
	for _, h := range b.calendar.Holidays {
		if err := route.Date(h.Name, h.Date); err != nil {
			return b, err
		}
		if _, ok := b.calendar.Meta.Sources[h.Source]; !ok || len(h.In) == 0 {
			return b, fmt.Errorf("holiday %s of %s names no source or no place", h.Name, h.Date)
		}
	}
	var doc struct {
		Meta struct {
			Review string `yaml:"review_status"`
		} `yaml:"meta"`
		Deadlines []Rule `yaml:"deadlines"`
	}
	if err := law.Strict("deadlines.yaml (built in)", deadlinesText, &doc); err != nil {
		return b, err
	}
	for _, r := range doc.Deadlines {
		b.rules[r.Gateway] = r
	}
	return b, nil
})

// Deadline is a counted deadline.
type Deadline struct {
	Gateway string    `json:"gateway"`
	Rule    string    `json:"rule"`           // how it was counted, in words
	Due     time.Time `json:"due,omitzero"`   // zero: cannot be counted
	Skipped []string  `json:"skipped"`        // holidays that were passed over
	Note    string    `json:"note,omitempty"` // what the calendar does not know
}

// For counts the deadline of a duty whose clock started at a moment, in the
// place where it is counted ("AU-NSW"; empty: only national holidays). The
// moment carries the zone that days are counted in. ok is false for a row that
// states no deadline.
func For(gateway string, start time.Time, place string, urgent bool) (d Deadline, ok bool, err error) {
	b, err := open()
	if err != nil {
		return d, false, err
	}
	r, ok := b.rules[gateway]
	if !ok {
		return d, false, nil
	}
	if place != "" && place != Country && !slices.Contains(b.places(), place) {
		return d, true, fault.New(fault.Invalid, route.Unknown("state", place, b.places()))
	}
	d = Deadline{Gateway: gateway, Skipped: []string{}}
	switch {
	case urgent && r.Urgent != nil:
		d.Due = start.Add(time.Duration(r.Urgent.Hours) * time.Hour)
		d.Rule = fmt.Sprintf("%d hours after %s, since %s", r.Urgent.Hours, r.Starts, r.Urgent.When)
	case r.BusinessDays > 0:
		d.Due = b.count(&d, start, place, r.BusinessDays)
		d.Rule = fmt.Sprintf("%d business days after the day on which %s", r.BusinessDays, r.Starts)
	default:
		d.Rule = fmt.Sprintf("%s after %s", r.Words, r.Starts)
	}
	return d, true, nil
}

// HasUrgent reports whether a duty has a shorter time in a graver case, and
// which.
func HasUrgent(gateway string) (when string, ok bool) {
	b, err := open()
	if err != nil {
		return "", false
	}
	if r := b.rules[gateway]; r.Urgent != nil {
		return r.Urgent.When, true
	}
	return "", false
}

// Places are the states and territories with a calendar.
func Places() []string {
	b, err := open()
	if err != nil {
		return nil
	}
	return b.places()
}

func (b book) places() (out []string) {
	for _, h := range b.calendar.Holidays {
		out = append(out, h.In...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(p string) bool { return p == Country })
}

// count gives the last second of the n-th business day after the day of start.
func (b book) count(d *Deadline, start time.Time, place string, n int) time.Time {
	day := start
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if !slices.Contains(b.calendar.Meta.Covers, day.Year()) {
			d.Note = fmt.Sprintf("no holidays are known for %d: only weekends were left out there", day.Year())
		}
		if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
			continue
		}
		if name := b.holiday(day.Format(time.DateOnly), place); name != "" {
			d.Skipped = append(d.Skipped, day.Format(time.DateOnly)+" "+name)
			continue
		}
		n--
	}
	if place == "" && d.Note == "" {
		d.Note = "no state was given: only national holidays were left out"
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, start.Location())
}

func (b book) holiday(date, place string) string {
	for _, h := range b.calendar.Holidays {
		if h.Date == date && (slices.Contains(h.In, Country) || slices.Contains(h.In, place)) {
			return h.Name
		}
	}
	return ""
}

// zones are where the days of a place are counted.
var zones = map[string]string{"": "Australia/Sydney", Country: "Australia/Sydney", "AU-NSW": "Australia/Sydney", "AU-ACT": "Australia/Sydney",
	"AU-VIC": "Australia/Melbourne", "AU-TAS": "Australia/Hobart", "AU-QLD": "Australia/Brisbane", "AU-SA": "Australia/Adelaide",
	"AU-NT": "Australia/Darwin", "AU-WA": "Australia/Perth"}

// Zone is the time zone in which a place counts its days. Where no state is
// given it is that of the first to reach midnight, so that a deadline comes too
// early and never too late.
func Zone(place string) (*time.Location, error) {
	name, ok := zones[place]
	if !ok {
		return nil, fault.New(fault.Invalid, route.Unknown("state", place, Places()))
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "the time zone of "+name+" is not known on this computer", err)
	}
	return zone, nil
}
