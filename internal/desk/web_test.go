package desk

import (
	"bytes"
	"crypto/rand"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"parallax/internal/clock"
	"parallax/internal/fault"
)

// visitor is a browser without a screen: it keeps cookies and follows.
type visitor struct {
	t    *testing.T
	http *http.Client
	site *Site
	base string
	log  *bytes.Buffer
}

const testKey = "a-key-for-the-test"

// visit serves a desk's page (nil: no desk) and gives a visitor who has not
// shown the key yet.
func visit(t *testing.T, d *Desk) *visitor {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	v := &visitor{t: t, base: "http://" + ln.Addr().String(), log: &bytes.Buffer{}}
	v.site, err = NewSite(SiteOptions{Desk: d, Clock: clock.Fixed(today), Addr: ln.Addr(), AccessKey: testKey, Demo: true, Home: "http://127.0.0.1:1/",
		Log: slog.New(slog.NewTextHandler(v.log, nil))})
	must(t, err)
	srv := &http.Server{Handler: v.site.Handler()}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close(); v.site.Close() })
	jar, err := cookiejar.New(nil)
	must(t, err)
	v.http = &http.Client{Jar: jar}
	return v
}

// enter shows the key.
func (v *visitor) enter() *visitor {
	v.t.Helper()
	if code, text := v.get("/?key=" + testKey); code != http.StatusOK {
		v.t.Fatalf("entering: %d %s", code, text)
	}
	return v
}

