package pool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"

	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf"
	"parallax/signed"
)

// MinCapture is the least number of selectors of which anything is counted for
// statistics: below it a count says something of single people.
const MinCapture = 30

// A HistoryCell counts the selectors that exactly the lists of a mask hold.
type HistoryCell struct {
	Mask  uint32
	Count int
}

// A Capture is all that ever leaves the pool for an estimate: how many selectors
// of one class were held by exactly which lists in one quarter, and three totals
// over its weeks. No tag, label or date is in it.
type Capture struct {
	Own []HistoryCell // own detections only
	All []HistoryCell // with what another organisation referred
	// Referrals counts, by list, the selectors that the list holds only because
	// another organisation referred them.
	Referrals []int
	// Excluded observations: the subject may be a victim, or the grade weighs
	// nothing. Outside are those of organisations on no list.
	Excluded, Outside int
	// Clashes are selectors that two organisations of one list hold, though they
	// are said to exclude each other.
	Clashes int
	// Of own detections, for the test of a trap response: the weeks of the quarter,
	// the weeks before each selector was first seen, added up, and how often any
	// was seen in a later week than its first.
	Weeks, Waited, Again int
}

// Capture counts under an approved and logged act of kind capture, and reads
// the question from that act: nobody can ask another one under it.
func (s *Service) Capture(ctx context.Context, p acts.Permit) (Capture, opening.CaptureAct, error) {
	var q opening.CaptureAct
	act, err := acts.Verify(ctx, s.log, p, opening.ActCapture, &q)
	if err != nil {
		return Capture{}, q, err
	}
	if err := q.Check(); err != nil {
		return Capture{}, q, fault.Wrap(fault.Invalid, "The question cannot be answered: "+err.Error()+".", err)
	}
	c, err := newCounter(act.Epoch, q, s.clock.Now().UnixMicro())
	if err != nil {
		return Capture{}, q, err
	}
	if err := s.eachHeader(ctx, c.add); err != nil {
		return Capture{}, q, err
	}
	out, err := c.result()
	return out, q, err
}

// A seen is what one observation says to statistics.
type seen struct {
	header opening.Header
	venues []string
	live   bool
}

// counter collects capture histories in memory; only its result leaves.
type counter struct {
	epoch       string
	q           opening.CaptureAct
	first, last string
	now         int64
	list        map[string]int // organisation -> list
	own, all    map[oprf.Tag]uint32
	weeks       map[oprf.Tag]uint32         // in which an own detection was, from the first of the quarter
	by          map[oprf.Tag]map[int]string // first organisation on a list of several
	clash       map[oprf.Tag]bool
	straddles   bool
	excluded    int
	outside     int
}

func newCounter(epoch string, q opening.CaptureAct, now int64) (*counter, error) {
	c := &counter{epoch: epoch, q: q, now: now, list: make(map[string]int), own: make(map[oprf.Tag]uint32), weeks: make(map[oprf.Tag]uint32), all: make(map[oprf.Tag]uint32),
		by: make(map[oprf.Tag]map[int]string), clash: make(map[oprf.Tag]bool)}
	var err error
	if c.first, c.last, err = q.Quarter.Weeks(); err != nil {
		return nil, err
	}
	for i, l := range q.Lists {
		for _, o := range l.Organisations {
			c.list[o] = i
		}
	}
	return c, nil
}

func (c *counter) add(x seen) {
	h := x.header
	if h.Week < c.first || h.Week > c.last {
		return
	}
	if h.Epoch != c.epoch {
		c.straddles = true // its tags were made with other keys: every link would be missed
		return
	}
	if !x.live {
		return
	}
	tags := make([]oprf.Tag, 0, len(h.Tags))
	for _, t := range h.Tags {
		if t.Class == c.q.Class && t.Expires > c.now {
			tags = append(tags, t.Tag())
		}
	}
	at, ok := c.list[h.Organisation]
	switch {
	case len(tags) == 0:
		return
	case !ok:
		c.outside++
		return
	case !counts(h):
		c.excluded++
		return
	}
	for _, t := range tags {
		c.all[t] |= 1 << at
		if h.Origin == "own" {
			c.own[t] |= 1 << at
			c.weeks[t] |= 1 << weeksFrom(c.first, h.Week)
			c.note(t, at, h.Organisation)
		}
	}
}

