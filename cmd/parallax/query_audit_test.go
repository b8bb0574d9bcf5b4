package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"parallax/internal/auditor"
	"parallax/internal/desk"
	"parallax/selector"
)

// query runs the query auditor over answers until no tick is under way: it must then
// say what is wanted, and end well or not. It gives the report.
func (s *stage) query(well bool, want string, answers ...string) (r auditor.QueryReport) {
	s.t.Helper()
	args := append([]string{"auditor", "query", "--hub", s.hub, "--key", s.path("query-auditor"), "--pin", s.pin, "--demo", "--demo-clock", s.clock}, answers...)
	s.settled(args, func(out string, err error) {
		if (err == nil) != well || !strings.Contains(out, want) {
			s.t.Errorf("want %q and ended well %v, got %v:\n%s", want, well, err, out)
		}
	})
	s.settled(append(args, "--json"), func(out string, _ error) { s.decode(out, &r) })
	return r
}

func (s *stage) settled(args []string, use func(out string, err error)) {
	s.t.Helper()
	s.until("an audit between two ticks", func() bool {
		out, errs, err := s.try(args...)
		if strings.Contains(errs, "check again in a few minutes") {
			return false
		}
		use(out, err)
		return true
	})
}

// Two members ask the key holders through real processes. One answers its audit, one
// does not; the auditor sees the sample of the first and finds the second by name.
func TestAQueryAuditOverRealProcesses(t *testing.T) {
	s := build(t)
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	for _, c := range contributors[:2] {
		file := s.path(c.id + ".csv")
		s.save(file, c.file)
		s.at(c.id, "submit", file, "--mapping", mapping, "--yes")
	}
	before := s.query(false, "").Entries
	s.advance(time.Minute)
	s.until("a tick", func() bool { return s.query(false, "").Entries > before })

	answers := []string{s.path("a.json"), s.path("p.json")}
	out := s.at("bank-a", "audit-query", "--out", answers[0], "--yes")
	if !strings.Contains(out, "query-auditor (Query office) would see") || !strings.Contains(out, "sealed to query-auditor alone") {
		t.Error(out)
	}
	if strings.Contains(s.read("a.json"), "mail-one") || strings.Contains(s.read("a.json"), "A-17") {
		t.Error("the answer shows what it seals")
	}
	s.refuse(2, "could not be written", append([]string{"desk", "audit-query", "--out", answers[0], "--yes"}, s.desk("bank-a")...)...)
	s.query(false, "FOUND against platform-a, batch", answers[0])
	s.at("platform-a", "audit-query", "--out", answers[1], "--yes")
	r := s.query(true, "Verified: every row", answers...)
	if r.Result != auditor.Verified || len(r.Batches) != 2 || len(r.Holders) != 3 || len(r.Members) != 2 {
		t.Errorf("%+v", r)
	}
	for _, b := range r.Batches {
		if len(b.Rows) != b.Drawn || b.Drawn < 8 {
			t.Errorf("batch of %s: %d rows of %d", b.Organisation, len(b.Rows), b.Drawn)
		}
	}
	raw, err := os.ReadFile(answers[0])
	s.must(err)
	s.save(answers[0], strings.Replace(string(raw), `"organisation":"bank-a"`, `"organisation":"hotline-a"`, 1))
	s.query(false, "FOUND against hotline-a", answers...)
	s.refuse(1, "names no query auditor", "auditor", "query", "--hub", s.hub, "--key", s.path("auditor"), "--pin", s.pin, "--demo", "--demo-clock", s.clock)
	s.refuse(2, "is no sealed answer", "auditor", "query", s.path("mapping.json"), "--hub", s.hub, "--key", s.path("query-auditor"), "--pin", s.pin, "--demo", "--demo-clock", s.clock)
}
