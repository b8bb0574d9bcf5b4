package desk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/selector"
)

// A Mapping says what the columns of a member's file mean. Fields marked
// "column or constant" name a column if there is one of that name and are a
// constant otherwise; a leading "=" makes a constant in any case.
type Mapping struct {
	Format    string                   `json:"format"` // FormatCSV or FormatNDJSON
	Columns   map[string]ColumnMapping `json:"columns"`
	Reference string                   `json:"reference,omitempty"` // column: the member's own case reference
	Role      string                   `json:"role,omitempty"`      // column or constant; default "unknown"
	Grade     string                   `json:"grade,omitempty"`     // column or constant, as B2; default "c3"
	Strength  string                   `json:"strength,omitempty"`  // column or constant, 1 to 3; default 1
	Kind      string                   `json:"kind,omitempty"`      // column or constant; default "report"
	Date      string                   `json:"date,omitempty"`      // column or constant, 2026-11-24; default today
	Platform  string                   `json:"platform,omitempty"`  // column or constant, for user names and accounts
	Origin    string                   `json:"origin,omitempty"`    // column or constant: "own" (default) or "referred:ORG"
	Venue     string                   `json:"venue,omitempty"`     // column or constant: neutral code of the venue; goes to the hub alone
	Note      string                   `json:"note,omitempty"`      // column; the first 200 characters go to the authority
	SMR       string                   `json:"smr,omitempty"`       // column or constant: yes or no, whether the row stems from a report of suspicion; default not known
}

// A ColumnMapping is one column that holds selectors.
type ColumnMapping struct {
	Class    selector.Class `json:"class"`
	Country  string         `json:"country,omitempty"`  // ISO 3166, two letters
	Platform string         `json:"platform,omitempty"` // column or constant; before Mapping.Platform
	// Algorithm names the digest of a hash column that holds bare hex, see
	// selector.Algorithms.
	Algorithm string `json:"algorithm,omitempty"`
	// Prefix is a column whose cell comes before this one's, such as the BSB
	// before an account number.
	Prefix string `json:"prefix,omitempty"`
}

// LoadMapping reads and checks a mapping file.
func LoadMapping(path string) (Mapping, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Mapping{}, err
	}
	return ParseMapping(raw, path)
}

// ParseMapping reads and checks the text of a mapping file of this name.
func ParseMapping(raw []byte, name string) (Mapping, error) {
	var m Mapping
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fault.Wrap(fault.Invalid, fmt.Sprintf("%s is not a mapping file: %v", name, err), err)
	}
	if d.More() {
		return m, invalid("%s is not a mapping file: something follows its JSON object", name)
	}
	return m, m.check()
}

// Save writes the mapping as JSON that a person can edit.
func (m Mapping) Save(path string) error {
	raw, err := m.encode()
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o644)
}

func (m Mapping) encode() ([]byte, error) {
	raw, err := json.MarshalIndent(m, "", "  ")
	return append(raw, '\n'), err
}

func (m Mapping) check() error {
	if len(m.Columns) == 0 {
		return invalid("the mapping names no selector column; add at least one under \"columns\"")
	}
	for name, c := range m.Columns {
		if c.Class.Label() == "" {
			return invalid("the mapping gives column %q the class %q, which is not known; use one of %v", name, c.Class, selector.Classes())
		}
		if c.Algorithm != "" && !slices.Contains(selector.Algorithms(), c.Algorithm) {
			return invalid("the mapping gives column %q the algorithm %q; use one of %v, and shared list ids for perceptual hashes", name, c.Algorithm, selector.Algorithms())
		}
	}
	if m.Format != "" && m.Format != FormatCSV && m.Format != FormatNDJSON {
		return invalid("the mapping has format %q; use csv or ndjson", m.Format)
	}
	return nil
}

// Fit refuses a mapping whose columns a CSV file lacks, naming all of them with
// the nearest that is there.
func (m Mapping) Fit(s *Source) error {
	if m.Format != "" && m.Format != s.Format {
		return invalid("the mapping is for %s, but the file is %s", m.Format, s.Format)
	}
	if s.Format != FormatCSV {
		return nil
	}
	return m.lacks(s.Columns, false)
}

// fitWhole is Fit for a format without a heading, once all rows were seen. Its
// lines leave out what they do not know, so a name that none of them has is a
// mistake only if one like it is there, if it is the reference, or if no selector
// is left.
func (m Mapping) fitWhole(s *Source) error {
	if s.Format == FormatCSV || len(s.Columns) >= maxCols {
		return nil
	}
	some := func(name string) bool { return slices.Contains(s.Columns, name) }
	return m.lacks(s.Columns, some(m.Reference) && slices.ContainsFunc(slices.Collect(maps.Keys(m.Columns)), some))
}

