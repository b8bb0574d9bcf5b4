package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	linkedList = "internal/house/testdata/linked.txt"
	listLinked = `GOOS=linux go list -deps -f '{{with .Module}}{{.Path}}{{end}}' ./cmd/parallax | sort -u | grep . > ` + linkedList
	reasons    = "docs/dependencies.md"
)

// TestLinkedModules compares what the program links with the list that is
// checked in, so that a new module shows in review.
func TestLinkedModules(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/parallax")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS=linux")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cmd/parallax cannot be listed: %v\n%s", err, &stderr)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	got = slices.Compact(got)
	want := strings.Fields(readText(t, linkedList))
	for _, m := range got {
		if !slices.Contains(want, m) {
			t.Errorf("%s: the program now links %s; if it should, run\n\t%s\nand give the reason in %s", linkedList, m, listLinked, reasons)
		}
	}
	for _, m := range want {
		if !slices.Contains(got, m) {
			t.Errorf("%s: the program no longer links %s; run\n\t%s", linkedList, m, listLinked)
		}
	}
}

// TestDependenciesHaveReasons looks for each module that the source imports in
// docs/dependencies.md.
func TestDependenciesHaveReasons(t *testing.T) {
	doc := readText(t, reasons)
	modules := required(readText(t, "go.mod"))
	if len(modules) < 10 {
		t.Fatalf("go.mod was misread: %v", modules)
	}
	direct := map[string]string{}
	for _, f := range tree(t) {
		if f.ast == nil {
			continue
		}
		for _, p := range f.imports() {
			if m := moduleOf(p, modules); m != "" {
				direct[m] = f.path
			}
		}
	}
	for m, where := range direct {
		if !strings.Contains(doc, "`"+m+"`") {
			t.Errorf("%s: no line for `%s`, which %s imports", reasons, m, where)
		}
	}
	for _, m := range modules {
		if _, ok := direct[m]; !ok && strings.Contains(doc, "| `"+m+"`") {
			t.Errorf("%s: has a line for %s, which nothing imports", reasons, m)
		}
	}
}

// TestLockFileNamesNoHost keeps the browser tests installable from any mirror.
func TestLockFileNamesNoHost(t *testing.T) {
	const name = "internal/browsertest/package-lock.json"
	if text := readText(t, name); strings.Contains(text, `"resolved"`) || strings.Contains(text, "://") {
		t.Errorf("%s: names a registry; make it again with omit-lockfile-registry-resolved=true", name)
	}
}

// required are the module paths in the require blocks of a go.mod.
func required(mod string) (out []string) {
	for line := range strings.Lines(mod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") && strings.Contains(fields[0], ".") {
			out = append(out, fields[0])
		}
	}
	return out
}

// moduleOf is the longest module path that p lies in, or "".
func moduleOf(p string, modules []string) (best string) {
	for _, m := range modules {
		if (p == m || strings.HasPrefix(p, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

func readText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
