package desk

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"parallax/internal/vocab"
	"parallax/opening"
	"parallax/selector"
)

// maxNote bounds what of a note goes into a payload, in characters.
const maxNote = 200

// A Record is one row read through a mapping: what one observation would say.
type Record struct {
	Line      int                 `json:"line"`
	Reference string              `json:"reference"`
	Role      string              `json:"role"`
	Source    string              `json:"source"` // admiralty a to f
	Info      string              `json:"info"`   // admiralty 1 to 6
	Strength  int                 `json:"strength"`
	Kind      string              `json:"kind"`
	Date      string              `json:"date"`    // 2006-01-02
	Undated   bool                `json:"undated"` // Date is only the day it was read
	Origin    string              `json:"origin"`
	Venue     string              `json:"venue,omitempty"` // neutral code, for the hub's statistics
	Note      string              `json:"note"`
	SMR       string              `json:"smr,omitempty"` // whether it stems from a report of suspicion: "yes", "no" or "" for not known
	Selectors []selector.Selector `json:"selectors"`     // every accepted form
}

// Outcomes of one selector cell.
const (
	Accepted = "accepted"
	Stopped  = "stopped" // a warning list holds it
	Refused  = "refused" // it cannot be read
)

// An Issue is one thing to say about a cell or row; it never holds a value.
type Issue struct {
	Line     int            `json:"line"`
	Column   string         `json:"column"`
	Class    selector.Class `json:"class,omitempty"`
	Outcome  string         `json:"outcome"` // Stopped or Refused
	Code     string         `json:"code"`
	Sentence string         `json:"sentence"`
}

// A Reading is a row with what became of it. OK is false for a row that makes
// no observation; its issues say why.
type Reading struct {
	Record Record
	Issues []Issue
	Counts map[selector.Class]Count // cells, by class
	OK     bool
}

// Count is how many cells of a class had each outcome, and how many forms the
// accepted ones have.
type Count struct {
	Accepted int `json:"accepted"`
	Stopped  int `json:"stopped"`
	Refused  int `json:"refused"`
	Forms    int `json:"forms"`
}

