package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// look is one way to see a page, and what the checker is asked in it.
type look struct {
	scheme string // light or dark
	width  int64
	rules  string // axe's runOnly; empty: every rule
}

func (l look) String() string { return fmt.Sprintf("%s at %d px", l.scheme, l.width) }

// The first look asks everything. Another scheme changes colours only and
// another width places and sizes only, so the others ask what depends on them;
// the long form asks everything in each.
var looks = []look{
	{"light", 1280, ""},
	{"dark", 1280, `{type: "rule", values: ["color-contrast", "color-contrast-enhanced", "link-in-text-block"]}`},
	{"light", 375, `{type: "rule", values: ["target-size", "scrollable-region-focusable", "color-contrast"]}`},
	{"dark", 375, nothing},
}

// nothing is the rules of a look that the checker is not asked in.
const nothing = "-"

// Option changes an audit.
type Option func(*audit)

// Cookie sends a cookie with every request, a session for example.
func Cookie(c *http.Cookie) Option { return func(a *audit) { a.cookies = append(a.cookies, c) } }

// Status is the status that the page is expected to have in place of 200.
func Status(status int) Option { return func(a *audit) { a.status = status } }

// Shot keeps a screenshot of each look as out/<name>-<look>.png beside this
// file, for people to look at, where PARALLAX_SHOTS is set. The folder is not
// committed.
func Shot(name string) Option { return func(a *audit) { a.shot = name } }

// Prepare runs in the page before it is checked: to open what is closed, or to
// fill in a form.
func Prepare(steps ...chromedp.Action[chromedp.Void]) Option {
	return func(a *audit) { a.prepare = append(a.prepare, steps...) }
}

// Arrives says that what Prepare does leads to another page, at the address
// that ends so, and which status it has.
func Arrives(path string, status int) Option {
	return func(a *audit) { a.path, a.then = path, status }
}

type audit struct {
	path    string // where Prepare leads to; empty: nowhere
	then    int    // the status there
	cookies []*http.Cookie
	status  int
	shot    string
	prepare []chromedp.Action[chromedp.Void]
}

// Audit loads the page, looks at it in light and dark at 1280 and 375 pixels and
// reports, as errors of the test: another status than expected, anything in the
// console, any policy violation, any request to another host, sideways scrolling
// of the page, and every violation that axe-core finds. The page has no cookies
// but those of the options.
func (b *Browser) Audit(t testing.TB, address string, options ...Option) {
	t.Helper()
	a := &audit{status: http.StatusOK}
	for _, option := range options {
		option(a)
	}
	if err := b.audit(a, address, func(problem string) { t.Error(problem) }); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

func (b *Browser) audit(a *audit, address string, report func(string)) error {
	tab, err := b.one()
	if err != nil {
		return err
	}
	if err := tab.cookies(address, a.cookies); err != nil {
		return err
	}
	if err := dress(tab.ctx, looks[0]); err != nil {
		return err
	}
	tab.ears.expect(address, a.status)
	tab.ears.then(a.path, a.then)
	if err := a.open(tab.ctx, address, report); err != nil {
		return err
	}
	for _, problem := range tab.ears.news() {
		report(fmt.Sprintf("%s: %s", address, problem))
	}
	if _, err := evaluate(tab.ctx, b.axe); err != nil {
		return fmt.Errorf("axe: %w", err)
	}
	for _, l := range looks {
		if err := a.look(tab.ctx, l, func(problem string) { report(fmt.Sprintf("%s, %s: %s", address, l, problem)) }); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	return nil
}

// open loads the page until its scripts ran.
func (a *audit) open(ctx context.Context, address string, report func(string)) error {
	answer, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	if err != nil {
		return fmt.Errorf("loading: %w", err)
	}
	if answer == nil {
		return fmt.Errorf("loading: no answer")
	}
	if int(answer.Status) != a.status {
		report(fmt.Sprintf("%s: status %d, not %d", address, answer.Status, a.status))
	}
	if err := chromedp.Do(ctx, a.prepare...); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	return settle(ctx)
}

// look makes the loaded page look as asked and checks it.
func (a *audit) look(ctx context.Context, l look, report func(string)) error {
	long, shots := os.Getenv("PARALLAX_SOAK") != "", a.shot != "" && os.Getenv("PARALLAX_SHOTS") != ""
	if l.rules == nothing && !long && !shots {
		return nil
	}
	if err := dress(ctx, l); err != nil {
		return err
	}
	if err := settle(ctx); err != nil {
		return err
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](sidewaysScript))
	if err != nil {
		return err
	}
	for _, what := range wide {
		report("the page scrolls sideways: " + what)
	}
	if shots {
		if err := shoot(ctx, fmt.Sprintf("%s-%s-%d.png", a.shot, l.scheme, l.width)); err != nil {
			return err
		}
	}
	if long {
		l.rules = ""
	}
	if l.rules == nothing {
		return nil
	}
	return check(ctx, l.rules, report)
}

// sidewaysScript names the elements that make the document wider than the
// window, leaving out what scrolls in a container of its own.
const sidewaysScript = `(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const out = ["the document is " + document.documentElement.scrollWidth + " px in a window of " + room];
  for (const el of document.querySelectorAll("body *")) {
    const box = el.getBoundingClientRect();
    if (box.right > room + 1 && !el.closest(".scroll, .nav")) out.push(el.tagName + "." + el.className);
    if (out.length > 5) break;
  }
  return out;
})()`

func dress(ctx context.Context, l look) error {
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: 900, DeviceScaleFactor: 1}); err != nil {
		return err
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}}})
	return err
}

// violation is what axe reports.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		Target  []any  `json:"target"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

func (v violation) String() string {
	text := v.ID + ": " + v.Help
	for i, n := range v.Nodes {
		if i == 4 {
			return text + fmt.Sprintf("\n  and %d more", len(v.Nodes)-i)
		}
		text += fmt.Sprintf("\n  %v: %s", n.Target, strings.ReplaceAll(n.Summary, "\n", " "))
	}
	return text
}

// check runs axe-core, which is in the page already.
func check(ctx context.Context, rules string, report func(string)) error {
	// Text meets 1.4.6 (7:1) too, which axe leaves off unless it is asked.
	options := `{resultTypes: ["violations"], rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}}`
	if rules != "" {
		options = `{resultTypes: ["violations"], runOnly: ` + rules + `}`
	}
	run := `axe.run(document, ` + options + `).then((r) => r.violations)`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
	if err != nil {
		return fmt.Errorf("axe: %w", err)
	}
	for _, v := range found {
		report("axe: " + v.String())
	}
	return nil
}

func shoot(ctx context.Context, name string) error {
	dir := filepath.Join(folder(), "out")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return fmt.Errorf("screenshot: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, name), picture, 0o644)
}

// cookies leaves the browser with these cookies for the address.
func (t *tab) cookies(address string, list []*http.Cookie) error {
	if _, err := chromedp.Call(t.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		return fmt.Errorf("cookies: %w", err)
	}
	for _, c := range list {
		secure := c.Secure
		if _, err := chromedp.Call(t.ctx, network.SetCookie, network.SetCookieParams{
			Name: c.Name, Value: c.Value, URL: address, Path: c.Path, Secure: &secure}); err != nil {
			return fmt.Errorf("cookie: %w", err)
		}
	}
	return nil
}
