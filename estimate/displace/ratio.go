package displace

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"parallax/estimate/csvtext"
	"parallax/estimate/draw"
)

// A Fate is where an actor of a venue was seen after a date.
type Fate int

// Who is seen at the old venue again has stayed, whatever else is seen. Gone is
// not seen anywhere covered under the same selector, which is not desistance.
const (
	Stayed Fate = iota
	Moved
	Gone
)

var fates = []string{"stayed", "moved", "gone"}

// A Movement is one actor at one venue before the date, with the fate after it.
// An actor of several venues has a movement for each.
type Movement struct {
	Actor   string
	Treated bool   // at the venue that was taken down
	Stratum string // what treated and controls are matched on; may be empty
	Fate    Fate
}

// Limits of the ratio.
const (
	MaxWidth   = 0.5 // of the 95 % interval: above, nothing can be told
	MinActors  = 30  // at the venue, and at the controls
	minStratum = 5   // controls; smaller strata are compared together
	ratioReps  = 2000
	// MaxMovements bounds one evaluation.
	MaxMovements = 200_000
)

// A Ratio says how much of what left a venue turned up elsewhere: excess moved
// over excess left, each less what matched controls did over the same days. 1
// is displacement and nothing else, 0 is none. Point and limits are nil where
// nobody left beyond the controls.
type Ratio struct {
	Treated    int      `json:"treated"`  // movements at the venue
	Controls   int      `json:"controls"` // movements at the controls
	Moved      float64  `json:"moved"`    // share of the treated
	Left       float64  `json:"left"`     // moved or gone
	ExpMoved   float64  `json:"expected_moved"`
	ExpLeft    float64  `json:"expected_left"`
	Estimate   *float64 `json:"ratio"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	CannotTell bool     `json:"cannot_tell"`
	Reading    string   `json:"reading"`
}

// DisplacementRatio estimates the ratio, with a 95 % percentile interval from a
// bootstrap that draws whole actors, so that one who was at several venues
// stays one. The same movements and seed give the same answer.
func DisplacementRatio(ctx context.Context, all []Movement, seed uint64) (Ratio, error) {
	d, err := newDesign(all)
	if err != nil {
		return Ratio{}, err
	}
	whole := d.shares(d.count)
	r := Ratio{Treated: d.treated, Controls: d.controls, Moved: whole.moved, Left: whole.left, ExpMoved: whole.expMoved, ExpLeft: whole.expLeft}
	if v, ok := whole.ratio(); ok {
		r.Estimate = &v
	}
	if r.Estimate != nil && r.Treated >= MinActors && r.Controls >= MinActors {
		low, high, err := d.interval(ctx, seed)
		if err != nil {
			return Ratio{}, err
		}
		if !math.IsInf(low, 0) && !math.IsInf(high, 0) {
			r.Low, r.High = &low, &high
		}
	}
	r.read()
	return r, nil
}

func (r *Ratio) read() {
	r.CannotTell = r.Low == nil || *r.High-*r.Low > MaxWidth
	switch {
	case r.Treated < MinActors || r.Controls < MinActors:
		r.Reading = fmt.Sprintf("cannot tell: %d actors at the venue and %d at the controls; at least %d of each are needed", r.Treated, r.Controls, MinActors)
	case r.Estimate == nil:
		r.Reading = "cannot tell: no more left the venue than left the controls"
	case r.Low == nil:
		r.Reading = "cannot tell: some resamples have nobody leaving beyond the controls"
	case r.CannotTell:
		r.Reading = fmt.Sprintf("cannot tell: the interval from %.2f to %.2f is wider than %g", *r.Low, *r.High, MaxWidth)
	default:
		r.Reading = fmt.Sprintf("of those who left because of it, %.0f to %.0f %% turned up elsewhere under the same selector", 100*max(*r.Low, 0), 100*min(*r.High, 1))
	}
}

// design is the movements by actor. Actors with the same movements are alike and
// stand together as one kind, so that a resample draws few numbers.
type design struct {
	kinds             [][]place
	count             []float64 // actors of each kind
	actors            int
	strata            int
	treated, controls int
}

type place struct {
	treated bool
	stratum int
	fate    Fate
}

func newDesign(all []Movement) (*design, error) {
	if len(all) > MaxMovements {
		return nil, fmt.Errorf("%d movements; at most %d", len(all), MaxMovements)
	}
	d := &design{}
	controls := map[string]int{}
	for i, m := range all {
		switch {
		case m.Actor == "":
			return nil, fmt.Errorf("movement %d names no actor", i+1)
		case m.Fate < Stayed || m.Fate > Gone:
			return nil, fmt.Errorf("movement %d: the fate must be stayed, moved or gone", i+1)
		case m.Treated:
			d.treated++
		default:
			d.controls++
			controls[m.Stratum]++
		}
	}
	if d.treated == 0 || d.controls == 0 {
		return nil, fmt.Errorf("%d actors at the venue and %d at controls; without controls, ordinary churn would count as displacement", d.treated, d.controls)
	}
	// Stratum 0 takes what is too small to be compared by itself.
	number := map[string]int{}
	for _, s := range keys(controls) {
		if controls[s] >= minStratum {
			number[s] = len(number) + 1
		}
	}
	d.strata = len(number) + 1
	own := map[string][]place{}
	for _, m := range all {
		own[m.Actor] = append(own[m.Actor], place{m.Treated, number[m.Stratum], m.Fate})
	}
	d.actors = len(own)
	kind := map[string]int{}
	for _, actor := range keys(own) {
		places := own[actor]
		slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.order(), b.order()) })
		key := fmt.Sprint(places)
		i, ok := kind[key]
		if !ok {
			i = len(d.kinds)
			kind[key] = i
			d.kinds, d.count = append(d.kinds, places), append(d.count, 0)
		}
		d.count[i]++
	}
	return d, nil
}

func (p place) order() int {
	o := 3*p.stratum + int(p.fate)
	if p.treated {
		return -1 - o
	}
	return o
}

// shares are what one sample says.
type shares struct{ moved, left, expMoved, expLeft float64 }

func (s shares) ratio() (float64, bool) {
	excess := s.left - s.expLeft
	return (s.moved - s.expMoved) / excess, excess > 1e-9
}

// shares counts fates with each kind weighted; the controls of each stratum
// stand for its treated. A stratum without controls has all controls instead.
func (d *design) shares(weight []float64) (out shares) {
	type tally [2][3]float64
	by := make([]tally, d.strata)
	var all [3]float64
	for i, places := range d.kinds {
		if weight[i] == 0 {
			continue
		}
		for _, p := range places {
			arm := 0
			if p.treated {
				arm = 1
			} else {
				all[p.fate] += weight[i]
			}
			by[p.stratum][arm][p.fate] += weight[i]
		}
	}
	n := 0.0
	for _, t := range by {
		here := t[1][Stayed] + t[1][Moved] + t[1][Gone]
		if here == 0 {
			continue
		}
		n += here
		out.moved += t[1][Moved]
		out.left += t[1][Moved] + t[1][Gone]
		c := t[0]
		if c[Stayed]+c[Moved]+c[Gone] == 0 {
			c = all
		}
		if total := c[Stayed] + c[Moved] + c[Gone]; total > 0 {
			out.expMoved += here * c[Moved] / total
			out.expLeft += here * (c[Moved] + c[Gone]) / total
		}
	}
	out.moved, out.left, out.expMoved, out.expLeft = out.moved/n, out.left/n, out.expMoved/n, out.expLeft/n
	return out
}

// interval is the percentile interval over resampled actors. To both arms half
// an actor of each fate is added before drawing: where nobody moved, a plain
// bootstrap would be sure that nobody ever does.
func (d *design) interval(ctx context.Context, seed uint64) (low, high float64, err error) {
	e := *d
	e.kinds, e.count = slices.Clone(d.kinds), slices.Clone(d.count)
	for _, treated := range []bool{true, false} {
		s := d.largest(treated)
		for f := Stayed; f <= Gone; f++ {
			e.kinds, e.count = append(e.kinds, []place{{treated, s, f}}), append(e.count, 0.5)
		}
	}
	drawn := make([]float64, len(e.kinds))
	got := make([]float64, 0, ratioReps)
	for rep := range ratioReps {
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		draw.Multinomial(draw.New(seed, 1, uint64(rep)), d.actors, e.count, drawn)
		v, ok := e.shares(drawn).ratio()
		if !ok || math.IsNaN(v) {
			v = math.Inf(1)
		}
		got = append(got, v)
	}
	slices.Sort(got)
	cut := int(0.025 * float64(len(got)))
	return got[cut], got[len(got)-1-cut], nil
}

// largest is the stratum of an arm with the most movements.
func (d *design) largest(treated bool) (best int) {
	n := make([]float64, d.strata)
	for i, places := range d.kinds {
		for _, p := range places {
			if p.treated == treated {
				n[p.stratum] += d.count[i]
			}
		}
	}
	for s := range n {
		if n[s] > n[best] {
			best = s
		}
	}
	return best
}

// ReadMovements reads a CSV with the columns actor, venue (treated or control),
// fate (stayed, moved or gone) and, if wanted, stratum; the first line names
// them in any order.
func ReadMovements(r io.Reader) ([]Movement, error) {
	text, err := csvtext.Read(r)
	if err != nil {
		return nil, err
	}
	rows := csvtext.Rows(text)
	head, err := csvtext.Header(rows, "name the columns actor, venue, fate and, if wanted, stratum")
	if err != nil {
		return nil, err
	}
	col := map[string]int{}
	for i, name := range head {
		col[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range []string{"actor", "venue", "fate"} {
		if _, ok := col[name]; !ok {
			return nil, fmt.Errorf("line 1: there is no column %q", name)
		}
	}
	var all []Movement
	err = csvtext.Each(rows, func(_ int, row []string) error {
		if len(row) != len(head) {
			return fmt.Errorf("%d fields, but the header has %d", len(row), len(head))
		}
		field := func(name string) string { return strings.Clone(strings.TrimSpace(row[col[name]])) }
		m := Movement{Actor: field("actor")}
		if _, ok := col["stratum"]; ok {
			m.Stratum = field("stratum")
		}
		switch v := field("venue"); v {
		case "treated":
			m.Treated = true
		case "control":
		default:
			return fmt.Errorf("the venue is %.40q; write treated or control", v)
		}
		f := slices.Index(fates, field("fate"))
		if f < 0 {
			return fmt.Errorf("the fate is %.40q; write stayed, moved or gone", field("fate"))
		}
		m.Fate = Fate(f)
		if all = append(all, m); len(all) > MaxMovements {
			return fmt.Errorf("more than %d movements", MaxMovements)
		}
		return nil
	})
	return all, err
}
