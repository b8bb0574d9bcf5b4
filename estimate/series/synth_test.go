package series

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func basque(t *testing.T) (Panel, []float64) {
	t.Helper()
	names, col := columns(t, "basque_gdpcap.csv")
	p := Panel{Units: names[1:], First: 1970 - 1955}
	for i, name := range p.Units {
		p.Values = append(p.Values, col[name])
		if name == "Basque Country (Pais Vasco)" {
			p.Treated = i
		}
	}
	return p, col["year"]
}

func TestBasque(t *testing.T) {
	var doc struct {
		Own struct {
			Weights map[string]float64
			RMSPE   float64 `json:"pre_rmspe"`
			Mean    float64 `json:"mean_gap_1970_1997"`
			Late    float64 `json:"mean_gap_1975_1997"`
			Gap     map[string]float64
			Ratio   float64 `json:"placebo_rmspe_ratio_treated"`
			P       float64 `json:"placebo_rank_p"`
		} `json:"outcome_only_simplex_ls"`
		Full struct {
			Weights map[string]float64
			Loss    float64 `json:"loss_v"`
			Gap     map[string]float64
		} `json:"full_synth_package"`
	}
	reference(t, "basque_reference.json", &doc)
	p, years := basque(t)
	got, err := Synthesise(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Weights) != len(doc.Own.Weights) {
		t.Errorf("weights %v", got.Weights)
	}
	for unit, want := range doc.Own.Weights {
		if math.Abs(got.Weights[unit]-want) > 5.1e-5 {
			t.Errorf("weight of %s is %.5f, want %.4f", unit, got.Weights[unit], want)
		}
	}
	near(t, "RMSPE", got.RMSPE, doc.Own.RMSPE, 1e-5)
	near(t, "mean gap", got.MeanGap, doc.Own.Mean, 1e-4)
	near(t, "ratio", got.Ratio, doc.Own.Ratio, 1e-3)
	near(t, "placebo rank", got.P, doc.Own.P, 1e-6)
	year := func(s string) int {
		return slices.IndexFunc(years, func(y float64) bool { return math.Abs(y-float64(atoi(s))) < 0.5 })
	}
	late := 0.0
	for _, g := range got.Gap[year("1975"):] {
		late += g / 23
	}
	near(t, "mean gap from 1975", late, doc.Own.Late, 1e-4)
	for y, want := range doc.Own.Gap {
		near(t, "gap of "+y, got.Gap[year(y)], want, 1e-4)
	}
	if len(got.LeaveOut) != 3 || len(got.Placebos) != 16 {
		t.Errorf("%d left out, %d placebos", len(got.LeaveOut), len(got.Placebos))
	}
	// The full method chooses its donors by covariates that are not in the file;
	// with its published weights, its gaps and its loss come out.
	var donors []int
	var w []float64
	for unit, v := range doc.Full.Weights {
		donors, w = append(donors, slices.Index(p.Units, unit)), append(w, v)
	}
	gap := p.Gap(p.Treated, donors, w)
	for y, want := range doc.Full.Gap {
		if math.Abs(gap[year(y)]-want) > 2e-4 {
			t.Errorf("full method, gap of %s: %.4f, want %.4f", y, gap[year(y)], want)
		}
	}
	loss := rootMean(gap[year("1960"):year("1970")])
	near(t, "full method, loss", loss*loss, doc.Full.Loss, 1e-3)
}

func atoi(s string) (n int) {
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}

// Whatever the columns, the weights are on the simplex and no small move within
// it comes closer.
func TestSimplexIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(2, 8).Draw(t, "columns"), rapid.IntRange(2, 10).Draw(t, "rows")
		value := rapid.Float64Range(-5, 5)
		columns := make([][]float64, n)
		for j := range columns {
			columns[j] = rapid.SliceOfN(value, m, m).Draw(t, "column")
		}
		target := rapid.SliceOfN(value, m, m).Draw(t, "target")
		w, err := Simplex(columns, target)
		if err != nil {
			t.Fatal(err)
		}
		loss := func(w []float64) (s float64) {
			for i := range target {
				d := -target[i]
				for j := range w {
					d += w[j] * columns[j][i]
				}
				s += d * d
			}
			return s
		}
		sum := 0.0
		for _, v := range w {
			if v < -1e-9 {
				t.Fatalf("weights %v", w)
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("weights add up to %g", sum)
		}
		here := loss(w)
		for from := range w {
			for to := range w {
				move := min(1e-3, w[from])
				if from == to || move <= 0 {
					continue
				}
				v := slices.Clone(w)
				v[from], v[to] = v[from]-move, v[to]+move
				if loss(v) < here-1e-6 {
					t.Fatalf("moving %g from %d to %d gains %g", move, from, to, here-loss(v))
				}
			}
		}
	})
}

func TestBadPanels(t *testing.T) {
	p, _ := basque(t)
	for name, spoil := range map[string]func(*Panel){
		"too early": func(p *Panel) { p.First = 2 },
		"too late":  func(p *Panel) { p.First = 43 },
		"alone":     func(p *Panel) { p.Units, p.Values, p.Treated = p.Units[:1], p.Values[:1], 0 },
		"twice":     func(p *Panel) { p.Units = slices.Clone(p.Units); p.Units[1] = p.Units[0] },
		"short":     func(p *Panel) { p.Values = slices.Clone(p.Values); p.Values[3] = p.Values[3][:9] },
		"nobody":    func(p *Panel) { p.Treated = 99 },
	} {
		bad := p
		spoil(&bad)
		if _, err := Synthesise(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
