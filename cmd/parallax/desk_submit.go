package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/schollz/progressbar/v3"

	"parallax/internal/desk"
	"parallax/internal/fault"
)

type deskSubmit struct {
	deskDir
	File    string `arg:"" type:"path" help:"A CSV or NDJSON file in UTF-8."`
	Mapping string `required:"" type:"existingfile" help:"What its columns mean."`
	Yes     bool   `help:"Submit without asking."`
	Basis   string `help:"A reference of your own, recorded with every evaluation after the gateway's decision and the day."`
	JSON    bool   `name:"json" help:"Print plan and result as JSON."`
}

// Run shows the plan, asks, and submits.
func (c *deskSubmit) Run(ctx context.Context, std streams) error {
	m, err := desk.LoadMapping(c.Mapping)
	if err != nil {
		return err
	}
	return c.use(ctx, func(d *desk.Desk) error {
		p, err := d.Plan(ctx, desk.File(c.File), m)
		if err != nil {
			return err
		}
		if !c.JSON {
			if err := showPlan(std.out, p); err != nil {
				return err
			}
		}
		if p.LawRefusal != "" {
			return fault.New(fault.Forbidden, p.LawRefusal)
		}
		if !p.Fits() {
			return fault.New(fault.Invalid, p.TooMuch())
		}
		if !c.Yes && p.Observations > 0 && !confirm(std, "Submit this?") {
			return fault.New(fault.Invalid, "nothing was sent")
		}
		res, err := d.Submit(ctx, p, c.Basis, bars(std.err))
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, map[string]any{"plan": p, "result": res})
		}
		fmt.Fprintf(std.out, "done: %d observations in %d contributions; %d left from before were sent.\n", res.Observations, res.Contributions, res.Resent)
		return nil
	})
}

func showPlan(w io.Writer, p desk.Plan) error {
	fmt.Fprintf(w, "%d rows: %d new observations, %d submitted before, %d make none.\n", p.Rows, p.Observations, p.Done, p.Skipped)
	for _, cl := range p.Classes {
		note := ""
		if !cl.Fits {
			note = "   TOO MANY"
		}
		left := "not known"
		if cl.LeftKnown {
			left = fmt.Sprint(cl.Left)
		}
		fmt.Fprintf(w, "  %-26s %6d forms, %6d points charged; left today: %s of %d%s\n", cl.Class.Label(), cl.Selectors, cl.Points, left, cl.Budget, note)
	}
	if p.NoCase > 0 {
		fmt.Fprintf(w, "%d of them name no case reference: a query audit will find that they were asked without a case.\n", p.NoCase)
	}
	if p.Law != nil {
		fmt.Fprintf(w, "Gateway: %s (%s), signed by %s; %s\n", p.Law.Decision, strings.Join(p.Law.Route, " then "), strings.Join(p.Law.SignedBy, " and "), p.Law.Review)
	}
	if p.Example == nil {
		return nil
	}
	fmt.Fprintln(w, "The first observation: \"pool\" is seen by hub and key holders, \"payload\" is sealed to the authority.")
	return printJSON(w, p.Example)
}

func confirm(std streams, question string) bool {
	fmt.Fprint(std.err, question+" [y/N] ")
	var answer string
	if _, err := fmt.Fscanln(std.in, &answer); err != nil {
		return false
	}
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

// bars shows one progress bar after the other on w.
func bars(w io.Writer) desk.Progress {
	var bar *progressbar.ProgressBar
	now := ""
	return func(what string, done, all int) {
		if what != now {
			now = what
			bar = progressbar.NewOptions(all, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
		}
		_ = bar.Set(done) // a bar that cannot be drawn is no reason to stop
	}
}
