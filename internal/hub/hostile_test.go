package hub

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/internal/identity"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// ill is a world in which whoever can write anything has written payloads.
type ill struct {
	*world
	*browsertest.Pen
	t      *testing.T
	look   *browsertest.Hostile
	seen   string          // every page, as the browser had it
	more   []string        // pages to look at besides those of the table
	asked  map[string]bool // routes whose page was asked for with a hostile address
	member string          // whose id, name and body are payloads
	people map[string]*someone
	parts  map[string]map[string]string // of a route's path: by part, what to put there
}

// roundTheHub is one round of the test: everything is written and every page is
// looked at.
func roundTheHub(t *testing.T, b *browsertest.Browser, from int) *browsertest.Pen {
	w := &ill{t: t, Pen: browsertest.NewPen(from), look: b.Hostile(t), people: map[string]*someone{}, parts: map[string]map[string]string{}, asked: map[string]bool{}}
	w.world = newWorldWith(t, storetest.SQLite(t), func(o *Options) {
		demoConsole(o)
		atLocalhost(o)
		o.Providers = []identity.Provider{{ID: "example", Name: w.Text("name of a provider", 100, true), Issuer: "https://login.example", ClientID: "parallax"}}
	})
	defer w.look.Close()
	w.url = w.hub.o.Identity.URL
	w.hostilePolicy()
	w.hostileLeads()
	w.hostilePeople()
	w.hostileForms()
	w.tick(time.Minute)
	w.everyPage()
	w.Unseen(t, w.seen, hidden)
	t.Logf("%d inputs, %d pages", len(w.Places), w.look.Pages)
	return w.Pen
}

// hidden are inputs that no page of the hub shows, and why.
var hidden = map[string]string{
	"sector of a member":                   "the word of a closed list is shown, or nothing",
	"id of an auditor":                     "auditors are in the policy, which machines read",
	"body of an auditor":                   "auditors are in the policy, which machines read",
	"id of an accredited organisation":     "its name is shown",
	"reason of an accreditation":           "the log has its digest",
	"/routes/requests/{id}/approve reason": "the page of an approval shows its permit, not its reason",
	"/barriers/case why":                   "a word of a closed list, so a payload is refused",
}

// hostilePolicy puts payloads into whatever governance names, and admits a
// member whose every name is one.
func (w *ill) hostilePolicy() {
	next := w.man
	next.Version, next.Previous, next.Issued = 2, opening.Digest(w.signManifest(w.man, "gov-1").Body), w.clock.Now().UnixMicro()
	key := func(input string) (string, ed25519.PublicKey) {
		id := w.Text(input, 300, false)
		_, k, err := ed25519.GenerateKey(rand.Reader)
		must(w.t, err)
		w.keys[id] = k
		return id, pub(k)
	}
	id, k := key("id of a member")
	w.member = id
	next.Members = append(slices.Clone(next.Members), opening.Member{ID: id, Name: w.Text("name of a member", 300, false), Entity: w.Text("body of a member", 300, false),
		Sector: w.Text("sector of a member", 300, false), Key: k, Admitted: start.AddDate(0, 0, -120).UnixMicro(), Status: opening.Active})
	id, k = key("id of an approver")
	next.Approvers = append(slices.Clone(next.Approvers), opening.Approver{ID: id, Entity: w.Text("body of an approver", 300, false), Role: opening.RoleOversight, Key: k})
	id, k = key("id of an auditor")
	next.Auditors = append(slices.Clone(next.Auditors), opening.Auditor{ID: id, Entity: w.Text("body of an auditor", 300, false), Key: k})
	next.LegalBases = append(slices.Clone(next.LegalBases), opening.LegalBasis{ID: w.Text("id of a legal basis", 300, false), Purpose: w.Text("purpose of a legal basis", 300, false),
		Recipient: w.Text("recipient of a legal basis", 300, false), From: start.UnixMicro(), To: start.AddDate(1, 0, 0).UnixMicro()})
	next.Scope = opening.Scope{Offences: []string{w.Text("offence of the scope", 300, false)}, Roles: append(slices.Clone(next.Scope.Roles), w.Text("role of the scope", 300, false))}
	list := client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(next, "gov-1", "gov-2")}}
	publish := func() (err error) {
		for _, url := range []string{w.url, w.man.Holders[0].URL, w.man.Holders[1].URL, w.man.Holders[2].URL} {
			err = errors.Join(err, client.Post(w.t.Context(), http.DefaultClient, url+client.PathManifest, list, nil))
		}
		return err
	}
	_ = publish() // it loosens: noted, and taken after thirty days
	w.clock.Advance(opening.LooseningDelay)
	must(w.t, publish())
	w.man = next
	w.part("version", "2")
	w.part("provider", "example")
}