func (c *Count) add(o Count) {
	c.Accepted += o.Accepted
	c.Stopped += o.Stopped
	c.Refused += o.Refused
	c.Forms += o.Forms
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// Read turns a row into a record. today dates rows without a date.
func (m Mapping) Read(row Row, today time.Time) Reading {
	r := Reading{Counts: make(map[selector.Class]Count)}
	r.Record = Record{Line: row.Line, Reference: row.Cells[m.Reference], Role: value(m.Role, row, vocab.RoleUnknown),
		Kind: value(m.Kind, row, "report"), Origin: value(m.Origin, row, "own"),
		Venue: value(m.Venue, row, ""), Note: short(row.Cells[m.Note], maxNote)}
	facts := r.facts(m, row, today)
	r.Record.SMR = strings.ToLower(value(m.SMR, row, ""))
	if s := r.Record.SMR; s != "" && s != "yes" && s != "no" {
		r.refuse(row.Line, m.SMR, "bad-smr", "Whether the row stems from a report of suspicion must be yes, no or empty for not known.")
		facts = false
	}
	names := make([]string, 0, len(m.Columns))
	for name := range m.Columns {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		r.cell(m, row, name)
	}
	switch n := len(r.Record.Selectors); {
	case n == 0 && len(r.Issues) == 0:
		r.refuse(row.Line, "row", "no-selector", "The row has no selector; there is nothing to contribute.")
	case n > opening.MaxTags:
		r.refuse(row.Line, "row", "too-many", fmt.Sprintf("The row has %d selector forms, one observation takes at most %d; split the row.", n, opening.MaxTags))
	}
	r.OK = facts && len(r.Record.Selectors) > 0 && len(r.Record.Selectors) <= opening.MaxTags
	return r
}

func (r *Reading) refuse(line int, column, code, sentence string) {
	r.Issues = append(r.Issues, Issue{Line: line, Column: column, Outcome: Refused, Code: code, Sentence: sentence})
}

// facts reads what the observation says beside its selectors.
func (r *Reading) facts(m Mapping, row Row, today time.Time) bool {
	before := len(r.Issues)
	grade := strings.ToLower(value(m.Grade, row, "c3"))
	if len(grade) != 2 || grade[0] < 'a' || grade[0] > 'f' || grade[1] < '1' || grade[1] > '6' {
		r.refuse(row.Line, m.Grade, "bad-grade", "The grade must be a letter A to F and a digit 1 to 6, such as B2.")
	} else {
		r.Record.Source, r.Record.Info = grade[:1], grade[1:]
	}
	switch s := value(m.Strength, row, "1"); s {
	case "1", "2", "3":
		r.Record.Strength = int(s[0] - '0')
	default:
		r.refuse(row.Line, m.Strength, "bad-strength", "The strength must be 1, 2 or 3.")
	}
	written := value(m.Date, row, "")
	date, ok := readDate(written)
	if written == "" {
		date, ok, r.Record.Undated = today.UTC().Format(time.DateOnly), true, true
	}
	if !ok {
		r.refuse(row.Line, m.Date, "bad-date", "The date must be written as 2026-11-24, 24/11/2026 or with a time as in RFC 3339.")
	}
	r.Record.Date = date
	if !opening.IsOrigin(r.Record.Origin) {
		r.refuse(row.Line, m.Origin, "bad-origin", "The origin must be \"own\" or \"referred:\" with the id of the organisation that referred it.")
	}
	if r.Record.Venue != "" && !opening.IsWord(r.Record.Venue) {
		r.refuse(row.Line, m.Venue, "bad-venue", "The venue must be a neutral code: one word of lower-case letters, digits, dots, _ and -, such as v07. Never a name.")
	}
	for what, s := range map[string]string{"role": r.Record.Role, "kind": r.Record.Kind} {
		if !opening.IsWord(s) {
			r.refuse(row.Line, what, "bad-"+what, "The "+what+" must be one word of lower-case letters, digits, dots, _ and -, at most 40, and begin with a letter or a digit.")
		}
	}
	if len(r.Record.Reference) > 200 {
		r.refuse(row.Line, m.Reference, "bad-reference", "The reference must be at most 200 bytes.")
	}
	return len(r.Issues) == before
}

func readDate(s string) (string, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "02/01/2006", "2006-01-02 15:04:05", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.DateOnly), true
		}
	}
	return "", false
}

// week is the ISO week of a date, the coarsest that a header needs.
func week(date string) (string, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return "", err
	}
	y, w := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w), nil
}

// cell reads one selector cell into all its forms that no warning stops.
func (r *Reading) cell(m Mapping, row Row, name string) {
	c, raw := m.Columns[name], row.Cells[name]
	if strings.TrimSpace(raw) == "" {
		return
	}
	if c.Prefix != "" {
		raw = row.Cells[c.Prefix] + " " + raw
	}
	hint := selector.Hint{Country: c.Country, Platform: value(c.Platform, row, value(m.Platform, row, "")), Algorithm: c.Algorithm}
	count := Count{}
	defer func() {
		total := r.Counts[c.Class]
		total.add(count)
		r.Counts[c.Class] = total
	}()
	forms, err := selector.Normalise(c.Class, raw, hint)
	if err != nil {
		count.Refused = 1
		issue := Issue{Line: row.Line, Column: name, Class: c.Class, Outcome: Refused, Sentence: err.Error()}
		var p *selector.Problem
		if errors.As(err, &p) {
			issue.Code = p.Code
		}
		r.Issues = append(r.Issues, issue)
		return
	}
	var warning selector.Warning
	for _, f := range forms {
		if w, stop := selector.Warn(f); stop {
			warning = w
			continue
		}
		count.Forms++
		r.Record.add(f)
	}
	if count.Forms > 0 {
		count.Accepted = 1
		return
	}
	count.Stopped = 1
	r.Issues = append(r.Issues, Issue{Line: row.Line, Column: name, Class: c.Class, Outcome: Stopped, Code: warning.Code, Sentence: warning.Sentence})
}

// add keeps each selector once.
func (rec *Record) add(s selector.Selector) {
	for _, have := range rec.Selectors {
		if have == s {
			return
		}
	}
	rec.Selectors = append(rec.Selectors, s)
}

// short cuts s to n characters, never inside one.
func short(s string, n int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
