package series

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"parallax/estimate/csvtext"
)

// A Frame is a CSV file by columns, as text.
type Frame struct {
	Names []string
	cells map[string][]string
	lines []int
}

const maxColumns = 1000

// ReadFrame reads a CSV file with a header.
func ReadFrame(r io.Reader) (Frame, error) {
	text, err := csvtext.Read(r)
	if err != nil {
		return Frame{}, err
	}
	rows := csvtext.Rows(text)
	head, err := csvtext.Header(rows, "the first line names the columns")
	if err != nil {
		return Frame{}, err
	}
	f := Frame{cells: map[string][]string{}}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if name == "" || slices.Contains(f.Names, name) || i >= maxColumns {
			return Frame{}, fmt.Errorf("line 1: column %d has no name, the name of another, or is above the %d that are read", i+1, maxColumns)
		}
		f.Names = append(f.Names, name)
	}
	err = csvtext.Each(rows, func(line int, row []string) error {
		if len(row) != len(f.Names) {
			return fmt.Errorf("%d fields, but the header has %d", len(row), len(f.Names))
		}
		if len(f.lines) == MaxPoints {
			return fmt.Errorf("more than %d rows", MaxPoints)
		}
		f.lines = append(f.lines, line)
		for i, cell := range row {
			f.cells[f.Names[i]] = append(f.cells[f.Names[i]], strings.TrimSpace(cell))
		}
		return nil
	})
	return f, err
}

// Has reports whether there is a column.
func (f Frame) Has(name string) bool { return slices.Contains(f.Names, name) }

// Column gives a column as numbers.
func (f Frame) Column(name string) ([]float64, error) {
	if !f.Has(name) {
		return nil, fmt.Errorf("there is no column %q; the columns are %s", name, strings.Join(f.Names, ", "))
	}
	out := make([]float64, 0, len(f.lines))
	for i, cell := range f.cells[name] {
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil || !finite(v) {
			return nil, fmt.Errorf("line %d: %s is %.40q, which is not a number", f.lines[i], name, cell)
		}
		out = append(out, v)
	}
	return out, nil
}

// StepAt is 0 before a time and 1 from it on.
func StepAt(times []float64, start float64) []float64 {
	out := make([]float64, len(times))
	for i, t := range times {
		if t >= start {
			out[i] = 1
		}
	}
	return out
}
