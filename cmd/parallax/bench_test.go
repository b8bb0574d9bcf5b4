package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"parallax/internal/bench"
)

func TestBench(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run([]string{"bench", "--quick", "--only", "seal", "--json", "--dir", t.TempDir()}, streams{nil, &out, &errs}); code != exitDone {
		t.Fatalf("exit %d\n%s", code, &errs)
	}
	var rep bench.Report
	d := json.NewDecoder(&out)
	if err := d.Decode(&rep); err != nil || d.More() || len(rep.Rows) != 1 || rep.Rows[0].Name != "seal" || rep.Rows[0].Peer.PerSecond <= 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	if !strings.Contains(errs.String(), "seal") {
		t.Errorf("no progress on stderr: %q", &errs)
	}
	out.Reset()
	if code := run([]string{"bench", "--only", "shoes"}, streams{nil, &out, &errs}); code != exitBad || out.Len() > 0 || !strings.Contains(errs.String(), "tokenise") {
		t.Errorf("exit %d, %q, %q", code, &out, &errs)
	}
}
