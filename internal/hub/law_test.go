package hub

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/law/lawtest"
	"parallax/internal/gateway/route"
	"parallax/internal/store/storetest"
)

// fiuRequest is a bank's report to the financial intelligence unit.
func fiuRequest(t *testing.T) url.Values {
	v := bankRequest(t)
	v.Set("to", "au.fiu")
	v.Set("wants", "austrac_info")
	return v
}

// approved makes a request as the bank's analyst and has the bank's counsel
// approve a route of it.
func (w *world) approved(v url.Values, ids string) (card string) {
	w.t.Helper()
	code, card, text := w.send(http.MethodPost, "/routes/requests", "contributor/bank-a", v)
	if code != http.StatusSeeOther {
		w.t.Fatalf("%d %s", code, text)
	}
	_, _, text = w.send(http.MethodGet, card, "officer/bank-a", nil)
	shown := shownOn(text)
	shown.Set("route", ids)
	if code, _, text := w.send(http.MethodPost, card+"/approve", "officer/bank-a", shown); code != http.StatusSeeOther {
		w.t.Fatalf("%d %s", code, text)
	}
	return card
}

// says checks what a page says to somebody, and what it does not (with "!" in
// front).
func (w *world) says(as, path string, want ...string) {
	w.t.Helper()
	code, _, text := w.send(http.MethodGet, path, as, nil)
	text = html.UnescapeString(text)
	for _, s := range want {
		not, absent := strings.CutPrefix(s, "!")
		if code != http.StatusOK || absent == strings.Contains(text, not) {
			w.t.Errorf("%s for %s: %d, says %q: %v", path, as, code, not, !absent)
		}
	}
}

// TestCounselPublishesWhileTheHubRuns: two counsel publish another version; at the
// next tick it answers, the approval whose conditions changed is void and its page
// says why, the other one stands. A bad version changes nothing, and is told in the
// log, on the pages and to the auditor. One for tomorrow waits until then.
func TestCounselPublishesWhileTheHubRuns(t *testing.T) {
	const analyst, counselA, watcher = "contributor/bank-a", "officer/bank-a", "auditor/"
	counsel := lawtest.New(t)
	files := counsel.Publish("bank.1", "2026-11-01", nil)
	var lines bytes.Buffer
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) {
		o.DemoConsole = true
		o.Law = func() (law.Files, error) { return files, nil }
		o.Log = slog.New(slog.NewTextHandler(&lines, nil))
	})
	touched, untouched := w.approved(bankRequest(t), "AU-PRIV-APP62E"), w.approved(fiuRequest(t), "AU-AMLCTF-41")
	w.tick(time.Minute)
	w.says(analyst, touched, "Approved", "!may not be used")
	w.says(analyst, "/routes?"+bankAsks, "bank.1", "!two officers agreed")

	rows := map[string]func(*route.Gateway){"AU-PRIV-APP62E": lawtest.Condition("Only after two officers agreed.")}
	files = counsel.Publish("bank.2", "2026-11-01", rows)
	w.says(analyst, touched, "Approved") // nothing changes between two ticks
	w.tick(time.Minute)
	w.says(analyst, touched, "Void: the answer changed", "the conditions of AU-PRIV-APP62E are other ones: Only after two officers agreed.", "bank.2", "until the officer decides again")
	w.says(counselA, touched, "The answer is another one now", "Approve this route")
	w.says(analyst, untouched, "Approved", "!Void")
	w.says(analyst, "/routes?"+bankAsks, "bank.2", "Only after two officers agreed.")
	w.says(counselA, "/routes/law", "bank.1", "bank.2", "!not in use")
	if !strings.Contains(lines.String(), "other law data is in use") {
		t.Error("the log does not tell of the new version:", lines.String())
	}

	lines.Reset()
	files = counsel.Sign(lawtest.Overlay(t, "bank.3", nil), "bank.3", "2026-11-01", "", 1)
	w.tick(time.Minute)
	w.tick(time.Minute)
	if n := strings.Count(lines.String(), "is refused; the version in use stays"); n != 1 || !strings.Contains(lines.String(), "two counsel") {
		t.Errorf("the refusal is told %d times: %s", n, lines.String())
	}
	w.says(analyst, "/routes?"+bankAsks, "bank.2", "The law data that lies ready is not in use", "signatures of two counsel")
	w.says("", "/routes?"+bankAsks, "The law data that lies ready is not in use", "!signatures of two counsel")
	w.says(watcher, "/", "The law data that counsel laid down is in use and in force")
	strangers := lawtest.New(t)
	files = strangers.Publish("bank.3", "2026-11-01", rows)
	w.tick(time.Minute)
	w.says(counselA, "/routes/law", "The list of counsel is another one than at the start", "!bank.3")

	tomorrow := w.clock.Now().UTC().AddDate(0, 0, 1)
	files = counsel.Publish("bank.4", tomorrow.Format(time.DateOnly), nil)
	w.tick(time.Minute)
	w.says(counselA, "/routes/law", "effective "+tomorrow.Format(time.DateOnly), "!bank.4")
	w.tick(24 * time.Hour)
	w.says(counselA, "/routes/law", "bank.4", "!not in use")
	w.says(watcher, "/", "!The law data that counsel laid down")
}

