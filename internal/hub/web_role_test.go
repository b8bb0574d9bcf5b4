package hub

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// opened is a world in which one lead is ready, one asked for and one released.
type opened struct {
	*world
	ready, asked, released client.Lead
	opening                string // of the asked one
}

func openedWorld(t *testing.T) opened {
	t.Helper()
	w := opened{world: newWorldWith(t, storetest.SQLite(t), demoConsole)}
	byLabel := map[string]*client.Lead{}
	for address, lead := range map[string]*client.Lead{"one@example.org": &w.released, "two@example.org": &w.asked, "three@example.org": &w.ready} {
		a, _ := w.contribute("bank-a", address, "payment", nil)
		w.contribute("platform-a", address, "account", nil)
		w.contribute("hotline-a", address, "report", nil)
		byLabel[string(a[:])] = lead
	}
	w.contribute("bank-b", "two@example.org", "payment", func(h *opening.Header) { h.Role = opening.RolePossibleVictim })
	w.contribute("bank-a", "alone@example.org", "payment", nil)
	w.tick(0)
	w.tick(0) // more entries than a tick takes
	w.tick(61 * time.Minute)
	for _, l := range w.leads() {
		for _, label := range l.Labels {
			if at := byLabel[string(label[:])]; at != nil {
				*at = l
			}
		}
	}
	id, req, err := w.request(w.released, nil)
	must(t, err)
	for _, who := range []string{"officer", "overseer"} {
		_, err := w.approve(who, id, req)
		must(t, err)
	}
	w.tick(time.Minute)
	w.tick(2 * time.Hour)
	if w.opening, req, err = w.request(w.asked, nil); err != nil {
		t.Fatal(err)
	}
	_, err = w.approve("officer", w.opening, req)
	must(t, err)
	w.withdrawOne("bank-a")
	w.tick(time.Minute)
	return w
}

// withdrawOne withdraws an observation that nothing rests on.
func (w opened) withdrawOne(org string) {
	w.t.Helper()
	label, _ := w.contribute(org, "mistake@example.org", "payment", nil)
	o, err := signed.Sign(opening.DenialDomain, org, w.keys[org], opening.Denial{Kind: opening.DenyWithdraw, Pool: "pool", Labels: []seal.Label{label},
		Member: org, Reason: "corrected", Time: w.clock.Now().UnixMicro()})
	must(w.t, err)
	must(w.t, w.call(org, client.PathWithdraw, o, nil))
}

