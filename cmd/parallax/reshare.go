package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

type governanceReshare struct {
	Plan   resharePlan   `cmd:"" help:"Write an order: a refresh of the present holders' shares, or with --replace another holder in a lost one's place."`
	Sign   reshareSign   `cmd:"" help:"Add this governor's signature to an order."`
	Send   reshareSend   `cmd:"" help:"Give a signed order to the hub; the key holders find it there."`
	Status reshareStatus `cmd:"" help:"Show which generation of the key shares is in force, how far a run has come and who is silent."`
}

// Help is a worked example.
func (governanceReshare) Help() string {
	return `The public keys and every tag stay; only the shares change. Exactly as many present
holders as the threshold deal. Until every new holder has confirmed one record the
old shares stay in force.

  parallax governance reshare plan --hub URL --pin HASH --reason "quarterly refresh" -o order.json
  parallax governance reshare sign --key gov-1 -o one.json order.json
  parallax governance reshare sign --key gov-2 -o two.json one.json
  parallax governance reshare send --hub URL two.json
  parallax governance reshare status --hub URL --pin HASH

To replace holder 3: add --replace 3=card.json, the card that "parallax keyholder
init" printed, and have the dealers' and the new holder's operators allow it with
"parallax keyholder consent".`
}

// pinnedHub is a hub whose key ceremony is checked against a transcript hash.
type pinnedHub struct {
	Hub string `required:"" help:"The hub's URL."`
	Pin string `required:"" help:"The transcript hash that the key holders published."`
}

// setup fetches and verifies ceremony and records.
func (p pinnedHub) setup(ctx context.Context) (s client.Setup, pin opening.Hash, err error) {
	if err := pin.UnmarshalText([]byte(strings.ToLower(p.Pin))); err != nil {
		return s, pin, fault.Wrap(fault.Invalid, "--pin must be the 64 hex digits of the transcript hash", err)
	}
	if err := client.Get(ctx, machines, p.url()+client.PathTranscript, &s); err != nil {
		return s, pin, err
	}
	if err := s.Verify(pin); err != nil {
		return s, pin, fault.Wrap(fault.Conflict, "the hub's key ceremony was refused: "+err.Error(), err)
	}
	return s, pin, nil
}

func (p pinnedHub) url() string { return strings.TrimRight(p.Hub, "/") }

func (p pinnedHub) board() *client.ReshareBoard {
	return client.NewReshareBoard(p.url(), machines)
}

type resharePlan struct {
	pinnedHub
	Replace   []string      `help:"Another holder in a place: PLACE=FILE with the card of its identity. May be given several times."`
	Dealer    []int         `help:"Places of the holders who deal, as many as the threshold; without it the first who answer."`
	Reason    string        `required:"" help:"Why; it is logged and every holder's operator sees it. Name no person."`
	Valid     time.Duration `default:"168h" help:"How long the order is valid; 720h at most."`
	Out       string        `short:"o" required:"" type:"path" help:"Where the order goes."`
	Demo      bool          `help:"Use the simulated clock of a demonstration."`
	DemoClock string        `type:"path" help:"With --demo: a file with the offset of the simulated clock."`
}

// Run writes an order that follows from the generation in force.
func (c *resharePlan) Run(ctx context.Context, std streams) error {
	at, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	setup, _, err := c.setup(ctx)
	if err != nil {
		return err
	}
	view, err := c.board().View(ctx)
	if err != nil {
		return err
	}
	now := setup.Committee()
	o := client.ReshareOrder{Pool: setup.Plan.Pool, Epoch: setup.Plan.Epoch, Generation: now.Generation + 1, Attempt: 1, Previous: now.Record,
		Dealers: c.Dealer, T: now.T, N: now.N, Holders: slices.Clone(now.Holders), Reason: c.Reason,
		Issued: at.Now().UnixMicro(), Expires: at.Now().Add(c.Valid).UnixMicro()}
	if view.Open != nil {
		last, err := view.Open.Order.Open(setup.Plan.Governance)
		if err != nil {
			return err
		}
		o.Attempt = last.Attempt + 1
	}
	if err := c.replace(&o); err != nil {
		return err
	}
	if len(o.Dealers) == 0 {
		o.Dealers = answering(ctx, now, at.Now)
	}
	slices.Sort(o.Dealers)
	if _, err := setup.Run(o, opening.Hash{}); err != nil {
		return fault.Wrap(fault.Invalid, "no such order is possible: "+err.Error(), err)
	}
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	showOrder(std.err, setup, o)
	return os.WriteFile(c.Out, append(raw, '\n'), 0o644)
}

