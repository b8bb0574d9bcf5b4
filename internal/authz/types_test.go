package authz

import "testing"

func TestWhoAsks(t *testing.T) {
	if p := From(t.Context()); p.Kind != Public || p.Organisation != "" || len(p.Roles) != 0 {
		t.Errorf("nobody was found: %+v", p)
	}
	p := From(With(t.Context(), Principal{Kind: Person, Person: "x", Roles: []Role{AuditorRole}}))
	if p.Person != "x" || !p.Has(AuditorRole) || p.Has(LeadReviewer) {
		t.Errorf("a person: %+v", p)
	}
}
