package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"parallax/estimate"
	"parallax/internal/fault"
)

// estimateCmd prints a panel of estimates of a hidden population.
type estimateCmd struct {
	Table    string    `arg:"" type:"path" help:"CSV: a column of 0 and 1 for each list, then count."`
	JSON     bool      `name:"json" help:"Print JSON."`
	Seed     uint64    `default:"1" help:"Seed; the same table and seed give the same answer."`
	Method   []string  `help:"Run only these methods: chapman, chao_mth, loglinear_main, stepwise, bic, aic, dga, lcmcr."`
	Carry    []float64 `help:"For each list, the chance that a record carries the shared selector, as .9,.85,.8: corrects for missed links."`
	Checked  []int     `help:"For each list, how many links the audit behind --carry checked; the carry is then drawn anew in every resample."`
	Stratum  string    `help:"Column that cuts the table into strata, each estimated by itself too."`
	MaxOrder int       `default:"2" help:"Largest interaction that bic and aic may choose."`
	Ordered  bool      `help:"The lists are periods in the order of time: tests whether who was seen is seen again less easily (trap response, model Mb)."`
	Audited  string    `help:"Day of the last audit of links, YYYY-MM-DD; without one the verdict is at best range_only."`
	AuditLow float64   `help:"Lower limit of the chance of a right link that the audit found."`
	Quiet    bool      `help:"Show no progress."`
}

// maxTableBytes is above any table of 16 lists, and bounds what is read.
const maxTableBytes = 16 << 20

// estimateReport is the report with what it was made from.
type estimateReport struct {
	estimate.Report
	InputSHA256 string `json:"input_sha256"`
}

// Run estimates and prints; every verdict ends with 0.
func (c *estimateCmd) Run(ctx context.Context, std streams) error {
	raw, err := readBounded(c.Table)
	if err != nil {
		return err
	}
	o := estimate.Options{Seed: c.Seed, Methods: c.Method, MaxOrder: c.MaxOrder, Carry: c.Carry, Audited: c.Checked, Ordered: c.Ordered}
	var t estimate.Table
	if c.Stratum == "" {
		t, err = estimate.ReadCSV(bytes.NewReader(raw))
	} else {
		t, o.Strata, err = estimate.ReadStrata(bytes.NewReader(raw), c.Stratum)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, c.Table+": "+err.Error(), err)
	}
	if c.Audited != "" {
		day, err := time.Parse(time.DateOnly, c.Audited)
		if err != nil {
			return fault.Wrap(fault.Invalid, "--audited must be a day as YYYY-MM-DD", err)
		}
		o.Audit = &estimate.Audit{AgeDays: int(time.Since(day).Hours() / 24), Low: c.AuditLow}
	}
	done := func() {}
	if !c.Quiet {
		o.Progress, done = progress(std.err)
	}
	r, err := estimate.Run(ctx, t, o)
	done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err.Error(), err)
	}
	out := estimateReport{r, hashOf(raw)}
	if c.JSON {
		return printJSON(std.out, out)
	}
	showEstimate(std.out, out)
	return nil
}

// readBounded reads a whole file that must be of moderate size.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, path+" cannot be opened; give the path of an existing file", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxTableBytes+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, path+" cannot be read", err)
	}
	if len(raw) > maxTableBytes {
		return nil, fault.Newf(fault.Invalid, "%s is larger than %d MB; a table has one line for each history", path, maxTableBytes>>20)
	}
	return raw, nil
}

// progress draws a bar; it may be moved on from several goroutines.
func progress(w io.Writer) (move func(done, total int), done func()) {
	bar := progressbar.NewOptions(1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("estimating"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	var mu sync.Mutex
	last := 0
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if done > last {
			last = done
			bar.ChangeMax(total)
			_ = bar.Set(done)
		}
	}, func() { _ = bar.Finish() }
}

func showEstimate(w io.Writer, r estimateReport) {
	fmt.Fprintf(w, "%s\nVerdict: %s\n\n", r.Headline, r.Verdict)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "method\testimate\tlow\thigh\tmodel\tnotes")
	for _, m := range r.Panel {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Method, whole(m.Estimate), whole(m.Low), whole(m.High), m.Model, m.Notes)
	}
	tab.Flush()
	if r.Range != nil {
		fmt.Fprintf(w, "\nRange of the admissible members: %.0f to %.0f. Seen on %d lists (%s): %d.\n", r.Range[0], r.Range[1], len(r.Lists), strings.Join(r.Lists, ", "), r.N)
	}
	fmt.Fprintln(w, "\nGates:")
	for _, g := range r.Gates {
		word := "passed "
		if !g.Passed {
			word = "refused"
		}
		fmt.Fprintf(w, "  %s  %s: %s\n", word, g.Name, g.Detail)
	}
	if len(r.Sensitivity) > 0 {
		fmt.Fprintln(w, "\nIf people seen on no list are x times as many as the lists' pattern says:")
		for _, s := range r.Sensitivity {
			fmt.Fprintf(w, "  %-15s", s.Method)
			for _, row := range s.Rows {
				fmt.Fprintf(w, "  x%.3g: %.0f", row.Ratio, row.Estimate)
			}
			fmt.Fprintln(w)
		}
	}
	showRobustness(w, r)
	fmt.Fprintln(w)
	for _, s := range r.Warnings {
		fmt.Fprintln(w, s)
	}
	fmt.Fprintln(w, "--carry corrects for missed links; --ordered tests whether who was seen is seen again as easily.")
	fmt.Fprintf(w, "Seed %d, input SHA-256 %s\n", r.Seed, r.InputSHA256)
}

func whole(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *v)
}

// showRobustness prints what happens to the estimate when the table is cut
// otherwise.
func showRobustness(w io.Writer, r estimateReport) {
	if len(r.LeaveOneOut) > 0 {
		fmt.Fprintln(w, "\nThe stepwise estimate on other cuts of the table:")
	}
	for _, v := range append(r.LeaveOneOut, r.Merges...) {
		fmt.Fprintf(w, "  %s: %s %s\n", v.Name, whole(v.Estimate), v.Reason)
	}
	for _, v := range r.Trajectory {
		fmt.Fprintf(w, "  with %.0f %% of each list: %s (middle 80 %% %s to %s)\n", 100*v.Share, whole(v.Median), whole(v.Low), whole(v.High))
	}
	if s := r.Stratified; s != nil {
		for _, v := range s.Strata {
			fmt.Fprintf(w, "  stratum %s: %s %s\n", v.Name, whole(v.Estimate), v.Reason)
		}
		fmt.Fprintf(w, "  all strata together: %s\n", whole(s.Sum))
	}
	if c := r.Simulated; c != nil && c.Estimated > 0 {
		fmt.Fprintf(w, "On %d tables simulated from its own fit %s, its interval holds the truth in %d of the %d that have an estimate.\n", c.Tables, c.Model, c.Covered, c.Estimated)
	}
	if m := r.Mixture; m != nil {
		fmt.Fprintf(w, "By convention only, never instead of the range: %s, %s, 95 %% %s to %s.\n", m.Convention, whole(m.Median), whole(m.Low), whole(m.High))
	}
}
