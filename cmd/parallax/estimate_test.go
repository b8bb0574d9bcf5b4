package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEstimateCommand(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "table.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(append([]string{"estimate", file}, args...), streams{strings.NewReader(""), &out, &errs})
		return code, out.String(), errs.String()
	}
	write("a,b,c,count\n1,0,0,60\n0,1,0,49\n0,0,1,247\n1,1,0,4\n1,0,1,112\n0,1,1,142\n1,1,1,12\n")
	fast := []string{"--json", "--method", "loglinear_main,stepwise,dga", "--seed", "3"}
	code, out, _ := try(fast...)
	var r struct {
		N       int
		Seed    uint64
		Input   string `json:"input_sha256"`
		Verdict string
		Range   []float64
		Reasons []string
		Panel   []struct {
			Method   string
			Estimate *float64
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitDone {
		t.Fatalf("exit %d, %v in %s", code, err, out)
	}
	if r.N != 626 || r.Seed != 3 || len(r.Input) != 64 || r.Verdict != "range_only" || len(r.Panel) != 3 || len(r.Range) != 2 {
		t.Errorf("report: %+v", r)
	}
	if _, again, _ := try(fast...); again != out {
		t.Error("the same table and seed gave another answer")
	}
	if _, text, _ := try("--method", "loglinear_main,stepwise"); !strings.Contains(text, "refused  linkage_audit") {
		t.Errorf("gates are not shown:\n%s", text)
	}
	if code, out, errs := try("--method", "magic"); code != exitBad || out != "" || !strings.Contains(errs, "stepwise") {
		t.Errorf("an unknown method: exit %d, %q, %q", code, out, errs)
	}
	write("a,b,count\n1,0,-3\n")
	if code, out, errs := try("--json"); code != exitBad || out != "" || !strings.Contains(errs, "line 2") {
		t.Errorf("a negative count: exit %d, %q, %q", code, out, errs)
	}
}

// What people hand in: the same table as many programs write it, and tables
// that are none, each with the line and how to mend it.
func TestOddTables(t *testing.T) {
	const rows = "1,0,0,60\n0,1,0,49\n0,0,1,247\n1,1,0,4\n1,0,1,112\n0,1,1,142\n1,1,1,12\n"
	head := func(k int) string { return strings.Repeat("l,", k)[:2*k] }
	many := func(k int) string {
		var b strings.Builder
		for j := range k {
			fmt.Fprintf(&b, "l%d,", j)
		}
		b.WriteString("count\n")
		for h := 1; h < 1<<min(k, 10); h++ {
			for j := range k {
				fmt.Fprintf(&b, "%d,", h>>j&1)
			}
			fmt.Fprintf(&b, "%d\n", 1+h%7)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, text string
		code       int
		want       string
	}{
		{"plain", "a,b,c,count\n" + rows, exitDone, "Between 730 and"},
		{"byte order mark", "\ufeffa,b,c,count\n" + rows, exitDone, "Between 730 and"},
		{"byte order mark and quotes", "\ufeff\"a\",\"b\",\"c\",\"count\"\n" + rows, exitDone, "Between 730 and"},
		{"windows", strings.ReplaceAll("a,b,c,count\n"+rows, "\n", "\r\n"), exitDone, "Between 730 and"},
		{"old macintosh", strings.ReplaceAll("a,b,c,count\n"+rows, "\n", "\r"), exitDone, "Between 730 and"},
		{"names with commas and spaces", "\"a, of x\", b b ,c,Count\n" + rows, exitDone, "a, of x"},
		{"spaces", strings.ReplaceAll("a,b,c,count\n"+rows, ",", " , "), exitDone, "Between 730 and"},
		{"remarks and blank lines", "# from a report\na,b,c,count\n\n" + rows + "\n\n", exitDone, "Between 730 and"},
		{"an empty row of zeros", "a,b,c,count\n0,0,0,0\n" + rows, exitDone, "Between 730 and"},
		{"quoted cells", "a,b,c,count\n\"1\",\"0\",\"0\",\"60\"\n" + rows[9:], exitDone, "Between 730 and"},
		{"semicolons", strings.ReplaceAll("a,b,c,count\n"+rows, ",", ";"), exitBad, "line 1: fields are separated by semicolons"},
		{"tabs", strings.ReplaceAll("a,b,c,count\n"+rows, ",", "\t"), exitBad, "line 1: fields are separated by tabs"},
		{"count first", "count,a,b\n3,1,0\n", exitBad, "line 1: the column \"count\" must be the last"},
		{"another name for count", "a,b,Freq\n1,0,3\n", exitBad, "line 1: the last column is \"Freq\""},
		{"no count", "a,b\n1,0\n", exitBad, "line 1: the last column is \"b\""},
		{"two words", "a,b,count\nTRUE,FALSE,3\n", exitBad, "line 2: column a holds \"TRUE\"; write 1"},
		{"a two", "a,b,count\n2,0,3\n", exitBad, "line 2: column a holds \"2\""},
		{"negative", "a,b,count\n1,0,3\n0,1,-3\n", exitBad, "line 3: the count -3 is negative"},
		{"fraction", "a,b,count\n1,0,3.5\n", exitBad, "line 2: the count 3.5 is not a whole number"},
		{"a point", "a,b,count\n1,0,60.0\n", exitBad, "as 60"},
		{"not a number", "a,b,count\n1,0,NaN\n", exitBad, "line 2: the count \"NaN\" is not a number"},
		{"missing", "a,b,count\n1,0,\n", exitBad, "line 2: the count \"\" is not a number"},
		{"too many", "a,b,count\n1,0,9999999999\n", exitBad, "above 1000000000"},
		{"twice", "a,b,c,count\n" + rows + "0,1,0,49\n", exitBad, "line 9: the same history as line 3; add the counts"},
		{"the unseen", "a,b,count\n0,0,9\n1,0,3\n", exitBad, "line 2: a row of zeros"},
		{"short row", "a,b,count\n1,0\n", exitBad, "line 2: 2 fields, but the header has 3"},
		{"all zero", "a,b,count\n1,0,0\n", exitBad, "counts nothing"},
		{"nothing", "", exitBad, "line 1: no header"},
		{"not text", "\x00\x01", exitBad, "line 1: not text in UTF-8"},
		{"a quote", "a,b,count\n\"1,0,5\n", exitBad, "line 2"},
		{"one name twice", "a,a,count\n1,0,5\n", exitBad, "named twice"},
		{"one list", "a,count\n1,30\n", exitBad, "at least two lists"},
		{"17 lists", head(17) + "count\n", exitBad, "at most 16 can be estimated"},
		{"huge", "a,b,count\n" + strings.Repeat("1,0,3\n", 3<<20), exitBad, "larger than 16 MB"},
		{"two lists", "a,b,count\n1,0,60\n0,1,49\n1,1,40\n", exitDone, "refused  lists: 2 lists"},
		{"no overlap", "a,b,c,count\n1,0,0,60\n0,1,0,49\n0,0,1,247\n", exitDone, "refused  overlap: these lists share nobody with any other: a, b, c"},
		{"no single", "a,b,c,count\n1,1,1,500\n", exitDone, "No defensible estimate: at least 500"},
		{"million", "a,b,c,count\n" + strings.ReplaceAll(rows, "\n", "000000\n"), exitDone, "626000000 were seen"},
		{"10 lists", many(10), exitDone, "Verdict: range_only"},
		{"16 lists", many(16), exitDone, "No defensible estimate"},
		{"noised", "# privacy noise, epsilon 1\na,b,c,count\n" + rows, exitDone, "refused  untouched"},
	} {
		code, out, errs := asked(t, c.text, "estimate", "FILE", "--quiet", "--method", "loglinear_main,stepwise,chao_mth")
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit %d, want %q in %.600s%s", c.name, code, c.want, out, errs)
		}
		if code != exitDone && out != "" {
			t.Errorf("%s: a failure wrote to stdout: %s", c.name, out)
		}
		if code == exitDone && !strings.Contains(out, "Possibly a lower bound") {
			t.Errorf("%s: the estimate does not say that it may be a lower bound", c.name)
		}
	}
	code, out, errs := asked(t, "# privacy noise\nregion,a,b,c,count\nn,"+strings.ReplaceAll(rows, "\n", "\nn,")[:len(strings.ReplaceAll(rows, "\n", "\nn,"))-2], "estimate", "FILE", "--quiet", "--stratum", "region", "--method", "loglinear_main,stepwise")
	if code != exitDone || !strings.Contains(out, "refused  untouched") {
		t.Errorf("noised strata: exit %d, %s%s", code, out, errs)
	}
}
