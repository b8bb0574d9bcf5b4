package hub

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/gateway/law"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// asked is a request that the authority's reviewer made on the page Routes.
type asked struct {
	w        *world
	path, id string
	route    string
	form     url.Values
}

const reviewer, policeCounsel = "authority/officer", "officer/police"

// wants makes a request for a flow of the pool; form is the question.
func (w *world) wants(flow, recipient, ids, form string, more ...string) asked {
	w.t.Helper()
	v, err := url.ParseQuery(form + "&as_of=" + w.clock.Now().UTC().Format(time.DateOnly))
	must(w.t, err)
	for _, fact := range strings.Split(v.Get("facts"), ",") {
		v.Set("asserted_"+fact, "the authority's counsel")
	}
	v.Set("fields", "identifier")
	v.Set("flow", flow)
	v.Set("recipient", recipient)
	for _, x := range more {
		v.Set(x, "yes")
	}
	code, where, text := w.send(http.MethodPost, "/routes/requests", reviewer, v)
	if code != http.StatusSeeOther {
		w.t.Fatalf("%d %s", code, text)
	}
	return asked{w, where, where[strings.LastIndex(where, "/")+1:], ids, v}
}

// decide has the authority's counsel approve the route on the card.
func (a asked) decide() {
	a.w.t.Helper()
	_, _, text := a.w.send(http.MethodGet, a.path, policeCounsel, nil)
	v := shownOn(text)
	v.Set("route", a.route)
	if code, _, text := a.w.send(http.MethodPost, a.path+"/approve", policeCounsel, v); code != http.StatusSeeOther {
		a.w.t.Fatalf("%d %s", code, text)
	}
}

// edit replaces the request by itself, which voids what was decided.
func (a asked) edit(was string) {
	a.w.t.Helper()
	a.form.Set("edit", was)
	a.form.Set("fields", "identifier, date")
	if code, _, text := a.w.send(http.MethodPost, a.path+"/edit", reviewer, a.form); code != http.StatusSeeOther {
		a.w.t.Fatalf("%d %s", code, text)
	}
}

// carried checks that the flows of a kind, and no others, name the request, in the
// table and on its card.
func (a asked) carried(kind string, least int, recipient string) {
	a.w.t.Helper()
	flows, err := a.w.hub.gateway.Flows(context.Background(), a.id, 9)
	must(a.w.t, err)
	if len(flows) < least || least == 0 && len(flows) > 0 {
		a.w.t.Errorf("%d flows of kind %s rest on request %s, want %d", len(flows), kind, a.id, least)
	}
	for _, f := range flows {
		if f.Kind != kind || f.Recipient != recipient {
			a.w.t.Errorf("%+v", f)
		}
		a.w.says(reviewer, a.path, f.Ref, "Flows that rest on it")
	}
}

func (w *world) noFlow(what string, err error, says string) {
	w.t.Helper()
	if status(err) != http.StatusForbidden || !strings.Contains(err.Error(), says) {
		w.t.Errorf("%s: %v, want a refusal with %q", what, err, says)
	}
}

// grounds puts a policy into force that names a request as the legal basis of
// openings. A new ground loosens what was, so it binds after 30 days.
func (w *world) grounds(id string) {
	w.t.Helper()
	ctx, before := context.Background(), w.signManifest(w.man, "gov-1", "gov-2")
	m := w.man
	m.Version, m.Previous, m.Issued = 2, opening.Digest(before.Body), w.clock.Now().UnixMicro()
	m.LegalBases = append(slices.Clone(m.LegalBases), opening.LegalBasis{ID: id, Purpose: "investigation", Recipient: "police",
		From: w.clock.Now().UnixMicro(), To: w.clock.Now().AddDate(1, 0, 0).UnixMicro()})
	next := client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(m, "gov-1", "gov-2")}}
	for _, early := range []bool{true, false} {
		for _, to := range append([]string{w.url}, holderURLs(m)...) {
			if err := client.Post(ctx, http.DefaultClient, to+client.PathManifest, next, nil); (err != nil) != early {
				w.t.Fatalf("early %v: %v", early, err)
			}
		}
		if early {
			w.clock.Advance(opening.LooseningDelay)
		}
	}
	w.man = m
}

func holderURLs(m opening.Manifest) (out []string) {
	for _, h := range m.Holders {
		out = append(out, h.URL)
	}
	return out
}

// afterwards signs the steps of an opening in order.
type afterwards struct {
	*world
	id     string
	digest opening.Hash
	number int
	before opening.Hash
}

func (c *afterwards) step(change func(h *opening.Handling), notes ...signed.Object) error {
	c.t.Helper()
	h := opening.Handling{Pool: "pool", Request: c.digest, Number: c.number + 1, Before: c.before, Reason: opening.Hash{1}, Author: "officer", Time: c.clock.Now().UnixMicro()}
	for _, n := range notes {
		h.Notes = append(h.Notes, opening.Digest(n.Body))
	}
	change(&h)
	o, err := signed.Sign(opening.HandlingDomain, "officer", c.keys["officer"], h)
	must(c.t, err)
	err = c.call("officer", client.PathHandle, client.HandleRequest{ID: c.id, Handling: o, Notes: notes}, nil)
	if err == nil {
		c.number, c.before = h.Number, opening.Digest(o.Body)
	}
	return err
}

