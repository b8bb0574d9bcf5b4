package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/sim"
)

// A line is one line of a member's own export, as it stands there.
type line struct {
	Ref    sim.Ref
	File   string
	Number int
	Text   string // with the heading, where the file has one
	Cells  []cell
}

type cell struct{ Name, Value string }

func organisation(id string) sim.Organisation {
	for _, o := range sim.Organisations() {
		if o.ID == id {
			return o
		}
	}
	return sim.Organisation{ID: id}
}

func (s *stage) exportOf(id string) string { return s.export(organisation(id)) }

// line finds the line of a row in the member's file.
func (x *site) line(ref sim.Ref) (line, error) {
	path := x.s.exportOf(ref.Organisation)
	raw, err := os.ReadFile(path)
	if err != nil {
		return line{}, err
	}
	out := line{Ref: ref, File: filepath.Base(path)}
	in := bufio.NewScanner(bytes.NewReader(raw))
	heading := ""
	for in.Scan() {
		out.Number++
		text := in.Text()
		if out.Number == 1 {
			heading = text
		}
		if !strings.Contains(text, ref.Reference) {
			continue
		}
		out.Text = text
		if filepath.Ext(path) == ".csv" {
			out.Text = heading + "\n" + text
		}
		out.Cells, err = cells(heading, text, filepath.Ext(path))
		return out, err
	}
	return out, fault.Newf(fault.NotFound, "Row %s is not in %s.", ref.Reference, out.File)
}

// cells are the filled cells of a line, in the order of the file.
func cells(heading, text, ext string) (out []cell, err error) {
	if ext != ".csv" {
		d := json.NewDecoder(strings.NewReader(text))
		for {
			t, err := d.Token()
			if err != nil {
				return out, nil //nolint:nilerr // the end of the object
			}
			name, ok := t.(string)
			if !ok {
				continue
			}
			var value string
			if err := d.Decode(&value); err != nil {
				return out, err
			}
			out = append(out, cell{name, value})
		}
	}
	rows, err := csv.NewReader(strings.NewReader(heading + "\n" + text)).ReadAll()
	if err != nil || len(rows) != 2 {
		return nil, fault.Wrap(fault.Invalid, "A line of the export cannot be read.", fmt.Errorf("%d rows: %w", len(rows), err))
	}
	for i, name := range rows[0] {
		if rows[1][i] != "" {
			out = append(out, cell{name, rows[1][i]})
		}
	}
	return out, nil
}

// about counts what the member of a row holds about the same subject.
func (x *site) about(ref sim.Ref) (rows, points int) {
	subject, _ := x.s.data.Subject(ref)
	for _, row := range x.s.data.Rows[ref.Organisation] {
		if who, _ := x.s.data.Subject(sim.Ref{Organisation: ref.Organisation, Reference: row.Reference}); who == subject {
			n, _ := strconv.Atoi(row.Strength) // the simulation writes 1 to 3
			rows, points = rows+1, points+n
		}
	}
	return rows, points
}

// ownCases is how many actors a member's own points suffice for.
func (x *site) ownCases(id string) int {
	actors := make(map[string]bool)
	for _, a := range x.s.data.Truth.Actors {
		actors[a] = true
	}
	points := make(map[string]int)
	for _, row := range x.s.data.Rows[id] {
		who, _ := x.s.data.Subject(sim.Ref{Organisation: id, Reference: row.Reference})
		n, _ := strconv.Atoi(row.Strength)
		points[who] += n
	}
	cases := 0
	for who, n := range points {
		if actors[who] && n >= x.s.data.Truth.Params.CaseAt {
			cases++
		}
	}
	return cases
}

// checkFile runs the offline check of a member's file. The check ends with 1
// where cells were stopped; its report is whole all the same.
func (s *stage) checkFile(ctx context.Context, id string, rep *desk.Report) error {
	out, err := s.prog.run(ctx, "desk", "check", s.exportOf(id), "--mapping", s.mapping(id), "--json")
	if len(out) > 0 {
		err = decode(out, rep)
	}
	return refusal(err)
}

// hubShow reads what the hub's operator can see.
func (s *stage) hubShow(ctx context.Context, labels ...string) (h hub.Held, err error) {
	return h, refusal(s.call(ctx, &h, append([]string{"hub", "show", "--dir", s.path("hub")}, labels...)...))
}

// open reads a released opening at the authority's desk.
func (s *stage) open(ctx context.Context, id string) (l desk.Lead, err error) {
	return l, s.deskJSON(ctx, authorityID, &l, "open", id, "--json")
}
