// Package browsertest looks at pages with a real browser: a headless Chromium
// that is driven over a pipe and never asks another host for anything. Only
// tests import it.
//
// An audit loads a page once, under the page's own content security policy,
// where nothing may be reported to the console and nothing may be asked of
// another host, looks at it in light and in dark, wide and narrow, and then runs
// the accessibility checker in it. The checker is axe-core, installed beside this
// file with "npm ci" and never shipped.
//
// Starting a browser costs more than looking at a page, so the tests of one
// program share one process; each has cookies and storage of its own.
//
// A machine without Chromium or without the checker skips these tests with a
// sentence that says so; one whose PARALLAX_REQUIRE names "chromium" fails them.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parallax/internal/shareddata"
)

// Browser is a browser with cookies and storage of its own.
type Browser struct {
	ctx context.Context
	axe string // the checker's source
	tab *tab   // the one that audits use, opened with the first
}

// Open gives a browser that is closed when the test ends. It skips or fails the
// test when there is none.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := find(t)
	source, err := os.ReadFile(filepath.Join(folder(), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		missing(t, "axe-core is not installed: run npm ci in internal/browsertest")
	}
	root, err := shared(path)
	if err != nil {
		t.Fatalf("Chromium did not start: %v", err)
	}
	own, end := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	limit := 10 * time.Minute
	if os.Getenv("PARALLAX_SOAK") != "" {
		limit = 3 * time.Hour
	}
	ctx, stop := context.WithTimeout(own, limit)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium did not open a tab: %v", err)
	}
	return &Browser{ctx: ctx, axe: string(source)}
}

// process is the one Chromium of this program. It ends with the program: the
// kernel kills it.
var process struct {
	once sync.Once
	ctx  context.Context
	err  error
}

func shared(path string) (context.Context, error) {
	process.once.Do(func() {
		profile, err := profile()
		if err != nil {
			process.err = err
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
			chromedp.UserDataDir(profile), chromedp.NoFirstRun, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
			// What is not this machine cannot be reached, whatever a page asks for.
			chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"))
		if os.Getuid() == 0 {
			options = append(options, chromedp.NoSandbox)
		}
		allocator, _ := chromedp.NewExecAllocator(context.Background(), options...) // lives as long as the program
		process.ctx, _ = chromedp.NewContext(allocator)
		process.err = chromedp.Do(process.ctx, chromedp.Navigate("about:blank"))
	})
	return process.ctx, process.err
}

const profiles = "parallax-browsertest-"

// profile makes a folder for the browser, named after this process, and removes
// those that processes left which are no more.
func profile() (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), profiles+"*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), profiles))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another test may be doing the same
		}
	}
	dir := filepath.Join(os.TempDir(), profiles+strconv.Itoa(os.Getpid()))
	return dir, os.MkdirAll(dir, 0o700)
}

// Tab opens a new tab for a test of its own (keys, clicks), to be driven with
// chromedp. It is closed when the test ends.
func (b *Browser) Tab(t testing.TB) context.Context {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	t.Cleanup(end)
	limited, stop := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	return limited
}

// find is the browser's path: CHROMIUM, or the first of the usual names.
func find(t testing.TB) string {
	t.Helper()
	names := []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "there is no Chromium on this machine")
	return ""
}

func missing(t testing.TB, why string) {
	t.Helper()
	if shareddata.Required("chromium") {
		t.Fatalf("a browser is required (PARALLAX_REQUIRE) but %s", why)
	}
	t.Skipf("skipped: %s", why)
}

// folder is where this file is, and beside it the checker.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}
