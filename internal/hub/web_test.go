package hub

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store/storetest"
)

// browse gets a page as a viewer; redirects are not followed.
func (w *world) browse(as, path string) (status int, body string, h http.Header) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	must(w.t, err)
	if as != "" {
		req.AddCookie(w.cookie(as))
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	must(w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(w.t, err)
	return res.StatusCode, string(raw), res.Header
}

// cookie is what a visitor's browser keeps after choosing who is looking.
func (w *world) cookie(as string) *http.Cookie {
	return &http.Cookie{Name: "parallax-demo-" + w.url[strings.LastIndex(w.url, ":")+1:], Value: as, Path: "/"}
}

func demoConsole(o *Options) { o.DemoConsole, o.Home = true, "http://127.0.0.1:1/" }

func TestPublicPages(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), fewLeaves)
	for path, wants := range map[string][]string{
		"/":               {"There is none yet"},
		"/log":            {"The newest witnessed checkpoint appears here."},
		"/keys":           {"holder-3", "Body 2", "Answers", "E-mail address", "6,144", "basis-1", "Bank A"},
		"/log/growth.csv": {"time_utc,entries"},
	} {
		status, body, h := w.browse("", path)
		for _, want := range wants {
			if status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d, without %q:\n%s", path, status, want, body)
			}
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has no policy", path)
		}
	}
	if status, _, h := w.browse("", "/log/checkpoint"); status != http.StatusNotFound || h.Get("Content-Disposition") != "" {
		t.Errorf("a checkpoint before the first: %d", status)
	}
	for range 8 { // 64 entries: a second page
		w.tick(time.Minute)
	}
	_, body, _ := w.browse("", "/log")
	if strings.Count(body, "<tr>") < 50 || !strings.Contains(body, "/log?before=14") || !strings.Contains(body, "3 of 3 key holders; 0 of 0 desks") || !strings.Contains(body, "No desk is a witness yet.") {
		t.Errorf("the first page of entries:\n%s", body)
	}
	if _, body, _ = w.browse("", "/log?before=14"); strings.Count(body, "<th scope=\"row\"") != 14 || strings.Contains(body, "rel=\"next\"") {
		t.Errorf("the last page of entries:\n%s", body)
	}
	if status, _, _ := w.browse("", "/log?before=x"); status != http.StatusBadRequest {
		t.Errorf("a page from nowhere: %d", status)
	}
	_, proof, h := w.browse("", "/log/proof/13")
	if !strings.HasPrefix(proof, "c2sp.org/tlog-proof@v1\nindex 13\n") || !strings.Contains(h.Get("Content-Disposition"), "entry-13.tlog-proof") {
		t.Errorf("a proof to download:\n%s", proof)
	}
	for _, entry := range []string{"64", "-1", "x", "007"} {
		if status, _, _ := w.browse("", "/log/proof/"+entry); status != http.StatusNotFound {
			t.Errorf("the proof of entry %s: %d", entry, status)
		}
	}
	_, note, h := w.browse("", "/log/checkpoint")
	if _, machine, _ := w.browse("", client.PathCheckpoint); note != machine || !strings.Contains(h.Get("Content-Disposition"), "checkpoint.txt") {
		t.Error("the checkpoint to download is not the one that machines get")
	}
}

// What is not listed is refused, and a hub without the demonstration's console
// knows nobody, whatever cookie comes.
func TestEverythingElseIsRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, path := range []string{"/demo", "/demo/as/authority", "/elsewhere", "/v1/elsewhere", "/v1/leads", "/assets/", "/log/", "/metrics"} {
		if status, _, _ := w.browse("authority/officer", path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	_, body, _ := w.browse("authority/officer", "/")
	for _, hidden := range []string{"/openings", "/contribute", "/demo", "reviewer"} {
		if strings.Contains(body, hidden) {
			t.Errorf("the public page names %s", hidden)
		}
	}
}
