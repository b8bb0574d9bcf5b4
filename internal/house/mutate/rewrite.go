package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"sort"
	"strings"
)

// A mutant is one change of one place of the source.
type mutant struct {
	id         int
	file, fn   string
	line       int
	was, is    string
	status     string // killed, survived, equivalent
	why        string // for an equivalent one
	policyText string // of a mutated policy.cedar
}

// name is what stays the same when lines move.
func (m mutant) name() string { return m.file + " | " + m.fn + " | " + m.was + " | " + m.is }

// selector is the variable that says at run time which mutant is on. It is
// declared by a file that is laid over each package (see overlay).
const selector = "parallaxMutant"

// rewriter turns one file into one that holds all of its mutants, each behind
// a comparison with the selector.
type rewriter struct {
	file  string
	fset  *token.FileSet
	text  []byte
	fn    string
	next  *int
	found []mutant
	edits []edit
}

type edit struct {
	from, to int
	text     string
}

// rewrite returns the text with all mutants of the functions (all of them where
// none is named), and the mutants. A function that is not there is an error:
// what it decided would otherwise go unchecked.
func rewrite(file string, text []byte, functions []string, next *int) ([]byte, []mutant, error) {
	w := &rewriter{file: file, fset: token.NewFileSet(), text: text, next: next}
	f, err := parser.ParseFile(w.fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	there := map[string]bool{}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil || len(functions) > 0 && !slices.Contains(functions, fn.Name.Name) {
			continue
		}
		there[fn.Name.Name] = true
		w.fn = fn.Name.Name
		w.early(fn)
		w.conditions(fn.Body)
	}
	for _, name := range functions {
		if !there[name] {
			return nil, nil, fmt.Errorf("no function %s; name in targets.go where its lines are now", name)
		}
	}
	sort.Slice(w.edits, func(i, j int) bool { return w.edits[i].from < w.edits[j].from })
	var b bytes.Buffer
	at := 0
	for _, e := range w.edits {
		b.Write(text[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.Write(text[at:])
	out, err := format.Source(b.Bytes())
	return out, w.found, err
}

func (w *rewriter) offset(p token.Pos) int { return w.fset.Position(p).Offset }
func (w *rewriter) source(n ast.Node) string {
	return string(w.text[w.offset(n.Pos()):w.offset(n.End())])
}

// add records a mutant and gives its id.
func (w *rewriter) add(n ast.Node, was, is string) int {
	*w.next++
	w.found = append(w.found, mutant{id: *w.next, file: w.file, fn: w.fn, line: w.fset.Position(n.Pos()).Line, was: oneLine(was), is: oneLine(is)})
	return *w.next
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// early makes mutants in which a function that refuses or says no returns at
// once: without an error, or with true or with false.
func (w *rewriter) early(fn *ast.FuncDecl) {
	if fn.Type.Results == nil {
		return
	}
	var types []string
	for _, r := range fn.Type.Results.List {
		for range max(1, len(r.Names)) {
			types = append(types, w.source(r.Type))
		}
	}
	var variants []string
	switch last := types[len(types)-1]; {
	case last == "error":
		variants = []string{"nil"}
	case len(types) == 1 && last == "bool":
		variants = []string{"true", "false"}
	default:
		return
	}
	var b strings.Builder
	for _, v := range variants {
		id := w.add(fn, "func "+fn.Name.Name, "return "+v+" at once")
		fmt.Fprintf(&b, "\nif %s == %d {\n", selector, id)
		var results []string
		for i, t := range types[:len(types)-1] {
			fmt.Fprintf(&b, "var r%d %s\n", i, t)
			results = append(results, fmt.Sprintf("r%d", i))
		}
		fmt.Fprintf(&b, "return %s\n}\n", strings.Join(append(results, v), ", "))
	}
	at := w.offset(fn.Body.Lbrace) + 1
	w.edits = append(w.edits, edit{at, at, b.String()})
}

// conditions makes mutants of every condition, comparison and connective.
func (w *rewriter) conditions(body *ast.BlockStmt) {
	replace := func(e ast.Expr) {
		if text, any := w.expr(e, true); any {
			w.edits = append(w.edits, edit{w.offset(e.Pos()), w.offset(e.End()), text})
		}
	}
	// Conditions are rewritten whole; what else is logical, where it stands.
	done := map[ast.Node]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		if done[n] {
			return false
		}
		switch n := n.(type) {
		case *ast.ForStmt: // a mutated loop would not end
			done[n.Cond] = true
		case *ast.IfStmt:
			replace(n.Cond)
			done[n.Cond] = true
		case *ast.SwitchStmt:
			if n.Tag != nil {
				return true
			}
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					replace(e)
					done[e] = true
				}
			}
		case *ast.BinaryExpr:
			if logical(n.Op) || swapped[n.Op] != nil {
				replace(n)
				return false
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				replace(n)
				return false
			}
		}
		return true
	})
}

func logical(op token.Token) bool { return op == token.LAND || op == token.LOR }

// swapped are the operators that take an operator's place.
var swapped = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
}

// expr gives an expression's text with its mutants inside; any says whether
// there are some. A leaf is negated where negate is set.
func (w *rewriter) expr(e ast.Expr, negate bool) (text string, any bool) {
	source := w.source(e)
	var cases []string
	alternative := func(is string) {
		cases = append(cases, fmt.Sprintf("case %d:\nreturn %s\n", w.add(e, source, is), is))
	}
	inner := source
	switch n := e.(type) {
	case *ast.ParenExpr:
		inside, any := w.expr(n.X, negate)
		return "(" + inside + ")", any
	case *ast.BinaryExpr:
		x, y := w.source(n.X), w.source(n.Y)
		switch {
		case logical(n.Op):
			other := map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[n.Op]
			alternative(x)
			alternative(y)
			if !guards(n) {
				alternative("(" + x + ") " + other + " (" + y + ")")
			}
			left, _ := w.expr(n.X, negate)
			right, _ := w.expr(n.Y, negate)
			inner = left + " " + n.Op.String() + " " + right
		case swapped[n.Op] != nil:
			for _, op := range swapped[n.Op] {
				alternative(x + " " + op.String() + " " + y)
			}
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			alternative(w.source(n.X))
		}
	default:
		if negate {
			alternative("!(" + source + ")")
		}
	}
	if len(cases) == 0 {
		return inner, false
	}
	return "func() bool {\nswitch " + selector + " {\n" + strings.Join(cases, "") + "}\nreturn " + inner + "\n}()", true
}

// guards says that the right side must not be evaluated unless the left side
// allows it: "x != nil && x.y". With the other connective that only panics.
func guards(n *ast.BinaryExpr) bool {
	b, ok := n.X.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	id, ok := b.Y.(*ast.Ident)
	return ok && id.Name == "nil"
}
