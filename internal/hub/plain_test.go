package hub

import (
	"testing"
	"time"

	"parallax/internal/browsertest"
	"parallax/internal/store/storetest"
)

// The whole task of the hub's pages without scripts: whatever a person does here
// besides making and using a passkey is a link or a form.
func TestTheHubWithoutScripts(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	c := browsertest.Open(t).WithoutScripts(t)
	as := func(who string) { c.As(w.url, w.cookie(who)) }
	as("contributor/bank-a")
	c.Open(w.url + "/routes")
	c.Open(w.url + "/routes/request?" + bankAsks)
	c.Fill("/routes/requests", map[string]string{"fields": "date of transfer", "asserted_suspicion_formed": "the analyst", "asserted_reasonable_belief_enforcement": "head of financial crime"}, "Waits for the officer")
	c.Open(w.url + "/barriers/new")
	c.Fill("/barriers", map[string]string{"title": "A report may not be shared", "systemic": "1"}, "A report may not be shared")
	as("officer/bank-a")
	c.Open(w.url + "/routes/requests")
	c.Follow("/routes/requests/")
	c.Fill("/routes/requests/", map[string]string{"route": "AU-PRIV-APP62E"}, "Approved")
	c.Open(w.url + "/barriers/BR-01")
	c.Fill("/barriers/BR-01", map[string]string{"title": "Suspicions may not be shared", "reform": "rules under s 123"}, "rules under s 123")
	as(lead)
	c.Open(w.url + "/baseline")
	c.Follow("/baseline/propose")
	c.Fill("/baseline/propose", map[string]string{"class": "email", "quarter": "2026-Q3", "lists": "bank: bank-a, bank-b\nplatform: platform-a\nhotline: hotline-a"}, "Proposed")
	c.Open(w.url + "/displacement")
	c.Follow("/displacement/register")
	c.Fill("/displacement/register", map[string]string{"venue": "v1", "date": w.clock.Now().AddDate(0, 1, 0).Format(time.DateOnly), "neighbours": "v2", "controls": "v3", "weeks": "8"}, "Proposed")
	as("authority/officer")
	for _, path := range []string{"/", "/openings", "/corrections", "/log", "/keys", "/members"} {
		c.Open(w.url + path)
	}
}
