package web_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"parallax/internal/browsertest"
)

// Every component, full and empty, open and closed, and the error page, in a
// real browser.
func TestPagesInABrowser(t *testing.T) {
	browser := browsertest.Open(t)
	server := testServer(t)
	open := chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
	keys := chromedp.Evaluate[chromedp.Void](`document.querySelector("[data-keys-open]").click()`)
	for _, c := range []struct {
		name, path string
		options    []browsertest.Option
	}{
		{"gallery", "/gallery", nil},
		{"gallery-open", "/gallery", []browsertest.Option{browsertest.Prepare(open)}},
		{"form", "/form", nil},
		{"empty", "/empty", nil},
		{"charts", "/charts", nil},
		{"charts-open", "/charts", []browsertest.Option{browsertest.Prepare(open)}},
		{"keys", "/empty", []browsertest.Option{browsertest.Prepare(keys)}},
		{"own", "/own", nil},
		{"error", "/conflict", []browsertest.Option{browsertest.Status(http.StatusConflict)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			browser.Audit(t, server.URL+c.path, append(c.options, browsertest.Shot("kit-"+c.name))...)
		})
	}
}