// counts reports an observation that statistics count: not one on a possible
// victim, and not one whose source or content is graded as worthless.
func counts(h opening.Header) bool { return h.Role != opening.RolePossibleVictim && !h.Unreliable() }

// note finds a selector at two organisations that are said to exclude each other.
func (c *counter) note(t oprf.Tag, at int, org string) {
	if len(c.q.Lists[at].Organisations) < 2 {
		return
	}
	if c.by[t] == nil {
		c.by[t] = make(map[int]string)
	}
	if first, ok := c.by[t][at]; ok && first != org {
		c.clash[t] = true
	}
	c.by[t][at] = org
}

// weeksFrom is how many weeks one week of a quarter is after the first. A quarter
// lies within one year of weeks.
func weeksFrom(first, week string) int { return weekNumber(week) - weekNumber(first) }

// weekNumber is the number in a week such as 2026-W38, whose form was checked.
func weekNumber(week string) int {
	n := 0
	for _, d := range week[len(week)-2:] {
		n = 10*n + int(d-'0')
	}
	return n
}

func (c *counter) result() (Capture, error) {
	if c.straddles {
		return Capture{}, fault.Newf(fault.Conflict, "Observations of %s were made with the keys of two epochs, so the pool cannot link them. No estimate is made over a change of keys.", c.q.Quarter)
	}
	out := Capture{Own: histogram(c.own), All: histogram(c.all), Referrals: make([]int, len(c.q.Lists)), Excluded: c.excluded, Outside: c.outside, Clashes: len(c.clash)}
	lists, n := uint32(0), 0
	for _, x := range out.Own {
		lists |= x.Mask
		n += x.Count
	}
	if n < MinCapture || bits.OnesCount32(lists) < 3 {
		return Capture{}, fault.Newf(fault.Conflict, "Fewer than %d selectors, or fewer than three lists, hold anything of this class in %s. So little says something of single people, so nothing is counted.", MinCapture, c.q.Quarter)
	}
	for t, mask := range c.all {
		for i := range out.Referrals {
			if (mask&^c.own[t])>>i&1 == 1 {
				out.Referrals[i]++
			}
		}
	}
	out.Weeks = weeksFrom(c.first, c.last) + 1
	for _, in := range c.weeks {
		out.Waited += bits.TrailingZeros32(in)
		out.Again += bits.OnesCount32(in) - 1
	}
	return out, nil
}

func histogram(masks map[oprf.Tag]uint32) []HistoryCell {
	count := make(map[uint32]int)
	for _, m := range masks {
		count[m]++
	}
	out := make([]HistoryCell, 0, len(count))
	for m, n := range count {
		out = append(out, HistoryCell{m, n})
	}
	slices.SortFunc(out, func(a, b HistoryCell) int { return int(a.Mask) - int(b.Mask) })
	return out
}

// readSeen decodes what is stored of one observation.
func readSeen(body string, statistics []byte, live bool) (seen, error) {
	var o opening.Observation
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		return seen{}, fmt.Errorf("a stored observation: %w", err)
	}
	h, err := opening.DecodeHeader(o.Header)
	if err != nil {
		return seen{}, fmt.Errorf("a stored observation: %w", err)
	}
	x := seen{header: h, live: live}
	if live && len(bytes.TrimSpace(statistics)) > 0 {
		var s opening.Statistics
		if err := signed.Unmarshal(statistics, &s); err != nil {
			return seen{}, fmt.Errorf("a stored statistics part: %w", err)
		}
		x.venues = s.Venues
	}
	return x, nil
}
