package release

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"parallax/internal/shareddata"
)

func TestReferenceOfTheNoise(t *testing.T) {
	var doc struct {
		Rows []struct {
			Epsilon, P0, Variance, Coverage float64
			Sensitivity                     int
			HalfWidth                       int64 `json:"half_width_95"`
		}
	}
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "privacy", "discrete_laplace_reference.json"), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Rows) < 6 {
		t.Fatal("rows are missing")
	}
	for _, r := range doc.Rows {
		e := Epsilon(math.Round(1000 * r.Epsilon))
		w, covered := HalfWidth(e, r.Sensitivity, 0.95)
		if w != r.HalfWidth || math.Abs(covered-r.Coverage) > 1e-7 {
			t.Errorf("epsilon %v: half-width %d (%.8f), want %d (%.8f)", e, w, covered, r.HalfWidth, r.Coverage)
		}
		if p := Probability(e, r.Sensitivity, 0); math.Abs(p-r.P0) > 1e-9 {
			t.Errorf("epsilon %v: P(0) = %.10f, want %.10f", e, p, r.P0)
		}
		if v := Variance(e, r.Sensitivity); math.Abs(v-r.Variance) > 1e-7*r.Variance {
			t.Errorf("epsilon %v: variance %.8f, want %.8f", e, v, r.Variance)
		}
	}
}

// seeded stands in for the operating system's randomness in tests alone.
func seeded(seed uint64) io.Reader {
	var key [32]byte
	key[0] = byte(seed)
	return rand.NewChaCha8(key)
}

// The sampler's frequencies are those of the distribution.
func TestNoiseFollowsItsDistribution(t *testing.T) {
	const draws = 20_000
	for _, c := range []struct {
		e           Epsilon
		sensitivity int
	}{{250, 1}, {1000, 1}, {2000, 1}, {750, 3}} {
		got, err := noise(seeded(uint64(c.e)), c.e, c.sensitivity, draws)
		if err != nil {
			t.Fatal(err)
		}
		count := map[int64]float64{}
		for _, x := range got {
			count[x]++
		}
		chi, cells, rest, seen := 0.0, 0.0, float64(draws), 0.0
		for x := int64(-60); x <= 60; x++ {
			want := draws * Probability(c.e, c.sensitivity, x)
			if want < 20 {
				continue
			}
			chi += (count[x] - want) * (count[x] - want) / want
			cells, rest, seen = cells+1, rest-want, seen+count[x]
		}
		chi += (draws - seen - rest) * (draws - seen - rest) / rest
		if p := (distuv.ChiSquared{K: cells}).Survival(chi); p < 1e-4 {
			t.Errorf("epsilon %v, sensitivity %d: chi-squared %.1f over %.0f cells, p = %.2g", c.e, c.sensitivity, chi, cells, p)
		}
	}
}

// The promise itself: whatever is seen, one actor more or less changes its
// chance by no more than the factor exp(epsilon).
func TestOneActorMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Epsilon(rapid.Int64Range(10, 3000).Draw(t, "epsilon"))
		x := rapid.Int64Range(-200, 200).Draw(t, "seen")
		if r := Probability(e, 1, x) / Probability(e, 1, x-1); r > math.Exp(float64(e)/1000)+1e-9 || r < math.Exp(-float64(e)/1000)-1e-9 {
			t.Fatalf("ratio %g at epsilon %v", r, e)
		}
	})
}

