package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Hostile looks at pages that show what the payloads of this package were
// written into, and notices where one was taken for more than text.
type Hostile struct {
	Pages  int // looked at
	tab    *tab
	axe    string
	at     string // the page that is open
	report func(string)
}

// Hostile begins with a tab of its own. Problems are errors of the test.
func (b *Browser) Hostile(t testing.TB) *Hostile {
	t.Helper()
	h, err := b.hostile(func(problem string) { t.Error(problem) })
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (b *Browser) hostile(report func(string)) (*Hostile, error) {
	tab, err := b.open()
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(tab.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "pxm"}); err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(tab.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: violations}); err != nil {
		return nil, err
	}
	// Narrow, where a long word is most in the way.
	return &Hostile{tab: tab, axe: b.axe, report: report}, dress(tab.ctx, look{scheme: "light", width: 375})
}

// Close closes the tab.
func (h *Hostile) Close() { h.tab.end() }

// violations passes on what the page's policy stopped.
const violations = `document.addEventListener("securitypolicyviolation", (e) => {
  pxm("policy violation: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample);
});`

// As leaves the browser with these cookies for the address.
func (h *Hostile) As(address string, cookies ...*http.Cookie) {
	if err := h.tab.cookies(address, cookies); err != nil {
		h.report(fmt.Sprintf("%s: %v", address, err))
	}
}

// Get opens a page, checks it and gives back its markup as the browser sees it.
func (h *Hostile) Get(address string) string {
	return h.check(address, address, chromedp.Navigate(address))
}

// Check asks the accessibility checker about the page that is open, too.
func (h *Hostile) Check() {
	_, err := evaluate(h.tab.ctx, h.axe)
	if err == nil {
		err = check(h.tab.ctx, "", func(problem string) { h.report(h.at + ": " + problem) })
	}
	if err != nil {
		h.report(fmt.Sprintf("%s: %v", h.at, err))
	}
}

// Post sends a form from a page of the same server, as a person's browser does,
// and checks the page that answers.
func (h *Hostile) Post(address string, values url.Values) string {
	at, err := url.Parse(address)
	if err != nil {
		h.report(err.Error())
		return ""
	}
	if home := at.Scheme + "://" + at.Host + "/"; !strings.HasPrefix(h.at, home) {
		h.Get(home)
	}
	return h.check("POST "+address, address, send(address, "_self", values))
}

// send is a form that a page sends.
func send(address, target string, values url.Values) chromedp.Action[chromedp.Void] {
	type pair [2]string
	var pairs []pair
	for name, list := range values {
		for _, v := range list {
			pairs = append(pairs, pair{name, strings.ToValidUTF8(v, "\ufffd")})
		}
	}
	said, _ := json.Marshal([]any{address, target, pairs}) // strings always can be
	return chromedp.Evaluate[chromedp.Void](`(([to, target, pairs]) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = to; form.target = target; form.hidden = true;
  for (const [name, value] of pairs || []) {
    const field = document.createElement("textarea");
    field.name = name; field.value = value;
    form.append(field);
  }
  document.documentElement.append(form);
  HTMLFormElement.prototype.submit.call(form);
})(` + string(said) + `)`)
}

// taken finds what payloads became besides text.
const taken = `(() => {
  const out = [];
  const say = (what, el) => { if (out.length < 5) out.push(what + ": " + (el.outerHTML || el.nodeValue).slice(0, 300)); };
  const addresses = ["href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "poster", "ping", "background"];
  for (const el of document.querySelectorAll("*")) {
    for (const a of el.attributes) {
      if (a.name === "data-px" || /px\d/.test(a.name)) say("markup", el);
      if (a.name.startsWith("on") || a.name === "style") say("the attribute " + a.name, el);
      if (!addresses.includes(a.name)) continue;
      let to;
      try { to = new URL(a.value, document.baseURI); } catch { continue; }
      if (!["http:", "https:"].includes(to.protocol)) say("an address that runs", el);
      if (to.host.includes("elsewhere")) say("an address elsewhere", el);
    }
    if (["SCRIPT", "STYLE"].includes(el.tagName) && el.textContent !== "") say("a script or style with a text", el);
    if (["BASE", "IFRAME", "OBJECT", "EMBED", "TEMPLATE"].includes(el.tagName)) say("an element that no page has", el);
  }
  const comments = document.createNodeIterator(document, NodeFilter.SHOW_COMMENT);
  for (let n = comments.nextNode(); n; n = comments.nextNode()) say("a comment", n);
  return out;
})()`

// check loads a page and reports what should not be.
func (h *Hostile) check(what, address string, load chromedp.Action[chromedp.Void]) string {
	h.Pages++
	h.at = address
	h.tab.ears.expect(address, anyRefusal)
	found, text, err := h.loaded(load)
	for _, problem := range append(h.tab.ears.news(), found...) {
		h.report(what + ": " + problem)
	}
	if err != nil {
		h.report(fmt.Sprintf("%s: %v", what, err))
	}
	return text
}

func (h *Hostile) loaded(load chromedp.Action[chromedp.Void]) (found []string, text string, err error) {
	ctx, cancel := context.WithTimeout(h.tab.ctx, time.Minute)
	defer cancel()
	if _, err = chromedp.RunResponse(ctx, load); err != nil {
		return nil, "", err
	}
	if err = settle(ctx); err != nil {
		return nil, "", err
	}
	if found, err = chromedp.Run(ctx, chromedp.Evaluate[[]string](taken)); err != nil {
		return nil, "", err
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](sidewaysScript))
	if err != nil {
		return nil, "", err
	}
	for _, what := range wide {
		found = append(found, "the page scrolls sideways: "+what)
	}
	text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	return found, text, err
}
