package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/law/lawtest"
	"parallax/opening"
	"parallax/selector"
)

// The test binary is also the program, so that the story runs hub, key holders
// and desks as separate processes.
func TestMain(m *testing.M) {
	if os.Getenv("PARALLAX_TEST_AS_PROGRAM") == "1" {
		os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
	}
	testscript.Main(m, map[string]func(){"parallax": main})
}

// stage is one directory with everything of a pool in it.
type stage struct {
	t     *testing.T
	dir   string
	clock string
	pin   string
	hub   string
	began time.Time
	// database is the hub's, where it is not the file in its directory, and
	// budget what a member may have evaluated a day.
	database string
	budget   int
	// apart gives every program a clock of its own, in place of the common one.
	apart bool
	// every is how often key holders look for an order to reshare; empty: seldom.
	every string
	// places are folders that lie elsewhere than in dir, by their first name.
	places map[string]string
	// front gives the URL under which others reach what listens at an address,
	// where that is not the address itself.
	front   func(id, addr string) string
	plan    client.Plan
	servers map[string]*server
	counsel *lawtest.Chambers // who sign the law data
}

// A server is a process that a test may end and start again.
type server struct {
	url  string
	args []string
	cmd  *exec.Cmd
}

// run starts a server under a name; kill ends it as a power cut would, and
// again starts it once more on what it left.
func (s *stage) run(id, url string, args ...string) {
	s.t.Helper()
	s.servers[id] = &server{url: url, args: args}
	s.again(id)
}

func (s *stage) again(id string) {
	s.t.Helper()
	x := s.servers[id]
	x.cmd = s.serve(x.url, x.args...)
}

func (s *stage) kill(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		end(s.servers[id].cmd)
	}
}

// end kills a process and waits until it is gone.
func end(c *exec.Cmd) {
	_ = c.Process.Kill() // it may be gone already
	_ = c.Wait()
}

