package hub

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parallax/internal/browsertest"
	"parallax/internal/gateway"
	"parallax/internal/store/storetest"
)

// send is a visitor's request with the cookie of whom it chose to be; it does not
// follow where it is sent.
func (w *world) send(method, path, as string, form url.Values) (code int, where, text string) {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(form.Encode()))
	must(w.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if as != "" {
		r.AddCookie(w.cookie(as))
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	must(w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(w.t, err)
	return res.StatusCode, res.Header.Get("Location"), string(raw)
}

// bankAsks is the question of a bank's analyst: transactions to police.
const bankAsks = "from=au.fsp&to=au.police&holds=transaction,account_id&wants=transaction&purpose=investigate&facts=suspicion_formed,reasonable_belief_enforcement" +
	"&as_of=2026-11-23&started=2026-11-23T14:30&place=AU-NSW"

func bankRequest(t *testing.T) url.Values {
	v, err := url.ParseQuery(bankAsks)
	must(t, err)
	v.Set("fields", "date of transfer, account identifier")
	v.Set("asserted_suspicion_formed", "the analyst")
	v.Set("asserted_reasonable_belief_enforcement", "head of financial crime")
	return v
}

var hiddenValue = regexp.MustCompile(`name="(edit|print)" value="([^"]*)"`)

// shownOn reads from a page what an officer's form carries.
func shownOn(text string) url.Values {
	v := url.Values{}
	for _, m := range hiddenValue.FindAllStringSubmatch(text, -1) {
		v.Set(m[1], m[2])
	}
	return v
}

// TestGatewayPages follows a request over the pages: the analyst asks, counsel of
// the same bank approves, an edit voids; others see nothing of it.
func TestGatewayPages(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	const analyst, counsel, stranger = "contributor/bank-a", "officer/bank-a", "officer/bank-b"
	code, _, text := w.send(http.MethodGet, "/routes?"+bankAsks, analyst, nil)
	for _, s := range []string{"Yes, as of 2026-11-23", "Thursday 26 November 2026, 23:59 AEDT", "tipping-off", "Make the request", "needs review by counsel"} {
		if code != http.StatusOK || !strings.Contains(text, s) {
			t.Errorf("%d: the answer does not say %q", code, s)
		}
	}
	if code, _, _ := w.send(http.MethodGet, "/routes/requests", "", nil); code != http.StatusForbidden {
		t.Errorf("anybody lists requests: %d", code)
	}
	bad := bankRequest(t)
	bad.Set("fields", "0123456789")
	if code, _, text := w.send(http.MethodPost, "/routes/requests", analyst, bad); code != http.StatusUnprocessableEntity || !strings.Contains(text, "detail of a case") {
		t.Errorf("a value of a case: %d", code)
	}
	code, where, text := w.send(http.MethodPost, "/routes/requests", analyst, bankRequest(t))
	if code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, text)
	}
	for _, as := range []string{stranger, "contributor/bank-b"} {
		if code, _, _ := w.send(http.MethodGet, where, as, nil); code != http.StatusNotFound {
			t.Errorf("%s reads it: %d", as, code)
		}
	}
	_, _, text = w.send(http.MethodGet, where, analyst, nil)
	if strings.Contains(text, "/approve") || !strings.Contains(text, "Waits for the officer") {
		t.Error("the analyst is offered to approve, or is not told who decides")
	}
	_, _, text = w.send(http.MethodGet, where, counsel, nil)
	v := shownOn(text)
	v.Set("route", "AU-PRIV-APP62E")
	if code, _, _ := w.send(http.MethodPost, where+"/approve", analyst, v); code != http.StatusForbidden {
		t.Errorf("the analyst approves: %d", code)
	}
	if code, _, text := w.send(http.MethodPost, where+"/approve", counsel, v); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, text)
	}
	if _, _, text = w.send(http.MethodGet, where, analyst, nil); !strings.Contains(text, "Approved") || !strings.Contains(text, "principal ==") {
		t.Error("the card does not show the approval and its permit")
	}
	edit := bankRequest(t)
	edit.Set("edit", "1")
	edit.Set("fields", "date of transfer")
	if code, _, text := w.send(http.MethodPost, where+"/edit", analyst, edit); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, text)
	}
	if _, _, text = w.send(http.MethodGet, where, counsel, nil); !strings.Contains(text, "Waits for the officer") || !strings.Contains(text, "is void") {
		t.Error("an edit leaves the approval")
	}
	if code, _, _ := w.send(http.MethodPost, where+"/approve", counsel, v); code != http.StatusConflict {
		t.Errorf("an approval of the old text: %d", code)
	}
	if code, _, _ := w.send(http.MethodPost, where+"/done", analyst, url.Values{"gateway": {"AU-AMLCTF-41"}, "done": {"yes"}}); code != http.StatusSeeOther {
		t.Errorf("marking a duty as done: %d", code)
	}
}

