package desk

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
)

// Nothing is read before its line is on disk, so a line that a crash tore was
// never acted upon: it is dropped and reading goes on. A line that somebody
// changed stops all reading.
func TestAReadLogAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reads.jsonl")
	for n := 1; n <= 2; n++ {
		if r, _, err := logRead(path, Read{Who: "analyst", Items: n}, client.ReadsHead{}); err != nil || r.Number != n {
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
		r, _, err := logRead(path, Read{Who: "analyst"}, client.ReadsHead{})
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

// Every read puts the log's head into the hub's log. While the hub's log takes
// none, reading goes on for a day and then stops; a read log that no longer holds
// what was anchored stops it at once.
func TestReadsStopWhenTheirLogIsNotAnchored(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	police, card := w.desk("authority", "police", "")
	w.publish(card)
	_, err := police.Join(ctx, w.url, opening.Hash(w.setup.Transcript.Hash()))
	must(t, err)
	read := func() error { _, err := police.Subjects(ctx); return err }
	must(t, read())
	must(t, read())
	if n := len(w.heads); n != 2 || w.heads[1].Count != 2 || w.heads[0].Head == w.heads[1].Head {
		t.Fatalf("the hub took %+v", w.heads)
	}
	w.unlogged = true
	for range 2 { // the first line that stays here alone is the one that counts
		must(t, read())
		w.clock.Advance(AnchorWithin / 2)
	}
	must(t, read())
	w.clock.Advance(time.Minute)
	if err := read(); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "nothing was read") {
		t.Errorf("a day without an anchor: %v", err)
	}
	w.unlogged = false
	must(t, read())
	if last := w.heads[len(w.heads)-1]; last.Count != 7 {
		t.Errorf("the refused read is a line as well: %+v", last)
	}
	raw, err := os.ReadFile(police.readsPath())
	must(t, err)
	lines := bytes.SplitAfter(raw, []byte("\n"))
	for name, other := range map[string][]byte{
		"the last line cut":          bytes.Join(lines[:6], nil),
		"begun anew":                 nil,
		"the last line written anew": append(bytes.Join(lines[:6], nil), bytes.Replace(lines[6], []byte(`"items":0`), []byte(`"items":1`), 1)...),
	} {
		must(t, os.WriteFile(police.readsPath(), other, 0o600))
		if err := read(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.WriteFile(police.readsPath(), raw, 0o600))
	must(t, read())
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
		first, end, err := logRead(path, Read{Who: "analyst"}, client.ReadsHead{})
		if err != nil {
			return
		}
		if next, _, err := logRead(path, Read{Who: "analyst"}, end.ReadsHead); err != nil || next.Number != first.Number+1 {
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
