package main

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/selector"
	"parallax/signed"
)

// An approver halts all openings, two governors lift the halt; governance
// suspends a member, whose next submission every holder refuses, and takes it
// back. A contributor can do none of it.
func TestHaltAndSuspend(t *testing.T) {
	t.Parallel()
	s := build(t)
	plan := client.Plan{}
	s.decode(s.read("plan.json"), &plan)
	halted := func(want bool) {
		t.Helper()
		for _, h := range plan.Holders {
			var o signed.Object
			var st client.HolderStatus
			s.must(client.Get(context.Background(), http.DefaultClient, h.URL+"/v1/status", &o))
			s.must(o.Open(client.StatusDomain, h.Key, &st))
			if st.Halted != want {
				t.Errorf("%s: halted is %t", h.ID, st.Halted)
			}
		}
	}
	govern := func(args ...string) []string {
		return append(append([]string{"governance"}, args...), "--key", s.path("gov-2"), "--manifest", s.path("two.json"), "--reason", "exercise")
	}
	s.refuse(1, "approver", append([]string{"desk", "halt", "--reason", "exercise"}, s.desk("bank-a")...)...)
	halted(false)
	s.at("overseer", "halt", "--reason", "exercise")
	halted(true)
	other := govern("resume")
	other[slices.Index(other, s.path("gov-2"))] = s.path("gov-1")
	s.do(govern("resume")...)
	halted(true) // one governor alone lifts nothing
	s.do(other...)
	halted(false)

	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	file := s.path("bank-a.csv")
	s.save(file, contributors[0].file)
	submit := append([]string{"desk", "submit", file, "--mapping", mapping, "--yes"}, s.desk("bank-a")...)
	s.refuse(2, `no member "bank-z"`, govern("suspend", "--member", "bank-z")...)
	s.do(govern("suspend", "--member", "bank-a")...)
	s.refuse(1, "not registered", submit...)
	s.do(govern("resume", "--member", "bank-a")...)
	s.refuse(1, "not registered", submit...)
	s.do(append(other, "--member", "bank-a")...)
	s.do(submit...)
}
