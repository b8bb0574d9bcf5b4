package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/due"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/scenario"
)

type gatewayDue struct {
	Gateway string `arg:"" help:"The id of the duty, as AU-AMLCTF-41."`
	Since   string `required:"" placeholder:"TIME" help:"When the clock started, as 2026-11-23 or 2026-11-23T14:30, where the duty is counted."`
	In      string `placeholder:"STATE" help:"State or territory whose holidays count, as AU-NSW; only national ones if left out."`
	Urgent  bool   `help:"The graver case of the duty: for AU-AMLCTF-41, terrorism financing."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Run counts.
func (c *gatewayDue) Run(std streams) error {
	start, err := moment(c.Since)
	if err != nil {
		return err
	}
	d, ok, err := due.For(c.Gateway, start, c.In, c.Urgent)
	if err != nil {
		return err
	}
	if !ok {
		return fault.Newf(fault.Invalid, "%s states no deadline in the data set", c.Gateway)
	}
	if c.JSON {
		// The time was given without a zone and is given back without one: read as
		// UTC it would come out hours too late.
		local := ""
		if !d.Due.IsZero() {
			local = d.Due.Format("2006-01-02T15:04:05")
		}
		return printJSON(std.out, struct {
			due.Deadline
			Due string `json:"due"` // empty: cannot be counted
		}{d, local})
	}
	if d.Due.IsZero() {
		fmt.Fprintln(std.out, d.Rule)
		return nil
	}
	fmt.Fprintf(std.out, "due %s (%s)\n", d.Due.Format("Monday 2 January 2006, 15:04"), d.Rule)
	for _, s := range d.Skipped {
		fmt.Fprintln(std.out, "  not a business day:", s)
	}
	if d.Note != "" {
		fmt.Fprintln(std.out, "  note:", d.Note)
	}
	_, err = fmt.Fprintln(std.out, "  calendars are illustrative; needs review by counsel")
	return err
}

func moment(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.Newf(fault.Invalid, "%q is no time; write 2026-11-23 or 2026-11-23T14:30", text)
}

type gatewayLint struct {
	File   string `arg:"" optional:"" type:"path" help:"A data set (YAML); the one built in if left out."`
	Strict bool   `help:"Let warnings fail too."`
	JSON   bool   `name:"json" help:"Print the findings as JSON."`
}

// Run ends with 1 where a finding is an error.
func (c *gatewayLint) Run(std streams) error {
	_, raw, err := readSet(c.File)
	if err != nil {
		return err
	}
	name := c.File
	if name == "" {
		name = law.BuiltInName
	}
	found, err := law.Lint(name, raw)
	if err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Level == law.LevelError || c.Strict {
			bad++
		}
		if !c.JSON {
			fmt.Fprintf(std.out, "%s:%s\n", name, f)
		}
	}
	if c.JSON {
		if found == nil {
			found = []law.Finding{}
		}
		err = printJSON(std.out, map[string]any{"file": name, "failing": bad, "findings": found})
	} else {
		_, err = fmt.Fprintf(std.out, "%d findings, %d of them failing\n", len(found), bad)
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d findings fail the data set", bad)
	}
	return err
}

type gatewayDiff struct {
	Old       string   `arg:"" type:"path" help:"The data set before (YAML); '-' for the one built in."`
	New       string   `arg:"" type:"path" help:"The data set after, or an overlay over the old one."`
	Scenarios []string `type:"path" help:"Files of scenarios to ask besides the grid."`
	All       bool     `help:"List every question whose answer changes, not the first thirty."`
	JSON      bool     `name:"json" help:"Print as JSON."`
}

// Run compares.
func (c *gatewayDiff) Run(ctx context.Context, std streams) error {
	old, err := c.read(c.Old)
	if err != nil {
		return err
	}
	now, err := c.after(old)
	if err != nil {
		return err
	}
	files, err := readScenarios(c.Scenarios)
	if err != nil {
		return err
	}
	show := bars(std.err)
	d, err := scenario.Compare(ctx, old, now, files, func(done, all int) { show("questions", done, all) })
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, d)
	}
	fmt.Fprintf(std.out, "%s -> %s\n", d.Old, d.New)
	for _, r := range d.Rows {
		fmt.Fprintf(std.out, "%s %s\n", r.What, r.ID)
		for _, f := range r.Fields {
			fmt.Fprintln(std.out, "    "+f)
		}
	}
	for _, code := range d.Codes {
		fmt.Fprintln(std.out, code)
	}
	fmt.Fprintf(std.out, "%d of %d questions are answered otherwise\n", len(d.Answers), d.Asked)
	for i, m := range d.Answers {
		if i == 30 && !c.All {
			fmt.Fprintf(std.out, "... and %d more (--all)\n", len(d.Answers)-i)
			break
		}
		q := m.Question
		fmt.Fprintf(std.out, "%s %s -> %s, %s for %s on %s\n    was %s\n    is  %s\n", m.Case, q.From, q.To, q.Wants, q.Purpose, q.AsOf, m.Old, m.New)
	}
	return nil
}

func (c *gatewayDiff) read(path string) (law.Set, error) {
	if path == "-" {
		path = ""
	}
	s, _, err := readSet(path)
	return s, err
}

// after reads the new data set, which may be an overlay.
func (c *gatewayDiff) after(old law.Set) (law.Set, error) {
	raw, err := readInput(c.New)
	if err != nil {
		return law.Set{}, err
	}
	if o, err := law.ReadOverlay(c.New, raw); err == nil {
		return old.With(o)
	}
	return law.Read(c.New, raw)
}

func readScenarios(paths []string) (files []scenario.File, err error) {
	for _, path := range paths {
		raw, err := readInput(path)
		if err != nil {
			return nil, err
		}
		f, err := scenario.Read(path, raw)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

type gatewaySign struct {
	File   string `arg:"" type:"path" help:"The data set or overlay (YAML)."`
	Key    string `required:"" type:"path" help:"This counsel's key (parallax gateway key)."`
	Out    string `short:"o" required:"" type:"path" help:"The publication; a second counsel's signature is added to the first."`
	From   string `required:"" placeholder:"DATE" help:"From when the deployment may answer by it."`
	To     string `placeholder:"DATE" help:"Until when; open if left out."`
	Review string `required:"" help:"The sentence that is shown with every answer, as: reviewed for Example Bank."`
	Data   string `type:"path" help:"The data set that the overlay is laid over, where it is not the one built in."`
}

// Run signs. What is signed is the exact file, the data set under an overlay,
// its version, the dates and the sentence; all signers must give the same.
func (c *gatewaySign) Run(std streams) error {
	key, err := readGovernor(c.Key)
	if err != nil {
		return err
	}
	raw, err := readInput(c.File)
	if err != nil {
		return err
	}
	version, base, err := c.versionOf(raw)
	if err != nil {
		return err
	}
	st, err := law.State(raw, base, version, c.From, c.To, c.Review)
	if err != nil {
		return err
	}
	var p law.Publication
	if _, err := os.Stat(c.Out); err == nil {
		if err := readInto(c.Out, &p); err != nil {
			return err
		}
	}
	if p, err = p.Sign(st, key.ID, ed25519.NewKeyFromSeed(key.Seed)); err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, append(text, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s, version %s, signed by %s; %d of 2 signatures\n", c.File, version, key.ID, len(p.Signatures))
	return nil
}

// versionOf reads the file as what it is, over what it would be laid: nothing
// that cannot be used is signed, and no decision that its own rows do not carry.
func (c *gatewaySign) versionOf(raw []byte) (version string, base []byte, err error) {
	set, under, err := readSet(c.Data)
	if err != nil {
		return "", nil, err
	}
	o, overlayErr := law.ReadOverlay(c.File, raw)
	switch {
	case overlayErr == nil:
		if set, err = set.With(o); err != nil {
			return "", nil, err
		}
		version, base = o.Meta.DataVersion, under
	case strings.Contains(string(raw), "overlays:"):
		return "", nil, overlayErr
	default:
		if set, err = law.Read(c.File, raw); err != nil {
			return "", nil, err
		}
		version = set.Meta.DataVersion
	}
	f, err := set.Finder()
	if err != nil {
		return "", nil, err
	}
	for _, d := range set.Decisions {
		if _, err := d.Check(f, c.From); err != nil {
			return "", nil, fault.Wrap(fault.Invalid, "nothing was signed: "+fault.Sentence(err), err)
		}
	}
	return version, base, nil
}
