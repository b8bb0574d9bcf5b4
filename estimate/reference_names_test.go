package estimate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The guide names a test for each published reference case; none of them may
// have gone.
func TestEveryReferenceCaseHasItsTest(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "methods.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, cases, found := strings.Cut(string(guide), "## Reference cases")
	if !found {
		t.Fatal("the guide has no reference cases")
	}
	var code strings.Builder
	for _, pattern := range []string{"*_test.go", "*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(raw)
		}
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(cases, -1)
	if len(names) < 25 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, n := range names {
		if !strings.Contains(code.String(), "func "+n[1]+"(") {
			t.Errorf("docs/methods.md names %s, which does not exist", n[1])
		}
	}
	for _, table := range []string{"artificial3", "uk4", "uk5", "uk6", "ned5", "ned6", "neworl5", "neworl8", "western5", "korea3", "kosovo4", "spina3", "hiv4", "illegal_immigrants", "linkage", "privacy", "wdd", "wdq", "sicily", "nile", "basque", "aml", "migration"} {
		if !strings.Contains(cases, table) {
			t.Errorf("docs/methods.md does not say how %s is tested", table)
		}
	}
}
