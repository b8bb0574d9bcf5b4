package hub

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/authz"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/signed"
)

var update = flag.Bool("update", false, "write the expectation files in testdata anew from what is served now")

// asker is who sends a request in the matrix: a person's session, or a key.
type asker struct {
	name   string
	person authz.Principal
	key    string // of the world; "" for persons
}

// sessions stands for the login: it says who asks.
type sessions struct{ is authz.Principal }

func (s *sessions) Principal(*http.Request) (authz.Principal, error) { return s.is, nil }

// persons are every role for each case of the organisation: own is where the
// role belongs (and what the path names), other another one, which is a member
// of the pool, suspended the own one while it is suspended, none no organisation;
// stale is the own one, having confirmed who it is too long ago.
func persons(now time.Time) (out []asker) {
	homes := map[authz.Role]string{authz.LeadReviewer: "police", authz.OversightBoard: "Oversight", authz.ProgrammeLead: "programme office", authz.AuditorRole: "Auditors"}
	for _, role := range append([]authz.Role{""}, authz.Roles()...) {
		p := authz.Principal{Kind: authz.Person, Person: "somebody", Organisation: "bank-a", StepUpAt: now, Name: "Somebody"}
		if role != "" {
			p.Roles = []authz.Role{role}
		}
		if h, ok := homes[role]; ok {
			p.Organisation = h
		}
		name := "person: " + string(role)
		if role == "" {
			name = "person without a role"
		}
		for _, c := range []struct {
			name   string
			change func(*authz.Principal)
		}{
			{"own", func(*authz.Principal) {}},
			{"other", func(p *authz.Principal) { p.Organisation = "platform-a" }},
			{"suspended", func(p *authz.Principal) { p.Suspended = true }},
			{"none", func(p *authz.Principal) { p.Organisation = "" }},
			{"stale", func(p *authz.Principal) { p.StepUpAt = now.Add(-time.Hour) }},
		} {
			who := p
			c.change(&who)
			out = append(out, asker{name: name + "|" + c.name, person: who})
		}
	}
	return append(out, asker{name: "anyone|"})
}

// machines are keys that sign messages. bank-b is suspended in these tests.
var machines = []asker{
	{name: "member's machine|own", key: "bank-a"}, {name: "member's machine|suspended", key: "bank-b"},
	{name: "approver's key: authority|", key: "officer"}, {name: "approver's key: oversight|", key: "overseer"},
	{name: "auditor's key|", key: "auditor"}, {name: "query auditor's key|", key: "query-auditor"},
	{name: "unknown key|", key: "stranger"},
}

// suspend marks a member as suspended in the manifest in force.
func (w *world) suspend(id string) {
	w.hub.state.mu.Lock()
	defer w.hub.state.mu.Unlock()
	m := &w.hub.state.fitted
	m.Members = slices.Clone(m.Members)
	for i := range m.Members {
		if m.Members[i].ID == id {
			m.Members[i].Status = opening.Suspended
		}
	}
}

var pathPart = regexp.MustCompile(`\{[^}]*\}`)

// address is one that a route serves: the organisation bank-a wherever the
// pattern has a part, and a page under it where it serves all below.
func address(rt Route) string {
	path := strings.TrimSuffix(rt.Path, "{$}")
	path = pathPart.ReplaceAllString(path, "bank-a")
	if strings.HasSuffix(path, "/") && path != "/" || rt.Path == "/" {
		path += "nothing-here"
	}
	return path
}

