package selector

import (
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
	if looksLikeMedia(s) {
		return "", problem("not-a-selector", "This value looks like a file or encoded data, not an identifier.")
	}
	if s == "" {
		return "", problem("empty", "There is no value.")
	}
	return s, nil
}

func trim(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s))
}

// invisible: direction marks, zero-width space, byte-order mark, soft hyphen.
// The joiners U+200C and U+200D carry meaning in some scripts and stay.
func invisible(r rune) bool {
	switch {
	case r == 0x00AD, r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x200E, r == 0x200F:
		return true
	}
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
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

// fold maps full-width and other compatibility characters to their plain form.
func fold(s string) string { return trim(norm.NFKC.String(s)) }

// refang undoes the ways in which analysts make an address unclickable.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "[:]", ":", "[dot]", ".", "[at]", "@").Replace(s)
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
