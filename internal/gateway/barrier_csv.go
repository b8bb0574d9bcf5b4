package gateway

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/vocab"
)

// columns of the register as a table. Lists are separated by semicolons.
var columns = []string{"id", "title", "systemic", "laws", "blocked", "unblock", "depends", "state", "changed", "cases", "days", "detail", "remaining", "reform", "source"}

// CSV writes the register for a spreadsheet, in its order. Small counts are
// withheld and cells cannot become formulas.
func CSV(list []Kept) ([]byte, error) {
	rows := [][]string{columns}
	for _, k := range list {
		rows = append(rows, []string{k.ID, k.Title, strconv.Itoa(k.Systemic), strings.Join(k.Laws, "; "), strings.Join(k.Blocked, "; "), k.Unblock, k.Depends, k.State, k.Changed,
			k.Cases().String(), k.DaysLost().String(), k.Detail, k.Remaining, k.Reform, k.Source})
	}
	var b bytes.Buffer
	err := vocab.WriteCSV(&b, rows)
	return b.Bytes(), err
}

const (
	maxImport = 500
	maxCSV    = 1 << 20
)

// ImportBarriers adds the rows of another register, or replaces those of the
// same id. All of it is kept, or nothing; errors name their lines. Counts of
// another register are kept apart as counted elsewhere.
func (s *Service) ImportBarriers(ctx context.Context, who Person, r io.Reader) (int, error) {
	if !who.Keeper {
		return 0, errKeeper
	}
	rows, err := s.readCSV(r)
	if err != nil {
		return 0, err
	}
	return len(rows), s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, b := range rows {
			k, err := readBarrier(ctx, tx, b.ID)
			was := k.Edit
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if b.Elsewhere == k.Cases().Count && b.Days == k.DaysLost().Count {
				b.Elsewhere, b.Days = k.Elsewhere, k.Days // the register's own export comes back
			}
			k.Barrier, k.Removed, k.Edit = b, false, was+1
			if err := s.keepBarrier(ctx, tx, who.ID, k, was); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) readCSV(r io.Reader) ([]Barrier, error) {
	c := csv.NewReader(io.LimitReader(r, maxCSV))
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "The file is no CSV with a heading.", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := map[string]int{}
	var problems []string
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, name) {
			problems = append(problems, fmt.Sprintf("line 1: column %q is not known; known: %s", name, strings.Join(columns, ", ")))
		}
		at[name] = i
	}
	for _, need := range []string{"id", "title", "systemic", "state"} {
		if _, ok := at[need]; !ok {
			problems = append(problems, fmt.Sprintf("line 1: the column %q is missing", need))
		}
	}
	var out []Barrier
	seen := map[string]bool{}
	for problems == nil {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := c.FieldPos(0)
		if err != nil || len(row) != len(head) || len(out) == maxImport {
			problems = append(problems, fmt.Sprintf("line %d: a row has %d cells, and there are at most %d rows", line, len(head), maxImport))
			break
		}
		b, err := s.readRow(at, row)
		if err == nil && seen[b.ID] {
			err = fault.New(fault.Invalid, "the id stands twice in the file")
		}
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "Nothing was imported. Line %d: %s", line, fault.Sentence(err))
		}
		seen[b.ID] = true
		out = append(out, b)
	}
	if problems != nil {
		return nil, fault.New(fault.Invalid, "Nothing was imported: "+strings.Join(problems, "; ")+".")
	}
	return out, nil
}

func (s *Service) readRow(at map[string]int, row []string) (Barrier, error) {
	get := func(name string) string {
		if i, ok := at[name]; ok {
			return vocab.Plain(strings.TrimSpace(row[i]))
		}
		return ""
	}
	b := Barrier{ID: get("id"), Title: get("title"), Laws: strings.Split(get("laws"), ";"), Blocked: strings.Split(get("blocked"), ";"),
		Unblock: get("unblock"), Depends: get("depends"), State: get("state"), Changed: get("changed"), Detail: get("detail"),
		Remaining: get("remaining"), Reform: get("reform"), Source: get("source")}
	if b.ID == "" || len(b.ID) > 40 || strings.ContainsAny(b.ID, "/?#% ") {
		return b, fault.New(fault.Invalid, "an id has 1 to 40 letters, digits and hyphens")
	}
	var err error
	if b.Systemic, err = strconv.Atoi(get("systemic")); err != nil {
		return b, fault.New(fault.Invalid, "the systemic barrier is a number from 1 to 7")
	}
	for name, to := range map[string]*int{"cases": &b.Elsewhere, "days": &b.Days} {
		// Another register withholds small counts, as this one does.
		if text := get(name); text != "" && !strings.HasPrefix(text, "fewer") {
			if *to, err = strconv.Atoi(text); err != nil {
				return b, fault.Newf(fault.Invalid, "%s is a whole number", name)
			}
		}
	}
	if b.Elsewhere == 0 {
		b.Days = 0
	}
	return b.read(s.Law().Set.Vocab)
}
