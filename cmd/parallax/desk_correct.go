package main

import (
	"context"
	"fmt"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// deskAmends are the commands by which a reader hears what was put right.
type deskAmends struct {
	Corrections deskCorrections `cmd:"" help:"Fetch and acknowledge what was put right in leads that this desk could read (authority)."`
	Refer       deskRefer       `cmd:"" help:"Note to whom an opened lead was passed on (authority)."`
	Told        deskTold        `cmd:"" help:"Note that a recipient was told of a correction (authority)."`
	Subject     deskSubject     `cmd:"" help:"Take down the request of a person who showed that an identifier is theirs; the answer is always the same."`
	Subjects    deskSubjects    `cmd:"" help:"Read the findings for people who asked (authority)."`
	Due         deskDue         `cmd:"" help:"List opened leads by when they are to be reviewed (authority)."`
	Retain      deskRetain      `cmd:"" help:"Keep an opened lead for another 90 days, or clear it (authority)."`
}

type deskCorrect struct {
	Freeze deskFreeze `cmd:"" help:"Stop observations from counting and opening until it is decided, within 30 days."`
	Uphold deskUphold `cmd:"" help:"Decide that frozen observations stand; lifts this desk's own freeze."`
	Amend  deskAmend  `cmd:"" help:"Replace earlier observations of a reference by those that were submitted last."`
	Revoke deskRevoke `cmd:"" help:"Say for good that observations were wrong."`
}

// correctOwn is what corrections by a contributor take.
type correctOwn struct {
	deskDir
	Ref    string `help:"The reference of your own observations."`
	Reason string `required:"" help:"Why; key holders and whoever read the observations get it. Name no person."`
}

// correctAny adds what an approver names observations by.
type correctAny struct {
	correctOwn
	Label []string `help:"An observation by its label, 128 hex digits (approvers); may be given several times."`
}

type deskFreeze struct{ correctAny }

// Run freezes.
func (c *deskFreeze) Run(ctx context.Context, std streams) error {
	return c.correct(ctx, std, opening.DenyFreeze)
}

type deskUphold struct{ correctAny }

// Run lifts a freeze.
func (c *deskUphold) Run(ctx context.Context, std streams) error {
	return c.correct(ctx, std, opening.DenyUphold)
}

type deskRevoke struct{ correctAny }

// Run revokes.
func (c *deskRevoke) Run(ctx context.Context, std streams) error {
	return c.correct(ctx, std, opening.DenyRevoke)
}

type deskAmend struct{ correctOwn }

// Run replaces.
func (c *deskAmend) Run(ctx context.Context, std streams) error {
	return c.send(ctx, std, desk.Correction{Kind: opening.DenyAmend, Reference: c.Ref, Reason: c.Reason})
}

func (c *correctAny) correct(ctx context.Context, std streams, kind string) error {
	x := desk.Correction{Kind: kind, Reference: c.Ref, Reason: c.Reason}
	if (c.Ref == "") == (len(c.Label) == 0) {
		return fault.New(fault.Invalid, "name your own observations by --ref, or as an approver any by --label; nothing was sent")
	}
	var err error
	if x.Labels, err = readLabels(c.Label); err != nil {
		return err
	}
	return c.send(ctx, std, x)
}

// readLabels reads observations' labels from a command line.
func readLabels(list []string) ([]seal.Label, error) {
	var out []seal.Label
	for i, text := range list {
		var l seal.Label
		if err := l.UnmarshalText([]byte(strings.ToLower(text))); err != nil {
			return nil, fault.Wrap(fault.Invalid, fmt.Sprintf("label %d must be %d hex digits; nothing was done", i+1, 2*len(l)), err)
		}
		out = append(out, l)
	}
	return out, nil
}

func (c *correctOwn) send(ctx context.Context, std streams, x desk.Correction) error {
	return c.use(ctx, func(d *desk.Desk) error {
		w, err := d.Correct(ctx, x)
		if err != nil {
			return err
		}
		if err := printJSON(std.out, w); err != nil {
			return err
		}
		if !w.Done || !w.Hub {
			return fault.New(fault.Unavailable, fmt.Sprintf("%d of the %d key holders needed keep the correction and the hub took it: %t; run the same command again for the others", len(w.Acks), w.Need, w.Hub))
		}
		return nil
	})
}

type deskCorrections struct{ deskDir }

// Run fetches, keeps and acknowledges corrections of what this desk could read.
func (c *deskCorrections) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		list, err := d.Corrections(ctx)
		if err != nil {
			return err
		}
		if list == nil {
			list = []desk.ReceivedCorrection{}
		}
		return printJSON(std.out, list)
	})
}

type deskRefer struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	To      string `required:"" help:"The body that it was passed on to."`
	How     string `required:"" help:"The channel and the reference of the message."`
}

// Run notes a recipient.
func (c *deskRefer) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		r, err := d.Refer(ctx, c.Opening, c.To, c.How)
		if err != nil {
			return err
		}
		return printJSON(std.out, r)
	})
}

type deskTold struct {
	deskDir
	Correction string `arg:"" help:"The correction's id, as desk corrections prints it."`
	To         string `required:"" help:"Who was told."`
	How        string `required:"" help:"The channel and the reference of the message."`
}

// Run notes that a recipient was told.
func (c *deskTold) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		x, err := d.TellRecipient(ctx, c.Correction, c.To, c.How)
		if err != nil {
			return err
		}
		return printJSON(std.out, x)
	})
}
