package house

import (
	"slices"
	"strings"
	"testing"
)

// risky are packages that a part of the program must have a reason for: where
// they may be imported, and what they would bring anywhere else.
var risky = map[string]struct {
	in  []string
	why string
}{
	"unsafe":         {nil, "reads memory without the language's guard"},
	"C":              {nil, "links code that the language does not guard"},
	"plugin":         {nil, "loads code while it runs"},
	"text/template":  {nil, "writes markup without escaping; html/template escapes"},
	"encoding/xml":   {nil, "reads a format with entities; nothing here needs it"},
	"encoding/gob":   {nil, "lets what is read choose its types; use JSON with a fixed form"},
	"net/http/pprof": {nil, "opens a page for debugging"},
	"expvar":         {nil, "opens a page for debugging"},
	"net/smtp":       {nil, "nothing here sends mail"},
	"archive/zip":    {nil, "unpacks what is larger than it looks"},
	"archive/tar":    {nil, "unpacks what is larger than it looks"},
	"compress/gzip":  {nil, "unpacks what is larger than it looks"},
	"compress/flate": {nil, "unpacks what is larger than it looks"},
	"crypto/md5":     {nil, "is broken"},
	"crypto/sha1":    {nil, "is broken"},
	"crypto/des":     {nil, "is broken"},
	"crypto/rc4":     {nil, "is broken"},
	"crypto/dsa":     {nil, "is out of use"},
	"crypto/rsa":     {nil, "signs and seals in ways that are easily wrong; Ed25519 and HPKE are the ways here"},
	"crypto/cipher":  {[]string{"internal/backup"}, "holds modes without integrity; seal with an AEAD where it is done already"},
	"math/rand":      {nil, "can be guessed; use crypto/rand, or math/rand/v2 where something is simulated"},
	"math/rand/v2":   {[]string{"estimate", "internal/sim", "internal/bench", "internal/lossydisk"}, "can be guessed: for simulations and estimates only"},
	"os/exec":        {[]string{"internal/demo", "internal/house/mutate", "internal/browsertest"}, "starts other programs: the demonstration starts its own parts, tests what they test with"},
}

func riskyRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil || f.test() {
			continue
		}
		for _, p := range f.imports() {
			r, is := risky[p]
			if is && !slices.ContainsFunc(r.in, func(dir string) bool { return f.dir() == dir || strings.HasPrefix(f.dir(), dir+"/") }) {
				found = append(found, finding{f.path, "imports " + p + ", which " + r.why})
			}
		}
	}
	return found
}

func TestRiskyPackages(t *testing.T) {
	examples(t, riskyRule, []example{
		{"internal/pool/a.go", `package pool; import "crypto/rand"`, false},
		{"internal/pool/a.go", `package pool; import "math/rand/v2"`, true},
		{"estimate/draw/a.go", `package draw; import "math/rand/v2"`, false},
		{"estimatex/a.go", `package estimatex; import "math/rand/v2"`, true},
		{"internal/hub/a.go", `package hub; import "os/exec"`, true},
		{"internal/hub/a.go", `package hub; import _ "unsafe"`, true},
		{"internal/hub/a_test.go", `package hub; import "crypto/rsa"`, false},
	})
	files := tree(t)
	report(t, riskyRule(files))
	// A place that needs it no longer is taken off the list.
	for p, r := range risky {
		for _, dir := range r.in {
			if !slices.ContainsFunc(files, func(f *file) bool {
				return f.ast != nil && !f.test() && (f.dir() == dir || strings.HasPrefix(f.dir(), dir+"/")) && slices.Contains(f.imports(), p)
			}) {
				t.Errorf("%s does not import %s any more: take it off the list", dir, p)
			}
		}
	}
}
