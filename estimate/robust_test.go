package estimate

import (
	"math"
	"strings"
	"testing"

	"parallax/estimate/draw"
)

// drawn is a table of independent lists that everybody is on alike.
func drawn(seed uint64, people int, reach ...float64) Table {
	r := draw.New(seed, 99, 0)
	t := Table{Lists: []string{"a", "b", "c", "d", "e"}[:len(reach)]}
	y := make([]int, 1<<len(reach))
	for range people {
		h := 0
		for j, p := range reach {
			if r.Float64() < p {
				h |= 1 << j
			}
		}
		y[h]++
	}
	for h := 1; h < len(y); h++ {
		if y[h] > 0 {
			t.Cells = append(t.Cells, Cell{uint32(h), y[h]})
		}
	}
	return t
}

// With each list thinned the people stay as many: where the model holds, the
// estimates do not move with the share.
func TestTrajectoryIsLevelWhereTheModelHolds(t *testing.T) {
	rows := Trajectory(t.Context(), drawn(1, 3000, 0.3, 0.25, 0.35, 0.2), 20, 1)
	if len(rows) != 5 {
		t.Fatal(rows)
	}
	for _, r := range rows {
		if math.Abs(*r.Median/3000-1) > 0.12 || *r.Low >= *r.High {
			t.Errorf("%.1f of each list: %.0f (%.0f to %.0f)", r.Share, *r.Median, *r.Low, *r.High)
		}
	}
}