// ask sends a request through the hub's whole chain of handlers.
func (w *world) ask(h http.Handler, s *sessions, rt Route, who asker, path string, body any) *httptest.ResponseRecorder {
	w.t.Helper()
	s.is = who.person
	var raw []byte
	contentType := "application/json"
	switch {
	case rt.By == BySignature:
		raw = w.signed(who.key, path, body)
	case rt.By == ByObject:
		raw = []byte(`{}`)
	case rt.Method == http.MethodPost:
		contentType = "application/x-www-form-urlencoded"
	}
	method := rt.Method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Host = "127.0.0.1" // demonstrations answer to this machine's names only
	r.Header.Set("Content-Type", contentType)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// signed is a message of a key for an address of the hub.
func (w *world) signed(key, path string, body any) []byte {
	w.t.Helper()
	raw, err := signed.Marshal(body)
	must(w.t, err)
	o, err := signed.NewMessage("hub", key, path, raw, w.keys[key], w.clock.Now(), rand.Reader)
	must(w.t, err)
	raw, err = signed.Marshal(o)
	must(w.t, err)
	return raw
}

func (rt Route) line() string {
	method := rt.Method
	if method == "" {
		method = "*"
	}
	s := fmt.Sprintf("%s %s: %s, by %s", method, rt.Path, rt.Action, rt.By)
	if rt.Limits.Bytes > 0 {
		s += fmt.Sprintf(", at most %d bytes", rt.Limits.Bytes)
	}
	return s
}

// Every route of the table, for every role and case of the organisation, through
// the handlers that serve it, against a file that a person can read. A route
// that is not in the file fails, and so does one whose line changed.
func TestRoutesMatrix(t *testing.T) {
	w := newWorldWith(t, storetest.SQLite(t), demoConsole)
	w.suspend("bank-b")
	who := &sessions{}
	w.hub.console.who = who
	h := w.hub.Handler()
	var b strings.Builder
	b.WriteString(`# Every route that a hub serves, and who gets through it. Whoever is not listed is refused (403).
# For persons: own: of the organisation that the role belongs to and the path names; other: of another one, a member of the pool; suspended: own, suspended;
# none: of no organisation; stale: own, confirmed too long ago who it is. Where a route acts on the own organisation's records, "other"
# reaches those of that other one and no more.
# Write it anew with: go test ./internal/hub -run TestRoutesMatrix -update
`)
	cells := 0
	for _, rt := range w.hub.routes {
		fmt.Fprintf(&b, "\n%s\n", rt.line())
		askers := []asker{{name: "anyone|"}}
		switch rt.By {
		case BySession:
			askers = persons(w.clock.Now())
		case BySignature:
			askers = machines
		}
		var order []string
		yes := map[string][]string{}
		for _, a := range askers {
			rec := w.ask(h, who, rt, a, address(rt), struct{}{})
			cells++
			if rec.Code >= 500 {
				t.Errorf("%s as %s: %d %s", rt.line(), a.name, rec.Code, rec.Body)
			}
			if rec.Code == http.StatusForbidden {
				continue
			}
			name, in, _ := strings.Cut(a.name, "|")
			if yes[name] == nil {
				order = append(order, name)
			}
			yes[name] = append(yes[name], in)
		}
		if rt.By == ByObject {
			b.WriteString("  whoever brings an object whose own signatures count\n")
			continue
		}
		writeAnswers(&b, order, yes, len(askers))
	}
	t.Logf("%d routes, %d cells", len(w.hub.routes), cells)
	golden(t, "testdata/routes.txt", b.String())
	if n := w.hub.gate.Alarms(); n != 0 {
		t.Errorf("%d alarms of the gate", n)
	}
}

// golden compares with a checked-in expectation.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("%s is not what is served; if the change is meant, write it anew with -update and read the difference.\n%s", path, diff(string(want), got))
	}
}

func writeAnswers(b *strings.Builder, order []string, yes map[string][]string, all int) {
	n := 0
	for _, list := range yes {
		n += len(list)
	}
	if n == all {
		b.WriteString("  everybody\n")
		return
	}
	for _, name := range order {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-30s %s", name, strings.Join(yes[name], " ")), " ") + "\n")
	}
}

// diff shows the lines that are in one text only.
func diff(want, got string) string {
	var b strings.Builder
	for _, side := range []struct {
		sign string
		in   []string
		of   string
	}{{"- ", strings.Split(want, "\n"), got}, {"+ ", strings.Split(got, "\n"), want}} {
		other := strings.Split(side.of, "\n")
		for _, line := range side.in {
			if !slices.Contains(other, line) {
				b.WriteString(side.sign + line + "\n")
			}
		}
	}
	return b.String()
}
