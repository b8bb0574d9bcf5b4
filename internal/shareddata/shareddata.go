// Package shareddata finds the project's test data: vectors, linking and
// statistics sets that are too large, or too much not ours, to keep in the
// repository. Only tests import it.
//
// The folder is looked for at PARALLAX_SHARED when that is set, and otherwise
// in a folder named "shared" beside the repository or above it. A test that
// needs a file which is not there is skipped with a sentence that says so, or
// fails when PARALLAX_REQUIRE lists "shared": a machine that promises the data
// must not pass by skipping.
package shareddata

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// TB is the part of testing.TB that this package needs. It is declared here so
// that nothing outside tests ends up importing "testing" through it.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Path returns the path of one file or folder under the data folder, given as
// path elements: Path(t, "vectors", "x.json"). It skips or fails the test when
// there is no such file, and then does not return.
func Path(t TB, elem ...string) string {
	t.Helper()
	path, err := find(os.Getenv("PARALLAX_SHARED"), elem)
	if err == nil {
		return path
	}
	if Required("shared") {
		t.Fatalf("shared data is required (PARALLAX_REQUIRE) but %v", err)
		return ""
	}
	t.Skipf("skipped: %v; set PARALLAX_SHARED to the folder that holds data/", err)
	return ""
}

// Read returns the contents of one file under the data folder, on the same
// terms as Path.
func Read(t TB, elem ...string) []byte {
	t.Helper()
	path := Path(t, elem...)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("shared data cannot be read: %v", err)
	}
	return raw
}

// Required reports whether PARALLAX_REQUIRE, a comma-separated list, names the
// facility: "shared", "postgres", "chromium". Tests that would skip without it
// must fail instead.
func Required(facility string) bool {
	return slices.ContainsFunc(strings.Split(os.Getenv("PARALLAX_REQUIRE"), ","), func(s string) bool {
		return strings.TrimSpace(s) == facility
	})
}

// find looks under root when it is set, and otherwise for shared/data in every
// folder from the working one upwards.
func find(root string, elem []string) (string, error) {
	name := filepath.Join(elem...)
	if root != "" {
		path := filepath.Join(root, "data", name)
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("data/%s is not under PARALLAX_SHARED", filepath.ToSlash(name))
		}
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("shared/data/%s was not found beside the repository", filepath.ToSlash(name))
		}
		dir = parent
	}
}
