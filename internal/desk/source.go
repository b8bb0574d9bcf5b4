package desk

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"parallax/internal/fault"
)

// Formats of input files.
const (
	FormatCSV    = "csv"
	FormatNDJSON = "ndjson"
)

// Limits of an input file, in bytes.
const (
	MaxCell = 64 << 10 // one cell; a selector is bounded further by selector.MaxBytes
	maxLine = 1 << 20  // one line of NDJSON, and all cells of one CSV row
	sniff   = 64 << 10 // how much of the beginning decides format and delimiter
	maxCols = 1024
)

// A Row is one record of an input file. Line is where it starts, from 1.
type Row struct {
	Line  int
	Cells map[string]string // by column name
}

// A Source streams the rows of one file in bounded memory.
type Source struct {
	Format  string
	Columns []string // of a CSV heading; for NDJSON those of the rows read so far
	next    func() (Row, error)
}

// Next gives the next row, io.EOF at the end. Every other error names line and
// column and is of kind fault.Invalid: the file as a whole is refused.
func (s *Source) Next() (Row, error) { return s.next() }

// NewSource looks at the beginning of r, refuses what is not UTF-8 text and
// finds out the format; name is only used for its extension.
func NewSource(r io.Reader, name string) (*Source, error) {
	first, err := readHead(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if err := refuse(first); err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(first), r), sniff)
	head, err := b.Peek(sniff)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if err := refuse(head); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		if _, err := b.Discard(3); err != nil {
			return nil, err
		}
		head = head[3:]
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, invalid("the file is empty")
	}
	if isNDJSON(head, name) {
		return newNDJSON(b), nil
	}
	return newCSV(b, delimiter(head))
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, fmt.Sprintf(format, args...))
}

func isNDJSON(head []byte, name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".ndjson", ".jsonl":
		return true
	case ".csv", ".tsv":
		return false
	}
	return bytes.TrimSpace(head)[0] == '{'
}

// delimiter picks the most frequent of comma, semicolon and tab in the heading.
func delimiter(head []byte) byte {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best, count := byte(','), 0
	for _, d := range []byte{',', ';', '\t'} {
		if n := bytes.Count(line, []byte{d}); n > count {
			best, count = d, n
		}
	}
	return best
}

// checkText refuses bytes that are not plain UTF-8 text.
func checkText(cell []byte, line int, column string) error {
	if i := bytes.IndexByte(cell, 0); i >= 0 {
		return invalid("line %d, column %s: the cell contains a NUL byte and is not text", line, column)
	}
	if !utf8.Valid(cell) {
		return invalid("line %d, column %s: the cell is not UTF-8 (often a file saved as Windows-1252 or Latin-1); save the file as UTF-8 and try again", line, column)
	}
	return nil
}
