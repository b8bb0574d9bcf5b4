package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"parallax/internal/api"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Blocks is the page that shows View.Data, a []any of components, in order. A
// slice that needs no template of its own renders this.
const Blocks = "kit/blocks"

// Config is what a Kit is made from.
type Config struct {
	Log *slog.Logger
	// Shell is asked for each page and each error page. It must not fail: for a
	// visitor without a session it returns a shell without a role.
	Shell func(r *http.Request) Shell
	// HTTPS says that people reach this site by https, also where a proxy ends it:
	// every answer then tells browsers to come back in no other way.
	HTTPS bool
	// TrustedOrigins may post here from elsewhere: none, in general.
	TrustedOrigins []string
}

// Kit renders pages. It is made once, before the server starts; afterwards it
// may be used from several goroutines.
type Kit struct {
	log     *slog.Logger
	shell   func(r *http.Request) Shell
	origins *http.CrossOriginProtection
	https   bool
	assets  assets

	base *template.Template // layout and components; never executed directly, so that it can be cloned
	show *template.Template // the copy of base that components are rendered with

	mu    sync.RWMutex
	pages map[string]*template.Template
}

// New makes a kit with the pages of its own.
func New(config Config) (*Kit, error) {
	if config.Log == nil || config.Shell == nil {
		return nil, errors.New("web: a kit needs a logger and a shell")
	}
	k := &Kit{log: config.Log, shell: config.Shell, https: config.HTTPS, pages: map[string]*template.Template{}}
	var err error
	if k.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	k.base, err = template.New("base").Funcs(k.funcs()).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	if k.show, err = k.base.Clone(); err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	if k.origins, err = crossOrigin(config.TrustedOrigins); err != nil {
		return nil, err
	}
	for _, page := range []string{"blocks", "error"} {
		if err := k.addPage("kit/"+page, nil, `{{template "`+page+`" .}}`); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Add reads a slice's pages: each *.html file at the root of files becomes the
// page "slice/name". A page's text is the content of the main landmark, with
// View.Data as its dot and the kit's components at hand: {{show .Leads}} shows
// any component. Files whose name begins with "_" are no pages: what they
// define is at hand in all pages of the slice. (Embed them with a pattern such
// as *.html: embedding a folder by its name leaves them out.)
func (k *Kit) Add(slice string, files fs.FS) error {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return fmt.Errorf("web: pages of %s: %w", slice, err)
	}
	shared, pages := map[string]string{}, map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("web: pages of %s: %w", slice, err)
		}
		if strings.HasPrefix(name, "_") {
			shared[name] = string(text)
			continue
		}
		pages[strings.TrimSuffix(path.Base(name), ".html")] = string(text)
	}
	if len(pages) == 0 {
		return fmt.Errorf("web: %s has no pages", slice)
	}
	for name, text := range pages {
		if err := k.addPage(slice+"/"+name, shared, text); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kit) addPage(name string, shared map[string]string, text string) error {
	t, err := k.base.Clone()
	if err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	for file, extra := range shared {
		if _, err := t.New(file).Parse(extra); err != nil {
			return fmt.Errorf("web: page %s: %w", name, err)
		}
	}
	if _, err := t.New("main").Parse(text); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	// Escaping is worked out at the first execution: a page that cannot be
	// escaped, or that calls a template that is not there, stops the start and
	// not a reader. Whether this execution itself succeeds says nothing, since
	// there is no data.
	var broken *template.Error
	if err := t.ExecuteTemplate(io.Discard, "layout", layout{}); errors.As(err, &broken) {
		return fmt.Errorf("web: page %s: %w", name, broken)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, twice := k.pages[name]; twice {
		return fmt.Errorf("web: there are two pages called %s", name)
	}
	k.pages[name] = t
	return nil
}

// Render answers with a page. It renders before it writes, so an error leaves
// the answer untouched. Pages are not cached unless the handler has said so in
// the Cache-Control header.
func (k *Kit) Render(w http.ResponseWriter, r *http.Request, status int, page string, view View) error {
	k.mu.RLock()
	t := k.pages[page]
	k.mu.RUnlock()
	if t == nil {
		return fmt.Errorf("web: there is no page %s", page)
	}
	shell := k.shell(r)
	data := layout{Shell: shell, View: view, Groups: groups(shell.Nav, r), Exit: shell.Exit,
		CSS: k.assets.path("kit.css"), JS: k.assets.path("kit.js"), Icon: k.assets.path("icon.svg"),
		Request: api.RequestID(r.Context())}
	if data.Exit == "" {
		data.Exit = k.assets.path("blank.html")
	}
	for _, item := range shell.Nav {
		if item.Key != "" {
			data.Keys = append(data.Keys, item)
		}
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, "layout", data); err != nil {
		return fmt.Errorf("web: page %s: %w", page, err)
	}
	h := w.Header()
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	// The reader may be gone; there is nobody left to tell.
	_, _ = w.Write(buf.Bytes())
	return nil
}

// Redirect sends the browser to another page after a post (303).
func Redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Poll answers a Poll's question.
func (k *Kit) Poll(w http.ResponseWriter, state PollState) error {
	return api.WriteJSON(w, http.StatusOK, state)
}
