package main

import (
	"os"
	"strings"
	"testing"
)

func TestRewriteHoldsEveryMutant(t *testing.T) {
	text := `package p

func may(a, b int, ok bool) bool {
	if a < b && !ok {
		return true
	}
	switch {
	case a == b, ok:
		return a > 1 || ok
	}
	for a < b {
		a++
	}
	return ok
}

func check(a int) (int, error) { return a, nil }

func other() { _ = 1 == 2 }
`
	next := 0
	out, found, err := rewrite("p.go", []byte(text), []string{"may", "check"}, &next)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"func may | return true at once", "func may | return false at once",
		"a < b && !ok | a < b", "a < b && !ok | !ok", "a < b && !ok | (a < b) || (!ok)", "a < b | a <= b", "a < b | a >= b", "!ok | ok",
		"a == b | a != b", "ok | !(ok)", "a > 1 || ok | a > 1", "a > 1 || ok | ok", "a > 1 || ok | (a > 1) && (ok)", "a > 1 | a >= 1", "a > 1 | a <= 1", "ok | !(ok)",
		"func check | return nil at once",
	}
	var got []string
	for _, m := range found {
		got = append(got, m.was+" | "+m.is)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("mutants:\n%s", strings.Join(got, "\n"))
	}
	for _, must := range []string{"case 3:\n\t\t\treturn a < b\n", "if parallaxMutant == 1 {\n\t\treturn true\n\t}", "var r0 int", "for a < b {"} {
		if !strings.Contains(string(out), must) {
			t.Errorf("without %q:\n%s", must, out)
		}
	}
}

func TestAFunctionThatIsNotThereIsAnError(t *testing.T) {
	next := 0
	if _, _, err := rewrite("p.go", []byte("package p\n\nfunc may() bool { return true }\n"), []string{"may", "moved"}, &next); err == nil || !strings.Contains(err.Error(), "moved") {
		t.Errorf("got %v", err)
	}
}

func TestAReportOfAPartSaysSo(t *testing.T) {
	at := map[string]string{targets[0].file: "abc1234", targets[1].file: "def5678"}
	one := mutant{file: targets[0].file, fn: "f", was: "a", is: "b", status: "killed"}
	two := mutant{file: targets[1].file, fn: "f", was: "a", is: "b", status: "survived"}
	text, _ := summary(map[string]counts{}, []mutant{one, two}, at)
	for _, must := range []string{"files above only", "## Not run\n\n- `" + targets[2].file + "`", "| 1 | 1 | 0 | 0 | `abc1234` |", "- `" + targets[1].file + "`, `f`: `a` to `b`"} {
		if !strings.Contains(text, must) {
			t.Errorf("without %q:\n%s", must, text)
		}
	}
	name := t.TempDir() + "/report.md"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at[targets[0].file] = "1234567"
	again, sum := summary(earlier(name), nil, at)
	if !strings.Contains(again, "`abc1234`, changed since |") || sum.all != 2 || sum.survived != 1 || len(sum.lines) != 1 {
		t.Errorf("%+v of\n%s", sum, again)
	}
}

func TestPoliciesHoldEveryMutant(t *testing.T) {
	text := `@id("x")
permit (principal is Person, action in [Action::"a", Action::"b"], resource)
when { principal.a == resource.a && principal.b };

@id("y")
forbid (principal, action, resource) unless { resource.c };
`
	next := 0
	found := policies("p.cedar", text, &next)
	if len(found) != 14 {
		t.Errorf("%d mutants: %v", len(found), found)
	}
	for _, m := range found {
		if m.policyText == text || m.was == "" || m.is == "" {
			t.Errorf("%s changes nothing: %s to %s", m, m.was, m.is)
		}
		if strings.Contains(m.policyText, `@id("y")`) == (m.was == "policy y") {
			t.Errorf("%s: %s", m, m.policyText)
		}
	}
}
