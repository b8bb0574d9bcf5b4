package hub

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/baseline"
	"parallax/internal/browsertest"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
	"parallax/signed"
)

// sighting is an observation of a made-up selector, for statistics.
type sighting struct {
	org, value, week, venue string
}

// sightings contributes observations, each member's in one batch. What an
// evaluation would yield is made up: the pool checks possession all the same.
func (w *world) sightings(list []sighting) {
	w.t.Helper()
	byOrg := map[string][]client.Contributed{}
	for _, x := range list {
		m := w.member(x.org)
		a, b := sha256.Sum256([]byte(x.value)), sha256.Sum256([]byte("second"+x.value))
		p := oprf.Possess([64]byte(append(a[:], b[:]...)), string(selector.Email))
		mem, _ := w.man.Member(x.org)
		d := client.Draft{Payload: []byte("reference"), Possessions: []client.TagDraft{{Class: selector.Email, Possession: p, Expires: start.AddDate(1, 0, 0).UnixMicro()}},
			Header: opening.Header{Version: opening.HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: x.org, Sector: mem.Sector, Origin: "own",
				Role: "unknown", Source: "b", Info: "2", Strength: 1, Kind: "account", Week: x.week, Rule: w.man.CurrentRule, Manifest: w.man.Version}}
		d.Header.Nonce = sha256.Sum256(fmt.Append(nil, x))
		if x.venue != "" {
			var err error
			d.Statistics, err = signed.Marshal(opening.Statistics{Venues: []string{x.venue}, Edges: []opening.Edge{}})
			must(w.t, err)
		}
		c, _, err := m.Seal(d)
		must(w.t, err)
		byOrg[x.org] = append(byOrg[x.org], c)
	}
	for org, all := range byOrg {
		for part := range slices.Chunk(all, 200) {
			m := w.member(org)
			req, err := m.Sign(part)
			must(w.t, err)
			_, _, err = m.Contribute(w.t.Context(), req)
			must(w.t, err)
		}
	}
}

