package desk

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/selector"
)

var today = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readAll(text, name string) ([]Row, error) {
	s, err := NewSource(strings.NewReader(text), name)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		row, err := s.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func TestReadsCSVAndNDJSON(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"plain":      {"a.csv", "a,b\n1,x\n2,y\n"},
		"mark, CRLF": {"a.csv", "\xef\xbb\xbfa,b\r\n1,x\r\n2,y"},
		"semicolon":  {"a.csv", "a;b\n1;x\n\n2;y\n"},
		"tab":        {"a.tsv", "a\tb\n1\tx\n2\ty\n"},
		"quoted":     {"a.csv", "\"a\",\"b\"\n\"1\",\"x\"\n2,\"y\"\r\n"},
		"ndjson":     {"a.ndjson", "{\"a\":1,\"b\":\"x\"}\n\n{\"a\":2,\"b\":\"y\"}"},
		"json, mark": {"a.txt", "\xef\xbb\xbf{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"},
	} {
		rows, err := readAll(c.text, c.file)
		if err != nil || len(rows) != 2 || rows[0].Cells["a"] != "1" || rows[1].Cells["b"] != "y" {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	rows, err := readAll("a,b\n\"one \"\"two\"\"\nthree\",x\nz,y\n", "a.csv")
	if err != nil || rows[0].Cells["a"] != "one \"two\"\nthree" || rows[1].Line != 4 {
		t.Errorf("quotes and lines: %v, %v", rows, err)
	}
	rows, err = readAll(`{"who":{"mail":"m"},"list":[1,2],"none":null,"yes":true}`, "a.ndjson")
	if err != nil || rows[0].Cells["who.mail"] != "m" || rows[0].Cells["list"] != "[1,2]" || rows[0].Cells["yes"] != "true" {
		t.Errorf("nested: %v, %v", rows, err)
	}
}

func TestRefusesWhatIsNoTable(t *testing.T) {
	big := strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct{ file, text, want string }{
		"UTF-16":          {"a.csv", "\xff\xfea\x00,\x00", "UTF-16"},
		"UTF-16 unmarked": {"a.csv", "a\x00,\x00b\x00", "UTF-16"},
		"Latin-1":         {"a.csv", "a,b\nx,M\xfcller\n", "line 2, column 2 (b)"},
		"an image":        {"a.csv", "\xff\xd8\xff\xe0", "image"},
		"a workbook":      {"a.csv", "PK\x03\x04", "spreadsheet"},
		"NUL":             {"a.csv", "a,b\n1,x\nfoo,b\x00r\n", "line 3"},
		"NUL later":       {"a.csv", "a,b\n" + strings.Repeat("1,x\n", 50_000) + "q,\x00\n", "line 50002, column 2 (b)"},
		"a huge cell":     {"a.csv", "a,b\n1," + big + "\n", "line 2, column 2 (b)"},
		"a huge line":     {"a.ndjson", `{"a":"` + big + `"}`, "line 1"},
		"open quote":      {"a.csv", "a,b\n1,\"x\n", "line 2, column 2 (b)"},
		"missing cell":    {"a.csv", "a,b\n1\n", "line 2"},
		"after quote":     {"a.csv", "a,b\n\"1\"x,2\n", "line 2, column 1 (a)"},
		"empty":           {"a.csv", " \n", "empty"},
		"not an object":   {"a.ndjson", "{\"a\":1}\n[1]\n", "line 2, column"},
		"two objects":     {"a.ndjson", "{\"a\":1}{\"a\":2}\n", "line 1, column"},
		"same heading":    {"a.csv", "a,a\n", "two columns"},
	} {
		_, err := readAll(c.text, c.file)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

const export = `case_id,email,mobile,bsb,account_number,date,note
C-1,first.person@gmail.com,0412 903 177,062-000,12903417,2026-11-02,seen twice
C-2,noreply@example.com,,,,2026-11-03,
C-3,not an address,0491 570 156,,,2026-11-04,
C-4,,,,,2026-11-05,
`

func TestGuessAndCheck(t *testing.T) {
	path := file(t, "export.csv", export)
	rep, err := Check(File(path), nil, today, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := rep.Mapping
	if m.Reference != "case_id" || m.Date != "date" || m.Note != "note" || m.Columns["email"].Class != selector.Email ||
		m.Columns["mobile"].Class != selector.Phone || m.Columns["account_number"].Prefix != "bsb" || len(m.Columns) != 3 {
		t.Errorf("guessed %+v", m)
	}
	if rep.Rows != 4 || rep.Observations != 1 || len(rep.Issues) != 4 {
		t.Errorf("report %+v", rep)
	}
	for _, c := range rep.Classes {
		want := map[selector.Class]Count{selector.Email: {1, 1, 1, 2}, selector.Phone: {1, 1, 0, 1}, selector.Bank: {1, 0, 0, 1}}[c.Class]
		if c.Count != want {
			t.Errorf("%s: %+v, want %+v", c.Class, c.Count, want)
		}
	}
	var b strings.Builder
	rep.Text(&b)
	if !strings.Contains(b.String(), "line 4, email: refused") || strings.Contains(b.String(), "gmail") {
		t.Errorf("text:\n%s", b.String())
	}
}

// TestBareHashesNeedTheirAlgorithm: bare hex may be a perceptual hash, so a
// column of it is read only where heading or mapping name the digest.
func TestBareHashesNeedTheirAlgorithm(t *testing.T) {
	digest := strings.Repeat("9f", 32)
	for heading, want := range map[string]struct{ class, code string }{
		"sha256": {"hash", ""}, "file_hash": {"hash", "needs-algorithm"}, "pdq_hash": {"", ""},
	} {
		rep, err := Check(File(file(t, "h.csv", "email,"+heading+"\nfirst.person@gmail.com,"+digest+"\n")), nil, today, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := rep.Mapping.Columns[heading].Class; string(got) != want.class {
			t.Errorf("%s: class %q, want %q", heading, got, want.class)
		}
		if len(rep.Issues) > 0 != (want.code != "") || want.code != "" && rep.Issues[0].Code != want.code {
			t.Errorf("%s: %+v, want %q", heading, rep.Issues, want.code)
		}
		if want.code == "" {
			continue
		}
		m := rep.Mapping
		m.Columns[heading] = ColumnMapping{Class: selector.Hash, Algorithm: "sha256"}
		if rep, err = Check(File(file(t, "h.csv", "email,"+heading+"\nfirst.person@gmail.com,"+digest+"\n")), &m, today, nil); err != nil || len(rep.Issues) > 0 {
			t.Errorf("%s with its algorithm: %+v, %v", heading, rep.Issues, err)
		}
	}
}

func TestMappingSavesLoadsAndFits(t *testing.T) {
	m, err := GuessFile(File(file(t, "export.csv", export)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.json")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := LoadMapping(path)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = Check(File(file(t, "other.csv", "mail,x\na@b.com,1\n")), &m, today, nil)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), `"email"`) || !strings.Contains(err.Error(), `"case_id"`) {
		t.Errorf("missing columns: %v", err)
	}
	for _, bad := range []string{`{`, `{"columns":{}}`, `{"columns":{"a":{"class":"shoe"}}}`, `{"columns":{"a":{"class":"hash","algorithm":"pdq"}}}`, `{"colums":{}}`} {
		if _, err := LoadMapping(file(t, "m.json", bad)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestFactsOfARow(t *testing.T) {
	m := Mapping{Columns: map[string]ColumnMapping{"email": {Class: selector.Email}}, Reference: "ref", Grade: "grade",
		Strength: "=2", Kind: "payment", Date: "when", Note: "note", Role: "role", Origin: "referred:other"}
	row := Row{Line: 7, Cells: map[string]string{"email": "first.person@gmail.com", "ref": "R", "grade": "B2", "when": "24/11/2026",
		"note": strings.Repeat("é", 300), "role": "possible_victim"}}
	r := m.Read(row, today)
	if rec := r.Record; !r.OK || rec.Source != "b" || rec.Info != "2" || rec.Strength != 2 || rec.Kind != "payment" ||
		rec.Date != "2026-11-24" || len([]rune(rec.Note)) != 200 || rec.Role != "possible_victim" || rec.Origin != "referred:other" {
		t.Errorf("%+v %+v", r.Record, r.Issues)
	}
	if w, err := week(r.Record.Date); err != nil || w != "2026-W48" {
		t.Errorf("week %s, %v", w, err)
	}
	for field, bad := range map[string]string{"grade": "Z9", "when": "yesterday", "role": "Two Words"} {
		was := row.Cells[field]
		row.Cells[field] = bad
		if r := m.Read(row, today); r.OK || len(r.Issues) != 1 {
			t.Errorf("%s %q: %+v", field, bad, r.Issues)
		}
		row.Cells[field] = was
	}
}

func FuzzSource(f *testing.F) {
	f.Add("a,b\n1,\"x\"\n", true)
	f.Add(`{"a":{"b":[1]}}`, false)
	f.Fuzz(func(t *testing.T, text string, csv bool) {
		name := "a.ndjson"
		if csv {
			name = "a.csv"
		}
		if _, err := readAll(text, name); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	})
}
