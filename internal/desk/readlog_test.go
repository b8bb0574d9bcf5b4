package desk

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"parallax/internal/fault"
)

// Nothing is read before its line is on disk, so a line that a crash tore was
// never acted upon: it is dropped and reading goes on. A line that somebody
// changed stops all reading.
func TestAReadLogAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reads.jsonl")
	for n := 1; n <= 2; n++ {
		if r, err := logRead(path, Read{Who: "analyst", Items: n}); err != nil || r.Number != n {
			t.Fatalf("line %d: %+v, %v", n, r, err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.IndexByte(whole, '\n') + 1
	zeroed := bytes.Clone(whole)
	clear(zeroed[second : second+30])
	for name, c := range map[string]struct {
		raw  []byte
		next int // the number of the next line; 0: refused
	}{
		"whole":                   {whole, 3},
		"half a line":             {whole[:second+9], 2},
		"an end and no beginning": {zeroed, 2},
		"a line taken out":        {whole[second:], 0},
		"a line changed":          {bytes.Replace(whole, []byte("analyst"), []byte("someone"), 1), 0},
	} {
		if err := os.WriteFile(path, c.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := logRead(path, Read{Who: "analyst"})
		if c.next == 0 {
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || r.Number != c.next {
			t.Errorf("%s: line %d, %v", name, r.Number, err)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(`{"number":1,"before":"0000000000000000000000000000000000000000000000000000000000000000","time":1,"who":"a","opening":"","request":"0000000000000000000000000000000000000000000000000000000000000000","items":0}` + "\n"))
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte("\x00\x00\n\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "reads.jsonl")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := logRead(path, Read{Who: "analyst"})
		if err != nil {
			return
		}
		if next, err := logRead(path, Read{Who: "analyst"}); err != nil || next.Number != first.Number+1 {
			t.Fatalf("line %d after line %d: %v", next.Number, first.Number, err)
		}
	})
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(`{"format":"csv","reference":"case","strength":"s","kind":"k","role":"=unknown","grade":"=b2","columns":{"email":{"class":"email"}}}`))
	f.Add([]byte(`{"columns":{"x":{"class":"phone","country":"AU","prefix":"y"}}} {}`))
	f.Add([]byte(`{"columns":{"x":{"class":"nothing"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMapping(raw, "mapping.json")
		if err != nil {
			return
		}
		text, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseMapping(text, "again.json"); err != nil {
			t.Fatalf("what was saved cannot be read: %v\n%s", err, text)
		}
	})
}
