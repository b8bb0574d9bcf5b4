package displace

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// movements makes movements with the given shares of moved and gone.
func movements(r *rand.Rand, all []Movement, n int, treated bool, stratum string, moved, gone float64) []Movement {
	for range n {
		m := Movement{Actor: fmt.Sprint(len(all)), Treated: treated, Stratum: stratum}
		switch u := r.Float64(); {
		case u < moved:
			m.Fate = Moved
		case u < moved+gone:
			m.Fate = Gone
		}
		all = append(all, m)
	}
	return all
}

// Two strata with unlike churn, unlike shares of treated: only the matched ratio
// is right, and its intervals cover.
func TestRatioIsMatchedAndCovers(t *testing.T) {
	const worlds = 30
	covered, told := 0, 0
	sum := 0.0
	for w := range uint64(worlds) {
		r := rand.New(rand.NewPCG(w, 9))
		// Controls: 5 % move and 10 % go in stratum a, 30 % and 30 % in b.
		all := movements(r, nil, 600, false, "a", 0.05, 0.10)
		all = movements(r, all, 150, false, "b", 0.30, 0.30)
		// The takedown moves every second of who would have stayed, and 30 % go.
		all = movements(r, all, 100, true, "a", 0.05+0.5*0.85, 0.10+0.3*0.85)
		all = movements(r, all, 300, true, "b", 0.30+0.5*0.40, 0.30+0.3*0.40)
		got, err := DisplacementRatio(t.Context(), all, w)
		if err != nil {
			t.Fatal(err)
		}
		const truth = 0.5 / 0.8
		if got.Low != nil && *got.Low <= truth && truth <= *got.High {
			covered++
		}
		if !got.CannotTell {
			told++
		}
		sum += *got.Estimate / worlds
	}
	if covered < 26 || math.Abs(sum-0.625) > 0.04 {
		t.Errorf("covered %d of %d, mean %.3f", covered, worlds, sum)
	}
	t.Logf("covered %d of %d, told %d, mean %.3f", covered, worlds, told, sum)
}

func TestRatioCannotTell(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for name, all := range map[string][]Movement{
		"few actors":   movements(r, movements(r, nil, 100, false, "", 0.1, 0.1), 20, true, "", 0.5, 0.3),
		"no effect":    movements(r, movements(r, nil, 400, false, "", 0.2, 0.2), 200, true, "", 0.2, 0.2),
		"small effect": movements(r, movements(r, nil, 400, false, "", 0.1, 0.1), 60, true, "", 0.2, 0.1),
	} {
		got, err := DisplacementRatio(t.Context(), all, 1)
		if err != nil {
			t.Fatal(name, err)
		}
		if !got.CannotTell || !strings.HasPrefix(got.Reading, "cannot tell") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Where nobody moved, the interval still has a width.
func TestRatioOfNobodyMoved(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	got, err := DisplacementRatio(t.Context(), movements(r, movements(r, nil, 500, false, "", 0, 0.1), 60, true, "", 0, 0.9), 1)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Estimate != 0 || *got.High < 0.02 {
		t.Errorf("%g within %g to %g", *got.Estimate, *got.Low, *got.High)
	}
}

// An actor at several venues is one: doubling every actor's movements under the
// same name does not narrow the interval.
func TestRatioDrawsActors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	one := movements(r, movements(r, nil, 300, false, "", 0.1, 0.1), 200, true, "", 0.5, 0.3)
	a, err := DisplacementRatio(t.Context(), one, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := DisplacementRatio(t.Context(), append(one[:len(one):len(one)], one...), 1)
	if err != nil {
		t.Fatal(err)
	}
	if w, v := *a.High-*a.Low, *b.High-*b.Low; math.Abs(w-v) > 0.1*w || *a.Estimate != *b.Estimate {
		t.Errorf("width %.3f became %.3f", w, v)
	}
	again, err := DisplacementRatio(t.Context(), one, 1)
	if err != nil || *again.Low != *a.Low || *again.High != *a.High {
		t.Error("the same seed gave another interval")
	}
}

func TestBadMovements(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no header",
		"actor,fate\n":                         `column "venue"`,
		"actor,venue,fate\na,here,moved\n":     "line 2: the venue",
		"actor,venue,fate\na,control,left\n":   "line 2: the fate",
		"actor,venue,fate\na,control\n":        "line 2: 2 fields",
		"actor,venue,fate\na,treated,moved\n":  "without controls",
		"actor,venue,fate\n,treated,moved\n":   "names no actor",
		"actor,venue,fate\nb,control,stayed\n": "0 actors at the venue",
	} {
		all, err := ReadMovements(strings.NewReader(text))
		if err == nil {
			_, err = DisplacementRatio(t.Context(), all, 1)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	all, err := ReadMovements(strings.NewReader("fate,actor,venue,stratum\nmoved,a,treated,x\ngone,b,control,x\n"))
	if err != nil || len(all) != 2 || all[0] != (Movement{"a", true, "x", Moved}) || all[1].Fate != Gone {
		t.Errorf("%+v, %v", all, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r := rand.New(rand.NewPCG(1, 9))
	if _, err := DisplacementRatio(ctx, movements(r, movements(r, nil, 100, false, "", 0.1, 0.1), 100, true, "", 0.5, 0.3), 1); err == nil {
		t.Error("it does not stop when told to")
	}
}
