package vocab

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
)

// formulas are cells that a spreadsheet would work out.
var formulas = []string{"=1+1", "=HYPERLINK(\"//elsewhere.example\",\"x\")", "+1+1", "+61400000000", "-1+1", "-cmd", "-Inf", "@SUM(A1)", "|x", "\t=1", "\r=1", "\n=1", " =1", "\v=1", "\x00=1",
	"\ufeff=1", "\u200b=1", "\u00a0=1", "\uff1d1+1", "\uff0b1", "\uff0d1+1", "\uff20x", "=1\nx", "=\"a\"\"b\"", "=", "-", "--1", "'=1", "''=1", "=1,=2", "%0a=1"[3:]}

// texts are cells that stay as they are.
var texts = []string{"", "a", "a=b", "1", "-1", "-12.5", "1e9", "-1.5e-3", "a,b", "a\"b", "a\nb", "'tis", "'", "''", "a@b.example", "2026-11-30", "\xff"}

func TestNoFormulaLeaves(t *testing.T) {
	for _, cell := range formulas {
		if got := Neutral(cell); got != "'"+cell || Plain(got) != cell {
			t.Errorf("%q leaves as %q and comes back as %q", cell, got, Plain(got))
		}
	}
	for _, cell := range texts {
		if got := Neutral(cell); got != cell || Plain(cell) != cell {
			t.Errorf("%q leaves as %q and comes back as %q", cell, got, Plain(cell))
		}
	}
}

// A table comes back as it was, quotes, commas and line ends included.
func TestATableComesBack(t *testing.T) {
	rows := [][]string{append(slices.Clone(formulas), "end"), append(slices.Clone(formulas), "end")}
	rows[1][0], rows[1][1] = "a,\"b\"\nc", "\"=1\""
	var b bytes.Buffer
	if err := WriteCSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for r := range got {
		for i := range got[r] {
			if formula(got[r][i]) {
				t.Errorf("row %d, cell %d: %q is a formula", r, i, got[r][i])
			}
			got[r][i] = Plain(got[r][i])
		}
		if !slices.Equal(got[r], rows[r]) {
			t.Errorf("%q came back as %q", rows[r], got[r])
		}
	}
}

func FuzzNeutral(f *testing.F) {
	for _, cell := range append(slices.Clone(formulas), texts...) {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		if got := Neutral(cell); formula(got) || Plain(got) != cell {
			t.Errorf("%q leaves as %q and comes back as %q", cell, got, Plain(got))
		}
	})
}
