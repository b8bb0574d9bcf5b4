package survival

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"parallax/internal/shareddata"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.8g, want %.8g", what, got, want)
	}
}

func aml(t *testing.T) []Subject {
	t.Helper()
	all, err := ReadCSV(bytes.NewReader(shareddata.Read(t, "statistics", "displacement", "km_aml.csv")))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPublishedCurves(t *testing.T) {
	var doc struct {
		KM     map[string][][]*float64
		Median map[string]float64
		ChiSq  float64 `json:"logrank_chisq"`
		P      float64
	}
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "displacement", "km_aml_reference.json"), &doc); err != nil {
		t.Fatal(err)
	}
	names, by := Groups(aml(t))
	if len(names) != 2 || len(doc.KM) != 2 {
		t.Fatal(names)
	}
	for _, name := range names {
		c := KaplanMeier(by[name])
		if len(c.Steps) != len(doc.KM[name]) {
			t.Fatalf("%s: %d steps", name, len(c.Steps))
		}
		for i, want := range doc.KM[name] {
			near(t, name+" time", c.Steps[i].Time, *want[0], 0)
			near(t, name+" survival", c.Steps[i].Survival, *want[1], 5.1e-5)
			if want[2] != nil {
				near(t, name+" error", c.Steps[i].SE, *want[2], 5.1e-6)
			}
		}
		at, low, high := c.Median()
		near(t, name+" median", at, doc.Median[name], 0)
		if !(low < at && high >= at) {
			t.Errorf("%s: median %g within %g to %g", name, at, low, high)
		}
	}
	got, err := LogRank(aml(t))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "chi-squared", got.ChiSquared, doc.ChiSq, 1e-7)
	near(t, "p", got.P, doc.P, 5e-4)
}

// The limits of the median are where the limits of the curve cross one half.
func TestMedianLimitsCrossTheCurveLimits(t *testing.T) {
	_, by := Groups(aml(t))
	for name, g := range by {
		c := KaplanMeier(g)
		_, low, high := c.Median()
		for _, s := range c.Steps {
			if s.Low > s.Survival || s.High < s.Survival || s.Low < 0 || s.High > 1 {
				t.Errorf("%s: limits %+v", name, s)
			}
			if s.Time < low && s.Low <= 0.5 || s.Time < high && s.High <= 0.5 && s.Survival > 0 {
				t.Errorf("%s: limit %g to %g passed at %+v", name, low, high, s)
			}
		}
	}
}

// With one cause, incidence is one minus Kaplan-Meier and its error Greenwood's.
// With more, the shares of all causes and of who still waits add up to one.
func TestIncidence(t *testing.T) {
	all := aml(t)
	km := KaplanMeier(all)
	for i, s := range Incidence(all, Event) {
		near(t, "share", s.Share, 1-km.Steps[i].Survival, 1e-12)
		if km.Steps[i].Survival > 0 {
			near(t, "error", s.SE, km.Steps[i].SE, 1e-9)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	var mixed, merged []Subject
	for range 300 {
		s := Subject{Time: float64(r.IntN(40)), Cause: r.IntN(3)}
		mixed = append(mixed, s)
		s.Cause = min(s.Cause, 1)
		merged = append(merged, s)
	}
	last := func(v []IncidenceStep) float64 { return v[len(v)-1].Share }
	end := KaplanMeier(merged).At(1e9)
	near(t, "all shares", last(Incidence(mixed, 1))+last(Incidence(mixed, 2))+end, 1, 1e-12)
	if got := CausesOf(mixed); len(got) != 2 || last(Incidence(mixed, 1)) >= 1-KaplanMeier(mixed).At(1e9) {
		t.Errorf("causes %v: a competing cause does not lower the incidence", got)
	}
}

// The truth lies between the bounds whatever became of the lost.
func TestBoundsHoldTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	var truth, seen []Subject
	for range 400 {
		s := Subject{Time: 1 + float64(r.IntN(50)), Cause: Event}
		truth = append(truth, s)
		if cut := float64(r.IntN(120)); cut < s.Time { // lost before the event
			s = Subject{Time: cut, Lost: true}
		}
		seen = append(seen, s)
	}
	soonest, latest := Bounds(seen)
	whole := KaplanMeier(truth)
	for at := range 50 {
		if x := float64(at); soonest.At(x) > whole.At(x)+1e-12 || latest.At(x) < whole.At(x)-1e-12 {
			t.Errorf("at %g: %g is not within %g to %g", x, whole.At(x), soonest.At(x), latest.At(x))
		}
	}
}

func TestBadSubjects(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "nobody",
		"time,status\n":              "nobody",
		"time,status,g\n-1,1,a\n":    "line 2: the time",
		"1,x\n":                      "line 1: the status",
		"1,1\n1\n":                   "line 2: 1 fields",
		"1,1,a,b\n":                  "4 fields",
		"1,-1\n":                     "status",
		"1e999,1\n":                  "time",
		"time,status\n\"1,1\n":       "not a CSV file",
		"time,status\ntime,status\n": "line 2",
	} {
		if _, err := ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := LogRank([]Subject{{Time: 1, Cause: 1}}); err == nil {
		t.Error("one group was compared")
	}
	if _, err := LogRank([]Subject{{Time: 1, Cause: 1, Group: "a"}, {Time: 1, Group: "b"}, {Time: 0, Group: "c"}}); err == nil {
		t.Error("groups never at risk together were compared")
	}
	if at, _, high := KaplanMeier([]Subject{{Time: 3}}).Median(); !math.IsInf(at, 1) || !math.IsInf(high, 1) {
		t.Errorf("nobody had the event, and yet the median is %g", at)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("time,status,x\n9,1,\"a\"\n13,0,b\n")
	f.Add("1,1\n2,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ReadCSV(strings.NewReader(text))
		if err != nil {
			return
		}
		c := KaplanMeier(all)
		last := 1.0
		for _, s := range c.Steps {
			if !(s.Survival >= 0 && s.Survival <= last && s.Low <= s.High) {
				t.Fatalf("%q: %+v after %g", text, s, last)
			}
			last = s.Survival
		}
		_, _ = LogRank(all)
	})
}