func (w *ill) part(name, value string) { w.parts[name] = map[string]string{"": value} }

// hostileLeads makes a lead in which the member with payloads for names has a
// part, asks for it, lets the approver with payloads approve, and withdraws.
func (w *ill) hostileLeads() {
	for _, c := range []struct{ org, kind string }{{"bank-a", "payment-pattern"}, {"platform-a", "account-report"}, {w.member, "report"}, {"hotline-a", "report"}} {
		w.contribute(c.org, "someone@example.org", c.kind, nil)
	}
	mistake, _ := w.contribute(w.member, "mistake@example.org", "report", nil)
	w.tick(time.Minute)
	w.tick(61 * time.Minute)
	leads := w.leads()
	if len(leads) != 1 {
		w.t.Fatalf("%d leads", len(leads))
	}
	w.parts["id"] = map[string]string{"/leads/{id}": leads[0].ID}
	id, req, err := w.request(leads[0], func(r *opening.Request) { r.Manifest = 2 })
	must(w.t, err)
	if _, err := w.approve(w.man.Approvers[2].ID, id, req); err != nil {
		w.t.Fatal(err)
	}
	d := opening.Denial{Kind: opening.DenyWithdraw, Pool: "pool", Labels: []seal.Label{mistake}, Member: w.member, Reason: "mistaken", Time: w.clock.Now().UnixMicro()}
	o, err := signed.Sign(opening.DenialDomain, w.member, w.keys[w.member], d)
	must(w.t, err)
	must(w.t, w.call(w.member, client.PathWithdraw, o, nil))
}

// hostilePeople enrols people with payloads for names, and an accreditation.
func (w *ill) hostilePeople() {
	a := identity.Accreditation{Pool: "pool", Organisation: w.Text("id of an accredited organisation", 200, true), Version: 1, Name: w.Text("name of an accredited organisation", 200, true),
		Entity: w.Text("body of an accredited organisation", 200, true), Kind: "public_authority", Jurisdictions: []string{"AU"}, Functions: []identity.Function{identity.Audits},
		Status: identity.StatusActive, Reason: w.Text("reason of an accreditation", 200, true), From: start.UnixMicro(), Until: start.AddDate(1, 0, 0).UnixMicro(), Issued: start.UnixMicro()}
	sa, err := a.Encode()
	must(w.t, err)
	sa.Add("gov-1", w.keys["gov-1"])
	sa.Add("gov-2", w.keys["gov-2"])
	must(w.t, client.Post(w.t.Context(), http.DefaultClient, w.url+client.PathOrganisations, sa, nil))
	w.people["admin"] = w.admin("bank-a")
	w.people["analyst"] = w.invites(w.people["admin"], w.Text("name of a person", 200, true), "contributor-analyst")
	w.part("person", w.people["analyst"].id)
	w.part("act", "roles")
}

// as lets the browser be somebody: a person who signed in, or whom one can
// choose to be in a demonstration.
func (w *ill) as(who string) {
	w.t.Helper()
	var cookies []*http.Cookie
	if p := w.people[who]; p != nil {
		at, err := url.Parse(w.url)
		must(w.t, err)
		for _, c := range p.Client.Jar.Cookies(at) {
			c.Path = "/"
			cookies = append(cookies, c)
		}
	} else if who != "" {
		cookies = append(cookies, w.cookie(who))
	}
	w.look.As(w.url, cookies...)
}

