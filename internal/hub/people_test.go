package hub

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/identity"
	"parallax/internal/identity/identitytest"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/signed"
)

// atLocalhost lets passkeys be: browsers bind them to no IP address.
func atLocalhost(o *Options) {
	o.Identity.URL = strings.Replace(o.Identity.URL, "127.0.0.1", "localhost", 1)
}

// someone is a person at a hub with its device.
type someone struct {
	*identitytest.Device
	id string
}

var enrolCode = regexp.MustCompile(`enrol_[A-Za-z0-9_-]+`)

// enrol makes a passkey for the person whom a link invites, and signs in.
func (w *world) enrol(link string) *someone {
	w.t.Helper()
	d := identitytest.New(w.t, w.hub.o.Identity.URL)
	if status, body := d.Create("/enrol/passkey", map[string]string{"code": enrolCode.FindString(link)}); status != http.StatusOK {
		w.t.Fatalf("enrolling: %d %s", status, body)
	}
	return &someone{Device: d}
}

// admin enrols the first administrator of an organisation by the operator's link.
func (w *world) admin(organisation string) *someone {
	w.t.Helper()
	e, err := w.hub.people.Invite(context.Background(), identity.AtTheMachine(), organisation, "Admin of "+organisation, []identity.Role{identity.OrganisationAdmin}, 0, "first administrator")
	must(w.t, err)
	p := w.enrol(e.Link)
	p.id = e.Person
	return p
}

// invites lets an administrator invite somebody by the page's form.
func (w *world) invites(admin *someone, name string, roles ...string) *someone {
	w.t.Helper()
	status, body := admin.post("/people/invite", url.Values{"name": {name}, "roles": roles, "days": {"3"}, "why-person-acts": {"joins the team"}})
	if status != http.StatusOK {
		w.t.Fatalf("inviting %s: %d\n%s", name, status, body)
	}
	p := w.enrol(body)
	p.id = regexp.MustCompile(`/people/(p-[0-9a-f]+)`).FindStringSubmatch(body)[1]
	return p
}

func (p *someone) get(path string) (int, string) {
	p.T.Helper()
	res, err := p.Client.Get(p.Base + path)
	must(p.T, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(p.T, err)
	return res.StatusCode, string(raw)
}

func (p *someone) post(path string, values url.Values) (int, string) {
	p.T.Helper()
	res, err := p.Client.PostForm(p.Base+path, values)
	must(p.T, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(p.T, err)
	return res.StatusCode, string(raw)
}

// An ordinary hub, without the demonstration's picker, shows each person the
// pages of its role, and nobody else's; who is stopped is out at once.
func TestPagesBySession(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), atLocalhost)
	bank, police, board := w.admin("bank-a"), w.admin("police"), w.admin("Oversight")
	analyst := w.invites(bank, "Analyst", "contributor-analyst")
	reviewer := w.invites(police, "Reviewer", "lead-reviewer")
	overseer := w.invites(board, "Board member", "oversight-board")
	w.contribute("bank-a", "one@example.org", "payment", nil)
	for _, c := range []struct {
		who  *someone
		path string
		want int
	}{
		{analyst, "/contribute", 200}, {analyst, "/openings", 403}, {analyst, "/people", 403}, {analyst, "/me", 200}, {analyst, "/", 200},
		{reviewer, "/openings", 200}, {reviewer, "/contribute", 403}, {reviewer, "/people", 403},
		{overseer, "/openings", 200}, {overseer, "/contribute", 403},
		{bank, "/people", 200}, {bank, "/people/" + analyst.id, 200}, {bank, "/people/" + reviewer.id, 404}, {bank, "/people/p-0", 404}, {bank, "/contribute", 403}, {bank, "/openings", 403},
		{police, "/people/" + analyst.id, 404},
	} {
		if status, body := c.who.get(c.path); status != c.want {
			t.Errorf("%s as %s: %d, want %d\n%s", c.path, c.who.id, status, c.want, body)
		}
	}
	if _, body := analyst.get("/contribute"); !strings.Contains(body, "Sign out") || strings.Contains(body, "Sign in") || !strings.Contains(body, "Analyst") {
		t.Error("the page does not say who is signed in")
	}
	if records := w.readRecords(); !strings.Contains(records, `"by":"`+overseer.id+`"`) || !strings.Contains(records, `"by":"`+reviewer.id+`"`) {
		t.Errorf("the log of reads does not name the persons: %s", records)
	}
	there, not := w.pair(police, analyst.id)
	if there != not {
		t.Errorf("a refusal tells whether a foreign person exists:\n%s\n%s", there, not)
	}

	w.clock.Advance(6 * time.Minute)
	if status, body := bank.get("/people/invite"); status != http.StatusForbidden || !strings.Contains(body, "/again?next=%2Fpeople%2Finvite") {
		t.Errorf("inviting without a fresh confirmation: %d\n%s", status, body)
	}
	if status, _ := bank.Use("/again/passkey", nil); status != http.StatusOK {
		t.Errorf("confirming: %d", status)
	}
	if status, _ := bank.post("/people/"+analyst.id+"/act", url.Values{"act": {"suspend"}, "why-person-acts": {"left the team"}}); status != http.StatusOK {
		t.Errorf("suspending: %d", status)
	}
	if status, _ := analyst.get("/contribute"); status != http.StatusForbidden {
		t.Errorf("a suspended person: %d", status)
	}
	if status, _ := bank.post("/people/"+bank.id+"/roles", url.Values{"roles": {"contributor-analyst"}}); status != http.StatusForbidden {
		t.Errorf("an administrator's own roles: %d", status)
	}
}

