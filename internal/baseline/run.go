package baseline

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"parallax/estimate"
	"parallax/internal/pool"
	"parallax/opening"
)

// DefinitionVersion names what is counted and how: it changes with the rules of
// the pool's view (which observations count) or with the gates.
const DefinitionVersion = "2"

// MinCell is the least count that is shown of a part of the whole.
const MinCell = 10

// A Run is an estimate with everything that a reader needs to doubt it. Every
// figure in it has passed the thresholds.
type Run struct {
	ID         string       `json:"id"`
	Class      string       `json:"class"`
	Quarter    string       `json:"quarter"`
	Definition string       `json:"definition"`
	Seen       int          `json:"seen"` // selectors on any list, rounded down to two figures
	Lists      []ListOf     `json:"lists"`
	Dropped    []string     `json:"dropped"` // lists that could hold the class and held nothing
	Panel      []Row        `json:"panel"`
	Range      []float64    `json:"range"`
	Verdict    string       `json:"verdict"`
	Headline   string       `json:"headline"`
	Warnings   []string     `json:"warnings"` // that hold however well the gates pass
	Gates      []Gate       `json:"gates"`
	Sensitive  []Sensitive  `json:"sensitivity"`
	LeaveOut   []Row        `json:"leave_one_out"`
	Merges     []Row        `json:"merges"`
	Perfect    []Row        `json:"links_as_perfect"` // without the correction for missed links; empty where there is none
	Referred   []Row        `json:"with_referrals"`   // that with what was referred left in
	Trap       string       `json:"trap_response"`    // whether who was seen is seen again as easily
	Overlap    []Cell       `json:"overlap"`          // empty where it is withheld
	Excluded   Count        `json:"excluded"`
	Outside    Count        `json:"outside"`
	Clashes    Count        `json:"clashes"`
	Audit      *AuditShown  `json:"audit"`
	Input      opening.Hash `json:"input"` // of the capture table, which is not kept
	Seed       uint64       `json:"seed"`
	Made       time.Time    `json:"made"`
}

// A Count is a count of a part: how many, to the nearest five, or that there are
// fewer than MinCell.
type Count struct {
	Few bool `json:"few"`
	N   int  `json:"n"`
}

func countOf(n int) Count {
	if n < MinCell {
		return Count{Few: true}
	}
	return Count{N: (n + 2) / 5 * 5}
}

// String is the count in words.
func (c Count) String() string {
	if c.Few {
		return fmt.Sprintf("fewer than %d", MinCell)
	}
	return fmt.Sprintf("about %d", c.N)
}

// ListOf is one list.
type ListOf struct {
	Name          string `json:"name"`
	Organisations int    `json:"organisations"`
	Held          Count  `json:"held"`
	Referred      Count  `json:"referred"` // held only because another referred it
}

// A Row is a method's figures; Estimate is nil where there is none, and Notes
// say why.
type Row struct {
	Name     string   `json:"name"`
	Estimate *float64 `json:"estimate"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Model    string   `json:"model"`
	Notes    string   `json:"notes"`
}

// A Gate is one condition of publication.
type Gate struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"`
}