// filled is what is written into one form, besides what it must hold to be
// taken.
type filled struct {
	who  string
	good url.Values
	free []string // fields that take any text
}

// hostileForms fills in every form of the table: first so that it is taken, with
// payloads where it takes text, then with nothing but payloads, which the page of
// the refusal shows again.
func (w *ill) hostileForms() {
	w.look.Get(w.url + "/")
	for _, route := range []string{"/routes/requests/{id}", "/routes/requests/{id}/withdraw", "/routes/requests/{id}/approve", "/routes/requests/{id}/refuse"} {
		_, where, _ := w.send(http.MethodPost, "/routes/requests", "contributor/bank-a", bankRequest(w.t))
		w.parts["id"][route] = strings.TrimPrefix(where, "/routes/requests/")
		w.more = append(w.more, where)
	}
	w.parts["id"]["/barriers/{id}"] = "BR-01"
	w.statisticsToLookAt()
	forms := w.forms()
	for _, rt := range w.hub.routes {
		if rt.Method != http.MethodPost || rt.By != BySession || byScript.MatchString(rt.Path) {
			continue
		}
		f, ok := forms[rt.Path]
		if !ok {
			w.t.Errorf("%s: say in forms what is written into it", rt.line())
			continue
		}
		w.as(f.who)
		taken, bad := url.Values{}, url.Values{}
		maps.Copy(taken, f.good)
		for _, field := range f.free {
			taken.Set(field, w.Text(rt.Path+" "+field, 200, true))
		}
		for field := range taken {
			bad.Set(field, w.Maybe("a refused "+field, 2000))
		}
		bad.Set("unknown", w.Maybe("a refused field", 2000))
		if len(taken) > 0 {
			w.posts(f.who, rt.Path, taken)
		}
		w.posts(f.who, rt.Path, bad)
	}
}

// posts sends a form. Where the answer is a page that shows what was written, it
// was refused: it is sent once more, in the browser.
func (w *ill) posts(who, path string, values url.Values) {
	path = w.fill(path)
	var body string
	if p := w.people[who]; p != nil {
		_, body = p.post(path, values)
	} else {
		var where string
		if _, where, body = w.send(http.MethodPost, path, who, values); where != "" {
			w.opens(who, where)
		}
	}
	if w.Shows(body) {
		w.seen += w.look.Post(w.url+path, values)
	}
}

// opens looks at a page where it shows anything that was written.
func (w *ill) opens(who, path string) (shows bool) {
	var body string
	if p := w.people[who]; p != nil {
		_, body = p.get(path)
	} else {
		_, body, _ = w.browse(who, path)
	}
	if w.Shows(body) {
		w.seen += w.look.Get(w.url + path)
	}
	return w.Shows(body)
}

// byScript are routes that a page's script posts JSON to.
var byScript = regexp.MustCompile(`/passkeys?(/options)?$`)

