package study

import (
	"context"
	"math"
	"slices"

	"parallax/estimate"
	"parallax/internal/sim"
)

// Sizes of the study. The panel's bootstraps are smaller than in a report, and
// the sampler runs on few worlds, because a study has thousands of panels.
const (
	People     = 4000
	Replicates = 200
	Top        = 10
	Ecosystem  = 2000 // actors of a whole ecosystem
)

// Reach is the chance that somebody of mean visibility is on each list, in the
// order of sim.SectorLists.
var Reach = []float64{0.12, 0.20, 0.08, 0.10}

// carry is what linkage error leaves in the arms that have it.
var carry = []float64{0.9, 0.9, 0.85, 0.8}

// Intervals are the members whose intervals can cover.
var intervals = []string{"loglinear_main", "stepwise", "bic", "aic", "dga"}

// A ListArm is one kind of world for the estimators of a hidden number.
type ListArm struct {
	Name   string
	Worlds int
	// Tabled are the arms that break nothing but that people are alike: the table
	// of what no gate can see.
	Tabled bool
	Hidden sim.Hidden
	Carry  []float64 // correct for missed links
	// Whole takes the lists from a whole ecosystem, with or without referred rows.
	Whole, Referred bool
}

// Spreads are the strengths of heterogeneity: the standard deviation of the log
// of how easily people are seen. The ecosystem's default is 0.8.
var Spreads = []float64{0, 0.4, 0.8, 1.2, 1.6}

// Seldoms are shares of people who are seen a tenth as easily as the rest.
var Seldoms = []float64{0.25, 0.5, 0.75}

func listArms() (arms []ListArm) {
	for _, s := range Spreads {
		name := "everybody alike, nothing broken"
		if s > 0 {
			name = "people differ"
		}
		arms = append(arms, ListArm{Name: name, Worlds: 200, Tabled: true, Hidden: sim.Hidden{Sigma: s}})
	}
	for _, s := range Seldoms {
		arms = append(arms, ListArm{Name: "some are seen a tenth as easily", Worlds: 200, Tabled: true, Hidden: sim.Hidden{Seldom: s}})
	}
	return append(arms,
		ListArm{Name: "hotline records referred to the police (0.3), counted as own", Worlds: 200, Hidden: sim.Hidden{Referral: 0.3}},
		ListArm{Name: "who is on the bank's list is three times as likely on the police's", Worlds: 200, Hidden: sim.Hidden{Pull: 3}},
		ListArm{Name: "half of the platform's accounts closed, never seen again", Worlds: 200, Hidden: sim.Hidden{Closed: 0.5}},
		ListArm{Name: "missed links (carry 0.9, 0.9, 0.85, 0.8), not corrected", Worlds: 200, Hidden: sim.Hidden{Carry: carry}},
		ListArm{Name: "missed links, corrected with --carry", Worlds: 200, Hidden: sim.Hidden{Carry: carry}, Carry: carry},
		ListArm{Name: "3 % joined with a stranger's records", Worlds: 200, Hidden: sim.Hidden{False: 0.03}},
		ListArm{Name: "all of these at half strength, people differ by 0.8", Worlds: 200,
			Hidden: sim.Hidden{Sigma: 0.8, Referral: 0.15, Pull: 2, Closed: 0.25, Carry: []float64{0.95, 0.95, 0.92, 0.9}, False: 0.015}},
		ListArm{Name: "whole ecosystem, hazards times 16, own detections", Worlds: 200, Whole: true},
		ListArm{Name: "whole ecosystem, referred copies counted as own", Worlds: 200, Whole: true, Referred: true},
	)
}

// A MethodResult is how one estimator did in an arm.
type MethodResult struct {
	Method    string  `json:"method"`
	Points    int     `json:"points"`    // worlds with an estimate
	Bias      float64 `json:"bias"`      // mean of estimate over truth, less 1
	Median    float64 `json:"median"`    // median of the same
	Intervals int     `json:"intervals"` // worlds with an interval
	Covered   int     `json:"covered"`
}

// A ListResult is what one arm shows. Outcomes has a letter for each world:
// gates passed and an interval covers (c) or every one misses (m); the same with
// a soft gate failed (C, M); refused (r).
type ListResult struct {
	Name     string         `json:"name"`
	Tabled   bool           `json:"tabled,omitempty"`
	Spread   float64        `json:"spread,omitempty"`
	Seldom   float64        `json:"seldom,omitempty"`
	Outcomes string         `json:"outcomes"`
	Methods  []MethodResult `json:"methods"`
}

// Count counts worlds by their letters.
func (r ListResult) Count(letters string) (n int) {
	for _, c := range r.Outcomes {
		if slices.Contains([]rune(letters), c) {
			n++
		}
	}
	return n
}