// Sensitive is what the estimates become where the unseen differ by a ratio from
// what the lists' pattern says.
type Sensitive struct {
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// A Cell is a part of the overlap.
type Cell struct {
	Lists uint32 `json:"lists"`
	Count Count  `json:"count"`
}

// AuditShown is the linkage audit that a run rested on.
type AuditShown struct {
	Date string `json:"date"`
	Low  int    `json:"low_percent"`
	By   string `json:"by"`
	// Carry is each list's chance, in percent, that a record carries what links it;
	// the estimates are corrected by it. 0: nothing to correct.
	Carry int `json:"carry_percent"`
}

// estimateOf makes a run of a capture. It is a pure function of its arguments:
// the seed comes from the act, so anybody who may see the table gets the same.
func estimateOf(ctx context.Context, act opening.Hash, c pool.Capture, q opening.CaptureAct, audit *opening.AuditAct, now time.Time) (Run, error) {
	own, kept, err := table(q, c.Own)
	if err != nil {
		return Run{}, err
	}
	o := estimate.Options{Seed: binary.BigEndian.Uint64(act[:8])}
	r := Run{Class: string(q.Class), Quarter: string(q.Quarter), Definition: DefinitionVersion,
		Excluded: countOf(c.Excluded), Outside: countOf(c.Outside), Clashes: countOf(c.Clashes), Input: digest(own), Seed: o.Seed, Made: now}
	if audit != nil {
		day, err := time.Parse(time.DateOnly, audit.Date)
		if err != nil {
			return Run{}, err
		}
		o.Audit = &estimate.Audit{AgeDays: int(now.Sub(day).Hours() / 24), Low: float64(audit.LowPercent) / 100}
		r.Audit = &AuditShown{Date: audit.Date, Low: audit.LowPercent, By: audit.By}
		correct(&o, &r, *audit, own.K())
	}
	report, err := estimate.Run(ctx, own, o)
	if err != nil {
		return Run{}, err
	}
	for i, l := range q.Lists {
		at := slices.Index(kept, i)
		if at < 0 {
			r.Dropped = append(r.Dropped, l.Name)
			continue
		}
		r.Lists = append(r.Lists, ListOf{l.Name, len(l.Organisations), countOf(own.On(1 << at)), countOf(c.Referrals[i])})
	}
	r.Seen = int(figures(float64(report.AtLeast), math.Floor))
	r.take(report, own)
	if o.Carry != nil {
		r.Perfect = points(own)
	}
	if all, _, err := table(q, c.All); err == nil {
		r.Referred = points(all)
	}
	if trap, err := estimate.NewTrapResponse(own.N(), c.Weeks, c.Waited, c.Again); err == nil {
		r.Trap = trap.Reading
	}
	return r, nil
}

// correct takes the chance that a record carries what links it from an audit: a
// true pair is linked where both do. The audit speaks for all lists alike, and
// what it does not know is drawn anew in every resample.
func correct(o *estimate.Options, r *Run, audit opening.AuditAct, lists int) {
	if audit.Linked == 0 || audit.Linked >= audit.Pairs || lists > estimate.MaxLinkedLists {
		return
	}
	carry := math.Sqrt(float64(audit.Linked) / float64(audit.Pairs))
	for range lists {
		o.Carry, o.Audited = append(o.Carry, carry), append(o.Audited, audit.Pairs)
	}
	r.Audit.Carry = int(math.Round(100 * carry))
}

// table makes a capture table of the lists that hold anything; kept are their
// places in the question.
func table(q opening.CaptureAct, cells []pool.HistoryCell) (t estimate.Table, kept []int, err error) {
	used := uint32(0)
	for _, c := range cells {
		used |= c.Mask
	}
	var names []string
	for i, l := range q.Lists {
		if used>>i&1 == 1 {
			names, kept = append(names, l.Name), append(kept, i)
		}
	}
	out := make([]estimate.Cell, len(cells))
	for n, c := range cells {
		out[n].Count = c.Count
		for to, from := range kept {
			out[n].History |= c.Mask >> from & 1 << to
		}
	}
	t, err = estimate.NewTable(names, out)
	return t, kept, err
}

// digest names a table: lists and cells in their one order.
func digest(t estimate.Table) opening.Hash {
	var b strings.Builder
	fmt.Fprintf(&b, "parallax/capture-table/v1\n%s\n", strings.Join(t.Lists, ","))
	for _, c := range t.Cells {
		fmt.Fprintf(&b, "%s %d\n", t.Bits(c.History), c.Count)
	}
	return opening.Digest([]byte(b.String()))
}

// figures keeps two significant figures.
func figures(v float64, way func(float64) float64) float64 {
	if v < 10 || math.IsInf(v, 0) || math.IsNaN(v) {
		return way(v)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	return way(v/unit) * unit
}
