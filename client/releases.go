package client

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"parallax/opening"
	"parallax/signed"
)

// ReleaseCountDomain separates release counts from all other signed objects.
const ReleaseCountDomain = "parallax/release-count/v1"

// FewReleases stands for every number below ten.
const FewReleases = "<10"

// A ReleaseCount is a key holder's own statement of how many openings it
// released in one quarter. Each names the one before, so that none can be left
// out or changed later.
type ReleaseCount struct {
	Pool     string       `json:"pool"`
	Epoch    string       `json:"epoch"`
	Index    int          `json:"index"`
	Quarter  string       `json:"quarter"` // "2026-Q4", UTC
	Count    string       `json:"count"`   // FewReleases or a number from ten
	Previous opening.Hash `json:"previous"`
}

// ReleaseCounts are a holder's statements, oldest first.
type ReleaseCounts struct {
	Counts []signed.Object `json:"counts"`
}

// Verify checks that holder signed every count, that no quarter is left out
// and that each count names the one before. It cannot tell whether a number is
// true: for that, compare the holders with each other and with the log.
func (c ReleaseCounts) Verify(p Plan, holder opening.Holder) ([]ReleaseCount, error) {
	var out []ReleaseCount
	var previous opening.Hash
	for i, o := range c.Counts {
		var r ReleaseCount
		if err := o.Open(ReleaseCountDomain, holder.Key, &r); err != nil {
			return nil, fmt.Errorf("release count %d: %w", i+1, err)
		}
		q, err := ParseQuarter(r.Quarter)
		switch {
		case err != nil:
			return nil, fmt.Errorf("release count %d: %w", i+1, err)
		case r.Pool != p.Pool || r.Epoch != p.Epoch || r.Index != holder.Index:
			return nil, fmt.Errorf("release count %d is of another pool, epoch or holder", i+1)
		case r.Previous != previous:
			return nil, fmt.Errorf("release count %d does not follow from the one before", i+1)
		case i > 0 && out[i-1].Quarter != q.before().String():
			return nil, fmt.Errorf("release count %d leaves out a quarter", i+1)
		case !validCount(r.Count):
			return nil, fmt.Errorf("release count %d is neither %s nor a number from ten", i+1, FewReleases)
		}
		previous = opening.Digest(o.Body)
		out = append(out, r)
	}
	return out, nil
}

func validCount(text string) bool {
	n, err := strconv.Atoi(text)
	return text == FewReleases || err == nil && n >= 10 && strconv.Itoa(n) == text
}

// A Quarter of a year, UTC.
type Quarter struct{ year, quarter int }

// QuarterOf is the quarter of a time.
func QuarterOf(t time.Time) Quarter {
	t = t.UTC()
	return Quarter{t.Year(), (int(t.Month())-1)/3 + 1}
}

// ParseQuarter reads "2026-Q4" and no other spelling.
func ParseQuarter(text string) (Quarter, error) {
	var q Quarter
	if _, err := fmt.Sscanf(text, "%d-Q%d", &q.year, &q.quarter); err != nil || q.quarter < 1 || q.quarter > 4 || q.String() != text {
		return Quarter{}, errors.New("a quarter is written like 2026-Q4")
	}
	return q, nil
}

// String is the quarter as it is written.
func (q Quarter) String() string { return fmt.Sprintf("%04d-Q%d", q.year, q.quarter) }

// Next is the quarter after q.
func (q Quarter) Next() Quarter { return QuarterOf(q.end()) }

func (q Quarter) before() Quarter { return QuarterOf(q.end().AddDate(0, -6, 0)) }

// end is the first moment after the quarter.
func (q Quarter) end() time.Time {
	return time.Date(q.year, time.Month(3*q.quarter+1), 1, 0, 0, 0, 0, time.UTC)
}

// Published is when the count of the quarter comes out: a quarter late.
func (q Quarter) Published() time.Time { return q.Next().end() }
