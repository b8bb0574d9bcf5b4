package browsertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Cross is another site's page in a browser that is signed in here. It sends
// what forms and scripts of such a page can send, with the cookies that the
// browser adds, and frames what it can.
type Cross struct {
	tab   *tab
	t     testing.TB
	near  string // another port of the same name: another origin, but the same site, so that every cookie comes along
	far   string // another site
	where string // the page that is open
}

// Cross starts the pages of a site that is not the one at this address, and
// opens a tab.
func (b *Browser) Cross(t testing.TB, home string) *Cross {
	t.Helper()
	tab, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1>`)
	}))
	t.Cleanup(elsewhere.Close)
	c := &Cross{tab: tab, t: t, near: elsewhere.URL + "/"}
	c.far = strings.Replace(c.near, "127.0.0.1", "localhost", 1)
	if strings.Contains(home, "localhost") {
		c.near, c.far = c.far, c.near
	}
	return c
}

// Visit opens a page in the same browser as its own site would, to be given
// cookies.
func (c *Cross) Visit(address string) {
	c.t.Helper()
	c.must(chromedp.Do(c.tab.ctx, chromedp.Navigate(address)))
	c.where = address
}

// As gives the browser cookies for an address.
func (c *Cross) As(address string, cookies ...*http.Cookie) { c.must(c.tab.cookies(address, cookies)) }

func (c *Cross) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *Cross) stand(at string) {
	c.t.Helper()
	if c.where != at {
		c.Visit(at)
	}
}

// Post sends a form from another origin of the same site and says what the
// answer was.
func (c *Cross) Post(address string, values url.Values) (status int, body string) {
	c.t.Helper()
	c.stand(c.near)
	return c.post(address, values)
}

// PostFrom sends the same form from a page of the site itself: what Post is
// measured against.
func (c *Cross) PostFrom(here, address string, values url.Values) (status int, body string) {
	c.t.Helper()
	c.stand(here)
	return c.post(address, values)
}

func (c *Cross) post(address string, values url.Values) (int, string) {
	c.t.Helper()
	answer, err := chromedp.RunResponse(c.tab.ctx, send(address, "_self", values))
	c.must(err)
	c.where = ""
	body, err := chromedp.Run(c.tab.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	c.must(err)
	return int(answer.Status), body
}

// Fetch lets scripts of both other pages send to all addresses, as a form and as
// JSON in disguise, with cookies. What comes back they cannot read.
func (c *Cross) Fetch(addresses []string) {
	c.t.Helper()
	list, err := json.Marshal(addresses)
	c.must(err)
	for _, from := range []string{c.near, c.far} {
		c.stand(from)
		read, err := chromedp.Run(c.tab.ctx, chromedp.Evaluate[[]string](`Promise.all(`+string(list)+`.flatMap((to) =>
  [["text/plain", "{}"], ["application/x-www-form-urlencoded", "reason=x&sure=yes&edit=1"]].map(([type, body]) =>
    fetch(to, {method: "POST", mode: "no-cors", credentials: "include", headers: {"Content-Type": type}, body})
      .then((r) => r.text()).then((text) => text === "" ? "" : to, () => "")))).then((all) => all.filter((x) => x !== ""))`, chromedp.EvalAwaitPromise))
		c.must(err)
		for _, address := range read {
			c.t.Errorf("%s: another site's script could read the answer", address)
		}
	}
}

// Framed reports whether a page can be shown in a frame of another page.
func (c *Cross) Framed(address string) bool {
	c.t.Helper()
	framed := false
	for _, from := range []string{c.near, c.far} {
		c.Visit(from)
		said, _ := json.Marshal(address) // a string always can be
		_, err := chromedp.Run(c.tab.ctx, chromedp.Evaluate[bool](`new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => done(true); frame.onerror = () => done(false);
  frame.src = `+string(said)+`;
  document.body.append(frame);
})`, chromedp.EvalAwaitPromise))
		c.must(err)
		c.where = ""
		tree, err := chromedp.Call(c.tab.ctx, page.GetFrameTree, cdp.Empty{})
		c.must(err)
		for _, child := range tree.FrameTree.ChildFrames {
			framed = framed || child.Frame.UnreachableURL == ""
		}
	}
	return framed
}
