package series

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
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
	rows := csv.NewReader(r)
	rows.TrimLeadingSpace = true
	head, err := rows.Read()
	if err != nil {
		return Frame{}, errors.New("line 1: no header; the first line names the columns")
	}
	f := Frame{cells: map[string][]string{}}
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if name == "" || slices.Contains(f.Names, name) || i >= maxColumns {
			return Frame{}, fmt.Errorf("line 1: column %d has no name, the name of another, or is above the %d that are read", i+1, maxColumns)
		}
		f.Names = append(f.Names, name)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return Frame{}, fmt.Errorf("not a CSV file: %w", err)
		}
		if len(f.lines) == MaxPoints {
			return Frame{}, fmt.Errorf("more than %d rows", MaxPoints)
		}
		line, _ := rows.FieldPos(0)
		f.lines = append(f.lines, line)
		for i, cell := range row {
			f.cells[f.Names[i]] = append(f.cells[f.Names[i]], strings.TrimSpace(cell))
		}
	}
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