func (c *afterwards) release(gateway string, label seal.Label) error {
	c.t.Helper()
	n := opening.Note{Pool: "pool", To: "bank-a", Labels: []seal.Label{label}, Outcome: "investigation", Conditions: []string{"own-use"}, Gateway: gateway,
		Earliest: c.clock.Now().UnixMicro(), Author: "officer"}
	_, err := rand.Read(n.Nonce[:])
	must(c.t, err)
	o, err := signed.Sign(opening.NoteDomain, "officer", c.keys["officer"], n)
	must(c.t, err)
	return c.step(func(h *opening.Handling) { h.Step, h.Word = opening.StepRelease, "investigation" }, o)
}

// TestFlowsRestOnApprovedRequests: an opening, a referral and a release, each under
// a request that the authority's reviewer made and its counsel approved. Each asks
// the gateway, is refused while nobody has approved and after an edit, and what goes
// carries the request's id.
func TestFlowsRestOnApprovedRequests(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	opens := w.wants(law.FlowOpening, "police", "SIM-POOL-OPENING", "from=plx.pool&to=au.police&holds=token&wants=account_id&purpose=investigate&facts=pool_agent,agency_function")
	w.grounds(opens.id)
	labels := w.threeOrgs("someone@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	under := func(r *opening.Request) { r.LegalBasis, r.Manifest = opens.id, 2 }
	_, _, err := w.request(w.leads()[0], under)
	w.noFlow("an opening that nobody approved", err, "is asked, not approved")
	opens.carried(law.FlowOpening, 0, "")
	opens.decide()
	id, req, err := w.request(w.leads()[0], under)
	must(t, err)
	_, err = w.approve("officer", id, req)
	must(t, err)
	opens.edit("1")
	_, err = w.approve("overseer", id, req)
	w.noFlow("an opening whose request was edited", err, "not approved")
	opens.decide()
	_, err = w.approve("overseer", id, req)
	must(t, err)
	w.tick(time.Minute)
	w.tick(2 * time.Hour)
	if st := w.opening(id).State; st != "released" {
		t.Fatalf("the opening is %s", st)
	}
	opens.carried(law.FlowOpening, 1, "police")

	c := &afterwards{world: w, id: id, digest: opening.Digest(req.Body)}
	must(t, c.step(func(h *opening.Handling) { h.Step, h.Word = opening.StepDeconflict, opening.DeconflictCleared }))
	refers := w.wants(law.FlowReferral, "hotline-a", "AU-AFP-60A", "from=au.police&to=au.esafety&holds=url,hash&wants=url&purpose=disrupt&facts=agency_function")
	refer := func(to, gateway string, flags ...string) error {
		return c.step(func(h *opening.Handling) {
			h.Step, h.Word, h.Child, h.To, h.Gateway, h.Provenance = opening.StepDecide, opening.DecideRefer, opening.ChildNoSign, to, gateway, flags
		})
	}
	w.noFlow("a referral that nobody approved", refer("hotline-a", refers.id), "is asked, not approved")
	refers.decide()
	w.noFlow("to somebody else", refer("platform-a", refers.id), "another recipient")
	w.noFlow("under the decision of an opening", refer("hotline-a", opens.id), "is a decision about opening")
	w.noFlow("material of which the request says nothing", refer("hotline-a", refers.id, "smr-derived"), "smr-derived")
	w.noFlow("an id that is no decision", refer("hotline-a", "REFERRAL-NOBODY"), "no decision")
	refers.carried(law.FlowReferral, 0, "")
	must(t, refer("hotline-a", refers.id))
	refers.carried(law.FlowReferral, 1, "hotline-a")

	must(t, c.step(func(h *opening.Handling) { h.Step, h.Word = opening.StepOutcome, "investigation" }))
	tells := w.wants(law.FlowRelease, "bank-a", "AU-PRIV-DEID", "from=au.police&to=au.fsp&holds=statistic&wants=statistic&purpose=detect&facts=deidentified")
	w.noFlow("a release that nobody approved", c.release(tells.id, labels[0]), "is asked, not approved")
	tells.decide()
	tells.edit("1")
	w.noFlow("a release whose request was edited", c.release(tells.id, labels[0]), "not approved")
	tells.decide()
	must(t, c.release(tells.id, labels[0]))
	tells.carried(law.FlowRelease, 1, "bank-a")
	if st := w.opening(id); len(st.Handling) != 4 {
		t.Errorf("%d steps, want 4", len(st.Handling))
	}

	// What stems from a report of suspicion is approved for authorities, never for a
	// court.
	court := w.wants(law.FlowExport, "", "AU-POLICE-COURT", "from=au.police&to=au.court&holds=transaction&wants=transaction&purpose=prosecute&facts=agency_function", "smr")
	_, _, text := w.send(http.MethodGet, court.path, policeCounsel, nil)
	v := shownOn(text)
	v.Set("route", court.route)
	if code, _, text := w.send(http.MethodPost, court.path+"/approve", policeCounsel, v); code != http.StatusForbidden || !strings.Contains(text, "never into evidence") {
		t.Errorf("reports of suspicion to a court: %d", code)
	}
}
