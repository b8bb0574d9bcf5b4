package opening

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"parallax/selector"
)

// before is a manifest that loosenings are measured against.
func before() Manifest {
	key := func(b byte) ed25519.PublicKey { return slices.Repeat([]byte{b}, ed25519.PublicKeySize) }
	rule := DefaultRule()
	return Manifest{Version: 1, Pool: "pool", KeysEnd: 1000,
		Scope:         Scope{Offences: []string{"a"}, Roles: []string{"unknown"}},
		Classes:       []ClassRule{{Class: selector.Email, RuleVersion: 1, DailyBudget: 100}},
		Members:       []Member{{ID: "m", Entity: "M", Sector: "bank", Key: key(1), Admitted: 50, Status: Active}},
		Approvers:     []Approver{{ID: "o", Entity: "P", Role: RoleAuthority, Key: key(2)}},
		QueryAuditors: []QueryAuditor{{ID: "q1", Entity: "Q1", Key: key(4), HPKE: []byte{4}}, {ID: "q2", Entity: "Q2", Key: key(5), HPKE: []byte{5}}},
		Authority:     Authority{ID: "p", Entity: "P", HPKE: []byte{3}},
		LegalBases:    []LegalBasis{{ID: "b", Purpose: "x", Recipient: "p", From: 1, To: 9}},
		Rules:         []Rule{rule}, CurrentRule: rule.Hash(), Delays: Delays{OpenSeconds: 60, ReleaseEvery: 60}}
}

// Each part of a manifest on its own: what allows more waits 30 days, what
// allows less or the same binds at once. A wider scope is one of them.
func TestLoosens(t *testing.T) {
	other := slices.Repeat([]byte{9}, ed25519.PublicKeySize)
	for name, c := range map[string]struct {
		change func(m *Manifest)
		want   bool
	}{
		"nothing":                    {func(*Manifest) {}, false},
		"an offence more":            {func(m *Manifest) { m.Scope.Offences = []string{"a", "b"} }, true},
		"another offence":            {func(m *Manifest) { m.Scope.Offences = []string{"b"} }, true},
		"an offence fewer":           {func(m *Manifest) { m.Scope.Offences = nil }, false},
		"a subject role more":        {func(m *Manifest) { m.Scope.Roles = []string{"unknown", "facilitator"} }, true},
		"a subject role fewer":       {func(m *Manifest) { m.Scope.Roles = nil }, false},
		"a class more":               {func(m *Manifest) { m.Classes = append(m.Classes, ClassRule{selector.Bank, 1, 1}) }, true},
		"a class fewer":              {func(m *Manifest) { m.Classes = nil }, false},
		"a larger budget":            {func(m *Manifest) { m.Classes[0].DailyBudget++ }, true},
		"a smaller budget":           {func(m *Manifest) { m.Classes[0].DailyBudget-- }, false},
		"other rules of a class":     {func(m *Manifest) { m.Classes[0].RuleVersion++ }, true},
		"a member more":              {func(m *Manifest) { m.Members = append(m.Members, Member{ID: "n", Status: Suspended}) }, true},
		"a member fewer":             {func(m *Manifest) { m.Members = nil }, false},
		"a member of another entity": {func(m *Manifest) { m.Members[0].Entity = "N" }, true},
		"a member of another sector": {func(m *Manifest) { m.Members[0].Sector = "platform" }, true},
		"a member's other key":       {func(m *Manifest) { m.Members[0].Key = other }, true},
		"admitted earlier":           {func(m *Manifest) { m.Members[0].Admitted-- }, true},
		"admitted later":             {func(m *Manifest) { m.Members[0].Admitted++ }, false},
		"a suspension":               {func(m *Manifest) { m.Members[0].Status = Suspended }, false},
		"a member's other name":      {func(m *Manifest) { m.Members[0].Name = "Name" }, false},
		"an approver more":           {func(m *Manifest) { m.Approvers = append(m.Approvers, Approver{ID: "q"}) }, true},
		"an approver fewer":          {func(m *Manifest) { m.Approvers = nil }, false},
		"an approver's other role":   {func(m *Manifest) { m.Approvers[0].Role = RoleOversight }, true},
		"an approver's other entity": {func(m *Manifest) { m.Approvers[0].Entity = "Q" }, true},
		"an approver's other key":    {func(m *Manifest) { m.Approvers[0].Key = other }, true},
		"an auditor more":            {func(m *Manifest) { m.Auditors = append(m.Auditors, Auditor{ID: "r", Key: other}) }, true},
		"a query auditor more":       {func(m *Manifest) { m.QueryAuditors = append(m.QueryAuditors, QueryAuditor{ID: "s", Key: other}) }, true},
		"a query auditor's HPKE key": {func(m *Manifest) { m.QueryAuditors[0].HPKE = []byte{9} }, true},
		"a query auditor fewer":      {func(m *Manifest) { m.QueryAuditors = m.QueryAuditors[:1] }, false},
		"no query auditor any more":  {func(m *Manifest) { m.QueryAuditors = nil }, true},
		"a legal basis more":         {func(m *Manifest) { m.LegalBases = append(m.LegalBases, LegalBasis{ID: "c"}) }, true},
		"a longer legal basis":       {func(m *Manifest) { m.LegalBases[0].To++ }, true},
		"a legal basis fewer":        {func(m *Manifest) { m.LegalBases = nil }, false},
		"an opening rule more": {func(m *Manifest) {
			r := DefaultRule()
			r.MinKinds++
			m.Rules = append(m.Rules, r)
		}, true},
		"an opening rule fewer":       {func(m *Manifest) { m.Rules = nil }, false},
		"a shorter delay":             {func(m *Manifest) { m.Delays.OpenSeconds-- }, true},
		"a longer delay":              {func(m *Manifest) { m.Delays.OpenSeconds++ }, false},
		"releases more often":         {func(m *Manifest) { m.Delays.ReleaseEvery-- }, true},
		"releases less often":         {func(m *Manifest) { m.Delays.ReleaseEvery++ }, false},
		"keys that last longer":       {func(m *Manifest) { m.KeysEnd++ }, true},
		"keys without an end":         {func(m *Manifest) { m.KeysEnd = 0 }, true},
		"keys that end earlier":       {func(m *Manifest) { m.KeysEnd-- }, false},
		"another authority":           {func(m *Manifest) { m.Authority.ID = "q" }, true},
		"an authority's other entity": {func(m *Manifest) { m.Authority.Entity = "Q" }, true},
		"an authority's other key":    {func(m *Manifest) { m.Authority.HPKE = []byte{4} }, true},
	} {
		next := before()
		c.change(&next)
		if got := Loosens(before(), next); got != c.want {
			t.Errorf("%s: loosens %v, want %v", name, got, c.want)
		}
	}
	reinstated := before()
	reinstated.Members[0].Status = Suspended
	if !Loosens(reinstated, before()) {
		t.Error("a suspension that ends does not loosen")
	}
	if Loosens(reinstated, reinstated) {
		t.Error("a suspension that stays loosens")
	}
	endless := before()
	endless.KeysEnd = 0
	if Loosens(endless, before()) || Loosens(endless, endless) {
		t.Error("fixing an end of the keys loosens")
	}
}
