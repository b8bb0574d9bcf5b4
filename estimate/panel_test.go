package estimate

import (
	"slices"
	"strings"
	"testing"
)

// The panel's reason to exist: one published table, answers from 11,000 to
// 23,000, and chains that disagree. It must show the range and no one number.
func TestPanelOfTheUKTable(t *testing.T) {
	r, err := Run(t.Context(), load(t, "uk5"), Options{Seed: 1, Methods: []string{"loglinear_main", "stepwise", "bic", "dga", "lcmcr"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Range[0] > 11_350 || r.Range[1] < 22_900 {
		t.Errorf("range %v", r.Range)
	}
	if r.Verdict != RangeOnly {
		t.Errorf("verdict %s for %v", r.Verdict, r.Reasons)
	}
	for _, m := range r.Panel {
		if m.Method == "lcmcr" && (m.Estimate != nil || m.Low != nil || !strings.Contains(m.Notes, "chains disagree")) {
			t.Errorf("chains disagree, and yet: %+v", m)
		}
	}
}

func TestPanelVerdicts(t *testing.T) {
	quick := []string{"chapman", "chao_mth", "loglinear_main", "stepwise", "dga"}
	good := &Audit{AgeDays: 10, Low: 0.9}
	for _, c := range []struct {
		table   string
		audit   *Audit
		verdict string
		reason  string
	}{
		{"spina3", good, Publish, ""},
		{"spina3", nil, RangeOnly, "linkage_audit"},
		{"spina3", &Audit{AgeDays: 400, Low: 0.9}, RangeOnly, "linkage_audit"},
		{"western5", good, Refuse, "repeats"},
		{"artificial3", good, Refuse, "overlap"},
	} {
		r, err := Run(t.Context(), load(t, c.table), Options{Methods: quick, Audit: c.audit})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.verdict || !strings.Contains(strings.Join(r.Reasons, "\n"), c.reason) {
			t.Errorf("%s: %s because %q, want %s because of %q", c.table, r.Verdict, r.Reasons, c.verdict, c.reason)
		}
		if said := strings.Join(r.Warnings, "\n"); !strings.Contains(said, "Possibly a lower bound") || !strings.Contains(said, "every interval missed the truth in 1 % where everybody is seen alike") || len(r.Blindness) < 5 {
			t.Errorf("%s does not say what no gate can see: %s", c.table, said)
		}
		if r.Verdict == Refuse && !strings.Contains(r.Headline, "at least") {
			t.Errorf("%s: headline %q", c.table, r.Headline)
		}
	}
	one, err := Run(t.Context(), load(t, "spina3"), Options{Methods: []string{"stepwise"}, Audit: good})
	if err != nil || one.Verdict != Refuse {
		t.Errorf("one number passes as a panel: %s (%v)", one.Verdict, err)
	}
}

// With carry the log-linear members correct for missed links and the others are
// withheld, not mixed in uncorrected.
func TestPanelWithMissedLinks(t *testing.T) {
	c := linkageCases(t)[2]
	tab := Table{Lists: []string{"a", "b", "c"}}
	for h, v := range dense(3, c.Observed) {
		if h > 0 {
			tab.Cells = append(tab.Cells, Cell{uint32(h), int(v + 0.5)})
		}
	}
	r, err := Run(t.Context(), tab, Options{Carry: c.Carry})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Panel {
		switch {
		case slices.Contains([]string{"dga", "lcmcr", "chao_mth"}, m.Method):
			if m.Estimate != nil {
				t.Errorf("%s is not corrected and is in the panel", m.Method)
			}
		case m.Method == "loglinear_main":
			near(t, "corrected", *m.Estimate, c.N, 0.005)
		}
	}
	if _, err := Run(t.Context(), tab, Options{Carry: []float64{0.9, 0.9}}); err == nil {
		t.Error("two carries for three lists were accepted")
	}
}

func TestBadTables(t *testing.T) {
	many := "a"
	for i := range 16 {
		many += "," + string(rune('b'+i))
	}
	for _, c := range []struct{ text, want string }{
		{"", "no header"},
		{"a,b,count\n1,0,-3\n", "line 2: the count -3 is negative"},
		{"a,b,count\n1,0,2.5\n", "not a whole number"},
		{"a,b,count\n1,0,x\n", "not a number"},
		{"a,b,count\n1,0,3\n1,0,4\n", "line 3: the same history as line 2"},
		{"a,b,count\n1,2,3\n", "column b"},
		{"a,b,count\n0,0,3\n", "take the row out"},
		{"a,b,count\n1,0\n", "2 fields"},
		{"a,count\n1,3\n", "at least two lists"},
		{"a,b\n1,1\n", "count"},
		{"a,a,count\n1,1,4\n", "named twice"},
		{"a,b,count\n1,0,0\n", "counts nothing"},
		{"a,b,count\n1,0,9999999999\n", "above"},
		{many + ",count\n", "17 lists"},
	} {
		if _, err := ReadCSV(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// Tables without sense are refused with reasons, and in time.
func TestPoorTablesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no overlap": "a,b,c,count\n1,0,0,50\n0,1,0,40\n0,0,1,30\n",
		"two lists":  "a,b,count\n1,0,50\n0,1,40\n1,1,10\n",
		"one record": "a,b,c,count\n1,1,1,1\n",
		"nested":     "a,b,c,count\n1,1,1,40\n1,1,0,30\n1,0,0,20\n",
		"a million":  "a,b,c,count\n1,0,0,1000000\n0,1,0,1000000\n0,0,1,1000000\n",
	} {
		tab, err := ReadCSV(strings.NewReader(text))
		if err != nil {
			t.Fatal(name, err)
		}
		r, err := Run(t.Context(), tab, Options{Methods: []string{"chapman", "chao_mth", "loglinear_main", "stepwise", "bic", "dga"}})
		if err != nil {
			t.Fatal(name, err)
		}
		if r.Verdict != Refuse || len(r.Reasons) == 0 {
			t.Errorf("%s: %s, %v", name, r.Verdict, r.Reasons)
		}
	}
}
