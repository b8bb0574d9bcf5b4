package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDisplaceCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.json")
	for _, c := range []struct {
		verb, text string
		code       int
		want       string
	}{
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[308,318],"tr":[207,110]}}]}`, exitDone, `"est_local": -107`},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[-1,318],"tr":[207,110]}}]}`, exitBad, "cannot be negative"},
		{"wdd", `{"cases":[]}`, exitBad, "no case"},
		{"wdq", `{"cases":[{"name":"a","target":[400,280],"buffer":[200,230],"control":[1000,1000]}]}`, exitDone, `"wdq": -0.25`},
		{"wdq", `nonsense`, exitBad, "not the expected JSON"},
		{"migrate", `{"venues":["A","B"],"before_after":{"A":{"B":6,"gone":4},"B":{"B":9,"gone":1}}}`, exitDone, `"displacement_rate": 0.6`},
		{"migrate", `{"venues":["A"],"before_after":{"A":{"gone":4}}}`, exitBad, "no control venue"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run([]string{"displace", c.verb, file, "--json"}, streams{strings.NewReader(""), &out, &errs})
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%s %s: exit %d, %s%s", c.verb, c.text, code, &out, &errs)
		}
	}
}
