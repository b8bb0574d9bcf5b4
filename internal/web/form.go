package web

import (
	"slices"
	"time"
)

// FieldKind says how a value is asked for.
type FieldKind string

// The kinds of field.
const (
	FieldText     FieldKind = "text"
	FieldLong     FieldKind = "long" // several lines
	FieldNumber   FieldKind = "number"
	FieldDate     FieldKind = "date"
	FieldEmail    FieldKind = "email"
	FieldPassword FieldKind = "password"
	FieldChoice   FieldKind = "choice" // a list to pick one from
	FieldRadios   FieldKind = "radios" // a few options, all in view
	FieldChecks   FieldKind = "checks" // several of a few options
	FieldCheck    FieldKind = "check"  // one box
	FieldFile     FieldKind = "file"
)

// Option is one of several values.
type Option struct {
	Value string
	Label string
	Help  string
}

// Field is one field of a form. Its id in the page is "f-" and its name.
type Field struct {
	Kind         FieldKind // empty: FieldText
	Name         string
	Label        string
	Help         string // one sentence below the label
	Value        string
	Values       []string // of FieldChecks
	Options      []Option
	Error        string // one sentence; shown at the field and in the summary
	Optional     bool   // fields are required unless they say so
	Lines        int    // of FieldLong; 0: 4
	Accept       string // of FieldFile: ".csv,.jsonl"
	Autocomplete string // "off" unless set
	MaxLength    int    // 0: no limit told to the browser
	Account      string // of FieldPassword: whose it is, for the browser's keeper of passwords
}

// Chosen reports whether an option is chosen.
func (f Field) Chosen(value string) bool {
	if f.Kind == FieldChecks {
		return slices.Contains(f.Values, value)
	}
	return f.Value == value
}

// Ticked reports whether the box of a FieldCheck is ticked.
func (f Field) Ticked() bool { return f.Value != "" }

// InputType is the browser's word for a one-line field. A browser empties a
// field for a day that holds anything else, so such an entry is kept as a text.
func (f Field) InputType() string {
	switch {
	case f.Kind == FieldDate && f.Value != "" && !isDay(f.Value):
		return "text"
	case f.Kind == FieldDate, f.Kind == FieldEmail, f.Kind == FieldPassword:
		return string(f.Kind)
	default:
		return "text"
	}
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// Hidden is a value that a form carries.
type Hidden struct {
	Name  string
	Value string
}

// Form is a form. Cross-origin posts are refused by the server (see
// Kit.Protect), so it carries no token.
type Form struct {
	ID        string
	Label     string // names the form; may be empty when the page is the form
	Action    string
	Get       bool // a search: values go in the address
	Multipart bool // has a FieldFile
	Hidden    []Hidden
	Fields    []Field
	Submit    string
	Careful   bool   // what it does cannot be taken back
	Cancel    string // address that the "Cancel" link goes to; may be empty
	Note      string // above the button: what will happen, what will be logged
}

// Problem is one thing that is wrong with the input.
type Problem struct {
	Field    string // name of the field; empty: about the whole form
	Sentence string
}

// Problems are the errors of a form's fields, in order, for the View.
func (f Form) Problems() []Problem {
	var out []Problem
	for _, field := range f.Fields {
		if field.Error != "" {
			out = append(out, Problem{Field: field.Name, Sentence: field.Error})
		}
	}
	return out
}
