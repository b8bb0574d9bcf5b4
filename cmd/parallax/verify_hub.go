package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/auditor"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/tlog"
)

// hub checks a hub's whole log and says what was looked at.
func (c *verifyCmd) hub(ctx context.Context, std streams, pin opening.Hash) error {
	o, err := c.options(std, pin)
	if err != nil {
		return err
	}
	r, err := auditor.Check(ctx, o)
	if c.JSON {
		if perr := printJSON(std.out, r); perr != nil {
			return perr
		}
		return err
	}
	return showReport(std.out, r, o.State, err)
}

func (c *verifyCmd) options(std streams, pin opening.Hash) (auditor.Options, error) {
	o := auditor.Options{Hub: strings.TrimRight(c.Hub, "/"), Pin: pin, State: c.State, Desks: c.Desks,
		HTTP: client.NewHTTP(time.Minute), Progress: bar(std.err, "tiles"), Receipts: map[string]auditor.Receipt{}}
	u, err := url.Parse(o.Hub)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return o, fault.New(fault.Invalid, "--hub must be a whole address, such as https://hub.example")
	}
	if c.Desks < 0 {
		return o, fault.New(fault.Invalid, "--min-desks counts from 0")
	}
	if o.Clock, err = pickClock(c.Demo, c.DemoClock); err != nil {
		return o, err
	}
	o.Again = aMoment(std)
	if o.State == "" {
		if o.State, err = stateFile(o.Hub); err != nil {
			return o, err
		}
	}
	if c.Auditor != "" {
		key, err := readGovernor(c.Auditor)
		if err != nil {
			return o, err
		}
		caller := client.System(key.ID, ed25519.NewKeyFromSeed(key.Seed))
		caller.Now = o.Clock.Now
		o.Auditor, o.Opened = &caller, bar(std.err, "entries")
	}
	for _, path := range c.Receipt {
		v, err := desk.VerifyReceipt(path, pin)
		if err != nil {
			return o, err
		}
		o.Receipts[path] = auditor.Receipt{Commitment: tlog.Hash(v.Commitment), Leaf: v.Leaf}
	}
	return o, nil
}

// ticksWait is how long a check waits for a tick that is under way, in seconds.
const ticksWait = 30

// aMoment waits a second between two looks at a hub whose tick is under way.
func aMoment(std streams) func(context.Context, int) bool {
	return func(ctx context.Context, try int) bool {
		if try == 0 {
			fmt.Fprintln(std.err, "A key holder has seen more of the log than the hub shows: waiting for a tick that may be under way ...")
		}
		if try >= ticksWait {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
			return true
		}
	}
}

// stateFile is where a check of this hub is kept for the next one.
func stateFile(hub string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "there is no settings directory for what is seen; name a file with --state", err)
	}
	sum := sha256.Sum256([]byte(hub))
	return filepath.Join(dir, "parallax", "verify-"+hex.EncodeToString(sum[:8])+".json"), nil
}

func showReport(w io.Writer, r auditor.Report, state string, err error) error {
	for _, line := range r.Checks {
		fmt.Fprintf(w, "  holds   %s\n", line)
	}
	for _, s := range r.Asked {
		switch {
		case !s.Reached:
			fmt.Fprintf(w, "  note    key holder %s was not reached: %s\n", s.Holder, s.Why)
		case s.Generation < r.Generation:
			fmt.Fprintf(w, "  note    key holder %s still follows generation %d of the key shares; generation %d is in force\n", s.Holder, s.Generation, r.Generation)
		case s.Halted:
			fmt.Fprintf(w, "  note    key holder %s says that openings are halted\n", s.Holder)
		}
	}
	if err != nil {
		fmt.Fprintf(w, "NOT VERIFIED (%s).\n", r.Result)
		return err
	}
	fmt.Fprintf(w, "Verified. The log %s of pool %s holds %d entries, root\n%s\n", r.Origin, r.Pool, r.Entries, rootText(r.Root))
	if !r.Pinned {
		fmt.Fprintf(w, "This rests on the key ceremony with transcript hash\n%s\nCompare it with what the key holders published, or give it as --pin.\n", r.Pin)
	}
	if state != "" {
		fmt.Fprintf(w, "What was seen is kept in %s for the next check.\n", state)
	}
	return nil
}

func rootText(h tlog.Hash) string {
	text, _ := h.MarshalText() // never fails
	return string(text)
}

// bar shows one progress bar on w.
func bar(w io.Writer, what string) func(done, all int) {
	show := bars(w)
	return func(done, all int) { show(what, done, all) }
}