func (c *resharePlan) replace(o *client.ReshareOrder) error {
	for _, r := range c.Replace {
		place, file, _ := strings.Cut(r, "=")
		i, err := strconv.Atoi(place)
		if err != nil || i < 1 || i > len(o.Holders) || file == "" {
			return fault.New(fault.Invalid, "--replace takes PLACE=FILE, with a place of the present committee")
		}
		var card opening.Holder
		if err := readInto(file, &card); err != nil {
			return err
		}
		card.Index = i
		o.Holders[i-1] = card
	}
	return nil
}

// answering are the first holders that say, signed, that they follow the
// generation in force, as many as deal.
func answering(ctx context.Context, c client.Committee, now func() time.Time) (out []int) {
	for _, h := range c.Holders {
		st, err := client.Status(ctx, machines, h, now)
		if err == nil && st.Generation == c.Generation && len(out) < c.T {
			out = append(out, h.Index)
		}
	}
	return out
}

// showOrder says who deals and who gets shares.
func showOrder(w io.Writer, setup client.Setup, o client.ReshareOrder) {
	now := setup.Committee()
	fmt.Fprintf(w, "generation %d, attempt %d: %d of %d holders; reason: %s\n", o.Generation, o.Attempt, o.T, o.N, o.Reason)
	for _, h := range o.Holders {
		word := "gets a new share"
		if now.Place(h.Key) == 0 {
			word = "IS NEW and gets a share"
		}
		fmt.Fprintf(w, "  place %d: %s, controlled by %s, at %s, %s\n", h.Index, h.ID, h.Entity, h.URL, word)
	}
	for _, h := range now.Holders {
		if !slices.ContainsFunc(o.Holders, func(x opening.Holder) bool { return x.Key.Equal(h.Key) }) {
			fmt.Fprintf(w, "  %s, controlled by %s, holds no share any more\n", h.ID, h.Entity)
		}
	}
	for _, i := range o.Dealers {
		if i >= 1 && i <= now.N {
			fmt.Fprintf(w, "  %s deals\n", now.Holders[i-1].ID)
		}
	}
}

type reshareSign struct {
	Key   string `required:"" type:"existingfile" help:"This governor's key."`
	Order string `arg:"" type:"existingfile" help:"An order (JSON), or one that others have signed already."`
	Out   string `short:"o" required:"" type:"path" help:"Where the signed order goes."`
}

// Run signs.
func (c *reshareSign) Run(std streams) error {
	key, err := readGovernor(c.Key)
	if err != nil {
		return err
	}
	so, err := readOrder(c.Order)
	if err != nil {
		return err
	}
	so.Add(key.ID, ed25519.NewKeyFromSeed(key.Seed))
	raw, err := json.MarshalIndent(so, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "order %s signed by %s\n", so.Digest(), key.ID)
	return os.WriteFile(c.Out, append(raw, '\n'), 0o644)
}

// readOrder reads a signed order, or encodes a plain one.
func readOrder(path string) (client.SignedOrder, error) {
	var so client.SignedOrder
	if err := readInto(path, &so); err == nil && len(so.Body) > 0 {
		var o client.ReshareOrder
		if err := signed.Unmarshal(so.Body, &o); err != nil {
			return so, fault.Wrap(fault.Invalid, path+" holds no order to reshare", err)
		}
		return so, nil
	}
	var o client.ReshareOrder
	if err := readInto(path, &o); err != nil {
		return so, err
	}
	if o.Generation < 1 {
		return so, fault.New(fault.Invalid, path+" holds no order to reshare")
	}
	return client.SignOrder(o)
}

type reshareSend struct {
	Hub   string `required:"" help:"The hub's URL."`
	Order string `arg:"" type:"existingfile" help:"The order with its quorum of signatures."`
}

// Run sends the order.
func (c *reshareSend) Run(ctx context.Context, std streams) error {
	so, err := readOrder(c.Order)
	if err != nil {
		return err
	}
	if err := client.PostOrder(ctx, machines, strings.TrimRight(c.Hub, "/"), so); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "the hub has order %s; see `parallax governance reshare status`\n", so.Digest())
	return nil
}

