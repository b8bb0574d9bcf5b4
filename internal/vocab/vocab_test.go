package vocab

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"parallax/internal/fault"
)

func TestListsAreWellFormed(t *testing.T) {
	code := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	names := map[string]bool{}
	for _, l := range All() {
		if l.Name == "" || names[l.Name] || len(l.words) == 0 {
			t.Errorf("list %q has no name of its own or no words", l.Name)
		}
		names[l.Name] = true
		codes, labels := map[string]bool{}, map[string]bool{}
		for _, w := range l.words {
			if !code.MatchString(w.Code) || codes[w.Code] || labels[w.Label] {
				t.Errorf("%s: %q is malformed or twice there", l.Name, w.Code)
			}
			codes[w.Code], labels[w.Label] = true, true
			if w.Label == "" || len(w.Label) > 60 || strings.HasSuffix(w.Label, ".") {
				t.Errorf("%s %s: label %q", l.Name, w.Code, w.Label)
			}
			if !strings.HasSuffix(w.Description, ".") || len(w.Description) > 160 {
				t.Errorf("%s %s: description %q", l.Name, w.Code, w.Description)
			}
		}
	}
}

// TestCodesAreFixed fails when a code that is inside signed objects changes.
func TestCodesAreFixed(t *testing.T) {
	for _, c := range []struct {
		list List
		want string
	}{
		{Roles, "suspected_consumer suspected_facilitator suspected_distributor suspected_travelling suspected_merchant possible_victim mule_or_victim_unknown third_party unknown"},
		{Sources, "a b c d e f"},
		{Information, "1 2 3 4 5 6"},
		{Kinds, "payment account communication report hash access device record"},
		{Sectors, "bank payment platform hotline police fiu regulator research"},
		{Strengths, "1 2 3"},
		{LeadStates, "forming ready requested approved logged released deconflicted decided outcome_released"},
		{MemberStatuses, "active suspended"},
	} {
		if got := strings.Join(c.list.Codes(), " "); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.list.Name, got, c.want)
		}
	}
}

func TestLookUp(t *testing.T) {
	if !Roles.Has(RolePossibleVictim) || Roles.Has("") || Roles.Has("Unknown") {
		t.Error("Has")
	}
	if got := Roles.Label(RoleUnknown); got != "Not known" {
		t.Errorf("Label = %q", got)
	}
	if got := Roles.Label("<script>"); got != "Not listed" {
		t.Errorf("the label of an unlisted code is %q", got)
	}
	if err := Roles.Check(RoleUnknown); err != nil {
		t.Error(err)
	}
	err := Roles.Check("<script>")
	if fault.KindOf(err) != fault.Invalid || strings.Contains(fault.Sentence(err), "script") || !strings.Contains(fault.Sentence(err), "subject role") {
		t.Errorf("Check: %v", err)
	}
	words := Roles.Words()
	words[0].Code = "changed"
	if slices.Contains(Roles.Codes(), "changed") {
		t.Error("a caller can change the list")
	}
}
