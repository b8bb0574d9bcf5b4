package estimate

import (
	"strings"
	"testing"
)

// Whatever is read is a table that says what it was read from; nothing panics.
func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,b,count\n1,0,3\n0,1,4\n1,1,2\n", "count\n", "a,a,count\n1,1,1\n", "a,b,count\n1,1,-1\n", "a,b,count\n1,1,1e9\n",
		"\ufeffa,b,Count\n1,1,1\n1,1,2\n", "a,b,count\n\"1,1,1\n", strings.Repeat("x,", 40) + "count\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table, err := ReadCSV(strings.NewReader(s))
		if err != nil {
			return
		}
		if len(table.Lists) == 0 || len(table.Lists) > 32 {
			t.Fatalf("%d lists from %q", len(table.Lists), s)
		}
		seen := make(map[uint32]bool)
		for _, c := range table.Cells {
			if c.Count < 0 || c.History == 0 || c.History >= 1<<len(table.Lists) || seen[c.History] {
				t.Fatalf("cell %+v from %q", c, s)
			}
			seen[c.History] = true
		}
	})
}