func TestNoiseRefuses(t *testing.T) {
	for _, c := range []struct {
		e Epsilon
		s int
	}{{0, 1}, {-5, 1}, {1 << 40, 1}, {500, 0}} {
		if _, err := Noise(c.e, c.s, 1); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	if _, err := noise(strings.NewReader("short"), 500, 1, 4); err == nil {
		t.Error("noise without randomness")
	}
	if got, err := Noise(500, 1, 3); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

// year spends the recommended tables of four quarters.
func year(t *testing.T, l *Ledger, first Quarter) {
	t.Helper()
	for q := range Quarter(4) {
		for _, e := range []Entry{{first + q, "national", National}, {first + q, "sector", BySector}, {first + q, "harm", ByHarm}} {
			if err := l.Spend(e); err != nil {
				t.Fatal(e, err)
			}
		}
	}
}

func TestLedgerStopsHard(t *testing.T) {
	l, err := OpenLedger(Recommended, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := QuarterOf(2026, 7)
	if first.String() != "2026-Q3" {
		t.Fatal(first)
	}
	year(t, l, first)
	if got := l.Spent(first+3, 4); got != 4000 {
		t.Errorf("a year cost %v", got)
	}
	year(t, l, first+4)
	if got := l.Spent(first+7, 8); got != 8000 {
		t.Errorf("two years cost %v", got)
	}
	head, n := l.Head(), len(l.Entries())
	for _, c := range []struct {
		e    Entry
		want error
	}{
		{Entry{first + 7, "national", National}, ErrReleased},
		{Entry{first + 7, "another", 1}, ErrOverdrawn},
		{Entry{first + 6, "late", 1}, ErrOrder},
		{Entry{first + 8, "huge", 1001}, ErrOverdrawn},
	} {
		if err := l.Spend(c.e); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.e, err, c.want)
		}
	}
	if err := l.Spend(Entry{first + 8, "free", 0}); err == nil {
		t.Error("a release without a cost")
	}
	if l.Head() != head || len(l.Entries()) != n {
		t.Error("a refusal changed the ledger")
	}
	if err := l.Spend(Entry{first + 8, "national", National}); err != nil {
		t.Errorf("a new quarter, the oldest out of the window: %v", err)
	}
}

// A limit of two years that is tighter than two years of quarters stops a
// release that quarter and year would let pass.
func TestLedgerHardStopWithinTheYear(t *testing.T) {
	l, err := OpenLedger(Limits{Quarter: 1000, Year: 4000, Stop: 4500, Tables: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	year(t, l, QuarterOf(2026, 1))
	next := QuarterOf(2027, 1)
	if err := l.Spend(Entry{next, "national", National}); err != nil {
		t.Fatal(err)
	}
	if err := l.Spend(Entry{next, "sector", BySector}); !errors.Is(err, ErrOverdrawn) || !strings.Contains(err.Error(), "24 months") {
		t.Errorf("the hard stop: %v", err)
	}
}

// Whatever is asked, no window is ever overdrawn, and a replay gives the head.
func TestLedgerNeverOverdraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, _ := OpenLedger(Recommended, nil)
		at := QuarterOf(2026, 1)
		for range rapid.IntRange(1, 60).Draw(t, "asks") {
			at += Quarter(rapid.IntRange(0, 1).Draw(t, "later"))
			_ = l.Spend(Entry{at, rapid.StringN(1, 2, -1).Draw(t, "table"), Epsilon(rapid.Int64Range(0, 1200).Draw(t, "epsilon"))})
		}
		for q := QuarterOf(2026, 1); q <= at+8; q++ {
			if l.Spent(q, 1) > 1000 || l.Spent(q, 4) > 4000 || l.Spent(q, 8) > 8000 {
				t.Fatalf("overdrawn by %v: %v", q, l.Entries())
			}
		}
		again, err := OpenLedger(Recommended, l.Entries())
		if err != nil || again.Head() != l.Head() {
			t.Fatalf("a replay: %v", err)
		}
		if all := l.Entries(); len(all) > 1 {
			all[0].Epsilon++
			if edited, err := OpenLedger(Recommended, all); err == nil && edited.Head() == l.Head() {
				t.Fatal("an edited ledger has the same head")
			}
		}
	})
}

