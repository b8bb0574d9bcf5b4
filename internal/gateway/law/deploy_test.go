package law

import (
	"crypto/rand"
	"strings"
	"testing"

	"parallax/internal/fault"
)

func deploySimulated(t *testing.T, openings ...string) (Files, Deployed) {
	t.Helper()
	files, err := Simulated(rand.Reader, openings...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Deploy(files, "2026-11-24")
	if err != nil {
		t.Fatal(err)
	}
	return files, d
}

// TestSimulatedDecisionsCarry: every standing decision of the simulated overlay
// is an answer that finder and Cedar give.
func TestSimulatedDecisionsCarry(t *testing.T) {
	_, d := deploySimulated(t, "b1", "basis-1")
	if len(d.SignedBy) != 2 || !strings.Contains(d.Set.Meta.Review, "needs review by counsel") {
		t.Errorf("signed by %v, says %q", d.SignedBy, d.Set.Meta.Review)
	}
	seen := map[string]bool{}
	for _, x := range d.Decisions {
		seen[x.ID] = true
		if _, _, err := d.Standing(x.ID, "2026-11-24"); err != nil {
			t.Errorf("%s: %v", x.ID, err)
		}
		if _, _, err := d.Standing(x.ID, "2019-12-31"); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s carries before its publication: %v", x.ID, err)
		}
	}
	if !seen["b1"] || !seen["basis-1"] {
		t.Error("the openings are not those that were named")
	}
}

func TestDeployHoldsFilesToEachOther(t *testing.T) {
	files, d := deploySimulated(t)
	other := strings.Replace(string(builtIn), `data_version: "2026-11-23.2"`, `data_version:  "2026-11-23.2"`, 1)
	for name, c := range map[string]struct {
		change func(*Files)
		kind   fault.Kind
	}{
		"no list of counsel": {func(f *Files) { f.Counsel = File{} }, fault.Invalid},
		"edited overlay":     {func(f *Files) { f.Overlay.Raw = append(append([]byte{}, f.Overlay.Raw...), '\n') }, fault.Forbidden},
		"other rows under it, same version": {func(f *Files) {
			f.Data = File{"other.yaml", []byte(other)}
		}, fault.Forbidden},
		"no publication": {func(f *Files) { f.Published.Raw = []byte("[]") }, fault.Invalid},
	} {
		f := files
		c.change(&f)
		if _, err := Deploy(f, "2026-11-24"); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	files.Published = File{}
	unsigned, err := Deploy(files, "2026-11-24")
	if err != nil || unsigned.Digest == "" || len(unsigned.Decisions) != 0 {
		t.Fatal(err, unsigned.Decisions)
	}
	if _, _, err := unsigned.Standing("POOL-IN-FSP", "2026-11-24"); !fault.Is(err, fault.Forbidden) {
		t.Error("a decision that nobody signed stands", err)
	}
	if unsigned.Digest == d.Digest {
		t.Error("who signed is not in the digest of the data")
	}
}

// TestDecisionsThatTheRowsDoNotCarry: facts taken away, another route, a route
// that is not minimal, a false id.
func TestDecisionsThatTheRowsDoNotCarry(t *testing.T) {
	_, d := deploySimulated(t)
	base := d.Decisions[0]
	for name, change := range map[string]func(*Decision){
		"a fact less":     func(x *Decision) { x.Facts = x.Facts[:1] },
		"a fact denied":   func(x *Decision) { x.Facts = []string{x.Facts[0], "not:" + x.Facts[1]} },
		"another route":   func(x *Decision) { x.Route = []string{"AU-AMLCTF-41"} },
		"unknown fact":    func(x *Decision) { x.Facts = append(x.Facts[:2:2], "made_up") },
		"another purpose": func(x *Decision) { x.Purpose = "prosecute" },
	} {
		x := base
		change(&x)
		if _, err := x.Check(d.Finder, "2026-11-24"); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, list := range map[string][]Decision{
		"twice":      {base, base},
		"no flow":    {{ID: "x", Route: base.Route, FactsBy: "y"}},
		"no route":   {{ID: "x", Flow: FlowExport, FactsBy: "y"}},
		"no witness": {{ID: "x", Flow: FlowExport, Route: base.Route}},
	} {
		if err := checkDecisions(list); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
