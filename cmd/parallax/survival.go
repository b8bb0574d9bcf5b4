package main

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"parallax/estimate/survival"
)

// survivalCmd compares times until an event.
type survivalCmd struct {
	File string `arg:"" type:"path" help:"CSV: time, status (0 censored, 1 event, 2 and above competing events), and if wanted group."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is a worked example.
func (survivalCmd) Help() string {
	return `parallax survival km_aml.csv
For tokens: time is the days from the takedown to the first sighting anywhere
covered. It is same-selector dark time, never desistance: a new selector looks
like an absence.`
}

// survivalGroup is one group's curve. A limit that is not reached is null.
type survivalGroup struct {
	Name       string                              `json:"name"`
	N          int                                 `json:"n"`
	Events     int                                 `json:"events"`
	Median     *float64                            `json:"median"`
	MedianLow  *float64                            `json:"median_low"`
	MedianHigh *float64                            `json:"median_high"`
	Steps      []survival.Step                     `json:"km"`
	Incidence  map[string][]survival.IncidenceStep `json:"incidence,omitempty"` // by cause, where causes compete
}

type survivalReport struct {
	Groups      []survivalGroup `json:"groups"`
	LogRank     *survival.Test  `json:"logrank"`
	Note        string          `json:"note,omitempty"`
	InputSHA256 string          `json:"input_sha256"`
}

// Run computes and prints.
func (c *survivalCmd) Run(std streams) error {
	all, raw, err := fromFile(c.File, func(raw []byte) ([]survival.Subject, error) { return survival.ReadCSV(bytes.NewReader(raw)) })
	if err != nil {
		return err
	}
	r := survivalReport{InputSHA256: hashOf(raw)}
	names, by := survival.Groups(all)
	for _, name := range names {
		r.Groups = append(r.Groups, groupOf(name, by[name], survival.CausesOf(all)))
	}
	if len(names) > 1 {
		test, err := survival.LogRank(all)
		if err != nil {
			r.Note = err.Error()
		} else {
			r.LogRank = &test
		}
	}
	if c.JSON {
		return printJSON(std.out, r)
	}
	showSurvival(std.out, r)
	return nil
}

func groupOf(name string, all []survival.Subject, causes []int) survivalGroup {
	curve := survival.KaplanMeier(all)
	g := survivalGroup{Name: name, N: curve.N, Steps: curve.Steps}
	for _, s := range curve.Steps {
		g.Events += s.Events
	}
	at, low, high := curve.Median()
	g.Median, g.MedianLow, g.MedianHigh = reached(at), reached(low), reached(high)
	if len(causes) > 1 {
		g.Incidence = map[string][]survival.IncidenceStep{}
		for _, cause := range causes {
			g.Incidence[fmt.Sprint(cause)] = survival.Incidence(all, cause)
		}
	}
	return g
}

func reached(v float64) *float64 {
	if math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func showSurvival(w io.Writer, r survivalReport) {
	text := func(v *float64) string {
		if v == nil {
			return "not reached"
		}
		return fmt.Sprintf("%g", *v)
	}
	for _, g := range r.Groups {
		if g.Name != "" {
			fmt.Fprintf(w, "%s: ", g.Name)
		}
		fmt.Fprintf(w, "%d watched, %d events; median %s, 95 %% %s to %s\n", g.N, g.Events, text(g.Median), text(g.MedianLow), text(g.MedianHigh))
		fmt.Fprintf(w, "  %8s %8s %8s %9s %9s %9s %9s\n", "time", "at risk", "events", "waiting", "error", "low", "high")
		for _, s := range g.Steps {
			fmt.Fprintf(w, "  %8g %8d %8d %9.4f %9.4f %9.4f %9.4f\n", s.Time, s.AtRisk, s.Events, s.Survival, s.SE, s.Low, s.High)
		}
		for cause, steps := range g.Incidence {
			if n := len(steps); n > 0 {
				fmt.Fprintf(w, "  cause %s ends %.4f of the watches by %g (error %.4f)\n", cause, steps[n-1].Share, steps[n-1].Time, steps[n-1].SE)
			}
		}
	}
	switch {
	case r.LogRank != nil:
		fmt.Fprintf(w, "Log-rank: chi-squared %.4f on %d degrees of freedom, p = %.3g\n", r.LogRank.ChiSquared, r.LogRank.DF, r.LogRank.P)
	case r.Note != "":
		fmt.Fprintf(w, "Log-rank: %s\n", r.Note)
	}
}
