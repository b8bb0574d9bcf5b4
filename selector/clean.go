package selector

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxBytes bounds a raw and a canonical value; no identifier needs more and
// media does not fit.
const MaxBytes = 2048

func tooLong() error {
	return problem("not-a-selector", "This value is too long to be an identifier.")
}

// clean refuses anything that is or could carry media, then removes the
// invisible marks that copying adds.
func clean(raw string) (string, error) {
	if len(raw) > MaxBytes {
		return "", tooLong()
	}
	if !utf8.ValidString(raw) {
		return "", problem("not-a-selector", "This value contains bytes that are not text.")
	}
	s := trim(raw)
	for _, r := range s {
		if unicode.IsControl(r) {
			return "", problem("not-a-selector", "This value contains control characters and is not an identifier.")
		}
	}
	plain := fold(s)
	if looksLikeMedia(s) || looksLikeMedia(plain) {
		return "", problem("not-a-selector", "This value looks like a file or encoded data, not an identifier.")
	}
	if madeNumber.MatchString(plain) {
		return "", problem("made-number", "A program turned this identifier into a number and may have lost digits: export the column as text.")
	}
	if len(s) > 1 && s[0] == '\'' && (digit(s[1]) || s[1] == '+') {
		s = s[1:] // the mark by which spreadsheets keep digits as text
	}
	if s == "" {
		return "", problem("empty", "There is no value.")
	}
	return s, nil
}

// madeNumber: scientific notation (6.14123E+10) or a whole number of an
// identifier's length with a decimal part of zero (412345678.0).
var madeNumber = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE]\+[0-9]{1,3}$|^[0-9]{5,}[.,]0$`)

func trim(s string) string { return strings.TrimSpace(drop(s, invisible)) }

func drop(s string, out func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if out(r) {
			return -1
		}
		return r
	}, s)
}

// invisible: direction marks, zero-width space, byte-order mark, soft hyphen,
// tags and the like (general category Cf). Arabic number signs are visible,
// and the joiners U+200C and U+200D carry meaning in some scripts: they stay.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) && !joiner(r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

func joiner(r rune) bool { return r == 0x200C || r == 0x200D }

// blank: what shows nothing but is no format character, such as variation
// selectors and Hangul fillers. A web path may carry them, a name may not.
func blank(r rune) bool {
	return invisible(r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && !joiner(r)
}

// plainJoiners removes joiners that stand beside nothing that joins: at an
// end or next to an ASCII character they are invisible.
func plainJoiners(s string) string {
	if !strings.ContainsRune(s, 0x200C) && !strings.ContainsRune(s, 0x200D) {
		return s
	}
	rs := []rune(s)
	out := rs[:0]
	for i, r := range rs {
		if joiner(r) && (len(out) == 0 || out[len(out)-1] < 0x80 || i+1 == len(rs) || rs[i+1] < 0x80) {
			continue
		}
		out = append(out, r)
	}
	if len(out) < len(rs) {
		return plainJoiners(string(out))
	}
	return string(out)
}

var magics = []string{"GIF87a", "GIF89a", "%PDF-", "/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "JVBERi0", "AAAAIGZ0eXA", "AAAAHGZ0eXA", "AAAAGGZ0eXA"}

func looksLikeMedia(s string) bool {
	if len(s) >= 5 && strings.EqualFold(s[:5], "data:") {
		return true
	}
	for _, m := range magics {
		if strings.HasPrefix(s, m) {
			return true
		}
	}
	return len(s) >= 128 && isBase64(s)
}

func isBase64(s string) bool {
	for i := 0; i < len(s); i++ {
		if !alnum(s[i]) && !strings.ContainsRune("+/=_-", rune(s[i])) {
			return false
		}
	}
	return true
}

func alnum(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// fold maps full-width and other compatibility characters to their plain form
// and drops what shows nothing. Dropping can bring characters together that
// compose, so it goes round until nothing changes.
func fold(s string) string {
	for {
		next := strings.TrimSpace(plainJoiners(drop(norm.NFKC.String(s), blank)))
		if next == s {
			return s
		}
		s = next
	}
}

var fanged = regexp.MustCompile(`(?i)\[\.\]|\(\.\)|\{\.\}|\[:\]|\[dot\]|\(dot\)|\[at\]|\(at\)|\[@\]`)

// refang undoes the ways in which analysts make an address unclickable.
func refang(s string) string {
	s = fanged.ReplaceAllStringFunc(s, func(m string) string {
		switch strings.ToLower(m[1 : len(m)-1]) {
		case "at", "@":
			return "@"
		case ":":
			return ":"
		}
		return "."
	})
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	return s
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !digit(s[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cutPrefixFold removes prefix whatever its case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func one(name, value string) []form { return []form{{name, value}} }
