package main

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/auditor"
	"parallax/internal/fault"
	"parallax/opening"
)

type auditorQuery struct {
	Answers   []string `arg:"" optional:"" type:"existingfile" help:"Answers that members' desks wrote. Without any the report says whose are missing."`
	Hub       string   `required:"" help:"The hub's address."`
	Key       string   `required:"" type:"existingfile" help:"The key of a query auditor whom the manifest names."`
	Pin       string   `required:"" help:"The transcript hash that the key holders published."`
	Since     string   `help:"The first day to audit, as 2026-11-24; by default 90 days back, as long as desks can answer."`
	Selectors bool     `help:"Show the sampled identifiers too, to compare them with case files."`
	JSON      bool     `name:"json" help:"Print the report as JSON."`
	Demo      bool     `help:"Allow a simulated clock."`
	DemoClock string   `type:"path" help:"With --demo: a file with the offset of a simulated clock."`
}

// queryHPKE derives the key pair that answers are sealed to from an auditor's key.
func queryHPKE(key governorKey) (private, public []byte, err error) {
	seed, err := hkdf.Key(sha256.New, key.Seed, nil, "parallax/query-auditor-hpke/v1", 32)
	if err != nil {
		return nil, nil, err
	}
	k, err := ecdh.X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, nil, err
	}
	return seed, k.PublicKey().Bytes(), nil
}

// Run audits and prints the report.
func (c *auditorQuery) Run(ctx context.Context, std streams) error {
	o, err := c.options(std)
	if err != nil {
		return err
	}
	r, err := auditor.QueryAudit(ctx, o)
	if c.JSON {
		return errors.Join(printJSON(std.out, r), err)
	}
	showQueries(std.out, r)
	return err
}

func (c *auditorQuery) options(std streams) (auditor.QueryOptions, error) {
	o := auditor.QueryOptions{Hub: strings.TrimRight(c.Hub, "/"), Since: c.Since, Selectors: c.Selectors,
		HTTP: client.NewHTTP(time.Minute), Progress: bar(std.err, "tiles")}
	if err := o.Pin.UnmarshalText([]byte(strings.ToLower(c.Pin))); err != nil || o.Pin == (opening.Hash{}) {
		return o, fault.Wrap(fault.Invalid, "--pin must be the 64 hex digits of the transcript hash", errors.Join(errors.New("no hash"), err))
	}
	if _, err := time.Parse(time.DateOnly, c.Since); c.Since != "" && err != nil {
		return o, fault.Wrap(fault.Invalid, "--since must be a day, written as 2026-11-24", err)
	}
	key, err := readGovernor(c.Key)
	if err != nil {
		return o, err
	}
	if o.Clock, err = pickClock(c.Demo, c.DemoClock); err != nil {
		return o, err
	}
	o.Auditor = client.System(key.ID, ed25519.NewKeyFromSeed(key.Seed))
	o.Auditor.Now, o.Auditor.HTTP = o.Clock.Now, o.HTTP
	if o.HPKE, _, err = queryHPKE(key); err != nil {
		return o, err
	}
	for _, path := range c.Answers {
		raw, err := os.ReadFile(path)
		if err != nil {
			return o, err
		}
		o.Answers = append(o.Answers, auditor.AnswerFile{Name: filepath.Base(path), Raw: raw})
	}
	return o, nil
}

// showQueries prints the report, one line for each thing that was looked at.
func showQueries(w io.Writer, r auditor.QueryReport) {
	for _, line := range r.Checks {
		fmt.Fprintf(w, "  holds   %s\n", line)
	}
	for _, h := range r.Holders {
		if h.Reached {
			fmt.Fprintf(w, "  holds   key holder %s says that it answered %d batches since %s\n", h.Holder, h.Batches, r.Since)
		} else {
			fmt.Fprintf(w, "  note    key holder %s was not reached: %s\n", h.Holder, h.Why)
		}
	}
	for _, b := range r.Batches {
		fmt.Fprintf(w, "batch %s of %s: %d points of %s on %s, %d rows drawn, %d opened and in order\n", b.Batch.String()[:16], b.Organisation, b.Points, b.Class, b.Day, b.Drawn, len(b.Rows))
		if b.Waits != "" {
			fmt.Fprintf(w, "  waits   %s\n", b.Waits)
		}
		for _, row := range b.Rows {
			showRow(w, row)
		}
	}
	for _, m := range r.Members {
		fmt.Fprintf(w, "%s asked %d batches with %d points: had one row in twenty been without a case, one honest key holder's draw would have missed all of them with probability %.2g\n", m.Organisation, m.Batches, m.Points, m.Missed)
	}
	for _, f := range r.Findings {
		where := ""
		if f.Batch != "" {
			where += ", batch " + f.Batch[:16]
		}
		if f.Row >= 0 {
			where += fmt.Sprintf(", row %d", f.Row)
		}
		fmt.Fprintf(w, "FOUND against %s%s: %s\n", f.Against, where, f.Text)
	}
	if r.Result == auditor.Verified {
		fmt.Fprintln(w, "Verified: every row that was drawn is padding, or has a case record that was there with the batch. Whether the case records are true this does not show.")
	}
}

func showRow(w io.Writer, r auditor.QueryRow) {
	if r.Dummy {
		fmt.Fprintf(w, "  holds   row %d: padding\n", r.Row)
		return
	}
	fmt.Fprintf(w, "  holds   row %d: case %s of %s, %s", r.Row, r.Reference, r.Date, r.Kind)
	if r.Selector != "" {
		fmt.Fprintf(w, ": %s", r.Selector)
	}
	fmt.Fprintln(w)
}
