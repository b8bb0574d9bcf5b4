package release

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode"
	"unicode/utf8"

	"parallax/estimate"
)

// Limits of a table and of what is shown of it.
const (
	MaxCells    = 40 // cells of one table, fixed before anything is counted
	ShownFrom   = 15 // a noised value below it is shown as "fewer than 15"
	Step        = 5  // what shown values are rounded to
	MinSources  = 3  // organisations that a cell must be fed by
	MaxDominant = 0.8
)

// A Cell of a table before the noise: its fixed name, and how many actors each
// organisation alone brought into it. An actor whom several brought is counted
// once, for the first of them.
type Cell struct {
	Name string
	From []int
}

func (c Cell) count() (n int) {
	for _, f := range c.From {
		n += f
	}
	return n
}

// Withhold says why a cell must not be shown, or "". It follows from who fed
// the cell, so withholding itself tells that few did: the page says so.
func (c Cell) Withhold() string {
	sources, top := 0, 0
	for _, f := range c.From {
		if f > 0 {
			sources++
		}
		top = max(top, f)
	}
	switch n := c.count(); {
	case sources < MinSources:
		return fmt.Sprintf("fewer than %d organisations feed this cell", MinSources)
	case float64(top) > MaxDominant*float64(n):
		return fmt.Sprintf("one organisation feeds more than %.0f %% of this cell", 100*MaxDominant)
	}
	return ""
}

// A Value is a cell after the noise. Noised is the one draw: it is stored and
// never drawn again.
type Value struct {
	Name     string `json:"name"`
	Noised   int64  `json:"noised"`
	Withheld string `json:"withheld,omitempty"`
}

// Show is what is printed of a value: rounded, or "fewer than 15", or why not.
func (v Value) Show() string {
	switch {
	case v.Withheld != "":
		return "withheld: " + v.Withheld
	case v.Noised < ShownFrom:
		return fmt.Sprintf("fewer than %d", ShownFrom)
	}
	return fmt.Sprint((v.Noised + Step/2) / Step * Step)
}

// WriteCSV writes what is shown of a table under the mark that keeps noised
// counts out of estimates, with the half-width of each error bar.
func WriteCSV(w io.Writer, e Entry, values []Value) error {
	bar, _ := HalfWidth(e.Epsilon, 1, 0.95)
	if _, err := fmt.Fprintf(w, "%s: exact discrete Laplace, epsilon %v, one actor added or removed, %s, %v\n", estimate.NoiseMark, e.Epsilon, e.Table, e.Quarter); err != nil {
		return err
	}
	rows := csv.NewWriter(w)
	if err := rows.Write([]string{"cell", "shown", "half_width_95"}); err != nil {
		return err
	}
	for _, v := range values {
		if err := rows.Write([]string{v.Name, v.Show(), fmt.Sprint(bar)}); err != nil {
			return err
		}
	}
	rows.Flush()
	return rows.Error()
}

// Draw spends the budget of a table and draws its noise, once. The cells are the
// whole fixed list, those that are empty or withheld included: that a cell is
// missing would tell something that no budget was spent on.
func Draw(l *Ledger, e Entry, cells []Cell) ([]Value, error) {
	if len(cells) == 0 || len(cells) > MaxCells {
		return nil, fmt.Errorf("%d cells; a table has 1 to %d, fixed before anything is counted", len(cells), MaxCells)
	}
	names := map[string]bool{}
	for _, c := range cells {
		if names[c.Name] {
			return nil, fmt.Errorf("cell %q is named twice", c.Name)
		}
		if first, _ := utf8.DecodeRuneInString(c.Name); !unicode.IsLetter(first) && !unicode.IsDigit(first) {
			return nil, fmt.Errorf("cell %q: a name begins with a letter or a digit, so that no spreadsheet takes it for a formula", c.Name)
		}
		names[c.Name] = true
		for _, f := range c.From {
			if f < 0 {
				return nil, fmt.Errorf("cell %q: a count below zero", c.Name)
			}
		}
	}
	if err := l.Spend(e); err != nil {
		return nil, err
	}
	drawn, err := Noise(e.Epsilon, 1, len(cells))
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(cells))
	for i, c := range cells {
		out[i] = Value{Name: c.Name, Noised: int64(c.count()) + drawn[i], Withheld: c.Withhold()}
	}
	return out, nil
}

// Consistent moves noised parts and their noised total to agree, by least
// squares with each value weighted by the inverse of its noise's variance.
func Consistent(parts []int64, part Epsilon, total int64, whole Epsilon) (fitted []float64, sum float64) {
	v, w := Variance(part, 1), Variance(whole, 1)
	gap := float64(total)
	for _, p := range parts {
		gap -= float64(p)
	}
	move := gap * v / (float64(len(parts))*v + w)
	for _, p := range parts {
		fitted = append(fitted, float64(p)+move)
		sum += float64(p) + move
	}
	return fitted, sum
}

// MinPublicCell is how much every non-zero cell of an overlap table must count
// before the table itself may be shown.
const MinPublicCell = 10

// Headline rounds a range to two figures, outward.
func Headline(low, high float64) (float64, float64) {
	return figures(low, math.Floor), figures(high, math.Ceil)
}

func figures(v float64, way func(float64) float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return v
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-1)
	if r := math.Round(v / unit); math.Abs(v/unit-r) < 1e-9 {
		return r * unit
	}
	return way(v/unit) * unit
}

// A Window is the days that an estimate covers, first and last included, as
// counts of days since some day.
type Window struct{ First, Last int }

// CheckWindow refuses an estimate for a window that overlaps with one already
// published, since the difference of two estimates would tell of the days that
// only one covers, or that ends less than a year after the last.
func CheckWindow(published []Window, next Window) error {
	if next.Last < next.First {
		return errors.New("the window ends before it begins")
	}
	for _, w := range published {
		switch {
		case next.First <= w.Last && w.First <= next.Last:
			return errors.New("the window overlaps with one already published; their difference would tell of the days that only one covers")
		case next.Last > w.Last && next.Last-w.Last < 365:
			return errors.New("estimates are published once a year at most; the last window ended less than a year before this one")
		}
	}
	return nil
}
