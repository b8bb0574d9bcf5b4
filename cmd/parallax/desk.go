package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type deskCmd struct {
	Init     deskInit     `cmd:"" help:"Make a desk and print its public card for the manifest."`
	Join     deskJoin     `cmd:"" help:"Fetch and verify a pool's keys and manifest."`
	Check    deskCheck    `cmd:"" help:"Read a file and report what it would contribute; offline, sends nothing."`
	Submit   deskSubmit   `cmd:"" help:"Show what a file would submit, then submit it; resumes after a break."`
	Status   deskStatus   `cmd:"" help:"Show what this desk holds and has done; asks nobody."`
	Receipts deskReceipts `cmd:"" help:"Fetch the log proofs of all receipts and save them as files."`
	Withdraw deskWithdraw `cmd:"" help:"Withdraw what was submitted under a reference."`
	Inbox    deskInbox    `cmd:"" help:"List ready leads and openings (approvers)."`
	Request  deskRequest  `cmd:"" help:"Request that a ready lead be opened (authority)."`
	Approve  deskApprove  `cmd:"" help:"Approve an opening (approvers)."`
	Open     deskOpen     `cmd:"" help:"Read a released opening (authority); the read is logged first."`
}

// deskDir is what every command of an unlocked desk takes.
type deskDir struct {
	Dir        string `required:"" type:"path" help:"The desk's directory."`
	Passphrase string `env:"PARALLAX_DESK_PASSPHRASE" hidden:"" help:"Unlocks the desk; set it in the environment."`
	Demo       bool   `help:"Allow a simulated clock."`
	DemoClock  string `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
}

func (c deskDir) use(ctx context.Context, do func(*desk.Desk) error) error {
	now, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	d, err := desk.Open(ctx, desk.Options{Dir: c.Dir, Passphrase: c.Passphrase, Clock: now})
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
		fmt.Fprintf(std.err, "joined pool %s, epoch %s, manifest version %d\n", m.Pool, m.Epoch, m.Version)
		return nil
	})
}

type deskCheck struct {
	File        string `arg:"" type:"path" help:"A CSV or NDJSON file in UTF-8."`
	Mapping     string `type:"path" help:"What its columns mean; guessed if left out."`
	SaveMapping string `type:"path" help:"Save the mapping that was used."`
	JSON        bool   `name:"json" help:"Print the report as JSON."`
}

// Run checks the file. It ends with 1 where something was stopped or refused.
func (c *deskCheck) Run(std streams) error {
	m, err := optionalMapping(c.Mapping)
	if err != nil {
		return err
	}
	rep, err := desk.Check(c.File, m, time.Now(), func(rows int) { fmt.Fprintf(std.err, "\r%d rows", rows) })
	if rep.Rows >= 10_000 {
		fmt.Fprintln(std.err)
	}
	if err != nil {
		return err
	}
	if c.SaveMapping != "" {
		if err := rep.Mapping.Save(c.SaveMapping); err != nil {
			return err
		}
	}
	if c.JSON {
		err = printJSON(std.out, rep)
	} else {
		showMapping(std.out, rep.Mapping, rep.Guessed)
		rep.Text(std.out)
	}
	if err == nil && !rep.Clean() {
		err = fmt.Errorf("%d cells or rows were stopped or refused; the rest can be submitted", len(rep.Issues)+rep.MoreIssues)
	}
	return err
}

func optionalMapping(path string) (*desk.Mapping, error) {
	if path == "" {
		return nil, nil
	}
	m, err := desk.LoadMapping(path)
	return &m, err
}

func showMapping(w io.Writer, m desk.Mapping, guessed bool) {
	if guessed {
		fmt.Fprintln(w, "Guessed mapping (save it with --save-mapping, edit it, use it with --mapping):")
	} else {
		fmt.Fprintln(w, "Mapping:")
	}
	_ = printJSON(w, m) // a report of a failed write follows from the next line
}

type deskSubmit struct {
	deskDir
	File    string `arg:"" type:"path" help:"A CSV or NDJSON file in UTF-8."`
	Mapping string `required:"" type:"existingfile" help:"What its columns mean."`
	Yes     bool   `help:"Submit without asking."`
	Basis   string `help:"The id of the lawful basis in the manifest; recorded with every evaluation."`
	JSON    bool   `name:"json" help:"Print plan and result as JSON."`
}

// Run shows the plan, asks, and submits.
func (c *deskSubmit) Run(ctx context.Context, std streams) error {
	m, err := desk.LoadMapping(c.Mapping)
	if err != nil {
		return err
	}
	return c.use(ctx, func(d *desk.Desk) error {
		p, err := d.Plan(ctx, c.File, m)
		if err != nil {
			return err
		}
		if !c.JSON {
			if err := showPlan(std.out, p); err != nil {
				return err
			}
		}
		if !p.Fits() {
			return fault.New(fault.Invalid, "the file needs more than the daily budget of a class (see above); nothing was sent")
		}
		if !c.Yes && p.Observations > 0 && !confirm(std) {
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
		fmt.Fprintf(w, "  %-26s %6d forms, %6d points charged of %d a day%s\n", cl.Class.Label(), cl.Selectors, cl.Points, cl.Budget, note)
	}
	if p.Example == nil {
		return nil
	}
	fmt.Fprintln(w, "The first observation: \"pool\" is seen by hub and key holders, \"payload\" is sealed to the authority.")
	return printJSON(w, p.Example)
}

func confirm(std streams) bool {
	fmt.Fprint(std.err, "Submit this? [y/N] ")
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
		fmt.Fprintf(std.out, "pool %s, epoch %s, manifest %d; admitted: %t\n%d rows in %d contributions with a receipt, %d not sent yet, %d evaluation batches open\n",
			s.Pool, s.Epoch, s.Manifest, s.Admitted, s.Rows, s.Contributions, s.Unsent, s.OpenBatches)
		return nil
	})
}

type deskReceipts struct {
	deskDir
	Out string `short:"o" type:"path" default:"receipts" help:"Directory for the files."`
}

// Run saves the receipts.
func (c *deskReceipts) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		saved, pending, err := d.Receipts(ctx, c.Out)
		for _, path := range saved {
			fmt.Fprintln(std.out, path)
		}
		if pending > 0 {
			fmt.Fprintf(std.err, "%d receipts are not in the witnessed log yet; try again after the next tick\n", pending)
		}
		return err
	})
}

type deskWithdraw struct {
	deskDir
	Ref    string `required:"" help:"The reference of the observations."`
	Reason string `required:"" help:"Why; key holders keep it. Name no person."`
}

// Run withdraws.
func (c *deskWithdraw) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		w, err := d.Withdraw(ctx, c.Ref, c.Reason)
		if err != nil {
			return err
		}
		if err := printJSON(std.out, w); err != nil {
			return err
		}
		if !w.Done || !w.Hub {
			return fault.New(fault.Unavailable, fmt.Sprintf("%d of the %d key holders needed keep the denial; run the same command again for the others", len(w.Acks), w.Need))
		}
		return nil
	})
}

type deskInbox struct {
	deskDir
}

// Run lists what waits.
func (c *deskInbox) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		in, err := d.Inbox(ctx)
		if err != nil {
			return err
		}
		return printJSON(std.out, in)
	})
}

type deskRequest struct {
	deskDir
	Lead     string `arg:"" help:"The lead's id."`
	Purpose  string `required:"" help:"The purpose, as the legal basis has it."`
	Basis    string `required:"" help:"The id of the legal basis in the manifest."`
	Playbook string `default:"standard" enum:"standard,child-possible" help:"standard or child-possible."`
}

// Run requests an opening and prints its id.
func (c *deskRequest) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		id, err := d.Request(ctx, c.Lead, c.Purpose, c.Basis, c.Playbook)
		if err != nil {
			return err
		}
		fmt.Fprintln(std.out, id)
		return nil
	})
}

type deskApprove struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
}

// Run approves exactly the request that it prints.
func (c *deskApprove) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		req, err := d.Approve(ctx, c.Opening)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "approved: %d observations for %s under %s, playbook %s\n", len(req.Labels), req.Purpose, req.LegalBasis, req.Playbook)
		return nil
	})
}

type deskOpen struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Run reads an opening.
func (c *deskOpen) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		lead, err := d.OpenLead(ctx, c.Opening)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, lead)
		}
		lead.Text(std.out)
		return nil
	})
}