func TestSimulatedCoverage(t *testing.T) {
	tab := drawn(2, 2000, 0.3, 0.25, 0.35)
	fit, err := Main(tab)
	if err != nil {
		t.Fatal(err)
	}
	c, err := SimulatedCoverage(t.Context(), tab, fit, 100, 1)
	if err != nil || c.Estimated < 95 || c.Covered < 85 || math.Abs(*c.Median) > 0.05 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Two strata with unlike reach: pooled they look like fewer people than they
// are, and the sum of the strata does not.
func TestStrata(t *testing.T) {
	easy, hard := drawn(3, 2000, 0.5, 0.5, 0.5), drawn(4, 2000, 0.1, 0.1, 0.1)
	var text strings.Builder
	text.WriteString("region,a,b,c,count\n")
	for name, tab := range map[string]Table{"easy": easy, "hard": hard} {
		for _, c := range tab.Cells {
			bits := tab.Bits(c.History)
			text.WriteString(name + "," + strings.Join(strings.Split(bits, ""), ",") + "," + itoa(c.Count) + "\n")
		}
	}
	whole, strata, err := ReadStrata(strings.NewReader(text.String()), "region")
	if err != nil || len(strata) != 2 || whole.N() != easy.N()+hard.N() || strata[0].Name != "easy" {
		t.Fatal(whole.N(), strata, err)
	}
	pooled, err := Main(whole)
	if err != nil {
		t.Fatal(err)
	}
	s := Stratified(strata)
	if s.Sum == nil || math.Abs(*s.Sum/4000-1) > 0.15 || pooled.N > 0.8**s.Sum {
		t.Errorf("strata %v, pooled %.0f", s, pooled.N)
	}
	for text, want := range map[string]string{
		"a,b,count\n1,0,3\n":                   `no column "region"`,
		"region,a,b,count\nx,1,0,3\nx,1,0,4\n": "twice",
		"region,a,b,count\nx,1,0,-3\n":         "negative",
		"region,a,b,count\nx,1,0,3\ny,1,1,0\n": "stratum",
		"":                                     "no header",
		"region,a,b,count\nx,1,0\n":            "line 2: 3 fields",
	} {
		if _, _, err := ReadStrata(strings.NewReader(text), "region"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func itoa(n int) string {
	s := ""
	for ; n > 0 || s == ""; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}

func TestMixtureIsBetweenItsMembers(t *testing.T) {
	v := func(x float64) *float64 { return &x }
	m := mix([]Member{{Method: "a", Estimate: v(1000), Low: v(900), High: v(1150)}, {Method: "b", Estimate: v(2000), Low: v(1500), High: v(3000)}}, 500)
	if m == nil || *m.Median < 1000 || *m.Median > 2000 || *m.Low < 900 || *m.Low > 1000 || *m.High < 2000 || *m.High > 3000 {
		t.Errorf("%+v", m)
	}
	open := mix([]Member{{Method: "a", Estimate: v(1000), Low: v(900), High: v(1150)}, {Method: "b", Estimate: v(2000), Low: v(1500)}, {Method: "c", Estimate: v(1100), Low: v(950), High: v(1250)}}, 500)
	if open.High != nil || open.Median == nil {
		t.Errorf("a member without an upper limit, and yet %+v", open)
	}
	if mix([]Member{{Method: "a", Estimate: v(1000), Low: v(900), High: v(1150)}}, 500) != nil {
		t.Error("a mixture of one")
	}
}

// The bootstrap over records and carry covers, and is wider than taking an
// audit of few links as certain.
func TestLinkedBootstrapCarriesTheAudit(t *testing.T) {
	carry := []float64{0.9, 0.8, 0.85}
	covered := 0
	const worlds = 12
	for w := range uint64(worlds) {
		people := drawn(10+w, 3000, 0.3, 0.25, 0.35)
		r := draw.New(w, 98, 0)
		split := map[uint32]int{}
		for _, c := range people.Cells {
			for range c.Count {
				joined := uint32(0)
				for j, a := range carry {
					switch bit := uint32(1) << j; {
					case c.History&bit == 0:
					case r.Float64() < a:
						joined |= bit
					default:
						split[bit]++
					}
				}
				if joined != 0 {
					split[joined]++
				}
			}
		}
		tab := people.mapped(people.Lists, func(h uint32) uint32 { return h })
		tab.Cells = nil
		for h := uint32(1); h < 8; h++ {
			tab.Cells = append(tab.Cells, Cell{h, split[h]})
		}
		audited := make([]int, 3)
		said := make([]float64, 3)
		for j, a := range carry {
			audited[j] = 150
			said[j] = float64(draw.Binomial(r, 150, a)) / 150
		}
		e, lost, err := LinkedBootstrap(t.Context(), tab, said, audited, nil, 60, w)
		if err != nil || lost > 0.1 {
			t.Fatal(err, lost)
		}
		if e.Low <= 3000 && 3000 <= e.High {
			covered++
		}
		sure, _, err := LinkedBootstrap(t.Context(), tab, said, []int{1e6, 1e6, 1e6}, nil, 60, w)
		if err != nil || sure.High-sure.Low > e.High-e.Low {
			t.Errorf("a sure carry gives %.0f, an audited one %.0f", sure.High-sure.Low, e.High-e.Low)
		}
	}
	if covered < 9 {
		t.Errorf("%d of %d cover", covered, worlds)
	}
	for _, bad := range [][]int{{1, 2}, {1, 0, 3}} {
		if CheckAudited(bad, 3) == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

// Noised counts give no estimate: the published simulation, run again, shows
// why, and the panel refuses them.
func TestNoisedTablesAreRefused(t *testing.T) {
	text := "a,b,c,count\n1,0,0,60\n0,1,0,49\n0,0,1,247\n1,1,0,4\n1,0,1,112\n0,1,1,142\n1,1,1,12\n"
	tab, err := ReadCSV(strings.NewReader(NoiseMark + ": epsilon 1\n" + text))
	if err != nil || !tab.Noised {
		t.Fatal(tab, err)
	}
	r, err := Run(t.Context(), tab, Options{Methods: []string{"loglinear_main", "stepwise", "dga"}, Audit: &Audit{AgeDays: 1, Low: 0.9}, Brief: true})
	if err != nil || r.Verdict != Refuse || !strings.Contains(strings.Join(r.Reasons, " "), "privacy noise") || r.Mixture != nil {
		t.Errorf("%s %v, %v", r.Verdict, r.Reasons, err)
	}
	if plain, err := ReadCSV(strings.NewReader("# a remark\n" + text)); err != nil || plain.Noised {
		t.Errorf("a remark counts as noise: %v", err)
	}
}
