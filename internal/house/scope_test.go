package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// minters are the only packages that may make a scope: the gate, and what is no
// part of a hub that serves (the benchmark, the store that compares with one).
var minters = []string{"internal/authz", "internal/scope", "internal/store", "internal/bench"}

// scopeRule: whose rows a request may touch is decided at the gate, and no
// handler gets around it.
func scopeRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.test() {
			continue
		}
		name, rank, _ := layer(f.dir())
		serves := rank == rankSlice || name == "hub"
		edge := rank == rankSlice && (strings.HasPrefix(f.base(), "web") || strings.HasPrefix(f.base(), "api"))
		if edge && slices.Contains(f.imports(), "parallax/internal/store") {
			found = append(found, finding{f.path, "a page or message holds no database; it asks its slice"})
		}
		f.selectors(func(x, sel string, line int) {
			where := fmt.Sprintf("%s:%d", f.path, line)
			switch {
			case x == "scope" && (sel == "Of" || sel == "Pool") && !slices.Contains(minters, f.dir()):
				found = append(found, finding{where, "only the gate makes a scope; take it from the context or as an argument"})
			case x == "scope" && sel == "With" && f.path != "internal/hub/registry.go":
				found = append(found, finding{where, "only the registry of routes gives a request its scope"})
			case x == "context" && (sel == "Background" || sel == "TODO" || sel == "WithoutCancel" && edge) && serves:
				found = append(found, finding{where, "pass the caller's context on: it carries the scope"})
			case edge && (sel == "db" || sel == "DB"):
				found = append(found, finding{where, "a page or message holds no database; it asks its slice"})
			case serves && f.path != "internal/hub/registry.go" && (sel == "NewServeMux" || sel == "HandleFunc" || x == "mux"):
				found = append(found, finding{where, "routes exist only in the table of internal/hub/table.go"})
			}
		})
	}
	return append(found, handlerRule(files)...)
}

// handlerRule: a function of the hub that takes a request holds no database.
func handlerRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.test() || f.dir() != "internal/hub" {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !handles(fn) {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "db" || s.Sel.Name == "DB") {
					found = append(found, finding{fmt.Sprintf("%s:%d", f.path, f.fset.Position(s.Pos()).Line), "a handler holds no database; it asks its slice"})
				}
				return true
			})
		}
	}
	return found
}

// handles reports a function that takes a request or a message's caller.
func handles(fn *ast.FuncDecl) (yes bool) {
	for _, p := range fn.Type.Params.List {
		ast.Inspect(p.Type, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			yes = yes || ok && (id.Name == "Request" || id.Name == "ResponseWriter" || id.Name == "caller")
			return true
		})
	}
	return yes
}

// selectors calls each with every a.b of a file; x is "" where a is no name.
func (f *file) selectors(each func(x, sel string, line int)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x := ""
		if id, ok := s.X.(*ast.Ident); ok {
			x = id.Name
		}
		each(x, s.Sel.Name, f.fset.Position(s.Pos()).Line)
		return true
	})
}

func TestScopes(t *testing.T) {
	in := func(body string) string { return "package p\nfunc f() {\n" + body + "\n}" }
	examples(t, scopeRule, []example{
		{"internal/authz/gate.go", in(`scope.Of("a")`), false},
		{"internal/pool/pool.go", in(`scope.Of("a")`), true},
		{"internal/leads/web.go", in(`scope.Pool()`), true},
		{"internal/pool/pool_test.go", in(`scope.Of("a")`), false},
		{"internal/pool/web.go", in(`scope.From(ctx)`), false},
		{"internal/pool/web.go", in(`scope.With(ctx, s)`), true},
		{"internal/hub/registry.go", in(`scope.With(ctx, s)`), false},
		{"internal/pool/pool.go", in(`context.Background()`), true},
		{"internal/hub/watch.go", in(`context.WithoutCancel(ctx)`), false},
		{"internal/pool/web.go", in(`context.WithoutCancel(ctx)`), true},
		{"internal/desk/web.go", in(`context.Background()`), false},
		{"internal/pool/web_more.go", `package pool; import "parallax/internal/store"`, true},
		{"internal/pool/store.go", `package pool; import "parallax/internal/store"`, false},
		{"internal/pool/api.go", in(`p.pool.db.Read(ctx, nil)`), true},
		{"internal/hub/web_log.go", "package p\nfunc (c *console) log(w http.ResponseWriter, r *http.Request) error { return c.s.o.DB.Read(r.Context(), nil) }", true},
		{"internal/hub/routes.go", "package p\nfunc (s *Server) list(ctx context.Context, who caller) { s.state.db.Read(ctx, nil) }", true},
		{"internal/hub/state.go", in(`s.db.Read(ctx, nil)`), false},
		{"internal/pool/web.go", in(`http.NewServeMux()`), true},
		{"internal/hub/routes.go", in(`mux.Handle("/x", h)`), true},
		{"internal/hub/registry.go", in(`mux.Handle("/x", h)`), false},
		{"internal/desk/web.go", in(`http.NewServeMux()`), false},
	})
	report(t, scopeRule(tree(t)))
}