// TestDateAndFactsChangeThePage: the same question on another day, and with another
// fact, is answered otherwise where everybody sees it.
func TestDateAndFactsChangeThePage(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	const eu = "from=eu.nics&to=us.ncmec&holds=hash,account_id,url&wants=hash&purpose=detect&facts=derogation_in_force&as_of="
	w.says("contributor/bank-a", "/routes?"+eu+"2026-04-03", "Yes, as of 2026-04-03", "EU-2021-1232", "!P-EU-EPRIV5")
	w.says("contributor/bank-a", "/routes?"+eu+"2026-04-04", "No, as of 2026-04-04", "EU-2021-1232 lapsed 2026-04-03", "P-EU-EPRIV5", "EU-INTERIM-2028 is only proposed")
	const bank = "from=au.fsp&to=au.police&holds=transaction&wants=transaction&purpose=investigate&as_of=2026-11-23&facts="
	w.says("contributor/bank-a", "/routes?"+bank+"reasonable_belief_enforcement", "Yes, as of 2026-11-23", "AU-PRIV-APP62E", "!Whatever", "!3 business days")
	w.says("contributor/bank-a", "/routes?"+bank+"reasonable_belief_enforcement,suspicion_formed", "Yes, as of 2026-11-23", "3 business days", "tipping-off")
	w.says("contributor/bank-a", "/routes?"+bank+"not:reasonable_belief_enforcement,not:notice_s49", "said not to hold", "!Yes, as of")
}

// TestAnswerDutyAndDeadlineStandTogether: what each role needs is in the first
// sentences of its page.
func TestAnswerDutyAndDeadlineStandTogether(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	card := w.approved(bankRequest(t), "AU-PRIV-APP62E")
	for as, c := range map[string]struct {
		path string
		want []string
	}{
		"contributor/bank-a": {"/routes?" + bankAsks, []string{"Yes, as of 2026-11-23", "Whatever you decide, your duty: Suspicious matter report (SMR), by Thursday 26 November 2026, 23:59 AEDT.", "AU-PRIV-APP62E"}},
		"contributor/platform-a": {"/routes?" + platformAsks, []string{"may not give it to AFP incl. ACCCE; state and territory police directly",
			"Whatever you decide, your duty: Provider report to the CyberTipline, as soon as reasonably possible after the provider has actual knowledge.", "preserve report contents 1 year"}},
		"officer/bank-a":    {card, []string{"Whatever you decide, your duty: Suspicious matter report (SMR), by Thursday 26 November 2026, 23:59 AEDT.", "s 123 tipping-off"}},
		"authority/officer": {"/routes?" + policeAsks, []string{"No, as of 2026-11-23", "P-AU-126", "How the records can reach the court", "AU-CRIMES-WARRANT then AU-POLICE-COURT (needs warrant)", "AU-POCA-213 then AU-POLICE-COURT", "AU-AMLCTF-49 then AU-POLICE-COURT"}},
	} {
		w.says(as, c.path, c.want...)
	}
	if code, _, _ := w.send(http.MethodPost, card+"/done", "contributor/bank-a", url.Values{"gateway": {"AU-AMLCTF-41"}, "done": {"yes"}}); code != http.StatusSeeOther {
		t.Error(code)
	}
	w.says("officer/bank-a", card, "Done in time", "!Whatever you decide, your duty")
}

var picked = regexp.MustCompile(`<a href="(/demo/as/[^"]+)">([^<]+)</a>`)

// TestWhoeverThePickerOffersCanLook: each link of the demonstration's list leads to
// a page that is shown to the one who was chosen.
func TestWhoeverThePickerOffersCanLook(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	_, _, list := w.send(http.MethodGet, "/demo", "", nil)
	links := picked.FindAllStringSubmatch(list, -1)
	if len(links) < 2+3+2*len(orgs)+1 {
		t.Fatalf("the list offers %d: %s", len(links), list)
	}
	for _, l := range links {
		jar, err := cookiejar.New(nil)
		must(t, err)
		c := http.Client{Jar: jar}
		res, err := c.Get(w.url + html.UnescapeString(l[1]))
		must(t, err)
		page, err := io.ReadAll(res.Body)
		must(t, err)
		res.Body.Close()
		if name := l[2]; res.StatusCode != http.StatusOK || name != "Nobody" && !strings.Contains(string(page), name) {
			t.Errorf("%s: %d, the page does not show who looks", name, res.StatusCode)
		}
	}
}
