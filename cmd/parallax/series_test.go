package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/internal/shareddata"
)

// asked runs a command on a file with the given text.
func asked(t *testing.T, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if a == "FILE" {
			args[i] = file
		}
	}
	var out, errs bytes.Buffer
	code = run(args, streams{strings.NewReader(""), &out, &errs})
	return code, out.String(), errs.String()
}

// seriesText is a small series with a step at 12 and a comparison unit.
func seriesText() string {
	b := &strings.Builder{}
	fmt.Fprintln(b, "t,y,other,third,pop,on")
	for i := range 24 {
		on := i / 12
		fmt.Fprintf(b, "%d,%d,%d,%d,1000,%d\n", i, 100+i%3-30*on, 90+i%3, 95+(i*5)%4, on)
	}
	return b.String()
}

func TestSeriesCommands(t *testing.T) {
	t.Parallel()
	aml := "time,status,g\n9,1,a\n13,1,a\n13,0,a\n5,1,b\n5,1,b\n8,2,b\n"
	var moves strings.Builder
	moves.WriteString("actor,venue,fate\n")
	for i := range 120 {
		fmt.Fprintf(&moves, "t%d,treated,%s\nc%d,control,%s\n", i, []string{"moved", "moved", "gone"}[i%3], i, []string{"stayed", "stayed", "stayed", "gone"}[i%4])
	}
	for _, c := range []struct {
		name, text string
		args       []string
		code       int
		want       string
	}{
		{"its", seriesText(), []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "on", "--offset", "pop", "--json"}, exitDone, `"rate_ratio"`},
		{"its at a time", seriesText(), []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "12"}, exitDone, "Rate ratio of the step"},
		{"its linear", seriesText(), []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "12", "--family", "linear"}, exitDone, "Newey-West lag 2 and 4"},
		{"its without a column", seriesText(), []string{"its", "FILE", "--outcome", "z", "--time", "t", "--intervention", "12"}, exitBad, `no column "z"; the columns are t, y`},
		{"its without an intervention", seriesText(), []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "ban"}, exitBad, "neither a column nor a time"},
		{"its of text", "t,y\n1,a\n", []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "1"}, exitBad, "line 2: y is"},
		{"its of nothing", "", []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "1"}, exitBad, "no header"},
		{"survival", aml, []string{"survival", "FILE", "--json"}, exitDone, `"incidence"`},
		{"survival in text", aml, []string{"survival", "FILE"}, exitDone, "Log-rank: chi-squared"},
		{"survival with a byte order mark", "\ufeff9,1\n13,1\n", []string{"survival", "FILE", "--json"}, exitDone, `"n": 2`},
		{"survival without a first time", "NA,1\n13,1\n", []string{"survival", "FILE"}, exitBad, `line 1: the time "NA"`},
		{"survival with half the groups", "time,status,g\n9,1,a\n13,1\n", []string{"survival", "FILE"}, exitBad, "line 3: 2 fields"},
		{"survival with semicolons", "time;status\n9;1\n", []string{"survival", "FILE"}, exitBad, "line 1: fields are separated by semicolons"},
		{"its of zeros", "t,y\n1,0\n2,0\n3,0\n4,0\n5,4\n6,4\n7,3\n8,4\n9,4\n", []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "5", "--json"}, exitBad, "nothing was counted"},
		{"its beyond numbers", "t,y\n1,5e300\n2,5e300\n", []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "2", "--json"}, exitBad, "point 1"},
		{"its with another length", "t,y\n1,2\n2\n", []string{"its", "FILE", "--outcome", "y", "--time", "t", "--intervention", "2"}, exitBad, "line 3: 1 fields"},
		{"survival of nobody", "time,status\n", []string{"survival", "FILE"}, exitBad, "nobody"},
		{"ratio", moves.String(), []string{"displace", "ratio", "FILE", "--json"}, exitDone, `"cannot_tell": false`},
		{"ratio in text", moves.String(), []string{"displace", "ratio", "FILE"}, exitDone, "turned up elsewhere under the same selector"},
		{"ratio of few", "actor,venue,fate\na,treated,moved\nb,control,stayed\n", []string{"displace", "ratio", "FILE"}, exitDone, "cannot tell: 1 actors"},
		{"ratio without controls", "actor,venue,fate\na,treated,moved\n", []string{"displace", "ratio", "FILE"}, exitBad, "without controls"},
		{"level", seriesText(), []string{"displace", "level", "FILE", "--outcome", "y", "--time", "t", "--intervention", "12", "--json"}, exitDone, `"cumulative"`},
		{"level with a regressor", seriesText(), []string{"displace", "level", "FILE", "--outcome", "y", "--time", "t", "--intervention", "on", "--regressor", "third"}, exitDone, "all periods together"},
		{"level too late", seriesText(), []string{"displace", "level", "FILE", "--outcome", "y", "--time", "t", "--intervention", "99"}, exitBad, "never begins"},
		{"synth", "t,y,a,b,c\n1,5,4,6,9\n2,6,5,9,3\n3,5,4,5,8\n4,7,6,8,2\n5,9,6,7,4\n6,2,6,8,4\n", []string{"displace", "synth", "FILE", "--time", "t", "--treated", "y", "--from", "6", "--json"}, exitDone, `"placebo_p"`},
		{"synth of two points", "t,y,a,b\n1,5,4,6\n2,5,4,6\n3,5,4,6\n4,7,6,8\n", []string{"displace", "synth", "FILE", "--time", "t", "--treated", "y", "--from", "4"}, exitBad, "exactly before"},
		{"synth of nobody", seriesText(), []string{"displace", "synth", "FILE", "--time", "t", "--treated", "x", "--from", "5"}, exitBad, `no unit "x"`},
	} {
		code, out, errs := asked(t, c.text, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit %d, %s%s", c.name, code, out, errs)
		}
		if code != exitDone && out != "" {
			t.Errorf("%s: a failure wrote to stdout: %s", c.name, out)
		}
	}
}

