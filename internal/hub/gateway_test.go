package hub

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parallax/internal/gateway/law"
	"parallax/internal/store/storetest"
)

// TestNoLawNoOpening: the hub takes no request for an opening whose legal basis is
// no decision of the gateway, and does not let one be approved when the law is
// over.
func TestNoLawNoOpening(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.Law = answersBy(law.Files{}) })
	w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	_, _, err := w.request(w.leads()[0], nil)
	if status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "gateway") {
		t.Errorf("without a decision: %v", err)
	}

	w = newWorld(t, storetest.SQLite(t))
	w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	id, req, err := w.request(w.leads()[0], nil)
	must(t, err)
	if _, err := w.approve("officer", id, req); err != nil {
		t.Fatal(err)
	}
	flows, err := w.hub.gateway.Flows(t.Context(), "basis-1", 9)
	must(t, err)
	if len(flows) != 1 || flows[0].Ref != id || flows[0].Kind != law.FlowOpening || flows[0].Recipient != "police" {
		t.Errorf("%+v", flows)
	}
	decisions := w.hub.gateway.Law().Decisions
	for i := range decisions {
		if decisions[i].ID == "basis-1" {
			decisions[i].Facts = []string{"not:pool_agent", "agency_function"}
		}
	}
	if _, err := w.approve("overseer", id, req); status(err) != http.StatusForbidden {
		t.Errorf("an approval when the facts no longer hold: %v", err)
	}
	if st := w.opening(id).State; st != "requested" || len(w.opening(id).Approvals) != 1 {
		t.Errorf("the refused approval left the opening %s", st)
	}
}
