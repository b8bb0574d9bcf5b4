package estimate

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"parallax/estimate/csvtext"
)

// A Stratum is the part of a table that shares a value: a region, a kind of
// selector, a quarter.
type Stratum struct {
	Name  string
	Table Table
}

// maxStrata bounds how finely a table is cut.
const maxStrata = 50

// ReadStrata reads a table with one column more, by which it is cut. It gives
// the whole table, strata added up, and the strata in the order of their names.
func ReadStrata(r io.Reader, column string) (Table, []Stratum, error) {
	rows, head, noised, err := openTable(r)
	if err != nil {
		return Table{}, nil, err
	}
	at := slices.IndexFunc(head, func(s string) bool { return strings.TrimSpace(s) == column })
	if at < 0 || at == len(head)-1 {
		return Table{}, nil, fmt.Errorf("line 1: there is no column %q to cut the table by", column)
	}
	lists, err := readHeader(slices.Delete(slices.Clone(head), at, at+1))
	if err != nil {
		return Table{}, nil, fmt.Errorf("line 1: %w", err)
	}
	by := map[string][]Cell{}
	sum := map[uint32]int{}
	err = csvtext.Each(rows, func(_ int, row []string) error {
		if len(row) != len(head) {
			return fmt.Errorf("%d fields, but the header has %d", len(row), len(head))
		}
		name := strings.TrimSpace(row[at])
		c, err := readRow(slices.Delete(slices.Clone(row), at, at+1), lists)
		if err != nil || c.History == 0 {
			return err
		}
		if slices.ContainsFunc(by[name], func(d Cell) bool { return d.History == c.History }) {
			return fmt.Errorf("the same history twice in %q; add the counts and keep one row", name)
		}
		by[name] = append(by[name], c)
		sum[c.History] += c.Count
		return nil
	})
	if err != nil {
		return Table{}, nil, err
	}
	if len(by) > maxStrata {
		return Table{}, nil, fmt.Errorf("%d strata; at most %d", len(by), maxStrata)
	}
	var cells []Cell
	for h, n := range sum {
		cells = append(cells, Cell{h, n})
	}
	whole, err := NewTable(lists, cells)
	if err != nil {
		return Table{}, nil, err
	}
	whole.Noised = noised
	var strata []Stratum
	for name, cells := range by {
		t, err := NewTable(lists, cells)
		if err != nil {
			return Table{}, nil, fmt.Errorf("stratum %q: %w", name, err)
		}
		strata = append(strata, Stratum{name, t})
	}
	slices.SortFunc(strata, func(a, b Stratum) int { return cmp.Compare(a.Name, b.Name) })
	return whole, strata, nil
}

// A StrataSum is the stepwise estimate stratum by stratum. Where people of one
// stratum are seen more easily than of another, the sum is above the estimate of
// the whole and nearer the truth.
type StrataSum struct {
	Strata []Variation `json:"strata"`
	Sum    *float64    `json:"sum"` // nil where a stratum has no estimate
}

// Stratified estimates each stratum and adds up.
func Stratified(strata []Stratum) (out StrataSum) {
	sum, whole := 0.0, true
	for _, s := range strata {
		v := vary(s.Name, s.Table)
		out.Strata = append(out.Strata, v)
		if v.Estimate == nil {
			whole = false
			continue
		}
		sum += *v.Estimate
	}
	if whole {
		out.Sum = number(sum)
	}
	return out
}
