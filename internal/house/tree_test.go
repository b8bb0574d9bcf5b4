package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// file is one file of the module. Paths have slashes and start at the root.
type file struct {
	path string
	text string
	ast  *ast.File // of a Go file
	fset *token.FileSet
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) base() string { return path.Base(f.path) }
func (f *file) ext() string  { return path.Ext(f.path) }
func (f *file) test() bool   { return strings.HasSuffix(f.path, "_test.go") }

// imports are the import paths of a Go file.
func (f *file) imports() []string {
	var out []string
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// strings calls each with every string literal of a Go file, constant
// concatenations joined into one, and its line.
func (f *file) strings(each func(text string, line int)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		text, any := literal(e)
		if !any {
			return true
		}
		each(text, f.fset.Position(n.Pos()).Line)
		return false
	})
}

// literal is the text of a literal or a concatenation; what is not constant in
// it becomes a question mark.
func literal(e ast.Expr) (text string, any bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.ParenExpr:
		return literal(e.X)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		a, okA := literal(e.X)
		b, okB := literal(e.Y)
		if !okA {
			a = "?"
		}
		if !okB {
			b = "?"
		}
		return a + b, okA || okB
	default:
		return "", false
	}
}

// finding is one broken rule.
type finding struct{ where, why string }

func report(t *testing.T, found []finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("%s: %s", f.where, f.why)
	}
}

// root is the folder that holds go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal("the module's root is not two folders up")
	}
	return dir
}

var skipped = []string{".git", "node_modules", "testdata", "demo-data"}

var read = []string{".go", ".html", ".css", ".js", ".md", ".sql"}

// tree reads the module. Files that git would ignore by folder are left out.
func tree(t *testing.T) []*file {
	t.Helper()
	var files []*file
	err := fs.WalkDir(os.DirFS(root(t)), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(read, path.Ext(p)):
			return nil
		}
		raw, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		f, err := parse(p, string(raw))
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files were found", len(files))
	}
	return files
}

func parse(p, text string) (f *file, err error) {
	f = &file{path: p, text: text, fset: token.NewFileSet()}
	if f.ext() == ".go" {
		f.ast, err = parser.ParseFile(f.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	}
	return f, err
}

// made is a made-up tree of one file for the test of a rule.
func made(t *testing.T, p, text string) []*file {
	t.Helper()
	f, err := parse(p, text)
	if err != nil {
		t.Fatal(err)
	}
	return []*file{f}
}

// example is a made-up file that a rule must find, or must not.
type example struct {
	path, text string
	bad        bool
}

// examples runs a rule over made-up files, each alone.
func examples(t *testing.T, rule func([]*file) []finding, list []example) {
	t.Helper()
	for _, e := range list {
		found := rule(made(t, e.path, e.text))
		if (len(found) > 0) != e.bad {
			t.Errorf("the rule does not hold: %s %q gave %v", e.path, e.text, found)
		}
		for _, f := range found {
			if !strings.HasPrefix(f.where, e.path) || f.why == "" {
				t.Errorf("%v does not name the file and the reason", f)
			}
		}
	}
}
