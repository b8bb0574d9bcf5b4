package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEstimateCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(append([]string{"estimate", file}, args...), streams{strings.NewReader(""), &out, &errs})
		return code, out.String(), errs.String()
	}
	write("a,b,c,count\n1,0,0,60\n0,1,0,49\n0,0,1,247\n1,1,0,4\n1,0,1,112\n0,1,1,142\n1,1,1,12\n")
	fast := []string{"--json", "--method", "loglinear_main,stepwise,dga", "--seed", "3"}
	code, out, _ := try(fast...)
	var r struct {
		N       int
		Seed    uint64
		Input   string `json:"input_sha256"`
		Verdict string
		Range   []float64
		Reasons []string
		Panel   []struct {
			Method   string
			Estimate *float64
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitDone {
		t.Fatalf("exit %d, %v in %s", code, err, out)
	}
	if r.N != 626 || r.Seed != 3 || len(r.Input) != 64 || r.Verdict != "range_only" || len(r.Panel) != 3 || len(r.Range) != 2 {
		t.Errorf("report: %+v", r)
	}
	if _, again, _ := try(fast...); again != out {
		t.Error("the same table and seed gave another answer")
	}
	if _, text, _ := try("--method", "loglinear_main,stepwise"); !strings.Contains(text, "refused  linkage_audit") {
		t.Errorf("gates are not shown:\n%s", text)
	}
	if code, out, errs := try("--method", "magic"); code != exitBad || out != "" || !strings.Contains(errs, "stepwise") {
		t.Errorf("an unknown method: exit %d, %q, %q", code, out, errs)
	}
	write("a,b,count\n1,0,-3\n")
	if code, out, errs := try("--json"); code != exitBad || out != "" || !strings.Contains(errs, "line 2") {
		t.Errorf("a negative count: exit %d, %q, %q", code, out, errs)
	}
}
