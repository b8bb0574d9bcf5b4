// Package browsertest looks at pages with a real browser: a headless Chromium
// that is driven over a pipe and never asks another host for anything. Only
// tests import it.
//
// An audit loads a page in light and in dark, wide and narrow, first under the
// page's own content security policy, where nothing may be reported to the
// console and nothing may be asked of another host, and then once more with the
// accessibility checker injected. The checker is axe-core, installed beside this
// file with "npm ci" and never shipped.
//
// A machine without Chromium or without the checker skips these tests with a
// sentence that says so; one whose PARALLAX_REQUIRE names "chromium" fails them.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parallax/internal/shareddata"
)

// Browser is one running browser with a profile of its own.
type Browser struct {
	ctx context.Context
	axe string // the checker's source
}

// Open starts a browser that is closed when the test ends. It skips or fails
// the test when there is none.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := find(t)
	source, err := os.ReadFile(filepath.Join(folder(), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		missing(t, "axe-core is not installed: run npm ci in internal/browsertest")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
		// What is not this machine cannot be reached, whatever a page asks for.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	limited, stop := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(stop)
	allocator, end := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(end)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium did not start: %v", err)
	}
	return &Browser{ctx: ctx, axe: string(source)}
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
