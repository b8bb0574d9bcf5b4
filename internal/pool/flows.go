package pool

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf"
)

// Destinations and origins in a flow matrix that are no registered venue.
const (
	VenueOther = "other" // a covered venue that the intervention does not name
	VenueGone  = "gone"  // not seen again at any venue: a new selector looks like that too
	VenueNew   = "new"   // not seen at any venue before
)

// MinFlow is the least number of selectors at the venue before of which
// movement is counted.
const MinFlow = 30

// Flows is all that ever leaves the pool for displacement: how many selectors
// went from where to where, how many were at each venue in each week, and after
// how many weeks they were seen again. No tag, label or day is in it.
type Flows struct {
	Weeks  []string // before, then after; the week of the act itself is in neither, unless it began with it
	Before int      // how many of Weeks lie before
	Matrix map[string]map[string]int
	// Series counts distinct selectors by venue and week.
	Series map[string][]int
	// Dark says how long the selectors last seen at the venue, or at a control,
	// stayed out of sight anywhere.
	Target, Controls Dark
	Several          Several
}

// Several counts people who were reported at the venue before under the followed
// kind of identifier and at least one other. Who keeps only another kind looks
// gone in the matrix and is not: Kept less Followed bounds from below how far
// the followed kind misleads.
type Several struct {
	People   int
	Kept     int // seen again anywhere under at least one of their identifiers
	Followed int // of these, under the followed kind
}

// Dark counts weeks out of sight: Seen[i] were seen again in week i+1 after the
// act, Unseen not by the end.
type Dark struct {
	Seen   []int
	Unseen int
}

// Flows counts movement around an intervention, under the approved and logged
// act that registered it, over so many weeks after it.
func (s *Service) Flows(ctx context.Context, p acts.Permit, weeks int) (Flows, opening.InterventionAct, error) {
	var i opening.InterventionAct
	act, err := acts.Verify(ctx, s.log, p, opening.ActIntervention, &i)
	if err != nil {
		return Flows{}, i, err
	}
	if err := i.Check(); err != nil {
		return Flows{}, i, fault.Wrap(fault.Invalid, "The intervention cannot be evaluated: "+err.Error()+".", err)
	}
	now := s.clock.Now()
	w, err := windowOf(act.Epoch, i, weeks, now)
	if err != nil {
		return Flows{}, i, err
	}
	if err := s.eachHeader(ctx, w.add); err != nil {
		return Flows{}, i, err
	}
	out, err := w.result()
	return out, i, err
}

// window collects sightings in memory; only its result leaves.
type window struct {
	epoch     string
	i         opening.InterventionAct
	now       int64
	before    int            // number of weeks before
	weeks     []string       // before, then after
	at        map[string]int // week -> index
	venue     map[string]string
	seen      map[oprf.Tag][]place
	people    people
	straddles bool
}

// place is one sighting: a week, and a venue or none.
type place struct {
	week  int
	venue string
}

// windowOf lays the weeks around the act. The run-up from the announcement on
// is no baseline.
func windowOf(epoch string, i opening.InterventionAct, weeks int, now time.Time) (*window, error) {
	day, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return nil, err
	}
	if weeks < 1 || weeks > 26 || now.Before(day) {
		return nil, fault.New(fault.Conflict, "Movement is counted over 1 to 26 weeks, and not before the intervention acts.")
	}
	known := day
	if i.Announced != "" {
		if known, err = time.Parse(time.DateOnly, i.Announced); err != nil {
			return nil, err
		}
	}
	end, after := monday(known), monday(day)
	if !after.Equal(day) {
		after = after.AddDate(0, 0, 7)
	}
	w := &window{epoch: epoch, i: i, now: now.UnixMicro(), before: i.Weeks, at: make(map[string]int), venue: make(map[string]string), seen: make(map[oprf.Tag][]place), people: newPeople()}
	for n := range i.Weeks {
		w.weeks = append(w.weeks, opening.WeekOf(end.AddDate(0, 0, 7*(n-i.Weeks))))
	}
	for n := range weeks {
		w.weeks = append(w.weeks, opening.WeekOf(after.AddDate(0, 0, 7*n)))
	}
	for n, x := range w.weeks {
		w.at[x] = n
	}
	for _, v := range slices.Concat([]string{i.Venue}, i.Neighbours, i.Controls) {
		w.venue[v] = v
	}
	return w, nil
}

