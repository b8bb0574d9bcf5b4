package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parallax/internal/browsertest"
	"parallax/internal/desk"
	"parallax/selector"
)

const pageKey = "a-key-for-the-story"

// browser is a visitor of one desk's page, without a screen.
type browser struct {
	s    *stage
	base string
	http *http.Client
}

// page starts a desk's page as a process of its own and shows it the key.
func (s *stage) page(args ...string) *browser {
	s.t.Helper()
	url, addr := freeURL(s.t)
	s.serve(url, append([]string{"desk", "serve", "--listen", addr, "--access-key", pageKey, "--demo"}, args...)...)
	jar, err := cookiejar.New(nil)
	s.must(err)
	b := &browser{s: s, base: url, http: &http.Client{Jar: jar}}
	b.get("/?key=" + pageKey)
	return b
}

func (s *stage) deskPage(id string) *browser {
	s.t.Helper()
	return s.page("--dir", s.path(id), "--demo-clock", s.clock)
}

// cookie is what the browser with a screen needs.
func (b *browser) cookie() browsertest.Option {
	u, err := url.Parse(b.base)
	b.s.must(err)
	return browsertest.Cookie(b.http.Jar.Cookies(u)[0])
}

func (b *browser) send(r *http.Request) string {
	b.s.t.Helper()
	res, err := b.http.Do(r)
	b.s.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	b.s.must(err)
	if res.StatusCode != http.StatusOK {
		b.s.t.Fatalf("%s %s: %s\n%s", r.Method, r.URL.Path, res.Status, mainPart(string(raw)))
	}
	return string(raw)
}

func (b *browser) get(path string) string {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.base+path, nil)
	b.s.must(err)
	return b.send(r)
}

func (b *browser) post(path string, values url.Values) string {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(values.Encode()))
	b.s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// upload chooses a file and its mapping, and gives the page of the check.
func (b *browser) upload(file, text, mapping string) string {
	b.s.t.Helper()
	raw, err := os.ReadFile(mapping)
	b.s.must(err)
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, part := range []struct{ field, name, text string }{{"file", file, text}, {"mapping", "mapping.json", string(raw)}} {
		w, err := m.CreateFormFile(part.field, part.name)
		b.s.must(err)
		_, err = io.WriteString(w, part.text)
		b.s.must(err)
	}
	b.s.must(m.Close())
	r, err := http.NewRequest(http.MethodPost, b.base+"/check", &body)
	b.s.must(err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

func mainPart(text string) string {
	_, text, _ = strings.Cut(text, "<main")
	text, _, _ = strings.Cut(text, "</main>")
	return text
}

// find gives the first group of a pattern in a page.
func (b *browser) find(page, pattern string) string {
	b.s.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if m == nil {
		b.s.t.Fatalf("the page lacks %s\n%s", pattern, mainPart(page))
	}
	return m[1]
}

func (b *browser) want(page string, words ...string) {
	b.s.t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			b.s.t.Errorf("the page lacks %q\n%s", w, mainPart(page))
		}
	}
}

// shot is one page to audit in a browser with a screen.
type shot struct {
	name  string
	b     *browser
	path  string
	steps []chromedp.Action[chromedp.Void]
}

func steps(list ...chromedp.Action[chromedp.Void]) []chromedp.Action[chromedp.Void] { return list }

// audit looks at pages in one browser. One page of each kind is enough: the
// kit's own test audits every component in every state. Where there is no
// browser the story goes on without.
func (s *stage) audit(pages ...shot) {
	s.t.Helper()
	s.t.Run("in a browser: "+pages[0].name, func(t *testing.T) {
		look := browsertest.Open(t)
		for _, p := range pages {
			options := []browsertest.Option{browsertest.Shot("desk-" + p.name), browsertest.Prepare(p.steps...)}
			if p.name == "locked" {
				options = append(options, browsertest.Status(http.StatusForbidden))
			} else {
				options = append(options, p.b.cookie())
			}
			look.Audit(t, p.b.base+p.path, options...)
		}
	})
}

