package scope

import "testing"

// Nobody's rows, one organisation's and the whole pool's stay three things.
func TestScopes(t *testing.T) {
	for name, c := range map[string]struct {
		s            Scope
		organisation string
		whole        bool
		text         string
	}{
		"zero":             {Scope{}, "", false, ""},
		"nobody's":         {Of(""), "", false, ""},
		"one's":            {Of("bank-a"), "bank-a", false, "bank-a"},
		"an asterisk's":    {Of("*"), "", false, ""}, // no organisation reaches the pool by its name
		"the whole pool's": {Pool(), "", true, "*"},
	} {
		if c.s.Organisation() != c.organisation || c.s.Whole() != c.whole || c.s.String() != c.text {
			t.Errorf("%s: %q, whole %t, in a word %q", name, c.s.Organisation(), c.s.Whole(), c.s)
		}
	}
	if s, ok := From(t.Context()); ok || s != (Scope{}) {
		t.Errorf("no request: %v, %t", s, ok)
	}
	if s, ok := From(With(t.Context(), Of("bank-a"))); !ok || s != Of("bank-a") {
		t.Errorf("a request: %v, %t", s, ok)
	}
}
