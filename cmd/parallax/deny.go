package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// machines asks hubs and key holders for the commands that have no desk.
var machines = client.NewHTTP(2 * time.Minute)

// governanceDeny is what the commands that forbid or allow openings share.
type governanceDeny struct {
	Key      string `required:"" type:"existingfile" help:"This governor's key."`
	Manifest string `required:"" type:"existingfile" help:"The signed manifest in force; it names the key holders."`
	Reason   string `required:"" help:"Why; every key holder keeps and shows it. Name no person."`
	JSON     bool   `name:"json" help:"Print the acknowledgements as JSON."`
}

type governanceHalt struct{ governanceDeny }

// Run halts openings.
func (c *governanceHalt) Run(ctx context.Context, std streams) error {
	return c.send(ctx, std, opening.DenyHalt, "")
}

type governanceSuspend struct {
	governanceDeny
	Member string `required:"" help:"The member's id; what it contributed counts no more and opens no more."`
}

// Run suspends a member.
func (c *governanceSuspend) Run(ctx context.Context, std streams) error {
	return c.send(ctx, std, opening.DenySuspend, c.Member)
}

type governanceResume struct {
	governanceDeny
	Member string `help:"Lift this member's suspension; without it the halt of all openings is lifted."`
}

// Run adds this governor's part to lifting a halt or a suspension.
func (c *governanceResume) Run(ctx context.Context, std streams) error {
	fmt.Fprintf(std.err, "this is one governor's part: it lifts once %d governors of different bodies have sent theirs\n", opening.LiftQuorum)
	return c.send(ctx, std, opening.DenyResume, c.Member)
}

type governanceThaw struct {
	governanceDeny
	Label []string `required:"" help:"A frozen observation by its label, 128 hex digits; may be given several times."`
}

// Run lifts freezes that nobody decided in time.
func (c *governanceThaw) Run(ctx context.Context, std streams) error {
	labels, err := readLabels(c.Label)
	if err != nil {
		return err
	}
	key, m, err := c.read()
	if err != nil {
		return err
	}
	d := opening.Denial{Kind: opening.DenyThaw, Pool: m.Pool, Labels: labels, Author: key.ID, Reason: c.Reason, Time: time.Now().UnixMicro()}
	o, err := signDenial(key, d)
	if err != nil {
		return err
	}
	var answer client.ContributeAnswer
	hubErr := client.Post(ctx, machines, m.Hub.URL+client.PathDeny, o, &answer)
	return errors.Join(reportSpread(std, client.Deny(ctx, machines, m, o), c.JSON), hubErr)
}

// read gives this governor's key and the manifest in force.
func (c *governanceDeny) read() (governorKey, opening.Manifest, error) {
	key, err := readGovernor(c.Key)
	if err != nil {
		return key, opening.Manifest{}, err
	}
	_, m, err := readSigned(c.Manifest)
	return key, m, err
}

func signDenial(key governorKey, d opening.Denial) (signed.Object, error) {
	if _, err := rand.Read(d.Nonce[:]); err != nil {
		return signed.Object{}, err
	}
	return signed.Sign(opening.DenialDomain, key.ID, ed25519.NewKeyFromSeed(key.Seed), d)
}

func (c *governanceDeny) send(ctx context.Context, std streams, kind, member string) error {
	key, m, err := c.read()
	if err != nil {
		return err
	}
	if _, ok := m.Member(member); member != "" && !ok {
		return fault.New(fault.Invalid, fmt.Sprintf("the manifest lists no member %q; nothing was sent", member))
	}
	o, err := signDenial(key, opening.Denial{Kind: kind, Pool: m.Pool, Member: member, Reason: c.Reason, Time: time.Now().UnixMicro()})
	if err != nil {
		return err
	}
	return errors.Join(reportSpread(std, client.Deny(ctx, machines, m, o), c.JSON), atHub(ctx, std, m, member, o))
}

// atHub tells the hub too who is suspended, so that the member's people are kept
// out of its pages.
func atHub(ctx context.Context, std streams, m opening.Manifest, member string, o signed.Object) error {
	if member == "" {
		return nil
	}
	var kept client.Kept
	if err := client.Post(ctx, machines, m.Hub.URL+client.PathSuspend, o, &kept); err != nil {
		return fault.Wrap(fault.Unavailable, "the hub did not take it, so the member's people are not kept out of its pages by it; run the same command again", err)
	}
	state := "let in"
	if kept.Suspended {
		state = "kept out"
	}
	fmt.Fprintf(std.err, "at the hub, people of %s are %s\n", member, state)
	return nil
}

// reportSpread says which holders keep a denial and fails while a quorum of
// holders may not know of it.
func reportSpread(std streams, s client.Spread, asJSON bool) error {
	if asJSON {
		if err := printJSON(std.out, s); err != nil {
			return err
		}
	} else {
		for _, id := range s.Acks {
			fmt.Fprintf(std.out, "%s keeps it\n", id)
		}
		for _, why := range s.Failed {
			fmt.Fprintf(std.err, "%s\n", why)
		}
	}
	if !s.Done() {
		return fault.New(fault.Unavailable, fmt.Sprintf("%d of the %d key holders needed keep it; run the same command again to reach the others", len(s.Acks), s.Need))
	}
	return nil
}

type deskHalt struct {
	deskDir
	Reason string `required:"" help:"Why; every key holder keeps and shows it. Name no person."`
	JSON   bool   `name:"json" help:"Print the acknowledgements as JSON."`
}

// Run halts all openings of the pool.
func (c *deskHalt) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		s, err := d.Halt(ctx, c.Reason)
		if err != nil {
			return err
		}
		return reportSpread(std, s, c.JSON)
	})
}
