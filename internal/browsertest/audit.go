package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// look is one way to see a page.
type look struct {
	scheme string // light or dark
	width  int64
}

func (l look) String() string { return fmt.Sprintf("%s at %d px", l.scheme, l.width) }

var looks = []look{{"light", 1280}, {"dark", 1280}, {"light", 375}, {"dark", 375}}

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

type audit struct {
	cookies []*http.Cookie
	status  int
	shot    string
	prepare []chromedp.Action[chromedp.Void]
}

// Audit loads the page in light and dark at 1280 and 375 pixels and reports, as
// errors of the test: another status than expected, anything in the console, any
// policy violation, any request to another host, sideways scrolling of the page,
// and every violation that axe-core finds.
func (b *Browser) Audit(t testing.TB, address string, options ...Option) {
	t.Helper()
	a := &audit{status: http.StatusOK}
	for _, option := range options {
		option(a)
	}
	if err := b.strict(a, address, func(problem string) { t.Error(problem) }); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	if err := b.check(a, address, func(problem string) { t.Error(problem) }); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

// strict loads the page in every look under its own policy and listens. It is
// one tab for all of them: a new one costs more than a page.
func (b *Browser) strict(a *audit, address string, report func(string)) error {
	ctx, end := chromedp.NewContext(b.ctx)
	defer end()
	heard, err := listen(ctx, address, a.status)
	if err != nil {
		return err
	}
	for _, l := range looks {
		if err := a.strictly(ctx, address, l, func(problem string) {
			report(fmt.Sprintf("%s, %s: %s", address, l, problem))
		}, heard); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	return nil
}

func (a *audit) strictly(ctx context.Context, address string, l look, report func(string), heard func() []string) error {
	if err := a.open(ctx, address, l, report); err != nil {
		return err
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](sidewaysScript))
	if err != nil {
		return err
	}
	for _, what := range wide {
		report("the page scrolls sideways: " + what)
	}
	if a.shot != "" && os.Getenv("PARALLAX_SHOTS") != "" {
		if err := shoot(ctx, fmt.Sprintf("%s-%s-%d.png", a.shot, l.scheme, l.width)); err != nil {
			return err
		}
	}
	for _, problem := range heard() {
		report(problem)
	}
	return nil
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

// open makes the tab look as asked and loads the page, until its scripts ran.
func (a *audit) open(ctx context.Context, address string, l look, report func(string)) error {
	if err := a.dress(ctx, address, l); err != nil {
		return err
	}
	answer, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	if err != nil {
		return fmt.Errorf("loading: %w", err)
	}
	if answer == nil {
		return fmt.Errorf("loading: no answer")
	}
	if int(answer.Status) != a.status {
		report(fmt.Sprintf("status %d, not %d", answer.Status, a.status))
	}
	if err := chromedp.Do(ctx, a.prepare...); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	return settle(ctx)
}

func (a *audit) dress(ctx context.Context, address string, l look) error {
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: 900, DeviceScaleFactor: 1}); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		return err
	}
	for _, c := range a.cookies {
		secure := c.Secure
		if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{
			Name: c.Name, Value: c.Value, URL: address, Path: c.Path, Secure: &secure}); err != nil {
			return fmt.Errorf("cookie: %w", err)
		}
	}
	return nil
}

// listen collects what the console and the network tell of the tab. The
// function that it returns says what has come since it was last asked, and
// should not have.
func listen(ctx context.Context, address string, status int) (func() []string, error) {
	home, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var heard []string
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprintf(format, args...))
	}
	err = chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			say("console %s: %s", ev.Type, words(ev.Args))
		case *runtime.EventExceptionThrown:
			say("uncaught: %s", ev.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			// The browser notes an error page's own status, which is expected.
			if !(ev.Entry.URL == address && strings.Contains(ev.Entry.Text, fmt.Sprintf("status of %d", status))) {
				say("browser log, %s: %s %s", ev.Entry.Level, ev.Entry.Text, ev.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			// The browser's own controls draw with data addresses.
			if to, err := url.Parse(ev.Request.URL); err != nil || to.Scheme != "data" && to.Host != home.Host {
				say("a request to another host: %s", ev.Request.URL)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		news := heard
		heard = nil
		return news
	}, err
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, arg := range args {
		all = append(all, strings.TrimSpace(string(arg.Value)+" "+arg.Description))
	}
	return strings.Join(all, " ")
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

// check loads the page once more, without its policy, and runs axe-core in it
// once for each look.
func (b *Browser) check(a *audit, address string, report func(string)) error {
	ctx, end := chromedp.NewContext(b.ctx)
	defer end()
	if _, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		return err
	}
	if err := a.open(ctx, address, looks[0], func(string) {}); err != nil {
		return err
	}
	if _, err := evaluate(ctx, b.axe); err != nil {
		return fmt.Errorf("axe: %w", err)
	}
	// Text meets 1.4.6 (7:1) too, which axe leaves off unless it is asked.
	run := `axe.run(document, {resultTypes: ["violations"],
		rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}}).then((r) => r.violations)`
	for _, l := range looks {
		if err := a.dress(ctx, address, l); err != nil {
			return err
		}
		if err := settle(ctx); err != nil {
			return err
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
		if err != nil {
			return fmt.Errorf("axe: %w", err)
		}
		for _, v := range found {
			report(fmt.Sprintf("%s, %s: axe: %s", address, l, v))
		}
	}
	return nil
}

// settle waits until the page was drawn twice: its scripts ran, its media
// queries hold.
func settle(ctx context.Context) error {
	twice := `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](twice, chromedp.EvalAwaitPromise))
	return err
}

// evaluate runs a script for its effect.
func evaluate(ctx context.Context, script string) (chromedp.Void, error) {
	return chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		answer, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: script})
		if err == nil && answer.ExceptionDetails != nil {
			err = fmt.Errorf("script: %s", answer.ExceptionDetails.Text)
		}
		return chromedp.Void{}, err
	})
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
