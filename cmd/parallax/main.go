// Command parallax is every part of Parallax in one binary: the hub, a key
// holder, a member's desk, the tools around them and the demonstration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"parallax/internal/demo"
	"parallax/internal/fault"
	"parallax/opening"
)

// cli is the command line; every command lives in a file of its own.
type cli struct {
	Demo       demoCmd       `cmd:"" help:"Run everything on this machine with simulated data and print one address."`
	Hub        hubCmd        `cmd:"" help:"Run or set up the hub: the sealed pool, its log and its openings."`
	Keyholder  keyholderCmd  `cmd:"" help:"Run or set up one key holder."`
	Desk       deskCmd       `cmd:"" help:"A member's desk: check and submit files, approve and read openings."`
	Verify     verifyCmd     `cmd:"" help:"Verify a saved receipt offline, or a hub's whole log (--hub URL)."`
	Auditor    auditorCmd    `cmd:"" help:"Make an auditor's key; verify --hub --auditor uses it."`
	Sim        simCmd        `cmd:"" help:"Make and score simulated ecosystems."`
	Bench      benchCmd      `cmd:"" help:"Measure what the protocol costs, with a peer beside each figure."`
	Gateway    gatewayCmd    `cmd:"" help:"Lawful routes: may this be sent, by whom, under what law, on which day?"`
	Estimate   estimateCmd   `cmd:"" help:"Estimate a hidden population from overlapping lists: a panel and its range, or a refusal."`
	Displace   displaceCmd   `cmd:"" help:"Measure displacement: wdd, wdq, migrate, ratio, level, synth."`
	ITS        itsCmd        `cmd:"" name:"its" help:"Interrupted time series with autocorrelation-consistent errors, seasons and fading effects."`
	Survival   survivalCmd   `cmd:"" help:"Time until an event: curves, medians, log-rank, competing events."`
	Governance governanceCmd `cmd:"" help:"Make governance keys and sign manifests."`
	Backup     backupCmd     `cmd:"" help:"Copy the data folder of a hub, key holder or desk, sealed, while it runs."`
	Restore    restoreCmd    `cmd:"" help:"Bring a copy back into a new folder; what was deleted since stays deleted."`
	Completion completionCmd `cmd:"" help:"Print a script that lets a shell complete commands and options."`
	Version    versionCmd    `cmd:"" help:"Print which build this is."`
}

// streams are where commands read and write; tests swap them.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitBad    = 2 // bad input: nothing was changed
)

func main() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

func run(args []string, std streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx = demo.Lifeline(ctx, std.in)
	exited := -1
	parser, err := kong.New(&cli{}, kong.Name("parallax"), kong.Writers(std.out, std.err),
		kong.Description("See together what none can see alone: blinded observations from many organisations link in a sealed pool and open, to an authority only, when threshold, law and log agree."),
		kong.Vars{"outcomes": codes(opening.Outcomes), "conditions": codes(opening.Conditions)},
		kong.Exit(func(code int) { exited = code }), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(std.err, "parallax:", err)
		return exitFailed
	}
	c, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(std.err, "parallax:", err)
		return exitBad
	}
	c.BindTo(ctx, (*context.Context)(nil))
	if err := c.Run(std); err != nil {
		fmt.Fprintln(std.err, "parallax:", describe(err))
		if fault.KindOf(err) == fault.Invalid {
			return exitBad
		}
		return exitFailed
	}
	return exitDone
}

// describe is the safe sentence of an error, with its cause where there is none.
func describe(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.Sentence(err)
	}
	return err.Error()
}
