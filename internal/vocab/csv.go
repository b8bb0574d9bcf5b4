package vocab

import (
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WriteCSV writes rows for a spreadsheet. It is the one way by which tables
// leave: a cell that a spreadsheet would take for a formula stays text.
func WriteCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = Neutral(cell)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Neutral is a cell of a table for a spreadsheet: one that a spreadsheet would
// take for a formula gets an apostrophe in front, so that it stays text. A plain
// number stays as it is.
func Neutral(cell string) string {
	if formula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// Plain undoes Neutral, for tables that come back.
func Plain(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); bare != cell && formula(bare) {
		return cell[1:]
	}
	return cell
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func formula(cell string) bool {
	if number.MatchString(cell) {
		return false
	}
	if strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") || strings.HasPrefix(cell, "\n") {
		return true
	}
	// What does not show does not stop a spreadsheet.
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }))
	return strings.ContainsRune("=+-@|\uff1d\uff0b\uff0d\uff20", first) // and their wide forms
}
