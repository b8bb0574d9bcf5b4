package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type deskLead struct {
	Show       deskLeadShow       `cmd:"" help:"Show where an opened lead stands and what may come next."`
	Deconflict deskLeadDeconflict `cmd:"" help:"Record whether somebody else works on it: cleared, pending or hold."`
	Decide     deskLeadDecide     `cmd:"" help:"Decide: act, refer, protect, no-action or needs-more; could this be a child comes first."`
	Outcome    deskLeadOutcome    `cmd:"" help:"Record what came of it."`
	Release    deskLeadRelease    `cmd:"" help:"Tell contributors the outcome, each under a lawful route and under conditions."`
}

// deskLeadStep is what every step takes.
type deskLeadStep struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	Reason  string `required:"" help:"Why; kept sealed at this desk, only its digest is signed."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

func (s *deskLeadStep) sign(ctx context.Context, std streams, c desk.Choice) error {
	c.Reason = s.Reason
	return s.use(ctx, func(d *desk.Desk) error {
		x, err := d.Handle(ctx, s.Opening, c)
		if err != nil {
			return err
		}
		return printCase(std.out, x, s.JSON)
	})
}

type deskLeadShow struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Run shows a lead's state.
func (c *deskLeadShow) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		x, err := d.Case(ctx, c.Opening)
		if err != nil {
			return err
		}
		return printCase(std.out, x, c.JSON)
	})
}

type deskLeadDeconflict struct {
	deskLeadStep
	Answer string `required:"" enum:"cleared,pending,hold" help:"cleared, pending or hold."`
}

// Run records the answer.
func (c *deskLeadDeconflict) Run(ctx context.Context, std streams) error {
	return c.sign(ctx, std, desk.Choice{Step: opening.StepDeconflict, Word: c.Answer})
}

type deskLeadDecide struct {
	deskLeadStep
	Decision string `required:"" enum:"act,refer,protect,no-action,needs-more" help:"act, refer, protect, no-action or needs-more."`
	Child    string `required:"" enum:"no-sign,not-known,possible" help:"Could this be a child? no-sign, not-known or possible."`
	To       string `help:"Of a referral: the organisation's id."`
	Gateway  string `help:"Of a referral: the gateway decision that allows it."`
	SMR      bool   `name:"smr-derived" help:"What is referred stems from a report of suspicion."`
}

// Run signs the decision.
func (c *deskLeadDecide) Run(ctx context.Context, std streams) error {
	x := desk.Choice{Step: opening.StepDecide, Word: c.Decision, Child: c.Child, To: c.To, Gateway: c.Gateway}
	if c.SMR {
		x.Provenance = []string{"smr-derived"}
	}
	return c.sign(ctx, std, x)
}

type deskLeadOutcome struct {
	deskLeadStep
	Outcome string `required:"" enum:"${outcomes}" help:"One of: ${outcomes}."`
}

// Run records the outcome.
func (c *deskLeadOutcome) Run(ctx context.Context, std streams) error {
	return c.sign(ctx, std, desk.Choice{Step: opening.StepOutcome, Word: c.Outcome})
}

type deskLeadRelease struct {
	deskLeadStep
	Tell      map[string]string `required:"" help:"Contributor and the gateway decision that allows to tell it: bank-a=DECISION. Again for each."`
	Condition []string          `required:"" enum:"${conditions}" help:"One of: ${conditions}. Again for each."`
	Earliest  string            `help:"Not before this day (UTC), as 2026-11-30."`
	SMR       bool              `name:"smr-derived" help:"What is told stems from a report of suspicion."`
}

// Run signs the release and its notes.
func (c *deskLeadRelease) Run(ctx context.Context, std streams) error {
	x := desk.Choice{Step: opening.StepRelease, Tell: c.Tell, Conditions: c.Condition, Earliest: time.UnixMicro(0)}
	if c.Earliest != "" {
		at, err := time.Parse(time.DateOnly, c.Earliest)
		if err != nil {
			return fault.Wrap(fault.Invalid, "--earliest: write the day as 2026-11-30", err)
		}
		x.Earliest = at
	}
	if c.SMR {
		x.Provenance = []string{"smr-derived"}
	}
	return c.sign(ctx, std, x)
}

// codes lists the codes of a closed list for help and enums.
func codes(w opening.Words) string {
	out := make([]string, len(w))
	for i, x := range w {
		out[i] = x.Code
	}
	return strings.Join(out, ",")
}

func printCase(w io.Writer, c desk.LeadCase, asJSON bool) error {
	if asJSON {
		return printJSON(w, c)
	}
	fmt.Fprintf(w, "opening %s: %s", c.Opening, strings.ReplaceAll(c.State, "_", " "))
	if !c.Case.Decided() {
		fmt.Fprint(w, "; suspected, not decided")
	}
	fmt.Fprintln(w)
	for _, s := range c.Steps {
		fmt.Fprintf(w, "%d. %s %s, %s", s.Number, s.Step, s.Word, time.UnixMicro(s.Time).UTC().Format("2006-01-02 15:04 UTC"))
		if s.To != "" {
			fmt.Fprintf(w, ", to %s under %s", s.To, s.Gateway)
		}
		fmt.Fprintln(w)
	}
	for _, o := range c.Overlaps {
		fmt.Fprintf(w, "overlaps with opening %s, read here %s: %d identifiers in common\n", o.Opening, o.Read.Format(time.DateOnly), o.Tags)
	}
	return nil
}

type deskReview struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	Finding string `required:"" enum:"upheld,not-upheld" help:"upheld or not-upheld."`
	Reason  string `required:"" help:"Why; kept sealed at this desk, only its digest is signed."`
}

// Run signs the review.
func (c *deskReview) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		if err := d.Review(ctx, c.Opening, c.Finding, c.Reason); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "reviewed: %s\n", c.Finding)
		return nil
	})
}

type deskOutcomes struct {
	deskDir
	Kept bool `help:"Show what is kept; ask nobody."`
	JSON bool `name:"json" help:"Print as JSON."`
}

// Run asks for the digest and shows what contributions led to.
func (c *deskOutcomes) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		if !c.Kept {
			if _, err := d.FetchOutcomes(ctx); err != nil {
				return err
			}
		}
		list, _, err := d.Outcomes(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, list)
		}
		if len(list) == 0 {
			fmt.Fprintln(std.out, "nothing has been released to this organisation")
		}
		for _, o := range list {
			fmt.Fprintf(std.out, "%s: %s (%s), under %s\n", strings.Join(o.References, ", "), o.Says, strings.Join(o.Conditions, ", "), o.Gateway)
		}
		return nil
	})
}

type deskStepUp struct {
	deskDir
	Secret string `env:"PARALLAX_DESK_NEW_STEP_UP" hidden:"" help:"The new secret; set it in the environment."`
}

// Run registers a step-up secret.
func (c *deskStepUp) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		if err := d.RegisterStepUp(ctx, c.Secret); err != nil {
			return err
		}
		fmt.Fprintln(std.err, "registered: set PARALLAX_DESK_STEP_UP for commands that sign; the page asks for it")
		return nil
	})
}