type reshareStatus struct {
	pinnedHub
	Demo      bool   `help:"Use the simulated clock of a demonstration."`
	DemoClock string `type:"path" help:"With --demo: a file with the offset of the simulated clock."`
	JSON      bool   `name:"json" help:"Print as JSON."`
}

// sharesReport is where the key shares stand.
type sharesReport struct {
	Generation int              `json:"generation"`
	Record     opening.Hash     `json:"record"`
	Threshold  int              `json:"threshold"`
	Holders    []shareHolder    `json:"holders"`
	Open       *client.Progress `json:"open,omitempty"`
	// Destroyed counts, by generation that is over, the holders who said so.
	Destroyed map[int]int `json:"destroyed"`
}

type shareHolder struct {
	ID     string `json:"id"`
	Entity string `json:"entity"`
	// Follows is the generation that the holder says itself that it follows; -1:
	// it did not answer.
	Follows int `json:"follows"`
}

// Run reports; what the hub shows is verified, and each holder is asked itself.
func (c *reshareStatus) Run(ctx context.Context, std streams) error {
	at, err := pickClock(c.Demo, c.DemoClock)
	if err != nil {
		return err
	}
	setup, _, err := c.setup(ctx)
	if err != nil {
		return err
	}
	r, err := c.report(ctx, setup, at.Now)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, r)
	}
	showShares(std.out, r)
	return nil
}

func (c *reshareStatus) report(ctx context.Context, setup client.Setup, now func() time.Time) (sharesReport, error) {
	view, err := c.board().View(ctx)
	if err != nil {
		return sharesReport{}, err
	}
	held := setup.Committee()
	r := sharesReport{Generation: held.Generation, Record: held.Record, Threshold: held.T, Destroyed: map[int]int{}}
	for _, h := range held.Holders {
		x := shareHolder{ID: h.ID, Entity: h.Entity, Follows: -1}
		if st, err := client.Status(ctx, machines, h, now); err == nil {
			x.Follows = st.Generation
		}
		r.Holders = append(r.Holders, x)
	}
	if view.Open != nil {
		p, err := setup.Progress(*view.Open)
		if err != nil {
			return r, err
		}
		r.Open = &p
	}
	for _, o := range view.Destroyed {
		var d client.Destroyed
		if err := signed.Unmarshal(o.Body, &d); err != nil {
			return r, err
		}
		if _, err := setup.OpenDestroyed(d.Generation, d.Index, o); err != nil {
			return r, errors.Join(errors.New("the hub shows a statement that its holder did not sign"), err)
		}
		r.Destroyed[d.Generation]++
	}
	return r, nil
}

func showShares(w io.Writer, r sharesReport) {
	fmt.Fprintf(w, "generation %d of the key shares is in force, any %d of %d holders; record %s\n", r.Generation, r.Threshold, len(r.Holders), r.Record)
	for _, h := range r.Holders {
		word := fmt.Sprintf("follows generation %d", h.Follows)
		if h.Follows < 0 {
			word = "did not answer"
		}
		fmt.Fprintf(w, "  %s (%s) %s\n", h.ID, h.Entity, word)
	}
	for g := range r.Generation {
		fmt.Fprintf(w, "  generation %d: %d holders have signed that their share is destroyed\n", g, r.Destroyed[g])
	}
	p := r.Open
	if p == nil {
		fmt.Fprintln(w, "no resharing is open")
		return
	}
	fmt.Fprintf(w, "resharing to generation %d, attempt %d, order %s, until %s\n", p.Generation, p.Attempt, p.Order, time.UnixMicro(p.Expires).UTC().Format("2006-01-02 15:04 UTC"))
	for _, x := range p.Dealers {
		fmt.Fprintf(w, "  dealer %s: %s\n", x.ID, x.State)
	}
	for _, x := range p.Holders {
		fmt.Fprintf(w, "  new holder %s: %s\n", x.ID, x.State)
	}
	if p.Ended != "" {
		fmt.Fprintf(w, "ENDED: %s. The old shares stay in force; order the next attempt once the cause is mended.\n", p.Ended)
	}
}
