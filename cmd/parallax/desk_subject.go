package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/selector"
)

type deskSubject struct {
	deskDir
	Class   string `required:"" help:"What kind of identifier it is, such as email or phone."`
	Country string `help:"Of a phone number, such as AU."`
	Proof   string `required:"" enum:"code-sent,signed-in,in-person,by-counsel" help:"How the person showed that it is theirs: code-sent, signed-in, in-person or by-counsel."`
	Checked string `required:"" help:"Who checked that, by role; name no person."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Run takes a request down. The identifier is read from the standard input, so
// that it is in no history and no list of processes.
func (c *deskSubject) Run(ctx context.Context, std streams) error {
	line, err := bufio.NewReader(std.in).ReadString('\n')
	if value := strings.TrimSpace(line); value == "" || err != nil && !errors.Is(err, io.EOF) {
		return fault.Wrap(fault.Invalid, "the identifier is read from the standard input, one line; nothing was taken down", err)
	}
	return c.use(ctx, func(d *desk.Desk) error {
		a, err := d.Subject(ctx, desk.SubjectRequest{Class: selector.Class(c.Class), Value: strings.TrimSpace(line), Country: c.Country, Proof: c.Proof, Checked: c.Checked})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, a)
		}
		fmt.Fprintln(std.out, a.Text)
		return nil
	})
}

type deskSubjects struct{ deskDir }

// Run lists findings.
func (c *deskSubjects) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		list, err := d.Subjects(ctx)
		if err != nil {
			return err
		}
		return printJSON(std.out, list)
	})
}

type deskDue struct{ deskDir }

// Run lists what is to be reviewed.
func (c *deskDue) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		list, err := d.Due(ctx)
		if err != nil {
			return err
		}
		return printJSON(std.out, list)
	})
}

type deskRetain struct {
	deskDir
	Opening string `arg:"" help:"The opening's id."`
	Outcome string `required:"" enum:"keep,clear" help:"keep it for another 90 days, or clear it."`
	Reason  string `required:"" help:"Why; the log commits to it. Name no person."`
}

// Run reviews an opened lead.
func (c *deskRetain) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(d *desk.Desk) error {
		r, err := d.Retain(ctx, c.Opening, c.Outcome, c.Reason)
		if err != nil {
			return err
		}
		return printJSON(std.out, r)
	})
}