// A contributor submits, a police desk requests, two bodies approve and the
// police desk reads, all in their desks' local pages, which pass the audit.
func TestDeskPages(t *testing.T) {
	t.Parallel()
	s := build(t)
	bank, police, overseer := s.deskPage("bank-a"), s.deskPage("police"), s.deskPage("overseer")
	s.emptyPages(bank, police)
	s.contribute(bank)
	s.advance(2 * time.Hour)
	s.until("a ready lead", func() bool { return len(s.inbox("police").Leads) == 1 })
	id := s.openByPages(police, overseer)

	lead := police.post("/openings/"+id+"/lead", nil)
	police.want(lead, "Unverified", "A-17", "P-3", "H-9", "this read is line 3", "Could this be a child?")
	before, _, _ := strings.Cut(lead, "<details")
	if strings.Contains(before, "someone.else") || !strings.Contains(lead, "someone.else@mail-one.net") {
		t.Error("an identifier stands outside of a disclosure, or is missing")
	}
	police.want(police.post("/openings/"+id+"/own.csv", nil), "status,reference")
	police.want(police.post("/openings/"+id+"/lead", nil), "this read is line 5")
	s.audit(shot{"lead", police, "/openings/" + id, steps(chromedp.Evaluate[chromedp.Void](`document.querySelector("form[action$='/lead'] button").click()`), chromedp.WaitVisible("#evidence"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("main details").open = true`))}, shot{name: "handling", b: police, path: "/openings/" + id + "/handling"})
	s.withdrawByPage(bank)
}

// emptyPages looks at what a newcomer sees.
func (s *stage) emptyPages(bank, police *browser) {
	s.t.Helper()
	alone := s.page()
	alone.want(alone.get("/"), "Begin here", "Check a file")
	bank.want(bank.get("/"), "Nothing needs you now")
	s.audit(shot{name: "locked", b: alone, path: "/check"}, // before the browser has been given a cookie
		shot{name: "alone", b: alone, path: "/"}, shot{name: "check-form", b: alone, path: "/check"},
		shot{name: "outcomes-empty", b: bank, path: "/outcomes"}, shot{name: "sent-empty", b: bank, path: "/sent"}, shot{name: "openings-empty", b: police, path: "/openings"})
}

// contribute sends one file by the page and the others' by command.
func (s *stage) contribute(bank *browser) {
	s.t.Helper()
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	bad := "A-19,noreply@example.com,1,payment\nA-20,not an address,1,payment\n"
	page := bank.upload("bank-a.csv", contributors[0].file+bad, mapping)
	bank.want(page, "Would become observations", "See what would be submitted")
	at := bank.find(page, `href="(/submit/[0-9a-f]+)"`)
	page = bank.get(at)
	bank.want(page, "New observations", "Points charged", "20,000", "Sealed to the authority", "Submit 2 observations")
	s.audit(shot{name: "check", b: bank, path: strings.Replace(at, "/submit/", "/check/", 1)},
		shot{"plan", bank, at, steps(chromedp.Evaluate[chromedp.Void](`document.querySelector("main details").open = true`))})
	form := url.Values{"shown": {bank.find(page, `name="shown" value="([0-9a-f]+)"`)}, "basis": {"basis-1"}}
	bank.post(at, form)
	bank.post(at, form) // a second click changes nothing
	s.until("the submission", func() bool { return strings.Contains(bank.get("/submit/state"), `"done":true`) })
	bank.want(bank.get("/submit"), "2 observations in 1 contribution, acknowledged")
	bank.want(bank.get(at), "There is nothing new to submit")

	for _, c := range contributors[1:] {
		file := s.path(c.id + ".csv")
		s.must(os.WriteFile(file, []byte(c.file), 0o600))
		s.at(c.id, "submit", file, "--mapping", mapping, "--yes", "--basis", "basis-1")
	}
	// The delay before an opening counts from the log, so the last is logged first.
	s.until("the last receipt's proof", func() bool { return s.at("hotline-a", "receipts", "--out", s.path("hotline-receipts")) != "" })
	s.until("the proof", func() bool {
		bank.post("/sent/proofs", nil)
		return strings.Contains(bank.get("/sent"), "Proved in the log")
	})
	one := bank.find(bank.get("/sent"), `href="(/sent/[0-9a-f]+)"`)
	bank.want(bank.get(one), "Log entry", "The contribution is in the witnessed log")
	receipt := s.path("from-the-page.json")
	s.must(os.WriteFile(receipt, []byte(bank.get(one+"/receipt.json")), 0o600))
	if out := s.do("verify", receipt, "--pin", s.pin); !strings.Contains(out, "Verified") {
		s.t.Error(out)
	}
	bank.want(bank.get("/sent/list.csv"), "kept,acknowledged,observations,batch_root,state", "Proved in the log")
}

// why is what people of the tests write down.
const why = "an exercise with nobody in it"

// openByPages requests, approves twice and waits for the release.
func (s *stage) openByPages(police, overseer *browser) string {
	s.t.Helper()
	ask := police.find(police.get("/openings"), `href="(/leads/[^"]+)"`)
	overseer.want(overseer.get("/openings"), "Ready leads")
	review := police.post(ask+"/review", url.Values{"basis": {"basis-1"}, "playbook": {"standard"}})
	police.want(review, "Sign and send the request")
	page := police.post(ask, url.Values{"basis": {"basis-1"}, "playbook": {"standard"}, "reason": {why}, "labels": {police.find(review, `name="labels" value="([0-9a-f]+)"`)}})
	at := police.find(page, `action="(/openings/[^"]+)/approve"`)
	digest := police.find(page, `name="digest" value="([0-9a-f]+)"`)
	police.post(at+"/approve", url.Values{"digest": {digest}, "reason": {why}})
	s.audit(shot{name: "approve", b: overseer, path: at})
	overseer.want(overseer.get("/"), "waits for your approval")
	overseer.post(at+"/approve", url.Values{"digest": {digest}, "reason": {why}})
	id := strings.TrimPrefix(at, "/openings/")
	s.until("the request in the log", func() bool { return s.state(id) == "logged" || s.state(id) == "released" })
	s.advance(6 * time.Hour)
	s.until("the release", func() bool { return s.state(id) == "released" })
	police.want(police.get("/"), "it can be read")
	return id
}

// withdrawByPage takes the bank's contribution back.
func (s *stage) withdrawByPage(bank *browser) {
	s.t.Helper()
	form := url.Values{"reference": {"A-18"}, "reason": {"mistaken"}}
	page := bank.post("/withdraw/review", form)
	bank.want(page, "Withdraw 1 observation", "2 of 3 key holders", "&#34;kind&#34;: &#34;withdraw&#34;")
	bank.want(bank.post("/withdraw", form), "Withdrawn: 1 observation", "Keeps it")
}