// TestGatewayAnswersMachines: the same keys as the command line, open to all.
func TestGatewayAnswersMachines(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	code, _, text := w.send(http.MethodGet, gateway.PathRoute+"?"+bankAsks, "", nil)
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || code != http.StatusOK || got["answer"] != "yes" || len(got) != 10 {
		t.Errorf("%d %v %s", code, err, text)
	}
	code, _, text = w.send(http.MethodGet, gateway.PathRoute+"?"+bankAsks+"&full=1", "", nil)
	if err := json.Unmarshal([]byte(text), &got); err != nil || code != http.StatusOK || got["explanation"] == nil {
		t.Errorf("%d %v", code, err)
	}
	for _, bad := range []string{"", "?from=au.fps&to=au.police&holds=token&wants=token&purpose=detect", "?" + bankAsks + "&as_of=yesterday"} {
		if code, _, text := w.send(http.MethodGet, gateway.PathRoute+bad, "", nil); code != http.StatusBadRequest && !strings.Contains(bad, "&as_of=yesterday") || !strings.HasPrefix(text, "{") {
			t.Errorf("%q: %d %s", bad, code, text)
		}
	}
}

// TestBarrierPages: a "no" becomes a barrier; only keepers edit; nothing of a case
// is given out.
func TestBarrierPages(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	const analyst, counsel = "contributor/bank-a", "officer/bank-a"
	no := "from=au.fsp&to=au.fsp&holds=suspicion_report&wants=suspicion_report&purpose=disrupt&facts=suspicion_formed,no_prejudice&as_of=2026-11-23"
	_, _, text := w.send(http.MethodGet, "/routes?"+no, analyst, nil)
	link := regexp.MustCompile(`href="(/barriers/case\?[^"]*)"`).FindStringSubmatch(text)
	if link == nil || !strings.Contains(text, "Ask counsel") {
		t.Fatal("an answer that is no yes does not lead to the register")
	}
	address := html.UnescapeString(link[1])
	_, _, text = w.send(http.MethodGet, address, analyst, nil)
	if !strings.Contains(text, "Which barrier was it?") || !strings.Contains(text, "AU-AMLCTF-123P2P") {
		t.Error("the form does not know the row")
	}
	form, err := url.ParseQuery(strings.SplitN(address, "?", 2)[1])
	must(t, err)
	form.Set("barrier", "BR-01")
	form.Set("days", "9")
	if code, _, text := w.send(http.MethodPost, "/barriers/case", analyst, form); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, text)
	}
	_, _, text = w.send(http.MethodGet, "/barriers/BR-01", analyst, nil)
	if !strings.Contains(text, "fewer than 5") || strings.Contains(text, "bank-a") || strings.Contains(text, "/undo") {
		t.Error("a small count, a name or an edit is given to an analyst")
	}
	_, _, text = w.send(http.MethodGet, "/barriers/register.csv", analyst, nil)
	if !strings.HasPrefix(text, "id,title,systemic") || !strings.Contains(text, "fewer than 5,fewer than 5") {
		t.Error(text[:200])
	}
	edit := url.Values{"edit": {"1"}, "title": {"Suspicions may not be shared"}, "systemic": {"1"}, "state": {"eased"}, "reform": {"rules under s 123"}}
	if code, _, _ := w.send(http.MethodPost, "/barriers/BR-01", analyst, edit); code != http.StatusForbidden {
		t.Errorf("an analyst edits: %d", code)
	}
	if code, _, text := w.send(http.MethodPost, "/barriers/BR-01", counsel, edit); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, text)
	}
	if _, _, text = w.send(http.MethodGet, "/barriers/brief", counsel, nil); !strings.Contains(text, "rules under s 123") {
		t.Error("the brief does not name the reform")
	}
	if code, _, _ := w.send(http.MethodPost, "/barriers/BR-01/undo", counsel, url.Values{"edit": {"2"}}); code != http.StatusSeeOther {
		t.Errorf("undo: %d", code)
	}
	if _, _, text = w.send(http.MethodGet, "/barriers/BR-01", counsel, nil); !strings.Contains(text, "blanket") {
		t.Error("undo does not bring the text back")
	}
	if _, _, text = w.send(http.MethodGet, "/routes/law", counsel, nil); !strings.Contains(text, "simulated-counsel-a and simulated-counsel-b") {
		t.Error("the page does not show who signed")
	}
}

