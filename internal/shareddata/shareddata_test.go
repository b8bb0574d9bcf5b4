package shareddata

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder notes what a test helper would have done to its test.
type recorder struct{ skipped, failed string }

func (r *recorder) Helper()                      {}
func (r *recorder) Skipf(f string, args ...any)  { r.skipped = fmt.Sprintf(f, args...) }
func (r *recorder) Fatalf(f string, args ...any) { r.failed = fmt.Sprintf(f, args...) }

func TestPath(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "data", "vectors")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARALLAX_SHARED", root)
	t.Setenv("PARALLAX_REQUIRE", "")

	var r recorder
	if got, want := Path(&r, "vectors", "x.json"), filepath.Join(dir, "x.json"); got != want {
		t.Errorf("Path = %q, want %q", got, want)
	}
	if got := string(Read(&r, "vectors", "x.json")); got != "{}" {
		t.Errorf("Read = %q", got)
	}
	Path(&r, "vectors", "absent.json")
	if r.failed != "" || !strings.Contains(r.skipped, "absent.json") {
		t.Errorf("an absent file should skip by name: %+v", r)
	}

	t.Setenv("PARALLAX_REQUIRE", "postgres, shared")
	r = recorder{}
	Path(&r, "vectors", "absent.json")
	if r.skipped != "" || !strings.Contains(r.failed, "absent.json") {
		t.Errorf("an absent file should fail where the data is required: %+v", r)
	}
}

func TestPathLooksUpwards(t *testing.T) {
	root := t.TempDir()
	work := filepath.Join(root, "repo", "pkg")
	for _, dir := range []string{work, filepath.Join(root, "shared", "data", "linking")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PARALLAX_SHARED", "")
	t.Chdir(work)
	var r recorder
	if got := Path(&r, "linking"); !strings.HasSuffix(got, filepath.Join("shared", "data", "linking")) {
		t.Errorf("Path = %q (%+v)", got, r)
	}
}
