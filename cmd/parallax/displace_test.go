package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDisplaceCommands(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "in.json")
	for _, c := range []struct {
		verb, text string
		code       int
		want       string
	}{
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[308,318],"tr":[207,110]}}]}`, exitDone, `"est_local": -107`},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[-1,318],"tr":[207,110]}}]}`, exitBad, "cannot be negative"},
		{"wdd", `{"cases":[]}`, exitBad, "no case"},
		{"wdd", "\ufeff" + `{"cases":[{"name":"a","input":{"ct":[308,318],"tr":[207,110]}}]}`, exitDone, `"est_local": -107`},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[308,318],"tr":[207]}}]}`, exitBad, `case 1 "a": [207] is not a pair`},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[308,null],"tr":[207,110]}}]}`, exitBad, "not a pair"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":["3",4],"tr":[207,110]}}]}`, exitBad, "not a pair"},
		{"wdd", `{"cases":[{"name":"a","input":{"tr":[207,110]}}]}`, exitBad, `there is no "ct"`},
		{"wdd", `{"cases":[{"name":"a"}]}`, exitBad, `there is no "ct"`},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[1e308,1e308],"tr":[1,1]}}]}`, exitBad, "nor above"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[0,0],"tr":[0,0]}}]}`, exitBad, "every count is zero"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[3,3],"tr":[4,4],"alpha":2}}]}`, exitBad, "between 0 and 1"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[3,3],"tr":[4,4],"dispersion":-1}}]}`, exitBad, "dispersion"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[3,3],"tr":[4,4],"aw":[0,1]}}]}`, exitBad, "above zero"},
		{"wdd", `{"cases":[{"name":"a","input":{"ct":[3,3],"tr":[4,4],"dt":[1,2]}}]}`, exitBad, "together"},
		{"wdq", `{"cases":[{"name":"a","target":[400,280],"buffer":[200,230],"control":[1000,1000]}]}`, exitDone, `"wdq": -0.25`},
		{"wdq", `{"cases":[{"name":"a","target":[10,2],"control":[5,5]}]}`, exitBad, `there is no "buffer"`},
		{"wdq", `{"cases":[{"name":"a","target":[10,2],"buffer":[1],"control":[5,5]}]}`, exitBad, "not a pair"},
		{"wdq", `{"cases":[{"name":"a","target":[10,2],"buffer":[0,0],"control":[5,5]}]}`, exitDone, "not to be believed"},
		{"wdq", `{"cases":[{"name":"a","target":[10,12],"buffer":[1,1],"control":[5,5]}]}`, exitDone, `"report": false`},
		{"wdq", `{"cases":[{"name":"a","target":[10,10],"buffer":[1,1],"control":[5,5]}]}`, exitBad, "not defined"},
		{"wdq", `nonsense`, exitBad, "not the expected JSON"},
		{"migrate", `{"venues":["A","B"],"before_after":{"A":{"B":6,"gone":4},"B":{"B":9,"gone":1}}}`, exitDone, `"displacement_rate": 0.6`},
		{"migrate", `{"venues":["A","B"],"before_after":{"A":{"B":6.5,"gone":4},"B":{"B":9,"gone":1}}}`, exitBad, "from A to B is 6.5"},
		{"migrate", `{"venues":["A","B"],"before_after":{"A":{"B":-6,"gone":4},"B":{"B":9,"gone":1}}}`, exitBad, "from A to B is -6"},
		{"migrate", `{}`, exitBad, "venues is empty"},
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
