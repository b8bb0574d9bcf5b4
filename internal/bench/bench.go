package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"parallax/estimate"
	"parallax/internal/fault"
)

// Options choose what is measured.
type Options struct {
	Only  string          // name of one measurement; empty for all
	Quick bool            // smaller sizes and fewer runs: shows that it works, not what it costs
	Table *estimate.Table // capture table to measure the estimators on; nil draws one
	Dir   string          // scratch directory for databases, on the disk to be measured
}

// A Progress is told before each run.
type Progress func(what string, done, all int)

// A Figure is what one side of a measurement cost.
type Figure struct {
	MinMicros    float64 `json:"min_us"`    // per item, the fastest run
	MedianMicros float64 `json:"median_us"` // per item
	PerSecond    float64 `json:"per_second"`
}

// A Row is one measurement with the peer beside it, where there is one in Go;
// without, Peer and Ratio are zero.
type Row struct {
	Name  string  `json:"name"`
	What  string  `json:"what"`
	Items int     `json:"items"` // per run
	Unit  string  `json:"unit"`
	Runs  int     `json:"runs"`
	Ours  Figure  `json:"ours"`
	Peer  Figure  `json:"peer"`
	Of    string  `json:"peer_is"`
	Ratio float64 `json:"ratio"` // the peer's median over ours: above 1, ours is cheaper
	// Goal is the design's for the items of one run, in seconds; 0 where there
	// is none here.
	Goal float64 `json:"goal_seconds,omitempty"`
	// Check says what of the answers was compared; a difference is an error.
	Check string `json:"checked"`
}

// A Report is one run of the whole.
type Report struct {
	Clock string `json:"clock"`
	Cores int    `json:"cores_used"`
	Go    string `json:"go"`
	Arch  string `json:"arch"`
	Quick bool   `json:"quick"`
	Rows  []Row  `json:"rows"`
}

// watch adds up the CPU time between on and off.
type watch struct {
	total, began time.Duration
	err          error
}

func (w *watch) on() {
	t, err := spent()
	w.began = t
	if err != nil {
		w.err = err
	}
}

func (w *watch) off() {
	t, err := spent()
	w.total += t - w.began
	if err != nil {
		w.err = err
	}
}

// A side does its work once, with the watch on for what counts.
type side func(ctx context.Context, w *watch) error

// A job is one measurement, set up.
type job struct {
	items      int
	ours, peer side // peer is nil where there is none in Go
	goal       float64
	check      func(ctx context.Context) error // after the runs: compares the last answers
}

type measurement struct {
	name, what, unit, peer, checked string
	setup                           func(ctx context.Context, o Options) (job, error)
}

var measurements = []measurement{
	{"tokenise", "a desk: blind, verify 3 proofs, combine, unblind, possession keys; 3-of-5", "selector", "circl's pieces composed naively, the same possession keys", "the same tags", tokenise},
	{"evaluate", "a key holder: decode, evaluate, prove the batch, encode", "selector", "circl's verifiable server", "the same points; each side's proof verifies on the other", evaluate},
	{"seal", "an observation of 1 KiB: encapsulate to 3-of-5, prove, encrypt, label", "observation", "standard HPKE to one key, without proof or threshold", "both payloads open", sealing},
	{"verify", "a key holder: check an observation with 4 tags, make its decryption share", "observation", "standard HPKE open and 4 plain Ed25519 checks, without threshold", "3 shares open the payload", verify},
	{"ingest", "the hub: check, store and log observations of 2 tags, SQLite", "observation", "the same bytes inserted unchecked, one row each", "every observation is in the index after linking", ingest},
	{"link", "the hub: clusters over person tags, in memory", "row", "a map from tag to observations and a breadth-first search", "the same clusters", link},
	{"stepwise", "estimate: stepwise selection with the check of existence, 5 lists", "selection", "the same selection on dense matrices, without the check", "the same estimate", stepwise},
	{"lists11", "estimate: stepwise selection with the check of existence, 11 lists", "selection", "the same selection on dense matrices, without the check", "the same estimate", manyLists},
	{"bootstrap", "estimate: BCa with the selection repeated, 5 lists", "resample", noPeer, "the estimate is that of the selection", bootstrap},
	{"dga", "estimate: all decomposable graphs of 5 lists, every whole number", "posterior", noPeer, "the median of a coarse grid", decomposable},
	{"lcmcr", "estimate: latent classes, one chain, 5 lists", "sweep", noPeer, "the median is above what was seen", latent},
	{"panel", "estimate: the full panel with its diagnostics, 5 lists", "panel", noPeer, "there is a range", whole},
	{"gateway", "a lawful route with reasons and explanation, whole built-in data set", "question", "a plain depth-first search over the rows, yes or no alone", "both agree whether there is a route", lawful},
}

