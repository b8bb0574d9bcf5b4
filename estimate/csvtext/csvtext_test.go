package csvtext

import (
	"strings"
	"testing"
)

// What programs write around the same rows makes no difference; what is no text
// with commas is refused with the line.
func TestRead(t *testing.T) {
	for _, s := range []string{"a,b\n1,2\n", "\ufeffa,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a,b\n1,2", "\"a\",b\n1,\"2\"\n", "a,b\n\n1, 2\n\n"} {
		text, err := Read(strings.NewReader(s))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		rows := Rows(text)
		head, err := Header(rows, "name a and b")
		if err != nil || strings.Join(head, "|") != "a|b" {
			t.Errorf("%q: header %q, %v", s, head, err)
		}
		got := ""
		if err := Each(rows, func(_ int, row []string) error { got += strings.Join(row, "|"); return nil }); err != nil || got != "1|2" {
			t.Errorf("%q: rows %q, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"a;b\n1;2\n":     "line 1: fields are separated by semicolons",
		"# x\na\tb\n":    "line 2: fields are separated by tabs",
		"\xff\xfea\x00":  "line 1: not text in UTF-8",
		"a,b\n\xe9,2\n":  "line 2: not text in UTF-8",
		"a,b\n1,2\n\x00": "line 3: not text in UTF-8",
	} {
		if _, err := Read(strings.NewReader(s)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
	for s, want := range map[string]string{"": "line 1: no header; name a", "{\"a\":1}": "not a CSV file", "a,b\n1,\"2\n": "not a CSV file"} {
		rows := Rows([]byte(s))
		_, err := Header(rows, "name a")
		if err == nil {
			err = Each(rows, func(int, []string) error { return nil })
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}
