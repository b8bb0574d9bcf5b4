package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The layers, each of which may import itself where no other rule forbids it,
// and everything below:
//
//	cmd -> programs -> slices -> floor -> protocol libraries -> std, x/crypto
var (
	protocol = []string{"signed", "group", "selector", "oprf", "seal", "opening", "tlog", "client", "stix", "pdq", "estimate"}
	floor    = []string{"acts", "recordkeys", "identity", "authz", "scope", "transparency", "store", "jobs", "notify", "web", "api", "fault", "vocab", "clock", "outbound"}
	slicesOf = []string{"pool", "leads", "amends", "exchange", "gateway", "baseline", "displacement", "valueflow", "ecosystem", "public"}
	programs = []string{"backup", "hub", "keyholder", "desk", "sim", "demo", "bench", "auditor"}
	forTests = []string{"shareddata", "house", "browsertest", "lossydisk"}
)

// views are the imports from slice to slice: typed, thresholded views only.
var views = map[string][]string{
	"leads": {"pool"}, "baseline": {"pool"}, "displacement": {"pool"}, "valueflow": {"pool"},
	"public": {"baseline", "displacement", "ecosystem"},
}

// narrow are packages that may import less of the module than their layer.
var narrow = map[string]struct {
	internal []string
	why      string
}{
	"keyholder": {[]string{"fault", "clock"}, "an auditor reads a key holder whole: only protocol libraries, fault and clock"},
	"auditor":   {[]string{"fault", "clock"}, "who checks the hub links neither the hub nor a database"},
	"desk":      {[]string{"store", "web", "fault", "clock", "vocab", "gateway/law", "gateway/route", "gateway/due", "gateway/card"}, "a member's desk never links the hub"},
}

// owners are the only packages that may import a module from elsewhere.
var owners = map[string][]string{
	"github.com/gtank/ristretto255":     {"group"},
	"github.com/cloudflare/circl":       {"oprf/peer"},
	"github.com/jackc/pgx/v5":           {"internal/store"},
	"modernc.org/sqlite":                {"internal/store"},
	"github.com/pressly/goose/v3":       {"internal/store"},
	"github.com/alecthomas/kong":        {"cmd/parallax"},
	"github.com/schollz/progressbar/v3": {"cmd/parallax"},
	"github.com/cedar-policy/cedar-go":  {"internal/gateway/permit", "internal/authz"},
	"github.com/chromedp/chromedp":      {"internal/browsertest"},
	"github.com/chromedp/cdproto":       {"internal/browsertest"},
	"github.com/hanwen/go-fuse/v2":      {"internal/lossydisk"},
	"golang.org/x/mod":                  {"tlog"},
	"github.com/nyaruka/phonenumbers":   {"selector"},
	"github.com/nlnwa/whatwg-url":       {"selector"},
	"golang.org/x/net":                  {"selector"},
	"golang.org/x/text":                 {"selector"},
	"github.com/alexedwards/scs/v2":     {"internal/identity"},
	"github.com/coreos/go-oidc/v3":      {"internal/identity"},
	"golang.org/x/oauth2":               {"internal/identity"},
	"github.com/go-webauthn/webauthn":   {"internal/identity"},
	"gonum.org/v1/gonum":                {"estimate"},
}

// impure are what a protocol library never imports: it has no I/O and no log.
var impure = []string{"os", "net", "net/http", "log", "log/slog", "database/sql", "os/exec", "syscall"}

// The ranks of the layers, from the bottom. What tests alone use has its own.
const (
	rankTests = iota - 1
	rankProtocol
	rankFloor
	rankSlice
	rankProgram
	rankCmd
)

// layer gives the first folder of a package inside its layer, and the rank.
func layer(dir string) (name string, rank int, ok bool) {
	parts := strings.Split(dir, "/")
	if parts[0] == "cmd" {
		return "cmd", rankCmd, true
	}
	if parts[0] != "internal" {
		return parts[0], rankProtocol, slices.Contains(protocol, parts[0])
	}
	if len(parts) == 1 {
		return "internal", rankProtocol, false
	}
	name = parts[1]
	switch {
	case slices.Contains(forTests, name), len(parts) > 2 && parts[2] == name+"test":
		return name, rankTests, true
	case slices.Contains(floor, name):
		return name, rankFloor, true
	case slices.Contains(slicesOf, name):
		return name, rankSlice, true
	case slices.Contains(programs, name):
		return name, rankProgram, true
	}
	return name, rankProtocol, false
}

func importRule(files []*file) (found []finding) {
	for _, f := range files {
		if f.ast == nil {
			continue
		}
		if _, _, ok := layer(f.dir()); !ok {
			found = append(found, finding{f.path, "this folder is in no layer; add it to the lists in internal/house"})
			continue
		}
		for _, p := range f.imports() {
			if why := forbidden(f, p); why != "" {
				found = append(found, finding{f.path, fmt.Sprintf("imports %s: %s", p, why)})
			}
		}
	}
	return found
}

