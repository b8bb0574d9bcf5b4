package main

import (
	"encoding/json"
	"fmt"
	"io"

	"parallax/estimate/displace"
	"parallax/internal/fault"
)

// displaceCmd computes measures of displacement from files of counts.
type displaceCmd struct {
	WDD     wddCmd     `cmd:"" name:"wdd" help:"Weighted displacement difference: change beside controls, with its interval."`
	WDQ     wdqCmd     `cmd:"" name:"wdq" help:"Weighted displacement quotient with its error, and the total net effect."`
	Migrate migrateCmd `cmd:"" help:"Where tokens of a venue went, and how many more left than at controls."`
	Ratio   ratioCmd   `cmd:"" help:"Displacement ratio with its interval by actor, or that it cannot tell."`
	Level   levelCmd   `cmd:"" help:"Local level: what a series would have done, simulated."`
	Synth   synthCmd   `cmd:"" help:"Synthetic control with placebo ranks and without each donor."`
}

type displaceFile struct {
	File string `arg:"" type:"path" help:"A JSON file."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// displaceCase is one named result.
type displaceCase struct {
	Name   string `json:"name"`
	Result any    `json:"result"`
}

func (c displaceFile) read(v any) error {
	raw, err := readBounded(c.File)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fault.Wrap(fault.Invalid, c.File+": not the expected JSON: "+err.Error(), err)
	}
	return nil
}

func (c displaceFile) show(w io.Writer, cases []displaceCase) error {
	if len(cases) == 0 {
		return fault.New(fault.Invalid, c.File+": there is no case in it; put them under \"cases\"")
	}
	if c.JSON {
		return printJSON(w, map[string]any{"cases": cases})
	}
	for _, one := range cases {
		fmt.Fprintln(w, one.Name)
		if err := printJSON(w, one.Result); err != nil {
			return err
		}
	}
	return nil
}

// inCase says which case an error is about.
func inCase(name string, err error) error {
	return fault.Wrap(fault.Invalid, fmt.Sprintf("case %q: %v", name, err), err)
}

type wddCmd struct{ displaceFile }

// Run computes every case.
func (c *wddCmd) Run(std streams) error {
	var doc struct {
		Cases []struct {
			Name  string
			Input displace.WDDInput
		}
	}
	if err := c.read(&doc); err != nil {
		return err
	}
	var out []displaceCase
	for _, one := range doc.Cases {
		r, err := displace.WDD(one.Input)
		if err != nil {
			return inCase(one.Name, err)
		}
		out = append(out, displaceCase{one.Name, r})
	}
	return c.show(std.out, out)
}

type wdqCmd struct{ displaceFile }

// Run computes every case.
func (c *wdqCmd) Run(std streams) error {
	var doc struct {
		Cases []struct {
			displace.WDQInput
			Name string
		}
	}
	if err := c.read(&doc); err != nil {
		return err
	}
	var out []displaceCase
	for _, one := range doc.Cases {
		r, err := displace.WDQ(one.WDQInput)
		if err != nil {
			return inCase(one.Name, err)
		}
		out = append(out, displaceCase{one.Name, r})
	}
	return c.show(std.out, out)
}

type migrateCmd struct{ displaceFile }

// Run computes the one case of the file.
func (c *migrateCmd) Run(std streams) error {
	var in displace.Flows
	if err := c.read(&in); err != nil {
		return err
	}
	m, err := displace.Migrate(in)
	if err != nil {
		return fault.Wrap(fault.Invalid, c.File+": "+err.Error(), err)
	}
	return c.show(std.out, []displaceCase{{m.Venue, m.Flat()}})
}
