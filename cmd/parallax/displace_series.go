package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"parallax/estimate/displace"
	"parallax/estimate/series"
	"parallax/internal/fault"
)

// fromFile computes from a file; an error of what is in it names it.
func fromFile[R any](path string, compute func(raw []byte) (R, error)) (r R, raw []byte, err error) {
	if raw, err = readBounded(path); err != nil {
		return r, nil, err
	}
	if r, err = compute(raw); err != nil {
		return r, nil, fault.Wrap(fault.Invalid, path+": "+err.Error(), err)
	}
	return r, raw, nil
}

// timed is a result with the times that it is for.
type timed[R any] struct {
	result R
	times  []float64
}

// timedFrame reads a frame and its column of time.
func timedFrame(raw []byte, column string) (f series.Frame, times []float64, err error) {
	if f, err = series.ReadFrame(bytes.NewReader(raw)); err != nil {
		return f, nil, err
	}
	if times, err = f.Column(column); err != nil {
		return f, nil, err
	}
	for i := 1; i < len(times); i++ {
		if times[i] <= times[i-1] {
			return f, nil, fmt.Errorf("row %d: times must rise", i+1)
		}
	}
	return f, times, nil
}

// ratioCmd computes the displacement ratio.
type ratioCmd struct {
	File string `arg:"" type:"path" help:"CSV with the columns actor, venue (treated or control), fate (stayed, moved or gone) and, if wanted, stratum."`
	JSON bool   `name:"json" help:"Print JSON."`
	Seed uint64 `default:"1" help:"Seed of the resamples."`
}

