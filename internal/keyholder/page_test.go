package keyholder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/opening"
)

// looked is a world whose first holder has something under every heading: one
// request in its window, one released, one refused, a withdrawal, a halt.
func looked(t *testing.T) (*world, *httptest.Server) {
	t.Helper()
	w := newWorld(t)
	h := w.holders[0]
	a := w.request(w.evidence(), 0, 1, 2)
	w.assemble(a)
	_, err := h.Open(a.bundle)
	must(t, err)
	bad := w.request(w.evidence(), 0)
	bad.approvals = []string{"officer"}
	w.assemble(bad)
	for range 2 {
		if _, err := h.Open(bad.bundle); err == nil {
			t.Fatal("opened with one approval")
		}
	}
	wait := w.request(w.evidence(), 0)
	wait.wait, wait.request.Playbook = time.Minute, opening.PlaybookChildPossible
	w.assemble(wait)
	if _, err := h.Open(wait.bundle); err == nil {
		t.Fatal("opened in the veto window")
	}
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	return w, server
}

func fetch(t *testing.T, url string, change func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	must(t, err)
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(raw)
}

func TestPageSaysWhatIsAskedAndWhy(t *testing.T) {
	w, server := looked(t)
	w.deny(opening.Denial{Kind: opening.DenySuspend, Member: "bank-a", Reason: "under review"}, "gov-1")
	w.deny(opening.Denial{Kind: opening.DenyHalt, Reason: "asked for by counsel"}, "overseer")
	_, body := fetch(t, server.URL+"/", nil)
	ends := stamp(opening.NextRelease(w.manifest.Delays, w.clock.Now().Add(-time.Minute).Add(time.Duration(w.manifest.Delays.OpenSeconds)*time.Second)))
	for _, want := range []string{"Playbook: could this be a child?", "investigation", "basis-1", ends, "one approval from the authority and one from an oversight body",
		`<td class="num">2</td>`, "Openings are halted.", "asked for by counsel", "under review", "Suspension of a member", "e-mail address", "parallax desk halt"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	for _, member := range []string{"bank-a", "platform-a", "hotline-a"} {
		if strings.Contains(body, member) {
			t.Errorf("the page names %s", member)
		}
	}
}

// When openings happen is not for members and the public.
func TestPageIsForThisMachineOnly(t *testing.T) {
	w, server := looked(t)
	for name, change := range map[string]func(*http.Request){
		"another name":  func(r *http.Request) { r.Host = "holder.example" },
		"through proxy": func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") },
	} {
		if status, body := fetch(t, server.URL+"/", change); status != http.StatusForbidden || strings.Contains(body, "basis-1") {
			t.Errorf("%s: %d", name, status)
		}
	}
	far := httptest.NewRecorder()
	w.holders[0].Handler().ServeHTTP(far, httptest.NewRequest(http.MethodGet, "/", nil)) // from 192.0.2.1
	if far.Code != http.StatusForbidden {
		t.Errorf("from another machine: %d", far.Code)
	}
	if status, body := fetch(t, server.URL+"/page.css", nil); status != http.StatusOK || !strings.Contains(body, ":root") {
		t.Errorf("the style sheet: %d", status)
	}
}

func TestRefusalsAreFewAndNameNobody(t *testing.T) {
	var list refusals
	for i := range 3 * keptRefusals {
		list.note(time.Unix(int64(i), 0), opening.Hash{byte(i)}, `organisation "bank-a" is suspended`)
		list.note(time.Unix(int64(i), 0), opening.Hash{byte(i)}, `organisation "bank-a" is suspended`)
	}
	last := list[len(list)-1]
	if len(list) != keptRefusals || last.Times != 2 || last.Reason != "a contributing organisation is suspended" || last.Request != (opening.Hash{3*keptRefusals - 1}) {
		t.Errorf("%d kept, the last %+v", len(list), last)
	}
}

// The public hears of releases by quarter, a quarter late and not below ten.
func TestReleaseCounts(t *testing.T) {
	w, server := looked(t) // in November 2026, one release
	h := w.holders[0]
	counts := func() (out client.ReleaseCounts, raw string) {
		_, raw = fetch(t, server.URL+client.PathReleases, nil)
		must(t, json.Unmarshal([]byte(raw), &out))
		return out, raw
	}
	q1 := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	for i := range 12 {
		r := release{Request: opening.Hash{9, byte(i)}, Time: q1.UnixMicro()}
		must(t, h.journal.append(kindRelease, r))
		h.state.addRelease(r)
	}
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{time.Date(2027, 3, 31, 23, 59, 59, 0, time.UTC), ""},
		{time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC), "2026-Q4 <10;"},
		{time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC), "2026-Q4 <10;2027-Q1 12;2027-Q2 <10;"},
	} {
		w.clock.Set(c.now)
		list, _ := counts()
		verified, err := list.Verify(w.plan, w.plan.Holders[0])
		must(t, err)
		got := ""
		for _, v := range verified {
			got += v.Quarter + " " + v.Count + ";"
		}
		if got != c.want {
			t.Errorf("at %s: %q, want %q", c.now, got, c.want)
		}
	}
	list, first := counts()
	if _, again := counts(); again != first {
		t.Error("the same counts are other bytes")
	}
	for name, bend := range map[string]func(*client.ReleaseCounts){
		"the first left out": func(c *client.ReleaseCounts) { c.Counts = c.Counts[1:] },
		"one left out":       func(c *client.ReleaseCounts) { c.Counts = append(c.Counts[:1:1], c.Counts[2]) },
		"another number": func(c *client.ReleaseCounts) {
			c.Counts[1].Body = bytes.Replace(c.Counts[1].Body, []byte(`"12"`), []byte(`"11"`), 1)
		},
		"another holder's": func(c *client.ReleaseCounts) {
			other, err := w.holders[1].releaseCounts()
			must(t, err)
			c.Counts[0] = other.Counts[0]
		},
	} {
		_, raw := counts()
		var bent client.ReleaseCounts
		must(t, json.Unmarshal([]byte(raw), &bent))
		bend(&bent)
		if _, err := bent.Verify(w.plan, w.plan.Holders[0]); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
	if got := fmt.Sprint(len(list.Counts)); got != "3" {
		t.Errorf("%s counts", got)
	}
}

func TestPageInABrowser(t *testing.T) {
	browser := browsertest.Open(t)
	empty := httptest.NewServer(newWorld(t).holders[0].Handler())
	t.Cleanup(empty.Close)
	browser.Audit(t, empty.URL+"/", browsertest.Shot("keyholder-empty"))
	w, server := looked(t)
	w.deny(opening.Denial{Kind: opening.DenyHalt, Reason: "asked for by counsel"}, "overseer")
	browser.Audit(t, server.URL+"/", browsertest.Shot("keyholder"))
}