// pair is the answers of a page about a person of another organisation and
// about nobody.
func (w *world) pair(by *someone, id string) (there, not string) {
	a, bodyA := by.get("/people/" + id)
	b, bodyB := by.get("/people/p-0000000000000000")
	mask := func(body string) string {
		return volatile.ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(body, id, "ID"), "p-0000000000000000", "ID"), "RANDOM")
	}
	if a != http.StatusNotFound || b != http.StatusNotFound {
		w.t.Errorf("%d and %d", a, b)
	}
	return mask(bodyA), mask(bodyB)
}

// readRecords are the records of reads of leads, together.
func (w *world) readRecords() (records string) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT record FROM transparency_entry WHERE kind = 'lead-read'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var raw []byte
			if err := rows.Scan(&raw); err != nil {
				return err
			}
			records += string(raw) + "\n"
		}
		return rows.Err()
	}))
	return records
}

// What governance signs about an organisation reaches its people at once; what
// it did not sign changes nothing.
func TestGovernanceAndPeople(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), atLocalhost)
	bank := w.admin("bank-a")
	analyst := w.invites(bank, "Analyst", "contributor-analyst")
	w.contribute("bank-a", "one@example.org", "payment", nil)
	send := func(path string, body any) error {
		return client.Post(context.Background(), http.DefaultClient, w.url+path, body, nil)
	}

	a := identity.Accreditation{Pool: "pool", Organisation: "audit-office", Version: 1, Name: "Audit Office", Entity: "Audit Office", Kind: "public_authority", Jurisdictions: []string{"AU"},
		Functions: []identity.Function{identity.Audits}, From: start.UnixMicro(), Until: start.AddDate(1, 0, 0).UnixMicro(), Status: identity.StatusActive, Reason: "Agreement 1", Issued: start.UnixMicro()}
	sa, err := a.Encode()
	must(t, err)
	sa.Add("gov-1", w.keys["gov-1"])
	if err := send(client.PathOrganisations, sa); err == nil {
		t.Error("one governor of three accredits")
	}
	sa.Add("gov-2", w.keys["gov-2"])
	must(t, send(client.PathOrganisations, sa))
	var list identity.Accreditations
	must(t, client.Get(context.Background(), http.DefaultClient, w.url+client.PathOrganisations, &list))
	if len(list.Organisations) != 1 || !bytes.Equal(list.Organisations[0].Body, sa.Body) {
		t.Errorf("%+v", list)
	}
	auditor := w.invites(w.admin("audit-office"), "Auditor", "auditor")
	if status, body := auditor.get("/"); status != http.StatusOK || !strings.Contains(body, "Not as it should be") {
		t.Errorf("an auditor's first page: %d\n%s", status, body)
	}
	if status, body := auditor.get("/members"); status != http.StatusOK || !strings.Contains(body, "Audit Office") || !strings.Contains(body, "Public authority") {
		t.Errorf("members: %d\n%s", status, body)
	}

	deny := func(governor, kind string) {
		d := opening.Denial{Kind: kind, Pool: "pool", Member: "bank-a", Reason: "why", Time: w.clock.Now().UnixMicro()}
		_, err := rand.Read(d.Nonce[:])
		must(t, err)
		o, err := signed.Sign(opening.DenialDomain, governor, w.keys[governor], d)
		must(t, err)
		must(t, send(client.PathSuspend, o))
	}
	deny("gov-1", opening.DenySuspend)
	if status, _ := bank.get("/people"); status != http.StatusForbidden {
		t.Errorf("the administrator of a suspended organisation: %d", status)
	}
	if status, body := analyst.get("/contribute"); status != http.StatusOK || !strings.Contains(body, "timeline-title") {
		t.Errorf("receipts of a suspended organisation: %d", status)
	}
	w.clock.Advance(time.Second)
	deny("gov-1", opening.DenyResume)
	deny("gov-2", opening.DenyResume)
	if status, _ := bank.get("/people"); status != http.StatusOK {
		t.Errorf("after the suspension was lifted: %d", status)
	}
}