// table draws world w of an arm.
func (a ListArm) table(seed uint64) (estimate.Table, float64, error) {
	people := People
	h := a.Hidden
	h.Seed, h.People, h.Reach = seed, People, Reach
	var cells map[uint32]int
	if a.Whole {
		p := sim.DefaultParams(seed, Ecosystem)
		p.InnocentsPerActor, p.HazardScale, p.PlantFalse = 1, 16, false
		w, err := sim.New(p)
		if err != nil {
			return estimate.Table{}, 0, err
		}
		people, cells = Ecosystem, w.SectorHistories(a.Referred)
	} else {
		cells = h.Histories()
	}
	var list []estimate.Cell
	for m, n := range cells {
		list = append(list, estimate.Cell{History: m, Count: n})
	}
	t, err := estimate.NewTable(sim.SectorLists, list)
	return t, float64(people), err
}

// tally collects one method's errors.
type tally struct {
	MethodResult
	errors []float64
}

// Run runs the worlds first, first+1, ... of an arm.
func (a ListArm) Run(ctx context.Context, first, worlds int, tick func()) (ListResult, error) {
	r := ListResult{Name: a.Name, Tabled: a.Tabled, Spread: a.Hidden.Sigma, Seldom: a.Hidden.Seldom}
	by := map[string]*tally{}
	methods := slices.DeleteFunc(slices.Clone(estimate.Methods), func(m string) bool { return m == "lcmcr" })
	for _, m := range methods {
		by[m] = &tally{MethodResult: MethodResult{Method: m}}
	}
	for w := first; w < first+worlds; w++ {
		t, truth, err := a.table(uint64(w))
		if err != nil {
			return r, err
		}
		rep, err := estimate.Run(ctx, t, estimate.Options{Seed: uint64(w), Methods: methods, Reps: Replicates, Top: Top, Carry: a.Carry, Brief: true,
			Audit: &estimate.Audit{AgeDays: 30, Low: 0.9}})
		if err != nil {
			return r, err
		}
		for _, m := range rep.Panel {
			by[m.Method].add(m, truth)
		}
		r.Outcomes += outcome(rep, truth)
		tick()
	}
	for _, m := range methods {
		r.Methods = append(r.Methods, by[m].result())
	}
	return r, nil
}

func (t *tally) add(m estimate.Member, truth float64) {
	if m.Estimate == nil {
		return
	}
	t.Points++
	t.errors = append(t.errors, *m.Estimate/truth-1)
	if m.Low != nil {
		t.Intervals++
		if covers(m, truth) {
			t.Covered++
		}
	}
}

// covers reports whether an interval holds the truth; one without an upper limit
// is open above.
func covers(m estimate.Member, truth float64) bool {
	return m.Low != nil && *m.Low <= truth && (m.High == nil || truth <= *m.High)
}

func (t *tally) result() MethodResult {
	if n := len(t.errors); n > 0 {
		slices.Sort(t.errors)
		for _, e := range t.errors {
			t.Bias += e / float64(n)
		}
		t.Median = (t.errors[(n-1)/2] + t.errors[n/2]) / 2
		t.Bias, t.Median = round(t.Bias), round(t.Median)
	}
	return t.MethodResult
}

// round keeps what a report prints, so that other machines print the same.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func outcome(r estimate.Report, truth float64) string {
	hit := false
	for _, m := range r.Panel {
		hit = hit || slices.Contains(intervals, m.Method) && covers(m, truth)
	}
	switch {
	case r.Verdict == estimate.Refuse:
		return "r"
	case r.Verdict == estimate.RangeOnly && hit:
		return "C"
	case r.Verdict == estimate.RangeOnly:
		return "M"
	case hit:
		return "c"
	}
	return "m"
}

// A SamplerResult is the latent-class sampler on the first worlds of an arm.
type SamplerResult struct {
	Name      string  `json:"name"`
	Spread    float64 `json:"spread,omitempty"`
	Seldom    float64 `json:"seldom,omitempty"`
	Worlds    int     `json:"worlds"`
	Converged int     `json:"converged"`
	Covered   int     `json:"covered"` // of the converged
	Bias      float64 `json:"bias"`    // mean, of the converged
}

// RunSampler runs the sampler on the first worlds of an arm.
func (a ListArm) RunSampler(ctx context.Context, worlds int, tick func()) (SamplerResult, error) {
	r := SamplerResult{Name: a.Name, Spread: a.Hidden.Sigma, Seldom: a.Hidden.Seldom, Worlds: worlds}
	for w := 1; w <= worlds; w++ {
		t, truth, err := a.table(uint64(w))
		if err != nil {
			return r, err
		}
		got, err := estimate.LCMCR(ctx, t, estimate.LCMCROptions{Seed: uint64(w)}, nil)
		if err != nil {
			return r, err
		}
		tick()
		if !got.Converged {
			continue
		}
		r.Converged++
		r.Bias += got.Point/truth - 1
		if got.Low <= truth && truth <= got.High {
			r.Covered++
		}
	}
	r.Bias = round(r.Bias / float64(max(r.Converged, 1)))
	return r, nil
}
