package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

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
	if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), v); err != nil {
		return fault.Wrap(fault.Invalid, c.File+": not the expected JSON: "+err.Error(), err)
	}
	return nil
}

func (c displaceFile) show(w io.Writer, cases []displaceCase) error {
	if len(cases) == 0 {
		return fault.New(fault.Invalid, c.File+": there is no case in it; put them in a list under \"cases\"")
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

// cases computes every case of a file; an error names its case. keys must be
// there: what is left out is not zero.
func cases[In any](c displaceFile, keys []string, compute func(In) (any, error)) (out []displaceCase, err error) {
	var doc struct{ Cases []json.RawMessage }
	if err := c.read(&doc); err != nil {
		return nil, err
	}
	for i, raw := range doc.Cases {
		var named struct {
			Name  string
			Input json.RawMessage
		}
		result, err := any(nil), json.Unmarshal(raw, &named)
		if err == nil {
			if named.Input != nil {
				raw = named.Input
			}
			result, err = computed(raw, keys, compute)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, fmt.Sprintf("%s: case %d %q: %v", c.File, i+1, named.Name, err), err)
		}
		out = append(out, displaceCase{named.Name, result})
	}
	return out, nil
}

// computed is one case.
func computed[In any](raw json.RawMessage, keys []string, compute func(In) (any, error)) (any, error) {
	var there map[string]json.RawMessage
	if err := json.Unmarshal(raw, &there); err != nil {
		return nil, fmt.Errorf("not an object with %s", strings.Join(keys, ", "))
	}
	for _, k := range keys {
		if there[k] == nil {
			return nil, fmt.Errorf("there is no %q; a case needs %s", k, strings.Join(keys, ", "))
		}
	}
	var in In
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	return compute(in)
}

type wddCmd struct{ displaceFile }

// Run computes every case.
func (c *wddCmd) Run(std streams) error {
	out, err := cases(c.displaceFile, []string{"ct", "tr"}, func(in displace.WDDInput) (any, error) { return displace.WDD(in) })
	if err != nil {
		return err
	}
	return c.show(std.out, out)
}

type wdqCmd struct{ displaceFile }

// Run computes every case.
func (c *wdqCmd) Run(std streams) error {
	out, err := cases(c.displaceFile, []string{"target", "buffer", "control"}, func(in displace.WDQInput) (any, error) { return displace.WDQ(in) })
	if err != nil {
		return err
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
