package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"parallax/estimate/series"
)

// itsCmd fits an interrupted time series.
type itsCmd struct {
	File         string  `arg:"" type:"path" help:"CSV with a header, one row for each period."`
	Outcome      string  `required:"" help:"Column of counts (or of measures, with --family linear)."`
	Time         string  `required:"" help:"Column of time, as rising numbers."`
	Intervention string  `required:"" help:"Column of 0 and 1, or the first time at which the intervention holds."`
	Offset       string  `help:"Column of what is counted from, such as the population; its log is the offset."`
	Harmonics    int     `help:"Pairs of sine and cosine for the seasons."`
	Period       float64 `default:"12" help:"Periods in one season."`
	Lag          int     `help:"Lag of the Newey-West errors; 0 chooses 4 (n/100)^(2/9). Twice the lag is shown too."`
	Slope        bool    `help:"Let the trend change as well."`
	Pulse        float64 `help:"Half-life of an effect that fades."`
	Leads        int     `help:"Periods before the intervention with a term of their own, so that the run-up is not baseline."`
	Family       string  `default:"quasipoisson" help:"quasipoisson, negbin or linear."`
	JSON         bool    `name:"json" help:"Print JSON."`
}

// Help is a worked example.
func (itsCmd) Help() string {
	return `parallax its its_sicily.csv --outcome aces --time time --intervention smokban --offset stdpop --harmonics 2`
}

type itsReport struct {
	series.ITSResult
	InputSHA256 string `json:"input_sha256"`
}

// Run fits and prints.
func (c *itsCmd) Run(std streams) error {
	r, raw, err := fromFile(c.File, func(raw []byte) (series.ITSResult, error) {
		s, err := c.series(raw)
		if err != nil {
			return series.ITSResult{}, err
		}
		return s.Fit()
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, itsReport{r, hashOf(raw)})
	}
	showITS(std.out, r)
	return nil
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (c *itsCmd) series(raw []byte) (s series.ITS, err error) {
	f, err := series.ReadFrame(bytes.NewReader(raw))
	if err != nil {
		return s, err
	}
	s = series.ITS{Name: "step", Family: c.Family, Harmonics: c.Harmonics, Period: c.Period, Slope: c.Slope, HalfLife: c.Pulse, Leads: c.Leads, Lag: c.Lag}
	if s.Time, err = f.Column(c.Time); err != nil {
		return s, err
	}
	if s.Outcome, err = f.Column(c.Outcome); err != nil {
		return s, err
	}
	if c.Offset != "" {
		if s.Exposure, err = f.Column(c.Offset); err != nil {
			return s, err
		}
	}
	s.Step, s.Name, err = stepOf(f, s.Time, c.Intervention)
	return s, err
}

// stepOf reads an intervention: a column, or the time at which it begins.
func stepOf(f series.Frame, times []float64, intervention string) (step []float64, name string, err error) {
	if f.Has(intervention) {
		step, err = f.Column(intervention)
		return step, intervention, err
	}
	start, notNumber := strconv.ParseFloat(intervention, 64)
	if notNumber != nil {
		return nil, "", fmt.Errorf("the intervention %.40q is neither a column nor a time", intervention)
	}
	return series.StepAt(times, start), "step", nil
}

func showITS(w io.Writer, r series.ITSResult) {
	if r.RateRatio != nil {
		fmt.Fprintf(w, "Rate ratio of the step: %.4f, 95 %% %.4f to %.4f.\n", r.RateRatio.Estimate, r.RateRatio.Low, r.RateRatio.High)
	}
	fmt.Fprintf(w, "%d points, %s, dispersion %.4g, Newey-West lag %d and %d; limits use the largest error.\n\n", r.N, r.Family, r.Dispersion, r.Lag, 2*r.Lag)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "term\testimate\tmodel error\tHAC\tHAC, twice the lag\tlow\thigh")
	for _, t := range r.Terms {
		fmt.Fprintf(tab, "%s\t%.6g\t%.4g\t%.4g\t%.4g\t%.6g\t%.6g\n", t.Name, t.Estimate, t.ModelSE, t.HACSE, t.HACWideSE, t.Low, t.High)
	}
	tab.Flush()
	if a := r.AR1; a != nil {
		fmt.Fprintf(w, "\nWith errors that follow each other (AR 1, %.3f): step %.6g, 95 %% %.6g to %.6g.\n", a.Rho, a.Step, a.Low, a.High)
	}
	fmt.Fprint(w, "\nAutocorrelation of the residuals:")
	for _, v := range r.Residuals {
		fmt.Fprintf(w, " %.2f", v)
	}
	fmt.Fprintln(w, "\nA change at a date is not yet its effect: whatever else changed then is in it.")
}
