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
	if err := unambiguous(raw, r.line); err != nil {
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
		if _, twice := row.Cells[full]; twice {
			return invalid("line %d: the names %q and a nested object spell the same column; rename one", r.line, full)
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

// maxDepth bounds objects and arrays inside each other.
const maxDepth = 16

// unambiguous refuses an object that names a member twice: readers differ in
// which one they take. What is no JSON at all is left to the decoder's words.
func unambiguous(raw []byte, line int) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	type level struct {
		object bool
		name   bool // a member's name comes next
		seen   map[string]bool
	}
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		top := len(open) - 1
		if top >= 0 && open[top].object && open[top].name {
			if name, ok := token.(string); ok {
				if open[top].seen[name] {
					return invalid("line %d: the name %q stands twice in one object; only one value can be meant", line, short(name, 60))
				}
				open[top].seen[name], open[top].name = true, false
				continue
			}
		}
		if delim, ok := token.(json.Delim); ok && (delim == '{' || delim == '[') {
			if len(open) == maxDepth {
				return invalid("line %d: more than %d objects or lists inside each other", line, maxDepth)
			}
			open = append(open, level{object: delim == '{', name: delim == '{', seen: make(map[string]bool)})
			continue
		} else if ok {
			open = open[:top]
			top--
		}
		if top >= 0 && open[top].object {
			open[top].name = true
		}
	}
}
