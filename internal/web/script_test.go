package web_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parallax/internal/browsertest"
)

// script is a tab that is told keys and asked what it shows.
type script struct {
	t   *testing.T
	ctx context.Context
}

func (s script) do(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, steps...); err != nil {
		s.t.Fatal(err)
	}
}

func (s script) want(expression, want string) {
	s.t.Helper()
	got, err := chromedp.Run(s.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		s.t.Fatal(err)
	}
	if got != want {
		s.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

func TestScript(t *testing.T) {
	browser := browsertest.Open(t)
	server := testServer(t)
	s := script{t, browser.Tab(t)}
	s.do(chromedp.Navigate(server.URL + "/gallery"))

	// Rows.
	s.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("j"))
	s.want("document.activeElement.textContent", "L-9TRX")
	s.do(chromedp.KeyEvent("k"))
	s.want("document.activeElement.textContent", "L-7Q2M")

	// The filter, and Esc that empties it.
	s.do(chromedp.KeyEvent("/"))
	s.want("document.activeElement.id", "ready-leads-filter")
	// The driver types the letter apart from the key, so it arrives all the same.
	s.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.value = ""`), chromedp.KeyEvent("declined"))
	s.want(`document.querySelectorAll("tbody tr:not([hidden])").length`, "1")
	s.want(`document.querySelector("[data-count]").textContent`, "1 of 3 rows shown")
	s.do(chromedp.KeyEvent(kb.Escape))
	s.want(`document.querySelectorAll("tbody tr:not([hidden])").length`, "3")

	// The list of keys, and how to switch them off.
	s.do(chromedp.KeyEvent("?"))
	s.want(`document.querySelector("#keys").open`, "true")
	s.do(chromedp.KeyEvent(kb.Escape))
	s.want(`document.querySelector("#keys").open`, "false")
	s.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("[data-keys-on]").click()`), chromedp.KeyEvent("?"))
	s.want(`document.querySelector("#keys").open`, "false")
	s.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("[data-keys-on]").click()`))

	// Going to a page.
	s.do(chromedp.Navigate(server.URL+"/empty"), chromedp.KeyEvent("g"), chromedp.KeyEvent("o"),
		chromedp.WaitVisible(chromedp.CSS("#ready-leads")))
	s.want("window.location.pathname", "/gallery")

	// The error summary has the focus.
	s.do(chromedp.Navigate(server.URL + "/form"))
	s.want("document.activeElement.id", "problems")

	// Three times Esc leaves, and the way back does not lead here.
	s.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape),
		chromedp.WaitVisible(chromedp.CSS("h1")), chromedp.Poll[chromedp.Void](`document.title === "Blank page"`))
	if at, err := chromedp.Run(s.ctx, chromedp.Location()); err != nil || !strings.Contains(at, "/assets/blank-") {
		t.Errorf("the exit leads to %s (%v)", at, err)
	}
}
