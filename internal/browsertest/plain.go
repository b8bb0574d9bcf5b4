package browsertest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Plain is a browser in which pages have no scripts.
type Plain struct {
	t   testing.TB
	ctx context.Context
}

// WithoutScripts opens a tab in which no page's script runs.
func (b *Browser) WithoutScripts(t testing.TB) *Plain {
	t.Helper()
	p := &Plain{t: t, ctx: b.Tab(t)}
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.must(err)
	return p
}

func (p *Plain) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// As leaves the browser with these cookies for the address.
func (p *Plain) As(address string, cookies ...*http.Cookie) {
	p.t.Helper()
	p.must((&tab{ctx: p.ctx}).cookies(address, cookies))
}

// Open opens a page.
func (p *Plain) Open(address string) {
	p.t.Helper()
	p.must(chromedp.Do(p.ctx, chromedp.Navigate(address)))
	shown, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](`[...document.querySelectorAll(".needs-script")].filter((e) => e.checkVisibility()).length`))
	p.must(err)
	if shown > 0 {
		p.t.Errorf("%s shows %d things that need a script", address, shown)
	}
}

// Want reports where the page lacks a text.
func (p *Plain) Want(text string) {
	p.t.Helper()
	all, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	p.must(err)
	if !strings.Contains(all, text) {
		p.t.Errorf("the page lacks %q:\n%s", text, all)
	}
}

// Follow goes to where the first visible link leads whose address begins so.
func (p *Plain) Follow(address string) {
	p.t.Helper()
	p.act(`(([address]) => {
  const a = [...document.querySelectorAll("main a, nav a")].find((a) => a.getAttribute("href").startsWith(address) && a.checkVisibility());
  if (a) a.click();
  return Boolean(a);
})`, []any{address}, "a link to "+address)
}

// Fill fills in and sends the form with these fields whose address begins so, as
// somebody with a keyboard would, and looks for a text on the page that answers.
func (p *Plain) Fill(action string, fields map[string]string, then string) {
	p.t.Helper()
	p.act(`(([action, fields]) => {
  const all = Object.entries(fields || {});
  const f = [...document.querySelectorAll("main form")].find((f) => f.getAttribute("action").startsWith(action) && all.every(([name]) => f.elements[name]));
  if (!f) return false;
  for (const [name, value] of all) f.elements[name].value = value;
  f.querySelector("button:not([type=button])").click();
  return true;
})`, []any{action, fields}, "a form for "+action+" with these fields")
	p.Want(then)
}

func (p *Plain) act(script string, args any, what string) {
	p.t.Helper()
	said, err := json.Marshal(args)
	p.must(err)
	_, err = chromedp.RunResponse(p.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		done, err := chromedp.Evaluate[bool](script+`(`+string(said)+`)`)(ctx, tab)
		if err == nil && !done {
			p.t.Fatalf("the page lacks %s", what)
		}
		return chromedp.Void{}, err
	})
	p.must(err)
}
