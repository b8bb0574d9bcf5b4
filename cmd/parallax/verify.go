package main

import (
	"context"
	"fmt"
	"strings"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type verifyCmd struct {
	Receipt   []string `arg:"" optional:"" type:"existingfile" help:"A receipt that 'parallax desk receipts' saved (with --hub any number of them), a desk's evidence of a wrong answer, or a key holder's of two faces in a ceremony."`
	Pin       string   `help:"The transcript hash that the key holders published; without it the hash is only shown."`
	Hub       string   `help:"Check a hub's whole log: its address." placeholder:"URL"`
	State     string   `type:"path" help:"With --hub: the file that keeps what was seen, for the next check; one of your own settings directory if left out." placeholder:"FILE"`
	Desks     int      `name:"min-desks" help:"With --hub: how many desk witnesses must have signed the checkpoint."`
	Auditor   string   `type:"existingfile" help:"With --hub: the key of an auditor whom the manifest names; opens every entry and repeats the grouping." placeholder:"FILE"`
	JSON      bool     `help:"Print JSON."`
	Demo      bool     `help:"Allow a simulated clock."`
	DemoClock string   `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
}

// Run verifies, offline or a hub, and says what was shown.
func (c *verifyCmd) Run(ctx context.Context, std streams) error {
	var pin opening.Hash
	if c.Pin != "" {
		if err := pin.UnmarshalText([]byte(strings.ToLower(c.Pin))); err != nil {
			return fault.Wrap(fault.Invalid, "--pin: "+err.Error(), err)
		}
	}
	switch {
	case c.Hub != "":
		return c.hub(ctx, std, pin)
	case len(c.Receipt) != 1:
		return fault.New(fault.Invalid, "name one saved file, or a hub with --hub URL")
	}
	return c.file(std, c.Receipt[0], pin)
}

// file verifies one saved file offline.
func (c *verifyCmd) file(std streams, path string, pin opening.Hash) error {
	var two client.CeremonyEvidence
	if err := readInto(path, &two); err == nil && len(two.Equivocation.First) > 0 {
		return c.twoFaces(std, two)
	}
	if desk.IsEvidence(path) {
		return c.evidence(std, path, pin)
	}
	v, err := desk.VerifyReceipt(path, pin)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, v)
	}
	fmt.Fprintf(std.out, "Verified. The batch %s of %s with %d observations, promised on %s,\nis entry %d of the witnessed log of %d entries of pool %s.\n",
		v.Root, v.Org, v.Count, v.Promised.Format("2006-01-02 15:04 UTC"), v.Leaf+1, v.LogSize, v.Pool)
	if !v.Pinned {
		fmt.Fprintf(std.out, "This rests on the key ceremony with transcript hash\n%s\nCompare it with what the key holders published, or give it as --pin.\n", v.Pin)
	}
	return nil
}

// twoFaces says which key holder signed two different messages in a ceremony.
func (c *verifyCmd) twoFaces(std streams, e client.CeremonyEvidence) error {
	if c.Pin != "" {
		return fault.New(fault.Invalid, "--pin names a transcript, and an aborted ceremony has none: compare the plan's digest instead")
	}
	h, round, err := e.Verify()
	if err != nil {
		return fault.Wrap(fault.Invalid, "This shows nothing against anybody: "+err.Error()+".", err)
	}
	plan, err := e.Plan.Digest()
	if err != nil {
		return err
	}
	attempt := e.Equivocation.Params.Attempt
	if c.JSON {
		return printJSON(std.out, map[string]any{"holder": h.ID, "entity": h.Entity, "attempt": attempt, "round": round, "plan": plan})
	}
	fmt.Fprintf(std.out, "Verified. Key holder %s (%s) signed two different messages in round %d of attempt %d\nof the key ceremony of pool %s.\n", h.ID, h.Entity, round, attempt, e.Plan.Pool)
	fmt.Fprintf(std.out, "This rests on the ceremony plan with digest\n%s\nCompare it with the plan that the holders agreed on.\n", plan)
	return nil
}

// evidence says which key holder signed a wrong answer.
func (c *verifyCmd) evidence(std streams, path string, pin opening.Hash) error {
	a, err := desk.VerifyEvidence(path, pin)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, a)
	}
	fmt.Fprintf(std.out, "Verified. Key holder %s (%s) of pool %s signed a wrong answer\nto a batch of %d points of class %s that %s asked on %s: its proof fails.\n",
		a.Holder, a.Entity, a.Pool, a.Points, a.Class, a.Member, a.Asked.Format("2006-01-02 15:04 UTC"))
	if !a.Pinned {
		fmt.Fprintf(std.out, "This rests on the key ceremony with transcript hash\n%s\nCompare it with what the key holders published, or give it as --pin.\n", a.Pin)
	}
	return nil
}
