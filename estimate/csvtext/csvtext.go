// Package csvtext opens the comma-separated files that the packages of estimate
// read, whatever program wrote them: with or without a byte order mark, with any
// line ends. What is no such file is refused in words that say how to mend it,
// and every error of a row names its line.
package csvtext

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Read gives the text of a file without its byte order mark and with a line end
// that a CSV reader knows.
func Read(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !bytes.ContainsRune(text, '\n') {
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) || bytes.ContainsRune(line, 0) {
			return nil, fmt.Errorf("line %d: not text in UTF-8; save the file as CSV in UTF-8", i+1)
		}
	}
	return text, separated(text)
}

// separated refuses a file whose first line has other separators than commas.
func separated(text []byte) error {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		for _, s := range []struct{ char, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "bars"}} {
			if !bytes.Contains(line, []byte(",")) && bytes.Contains(line, []byte(s.char)) {
				return fmt.Errorf("line %d: fields are separated by %s; separate them by commas", i+1, s.name)
			}
		}
		return nil
	}
	return nil
}

// Rows reads text; rows may differ in length.
func Rows(text []byte) *csv.Reader {
	rows := csv.NewReader(bytes.NewReader(text))
	rows.TrimLeadingSpace = true
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	return rows
}

// Header reads the first row; absent says what it should hold.
func Header(rows *csv.Reader, absent string) ([]string, error) {
	head, err := rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("line 1: no header; " + absent)
	case err != nil:
		return nil, fmt.Errorf("not a CSV file: %w", err)
	}
	return append([]string(nil), head...), nil // the reader uses its memory again
}

// Each hands over every row that is left, with its line.
func Each(rows *csv.Reader, take func(line int, row []string) error) error {
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a CSV file: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if err := take(line, row); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}