// lacks names what columns do not hold; sparse ones only if another is near.
func (m Mapping) lacks(columns []string, sparse bool) error {
	missing := make(map[string]bool)
	need := func(name string) {
		if name != "" && !slices.Contains(columns, name) && (!sparse || nearest(name, columns) != "") {
			missing[name] = true
		}
	}
	for name, c := range m.Columns {
		need(name)
		need(c.Prefix)
	}
	need(m.Reference)
	need(m.Note)
	if len(missing) == 0 {
		return nil
	}
	var names []string
	for name := range missing {
		text := fmt.Sprintf("%q", name)
		if near := nearest(name, columns); near != "" {
			text += fmt.Sprintf(" (nearest: %q)", near)
		}
		names = append(names, text)
	}
	sort.Strings(names)
	return invalid("the file has no column %s, which the mapping names; its columns are %q", strings.Join(names, ", "), columns)
}

// nearest is the column that a name was most likely meant for, "" where none is
// near: at most a third of its letters differ, case and separators aside.
func nearest(name string, columns []string) string {
	plain := func(s string) string {
		return strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(strings.ToLower(s))
	}
	best, least := "", len(plain(name))/3+1
	for _, c := range columns {
		if len(c) > 100 || len(name) > 100 {
			continue
		}
		if d := vocab.Distance(plain(name), plain(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// guessSamples is how many rows a guess looks at.
const guessSamples = 200

// factWords finds the columns of an observation's facts by their headings.
var factWords = map[string][]string{
	"reference": {"reference", "case_id", "caseid", "case", "report_id", "ref", "id"},
	"role":      {"role", "subject_role"}, "grade": {"grade", "grading"}, "strength": {"strength"},
	"kind": {"kind", "evidence_kind"}, "date": {"date", "report_date", "occurred"},
	"platform": {"platform", "service"}, "origin": {"origin"}, "venue": {"venue", "venue_code"}, "note": {"note", "notes", "comment"},
}

// GuessMapping proposes a mapping from the first rows of a source, for a
// person to confirm. It uses up what it reads of s.
func GuessMapping(s *Source) (Mapping, error) {
	samples := make(map[string][]string)
	for range guessSamples {
		row, err := s.Next()
		if isEOF(err) {
			break
		}
		if err != nil {
			return Mapping{}, err
		}
		for name, cell := range row.Cells {
			samples[name] = append(samples[name], cell)
		}
	}
	m := Mapping{Format: s.Format, Columns: make(map[string]ColumnMapping)}
	facts := m.guessFacts(s.Columns)
	for _, name := range s.Columns {
		if facts[name] {
			continue
		}
		class, ok := selector.Guess(name, samples[name])
		if !ok {
			continue
		}
		c := ColumnMapping{Class: class}
		if class == selector.Hash {
			c.Algorithm = selector.GuessAlgorithm(name)
		}
		if usesCountry(class) {
			c.Country = "AU"
		}
		m.Columns[name] = c
	}
	m.joinBSB(s.Columns)
	return m, nil
}

// guessFacts fills the fact fields and returns the columns that they take.
func (m *Mapping) guessFacts(columns []string) map[string]bool {
	fields := map[string]*string{"reference": &m.Reference, "role": &m.Role, "grade": &m.Grade, "strength": &m.Strength,
		"kind": &m.Kind, "date": &m.Date, "platform": &m.Platform, "origin": &m.Origin, "venue": &m.Venue, "note": &m.Note}
	taken := make(map[string]bool)
	for field, target := range fields {
		for _, word := range factWords[field] {
			i := slices.IndexFunc(columns, func(c string) bool {
				return strings.ReplaceAll(strings.ToLower(c), " ", "_") == word && !taken[c]
			})
			if i >= 0 {
				*target = columns[i]
				taken[columns[i]] = true
				break
			}
		}
	}
	return taken
}

// joinBSB recognises a BSB column beside an account column.
func (m *Mapping) joinBSB(columns []string) {
	bsb, account := "", ""
	for _, c := range columns {
		name := strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(c))
		switch {
		case name == "bsb":
			bsb = c
		case name == "account" || name == "accountnumber" || name == "accountno" || name == "bankaccount":
			account = c
		}
	}
	if bsb != "" && account != "" {
		delete(m.Columns, bsb)
		m.Columns[account] = ColumnMapping{Class: selector.Bank, Country: "AU", Prefix: bsb}
	}
}

// value resolves a "column or constant" field for one row.
func value(field string, row Row, fallback string) string {
	if c, ok := strings.CutPrefix(field, "="); ok {
		return c
	}
	if cell, ok := row.Cells[field]; ok {
		field = cell
	}
	if field = strings.TrimSpace(field); field == "" {
		return fallback
	}
	return field
}