// A message counts once, also when the hub was restarted in between.
func TestReplaysAreRefusedAfterARestart(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	body, err := signed.Marshal(struct{}{})
	must(t, err)
	o, err := signed.NewMessage("hub", "officer", client.PathLeads, body, w.keys["officer"], w.clock.Now(), rand.Reader)
	must(t, err)
	raw, err := json.Marshal(o)
	must(t, err)
	send := func(s *Server) int {
		r := httptest.NewRequest(http.MethodPost, client.PathLeads, bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		return rec.Code
	}
	if status := send(w.hub); status != http.StatusOK {
		t.Fatalf("the first time: %d", status)
	}
	again, err := Open(context.Background(), w.hub.o)
	must(t, err)
	if status := send(again); status != http.StatusConflict {
		t.Errorf("the same message after a restart: %d", status)
	}
	w.clock.Advance(signed.Window + time.Second)
	must(t, again.state.forgetNonces(context.Background(), w.clock.Now()))
	if status := send(again); status != http.StatusForbidden {
		t.Errorf("when its window is over: %d", status)
	}
}

// What loosens is seen for thirty days before it binds, also after a restart.
func TestLooseningIsAnnounced(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	next := w.man
	next.Version, next.Previous, next.Issued = 2, opening.Digest(w.signManifest(w.man, "gov-1").Body), w.clock.Now().UnixMicro()
	next.Classes = append([]opening.ClassRule{}, w.man.Classes...)
	next.Classes[0].DailyBudget = 8192
	publish := func() error {
		return client.Post(context.Background(), http.DefaultClient, w.url+client.PathManifest, client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(next, "gov-1", "gov-2")}}, nil)
	}
	if err := publish(); err == nil || !strings.Contains(err.Error(), "30 days") {
		t.Fatalf("at once: %v", err)
	}
	again, err := Open(context.Background(), w.hub.o)
	must(t, err)
	for name, s := range map[string]*Server{"running": w.hub, "restarted": again} {
		for path, want := range map[string]string{"/members": "30 days to go", "/members/policy/2": "Loosens"} {
			rec := httptest.NewRecorder()
			s.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s, %s: %d without %q\n%s", name, path, rec.Code, want, rec.Body)
			}
		}
		if m, _ := s.state.current(); m.Version != 1 {
			t.Errorf("%s: version %d is in force", name, m.Version)
		}
	}
	w.clock.Advance(opening.LooseningDelay)
	must(t, publish())
	if m, _ := w.hub.state.current(); m.Version != 2 || len(w.hub.state.policies()) != 2 {
		t.Errorf("after 30 days: version %d of %d", m.Version, len(w.hub.state.policies()))
	}
}
