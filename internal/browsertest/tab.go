package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is the tab that one browser's pages are looked at in: a new one costs more
// than a page.
type tab struct {
	ctx  context.Context
	end  context.CancelFunc
	ears ears
}

// one is the browser's tab for audits, which ends with it.
func (b *Browser) one() (t *tab, err error) {
	if b.tab == nil {
		b.tab, err = b.open()
	}
	return b.tab, err
}

// open opens a tab that is listened to.
func (b *Browser) open() (*tab, error) {
	t := &tab{}
	t.ctx, t.end = chromedp.NewContext(b.ctx) // or with its parent
	if _, err := chromedp.Call(t.ctx, network.Enable, network.EnableParams{}); err != nil {
		return nil, err
	}
	return t, chromedp.Listen(t.ctx, func(ev any) {
		if _, ok := ev.(*page.EventJavascriptDialogOpening); ok { // it would stop the tab
			go func() {
				_, _ = chromedp.Call(t.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}) // the tab may be gone
			}()
		}
		t.ears.hear(ev)
	})
}

// anyRefusal stands for the status of a page that may be refused, with 4xx.
const anyRefusal = -1

// ears collect what the console and the network tell of a tab and what should
// not have come.
type ears struct {
	mu     sync.Mutex
	home   string // address of the page
	host   string // the only one that may be asked
	status int    // that the page is expected to have
	path   string // of the page that follows, if any
	after  int    // that this is expected to have
	heard  []string
}

// expect begins with a page; what was heard before is forgotten.
func (e *ears) expect(address string, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.home, e.status, e.heard, e.host = address, status, nil, ""
	if at, err := url.Parse(address); err == nil {
		e.host = at.Host
	}
}

// then says which page follows, and with which status.
func (e *ears) then(path string, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.path, e.after = path, status
}

// news is what came since the page was expected, or since the last call.
func (e *ears) news() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	news := e.heard
	e.heard = nil
	return news
}

func (e *ears) say(format string, args ...any) {
	e.heard = append(e.heard, fmt.Sprintf(format, args...))
}

func (e *ears) hear(ev any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		e.say("console %s: %s", ev.Type, words(ev.Args))
	case *runtime.EventExceptionThrown:
		e.say("uncaught: %s", ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if !e.expected(ev.Entry) {
			e.say("browser log, %s: %s %s", ev.Entry.Level, ev.Entry.Text, ev.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		e.say("a dialog: %s", ev.Message)
	case *runtime.EventBindingCalled:
		e.say("a script ran: %s", ev.Payload)
	case *network.EventRequestWillBeSent:
		// The browser's own controls draw with data addresses.
		if to, err := url.Parse(ev.Request.URL); err != nil || to.Scheme != "data" && to.Host != e.host {
			e.say("a request to another host: %s", ev.Request.URL)
		}
	}
}

// expected reports whether the browser notes the page's own status only, or that
// it cleared what signing out asks it to.
func (e *ears) expected(entry *log.Entry) bool {
	if entry.Level == "info" && strings.HasPrefix(entry.Text, "Clear-Site-Data header on ") {
		return true
	}
	if e.status == anyRefusal {
		return strings.Contains(entry.Text, "the server responded with a status of 4")
	}
	if e.path != "" && strings.HasSuffix(entry.URL, e.path) && strings.Contains(entry.Text, fmt.Sprintf("status of %d", e.after)) {
		return true
	}
	return entry.URL == e.home && strings.Contains(entry.Text, fmt.Sprintf("status of %d", e.status))
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, arg := range args {
		all = append(all, strings.TrimSpace(string(arg.Value)+" "+arg.Description))
	}
	return strings.Join(all, " ")
}

// settle waits until the page was drawn twice: its scripts ran, its media
// queries hold.
func settle(ctx context.Context) error {
	twice := `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](twice, chromedp.EvalAwaitPromise))
	return err
}

// evaluate runs a script for its effect, in spite of the page's policy.
func evaluate(ctx context.Context, script string) (chromedp.Void, error) {
	return chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		answer, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: script})
		if err == nil && answer.ExceptionDetails != nil {
			err = fmt.Errorf("script: %s", answer.ExceptionDetails.Text)
		}
		return chromedp.Void{}, err
	})
}
