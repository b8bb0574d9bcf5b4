package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the program in this process.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

func routeArgs(more ...string) []string {
	return append([]string{"gateway", "route", "--from", "au.fsp", "--to", "us.provider", "--holds", "transaction,customer_identity,account_id",
		"--wants", "demand", "--purpose", "preserve", "--as-of", "2026-11-23"}, more...)
}

func TestGatewayRouteJSON(t *testing.T) {
	code, out, errs := command(t, routeArgs("--facts", "suspicion_formed,agency_function,serious_contravention", "--json")...)
	if code != exitDone || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"data_version", "as_of", "answer", "direct", "routes", "conditional", "ask_counsel", "duties", "prohibitions", "reasons"} {
		if _, ok := got[key]; !ok {
			t.Errorf("the answer has no %q", key)
		}
	}
	for _, key := range []string{"direct", "routes", "conditional", "ask_counsel", "duties", "prohibitions", "reasons"} {
		if _, ok := got[key].([]any); !ok {
			t.Errorf("%q is %v, not a list", key, got[key])
		}
	}
	hop := got["routes"].([]any)[0].(map[string]any)["hops"].([]any)[0].(map[string]any)
	for _, key := range []string{"id", "from", "to", "kind", "mode", "passes", "conditions", "obligations", "confidence"} {
		if hop[key] == nil {
			t.Errorf("a hop has no %q", key)
		}
	}
	if got["answer"] != "yes" || hop["id"] != "AU-AMLCTF-41" {
		t.Errorf("answered %v by %v", got["answer"], hop["id"])
	}
}

func TestGatewayRouteAnswersChangeWithFactsAndDate(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"a route", routeArgs("--facts", "suspicion_formed,agency_function,serious_contravention"), "YES"},
		{"a fact less", routeArgs("--facts", "suspicion_formed,agency_function"), "CONDITIONAL"},
		{"a fact denied", routeArgs("--facts", "suspicion_formed,agency_function,not:serious_contravention"), "NO"},
		{"a public body", []string{"gateway", "route", "--from", "austrac", "--to", "afp", "--wants", "austrac_info", "--purpose", "investigate", "--facts", "agency_function", "--as-of", "2026-11-23"}, "YES"},
		{"before the law", []string{"gateway", "route", "--from", "austrac", "--to", "afp", "--wants", "austrac_info", "--purpose", "investigate", "--facts", "agency_function", "--as-of", "2021-06-16"}, "starts 2021-06-17"},
		{"the pool", []string{"gateway", "route", "--from", "au.fsp", "--to", "plx.pool", "--holds", "token", "--wants", "token", "--purpose", "detect", "--as-of", "2026-11-23"}, "ASK COUNSEL"},
		{"a state", []string{"gateway", "route", "--from", "au.prescribed", "--from-in", "AU-NSW", "--to", "au.police", "--to-in", "AU-VIC", "--holds", "wellbeing_info", "--wants", "wellbeing_info", "--purpose", "protect_child", "--facts", "prescribed_bodies,relates_to_child", "--as-of", "2026-11-23"}, "limited to bodies of one state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := command(t, c.args...)
			if code != exitDone || !strings.Contains(out, c.says) || !strings.Contains(out, "needs review by counsel") {
				t.Errorf("exit %d %s\n%s", code, errs, out)
			}
		})
	}
}

func TestGatewayRefusesBadQuestions(t *testing.T) {
	code, out, errs := command(t, "gateway", "route", "--from", "au.fps", "--to", "austrak", "--holds", "transactions", "--wants", "tokn", "--purpose", "detecting", "--facts", "warant", "--as-of", "23/11/2026")
	if code != exitBad || out != "" {
		t.Fatalf("exit %d, printed %q", code, out)
	}
	for _, s := range []string{`"au.fps"`, "au.fsp", `"austrak"`, "austrac", `"transactions"`, "transaction", `"tokn"`, "token", `"detecting"`, "detect", `"warant"`, "warrant", `"23/11/2026"`} {
		if !strings.Contains(errs, s) {
			t.Errorf("the error does not say %s: %s", s, errs)
		}
	}
	if code, _, errs := command(t, "gateway", "route", "--from", "afp", "--to", "afp", "--wants", "token", "--purpose", "detect"); code != exitBad || !strings.Contains(errs, "two different") {
		t.Errorf("exit %d %s", code, errs)
	}
}

func TestGatewayCheckExitCodes(t *testing.T) {
	raw, err := os.ReadFile("../../internal/gateway/law/data/scenarios.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, path string
		code       int
		out, errs  string
	}{
		{"all pass", file("good.yaml", string(raw)), exitDone, "PASS S1a\n", ""},
		{"one fails", file("fails.yaml", strings.Replace(string(raw), "[[AU-AMLCTF-41, AU-AMLCTF-121P]]", "none", 1)), exitFailed,
			"FAIL S2b expected routes none got [[AU-AMLCTF-41, AU-AMLCTF-121P]]\n", "1 of 15"},
		{"bad key", file("bad.yaml", strings.Replace(string(raw), "purpose: detect", "porpose: detect", 1)), exitBad, "", "line 99"},
		{"no file", filepath.Join(dir, "absent.yaml"), exitBad, "", "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := command(t, "gateway", "check", c.path)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
		})
	}
}
