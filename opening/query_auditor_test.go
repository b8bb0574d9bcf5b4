package opening

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
)

// A query auditor belongs to nobody whom it checks, is nobody else by its id, and
// has a key that answers are sealed to.
func TestWhoMayAuditQueries(t *testing.T) {
	key := slices.Repeat([]byte{7}, ed25519.PublicKeySize)
	good := QueryAuditor{ID: "query-auditor", Entity: "Query office", Key: key, HPKE: key}
	m := before()
	m.QueryAuditors, m.Auditors = []QueryAuditor{good}, []Auditor{{ID: "auditor", Entity: "Query office", Key: key}}
	if err := m.checkAuditors(); err != nil {
		t.Fatalf("one body with both tasks: %v", err)
	}
	if a, ok := m.QueryAuditor("query-auditor"); !ok || a.Entity != "Query office" {
		t.Error("it is not found")
	}
	if _, ok := m.QueryAuditor("auditor"); ok {
		t.Error("an auditor of the structure passes for one of queries")
	}
	for name, c := range map[string]struct {
		change func(a *QueryAuditor)
		says   string
	}{
		"a contributor's":   {func(a *QueryAuditor) { a.Entity = "M" }, "belongs to a contributor"},
		"the authority's":   {func(a *QueryAuditor) { a.Entity = "P" }, "belongs to the authority"},
		"a member's id":     {func(a *QueryAuditor) { a.ID = "m" }, "id of its own"},
		"an approver's id":  {func(a *QueryAuditor) { a.ID = "o" }, "id of its own"},
		"an auditor's id":   {func(a *QueryAuditor) { a.ID = "auditor" }, "id of its own"},
		"no key":            {func(a *QueryAuditor) { a.Key = nil }, "key of 32 bytes"},
		"no key to seal to": {func(a *QueryAuditor) { a.HPKE = nil }, "HPKE key"},
	} {
		bad := good
		c.change(&bad)
		m.QueryAuditors = []QueryAuditor{bad}
		if err := m.checkAuditors(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
