package scenario

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/shareddata"
)

func check(t *testing.T, name string, raw []byte) []Result {
	t.Helper()
	f, err := law.BuiltInFinder()
	if err != nil {
		t.Fatal(err)
	}
	file, err := Read(name, raw)
	if err != nil {
		t.Fatal(err)
	}
	results, err := file.Check(f, name, raw)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestAllWorkedScenariosPass(t *testing.T) {
	raw, err := os.ReadFile("../law/data/scenarios.yaml")
	if err != nil {
		t.Fatal(err)
	}
	results := check(t, "scenarios.yaml", raw)
	if len(results) != 15 {
		t.Fatalf("%d cases were read", len(results))
	}
	for _, r := range results {
		if !r.Pass {
			t.Error(r.Text())
		}
	}
}

func TestBuiltInDataIsTheSharedData(t *testing.T) {
	for _, name := range []string{"gateways.yaml", "scenarios.yaml", "barriers.yaml", "stakeholders.yaml"} {
		shared := shareddata.Read(t, "ecosystem", name)
		own, err := os.ReadFile("../law/data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(shared, own) {
			t.Errorf("%s differs from the shared data set; a change of the law data belongs in an overlay or in both", name)
		}
	}
}

// one is a file with one case whose expectations can be put in.
const one = `meta: {gateways_version: "2026-11-23.2", max_hops: 5}
scenarios:
- id: T
  title: one
  cases:
  - id: T1
    question: "?"
    as_of: "2026-11-23"
    from: au.fsp
    holds: [transaction, customer_identity, account_id]
    to: us.provider
    wants: demand
    purpose: preserve
    facts: [suspicion_formed, agency_function, serious_contravention, intends_warrant]
    expect: EXPECT
`

func with(expect string) []byte { return []byte(strings.Replace(one, "EXPECT", expect, 1)) }

func TestWhatIsCompared(t *testing.T) {
	const route = "[AU-AMLCTF-41, AU-AMLCTF-121, AU-US-PRES]"
	for _, c := range []struct{ name, expect, text string }{
		{"as it is", "{direct: none, routes: [" + route + "], ask_counsel: [], reasons_for_no_direct: [P-AU-123, other]}", "PASS T1"},
		{"doubled routes are one", "{routes: [" + route + ", " + route + "]}", "PASS T1"},
		{"order of a route", "{routes: [[AU-US-PRES, AU-AMLCTF-41, AU-AMLCTF-121]]}",
			"FAIL T1 expected routes [[AU-US-PRES, AU-AMLCTF-41, AU-AMLCTF-121]] got [[AU-AMLCTF-41, AU-AMLCTF-121, AU-US-PRES]]"},
		{"a direct way", "{direct: [AU-PRIV-16A1]}", "FAIL T1 expected direct [AU-PRIV-16A1] got none"},
		{"none", "{routes: none}", "FAIL T1 expected routes none got [[AU-AMLCTF-41, AU-AMLCTF-121, AU-US-PRES]]"},
		{"counsel", "{ask_counsel: [AU-POOL-AGENT]}", "FAIL T1 expected ask_counsel [AU-POOL-AGENT] got none"},
		{"a prohibition", "{direct: none, reasons_for_no_direct: [P-US-SAR]}", "FAIL T1 expected prohibitions P-US-SAR got [P-AU-123]"},
		{"what is not listed is not compared", "{ask_counsel: none, must_show: [anything], note: free}", "PASS T1"},
		{"conditional", "{conditional: none}", "FAIL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := check(t, "t.yaml", with(c.expect))[0]
			if got := r.Text(); !strings.HasPrefix(got, c.text) {
				t.Errorf("got  %s\nwant %s", got, c.text)
			}
		})
	}
}

