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