// forms says for every form what it is filled in with.
func (w *ill) forms() map[string]filled {
	const analyst, counsel, admin = "contributor/bank-a", "officer/bank-a", "admin"
	again := bankRequest(w.t)
	again.Set("edit", "1")
	barrier := url.Values{"edit": {"1"}, "title": {"x"}, "systemic": {"1"}, "state": {"open"}, "laws": {"AU-AMLCTF-123P2P"}, "blocked": {"au.fsp"}}
	decide := func(route string) url.Values {
		_, _, text := w.send(http.MethodGet, "/routes/requests/"+w.parts["id"][route], counsel, nil)
		v := shownOn(text)
		v.Set("route", "AU-PRIV-APP62E")
		return v
	}
	words := []string{"title", "unblock", "depends", "reform", "changed", "detail", "remaining", "source"}
	return map[string]filled{
		"/sign-out":                      {"analyst", nil, nil},
		"/me/sessions/end":               {admin, url.Values{"session": {"x"}}, nil},
		"/me/passkeys/remove":            {admin, url.Values{"passkey": {"x"}}, nil},
		"/me/keys":                       {admin, url.Values{"reads": {"log"}, "days": {"30"}}, []string{"label"}},
		"/me/keys/revoke":                {admin, url.Values{"key": {"x"}}, nil},
		"/people/invite":                 {admin, url.Values{"roles": {"contributor-analyst"}, "days": {"3"}, "why-person-acts": {"joins"}}, []string{"name"}},
		"/people/{person}/{act}":         {admin, url.Values{"roles": {"contributor-analyst", "gateway-officer"}, "why-person-roles": {"a new task"}}, nil},
		"/routes/requests":               {analyst, bankRequest(w.t), []string{"asserted_suspicion_formed", "asserted_reasonable_belief_enforcement"}},
		"/routes/requests/{id}/edit":     {analyst, again, []string{"asserted_suspicion_formed"}},
		"/routes/requests/{id}/withdraw": {analyst, nil, nil},
		"/routes/requests/{id}/done":     {analyst, url.Values{"gateway": {"AU-AMLCTF-41"}, "done": {"yes"}}, nil},
		"/routes/requests/{id}/approve":  {counsel, decide("/routes/requests/{id}/approve"), []string{"reason"}},
		"/routes/requests/{id}/refuse":   {counsel, decide("/routes/requests/{id}/refuse"), []string{"reason"}},
		"/barriers/case":                 {analyst, url.Values{"barrier": {"BR-01"}, "days": {"9"}, "origin": {"x"}}, []string{"why"}},
		"/barriers":                      {analyst, barrier, words},
		"/barriers/{id}":                 {counsel, barrier, words},
		"/barriers/{id}/remove":          {counsel, url.Values{"edit": {"x"}}, nil},
		"/barriers/{id}/undo":            {counsel, url.Values{"edit": {"x"}}, nil},
		"/barriers/import":               {counsel, url.Values{"csv": {"x"}}, nil},
		"/baseline/propose":              {lead, url.Values{"class": {"email"}, "quarter": {"2026-Q3"}}, []string{"lists"}},
		"/baseline/runs/{id}/release":    {lead, nil, nil},
		"/displacement/register":         {lead, url.Values{"class": {"email"}, "date": {"2027-06-01"}, "weeks": {"8"}}, []string{"venue", "neighbours", "controls"}},
		"/displacement/{id}/notes":       {lead, url.Values{"day": {"2026-05-20"}}, []string{"text"}},
	}
}

// statisticsToLookAt registers an intervention, so that its page can be written
// on. A count needs hundreds of observations; its page is looked at elsewhere
// and shows no text that anybody writes.
func (w *ill) statisticsToLookAt() {
	register := url.Values{"venue": {"v1"}, "date": {"2026-06-01"}, "neighbours": {"v2"}, "controls": {"v3"}, "weeks": {"8"}, "class": {"email"}, "see": {"programme-lead"}, "retrospective": {"yes"}}
	if status, body := w.post(lead, "/displacement/register", register); status != http.StatusSeeOther {
		w.t.Fatalf("registering: %d %s", status, body)
	}
	w.approveActs()
	list, err := w.hub.displacement.List(w.t.Context(), nil)
	must(w.t, err)
	if len(list) != 1 {
		w.t.Fatalf("%d interventions", len(list))
	}
	w.parts["id"]["/displacement/{id}"] = list[0].ID
	w.parts["id"]["/baseline/runs/{id}"] = "none"
}

var part = regexp.MustCompile(`\{([a-z]+)(\.\.\.)?\}`)

// fill puts into a route's path what is there to be looked at: what is named
// for the longest beginning of it.
func (w *ill) fill(path string) string {
	return part.ReplaceAllStringFunc(strings.TrimSuffix(path, "{$}"), func(p string) string {
		name := part.FindStringSubmatch(p)[1]
		best, found := "", false
		for from := range w.parts[name] {
			if strings.HasPrefix(path, from) && len(from) >= len(best) {
				best, found = from, true
			}
		}
		if !found {
			w.t.Errorf("%s: what is put in the place of %s?", path, p)
		}
		return w.parts[name][best]
	})
}