// platformAsks is the question of a platform's analyst in the United States: an
// account to Australian police.
const platformAsks = "from=us.provider&to=au.police&holds=url,hash,account_id,comms_content&wants=account_id&purpose=investigate" +
	"&facts=actual_knowledge_csam,report_submitted,law_enforcement_purpose&as_of=2026-11-23&started=2026-11-23T14:30&place=AU-NSW"

// policeAsks is the question of a police analyst: a report of suspicion to a court.
const policeAsks = "from=au.police&to=au.court&holds=austrac_info&wants=austrac_info&purpose=prosecute&facts=agency_function&as_of=2026-11-23"

// TestGatewayInABrowser looks at the pages as a bank's analyst, a platform's, counsel
// and a police analyst do.
func TestGatewayInABrowser(t *testing.T) {
	browser := browsertest.Open(t)
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	see := func(name, as, path string) {
		t.Run(name, func(t *testing.T) {
			browser.Audit(t, w.url+path, browsertest.Cookie(w.cookie(as)), browsertest.Shot("hub-"+name))
		})
	}
	_, where, _ := w.send(http.MethodPost, "/routes/requests", "contributor/bank-a", bankRequest(t))
	see("gateway-bank", "contributor/bank-a", "/routes?"+bankAsks)
	see("gateway-platform", "contributor/platform-a", "/routes?"+platformAsks)
	see("gateway-police", "authority/officer", "/routes?"+policeAsks)
	see("gateway-counsel", "officer/bank-a", where)
	see("gateway-law", "officer/bank-a", "/routes/law")
	_, _, text := w.send(http.MethodGet, where, "officer/bank-a", nil)
	refusal := shownOn(text)
	refusal.Set("reason", "No report of suspicion was made.")
	if code, _, text := w.send(http.MethodPost, where+"/refuse", "officer/bank-a", refusal); code != http.StatusSeeOther {
		t.Fatalf("refusing: %d %s", code, text)
	}
	see("gateway-refused", "contributor/bank-a", where)
	see("gateway-requests", "officer/bank-a", "/routes/requests")
	see("gateway-edit", "contributor/bank-a", where+"/edit")
	see("gateway-diff", "officer/bank-a", "/routes/law/diff")
	see("barriers", "officer/bank-a", "/barriers")
	see("brief", "officer/bank-a", "/barriers/brief")
	see("barrier", "officer/bank-a", "/barriers/BR-01")
	see("barrier-new", "contributor/bank-a", "/barriers/new")
}