func (v *visitor) do(r *http.Request) (int, string) {
	v.t.Helper()
	res, err := v.http.Do(r)
	must(v.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(v.t, err)
	return res.StatusCode, string(raw)
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	must(v.t, err)
	return v.do(r)
}

func (v *visitor) post(path string, values url.Values) (int, string) {
	v.t.Helper()
	r, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(values.Encode()))
	must(v.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// upload sends a file through the form.
func (v *visitor) upload(name, text string, fields map[string]string) (int, string) {
	v.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for field, value := range fields {
		must(v.t, m.WriteField(field, value))
	}
	if name != "" {
		part, err := m.CreateFormFile("file", name)
		must(v.t, err)
		_, err = io.WriteString(part, text)
		must(v.t, err)
	}
	must(v.t, m.Close())
	r, err := http.NewRequest(http.MethodPost, v.base+"/check", &b)
	must(v.t, err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return v.do(r)
}

func (v *visitor) want(what string, code, wantCode int, text string, words ...string) {
	v.t.Helper()
	if code != wantCode {
		v.t.Errorf("%s: status %d, want %d\n%s", what, code, wantCode, main(text))
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			v.t.Errorf("%s: the page lacks %q\n%s", what, w, main(text))
		}
	}
}

// main is the part of a page that differs from page to page.
func main(text string) string {
	_, text, _ = strings.Cut(text, "<main")
	text, _, _ = strings.Cut(text, "</main>")
	return text
}

// lastWork is the path of the newest open file.
func (v *visitor) lastWork() string {
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	return "/check/" + v.site.works[len(v.site.works)-1].id
}

func TestOnlyTheKeyOpensThePage(t *testing.T) {
	v := visit(t, nil)
	for _, path := range []string{"/", "/check", "/sent", "/nothing", "/?key=", "/?key=wrong"} {
		code, text := v.get(path)
		v.want(path, code, http.StatusForbidden, text, "This desk&#39;s page is locked", "parallax desk serve")
		if strings.Contains(text, testKey) || strings.Contains(text, `href="/check"`) {
			t.Errorf("%s: the locked page says too much", path)
		}
	}
	if code, _ := v.post("/check", url.Values{}); code != http.StatusForbidden {
		t.Errorf("a post without the key: %d", code)
	}
	for _, host := range []string{"evil.example", "127.0.0.1", "evil.example:" + v.base[strings.LastIndex(v.base, ":")+1:]} {
		r, err := http.NewRequest(http.MethodGet, v.base+"/?key="+testKey, nil)
		must(t, err)
		r.Host = host
		if code, text := v.do(r); code != http.StatusMisdirectedRequest || strings.Contains(text, testKey) {
			t.Errorf("host %s: %d", host, code)
		}
	}
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := v.http.Get(v.base + "/check?key=" + testKey)
	must(t, err)
	res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || to != "/check" {
		t.Fatalf("the key stays in the address: %d %s", res.StatusCode, to)
	}
	c := res.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || !strings.HasSuffix(v.base, strings.TrimPrefix(c.Name, "parallax-desk-")) || c.Value == testKey {
		t.Errorf("cookie %+v", c)
	}
	v.http.CheckRedirect = nil
	code, text := v.get("/")
	v.want("inside", code, http.StatusOK, text, "Check a file", "Demonstration: simulated data", "Demonstration start page")
	r, err := http.NewRequest(http.MethodPost, v.base+"/check", strings.NewReader(""))
	must(t, err)
	r.Header.Set("Origin", "http://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	code, text = v.do(r)
	v.want("another site's form", code, http.StatusForbidden, text, "another site")
	if strings.Contains(v.log.String(), testKey) {
		t.Error("the log holds the key")
	}
	if code, text := v.get("/sent"); code != http.StatusForbidden || !strings.Contains(text, "joined a pool") {
		t.Errorf("a page for members, without a desk: %d", code)
	}
}

func TestListensOnThisComputerOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:7110", ":7110", "192.168.1.4:7110", "[::]:0", "example.org:80", "7110"} {
		if err := CheckListen(addr); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:7110", "[::1]:7110", "127.8.9.1:1"} {
		must(t, CheckListen(addr))
	}
	if _, err := newDoor(&net.TCPAddr{IP: net.IPv4zero, Port: 80}, "", rand.Reader); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a door to everybody: %v", err)
	}
	for _, key := range []string{"short", "sixteen letters with a space"} {
		if _, err := newDoor(&net.TCPAddr{IP: net.IPv6loopback, Port: 80}, key, rand.Reader); fault.KindOf(err) != fault.Invalid {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestCheckAFileInTheBrowser(t *testing.T) {
	v := visit(t, nil).enter()
	code, text := v.upload("export.csv", export, nil)
	v.want("report", code, http.StatusOK, text, "was guessed", "Would become observations", "E-mail", "Stopped", "Refused", "mapping.json")
	if strings.Contains(text, "first.person") || strings.Contains(text, "903 177") {
		t.Error("the report shows an identifier")
	}
	at := v.lastWork()
	code, text = v.get(at + "/mapping.json")
	m, err := ParseMapping([]byte(text), "mapping.json")
	must(t, err)
	guess, err := GuessFile(File(file(t, "export.csv", export)))
	must(t, err)
	if code != http.StatusOK || len(m.Columns) != len(guess.Columns) || m.Columns["account_number"] != guess.Columns["account_number"] {
		t.Errorf("the page's mapping %+v is not the guess %+v", m, guess)
	}
	code, text = v.get(at + "/issues.csv")
	v.want("issues", code, http.StatusOK, text, "line,column,class,outcome,code,reason", "4,email,email,refused")

	form := url.Values{"country": {"NZ"}, "column-1": {"class:email"}, "column-2": {"class:phone"}, "column-0": {"fact:reference"}, "all-strength": {"3"}}
	code, text = v.post(at+"/mapping", form)
	v.want("mapped again", code, http.StatusOK, text, "E-mail")
	_, text = v.get(at + "/mapping.json")
	m, err = ParseMapping([]byte(text), "mapping.json")
	must(t, err)
	if m.Reference != "case_id" || m.Strength != "=3" || len(m.Columns) != 2 || m.Columns["mobile"].Country != "NZ" || m.Date != "" {
		t.Errorf("mapping from the form: %+v", m)
	}
	for name, bad := range map[string]url.Values{
		"no identifier": {"column-0": {"fact:date"}},
		"two dates":     {"column-0": {"fact:date"}, "column-1": {"class:email"}, "column-2": {"fact:date"}},
		"a BSB alone":   {"column-1": {"class:email"}, "column-3": {"prefix"}},
		"not a meaning": {"column-1": {"class:shoe"}},
	} {
		code, text := v.post(at+"/mapping", bad)
		v.want(name, code, http.StatusUnprocessableEntity, text, "There is a problem")
	}
	code, text = v.post(at+"/forget", nil)
	v.want("forgotten", code, http.StatusOK, text, "Choose a file")
	if code, text = v.get(at); code != http.StatusNotFound || !strings.Contains(text, "not held any more") {
		t.Errorf("a forgotten file: %d", code)
	}
	code, text = v.upload("", "", map[string]string{"path": file(t, "export.csv", export)})
	v.want("by path", code, http.StatusOK, text, "Would become observations")
}

func TestRefusedUploadsKeepNothing(t *testing.T) {
	v := visit(t, nil).enter()
	for name, c := range map[string]struct{ file, text, path, want string }{
		"an image":      {file: "a.csv", text: "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100), want: "this is an image, not a table"},
		"nothing":       {want: "Choose a file"},
		"both":          {file: "a.csv", text: export, path: "/tmp/x.csv", want: "not both"},
		"no such path":  {path: "/nowhere/at/all.csv", want: "cannot be opened"},
		"part of path":  {path: "all.csv", want: "a whole one"},
		"a directory":   {path: "/", want: "is a directory"},
		"a device":      {path: "/dev/zero", want: "not an ordinary file"},
		"UTF-16":        {file: "a.csv", text: "\xff\xfea\x00", want: "CSV UTF-8"},
		"a broken line": {file: "a.csv", text: "a,b\n1\n", want: "Line 2: 1 cells"},
	} {
		code, text := v.upload(c.file, c.text, map[string]string{"path": c.path})
		v.want(name, code, http.StatusUnprocessableEntity, text, c.want)
	}
	v.site.mu.Lock()
	defer v.site.mu.Unlock()
	if len(v.site.works) != 0 {
		t.Errorf("%d refused files are held", len(v.site.works))
	}
}

// counting counts what is read of a file.
type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestMediaIsKnownByItsFirstBytesAndNeverReadOn(t *testing.T) {
	for name, head := range map[string]string{
		"JPEG": "\xff\xd8\xff\xe0", "PNG": "\x89PNG\r\n", "GIF": "GIF89a", "WebP": "RIFF\x00\x00\x00\x00WEBP", "BMP": "BM\x10\x20\x30\x00\x00\x00\x00\x00",
		"MP4": "\x00\x00\x00\x20ftypisom", "MOV": "\x00\x00\x00\x14ftypqt  ", "HEIC": "\x00\x00\x00\x18ftypheic", "Matroska": "\x1aE\xdf\xa3",
		"AVI": "RIFF\x00\x00\x00\x00AVI ", "MP3": "ID3\x04", "Ogg": "OggS", "ZIP": "PK\x03\x04", "PDF": "%PDF-1.7", "gzip": "\x1f\x8b\x08", "TIFF": "II*\x00",
		"7z": "7z\xbc\xaf\x27\x1c", "Word": "\xd0\xcf\x11\xe0", "tar": strings.Repeat("n", 257) + "ustar",
	} {
		c := &counting{r: io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat("x", 1<<20)))}
		if _, err := Hold(c, "a.csv", maxUpload); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "not a table") {
			t.Errorf("%s held: %v", name, err)
		}
		if c.n > magicBytes {
			t.Errorf("%s: %d bytes were read", name, c.n)
		}
		c = &counting{r: io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat("x", 1<<20)))}
		if _, err := NewSource(c, "a.csv"); fault.KindOf(err) != fault.Invalid || c.n > magicBytes {
			t.Errorf("%s as a source: %v, %d bytes read", name, err, c.n)
		}
	}
	for _, text := range []string{"BMI,email\n1,a@b.com\n", "ID3,email\n1,2\n", "II,MM\n1,2\n", "RAR,a\n1,2\n"} {
		if _, err := readAll(text, "a.csv"); err != nil {
			t.Errorf("%q is a table: %v", text, err)
		}
	}
	if _, err := Hold(strings.NewReader(strings.Repeat("a,b\n", 1000)), "a.csv", 3999); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "type its path") {
		t.Errorf("an upload above the limit: %v", err)
	}
}