const noPeer = "none in Go"

// Names lists the measurements.
func Names() []string {
	out := make([]string, len(measurements))
	for i, m := range measurements {
		out[i] = m.name
	}
	return out
}

// Run measures on one core. A wrong answer on either side is an error.
func Run(ctx context.Context, o Options, p Progress) (Report, error) {
	if o.Only != "" && !slices.Contains(Names(), o.Only) {
		return Report{}, fault.Newf(fault.Invalid, "there is no measurement %q; choose one of %v", o.Only, Names())
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rep := Report{Clock: clockName, Cores: 1, Go: runtime.Version(), Arch: runtime.GOARCH, Quick: o.Quick, Rows: []Row{}}
	for _, m := range measurements {
		if o.Only != "" && o.Only != m.name {
			continue
		}
		row, err := m.run(ctx, o, p)
		if err != nil {
			return rep, fmt.Errorf("%s: %w", m.name, err)
		}
		rep.Rows = append(rep.Rows, row)
	}
	return rep, nil
}

// run takes both sides in turn, so that what else the machine does falls on
// both.
func (m measurement) run(ctx context.Context, o Options, p Progress) (Row, error) {
	runs := 7
	if o.Quick {
		runs = 2
	}
	all := runs
	if m.peer != noPeer {
		all *= 2
	}
	p(m.name, 0, all)
	j, err := m.setup(ctx, o)
	if err != nil {
		return Row{}, err
	}
	sides := []side{j.ours}
	if j.peer != nil {
		sides = append(sides, j.peer)
	}
	var ours, peer []float64
	for i := range runs {
		for k, s := range sides {
			micros, err := once(ctx, s, j.items)
			if err != nil {
				return Row{}, err
			}
			if k == 0 {
				ours = append(ours, micros)
			} else {
				peer = append(peer, micros)
			}
			p(m.name, len(sides)*i+k+1, all)
		}
	}
	if err := j.check(ctx); err != nil {
		return Row{}, fmt.Errorf("the answers are wrong: %w", err)
	}
	row := Row{Name: m.name, What: m.what, Items: j.items, Unit: m.unit, Runs: runs, Ours: figure(ours), Of: m.peer, Check: m.checked, Goal: j.goal}
	if j.peer != nil {
		row.Peer = figure(peer)
		row.Ratio = row.Peer.MedianMicros / row.Ours.MedianMicros
	}
	return row, nil
}

func once(ctx context.Context, s side, items int) (micros float64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	runtime.GC() // what the run before left behind is not this run's cost
	var w watch
	if err := s(ctx, &w); err != nil {
		return 0, err
	}
	if w.err == nil && w.total <= 0 {
		w.err = fmt.Errorf("the clock did not move; take more items")
	}
	return float64(w.total.Nanoseconds()) / 1e3 / float64(items), w.err
}

func figure(micros []float64) Figure {
	slices.Sort(micros)
	n := len(micros)
	f := Figure{MinMicros: micros[0], MedianMicros: (micros[(n-1)/2] + micros[n/2]) / 2}
	f.PerSecond = 1e6 / f.MedianMicros
	return f
}
