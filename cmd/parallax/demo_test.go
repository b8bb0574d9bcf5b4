package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/internal/demo"
)

// demoRun runs the demonstration as a process to its end.
func demoRun(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	out, errs, err := s.try(append([]string{"demo"}, args...)...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return out, errs, code
}

// One small world through the real processes. The figures are those of the
// seed: another run, machine or day must give the same.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	out, errs, code := demoRun(t, "--once", "--json", "--seed", "400", "--actors", "60", "--dir", filepath.Join(t.TempDir(), "kept"))
	if code != exitDone {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	var got demo.Summary
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("standard output is not JSON alone: %v\n%s", err, out)
	}
	if got.Seconds["total"] <= 0 || got.Seconds["feed"] <= 0 {
		t.Errorf("seconds: %v", got.Seconds)
	}
	got.Seconds = nil
	want := demo.Summary{Seed: 400, Actors: 60, Organisations: 8, Observations: 26, Contributions: 8, Selectors: 144,
		LeadsReady: 2, LeadsWithdrawn: 1, LeadsOpened: 1, ObservationsOpened: 3,
		Recall: demo.Recall{BestSingle: 2.0 / 60, Union: 2.0 / 60, Joint: 3.0 / 60, JointPerfectLinkage: 3.0 / 60,
			Pool: 1.0 / 60, JointTwoEntities: 3.0 / 60, JointFullClosure: 3.0 / 60},
		RatioToUnion: demo.Ratios{Joint: 1.5, JointTwoEntities: 1.5, JointFullClosure: 1.5, Perfect: 1.5},
		Scorer:       demo.Scorer{LeadsReady: 2, Pool: 1.0 / 60, Joint: 3.0 / 60, Agrees: true},
		Log:          demo.LogCheck{Size: 1280, Verified: true}}
	if a, b := encode(t, got), encode(t, want); a != b {
		t.Errorf("the summary is\n%s\nnot\n%s", a, b)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Bad input ends with 2, says how to mend it, starts nothing and changes nothing.
func TestDemoRefusesBadInput(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := os.WriteFile(filepath.Join(full, "mine"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--actors must be", []string{"--actors", "0"}},
		{"--actors must be", []string{"--actors", "1000000"}},
		{"is not empty", []string{"--dir", full}},
		{"--dir", []string{"--dir", filepath.Join(full, "mine")}},
		{"loopback", []string{"--listen", "0.0.0.0:7000"}},
		{"--listen", []string{"--listen", "7000"}},
		{"--listen", []string{"--listen", taken.Addr().String()}},
		{"--once", []string{"--json"}},
		{"--fresh", []string{"--once", "--fresh"}},
	} {
		out, errs, code := demoRun(t, c.args...)
		if code != exitBad || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("demo %v: exit code %d, %q on standard output, said %q; want %q", c.args, code, out, errs, c.want)
		}
	}
	if list, err := os.ReadDir(full); err != nil || len(list) != 1 {
		t.Errorf("the refused directory holds %v, %v", list, err)
	}
}

// running is a demonstration that serves its start page.
type running struct {
	*stage
	cmd  *exec.Cmd
	home string
	plan client.Plan
}

// startDemo starts a demonstration and waits for its address.
func startDemo(t *testing.T, args ...string) *running {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	cmd := s.command(context.Background(), append([]string{"demo", "--dir", s.path("demo")}, args...)...)
	out, err := cmd.StdoutPipe()
	s.must(err)
	var said bytes.Buffer
	cmd.Stderr = &said
	s.must(cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the demonstration said:\n%s", &said)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v\n%s", err, &said)
	}
	d := &running{stage: s, cmd: cmd, home: strings.TrimSuffix(strings.TrimSpace(address), "/")}
	raw, err := os.ReadFile(s.path("demo", "plan.json"))
	s.must(err)
	s.must(json.Unmarshal(raw, &d.plan))
	return d
}

// get reads a page that must be there.
func (d *running) get(url string) string {
	d.t.Helper()
	res, err := http.Get(url)
	d.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	d.must(err)
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("%s answers %s\n%s", url, res.Status, body)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		d.t.Errorf("%s has the policy %q", url, csp)
	}
	return html.UnescapeString(string(body))
}

// press posts a form of a page and follows it back.
func (d *running) press(path string, values url.Values) string {
	d.t.Helper()
	res, err := http.PostForm(d.home+path, values)
	d.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	d.must(err)
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("pressing %s answers %s\n%s", path, res.Status, body)
	}
	return html.UnescapeString(string(body))
}

