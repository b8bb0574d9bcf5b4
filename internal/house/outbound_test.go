package house

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// dialling are the names by which a program asks another one for something.
var dialling = map[string][]string{
	"net/http":   {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
	"net":        {"Dial", "DialTimeout", "Dialer", "DialTCP", "DialUDP", "DialIP", "DialUnix", "DefaultResolver", "Resolver"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	"net/smtp":   {"Dial", "SendMail", "NewClient"},
}

// dials are the files that ask others, and who chose the address. What is given
// a client (client, keyholder, hub, auditor) asks through one of these.
var dials = map[string]string{
	"client/http.go":                           "holders and hub, from the signed manifest or the plan; redirects refused",
	"internal/outbound/outbound.go":            "the guard for addresses that come in an answer: none that is special",
	"internal/demo/setup.go":                   "the demonstration's own processes on this machine",
	"internal/demo/program.go":                 "the demonstration's own processes on this machine",
	"internal/identity/identitytest/device.go": "tests only",
}

// outboundRule finds whatever can open a connection in a file that is not
// listed: a new one is thought about first.
func outboundRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.test() || f.dir() == "internal/browsertest" || dials[f.path] != "" {
			continue
		}
		for _, use := range f.made(dialling) {
			found = append(found, finding{f.path, fmt.Sprintf("uses %s: say in internal/house/outbound_test.go who chooses the address, or take a client from client.NewHTTP or outbound.Guard", use)})
		}
	}
	return found
}

// made lists where a file calls a function, makes a value or names a variable of
// packages: not where it names a type, as of a parameter.
func (f *file) made(names map[string][]string) (uses []string) {
	local := map[string]string{}
	for _, spec := range f.ast.Imports {
		path := spec.Path.Value[1 : len(spec.Path.Value)-1]
		if names[path] == nil {
			continue
		}
		name := path[lastSlash(path)+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = path
	}
	types := map[*ast.SelectorExpr]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StarExpr:
			if s, ok := n.X.(*ast.SelectorExpr); ok {
				types[s] = true
			}
		case *ast.Field:
			if s, ok := n.Type.(*ast.SelectorExpr); ok {
				types[s] = true
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && !types[n] && slices.Contains(names[local[id.Name]], n.Sel.Name) {
				uses = append(uses, id.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return uses
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return -1
}

func TestWhoAsksOthers(t *testing.T) {
	in := func(imported, body string) string {
		return "package p\nimport " + imported + "\nfunc f(c *http.Client) {\n" + body + "\n}"
	}
	examples(t, outboundRule, []example{
		{"internal/hub/a.go", in(`"net/http"`, `c.Get("x")`), false},
		{"internal/hub/a.go", in(`"net/http"`, `http.Get("x")`), true},
		{"internal/hub/a.go", in(`"net/http"`, `c = http.DefaultClient`), true},
		{"internal/hub/a.go", in(`"net/http"`, `c = &http.Client{}`), true},
		{"internal/hub/a.go", in(`h "net/http"`, `h.Head("x")`), true},
		{"internal/desk/a.go", in(`"net"`, `net.Dial("tcp", "x")`), true},
		{"internal/desk/a.go", in(`"net"`, `net.Listen("tcp", "x")`), false},
		{"internal/desk/a_test.go", in(`"net"`, `net.Dial("tcp", "x")`), false},
		{"client/http.go", in(`"net/http"`, `c = &http.Client{}`), false},
	})
	report(t, outboundRule(tree(t)))
}

// csvWriters are the files that may write CSV, and why no formula leaves by them.
var csvWriters = map[string]string{
	"internal/vocab/csv.go":     "the one writer: every cell is made neutral",
	"internal/sim/write.go":     "exports of simulated organisations, as their own systems would write them, for desks to read",
	"estimate/release/table.go": "names of cells begin with a letter or a digit; the rest are numbers",
}

// exportRule finds writers of CSV beside the one that makes cells neutral.
func exportRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.test() || csvWriters[f.path] != "" {
			continue
		}
		for range f.made(map[string][]string{"encoding/csv": {"NewWriter"}}) {
			found = append(found, finding{f.path, "writes CSV by itself; use vocab.WriteCSV or web.CSV, which let no formula out"})
		}
	}
	return found
}

func TestWhoWritesTables(t *testing.T) {
	const text = "package p\nimport \"encoding/csv\"\nvar w = csv.NewWriter(nil)"
	examples(t, exportRule, []example{{"internal/hub/a.go", text, true}, {"internal/hub/a_test.go", text, false}, {"internal/vocab/csv.go", text, false}})
	report(t, exportRule(tree(t)))
}
