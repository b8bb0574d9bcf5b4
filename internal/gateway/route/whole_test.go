package route

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// wholeLaw is the data set that comes with the program.
func wholeLaw(t testing.TB) Law {
	t.Helper()
	raw, err := os.ReadFile("../law/data/gateways.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Vocab        Vocabulary    `yaml:"vocab"`
		Gateways     []Gateway     `yaml:"gateways"`
		Prohibitions []Prohibition `yaml:"prohibitions"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return Law{Version: "test", Review: "illustrative", Vocabulary: doc.Vocab, Gateways: doc.Gateways, Prohibitions: doc.Prohibitions}
}

func TestFinderAgreesWithBruteForceOnTheWholeDataSet(t *testing.T) {
	law := wholeLaw(t)
	f, err := New(law)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		// A question that some row could begin, so that not every answer is no.
		g := rapid.SampledFrom(law.Gateways).Draw(t, "begins with")
		last := rapid.SampledFrom(law.Gateways).Draw(t, "ends with")
		q := Question{From: rapid.SampledFrom(g.From).Draw(t, "from"), To: rapid.SampledFrom(last.To).Draw(t, "to"),
			Holds: g.Accepts, Wants: rapid.SampledFrom(last.Yields).Draw(t, "wants"),
			Purpose: rapid.SampledFrom(law.Vocabulary.Purposes).Draw(t, "purpose"), MaxHops: 3,
			AsOf:   rapid.SampledFrom([]string{"2007-01-01", "2021-09-01", "2024-06-01", "2026-03-01", "2026-05-01", "2027-08-01"}).Draw(t, "as_of"),
			FromIn: rapid.SampledFrom(append([]string{""}, f.states...)).Draw(t, "from_in"), ToIn: rapid.SampledFrom(append([]string{""}, f.states...)).Draw(t, "to_in")}
		for _, n := range f.facts.names {
			switch rapid.IntRange(0, 3).Draw(t, n) {
			case 0, 1:
				q.Facts = append(q.Facts, n)
			case 2:
				q.Facts = append(q.Facts, "not:"+n)
			}
		}
		a, err := f.Find(q)
		if err != nil {
			t.Fatal(err)
		}
		answers[a.Answer]++
		routes, conditional, ask := refer(law, q)
		for _, part := range []struct{ want, got []string }{{routes, ids(a.Routes)}, {conditional, ids(a.Conditional)}, {ask, slices.Clone(a.AskCounsel)}} {
			slices.Sort(part.got)
			if !slices.Equal(part.want, part.got) {
				t.Fatalf("brute force finds %v, the finder %v", part.want, part.got)
			}
		}
	})
	t.Logf("answers compared: %v", answers)
}

// grid is a wide set of questions over the whole data set: every pair of a
// giver and a recipient that rows know, with all facts unknown or all true.
func grid(f *Finder) (out []Question) {
	for _, facts := range [][]string{nil, f.facts.names} {
		for _, from := range f.actors.names {
			for _, to := range f.actors.names {
				for _, purpose := range []string{"investigate", "protect_child", "disrupt"} {
					for _, wants := range []string{"account_id", "austrac_info", "statistic", "victim_info"} {
						out = append(out, Question{From: from, To: to, Holds: f.data.names, Wants: wants, Purpose: purpose, Facts: facts, AsOf: "2026-11-23"})
					}
				}
			}
		}
	}
	return out
}

func BenchmarkFindWholeDataSet(b *testing.B) {
	f, err := New(wholeLaw(b))
	if err != nil {
		b.Fatal(err)
	}
	questions := grid(f)
	find := func(q Question) time.Duration {
		began := time.Now()
		if _, err := f.Find(q); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	b.Run("every question", func(b *testing.B) {
		i := 0
		for b.Loop() {
			find(questions[i%len(questions)])
			i++
		}
	})
	b.Run("hardest question", func(b *testing.B) {
		var hardest Question
		var worst time.Duration
		for _, q := range questions {
			// The least of three, since other work on the machine only adds.
			if took := min(find(q), find(q), find(q)); took > worst {
				hardest, worst = q, took
			}
		}
		for b.Loop() {
			find(hardest)
		}
	})
}

func TestWrongCodesAreNamedWithTheNearest(t *testing.T) {
	f, err := New(wholeLaw(t))
	if err != nil {
		t.Fatal(err)
	}
	good := Question{From: "au.fsp", To: "au.police", Holds: []string{"transaction"}, Wants: "transaction", Purpose: "investigate", AsOf: "2026-11-23"}
	for name, c := range map[string]struct {
		change func(*Question)
		says   []string
	}{
		"actor":    {func(q *Question) { q.From = "au.fps" }, []string{`actor "au.fps"`, "au.fsp"}},
		"category": {func(q *Question) { q.Wants = "transactions" }, []string{`data category "transactions"`, "transaction"}},
		"purpose":  {func(q *Question) { q.Purpose = "investigation" }, []string{`purpose "investigation"`, "investigate"}},
		"fact":     {func(q *Question) { q.Facts = []string{"not:warant"} }, []string{`fact "warant"`, "warrant"}},
		"date":     {func(q *Question) { q.AsOf = "2026-02-30" }, []string{`"2026-02-30"`, "2026-11-23"}},
		"state":    {func(q *Question) { q.FromIn = "AU-NSE" }, []string{`state "AU-NSE"`, "AU-NSW"}},
		"both":     {func(q *Question) { q.Facts = []string{"warrant", "not:warrant"} }, []string{"warrant", "to hold and not to hold"}},
		"hops":     {func(q *Question) { q.MaxHops = -1 }, []string{"-1"}},
		"nothing":  {func(q *Question) { q.Holds = nil }, []string{"holds it"}},
		"all at once": {func(q *Question) { q.From, q.Purpose, q.AsOf = "x", "y", "z" },
			[]string{`actor "x"`, `purpose "y"`, `"z" is not a date`}},
	} {
		t.Run(name, func(t *testing.T) {
			q := good
			c.change(&q)
			_, err := f.Find(q)
			if err == nil {
				t.Fatal("was answered")
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestUnlessUnknownIsACondition(t *testing.T) {
	f, err := New(wholeLaw(t))
	if err != nil {
		t.Fatal(err)
	}
	q := Question{From: "uk.provider", To: "uk.nca", Holds: []string{"url"}, Wants: "url", Purpose: "detect", AsOf: "2026-05-01", Facts: []string{"aware_cam"}}
	for facts, want := range map[string]string{"": "confirm not reported_ncmec_instead", "not:reported_ncmec_instead": "", "reported_ncmec_instead": "off"} {
		ask := q
		if facts != "" {
			ask.Facts = append(slices.Clone(q.Facts), facts)
		}
		a, err := f.Find(ask)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case want == "off" && a.Answer == Yes:
			t.Errorf("with %s the row still permits", facts)
		case want != "off" && (a.Answer != Yes || len(a.Duties) != 1):
			t.Errorf("with %q: %s, duties %v", facts, a.Answer, a.Duties)
		case want != "off" && strings.Contains(a.Routes[0].Hops[0].Conditions, "confirm not") != (want != ""):
			t.Errorf("with %q the conditions are %q", facts, a.Routes[0].Hops[0].Conditions)
		}
	}
	q.AsOf = "2026-04-06"
	if a, _ := f.Find(q); a.Answer != Conditional && a.Answer != No {
		t.Errorf("the day before it starts, the row permits: %v", a.Direct)
	}
}
