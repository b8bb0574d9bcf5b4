package authz

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/internal/scope"
)

var update = flag.Bool("update", false, "write the expectation files anew")

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func gate(t testing.TB) (*Gate, *bytes.Buffer) {
	t.Helper()
	var buf bytes.Buffer
	g, err := New(slog.New(slog.NewTextHandler(&buf, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return g, &buf
}

// What the pool of these tests is.
var pool = Compartment{Pool: "pool", Manifest: 1, Authority: "police", Oversight: []string{"Oversight"}, Rule: "r",
	Scope: []string{"unknown"}, Offences: []string{"o"}}

// home is where a principal with this role belongs.
func home(roles []Role) string {
	for _, r := range roles {
		switch r {
		case LeadReviewer:
			return "police"
		case OversightBoard:
			return "Oversight"
		}
	}
	return "bank-a"
}

// asker is a row of the matrix.
type asker struct {
	name string
	Principal
}

func askers() []asker {
	list := []asker{{"anyone", Principal{}}, {"a person without a role", Principal{Kind: Person}}}
	for _, r := range Roles() {
		list = append(list, asker{"a person: " + string(r), Principal{Kind: Person, Roles: []Role{r}}})
	}
	return append(list, asker{"a member's machine", Principal{Kind: Member}},
		asker{"an approver's key: authority", Principal{Kind: Approver, Roles: []Role{LeadReviewer}}},
		asker{"an approver's key: oversight", Principal{Kind: Approver, Roles: []Role{OversightBoard}}},
		asker{"an auditor's key", Principal{Kind: Approver, Roles: []Role{AuditorRole}}},
		asker{"a query auditor's key", Principal{Kind: Approver, Roles: []Role{QueryAuditorRole}}},
		asker{"the governance quorum", Principal{Kind: Governance}})
}

// circumstances are the columns of the matrix: what is changed in a principal
// that is at home, has just confirmed who it is and asks for its own.
var circumstances = []struct {
	name   string
	change func(p *Principal, r *Resource)
}{
	{"own", func(*Principal, *Resource) {}},
	{"other", func(p *Principal, r *Resource) { p.Organisation = "bank-b" }},
	{"suspended", func(p *Principal, r *Resource) { p.Suspended = true }},
	{"none", func(p *Principal, r *Resource) { p.Organisation, r.Organisation = "", "" }},
	{"stale", func(p *Principal, r *Resource) { p.StepUpAt = now.Add(-StepUp - time.Second) }},
	{"demo", func(p *Principal, r *Resource) { p.Demo = true }},
	{"authority", func(p *Principal, r *Resource) { p.Organisation = pool.Authority }},
	{"oversight", func(p *Principal, r *Resource) { p.Organisation = pool.Oversight[0] }},
	{"contributes", func(p *Principal, r *Resource) { p.Contributes = true }},
	{"greater", func(p *Principal, r *Resource) { r.Roles = []Role{ProgrammeLead, AuditorRole} }},
}

// The whole of who may do what, against a file that a person can read. Every
// action and every kind of principal is in it by being in the closed lists.
func TestMatrix(t *testing.T) {
	g, _ := gate(t)
	var b strings.Builder
	b.WriteString(`# Who may do what: every action, every kind of principal and role, by circumstance.
# own: for its own organisation's; other: for another's; suspended: its organisation is; none: it has no organisation;
# stale: confirmed who it is more than 5 minutes ago; demo: chosen in a demonstration, in a pool that is none;
# authority, oversight: it belongs to the opening authority or to the oversight body; contributes: own, which is a member of the pool;
# greater: on a person who holds a right that it lacks. A pair that is not listed may not in any circumstance.
# Write it anew with: go test ./internal/authz -run TestMatrix -update
`)
	cells := 0
	for _, a := range Actions() {
		fmt.Fprintf(&b, "\n%s (%s)\n", a, a.On())
		answers := map[string]string{}
		for _, who := range askers() {
			var yes []string
			for _, c := range circumstances {
				p, r := who.Principal, Resource{Kind: a.On(), Compartment: pool}
				p.StepUpAt, p.Organisation = now, home(p.Roles)
				if p.Kind == "" {
					p.Organisation = ""
				}
				r.Organisation = home(p.Roles)
				c.change(&p, &r)
				cells++
				if g.Decide(p, a, r, now).Allow {
					yes = append(yes, c.name)
				}
			}
			answers[who.name] = strings.Join(yes, " ")
		}
		together(answers)
		for _, name := range slices.Sorted(maps.Keys(answers)) {
			fmt.Fprintf(&b, "  %-36s %s\n", name, answers[name])
		}
	}
	t.Logf("%d actions, %d principals, %d circumstances: %d cells", len(Actions()), len(askers()), len(circumstances), cells)
	golden(t, "testdata/matrix.txt", b.String())
	if g.Alarms() != 0 {
		t.Errorf("%d alarms", g.Alarms())
	}
}

// together leaves out who may nothing, and says once what holds for all
// principals or for all persons.
func together(answers map[string]string) {
	for _, group := range []struct{ of, name string }{{"", "everybody"}, {"a person", "any person"}} {
		var in []string
		same := true
		for who, answer := range answers {
			if strings.HasPrefix(who, group.of) {
				in = append(in, who)
				same = same && answer == answers["a person without a role"]
			}
		}
		if same && len(in) > 1 {
			answer := answers[in[0]]
			for _, who := range in {
				delete(answers, who)
			}
			answers[group.name] = answer
		}
	}
	maps.DeleteFunc(answers, func(_, answer string) bool { return answer == "" })
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the gate decides; if the change is meant, write it anew with -update and read the difference.\n%s", path, got)
	}
}

// What a policy may not say: the gate is not made.
func TestBrokenPoliciesStopTheStart(t *testing.T) {
	good := `@id("x") permit (principal is Person, action == Action::"log.read", resource) when { principal.roles.contains(Role::"auditor") };`
	log := slog.New(slog.DiscardHandler)
	if _, err := load([]byte(good), log); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"an unknown action":         {"log.read", "log.raed"},
		"an unknown group":          {`== Action::"log.read"`, `in Action::"opne"`},
		"an unknown role":           {`Role::"auditor"`, `Role::"auditro"`},
		"an unknown attribute":      {"principal.roles", "principal.rolls"},
		"an unknown kind":           {"is Person", "is Persson"},
		"a kind that never fits":    {"resource)", "resource is Leads)"},
		"another type":              {`contains(Role::"auditor")`, `contains("auditor")`},
		"an optional one unguarded": {`principal.roles.contains(Role::"auditor")`, "principal.stepUpAt > 0"},
		"no id":                     {`@id("x")`, ""},
		"a syntax error":            {"permit", "allow"},
	} {
		if _, err := load([]byte(strings.Replace(good, change[0], change[1], 1)), log); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := load([]byte(good+"\n"+good), log); err == nil {
		t.Error("two policies of one id were taken")
	}
}

// A policy that cannot be evaluated denies what another one permits, and is
// heard of; so does a question outside the schema.
func TestErrorsDenyAndAlarm(t *testing.T) {
	var buf bytes.Buffer
	text := `@id("all") permit (principal, action, resource);
@id("fails") forbid (principal, action == Action::"log.read", resource) when { context.now * 9223372036854775807 > 0 };`
	g, err := load([]byte(text), slog.New(slog.NewTextHandler(&buf, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if d := g.Decide(Principal{}, ReadStatus, Resource{Kind: Hub}, now); !d.Allow || g.Alarms() != 0 {
		t.Fatalf("what needs no failing policy: %+v", d)
	}
	asks := []struct {
		name string
		Principal
		Action
		Resource
	}{
		{"a policy that fails", Principal{}, ReadLog, Resource{Kind: Hub}},
		{"an unknown action", Principal{}, "log.raed", Resource{Kind: Hub}},
		{"no action", Principal{}, "", Resource{Kind: Hub}},
		{"a group in place of an action", Principal{}, open, Resource{Kind: Hub}},
		{"another kind of resource", Principal{}, ReadLog, Resource{Kind: Leads}},
		{"an unknown kind of resource", Principal{}, ReadLog, Resource{Kind: "Lead"}},
		{"no kind of resource", Principal{}, ReadLog, Resource{}},
		{"an unknown kind of principal", Principal{Kind: "Root"}, ReadStatus, Resource{Kind: Hub}},
		{"an unknown role", Principal{Kind: Person, Roles: []Role{"root"}}, ReadStatus, Resource{Kind: Hub}},
	}
	for i, ask := range asks {
		buf.Reset()
		d := g.Decide(ask.Principal, ask.Action, ask.Resource, now)
		if d.Allow || len(d.Reasons) == 0 || d.Scope() != (scope.Scope{}) {
			t.Errorf("%s: %+v", ask.name, d)
		}
		if g.Alarms() != int64(i+1) || !strings.Contains(buf.String(), "level=ERROR") {
			t.Errorf("%s: %d alarms, log %q", ask.name, g.Alarms(), buf.String())
		}
	}
}

func TestStepUpIsFresh(t *testing.T) {
	g, _ := gate(t)
	for _, c := range []struct {
		at    time.Time
		allow bool
	}{
		{now, true}, {now.Add(-StepUp), true}, {now.Add(-StepUp - time.Microsecond), false},
		{now.Add(time.Microsecond), false}, {time.Time{}, false}, {time.UnixMicro(math.MinInt64 / 2), false},
	} {
		p := Principal{Kind: Person, Organisation: "bank-a", Roles: []Role{OrganisationAdmin}, StepUpAt: c.at}
		if d := g.Decide(p, ManagePeople, Resource{Kind: Organisation, Organisation: "bank-a"}, now); d.Allow != c.allow {
			t.Errorf("confirmed at %v: %+v", c.at, d)
		}
	}
}

func TestScopeFollowsTheDecision(t *testing.T) {
	g, _ := gate(t)
	member := Principal{Kind: Member, Organisation: "bank-a"}
	mine := Resource{Kind: Records, Organisation: "bank-a", Compartment: pool}
	if s := g.Decide(member, Contribute, mine, now).Scope(); s.Organisation() != "bank-a" || s.Whole() {
		t.Errorf("own records: %v", s)
	}
	theirs := mine
	theirs.Organisation = "bank-b"
	if d := g.Decide(member, Contribute, theirs, now); d.Allow || d.Scope() != (scope.Scope{}) {
		t.Errorf("another's records: %+v", d)
	}
	officer := Principal{Kind: Approver, Organisation: "police", Roles: []Role{LeadReviewer}}
	if s := g.Decide(officer, ReadLeads, Resource{Kind: Leads, Compartment: pool}, now).Scope(); !s.Whole() || s.Organisation() != "" {
		t.Errorf("leads: %v", s)
	}
	if s := g.Decide(Principal{}, ReadLog, Resource{Kind: Hub}, now).Scope(); s != (scope.Scope{}) {
		t.Errorf("the log: %v", s)
	}
}

// What a kind of principal may is not widened by roles that belong to another
// kind, and a visitor of a demonstration is in its pool who it says it is.
func TestKindsStayApart(t *testing.T) {
	g, _ := gate(t)
	keys := []Role{LeadReviewer, OversightBoard, AuditorRole, QueryAuditorRole} // roles that an approver's key has
	for _, a := range Actions() {
		for _, org := range []string{"", "bank-a", "police", "Oversight"} {
			r := Resource{Kind: a.On(), Organisation: org, Compartment: pool}
			may := func(kind PrincipalKind, roles []Role) bool {
				return g.Decide(Principal{Kind: kind, Organisation: org, Roles: roles, StepUpAt: now}, a, r, now).Allow
			}
			for _, kind := range []PrincipalKind{Public, Member, Governance} {
				if may(kind, Roles()) != may(kind, nil) {
					t.Errorf("%s of %q: %s by roles that it does not have", kind, org, a)
				}
			}
			if may(Approver, Roles()) != may(Approver, keys) {
				t.Errorf("an approver's key of %q: %s by a role of persons", org, a)
			}
			for _, who := range askers() {
				p := who.Principal
				p.Organisation, p.StepUpAt = org, now
				real := g.Decide(p, a, r, now).Allow
				p.Demo = true
				shown := r
				shown.Compartment.Demo = true
				if g.Decide(p, a, shown, now).Allow != real {
					t.Errorf("%s of %q in a demonstration: %s is not as in a real pool", who.name, org, a)
				}
			}
		}
	}
}

// Whatever is asked: the gate never alarms over questions of the closed lists,
// an organisation's records are open to nobody else, and taking something away
// from a principal never gives it more.
func TestGateProperties(t *testing.T) {
	g, _ := gate(t)
	orgs := []string{"", "bank-a", "bank-b", "police", "Oversight"}
	rapid.Check(t, func(t *rapid.T) {
		p := Principal{Kind: rapid.SampledFrom(principalKinds).Draw(t, "kind"), Organisation: rapid.SampledFrom(orgs).Draw(t, "org"),
			Roles: rapid.SliceOfDistinct(rapid.SampledFrom(Roles()), rapid.ID).Draw(t, "roles"), Suspended: rapid.Bool().Draw(t, "suspended"), Contributes: rapid.Bool().Draw(t, "contributes"), Demo: rapid.Bool().Draw(t, "demo")}
		if rapid.Bool().Draw(t, "stepped up") {
			p.StepUpAt = now
		}
		a := rapid.SampledFrom(Actions()).Draw(t, "action")
		r := Resource{Kind: a.On(), Organisation: rapid.SampledFrom(orgs).Draw(t, "owner"), Compartment: pool,
			Roles: rapid.SliceOfDistinct(rapid.SampledFrom(Roles()), rapid.ID).Draw(t, "its roles")}
		r.Compartment.Demo = rapid.Bool().Draw(t, "demo pool")
		d := g.Decide(p, a, r, now)
		if g.Alarms() != 0 {
			t.Fatalf("alarm: %+v", d)
		}
		if !d.Allow {
			return
		}
		if r.Kind == Records && (p.Organisation == "" || p.Organisation != r.Organisation) {
			t.Fatalf("another's records: %+v", d)
		}
		if p.Demo && !r.Compartment.Demo {
			t.Fatalf("a demonstration's visitor in a real pool: %+v", d)
		}
		if r.Kind == Statistics && p.Contributes && p.Organisation != pool.Authority {
			t.Fatalf("a contributor's statistics: %+v", d)
		}
		less := p
		less.Suspended = false
		if !g.Decide(less, a, r, now).Allow {
			t.Fatalf("only because it is suspended: %+v", d)
		}
		less = p
		less.Contributes = false
		if !g.Decide(less, a, r, now).Allow {
			t.Fatalf("only because it contributes: %+v", d)
		}
		less = p
		less.Demo = false
		if !g.Decide(less, a, r, now).Allow {
			t.Fatalf("only because it is a visitor: %+v", d)
		}
	})
}
