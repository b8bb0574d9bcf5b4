package desk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvReader reads RFC 4180 with a bounded cell, which encoding/csv does not
// offer: one unclosed quote must not pull a whole file into memory.
type csvReader struct {
	b     *bufio.Reader
	delim byte
	line  int // of the byte to be read next
	cols  []string
	cell  []byte
}

func newCSV(b *bufio.Reader, delim byte) (*Source, error) {
	r := &csvReader{b: b, delim: delim, line: 1}
	head, _, err := r.record()
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for i, h := range head {
		h = strings.TrimSpace(h)
		if h == "" {
			h = fmt.Sprintf("column %d", i+1)
		}
		if seen[h] {
			return nil, invalid("line 1, column %d: two columns are called %q; rename one", i+1, h)
		}
		seen[h] = true
		r.cols = append(r.cols, h)
	}
	s := &Source{Format: FormatCSV, Columns: r.cols}
	s.next = r.row
	return s, nil
}

// row gives the next record by column name; blank lines are skipped.
func (r *csvReader) row() (Row, error) {
	for {
		cells, line, err := r.record()
		if err != nil {
			return Row{}, err
		}
		if len(cells) == 1 && strings.TrimSpace(cells[0]) == "" {
			continue
		}
		if len(cells) != len(r.cols) {
			return Row{}, invalid("line %d: %d cells, but the heading has %d columns; check for a missing or extra delimiter or quote", line, len(cells), len(r.cols))
		}
		row := Row{Line: line, Cells: make(map[string]string, len(cells))}
		for i, c := range cells {
			row.Cells[r.cols[i]] = c
		}
		return row, nil
	}
}

// record reads the cells of one record and the line where it starts.
func (r *csvReader) record() ([]string, int, error) {
	start, size := r.line, 0
	var cells []string
	for {
		last, err := r.readCell(len(cells))
		if errors.Is(err, io.EOF) && len(cells) == 0 {
			return nil, 0, io.EOF
		}
		if err != nil {
			return nil, 0, err
		}
		if err := checkText(r.cell, start, r.column(len(cells))); err != nil {
			return nil, 0, err
		}
		size += len(r.cell)
		if size > maxLine || len(cells) >= maxCols {
			return nil, 0, invalid("line %d: the row is larger than %d bytes or %d columns", start, maxLine, maxCols)
		}
		cells = append(cells, string(r.cell))
		if last {
			return cells, start, nil
		}
	}
}

func (r *csvReader) column(i int) string {
	if i < len(r.cols) {
		return fmt.Sprintf("%d (%s)", i+1, r.cols[i])
	}
	return fmt.Sprint(i + 1)
}

// readCell fills r.cell and reports whether it ends the record. io.EOF means
// that nothing at all was left.
func (r *csvReader) readCell(col int) (last bool, err error) {
	r.cell = r.cell[:0]
	start, quoted, closed := r.line, false, false
	for n := 0; ; n++ {
		c, err := r.b.ReadByte()
		if errors.Is(err, io.EOF) {
			switch {
			case quoted && !closed:
				return false, invalid("line %d, column %s: a quote is opened and never closed", start, r.column(col))
			case n == 0 && col == 0:
				return false, io.EOF
			}
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("line %d: %w", r.line, err)
		}
		if c == '\n' {
			r.line++
		}
		switch {
		case quoted && !closed && c == '"':
			if next, err := r.b.Peek(1); err == nil && next[0] == '"' {
				r.cell = append(r.cell, '"')
				if _, err := r.b.Discard(1); err != nil {
					return false, err
				}
				continue
			}
			closed = true
		case quoted && !closed:
			r.cell = append(r.cell, c)
		case c == r.delim:
			return false, nil
		case c == '\n':
			r.cell = trimCR(r.cell)
			return true, nil
		case closed && c == '\r':
		case closed:
			return false, invalid("line %d, column %s: text follows a closing quote; double a quote that belongs to the text", r.line, r.column(col))
		case c == '"' && n == 0:
			quoted = true
		default:
			r.cell = append(r.cell, c)
		}
		if len(r.cell) > MaxCell {
			return false, invalid("line %d, column %s: the cell is larger than %d bytes; files and encoded media never belong in a table", start, r.column(col), MaxCell)
		}
	}
}

func trimCR(cell []byte) []byte {
	if n := len(cell); n > 0 && cell[n-1] == '\r' {
		return cell[:n-1]
	}
	return cell
}
