package desk

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
)

// ClassPlan is what one class needs of the budget. Where the holders could be
// asked, Points and Left are those of the holder that decides: the t-th best
// off, since t of them must answer.
type ClassPlan struct {
	Class     selector.Class `json:"class"`
	Selectors int            `json:"selectors"` // distinct forms not evaluated before
	Points    int            `json:"points"`    // with padding, as they would be charged now
	Budget    int            `json:"budget"`    // a day
	Left      int            `json:"left"`      // today
	LeftKnown bool           `json:"left_known"`
	Fits      bool           `json:"fits"`
}

// Fits reports that every class is within what is left of its budget today or,
// where too few key holders could be asked, within a whole day's.
func (p Plan) Fits() bool {
	return !slices.ContainsFunc(p.Classes, func(c ClassPlan) bool { return !c.Fits })
}

// TooMuch says which classes do not fit, and how to go on; "" where all do.
func (p Plan) TooMuch() string {
	var parts []string
	for _, c := range p.Classes {
		switch {
		case c.Fits:
		case c.LeftKnown && c.Points <= c.Budget:
			parts = append(parts, fmt.Sprintf("%s needs %d points and %d of %d are left today (they renew at 00:00 UTC)", c.Class.Label(), c.Points, c.Left, c.Budget))
		default:
			parts = append(parts, fmt.Sprintf("%s needs %d points and a day has %d", c.Class.Label(), c.Points, c.Budget))
		}
	}
	if parts == nil {
		return ""
	}
	return "The file needs more than the key holders' budget: " + strings.Join(parts, "; ") +
		". Nothing was sent; wait, split the file, or ask for a logged grant."
}

// budget works out the points of each class and asks the key holders what is
// left: they count, also after this desk has lost its records.
func (p *Plan) budget(ctx context.Context, m client.Member) {
	points := make(map[selector.Class]int)
	for class, inputs := range p.inputs {
		for part := range slices.Chunk(inputs, maxEvaluate) {
			points[class] += padded(len(part))
		}
	}
	var digests []opening.Hash
	for _, b := range p.batches {
		digests = append(digests, b.Digest)
		points[b.Class] += 0 // a resumed class is listed too
	}
	answers, err := m.Budgets(ctx, digests)
	p.asked, p.Holders, p.unasked = len(answers) >= m.Manifest.Quorum, len(answers), err
	for class, n := range points {
		rule, _ := m.Manifest.Class(class)
		c := ClassPlan{Class: class, Selectors: len(p.inputs[class]), Points: n, Budget: rule.DailyBudget, LeftKnown: p.asked}
		if p.asked {
			c.Points, c.Left = p.decides(class, n, answers, m.Manifest.Quorum)
			c.Fits = c.Points <= c.Left
		} else {
			c.Fits = c.Points <= c.Budget
		}
		p.Classes = append(p.Classes, c)
	}
	sort.Slice(p.Classes, func(i, j int) bool { return p.Classes[i].Class < p.Classes[j].Class })
}

// decides gives need and rest at the t-th best holder. A batch that a holder
// charged before costs nothing there.
func (p *Plan) decides(class selector.Class, fresh int, answers []client.BudgetAnswer, t int) (need, left int) {
	type at struct{ need, left int }
	all := make([]at, len(answers))
	for i, a := range answers {
		all[i] = at{fresh, a.Left(class)}
		for j, b := range p.batches {
			if b.Class == class && !a.Charged[j] {
				all[i].need += padded(len(b.Inputs))
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].left-all[i].need > all[j].left-all[j].need })
	return all[t-1].need, all[t-1].left
}

// padded is how many points a batch of n inputs is charged.
func padded(n int) int {
	size, err := oprf.PadSize(n)
	if err != nil {
		return n // a batch is never larger than what PadSize takes
	}
	return size
}