// forbidden gives the reason why f may not import p, or "".
func forbidden(f *file, p string) string {
	if dir, ok := strings.CutPrefix(p, "parallax/"); ok {
		return forbiddenOwn(f, dir)
	}
	for module, dirs := range owners {
		if (p == module || strings.HasPrefix(p, module+"/")) && !f.test() &&
			!slices.ContainsFunc(dirs, func(d string) bool { return f.dir() == d || strings.HasPrefix(f.dir(), d+"/") }) {
			return "only " + strings.Join(dirs, ", ") + " may use it, so that one package is replaced and not many"
		}
	}
	name, rank, _ := layer(f.dir())
	if f.test() || rank == rankTests {
		return ""
	}
	if rank == rankProtocol && slices.Contains(impure, p) && (name != "client" || !strings.HasPrefix(p, "net")) {
		return "a protocol library is pure: no I/O, no log"
	}
	if rank == rankSlice && p == "net/http" && !strings.HasPrefix(f.base(), "web") && !strings.HasPrefix(f.base(), "api") {
		return "inside a slice, HTTP is spoken in web*.go and api*.go only"
	}
	return ""
}

func forbiddenOwn(f *file, dir string) string {
	from, rank, _ := layer(f.dir())
	to, toRank, ok := layer(dir)
	switch {
	case !ok:
		return "that folder is in no layer"
	case rank == rankTests:
		return "" // test helpers may reach everything
	case toRank == rankTests:
		if !f.test() {
			return "only tests may use it"
		}
		return ""
	case from == to:
		return ""
	case rank == rankProtocol && toRank > rankProtocol:
		return "a protocol library imports nothing internal"
	case toRank > rank:
		return "an import goes down the layers, never up"
	}
	if n, ok := narrow[from]; ok && toRank > rankProtocol && !slices.Contains(n.internal, to) && !slices.Contains(n.internal, strings.TrimPrefix(dir, "internal/")) && !f.test() {
		return n.why
	}
	switch {
	case rank == rankSlice && toRank == rankSlice && !slices.Contains(views[from], to):
		return "a slice imports no other slice"
	case rank == rankProgram && toRank == rankProgram && from != "demo" && !f.test():
		return "programs do not link each other; only demo starts them all"
	}
	return ""
}

func TestImports(t *testing.T) {
	examples(t, importRule, []example{
		{"oprf/a.go", `package oprf; import "parallax/group"`, false},
		{"oprf/a.go", `package oprf; import "parallax/internal/fault"`, true},
		{"oprf/a_test.go", `package oprf; import "parallax/internal/fault"`, true},
		{"oprf/a_test.go", `package oprf; import "parallax/internal/shareddata"`, false},
		{"oprf/a.go", `package oprf; import "parallax/internal/shareddata"`, true},
		{"oprf/a.go", `package oprf; import "github.com/gtank/ristretto255"`, true},
		{"group/a.go", `package group; import "github.com/gtank/ristretto255"`, false},
		{"group/a.go", `package group; import "os"`, true},
		{"client/a.go", `package client; import "net/http"`, false},
		{"client/a.go", `package client; import "log/slog"`, true},
		{"internal/store/a.go", `package store; import "parallax/internal/pool"`, true},
		{"internal/store/storetest/a.go", `package storetest; import "parallax/internal/shareddata"`, false},
		{"internal/pool/a.go", `package pool; import "parallax/internal/store"`, false},
		{"internal/pool/a.go", `package pool; import "parallax/internal/store/storetest"`, true},
		{"internal/pool/a.go", `package pool; import "parallax/internal/leads"`, true},
		{"internal/pool/a.go", `package pool; import "net/http"`, true},
		{"internal/pool/api_http.go", `package pool; import "net/http"`, false},
		{"internal/pool/web.go", `package pool; import "parallax/internal/hub"`, true},
		{"internal/leads/a.go", `package leads; import "parallax/internal/pool"`, false},
		{"internal/public/a.go", `package public; import "parallax/internal/pool"`, true},
		{"internal/keyholder/a.go", `package keyholder; import "parallax/internal/clock"`, false},
		{"internal/keyholder/a.go", `package keyholder; import "parallax/internal/store"`, true},
		{"internal/desk/a.go", `package desk; import "parallax/internal/store"`, false},
		{"internal/desk/a.go", `package desk; import "parallax/internal/api"`, true},
		{"internal/desk/a.go", `package desk; import "parallax/internal/pool"`, true},
		{"internal/desk/a.go", `package desk; import "parallax/internal/gateway/law"`, false},
		{"internal/desk/a.go", `package desk; import "parallax/internal/gateway"`, true},
		{"internal/desk/a.go", `package desk; import "parallax/internal/hub"`, true},
		{"internal/desk/a.go", `package desk; import "github.com/jackc/pgx/v5/pgxpool"`, true},
		{"internal/demo/a.go", `package demo; import "parallax/internal/hub"`, false},
		{"internal/hub/a.go", `package hub; import "parallax/internal/demo"`, true},
		{"internal/elsewhere/a.go", `package elsewhere`, true},
		{"cmd/parallax/main.go", `package main; import ("parallax/internal/hub"; "github.com/alecthomas/kong")`, false},
	})
	report(t, importRule(tree(t)))
}
