package desk

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"parallax/internal/gateway/law"
)

// TestRoutesPageAnswersOffline: without a desk, without a hub and without the
// script, the page answers, and another day or fact changes what it says.
func TestRoutesPageAnswersOffline(t *testing.T) {
	v := visit(t, nil).enter()
	const nics = "/routes?from=eu.nics&to=us.ncmec&holds=hash&wants=hash&purpose=detect&facts=derogation_in_force&as_of="
	for _, c := range []struct {
		path string
		code int
		says []string
	}{
		{"/routes", http.StatusOK, []string{"May I share this", "needs review by counsel", "Choose"}},
		{nics + "2026-03-01", http.StatusOK, []string{"Yes, as of 2026-03-01", "EU-2021-1232"}},
		{nics + "2026-05-01", http.StatusOK, []string{"No, as of 2026-05-01", "lapsed 2026-04-03"}},
		{strings.Replace(nics, "facts=derogation_in_force", "facts=", 1) + "2026-03-01", http.StatusOK, []string{"Not yet", "You would need"}},
		{"/routes?from=au.fsp&to=us.provider&holds=transaction,customer_identity,account_id&wants=demand&purpose=preserve&facts=suspicion_formed,agency_function,serious_contravention,intends_warrant&as_of=2026-11-23&started=2026-11-23T14:30&place=AU-NSW",
			http.StatusOK, []string{"Yes, as of", "Thursday 26 November 2026, 23:59 AEDT", "tipping-off", "AU-AMLCTF-41, then AU-AMLCTF-121, then AU-US-PRES", "AU-IPO"}},
		{"/routes?from=au.fps&to=us.provider&wants=tokn&purpose=detect", http.StatusUnprocessableEntity, []string{"au.fsp", "token"}},
	} {
		code, text := v.get(c.path)
		for _, s := range c.says {
			if code != c.code || !strings.Contains(text, s) {
				t.Errorf("%s: %d, does not say %q", c.path, code, s)
			}
		}
	}
}

// TestPlanPageShowsTheLaw: what would be submitted stands under the decision that
// it rests on, and without one there is no button.
func TestPlanPageShowsTheLaw(t *testing.T) {
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(context.Background(), w.url, w.setup.Transcript.Hash())
	must(t, err)
	v := visit(t, bank).enter()
	v.upload("own.csv", "ref,email\nr1,someone@mail-one.net\n", nil)
	work := strings.TrimPrefix(v.lastWork(), "/check/")
	_, text := v.get("/submit/" + work)
	if !strings.Contains(text, "POOL-IN-FSP") || !strings.Contains(text, "Submit 1 observation") {
		t.Error("the plan does not show its decision")
	}
	must(t, bank.records.keep(context.Background(), lawSetting, keptLaw{Files: law.Files{}, Actor: "au.fsp"}))
	_, text = v.get("/submit/" + work)
	if !strings.Contains(text, "The gateway refuses") || strings.Contains(text, "Submit 1 observation") {
		t.Error("without counsel's answer the page offers to submit")
	}
	if _, text = v.get("/routes"); !strings.Contains(text, "needs review by counsel") {
		t.Error("the law page does not say that nobody signed it")
	}
}