// reads counts what is in the log of reads.
func (w *world) reads() (n int) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM transparency_entry WHERE kind = 'lead-read'`).Scan(&n)
	}))
	return n
}

var roles = map[demoRole]string{public: "", contributor: "contributor/bank-a", authority: "authority/officer", oversight: "oversight/overseer", auditor: "auditor/"}

// Every page for every role: who is not listed is refused, whether what was
// asked for exists or not.
func TestWhoMaySeeWhat(t *testing.T) {
	w := openedWorld(t)
	everyone := []demoRole{public, contributor, authority, oversight, auditor}
	allowed := map[string][]demoRole{
		"/": everyone, "/log": everyone, "/log/growth.csv": everyone, "/log/checkpoint": everyone, "/keys": everyone, "/demo": everyone,
		"/contribute": {contributor}, "/contribute/state": {contributor},
		"/openings": {authority, oversight}, "/openings/state": {authority, oversight},
		"/leads/" + w.ready.ID: {authority, oversight}, "/corrections": {authority, oversight},
	}
	for path, who := range allowed {
		for role, as := range roles {
			want := http.StatusForbidden
			for _, r := range who {
				if r == role {
					want = http.StatusOK
				}
			}
			if status, body, _ := w.browse(as, path); status != want {
				t.Errorf("%s as %s: %d, want %d\n%s", path, role, status, want, body)
			}
		}
	}
	for _, as := range []string{"contributor/stranger", "authority/overseer", "oversight/officer", "authority", "root/", "contributor/", "%zz"} {
		if status, _, _ := w.browse(as, "/openings"); as != "authority" && status != http.StatusForbidden {
			t.Errorf("as %q: %d", as, status)
		}
	}
	if status, _, _ := w.browse(roles[authority], "/leads/00000000000000000000000000000000"); status != http.StatusNotFound {
		t.Errorf("a lead that is not there: %d", status)
	}
}

var volatile = regexp.MustCompile(`[0-9a-f]{32}|[0-9a-f]{16}|[A-Z2-7]{16}`)

// maskedPage is a page without the random values that differ between any two runs.
func maskedPage(status int, body string, h http.Header) string {
	h.Del("Date")
	return volatile.ReplaceAllString(fmt.Sprint(status, h, body), "RANDOM")
}

// A contributor's pages are the same bytes whether others hold the same
// identifiers, with openings under way, or the pool is empty but for its own.
func TestContributorsAreBlind(t *testing.T) {
	alone := newWorldWith(t, storetest.SQLite(t), demoConsole)
	among := newWorldWith(t, storetest.SQLite(t), demoConsole)
	for _, w := range []*world{alone, among} {
		w.contribute("bank-a", "one@example.org", "payment", nil)
		if w == among {
			w.contribute("platform-a", "one@example.org", "account", nil)
			w.contribute("hotline-a", "one@example.org", "report", nil)
			w.contribute("bank-b", "one@example.org", "payment", func(h *opening.Header) { h.Role = opening.RolePossibleVictim })
		}
		w.tick(0)
		w.tick(61 * time.Minute)
		w.contribute("bank-a", "two@example.org", "payment", nil)
	}
	lead := among.leads()[0]
	_, _, err := among.request(lead, nil)
	must(t, err)
	for _, path := range []string{"/", "/contribute", "/contribute/state", "/openings", "/openings/state", "/leads/" + lead.ID, "/leads/00000000000000000000000000000000"} {
		a, b := maskedPage(alone.browse("contributor/bank-a", path)), maskedPage(among.browse("contributor/bank-a", path))
		if a != b {
			t.Errorf("%s differs:\n%s\n%s", path, a, b)
		}
	}
	there, not := maskedPage(among.browse("contributor/bank-a", "/leads/"+lead.ID)), maskedPage(among.browse("contributor/bank-a", "/leads/00000000000000000000000000000000"))
	if there != not {
		t.Error("a refusal tells whether the lead exists")
	}
	_, own, _ := among.browse("contributor/bank-a", "/contribute")
	if strings.Count(own, "timeline-title") != 2 || strings.Count(own, "In the log") != 1 || !strings.Contains(own, "data-poll") {
		t.Errorf("own receipts:\n%s", own)
	}
}

func TestLeadPagesShowStructureAndAreLogged(t *testing.T) {
	w := openedWorld(t)
	before := w.reads()
	for _, c := range []struct {
		as, path string
		wants    []string
	}{
		{"authority/officer", "/", []string{w.ready.ID[:8], w.asked.ID[:8], "No approval of yours is missing.", w.released.ID[:8]}},
		{"oversight/overseer", "/", []string{w.ready.ID[:8], w.asked.ID[:8], "Approval at the oversight body"}},
		{"oversight/overseer", "/openings", []string{w.ready.ID[:8], "1 of 2", "0 of 2 needed", "Released", "Could this be a child?", "data-poll"}},
		{"authority/officer", "/leads/" + w.ready.ID, []string{"Bank A", "Platform A", "Hotline A", "Payment", "2026\u2011W44", "Same e-mail address as Bank A, Platform A",
			"No observation says so yet", "3 found, 3 needed", "parallax desk request " + w.ready.ID, "only at the authority&#39;s desk"}},
		{"authority/officer", "/leads/" + w.asked.ID, []string{"An observation says that it may be.", "parallax desk approve " + w.opening, "Possible victim", "basis-1"}},
		{"authority/officer", "/leads/" + w.released.ID, []string{"2 of 2", "parallax desk open", "holder-3", "Released"}},
	} {
		status, body, _ := w.browse(c.as, c.path)
		for _, want := range c.wants {
			if status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s as %s: %d, without %q:\n%s", c.path, c.as, status, want, body)
			}
		}
		if strings.Contains(body, "reference of") || strings.Contains(body, "example.org") {
			t.Errorf("%s shows a payload or a selector", c.path)
		}
	}
	if got := w.reads() - before; got != 6 {
		t.Errorf("6 pages left %d entries of reads", got)
	}
	before = w.reads()
	w.browse("contributor/bank-a", "/leads/"+w.ready.ID)
	w.browse("authority/officer", "/openings/state")
	if w.reads() != before {
		t.Error("a refusal or a poll was logged as a read")
	}
}

// Where the log cannot be written nothing of a lead leaves.
func TestNoEntryNoLead(t *testing.T) {
	w := openedWorld(t)
	must(t, w.hub.o.DB.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `ALTER TABLE transparency_entry RENAME TO transparency_gone`)
		return err
	}))
	for _, path := range []string{"/", "/openings", "/leads/" + w.ready.ID, "/leads/" + w.released.ID} {
		status, body, _ := w.browse("authority/officer", path)
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "nothing is shown") {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
		for _, secret := range []string{w.ready.ID[:8], w.asked.ID[:8], w.released.ID[:8], "Hotline A", "2026\u2011W44"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %q without an entry", path, secret)
			}
		}
	}
}

func TestChoosingWhoIsLooking(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	status, _, h := w.browse("", "/demo/as/contributor?member=bank-a&next=/contribute")
	cookie := h.Get("Set-Cookie")
	for _, want := range []string{w.cookie("").Name + "=contributor/bank-a;", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %q", cookie, want)
		}
	}
	if status != http.StatusSeeOther || h.Get("Location") != "/contribute" {
		t.Errorf("%d to %q", status, h.Get("Location"))
	}
	if _, _, h := w.browse("", "/demo/as/authority"); h.Get("Location") != "/" || !strings.Contains(h.Get("Set-Cookie"), "=authority/officer;") {
		t.Errorf("the authority: %v", h)
	}
	for _, next := range []string{"//elsewhere.example", "https://elsewhere.example/", "elsewhere", "/%5celsewhere.example%0a", "%5c%5celsewhere", "javascript:alert(1)"} {
		if status, _, h := w.browse("", "/demo/as/auditor?next="+next); status != http.StatusBadRequest || h.Get("Set-Cookie") != "" {
			t.Errorf("next=%s: %d", next, status)
		}
	}
	for _, path := range []string{"/demo/as/root", "/demo/as/contributor", "/demo/as/contributor?member=stranger", "/demo/as/authority?member=overseer"} {
		if status, _, h := w.browse("", path); status != http.StatusNotFound || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, body, _ := w.browse("", "/demo"); !strings.Contains(body, "member=bank-a") || !strings.Contains(body, "Demonstration: simulated data") || !strings.Contains(body, "http://127.0.0.1:1/") {
		t.Errorf("the picker:\n%s", body)
	}
	// A page of another name that leads to this machine is nobody here.
	r, err := http.NewRequest(http.MethodGet, w.url+"/openings", nil)
	must(t, err)
	r.Host = "elsewhere.example"
	r.AddCookie(w.cookie("authority/officer"))
	res, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("by another name: %d", res.StatusCode)
	}
	// Where the policy is not a demonstration, nobody can choose.
	w.hub.state.mu.Lock()
	w.hub.state.fitted.Demo = false
	w.hub.state.mu.Unlock()
	if status, _, _ := w.browse("authority/officer", "/openings"); status != http.StatusForbidden {
		t.Errorf("with a real policy: %d", status)
	}
	if status, _, _ := w.browse("", "/demo/as/authority"); status != http.StatusServiceUnavailable {
		t.Errorf("choosing with a real policy: %d", status)
	}
}

func TestConsoleForDemonstrationsOnly(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	o := w.hub.o
	o.Demo, o.DemoConsole = false, true
	if _, err := Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "demonstrations only") {
		t.Errorf("opened: %v", err)
	}
}
