package keyholder

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// reopen gives the kinds of the entries of a journal.
func reopen(t *testing.T, path string) (j *journal, kinds []string, err error) {
	t.Helper()
	j, err = openJournal(path, func(kind string, _ []byte) error { kinds = append(kinds, kind); return nil })
	if err == nil {
		t.Cleanup(func() { _ = j.close() })
	}
	return j, kinds, err
}

// A crash in the middle of a line costs that line and nothing else; damage
// before the last line refuses to start.
func TestAJournalAfterACrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	j, _, err := reopen(t, path)
	for _, kind := range []string{"a", "b"} {
		if err != nil {
			t.Fatal(err)
		}
		err = j.append(kind, struct{}{})
	}
	if err != nil || j.close() != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.IndexByte(whole, '\n') + 1
	lost := func(from, to int) []byte { // a sector that never reached the disk
		raw := bytes.Clone(whole)
		clear(raw[from:to])
		return raw
	}
	for name, c := range map[string]struct {
		raw  []byte
		want []string // nil: refused
	}{
		"whole":                    {whole, []string{"a", "b"}},
		"half a line":              {whole[:second+9], []string{"a"}},
		"no end of line":           {whole[:len(whole)-1], []string{"a"}},
		"an end and no beginning":  {lost(second, second+20), []string{"a"}},
		"zeroes instead of a line": {lost(second, len(whole)), []string{"a"}},
		"damage before the end":    {lost(0, 20), nil},
		"a line that is not next":  {append(bytes.Clone(whole), whole[second:]...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			if err := os.WriteFile(path, c.raw, 0o600); err != nil {
				t.Fatal(err)
			}
			j, kinds, err := reopen(t, path)
			if (err != nil) != (c.want == nil) {
				t.Fatalf("opening: %v", err)
			}
			if err != nil {
				return
			}
			if !slices.Equal(kinds, c.want) {
				t.Errorf("got %v, want %v", kinds, c.want)
			}
			if err := j.append("c", struct{}{}); err != nil {
				t.Fatal(err)
			}
			if err := j.close(); err != nil {
				t.Fatal(err)
			}
			if _, kinds, err = reopen(t, path); err != nil || !slices.Equal(kinds, append(slices.Clone(c.want), "c")) {
				t.Errorf("after one more entry: %v, %v", kinds, err)
			}
		})
	}
}

// A journal that opens, whatever was in the file, takes entries and opens again
// with one more.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(`{"prev":"0000000000000000000000000000000000000000000000000000000000000000","kind":"a","data":{}}` + "\n"))
	f.Add([]byte(`{"prev":"0000000000000000000000000000000000000000000000000000000000000000","kind":"a","data":{}}` + "\n{\n{}\n"))
	f.Add([]byte("\x00\x00\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		j, kinds, err := reopen(t, path)
		if err != nil {
			return
		}
		if err := j.append("more", struct{}{}); err != nil {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		if _, again, err := reopen(t, path); err != nil || len(again) != len(kinds)+1 {
			t.Fatalf("%d entries, then %d: %v", len(kinds), len(again), err)
		}
	})
}
