package study

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"parallax/estimate"
)

// A Report is the whole study.
type Report struct {
	Seed    uint64          `json:"seed"`
	Lists   []ListResult    `json:"lists"`
	Sampler []SamplerResult `json:"sampler"`
	Moves   []MoveResult    `json:"moves"`
}

// samplerWorlds is on how many worlds of each arm the sampler runs.
const samplerWorlds = 4

// moveSeed is the first seed of the worlds with a takedown.
const moveSeed = 100_000

// Run runs every arm, on part of its worlds where share is below 1.
func Run(ctx context.Context, share float64, progress func(what string, done, all int)) (Report, error) {
	r := Report{Seed: 1}
	part := func(n int) int { return max(int(math.Ceil(float64(n)*share)), 1) }
	for _, a := range moveArms() {
		a.Worlds = part(a.Worlds)
		got, err := a.Run(ctx, moveSeed, steps("takedown: "+a.Name, a.Worlds, progress))
		if err != nil {
			return r, err
		}
		r.Moves = append(r.Moves, got)
	}
	for _, a := range listArms() {
		n := part(a.Worlds)
		got, err := a.Run(ctx, 1, n, steps("lists: "+a.Name, n, progress))
		if err != nil {
			return r, err
		}
		r.Lists = append(r.Lists, got)
	}
	for _, a := range listArms() {
		if a.Whole || a.Carry != nil {
			continue
		}
		n := part(samplerWorlds)
		got, err := a.RunSampler(ctx, n, steps("latent classes: "+a.Name, n, progress))
		if err != nil {
			return r, err
		}
		r.Sampler = append(r.Sampler, got)
	}
	return r, nil
}

func steps(what string, all int, progress func(string, int, int)) func() {
	done := 0
	return func() {
		done++
		if progress != nil {
			progress(what, done, all)
		}
	}
}

// Blind is the table that the estimators print: by strength of heterogeneity,
// how often the gates pass and how often every interval then misses.
func (r Report) Blind() (rows []estimate.BlindWorlds) {
	for _, l := range r.Lists {
		if l.Tabled {
			rows = append(rows, estimate.BlindWorlds{Spread: l.Spread, Seldom: l.Seldom, Outcomes: l.Outcomes})
		}
	}
	return rows
}

// WriteBlind writes the table as package estimate embeds it.
func (r Report) WriteBlind(w io.Writer) error {
	raw, err := json.MarshalIndent(r.Blind(), "", " ")
	if err == nil {
		_, err = w.Write(append(raw, '\n'))
	}
	return err
}

// Markdown writes the report for people.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(opening)
	b.WriteString("\n## When the gates pass and every interval misses\n\n" + blindText)
	b.WriteString("| people | worlds | gates passed | of these, every interval missed | refused | range only |\n|---|---|---|---|---|---|\n")
	for _, l := range r.Lists {
		if l.Tabled {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", estimate.BlindRow{Spread: l.Spread, Seldom: l.Seldom}.Who(), len(l.Outcomes),
				percent(l.Count("cm"), len(l.Outcomes)), percent(l.Count("m"), l.Count("cm")), percent(l.Count("r"), len(l.Outcomes)), percent(l.Count("CM"), len(l.Outcomes)))
		}
	}
	b.WriteString("\n## Every estimator\n\n" + methodText)
	for _, l := range r.Lists {
		r.arm(&b, l)
	}
	b.WriteString("\n## Latent classes\n\n" + samplerText)
	b.WriteString("| world | worlds | chains agreed | of these, interval covers | mean error |\n|---|---|---|---|---|\n")
	for _, s := range r.Sampler {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s |\n", armName(s.Name, s.Spread, s.Seldom), s.Worlds, s.Converged, s.Covered, signed(s.Bias, s.Converged))
	}
	b.WriteString("\n## Displacement ratio\n\n" + moveText)
	b.WriteString("| world | worlds | at the venue | gave an interval | of these, holds the truth | holds the mean truth | could tell | of these, holds the truth | mean width | mean error | truth, same selector | truth, everybody |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range r.Moves {
		fmt.Fprintf(&b, "| %s | %d | %.0f | %d | %s | %s | %s | %s | %.2f | %+.3f | %.2f | %.2f |\n", m.Name, m.Worlds, m.Treated, m.Intervals,
			percent(m.Covered, m.Intervals), percent(m.Common, m.Intervals), percent(m.CanTell, m.Worlds), percent(m.Told, m.CanTell), m.Width, m.Bias, m.Truth, m.Real)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func armName(name string, spread, seldom float64) string {
	switch {
	case strings.HasPrefix(name, "people differ"):
		return fmt.Sprintf("%s, spread %.1f", name, spread)
	case seldom > 0:
		return fmt.Sprintf("%s: %.0f %%", name, 100*seldom)
	}
	return name
}

func (r Report) arm(b *strings.Builder, l ListResult) {
	fmt.Fprintf(b, "\n### %s\n\n%d worlds: gates passed in %s, refused %s, range only %s.\n\n", armName(l.Name, l.Spread, l.Seldom), len(l.Outcomes),
		percent(l.Count("cm"), len(l.Outcomes)), percent(l.Count("r"), len(l.Outcomes)), percent(l.Count("CM"), len(l.Outcomes)))
	b.WriteString("| estimator | rows with an estimate | mean error | median error | interval covers |\n|---|---|---|---|---|\n")
	for _, m := range l.Methods {
		fmt.Fprintf(b, "| %s | %d | %s | %s | %s |\n", m.Method, m.Points, signed(m.Bias, m.Points), signed(m.Median, m.Points), percent(m.Covered, m.Intervals))
	}
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

func signed(v float64, n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.1f %%", 100*v)
}
