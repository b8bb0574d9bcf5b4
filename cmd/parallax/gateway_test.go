package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	exactly := func(what string, of any, keys ...string) {
		t.Helper()
		if have := slices.Sorted(maps.Keys(of.(map[string]any))); !slices.Equal(have, keys) {
			t.Errorf("%s has the keys %v, the contract %v", what, have, keys)
		}
	}
	exactly("the answer", got, "answer", "as_of", "ask_counsel", "conditional", "data_version", "direct", "duties", "prohibitions", "reasons", "routes")
	for _, key := range []string{"direct", "routes", "conditional", "ask_counsel", "duties", "prohibitions", "reasons"} {
		if _, ok := got[key].([]any); !ok {
			t.Errorf("%q is %v, not a list", key, got[key])
		}
	}
	route := got["routes"].([]any)[0]
	hop := route.(map[string]any)["hops"].([]any)[0].(map[string]any)
	exactly("a route", route, "hops", "ids", "unmet")
	exactly("a hop", hop, "conditions", "confidence", "from", "id", "kind", "mode", "obligations", "passes", "to")
	exactly("a duty", got["duties"].([]any)[0], "id", "obligations")
	if reasons := got["reasons"].([]any); !strings.Contains(reasons[len(reasons)-1].(string), "needs review by counsel") {
		t.Errorf("the last reason is %v", reasons[len(reasons)-1])
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

func TestGatewayDataIsSignedByTwoCounsel(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	overlay, err := os.ReadFile("testdata/gateway-overlay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("overlay.yaml"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	var cards []string
	for _, id := range []string{"counsel-a", "counsel-b"} {
		code, card, errs := command(t, "gateway", "key", "--key", at(id), "--id", id, "--entity", "bank-a")
		if code != exitDone {
			t.Fatal(errs)
		}
		cards = append(cards, card)
	}
	if err := os.WriteFile(at("counsel.json"), []byte("["+strings.Join(cards, ",")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := []string{"gateway", "route", "--from", "au.fsp", "--to", "plx.pool", "--holds", "token", "--wants", "token", "--purpose", "detect",
		"--facts", "reasonable_belief_enforcement,pool_agent", "--as-of", "2026-11-23"}
	ask := func() (int, string, string) {
		return command(t, append(pool, "--overlay", at("overlay.yaml"), "--published", at("pub.json"), "--counsel", at("counsel.json"))...)
	}
	if _, out, _ := command(t, pool...); !strings.Contains(out, "ASK COUNSEL") {
		t.Errorf("without the overlay: %s", out)
	}
	for i, id := range []string{"counsel-a", "counsel-b"} {
		code, _, errs := command(t, "gateway", "sign", at("overlay.yaml"), "--key", at(id), "-o", at("pub.json"), "--from", "2020-01-01", "--review", "reviewed for a test (simulated)")
		if code != exitDone {
			t.Fatal(errs)
		}
		code, out, errs := ask()
		if i == 0 && (code != exitFailed || !strings.Contains(errs, "two counsel")) {
			t.Errorf("with one signature: exit %d %s%s", code, out, errs)
		}
		if i == 1 && (code != exitDone || !strings.Contains(out, "YES") || !strings.Contains(out, "signed by counsel-a and counsel-b")) {
			t.Errorf("with two signatures: exit %d %s%s", code, out, errs)
		}
	}
	if err := os.WriteFile(at("overlay.yaml"), append(overlay, "\n# edited\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := ask(); code != exitFailed || !strings.Contains(errs, "not the one that counsel signed") {
		t.Errorf("an edited file: exit %d %s", code, errs)
	}
}

func TestGatewayDueAndLint(t *testing.T) {
	if code, out, _ := command(t, "gateway", "due", "AU-AMLCTF-41", "--since", "2026-12-23T15:00", "--in", "AU-NSW"); code != exitDone || !strings.Contains(out, "Wednesday 30 December 2026") {
		t.Error(code, out)
	}
	for _, bad := range [][]string{{"AU-AMLCTF-41", "--since", "yesterday"}, {"AU-XX", "--since", "2026-12-23"}, {"AU-AMLCTF-41", "--since", "2026-12-23", "--in", "AU-XX"}} {
		if code, out, _ := command(t, append([]string{"gateway", "due"}, bad...)...); code != exitBad || out != "" {
			t.Errorf("%v: exit %d %s", bad, code, out)
		}
	}
	if code, out, _ := command(t, "gateway", "lint"); code != exitDone || !strings.Contains(out, "UK-OSA-66-2025: was never in force") {
		t.Error(code, out)
	}
	if code, _, _ := command(t, "gateway", "lint", "--strict"); code != exitFailed {
		t.Error("warnings pass a strict look")
	}
}