func TestBadFilesNameTheLine(t *testing.T) {
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"unknown key", strings.Replace(string(with("{direct: none}")), "wants:", "wnats:", 1), []string{"line 12", `key "wnats"`, "wants"}},
		{"unknown key in expect", string(with("{routs: none}")), []string{"line 15", `key "routs"`, "routes"}},
		{"key twice", strings.Replace(string(with("{direct: none}")), "    to: us.provider", "    to: us.provider\n    to: au.fsp", 1), []string{"line 12", `"to"`, "twice", "line 11"}},
		{"id twice", string(with("{direct: none}")) + strings.SplitN(string(with("{direct: none}")), "cases:\n", 2)[1], []string{"line 16", `"T1"`, "line 6"}},
		{"scenario twice", string(with("{direct: none}")) + strings.SplitN(string(with("{direct: none}")), "scenarios:\n", 2)[1], []string{"line 16", `"T"`}},
		{"unknown actor", strings.Replace(string(with("{direct: none}")), "us.provider", "us.provder", 1), []string{"line 6", "T1", `"us.provder"`, "us.provider"}},
		{"bad date", strings.Replace(string(with("{direct: none}")), "2026-11-23\"\n    from", "2026-11-31\"\n    from", 1), []string{"T1", "2026-11-31"}},
		{"nothing expected", string(with("{note: x}")), []string{"line 6", "T1", "expects nothing"}},
		{"no cases", "meta: {max_hops: 5}\nscenarios: []\n", []string{"no cases"}},
		{"empty", "", []string{"empty"}},
		{"two documents", string(with("{direct: none}")) + "---\na: b\n", []string{"second document"}},
		{"not YAML", "{", []string{"line"}},
		{"wrong kind", string(with("{direct: {a: b}}")), []string{"line 15"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := law.BuiltInFinder()
			if err != nil {
				t.Fatal(err)
			}
			file, err := Read("bad.yaml", []byte(c.text))
			if err == nil {
				_, err = file.Check(f, "bad.yaml", []byte(c.text))
			}
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error %v", err)
			}
			for _, s := range append(c.says, "bad.yaml") {
				if !strings.Contains(fault.Sentence(err), s) {
					t.Errorf("%q does not say %q", fault.Sentence(err), s)
				}
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(with("{direct: none}"))
	f.Add([]byte("scenarios: [{cases: [{id: a, expect: {routes: [[x]]}}]}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		finder, err := law.BuiltInFinder()
		if err != nil {
			t.Fatal(err)
		}
		file, err := Read("fuzz.yaml", raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if _, err := file.Check(finder, "fuzz.yaml", raw); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}

// TestEdgesOfTheSemantics: questions where dates, facts, states and what is
// delivered lie close to another answer, in every layout that a file may have.
func TestEdgesOfTheSemantics(t *testing.T) {
	const path = "testdata/edges.yaml"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(path, raw)
	if err != nil {
		t.Fatal(err)
	}
	finder, err := law.BuiltInFinder()
	if err != nil {
		t.Fatal(err)
	}
	results, err := f.Check(finder, path, raw)
	if err != nil || len(results) != 41 || f.Unread != nil {
		t.Fatalf("%d cases, unread %v: %v", len(results), f.Unread, err)
	}
	for _, r := range results {
		if !r.Pass {
			t.Error(r.Text())
		}
	}
}

// TestNotesAreReportedAndSlipsRefused: a key that nobody reads is named with its
// line; one that looks like a slip of the pen is refused. Cases that can be read are
// answered beside those that cannot, which are all named.
func TestNotesAreReportedAndSlipsRefused(t *testing.T) {
	const text = `meta: {author: somebody}
scenarios:
- id: A
  cases:
  - {id: A1, as_of: "2026-11-23", from: au.fsp, holds: [token], to: plx.pool, wants: token, purpose: detect, expect: {answer: ask_counsel, duties: [], remark: x}}
  - {id: A2, as_of: "2026-02-30", from: au.fsp, holds: [token], to: plx.pool, wants: token, purpose: detect, expect: {routes: none}}
  - {id: A3, as_of: "2026-11-23", from: au.fps, holds: [token], to: plx.pool, wants: token, purpose: detect, expect: {routes: none}}
`
	finder, err := law.BuiltInFinder()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read("x.yaml", []byte(text))
	if err != nil || len(f.Unread) != 2 || !strings.Contains(f.Unread[0], `line 1: key "author"`) || !strings.Contains(f.Unread[1], `line 5: key "remark"`) {
		t.Fatal(f.Unread, err)
	}
	results, err := f.Check(finder, "x.yaml", []byte(text))
	if len(results) != 1 || !results[0].Pass || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "line 6: case A2") || !strings.Contains(err.Error(), "line 7: case A3") {
		t.Errorf("%v %v", results, err)
	}
	for _, slip := range []string{"porpose", "wnats", "fact", "asof", "Expect"} {
		good := map[string]string{"porpose": "purpose", "wnats": "wants", "fact": "holds", "asof": "as_of", "Expect": "expect"}[slip]
		if _, err := Read("x.yaml", []byte(strings.Replace(text, good+":", slip+":", 1))); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "line 5") || !strings.Contains(err.Error(), slip) {
			t.Errorf("%s: %v", slip, err)
		}
	}
}