// end interrupts the demonstration and waits until nothing of it listens.
func (d *running) end(how os.Signal) {
	d.t.Helper()
	d.must(d.cmd.Process.Signal(how))
	if err := d.cmd.Wait(); how == os.Interrupt && err != nil {
		d.t.Errorf("an interrupted demonstration ends with %v", err)
	}
	urls := []string{d.home, d.plan.Hub.URL}
	for _, h := range d.plan.Holders {
		urls = append(urls, h.URL)
	}
	for _, url := range urls {
		d.until("the end of "+url, func() bool { return !listens(url) })
	}
}

var demoPages = []string{"/", "/follow", "/stops/alone", "/stops/hub", "/stops/contributor", "/stops/police", "/stops/refusal", "/mistake"}

// audit looks at pages in a browser, where there is one.
func (d *running) audit(t *testing.T, name string, pages ...string) {
	t.Run("browser-"+name, func(t *testing.T) {
		b := browsertest.Open(t)
		for _, p := range pages {
			b.Audit(t, d.home+p, browsertest.Shot("demo-"+name+strings.ReplaceAll(strings.TrimSuffix(p, "/"), "/", "-")))
		}
	})
}

// A visitor follows a lead from the line in a file to the police desk, tries
// to open one without approval, and sees a false lead go.
func TestDemoWalk(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "--seed", "400", "--actors", "60")
	start := d.get(d.home + "/")
	for _, link := range regexp.MustCompile(`href="(http://127\.0\.0\.1:[^"]+)"`).FindAllStringSubmatch(start, -1) {
		jar, err := cookiejar.New(nil)
		d.must(err)
		res, err := (&http.Client{Jar: jar}).Get(link[1])
		d.must(err)
		body, err := io.ReadAll(res.Body)
		d.must(err)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("the start page leads to %s, which answers %s", link[1], res.Status)
		}
		if strings.HasSuffix(link[1], "displacement") && !strings.Contains(string(body), "Ratio 0.") {
			t.Errorf("Displacement shows no ratio:\n%s", body)
		}
	}
	if page := d.get(d.home + "/follow"); !strings.Contains(page, "Line 2 of platform-b.ndjson") || !strings.Contains(page, "A lead is ready") {
		t.Fatalf("the walk does not begin with the line in the file:\n%s", page)
	}
	d.audit(t, "before", "/follow", "/mistake")
	d.press("/follow/request", url.Values{"playbook": {"child-possible"}})
	page := d.press("/stops/refusal", nil)
	for _, said := range []string{"the request needs one approval from the authority and one from an oversight body", "the signature does not verify", `the request is signed by "hub", who is no approver of the authority`} {
		if n := strings.Count(page, "Refused: "+said) + strings.Count(page, "Refused: approval 1: "+said); n != 3 {
			t.Errorf("%d holders say %q, want all 3", n, said)
		}
	}
	d.press("/follow/approve", url.Values{"as": {"police"}})
	d.press("/clock", url.Values{"back": {"/follow"}})
	if res, err := http.PostForm(d.home+"/follow/read", nil); err != nil || res.StatusCode != http.StatusConflict {
		t.Errorf("reading with one approval: %v, %v", res, err)
	}
	d.press("/follow/approve", url.Values{"as": {"overseer"}})
	d.press("/clock", url.Values{"back": {"/follow"}})
	page = d.press("/follow/read", nil)
	for _, want := range []string{"the line you began with", "Could this be a child? Treat it so.", "SIM-PLATFORMB-000002", "What links the reports"} {
		if !strings.Contains(page, want) {
			t.Errorf("what was read does not show %q", want)
		}
	}
	page = d.press("/mistake", nil)
	if !strings.Contains(page, "The lead is gone.") || !strings.Contains(page, "3 of 3 key holders have promised") {
		t.Errorf("the false lead is still there:\n%s", page)
	}
	d.audit(t, "after", demoPages...)
	d.end(os.Interrupt)
}

// Without data every page says what appears there, and whatever ends the
// demonstration ends all of its parts, even where it gets no chance to tell them.
func TestDemoFreshEndsWithAllItsParts(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "--fresh", "--actors", "10")
	for _, p := range demoPages {
		d.get(d.home + p)
	}
	if page := d.press("/clock", nil); !strings.Contains(page, "Go to the next release") {
		t.Errorf("the clock's button does not lead back:\n%s", page)
	}
	if res, err := http.PostForm(d.home+"/stops/refusal", nil); err != nil || res.StatusCode != http.StatusConflict {
		t.Errorf("an attempt with nothing to open: %v, %v", res, err)
	}
	d.audit(t, "fresh", "/", "/follow", "/mistake")
	d.end(os.Kill)
}

func listens(url string) bool {
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