func TestSpreadsheetsGetNoFormula(t *testing.T) {
	raw, err := csvBytes([][]string{{"=1+1", "+61 4", "-2", "@x", "\t=1", " =1", "\uff1d1", "plain", "a=b", ""}})
	must(t, err)
	if got := string(raw); got != "'=1+1,'+61 4,-2,'@x,'\t=1,' =1,'\uff1d1,plain,a=b,\n" {
		t.Errorf("%q", got)
	}
}

// The page of an opening asks again and again whether something moved; none of
// it reads an opening, which the hub would log.
func TestAPollReadsNothing(t *testing.T) {
	w, _, police, overseer := opened(t)
	w.opening.State = "requested"
	v := visit(t, police).enter()
	code, text := v.get("/openings/o1")
	v.want("waiting", code, http.StatusOK, text, `data-poll="/openings/o1/state"`, `data-version="requested0"`, `data-every="15"`)
	read := w.listed
	for range 10 {
		code, text = v.get("/openings/o1/state")
		v.want("nothing moved", code, http.StatusOK, text, `"version":"requested0"`, `"done":false`)
	}
	if w.listed != read {
		t.Errorf("ten polls read openings %d times", w.listed-read)
	}
	_, err := overseer.Approve(t.Context(), "o1", why, nil)
	must(t, err)
	code, text = v.get("/openings/o1/state")
	v.want("approved meanwhile", code, http.StatusOK, text, `"version":"requested1"`)
	w.opening.State = "released"
	code, text = v.get("/openings/o1/state")
	v.want("released", code, http.StatusOK, text, `"done":true`)
}