// post sends a form as a visitor.
func (w *world) post(as, path string, form url.Values) (status int, body string) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	must(w.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if as != "" {
		req.AddCookie(w.cookie(as))
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	must(w.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(w.t, err)
	return res.StatusCode, string(raw)
}

// approveActs signs every proposed act, as two desks would.
func (w *world) approveActs() {
	w.t.Helper()
	for _, who := range []string{"officer", "overseer"} {
		var list client.ActList
		must(w.t, w.call(who, client.PathActs, struct{}{}, &list))
		for _, a := range list.Acts {
			if a.State != "proposed" {
				continue
			}
			o, err := signed.Sign(opening.ActApprovalDomain, who, w.keys[who], opening.ActApproval{Approver: who, Act: opening.ActDigest(a.Act), Time: w.clock.Now().UnixMicro()})
			must(w.t, err)
			must(w.t, w.call(who, client.PathActsApprove, client.ActApproveRequest{ID: a.ID, Approval: o}, nil))
		}
	}
	w.tick(time.Minute)
	w.tick(time.Minute)
}

const lead, contributorA = "programme-lead/", "contributor/bank-a"

var askedFor = url.Values{"class": {"email"}, "quarter": {"2026-Q3"}, "lists": {"bank: bank-a, bank-b\nplatform: platform-a\nhotline: hotline-a"}}

// observed are lists that reach 200 made-up selectors each by themselves, and a
// venue that loses half of its own to another, beside a control that does not.
func observed() (list []sighting) {
	r := rand.New(rand.NewPCG(5, 1))
	for n := range 200 {
		for org, share := range map[string]float64{"bank-a": 0.5, "platform-a": 0.45, "hotline-a": 0.4} {
			draw := sha256.Sum256(fmt.Append(nil, n, org))
			if float64(draw[0])/256 < share {
				list = append(list, sighting{org: org, value: fmt.Sprint("person ", n), week: "2026-W38"})
			}
		}
	}
	for n := range 80 {
		v := fmt.Sprint("mover ", n)
		list = append(list, sighting{"platform-a", v, "2026-W20", "v1"})
		switch {
		case n < 40:
			list = append(list, sighting{"platform-a", v, "2026-W26", "v2"})
		case n < 56:
			list = append(list, sighting{"platform-a", v, "2026-W24", "v1"})
		}
		c := fmt.Sprint("control ", n)
		list = append(list, sighting{"platform-a", c, fmt.Sprintf("2026-W%d", 17+r.IntN(5)), "v3"})
		if n < 64 {
			list = append(list, sighting{"platform-a", c, fmt.Sprintf("2026-W%d", 24+r.IntN(6)), "v3"})
		}
	}
	return list
}

// TestStatisticsPages: proposed on a page, approved at two desks, counted when
// the log holds it, shown to who may see it and to no contributor, and looked at
// in a browser, empty and full.
func TestStatisticsPages(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	w.tick(time.Minute)
	empty := map[string]string{}
	for _, path := range []string{"/baseline", "/displacement"} {
		status, body, _ := w.browse(lead, path)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		empty[path] = body
	}
	if !strings.Contains(empty["/baseline"], "refusals among them") || !strings.Contains(empty["/displacement"], "registered before it acts") {
		t.Error("an empty page does not say what appears there")
	}
	w.sightings(observed())
	w.tick(time.Minute)
	w.tick(time.Minute)
	before := w.contributorSees()

	if status, body := w.post(lead, "/baseline/propose", url.Values{"class": {"email"}, "quarter": {"2026-Q4"}, "lists": askedFor["lists"]}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "counted when it is over") {
		t.Errorf("a quarter that is not over: %d", status)
	}
	if status, _ := w.post(lead, "/baseline/propose", askedFor); status != http.StatusSeeOther {
		t.Fatalf("proposing a count: %d", status)
	}
	register := url.Values{"venue": {"v1"}, "date": {"2026-06-01"}, "neighbours": {"v2"}, "controls": {"v3"}, "weeks": {"8"}, "class": {"email"}, "see": {"programme-lead"}}
	if status, body := w.post(lead, "/displacement/register", register); status != http.StatusUnprocessableEntity || !strings.Contains(body, "marked as retrospective") {
		t.Errorf("registered after its day: %d", status)
	}
	register.Set("retrospective", "yes")
	if status, _ := w.post(lead, "/displacement/register", register); status != http.StatusSeeOther {
		t.Fatalf("registering: %d", status)
	}
	for _, path := range []string{"/baseline/propose", "/displacement/register"} {
		if status, _ := w.post(contributorA, path, askedFor); status != http.StatusForbidden {
			t.Errorf("a contributor proposed at %s: %d", path, status)
		}
	}
	if runs, err := w.hub.baseline.Runs(t.Context()); err != nil || len(runs) != 0 {
		t.Fatalf("counted before it was approved: %v, %v", runs, err)
	}
	w.approveActs()
	runs, err := w.hub.baseline.Runs(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].Seen < 100 {
		list, _ := w.hub.acts.List(t.Context(), 10)
		t.Fatalf("runs %+v, acts %+v", runs, list)
	}
	list, err := w.hub.displacement.List(t.Context(), nil)
	must(t, err)
	if len(list) != 1 || len(list[0].Evaluations) != 3 || list[0].Evaluations[2].Ratio == nil || list[0].Evaluations[2].Ratio.Mid < 0.7 {
		t.Fatalf("interventions %+v", list)
	}
	w.statisticsShown(runs[0], list[0].ID)
	if status, _ := w.post(lead, "/baseline/runs/"+runs[0].ID+"/release", nil); status != http.StatusSeeOther {
		t.Errorf("proposing a release: %d", status)
	}
	if status, _ := w.post(lead, "/displacement/"+list[0].ID+"/notes", url.Values{"day": {"2026-05-20"}, "text": {"One member's coverage began."}}); status != http.StatusSeeOther {
		t.Errorf("adding a note: %d", status)
	}
	w.approveActs()
	w.releasedToAll(runs[0])
	if after := w.contributorSees(); after != before {
		t.Errorf("a contributor sees what was counted:\n%s\nbefore:\n%s", after, before)
	}
	t.Run("browser", func(t *testing.T) {
		browser := browsertest.Open(t)
		fresh := newWorldWith(t, storetest.SQLite(t), demoConsole)
		for name, page := range map[string]struct {
			w    *world
			path string
		}{
			"baseline": {w, "/baseline"}, "baseline-run": {w, "/baseline/runs/" + runs[0].ID},
			"displacement": {w, "/displacement"}, "displacement-one": {w, "/displacement/" + list[0].ID}, "displacement-register": {w, "/displacement/register"},
			"baseline-empty": {fresh, "/baseline"}, "displacement-empty": {fresh, "/displacement"},
		} {
			browser.Audit(t, page.w.url+page.path, browsertest.Cookie(page.w.cookie(lead)), browsertest.Shot("hub-"+name))
		}
	})
}

// statisticsShown looks at pages and downloads.
func (w *world) statisticsShown(run baseline.Run, intervention string) {
	w.t.Helper()
	for path, wants := range map[string][]string{
		"/baseline":                                           {run.Headline, "Possibly a lower bound", "every interval missed the truth in", "INHOPE", "33.6"},
		"/baseline/runs/" + run.ID:                            {"May a number be shown?", run.Input.String(), "Propose to release", "Stransky"},
		"/baseline/runs/" + run.ID + "/panel.csv":             {"loglinear_main", "checkpoint at"},
		"/baseline/published.csv":                             {"36210368"},
		"/displacement":                                       {"Registered afterwards", "Ratio "},
		"/displacement/" + intervention:                       {"Same-selector dark time", "Flow matrix", "fewer than 10"},
		"/displacement/" + intervention + "/13/flows.csv":     {"v1,v2,40", "checkpoint at"},
		"/displacement/" + intervention + "/13/result.csv":    {"measured"},
		"/displacement/" + intervention + "/13/dark-time.csv": {"controls"},
		"/displacement/" + intervention + "/13/series.csv":    {"2026-W26"},
	} {
		status, body, _ := w.browse(lead, path)
		for _, want := range wants {
			if status != http.StatusOK || !strings.Contains(body, want) {
				w.t.Errorf("%s: %d, lacks %q", path, status, want)
			}
		}
		if strings.Contains(strings.ToLower(body), "desist") {
			w.t.Errorf("%s calls dark time something else", path)
		}
		if status, _, _ := w.browse(contributorA, path); status != http.StatusForbidden {
			w.t.Errorf("%s is open to a contributor: %d", path, status)
		}
	}
	if status, _, _ := w.browse(lead, "/displacement/"+intervention+"/3/flows.csv"); status != http.StatusNotFound {
		w.t.Errorf("an evaluation that there is not: %d", status)
	}
}

// releasedToAll reads the release as anybody can, and checks its signature.
func (w *world) releasedToAll(run baseline.Run) {
	w.t.Helper()
	status, body, _ := w.browse("", client.PathBaseline)
	var all client.Releases
	must(w.t, json.Unmarshal([]byte(body), &all))
	if status != http.StatusOK || len(all.Releases) != 1 {
		w.t.Fatalf("%d: %s", status, body)
	}
	var s baseline.Statement
	must(w.t, all.Releases[0].Signed.Open(baseline.ReleaseDomain, w.man.Hub.Key, &s))
	if s.Headline != run.Headline || s.Run != run.ID {
		w.t.Errorf("released %+v", s)
	}
}

// contributorSees is all that a contributor's pages show.
func (w *world) contributorSees() string {
	w.t.Helper()
	out := ""
	for _, path := range []string{"/", "/contribute", "/baseline", "/displacement"} {
		status, body, _ := w.browse(contributorA, path)
		i := strings.Index(body, "<main")
		if i < 0 {
			i = 0
		}
		out += fmt.Sprintf("%s %d\n%s\n", path, status, shown.ReplaceAllString(body[i:], ""))
	}
	return out
}
