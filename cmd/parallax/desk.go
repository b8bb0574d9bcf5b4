package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type deskCmd struct {
	Init     deskInit     `cmd:"" help:"Make a desk and print its public card for the manifest."`
	Join     deskJoin     `cmd:"" help:"Fetch and verify a pool's keys and manifest."`
	Law      deskLaw      `cmd:"" help:"Take over the law data that your counsel signed, without which nothing is sent; or show it."`
	Check    deskCheck    `cmd:"" help:"Read a file and report what it would contribute; offline, sends nothing."`
	Submit   deskSubmit   `cmd:"" help:"Show what a file would submit, then submit it; resumes after a break."`
	Status   deskStatus   `cmd:"" help:"Show what this desk holds and has done; asks nobody."`
	Show     deskShow     `cmd:"" help:"Show what this desk submitted under a reference; asks nobody."`
	Receipts deskReceipts `cmd:"" help:"Fetch the log proofs of all receipts and save them as files."`
	Withdraw deskWithdraw `cmd:"" help:"Withdraw what was submitted under a reference."`
	Correct  deskCorrect  `cmd:"" help:"Put right what was submitted: freeze, amend, revoke or uphold."`
	Inbox    deskInbox    `cmd:"" help:"List ready leads and openings (approvers)."`
	Request  deskRequest  `cmd:"" help:"Request that a ready lead be opened (authority)."`
	Approve  deskApprove  `cmd:"" help:"Approve an opening (approvers)."`
	Acts     deskActs     `cmd:"" help:"List, propose and approve acts about statistics (approvers)."`
	Halt     deskHalt     `cmd:"" help:"Halt all openings of the pool at every key holder (approvers)."`
	Lead     deskLead     `cmd:"" help:"Handle an opened lead: deconflict, decide, record and release the outcome (authority)."`
	Review   deskReview   `cmd:"" help:"Review a break-glass opening (oversight)."`
	Outcomes deskOutcomes `cmd:"" help:"Fetch and show what this desk's contributions led to, as far as it was released."`
	StepUp   deskStepUp   `cmd:"" name:"step-up" help:"Register the secret that a desk with a key file asks for before it signs."`
	Open     deskOpen     `cmd:"" help:"Read a released opening (authority); the read is logged first."`
	Audit    deskAudit    `cmd:"" name:"audit-query" help:"Answer a query audit: open the rows that it drew of what this desk asked, sealed to the query auditor."`
	Witness  deskWitness  `cmd:"" help:"Watch the log: cosign each checkpoint that follows from the ones before, refuse any other."`
	Export   deskExport   `cmd:"" help:"Write an opened lead as a table, under a decision of the gateway (authority)."`
	Exports  deskExports  `cmd:"" help:"List the files that leads left as, and until when each may be kept (authority)."`
	Serve    deskServe    `cmd:"" help:"Show this desk's page in a browser on this computer; checks files without joining anything."`
	deskAmends
}

// deskDir is what every command of an unlocked desk takes.
type deskDir struct {
	Dir        string `required:"" type:"path" help:"The desk's directory."`
	Passphrase string `env:"PARALLAX_DESK_PASSPHRASE" hidden:"" help:"Unlocks the desk; set it in the environment."`
	StepUp     string `env:"PARALLAX_DESK_STEP_UP" hidden:"" help:"Confirms who it is at a desk with a step-up secret; set it in the environment."`
	Demo       bool   `help:"Allow a simulated clock."`
	DemoClock  string `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
}

func (c deskDir) use(ctx context.Context, do func(*desk.Desk) error) error {
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	d, err := desk.Open(ctx, desk.Options{Dir: c.Dir, Passphrase: c.Passphrase, StepUp: c.StepUp, Clock: now})
	if err != nil {
		return err
	}
	defer d.Close()
	return do(d)
}

type deskInit struct {
	Dir        string `required:"" type:"path" help:"The desk's directory."`
	ID         string `required:"" help:"The organisation's id in the pool."`
	Entity     string `required:"" help:"The body that controls it."`
	Sector     string `help:"Its sector; needed for contributors."`
	Name       string `help:"Its name; the id if left out."`
	Role       string `default:"contributor" enum:"contributor,authority,approver" help:"contributor, authority or approver."`
	Passphrase string `env:"PARALLAX_DESK_PASSPHRASE" hidden:"" help:"Locks the keys instead of a key file."`
}

// Run makes the desk.
func (c *deskInit) Run(std streams) error {
	p := desk.Profile{ID: c.ID, Entity: c.Entity, Sector: c.Sector, Name: c.Name, Role: c.Role}
	card, err := desk.Init(c.Dir, p, c.Passphrase, rand.Reader)
	if err != nil {
		return err
	}
	return printJSON(std.out, card)
}

type deskJoin struct {
	deskDir
	Hub string `required:"" help:"The hub's URL."`
	Pin string `required:"" help:"The transcript hash that the key holders published."`
}

// Run joins the pool.
func (c *deskJoin) Run(ctx context.Context, std streams) error {
	var pin opening.Hash
	if err := pin.UnmarshalText([]byte(strings.ToLower(c.Pin))); err != nil {
		return fault.Wrap(fault.Invalid, "--pin must be the 64 hex digits of the transcript hash", err)
	}
	return c.use(ctx, func(d *desk.Desk) error {
		m, err := d.Join(ctx, strings.TrimRight(c.Hub, "/"), pin)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.err, "joined pool %s, epoch %s, manifest version %d, generation %d of the key shares\n", m.Pool, m.Epoch, m.Version, m.Generation)
		return nil
	})
}

type deskStatus struct {
	deskDir
	JSON bool `name:"json" help:"Print as JSON."`
}

// Run shows the desk's state.
func (c *deskStatus) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		s, err := d.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, s)
		}
		fmt.Fprintf(std.out, "%s (%s), %s\n", s.Name, s.ID, s.Role)
		if !s.Joined {
			fmt.Fprintln(std.out, "has joined no pool yet")
			return nil
		}
		fmt.Fprintf(std.out, "pool %s, epoch %s, manifest %d, key shares of generation %d; admitted: %t\n%d rows in %d contributions with a receipt, %d not sent yet, %d evaluation batches open\n",
			s.Pool, s.Epoch, s.Manifest, s.Generation, s.Admitted, s.Rows, s.Contributions, s.Unsent, s.OpenBatches)
		return nil
	})
}
