package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/keyholder"
)

type keyholderJoin struct {
	Dir string `required:"" type:"path" help:"The new holder's directory, with its identity."`
	pinnedHub
}

// Run gives a new holder its seat; it has no share yet.
func (c *keyholderJoin) Run(ctx context.Context, std streams) error {
	setup, pin, err := c.setup(ctx)
	if err != nil {
		return err
	}
	if err := keyholder.Join(c.Dir, setup, pin); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "this holder knows pool %s, epoch %s, generation %d of the key shares. It has no share: allow the order that gives it one with `parallax keyholder consent`, then run `parallax keyholder serve`\n",
		setup.Plan.Pool, setup.Plan.Epoch, setup.Committee().Generation)
	return nil
}

type keyholderConsent struct {
	Dir   string `required:"" type:"path" help:"The holder's directory; the holder may be running."`
	Order string `arg:"" type:"existingfile" help:"The order, signed by the governance quorum."`
	Yes   bool   `help:"Allow it; without this the order is only shown."`
}

// Run shows an order and allows this holder to take part in exactly it.
func (c *keyholderConsent) Run(std streams) error {
	so, err := readOrder(c.Order)
	if err != nil {
		return err
	}
	setup, o, err := keyholder.ReadOrder(c.Dir, so)
	if err != nil {
		return fault.Wrap(fault.Invalid, "the order was refused: "+err.Error(), err)
	}
	showOrder(std.err, setup, o)
	if !c.Yes {
		fmt.Fprintln(std.err, "nothing was allowed; check with the other holders' operators that this is what governance wants, then add --yes")
		return nil
	}
	if err := keyholder.Consent(c.Dir, so); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "this holder takes part in order %s\n", so.Digest())
	return nil
}

// reshares looks at the hub's board again and again, for as long as the holder
// serves. What it does and why it does nothing is said once each.
func reshares(ctx context.Context, s *keyholder.Server, every time.Duration, log *slog.Logger) {
	h := client.NewHTTP(time.Minute)
	wait, last := keyholder.Poll(every), ""
	for wait(ctx) == nil {
		state, err := s.Reshare(ctx, client.NewReshareBoard(s.Hub(), h))
		if err != nil {
			state = describe(err)
		}
		if state != last && ctx.Err() == nil {
			log.Info("key shares", "state", state)
		}
		last = state
	}
}