func monday(day time.Time) time.Time { return day.AddDate(0, 0, -int((day.Weekday()+6)%7)) }

func (w *window) add(x seen) {
	h := x.header
	week, ok := w.at[h.Week]
	if !ok {
		return
	}
	if h.Epoch != w.epoch {
		w.straddles = true
		return
	}
	// What another organisation referred would be the same sighting twice.
	if !x.live || !counts(h) || h.Origin != "own" {
		return
	}
	venues := make([]string, 0, len(x.venues))
	for _, v := range x.venues {
		code, ok := w.venue[v]
		if !ok {
			code = VenueOther
		}
		venues = append(venues, code)
	}
	if len(venues) == 0 {
		venues = append(venues, "")
	}
	w.people.add(h.Tags, w.i.Class, w.now, slices.Contains(venues, w.i.Venue) && week < w.before, week >= w.before)
	for _, t := range h.Tags {
		if t.Class != w.i.Class || t.Expires <= w.now {
			continue
		}
		for _, v := range venues {
			w.seen[t.Tag()] = append(w.seen[t.Tag()], place{week, v})
		}
	}
}

func (w *window) result() (Flows, error) {
	if w.straddles {
		return Flows{}, fault.New(fault.Conflict, "Observations in the window were made with the keys of two epochs, so the pool cannot follow a selector over it.")
	}
	out := Flows{Weeks: w.weeks, Before: w.before, Matrix: make(map[string]map[string]int), Series: make(map[string][]int)}
	after := len(w.weeks) - w.before
	out.Target.Seen, out.Controls.Seen = make([]int, after), make([]int, after)
	for v := range w.venue {
		out.Series[v] = make([]int, len(w.weeks))
	}
	out.Series[VenueOther] = make([]int, len(w.weeks))
	for _, list := range w.seen {
		slices.SortFunc(list, func(a, b place) int {
			return cmp.Or(cmp.Compare(a.week, b.week), strings.Compare(a.venue, b.venue))
		})
		w.count(&out, slices.Compact(list))
	}
	out.Several = w.people.count()
	if n := total(out.Matrix[w.i.Venue]); n < MinFlow {
		return Flows{}, fault.Newf(fault.Conflict, "Fewer than %d selectors were last seen at the venue in the window before, so nothing can be said of where they went.", MinFlow)
	}
	return out, nil
}

func total(row map[string]int) (n int) {
	for _, x := range row {
		n += x
	}
	return n
}

// count puts one selector into the table: once into the matrix, from the venue
// where it was last seen before to the one where it was last seen after. Of
// several venues in one week the venue acted on counts before the others, and
// afterwards the one that the selector came from, so that a tie is no movement.
func (w *window) count(out *Flows, list []place) {
	from := latest(list, 0, w.before, w.i.Venue, VenueNew)
	to := latest(list, w.before, len(w.weeks), from, VenueGone)
	if from == VenueNew && to == VenueGone {
		return // never at a venue
	}
	first := -1
	for _, p := range list {
		if p.venue != "" {
			out.Series[p.venue][p.week]++
		}
		if p.week >= w.before && first < 0 {
			first = p.week - w.before
		}
	}
	if out.Matrix[from] == nil {
		out.Matrix[from] = make(map[string]int)
	}
	out.Matrix[from][to]++
	switch {
	case from == w.i.Venue:
		out.Target.add(first)
	case slices.Contains(w.i.Controls, from):
		out.Controls.add(first)
	}
}

func (d *Dark) add(first int) {
	if first < 0 {
		d.Unseen++
	} else {
		d.Seen[first]++
	}
}

// latest is the venue of the latest week from first to before end; in that week
// prefer counts before the others, and those in the order of their codes.
func latest(list []place, first, end int, prefer, none string) string {
	week, out := -1, none
	for _, p := range list { // in the order of week and venue
		if p.venue == "" || p.week < first || p.week >= end {
			continue
		}
		if p.week > week || p.venue == prefer {
			week, out = p.week, p.venue
		}
	}
	return out
}
