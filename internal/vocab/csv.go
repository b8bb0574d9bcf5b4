package vocab

import (
	"strings"
	"unicode/utf8"
)

// Neutral is a cell of a table for a spreadsheet: one that a spreadsheet would
// take for a formula gets an apostrophe in front, so that it stays text.
func Neutral(cell string) string {
	// Leading white space and line ends do not stop a spreadsheet.
	if strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") || strings.HasPrefix(cell, "\n") {
		return "'" + cell
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(cell))
	if strings.ContainsRune("=+-@|\uff1d\uff0b\uff0d\uff20", first) { // and their wide forms
		return "'" + cell
	}
	return cell
}
