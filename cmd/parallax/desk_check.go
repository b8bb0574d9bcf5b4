package main

import (
	"fmt"
	"io"
	"time"

	"parallax/internal/desk"
)

type deskCheck struct {
	File        string `arg:"" type:"path" help:"A CSV or NDJSON file in UTF-8."`
	Mapping     string `type:"path" help:"What its columns mean; guessed if left out."`
	SaveMapping string `type:"path" help:"Save the mapping that was used."`
	JSON        bool   `name:"json" help:"Print the report as JSON."`
}

// Run checks the file. It ends with 1 where something was stopped or refused.
func (c *deskCheck) Run(std streams) error {
	m, err := optionalMapping(c.Mapping)
	if err != nil {
		return err
	}
	rep, err := desk.Check(desk.File(c.File), m, time.Now(), func(rows int) error { fmt.Fprintf(std.err, "\r%d rows", rows); return nil })
	if rep.Rows >= 10_000 {
		fmt.Fprintln(std.err)
	}
	if err != nil {
		return err
	}
	if c.SaveMapping != "" {
		if err := rep.Mapping.Save(c.SaveMapping); err != nil {
			return err
		}
	}
	if c.JSON {
		err = printJSON(std.out, rep)
	} else {
		showMapping(std.out, rep.Mapping, rep.Guessed)
		rep.Text(std.out)
	}
	if err == nil && !rep.Clean() {
		err = fmt.Errorf("%d cells or rows were stopped or refused; the rest can be submitted", len(rep.Issues)+rep.MoreIssues)
	}
	return err
}

func optionalMapping(path string) (*desk.Mapping, error) {
	if path == "" {
		return nil, nil
	}
	m, err := desk.LoadMapping(path)
	return &m, err
}

func showMapping(w io.Writer, m desk.Mapping, guessed bool) {
	if guessed {
		fmt.Fprintln(w, "Guessed mapping (save it with --save-mapping, edit it, use it with --mapping):")
	} else {
		fmt.Fprintln(w, "Mapping:")
	}
	_ = printJSON(w, m) // a report of a failed write follows from the next line
}