// Run computes and prints.
func (c *ratioCmd) Run(ctx context.Context, std streams) error {
	r, raw, err := fromFile(c.File, func(raw []byte) (displace.Ratio, error) {
		all, err := displace.ReadMovements(bytes.NewReader(raw))
		if err != nil {
			return displace.Ratio{}, err
		}
		return displace.DisplacementRatio(ctx, all, c.Seed)
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	if c.JSON {
		return printJSON(std.out, struct {
			displace.Ratio
			Seed        uint64 `json:"seed"`
			InputSHA256 string `json:"input_sha256"`
		}{r, c.Seed, hashOf(raw)})
	}
	fmt.Fprintf(std.out, "%s\n\n%d actors at the venue: %.3f moved, %.3f left. Matched controls (%d): %.3f and %.3f.\n", r.Reading, r.Treated, r.Moved, r.Left, r.Controls, r.ExpMoved, r.ExpLeft)
	if r.Low != nil {
		fmt.Fprintf(std.out, "Ratio %.3f, 95 %% %.3f to %.3f.\n", *r.Estimate, *r.Low, *r.High)
	}
	fmt.Fprintln(std.out, "The unit is what the column actor names; from the pool that is a selector, not a person, and one person may have several.")
	fmt.Fprintln(std.out, "Who came back under a new selector counts as gone: this is not desistance.")
	return nil
}

// levelCmd fits a local level and its counterfactual.
type levelCmd struct {
	File         string   `arg:"" type:"path" help:"CSV with a header, one row for each period."`
	Outcome      string   `required:"" help:"Column of the outcome."`
	Time         string   `required:"" help:"Column of time, as rising numbers."`
	Intervention string   `required:"" help:"Column of 0 and 1, or the first time at which the intervention holds."`
	Regressor    []string `help:"Columns that move with the outcome and that the intervention did not touch."`
	Seed         uint64   `default:"1" help:"Seed of the simulated paths."`
	JSON         bool     `name:"json" help:"Print JSON."`
}

// Run fits and prints.
func (c *levelCmd) Run(std streams) error {
	found, raw, err := fromFile(c.File, c.impact)
	if err != nil {
		return err
	}
	r, times := found.result, found.times
	if c.JSON {
		return printJSON(std.out, struct {
			series.Counterfactual
			Times       []float64 `json:"times"`
			Seed        uint64    `json:"seed"`
			InputSHA256 string    `json:"input_sha256"`
		}{r, times, c.Seed, hashOf(raw)})
	}
	sum := r.Cumulative[len(r.Cumulative)-1]
	fmt.Fprintf(std.out, "Observed less expected, all periods together: %.4g, 95 %% %.4g to %.4g.\n", sum.Mean, sum.Low, sum.High)
	fmt.Fprintf(std.out, "Local level before it: variance of the level %.5g, of the noise %.5g.\n\n", r.Fit.VarLevel, r.Fit.VarEpsilon)
	for i, e := range r.Expected {
		fmt.Fprintf(std.out, "  %8g  expected %10.4g (%.4g to %.4g), effect %10.4g (%.4g to %.4g)\n", times[i], e.Mean, e.Low, e.High, r.Effect[i].Mean, r.Effect[i].Low, r.Effect[i].High)
	}
	return nil
}

func (c *levelCmd) impact(raw []byte) (r timed[series.Counterfactual], err error) {
	f, times, err := timedFrame(raw, c.Time)
	if err != nil {
		return r, err
	}
	s := series.LocalLevel{}
	if s.Y, err = f.Column(c.Outcome); err != nil {
		return r, err
	}
	for _, name := range c.Regressor {
		col, err := f.Column(name)
		if err != nil {
			return r, err
		}
		if s.X == nil {
			s.X = make([][]float64, len(col))
		}
		for i, v := range col {
			s.X[i] = append(s.X[i], v)
		}
	}
	step, _, err := stepOf(f, times, c.Intervention)
	if err != nil {
		return r, err
	}
	first := slices.IndexFunc(step, func(v float64) bool { return v > 0 })
	if first < 0 {
		return r, fmt.Errorf("the intervention never begins within the series")
	}
	r.times = times[first:]
	r.result, err = s.Impact(first, c.Seed)
	return r, err
}

// synthCmd builds a synthetic control.
type synthCmd struct {
	File    string  `arg:"" type:"path" help:"CSV with a header: a column of time, and one for each unit."`
	Time    string  `required:"" help:"Column of time, as rising numbers."`
	Treated string  `required:"" help:"Column of the treated unit; all others are donors."`
	From    float64 `required:"" help:"First time at which the intervention holds."`
	JSON    bool    `name:"json" help:"Print JSON."`
}

// Run builds and prints.
func (c *synthCmd) Run(std streams) error {
	found, raw, err := fromFile(c.File, c.control)
	if err != nil {
		return err
	}
	r, times := found.result, found.times
	if c.JSON {
		return printJSON(std.out, struct {
			series.SyntheticReport
			Times       []float64 `json:"times"`
			InputSHA256 string    `json:"input_sha256"`
		}{r, times, hashOf(raw)})
	}
	showSynth(std.out, r)
	return nil
}

func (c *synthCmd) control(raw []byte) (r timed[series.SyntheticReport], err error) {
	f, times, err := timedFrame(raw, c.Time)
	if err != nil {
		return r, err
	}
	p := series.Panel{Treated: -1, First: slices.IndexFunc(times, func(t float64) bool { return t >= c.From })}
	if !f.Has(c.Treated) || c.Treated == c.Time {
		return r, fmt.Errorf("there is no unit %q", c.Treated)
	}
	for _, name := range f.Names {
		if name == c.Time {
			continue
		}
		col, err := f.Column(name)
		if err != nil {
			return r, err
		}
		if name == c.Treated {
			p.Treated = len(p.Units)
		}
		p.Units, p.Values = append(p.Units, name), append(p.Values, col)
	}
	r.times = times
	r.result, err = series.Synthesise(p)
	return r, err
}

func showSynth(w io.Writer, r series.SyntheticReport) {
	fmt.Fprintf(w, "%s less its synthetic control: %.4g on average after, error before %.4g, ratio %.3g.\n", r.Unit, r.MeanGap, r.RMSPE, r.Ratio)
	fmt.Fprintf(w, "Placebo rank: p = %.3f among %d units; a small value is rare if nothing happened.\n\n", r.P, len(r.Placebos)+1)
	for _, unit := range slices.Sorted(maps.Keys(r.Weights)) {
		fmt.Fprintf(w, "  %.4f  %s\n", r.Weights[unit], unit)
	}
	for _, l := range r.LeaveOut {
		fmt.Fprintf(w, "  without %s: %.4g on average, error before %.4g\n", l.Donor, l.MeanGap, l.RMSPE)
	}
}
