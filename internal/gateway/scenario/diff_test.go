package scenario

import (
	"os"
	"slices"
	"strings"
	"testing"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

func compareWith(t *testing.T, change func(*law.Set)) Diff {
	t.Helper()
	before, err := law.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	after, err := law.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	change(&after)
	raw, err := os.ReadFile("../law/data/scenarios.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := Read("scenarios.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Compare(t.Context(), before, after, []File{file}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDiffNamesTheAnswersThatChange(t *testing.T) {
	if d := compareWith(t, func(*law.Set) {}); len(d.Rows)+len(d.Answers)+len(d.Codes) != 0 || d.Asked != 15 {
		t.Errorf("nothing changed and the diff says %+v", d)
	}
	d := compareWith(t, func(s *law.Set) {
		s.Gateways = slices.DeleteFunc(s.Gateways, func(g route.Gateway) bool { return g.ID == "UK-ECCT-188" })
	})
	if len(d.Rows) != 1 || d.Rows[0].What != "removed" || d.Rows[0].ID != "UK-ECCT-188" {
		t.Errorf("rows %+v", d.Rows)
	}
	if !slices.ContainsFunc(d.Answers, func(m Moved) bool {
		return m.Case == "S2c" && strings.Contains(m.Old, "UK-ECCT-188") && strings.HasPrefix(m.New, "no")
	}) {
		t.Errorf("the scenario whose answer changes is not named: %+v", d.Answers)
	}
	if slices.ContainsFunc(d.Answers, func(m Moved) bool { return m.Case != "" && m.Case != "S2c" }) {
		t.Error("another scenario is said to change")
	}
	d = compareWith(t, func(s *law.Set) {
		i := slices.IndexFunc(s.Gateways, func(g route.Gateway) bool { return g.ID == "UK-ECCT-188" })
		s.Gateways[i].ValidFrom = "2027-01-01"
	})
	if len(d.Rows) != 1 || !strings.Contains(strings.Join(d.Rows[0].Fields, ""), "valid_from: 2024-01-15 -> 2027-01-01") {
		t.Errorf("rows %+v", d.Rows)
	}
	if !slices.ContainsFunc(d.Answers, func(m Moved) bool { return m.Case == "" && m.Question.AsOf == "2024-01-15" }) {
		t.Error("the grid does not ask on the day from which the row counted")
	}
}
