package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the length above which a file is two files.
const maxLines = 800

func lengthRule(files []*file) (found []finding) {
	for _, f := range files {
		if n := strings.Count(f.text, "\n"); n > maxLines && f.ext() != ".md" {
			found = append(found, finding{f.path, fmt.Sprintf("has %d lines, above %d", n, maxLines)})
		}
	}
	return found
}

func docRule(files []*file) (found []finding) {
	type pkg struct{ path, name, doc string }
	packages := map[string]pkg{}
	for _, f := range files {
		if f.ast == nil || f.test() {
			continue
		}
		p := packages[f.dir()]
		p.path, p.name = f.path, f.ast.Name.Name
		p.doc += f.ast.Doc.Text()
		packages[f.dir()] = p
	}
	for _, p := range packages {
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(p.doc, want) {
			found = append(found, finding{p.path, "the package has no comment that begins with " + strings.TrimSpace(want)})
		}
	}
	return found
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

func finishedRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil {
			continue
		}
		for _, group := range f.ast.Comments {
			if m := unfinished.FindString(group.Text()); m != "" {
				found = append(found, finding{at(f, group.Pos()), "a comment says " + m + "; finish it or write an issue"})
			}
		}
	}
	return found
}

// timeRule keeps deciding code on the injected clock, and tests from sleeping.
// Handing time.Now itself to a constructor is an injection, and allowed.
func timeRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.dir() == "internal/clock" {
			continue
		}
		names, why := []string{"Now", "Since", "Until"}, "asks the machine for the time; take a clock"
		switch {
		case f.test():
			names, why = []string{"Sleep"}, "a test sleeps; wait for the event or move the clock"
		case strings.HasPrefix(f.path, "cmd/"):
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(names, sel.Sel.Name) {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
				found = append(found, finding{at(f, sel.Pos()), why})
			}
			return true
		})
	}
	return found
}

func at(f *file, pos token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(pos).Line)
}

func TestStyle(t *testing.T) {
	long := "package a\n" + strings.Repeat("\n", maxLines)
	examples(t, lengthRule, []example{{"group/a.go", long, true}, {"group/a.go", "package a\n", false}, {"docs/a.md", long, false}})
	examples(t, docRule, []example{
		{"group/a.go", "// Package group is it.\npackage group", false},
		{"group/a.go", "package group", true},
		{"cmd/x/main.go", "// Command x runs it.\npackage main", false},
		{"group/a_test.go", "package group", false},
	})
	examples(t, finishedRule, []example{
		{"group/a.go", "package group // TODO" + ": later", true},
		{"group/a.go", "package group // all is done", false},
	})
	examples(t, timeRule, []example{
		{"internal/pool/a.go", "package pool; import \"time\"; var x = time.Now()", true},
		{"internal/pool/a.go", "package pool; import \"time\"; var x = time.Second", false},
		{"internal/pool/a.go", "package pool; import \"time\"; var x = struct{ now func() time.Time }{time.Now}", false},
		{"internal/pool/a_test.go", "package pool; import \"time\"; var x = time.Now()", false},
		{"internal/pool/a_test.go", "package pool; import \"time\"; func f() { time.Sleep(1) }", true},
		{"internal/clock/a.go", "package clock; import \"time\"; var x = time.Now()", false},
	})
	files := tree(t)
	for _, rule := range []func([]*file) []finding{lengthRule, docRule, finishedRule, timeRule} {
		report(t, rule(files))
	}
}