func (s *stage) path(parts ...string) string {
	if place, ok := s.places[parts[0]]; ok {
		return filepath.Join(append([]string{place}, parts[1:]...)...)
	}
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *stage) command(ctx context.Context, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	s.must(err)
	c := exec.CommandContext(ctx, exe, args...)
	c.Env = append(os.Environ(), "PARALLAX_TEST_AS_PROGRAM=1")
	return c
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// try runs one command to its end.
func (s *stage) try(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	c := s.command(s.t.Context(), args...)
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// do runs one command that must succeed and returns its standard output.
func (s *stage) do(args ...string) string {
	s.t.Helper()
	out, errs, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("parallax %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// refuse runs one command that must fail with a text and an exit code.
func (s *stage) refuse(code int, want string, args ...string) {
	s.t.Helper()
	out, errs, err := s.try(args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code || !strings.Contains(out+errs, want) {
		s.t.Fatalf("parallax %s: want exit code %d and %q, got %v\n%s%s", strings.Join(args, " "), code, want, err, out, errs)
	}
}

// serve starts a server process and waits until it answers.
func (s *stage) serve(url string, args ...string) *exec.Cmd {
	s.t.Helper()
	c := s.start(args...)
	s.until("a server at "+url, func() bool {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	return c
}

// start starts a server process; it is killed with the test at the latest.
func (s *stage) start(args ...string) *exec.Cmd {
	s.t.Helper()
	log := &bytes.Buffer{}
	c := s.command(context.Background(), args...)
	c.Stdout, c.Stderr = log, log
	s.must(c.Start())
	s.t.Cleanup(func() {
		end(c)
		if s.t.Failed() {
			s.t.Logf("parallax %s:\n%s", strings.Join(args[:2], " "), log)
		}
	})
	return c
}

// until asks again, a tenth of a second apart, for at most half a minute.
func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		if ok() {
			return
		}
		<-tick.C
	}
	s.t.Fatal("waited in vain for " + what)
}

func (s *stage) decode(text string, v any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		s.t.Fatalf("%v in %s", err, text)
	}
}

func (s *stage) write(name string, v any) string {
	s.t.Helper()
	raw, err := json.Marshal(v)
	s.must(err)
	s.must(os.WriteFile(s.path(name), raw, 0o600))
	return s.path(name)
}

func (s *stage) read(name string) string {
	s.t.Helper()
	raw, err := os.ReadFile(s.path(name))
	s.must(err)
	return string(raw)
}

func (s *stage) save(path, text string) {
	s.t.Helper()
	s.must(os.WriteFile(path, []byte(text), 0o600))
}

// clockOf is the file with the simulated clock of a program.
func (s *stage) clockOf(id string) string {
	if s.apart {
		return filepath.Join(s.dir, "clock-"+id)
	}
	return s.clock
}

// advance moves everybody's simulated clock.
func (s *stage) advance(to time.Duration) {
	s.t.Helper()
	s.must(os.WriteFile(s.clock, fmt.Appendf(nil, "%d\n", int(to.Seconds())), 0o600))
}

func (s *stage) free(id string) (url, addr string) {
	url, addr = freeURL(s.t)
	if s.front != nil {
		url = s.front(id, addr)
	}
	return url, addr
}

func freeURL(t *testing.T) (url, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String(), ln.Addr().String()
}

var contributors = []struct{ id, entity, sector, file string }{
	{"bank-a", "Bank A", "bank", "case,email,strength,kind\nA-17,someone.else@mail-one.net,2,payment\nA-18,only.here@mail-one.net,3,payment\n"},
	{"platform-a", "Platform A", "platform", "case,email,strength,kind\nP-3,Someone.Else@mail-one.net,2,account\n"},
	{"hotline-a", "Hotline A", "hotline", "case,email,strength,kind\nH-9,someone.else@MAIL-ONE.net,1,report\n"},
}

// build sets up governance, hub, key holders (with their ceremony) and desks.
func build(t *testing.T) *stage {
	return buildWith(t, &stage{budget: 20_000})
}

// buildWith is build on a stage with other settings.
func buildWith(t *testing.T, s *stage) *stage {
	plan, file, addrs := s.found(t)
	s.plan = plan
	s.ceremony(plan, file)
	for i, h := range plan.Holders {
		s.holder(h, addrs[i])
	}
	s.publish(plan)
	return s
}

// holder starts a key holder.
func (s *stage) holder(h opening.Holder, addr string) {
	s.t.Helper()
	args := []string{"keyholder", "serve", "--dir", s.path(h.ID), "--listen", addr, "--demo", "--demo-clock", s.clockOf(h.ID)}
	if s.every != "" {
		args = append(args, "--look", s.every)
	}
	s.run(h.ID, h.URL, args...)
}

// found sets up everything that a key ceremony needs: governors, a serving hub,
// the holders' identities with their addresses, and the plan with its file.
func found(t *testing.T) (s *stage, plan client.Plan, file string, addrs []string) {
	s = &stage{}
	plan, file, addrs = s.found(t)
	return s, plan, file, addrs
}

func (s *stage) found(t *testing.T) (plan client.Plan, file string, addrs []string) {
	s.t, s.dir, s.began, s.servers = t, t.TempDir(), time.Now(), make(map[string]*server)
	s.clock = s.path("clock")
	s.advance(0)
	plan = client.Plan{Pool: "story", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email}}
	for i := range 3 {
		var g opening.Governor
		id := fmt.Sprint("gov-", i+1)
		s.decode(s.do("governance", "init", "--key", s.path(id), "--id", id, "--entity", id), &g)
		plan.Governance.Governors = append(plan.Governance.Governors, g)
	}
	plan.Governance.Threshold = 2
	url, addr := s.free("hub")
	s.hub = url
	s.decode(s.do("hub", "init", "--dir", s.path("hub"), "--id", "hub", "--entity", "Operator", "--url", url), &plan.Hub)
	addrs = make([]string, 3)
	for i := range 3 {
		id := fmt.Sprint("holder-", i+1)
		var h opening.Holder
		url, addrs[i] = s.free(id)
		s.decode(s.do("keyholder", "init", "--dir", s.path(id), "--id", id, "--entity", "Body "+id, "--url", url), &h)
		h.Index = i + 1
		plan.Holders = append(plan.Holders, h)
	}
	file = s.write("plan.json", plan)
	if s.database == "" {
		s.database = s.path("hub", "hub.db")
	}
	s.lawFiles()
	s.run("hub", s.hub, "hub", "serve", "--law-overlay", s.path("overlay.yaml"), "--law-published", s.path("published.json"), "--law-counsel", s.path("counsel.json"), "--dir", s.path("hub"),
		"--plan", file, "--listen", addr, "--tick", "300ms", "--database", s.database, "--demo", "--demo-clock", s.clockOf("hub"))
	return plan, file, addrs
}

func (s *stage) ceremony(plan client.Plan, file string) {
	s.t.Helper()
	type result struct {
		out string
		err error
	}
	results := make(chan result, 3)
	for _, h := range plan.Holders {
		go func() {
			out, errs, err := s.try("keyholder", "ceremony", "--dir", s.path(h.ID), "--plan", file, "--timeout", "1m")
			if err != nil {
				err = fmt.Errorf("%s: %w: %s", h.ID, err, errs)
			}
			results <- result{strings.TrimSpace(out), err}
		}()
	}
	for range plan.Holders {
		r := <-results
		s.must(r.err)
		if s.pin != "" && s.pin != r.out {
			s.t.Fatalf("holders print different transcript hashes: %s and %s", s.pin, r.out)
		}
		s.pin = r.out
	}
}

// publish admits the desks in a manifest that two governors sign.
func (s *stage) publish(plan client.Plan) {
	s.t.Helper()
	m := opening.Manifest{Version: 1, Pool: plan.Pool, Epoch: plan.Epoch, Issued: s.began.UnixMicro(), Demo: true,
		Classes: []opening.ClassRule{{Class: selector.Email, RuleVersion: selector.Email.RuleVersion(), DailyBudget: s.budget}},
		Hub:     plan.Hub, Holders: plan.Holders, Quorum: plan.T,
		Scope:       opening.Scope{Offences: []string{"online-cse"}, Roles: []string{"suspected_consumer", "unknown", "possible_victim"}},
		Rules:       []opening.Rule{opening.DefaultRule()},
		CurrentRule: opening.DefaultRule().Hash(), Delays: opening.Delays{OpenSeconds: 3600, ReleaseEvery: 600}}
	s.must(m.Transcript.UnmarshalText([]byte(s.pin)))
	admit := func(role, id, entity, sector string) desk.Card {
		var c desk.Card
		s.decode(s.do("desk", "init", "--dir", s.path(id), "--id", id, "--entity", entity, "--sector", sector, "--name", entity, "--role", role), &c)
		if c.Member != nil && role == "contributor" {
			c.Member.Admitted = s.began.AddDate(0, 0, -120).UnixMicro()
			m.Members = append(m.Members, *c.Member)
		}
		if c.Approver != nil {
			m.Approvers = append(m.Approvers, *c.Approver)
		}
		return c
	}
	for _, c := range contributors {
		admit("contributor", c.id, c.entity, c.sector)
	}
	m.Authority = *admit("authority", "police", "Police", "police").Authority
	admit("approver", "overseer", "Oversight", "regulator")
	m.LegalBases = []opening.LegalBasis{{ID: "basis-1", Purpose: "investigation", Recipient: "police",
		From: s.began.AddDate(0, -1, 0).UnixMicro(), To: s.began.AddDate(1, 0, 0).UnixMicro()}}
	var auditor opening.Auditor
	s.decode(s.do("auditor", "init", "--key", s.path("auditor"), "--id", "auditor", "--entity", "Audit office"), &auditor)
	m.Auditors = append(m.Auditors, auditor)
	var queries opening.QueryAuditor
	s.decode(s.do("auditor", "init", "--queries", "--key", s.path("query-auditor"), "--id", "query-auditor", "--entity", "Query office"), &queries)
	m.QueryAuditors = append(m.QueryAuditors, queries)
	file := s.write("manifest.json", m)
	s.do("governance", "sign", "--key", s.path("gov-1"), "-o", s.path("one.json"), file)
	s.refuse(1, "governance", "governance", "publish", s.path("one.json"))
	s.do("governance", "sign", "--key", s.path("gov-3"), "-o", s.path("two.json"), s.path("one.json"))
	s.do("governance", "publish", s.path("two.json"))
	for _, id := range []string{"bank-a", "platform-a", "hotline-a", "police"} {
		s.at(id, "law", "--overlay", s.path("overlay.yaml"), "--published", s.path("published.json"), "--counsel", s.path("counsel.json"))
	}
	for _, id := range []string{"bank-a", "platform-a", "hotline-a", "police", "overseer"} {
		s.do(append([]string{"desk", "join", "--hub", s.hub, "--pin", s.pin}, s.desk(id)...)...)
	}
}

// lawFiles writes the simulated answers of everybody's counsel.
func (s *stage) lawFiles() {
	s.t.Helper()
	s.counsel = lawtest.New(s.t)
	files := s.counsel.Sign(law.SimulatedText(), "simulated.2", "2020-01-01", "", 2)
	for name, f := range map[string]law.File{"overlay.yaml": files.Overlay, "published.json": files.Published, "counsel.json": files.Counsel} {
		s.save(s.path(name), string(f.Raw))
	}
}

// desk gives the options that name a desk.
func (s *stage) desk(id string) []string {
	return []string{"--dir", s.path(id), "--demo", "--demo-clock", s.clockOf(id)}
}

func (s *stage) at(id string, args ...string) string {
	s.t.Helper()
	return s.do(append(append([]string{"desk"}, args...), s.desk(id)...)...)
}

func (s *stage) inbox(id string) desk.Inbox {
	s.t.Helper()
	var in desk.Inbox
	s.decode(s.at(id, "inbox"), &in)
	return in
}

// Three organisations' own files become one lead that the police desk reads,
// and nothing opens before law, log and two bodies agree.
func TestFromThreeFilesToAnOpenedLead(t *testing.T) {
	t.Parallel()
	s := build(t)
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", SMR: "=no", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	for i, c := range contributors {
		file := s.path(c.id + ".csv")
		s.save(file, c.file)
		if in := s.inbox("police"); len(in.Leads) > 0 {
			t.Fatalf("a lead is ready with %d of 3 organisations", i)
		}
		s.at(c.id, "submit", file, "--mapping", mapping, "--yes", "--basis", "basis-1")
		if out := s.at(c.id, "submit", file, "--mapping", mapping, "--yes", "--basis", "basis-1"); !strings.Contains(out, "0 new observations") {
			t.Fatalf("a second submission of the same file is not empty: %s", out)
		}
	}
	s.until("the last receipt's proof", func() bool { return s.at("hotline-a", "receipts", "--out", s.path("hotline-receipts")) != "" })
	if in := s.inbox("police"); len(in.Leads) > 0 {
		t.Fatal("a lead is ready before its observations have been in the log for the manifest's delay")
	}
	s.advance(2 * time.Hour)
	var in desk.Inbox
	s.until("a ready lead", func() bool { in = s.inbox("police"); return len(in.Leads) == 1 })
	s.refuse(1, "", append([]string{"desk", "open", in.Leads[0].ID}, s.desk("police")...)...)

	id := strings.TrimSpace(s.at("police", "request", in.Leads[0].ID, "--purpose", "investigation", "--basis", "basis-1", "--reason", "an exercise"))
	s.at("police", "approve", id, "--reason", "an exercise")
	s.advance(4 * time.Hour)
	s.refuse(1, "", append([]string{"desk", "open", id}, s.desk("police")...)...)
	s.at("overseer", "approve", id, "--reason", "an exercise")
	s.until("the request in the log", func() bool { return s.state(id) == "logged" || s.state(id) == "released" })
	s.advance(6 * time.Hour)
	s.until("the release", func() bool { return s.state(id) == "released" })
	lead := s.at("police", "open", id)
	for _, want := range []string{"A-17", "P-3", "H-9", "someone.else@mail-one.net", "Unverified"} {
		if !strings.Contains(lead, want) {
			t.Errorf("the lead does not show %q:\n%s", want, lead)
		}
	}
	if strings.Contains(lead, "A-18") {
		t.Error("the lead shows an observation that nobody else shared")
	}
	receipts := strings.Fields(s.at("bank-a", "receipts", "--out", s.path("receipts")))
	if len(receipts) != 1 {
		t.Fatalf("receipts: %v", receipts)
	}
	if out := s.do("verify", receipts[0], "--pin", s.pin); !strings.Contains(out, "Verified") {
		t.Fatal(out)
	}
	s.refuse(1, "", "verify", receipts[0], "--pin", strings.Repeat("0", 63)+"1")
	s.regroup()
	s.settled([]string{"verify", receipts[0], "--hub", s.plan.Hub.URL, "--pin", s.pin, "--state", s.path("seen.json"), "--demo", "--demo-clock", s.clock}, func(out string, err error) {
		if err != nil || !strings.Contains(out, "receipts: 1 of 1") {
			s.t.Errorf("the hub's log is not verified: %v: %s", err, out)
		}
	})
	s.toOutcome(id)
}

// toOutcome has the authority decide, and tell one contributor what came of it
// under a lawful route; the others are told nothing.
func (s *stage) toOutcome(id string) {
	s.t.Helper()
	step := func(args ...string) []string {
		return append(append([]string{"lead"}, args...), id, "--reason", "an exercise with nobody in it")
	}
	with := func(args ...string) []string { return append(append([]string{"desk"}, args...), s.desk("police")...) }
	s.refuse(2, "somebody else works on it", with(step("decide", "--decision", "act", "--child", "no-sign")...)...)
	s.at("police", step("deconflict", "--answer", "cleared")...)
	s.refuse(1, "The gateway refuses", with(step("decide", "--decision", "refer", "--child", "no-sign", "--to", "newspaper", "--gateway", "REFERRAL-CHILD")...)...)
	s.at("police", step("decide", "--decision", "act", "--child", "no-sign")...)
	s.at("police", step("outcome", "--outcome", "investigation")...)
	tell := func(gateway string) []string {
		return step("release", "--tell", "bank-a="+gateway, "--condition", "own-use", "--condition", "tell-nobody")
	}
	s.refuse(1, "The gateway refuses", with(tell("REFERRAL-CHILD")...)...)
	if out := s.at("police", tell("RELEASE-OUTCOME")...); !strings.Contains(out, "outcome released") {
		s.t.Error(out)
	}
	if out := s.at("bank-a", "outcomes"); !strings.Contains(out, "nothing has been released") {
		s.t.Errorf("before the release time: %s", out)
	}
	at := 7 * time.Hour // the story is at six
	s.until("the outcome", func() bool {
		s.advance(at)
		at += time.Hour
		return strings.Contains(s.at("bank-a", "outcomes"), "A-17: An investigation was opened (own-use, tell-nobody), under RELEASE-OUTCOME")
	})
	for _, other := range []string{"platform-a", "hotline-a"} {
		if out := s.at(other, "outcomes"); !strings.Contains(out, "nothing has been released") {
			s.t.Errorf("%s: %s", other, out)
		}
	}
}

// regroup has the auditor of the manifest repeat the hub's grouping.
func (s *stage) regroup() {
	s.t.Helper()
	var r struct {
		Result   string
		Grouping struct {
			Opens, Observations int
			Reads               map[string]int
		}
	}
	args := []string{"verify", "--hub", s.plan.Hub.URL, "--auditor", s.path("auditor"), "--pin", s.pin, "--state", s.path("audited.json"), "--demo", "--demo-clock", s.clock, "--json"}
	var out string
	s.settled(args, func(got string, _ error) { out = got })
	s.decode(out, &r)
	if r.Result != "verified" || r.Grouping.Opens != 3 || r.Grouping.Observations != 4 || r.Grouping.Reads["police"] == 0 {
		s.t.Errorf("the auditor finds %s", out)
	}
}

func (s *stage) state(id string) string {
	s.t.Helper()
	for _, o := range s.inbox("police").Openings {
		if o.ID == id {
			return o.State
		}
	}
	return ""
}
