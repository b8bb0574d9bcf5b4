package hub

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"parallax/client"
	"parallax/estimate"
	"parallax/internal/browsertest"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

// quarterly are lists that reach n made-up selectors by themselves in one week.
func quarterly(week string, n int, reach map[string]float64) (list []sighting) {
	for i := range n {
		for org, share := range reach {
			draw := sha256.Sum256(fmt.Append(nil, week, i, org))
			if float64(draw[0])/256 < share {
				list = append(list, sighting{org: org, value: fmt.Sprint(week, " person ", i), week: week})
			}
		}
	}
	return list
}

// act proposes an act at the authority's desk, and both bodies approve.
func (w *world) act(kind string, body any) {
	w.t.Helper()
	raw, err := signed.Marshal(body)
	must(w.t, err)
	must(w.t, w.call("officer", client.PathActsPropose, client.ActProposal{Kind: kind, Body: raw}, nil))
	w.approveActs()
}

func (w *world) capture(quarter opening.Quarter) {
	w.t.Helper()
	q := opening.CaptureAct{Class: selector.Email, Quarter: quarter}
	for _, org := range []string{"bank-a", "platform-a", "hotline-a"} {
		q.Lists = append(q.Lists, opening.ActList{Name: org, Organisations: []string{org}})
	}
	w.act(opening.ActCapture, q)
}

// TestStatisticsInEveryState looks at Baseline with a range only, a refusal and a
// number that may be shown, and at Displacement where nothing is known yet and
// where nothing can be told.
func TestStatisticsInEveryState(t *testing.T) {
	browser := browsertest.Open(t)
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	w.tick(time.Minute)
	even := map[string]float64{"bank-a": 0.5, "platform-a": 0.45, "hotline-a": 0.4}
	list := quarterly("2026-W05", 300, even)
	list = append(list, quarterly("2026-W20", 90, map[string]float64{"bank-a": 0.6, "platform-a": 0.12, "hotline-a": 0.12})...)
	list = append(list, quarterly("2026-W38", 200, even)...)
	for n := range 40 {
		list = append(list, sighting{"platform-a", fmt.Sprint("mover ", n), "2026-W20", "v1"}, sighting{"platform-a", fmt.Sprint("control ", n), "2026-W20", "v3"})
	}
	w.sightings(list)
	w.tick(time.Minute)
	w.tick(time.Minute)
	w.capture("2026-Q3")
	w.capture("2026-Q2")
	w.act(opening.ActAudit, opening.AuditAct{Class: selector.Email, Date: "2026-11-01", Pairs: 200, Linked: 188, LowPercent: 90, By: "clerks"})
	w.capture("2026-Q1")
	register := url.Values{"venue": {"v1"}, "date": {"2026-06-01"}, "neighbours": {"v2"}, "controls": {"v3"}, "weeks": {"8"}, "class": {"email"}, "see": {"programme-lead"}, "retrospective": {"yes"}}
	soon := url.Values{"venue": {"v7"}, "date": {start.AddDate(0, 0, 20).Format(time.DateOnly)}, "neighbours": {"v2"}, "controls": {"v3"}, "weeks": {"8"}, "class": {"email"}, "see": {"programme-lead"}}
	for _, form := range []url.Values{register, soon} {
		if status, body := w.post(lead, "/displacement/register", form); status != http.StatusSeeOther {
			t.Fatalf("registering: %d %s", status, body)
		}
	}
	w.approveActs()
	runs, err := w.hub.baseline.Runs(t.Context())
	must(t, err)
	pages := map[string]string{"displacement-both": "/displacement"}
	for _, r := range runs {
		pages["baseline-"+r.Verdict] = "/baseline/runs/" + r.ID
	}
	for _, verdict := range []string{estimate.RangeOnly, estimate.Refuse, estimate.Publish} {
		if pages["baseline-"+verdict] == "" {
			for _, r := range runs {
				t.Log(r.Quarter, r.Verdict, r.Gates)
			}
			t.Fatalf("no run is %s", verdict)
		}
	}
	interventions, err := w.hub.displacement.List(t.Context(), []string{"programme-lead"})
	must(t, err)
	for _, i := range interventions {
		name := "displacement-due"
		if len(i.Evaluations) > 0 {
			name = "displacement-cannot-tell"
		}
		pages[name] = "/displacement/" + i.ID
	}
	if len(pages) != 6 {
		t.Fatalf("pages %v", pages)
	}
	for name, path := range pages {
		t.Run(name, func(t *testing.T) {
			browser.Audit(t, w.url+path, browsertest.Cookie(w.cookie(lead)), browsertest.Shot("hub-"+name))
		})
	}
}