func TestDrawShowsWhatItMay(t *testing.T) {
	l, _ := OpenLedger(Recommended, nil)
	cells := []Cell{
		{"many", []int{200, 150, 90}}, {"two organisations", []int{60, 60, 0}},
		{"one dominates", []int{900, 20, 20}}, {"empty", nil},
	}
	got, err := Draw(l, Entry{QuarterOf(2026, 1), "sector", BySector}, cells)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0].Withheld != "" || got[1].Withheld == "" || !strings.Contains(got[2].Withheld, "80 %") || got[3].Withheld == "" {
		t.Errorf("%+v", got)
	}
	var text strings.Builder
	if err := WriteCSV(&text, Entry{QuarterOf(2026, 1), "sector", BySector}, got); err != nil || !strings.HasPrefix(text.String(), "# privacy noise: exact") || !strings.Contains(text.String(), "withheld") || !strings.Contains(text.String(), ",12\n") {
		t.Errorf("%v: %s", err, &text)
	}
	// Averaging: the second question costs nothing and draws nothing.
	if again, err := Draw(l, Entry{QuarterOf(2026, 1), "sector", BySector}, cells); !errors.Is(err, ErrReleased) || again != nil {
		t.Errorf("drawn again: %v, %v", again, err)
	}
	for v, want := range map[int64]string{-3: "fewer than 15", 14: "fewer than 15", 15: "15", 17: "15", 18: "20", 442: "440", 443: "445"} {
		if got := (Value{Noised: v}).Show(); got != want {
			t.Errorf("%d is shown as %q, want %q", v, got, want)
		}
	}
	for name, bad := range map[string][]Cell{"none": nil, "too many": make([]Cell, 41), "twice": {{"a", nil}, {"a", nil}}, "negative": {{"a", []int{-1}}}} {
		if _, err := Draw(l, Entry{QuarterOf(2026, 1), "bad", 1}, bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// Reconstruction: the national total less all but one of the parts tells no more
// of the last part than its own noise hides, and consistency does not either.
func TestPartsAndTotalDoNotGiveAwayAPart(t *testing.T) {
	parts := []int64{120, 80, 60}
	truth := []float64{120, 80, 60}
	const draws = 4000
	a, _ := noise(seeded(1), BySector, 1, 3*draws)
	b, _ := noise(seeded(2), National, 1, draws)
	var own, fitted float64
	for i := range draws {
		seen := []int64{parts[0] + a[3*i], parts[1] + a[3*i+1], parts[2] + a[3*i+2]}
		got, sum := Consistent(seen, BySector, 260+b[i], National)
		if math.Abs(sum-got[0]-got[1]-got[2]) > 1e-9 {
			t.Fatal("parts and total disagree")
		}
		own += math.Pow(float64(seen[2])-truth[2], 2) / draws
		fitted += math.Pow(got[2]-truth[2], 2) / draws
	}
	if least := Variance(BySector+National, 1); fitted < least || fitted > own {
		t.Errorf("variance %.1f of the fitted part, own noise %.1f, and %.1f is what all the budget on it would leave", fitted, own, least)
	}
}

func TestHeadlineAndWindows(t *testing.T) {
	for _, c := range [][4]float64{{11_313, 22_991, 11_000, 23_000}, {23_000, 23_000, 23_000, 23_000}, {157.2, 349.9, 150, 350}, {9.1, 99.1, 9.1, 100}} {
		low, high := Headline(c[0], c[1])
		if math.Abs(low-c[2]) > 1e-9 || math.Abs(high-c[3]) > 1e-9 {
			t.Errorf("%v gave %g to %g", c, low, high)
		}
	}
	had := []Window{{0, 90}}
	for _, c := range []struct {
		w  Window
		ok bool
	}{{Window{90, 200}, false}, {Window{91, 181}, false}, {Window{365, 455}, true}, {Window{-400, -310}, true}, {Window{5, 1}, false}} {
		if err := CheckWindow(had, c.w); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.w, err)
		}
	}
}
