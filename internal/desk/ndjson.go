package desk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// ndjsonReader reads one JSON object a line; nested objects become dotted
// columns, an array stays as its JSON text.
type ndjsonReader struct {
	b    *bufio.Reader
	line int
	seen map[string]bool
	s    *Source
	buf  []byte
}

func newNDJSON(b *bufio.Reader) *Source {
	r := &ndjsonReader{b: b, seen: make(map[string]bool), s: &Source{Format: FormatNDJSON}}
	r.s.next = r.row
	return r.s
}

func (r *ndjsonReader) row() (Row, error) {
	for {
		raw, err := r.readLine()
		if err != nil {
			return Row{}, err
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		return r.decode(raw)
	}
}

func (r *ndjsonReader) readLine() ([]byte, error) {
	r.buf = r.buf[:0]
	r.line++
	for {
		part, err := r.b.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case len(r.buf) > maxLine:
			return nil, invalid("line %d: the line is larger than %d bytes; files and encoded media never belong in a table", r.line, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.buf) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		default:
			return r.buf, nil
		}
	}
}

func (r *ndjsonReader) decode(raw []byte) (Row, error) {
	if err := checkText(raw, r.line, "1"); err != nil {
		return Row{}, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return Row{}, invalid("line %d, column %d: this is not one JSON object: %v", r.line, d.InputOffset()+1, err)
	}
	if d.More() {
		return Row{}, invalid("line %d, column %d: more than one JSON value on the line", r.line, d.InputOffset()+1)
	}
	row := Row{Line: r.line, Cells: make(map[string]string, len(v))}
	if err := r.flatten(row, "", v); err != nil {
		return Row{}, err
	}
	return row, nil
}

func (r *ndjsonReader) flatten(row Row, prefix string, v map[string]any) error {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		full, x := prefix+name, v[name]
		if sub, ok := x.(map[string]any); ok {
			if err := r.flatten(row, full+".", sub); err != nil {
				return err
			}
			continue
		}
		text, err := cellText(x)
		if err != nil {
			return err
		}
		if len(text) > MaxCell {
			return invalid("line %d, column %s: the cell is larger than %d bytes; files and encoded media never belong in a table", r.line, full, MaxCell)
		}
		if err := checkText([]byte(text), r.line, full); err != nil {
			return err
		}
		row.Cells[full] = text
		if !r.seen[full] && len(r.seen) < maxCols {
			r.seen[full] = true
			r.s.Columns = append(r.s.Columns, full)
		}
	}
	return nil
}

func cellText(x any) (string, error) {
	switch x := x.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case json.Number:
		return x.String(), nil
	}
	raw, err := json.Marshal(x)
	return string(raw), err
}