// The worked examples of the guide, on the published data.
func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	at := func(name string) string { return shareddata.Path(t, "statistics", "displacement", name) }
	for _, c := range []struct {
		args  []string
		check func(t *testing.T, out []byte)
	}{
		{[]string{"its", at("its_sicily.csv"), "--outcome", "aces", "--time", "time", "--intervention", "smokban", "--offset", "stdpop", "--harmonics", "2"}, func(t *testing.T, out []byte) {
			var r struct {
				Ratio struct{ Estimate, Low, High float64 } `json:"rate_ratio"`
			}
			must(t, json.Unmarshal(out, &r))
			if fmt.Sprintf("%.3f %.3f %.3f", r.Ratio.Estimate, r.Ratio.Low, r.Ratio.High) != "0.885 0.839 0.933" {
				t.Errorf("%+v", r)
			}
		}},
		{[]string{"survival", at("km_aml.csv")}, func(t *testing.T, out []byte) {
			var r struct {
				Groups []struct{ Median float64 }
				Rank   struct{ ChiSq float64 } `json:"logrank"`
			}
			must(t, json.Unmarshal(out, &r))
			if len(r.Groups) != 2 || r.Groups[0].Median != 31 || r.Groups[1].Median != 23 || fmt.Sprintf("%.3f", r.Rank.ChiSq) != "3.396" {
				t.Errorf("%+v", r)
			}
		}},
		{[]string{"displace", "synth", at("basque_gdpcap.csv"), "--time", "year", "--treated", "Basque Country (Pais Vasco)", "--from", "1970"}, func(t *testing.T, out []byte) {
			var r struct {
				P       float64 `json:"placebo_p"`
				Weights map[string]float64
			}
			must(t, json.Unmarshal(out, &r))
			if len(r.Weights) != 3 || fmt.Sprintf("%.2f", r.P) != "0.41" {
				t.Errorf("%+v", r)
			}
		}},
		{[]string{"displace", "migrate", at("migration_matrix_example.json")}, func(t *testing.T, out []byte) {
			if !strings.Contains(string(out), `"excess_exit": 0.3`) {
				t.Error(string(out))
			}
		}},
	} {
		var out, errs bytes.Buffer
		if code := run(append(c.args, "--json"), streams{strings.NewReader(""), &out, &errs}); code != exitDone || errs.Len() > 0 {
			t.Fatalf("%v: exit %d, %s", c.args, code, &errs)
		}
		c.check(t, out.Bytes())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
