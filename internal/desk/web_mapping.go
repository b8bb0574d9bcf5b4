package desk

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/selector"
)

// What a column may mean, as the form's values: "class:email",
// "class:hash:sha256" (bare digests), "fact:date", "prefix" (the BSB before an
// account number), or "unused".
const (
	meansClass   = "class:"
	meansFact    = "fact:"
	meansPrefix  = "prefix"
	meansNothing = "unused"
)

// facts are the fields of a mapping that a column may fill, in the form's
// order. Those with a constant may have one value for all rows.
func (m *Mapping) facts() []fact {
	return []fact{
		{"reference", "Own case reference", &m.Reference, false}, {"date", "Date", &m.Date, false},
		{"kind", "Kind of evidence", &m.Kind, true}, {"strength", "Strength (1 to 3)", &m.Strength, true},
		{"grade", "Grade (as B2)", &m.Grade, true}, {"role", "Subject role", &m.Role, true},
		{"platform", "Platform or service", &m.Platform, true}, {"origin", "Origin", &m.Origin, true},
		{"venue", "Venue code", &m.Venue, true},
		{"note", "Note to the authority", &m.Note, false},
	}
}

type fact struct {
	name, label string
	field       *string
	constant    bool
}

// meaning is what a column means now, in the form's words.
func (m *Mapping) meaning(column string) string {
	if c, ok := m.Columns[column]; ok {
		return strings.TrimSuffix(meansClass+string(c.Class)+":"+c.Algorithm, ":")
	}
	for _, f := range m.facts() {
		if *f.field == column {
			return meansFact + f.name
		}
	}
	for _, c := range m.Columns {
		if c.Prefix == column {
			return meansPrefix
		}
	}
	return meansNothing
}

// country is the one that the columns share, as a form can show it.
func (m *Mapping) country() string {
	for _, c := range m.Columns {
		if usesCountry(c.Class) && c.Country != "" {
			return c.Country
		}
	}
	return "AU"
}

// constantOf is a fact's value for all rows, without its mark.
func constantOf(field string, columns []string) string {
	if slices.Contains(columns, field) {
		return ""
	}
	return strings.TrimPrefix(field, "=")
}

// form asks what each column means.
func (m *Mapping) form(action string, columns []string) web.Form {
	options := []web.Option{{Value: meansNothing, Label: "Not used"}}
	for _, c := range selector.Classes() {
		options = append(options, web.Option{Value: meansClass + string(c), Label: "Identifier: " + c.Label()})
	}
	for _, a := range selector.Algorithms() {
		options = append(options, web.Option{Value: meansClass + string(selector.Hash) + ":" + a, Label: "Identifier: file hash, bare " + a})
	}
	options = append(options, web.Option{Value: meansPrefix, Label: "BSB, before the bank account"})
	for _, f := range m.facts() {
		options = append(options, web.Option{Value: meansFact + f.name, Label: f.label})
	}
	f := web.Form{ID: "mapping", Label: "What the columns mean", Action: action, Submit: "Read the file again with this",
		Note: "Reads the file again on this computer. Nothing is sent."}
	for i, name := range columns {
		f.Fields = append(f.Fields, web.Field{Kind: web.FieldChoice, Name: fmt.Sprintf("column-%d", i), Label: "Column “" + name + "”",
			Options: options, Value: m.meaning(name)})
	}
	f.Fields = append(f.Fields, web.Field{Name: "country", Label: "Country of numbers written without one", Value: m.country(), MaxLength: 2,
		Help: "Two letters, as AU. For phone numbers, bank accounts and PayIDs."})
	for _, x := range m.facts() {
		if x.constant && !slices.Contains(columns, *x.field) {
			f.Fields = append(f.Fields, x.constantField(columns))
		}
	}
	return f
}

// constantField asks for a fact's value where no column holds it.
func (x fact) constantField(columns []string) web.Field {
	f := web.Field{Name: "all-" + x.name, Label: x.label + ", for all rows", Optional: true, Value: constantOf(*x.field, columns),
		Help: "Used where no column says it.", MaxLength: 60}
	words := map[string]vocab.List{"kind": vocab.Kinds, "strength": vocab.Strengths, "role": vocab.Roles}
	list, closed := words[x.name]
	if !closed {
		f.Help += map[string]string{"grade": " A letter A to F for the source and a digit 1 to 6 for what it says; C3 if left out.",
			"origin":   " “own”, or “referred:” and the organisation that referred it; own if left out.",
			"venue":    " A neutral code such as v07, for the pool's statistics; only the hub sees it.",
			"platform": " The platform of user names and account ids that do not name one."}[x.name]
		return f
	}
	f.Kind, f.MaxLength = web.FieldChoice, 0
	defaults := map[string]string{"kind": "report", "strength": "1", "role": vocab.RoleUnknown}
	f.Options = []web.Option{{Value: "", Label: "Left out: " + defaults[x.name]}}
	known := f.Value == ""
	for _, word := range list.Words() {
		f.Options = append(f.Options, web.Option{Value: word.Code, Label: word.Label})
		known = known || word.Code == f.Value
	}
	if !known { // a mapping file may say what no list here holds
		f.Options = append(f.Options, web.Option{Value: f.Value, Label: f.Value})
	}
	return f
}

// fromForm is the mapping that a posted form describes. What the form cannot
// show (a column's own country or platform) stays as it was.
func (m Mapping) fromForm(v url.Values, columns []string) (Mapping, error) {
	next := Mapping{Format: m.Format, Columns: make(map[string]ColumnMapping)}
	shown, country := m.country(), strings.ToUpper(strings.TrimSpace(v.Get("country")))
	prefix := ""
	for i, name := range columns {
		means := v.Get(fmt.Sprintf("column-%d", i))
		class, isClass := strings.CutPrefix(means, meansClass)
		switch {
		case isClass:
			class, algorithm, _ := strings.Cut(class, ":")
			c := ColumnMapping{Class: selector.Class(class), Algorithm: algorithm}
			if old, ok := m.Columns[name]; ok && old.Class == c.Class {
				c = old
				c.Prefix, c.Algorithm = "", algorithm
			}
			if usesCountry(c.Class) && (c.Country == "" || c.Country == shown) {
				c.Country = country
			}
			next.Columns[name] = c
		case means == meansPrefix && prefix != "":
			return next, invalid("two columns are marked as the BSB (%q and %q); only one can be", prefix, name)
		case means == meansPrefix:
			prefix = name
		case means != "" && means != meansNothing:
			if err := next.setFact(strings.TrimPrefix(means, meansFact), name); err != nil {
				return next, err
			}
		}
	}
	if err := next.setPrefix(prefix); err != nil {
		return next, err
	}
	for _, x := range next.facts() {
		if text := strings.TrimSpace(v.Get("all-" + x.name)); x.constant && *x.field == "" && text != "" {
			*x.field = "=" + text
		}
	}
	return next, next.check()
}

func (m *Mapping) setFact(name, column string) error {
	for _, x := range m.facts() {
		if x.name != name {
			continue
		}
		if *x.field != "" {
			return invalid("two columns are marked as “%s” (%q and %q); only one can be", x.label, *x.field, column)
		}
		*x.field = column
		return nil
	}
	return invalid("column %q is given a meaning that is not known", column)
}

func (m *Mapping) setPrefix(column string) error {
	if column == "" {
		return nil
	}
	for name, c := range m.Columns {
		if c.Class == selector.Bank {
			c.Prefix = column
			m.Columns[name] = c
			return nil
		}
	}
	return invalid("column %q is marked as the BSB, but no column as the bank account", column)
}