// notPages are answers of GET that a browser keeps as a file or that lead out
// of the hub.
var notPages = regexp.MustCompile(`^/assets/|\.csv$|/\{file\}$|^/log/(checkpoint|proof/)|/with/\{provider\}$|^/demo/as/`)

// everyPage opens every page of the table for everybody who can be somebody,
// once as it is and once with payloads for everything that an address can say.
func (w *ill) everyPage() {
	w.part("entry", "0")
	w.part("weeks", "2")
	query := url.Values{}
	for _, name := range []string{"before", "after", "next", "code", "member", "from", "to", "wants", "purpose", "as_of", "holds", "facts", "started", "place", "from_in", "to_in", "barrier", "why", "origin",
		"blocked", "laws", "days", "title", "unblock", "depends", "state", "reform", "changed", "detail", "remaining", "source", "fields", "recipient", "flow", "ready", "under", "over", "error", "error_description"} {
		query.Set(name, w.Maybe("the address's "+name, 600))
	}
	for _, who := range []string{"contributor/bank-a", "contributor/" + url.PathEscape(w.member), "authority/officer", "oversight/overseer", "auditor/", lead, "officer/bank-a", "admin", ""} {
		w.as(who)
		for _, rt := range w.hub.routes {
			if rt.Method != http.MethodGet || rt.By != BySession || notPages.MatchString(rt.Path) || !w.differs(rt, who) {
				continue
			}
			path := w.fill(rt.Path)
			if w.opens(who, path) && !w.asked[rt.Path] && os.Getenv("PARALLAX_SOAK") != "" {
				w.look.Check()
			}
			if !w.asked[rt.Path] {
				w.asked[rt.Path] = true
				w.opens(who, path+"?"+query.Encode())
			}
		}
		if who == "officer/bank-a" {
			for _, path := range w.more {
				w.opens(who, path)
			}
		}
	}
	for _, rt := range w.hub.routes {
		if rt.Method == http.MethodGet && rt.By == BySession && !notPages.MatchString(rt.Path) && !w.asked[rt.Path] {
			w.t.Errorf("%s: nobody could look at it", rt.line())
		}
	}
	for _, path := range []string{"/", "/nothing/", "/leads/", "/routes/requests/", "/v1/", "/members/policy/", "/people/", "/baseline/runs/"} {
		w.opens("", path+url.PathEscape(w.Maybe("a path", 600)))
	}
}

// differs reports whether somebody's page is worth a look: the first who may
// see it, and later ones only where the page depends on who looks.
func (w *ill) differs(rt Route, who string) bool {
	var status int
	if p := w.people[who]; p != nil {
		status, _ = p.get(w.fill(rt.Path))
	} else {
		status, _, _ = w.browse(who, w.fill(rt.Path))
	}
	return status != http.StatusForbidden && (!w.asked[rt.Path] || rt.Path == "/{$}" || rt.Path == "/sign-in" || strings.HasPrefix(rt.Path, "/leads"))
}

// TestHostileTextInABrowser: whatever anybody writes into the hub is shown as
// text. The long form goes on until every payload was in every input that takes
// it.
func TestHostileTextInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	all := map[string]map[int]bool{}
	rounds := 1
	if os.Getenv("PARALLAX_SOAK") != "" {
		rounds = 36
	}
	for from := range rounds {
		p := roundTheHub(t, b, from*len(browsertest.Payloads)/rounds)
		for input, payloads := range p.Wrote {
			if all[input] == nil {
				all[input] = map[int]bool{}
			}
			maps.Copy(all[input], payloads)
		}
	}
	used := map[int]bool{}
	least := len(browsertest.Payloads)
	for _, payloads := range all {
		maps.Copy(used, payloads)
		least = min(least, len(payloads))
	}
	if len(used) < len(browsertest.Payloads) {
		t.Errorf("%d of %d payloads were written anywhere", len(used), len(browsertest.Payloads))
	}
	t.Logf("%d payloads, %d inputs, each with at least %d of them", len(used), len(all), least)
}
