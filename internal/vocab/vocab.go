// Package vocab holds the closed word lists of Parallax: every code that an
// observation, a lead or a member may carry, with a label and a description in
// plain, neutral English. What is not on a list is refused at the door; what is
// shown to a person is the label, never the code.
//
// Codes are stable: they are inside signed objects. A list may grow at its end,
// in a release that every key holder runs; a code never changes its meaning.
package vocab

import (
	"slices"

	"parallax/internal/fault"
)

// Word is one entry of a list.
type Word struct {
	Code        string // as stored and signed: lower-case ASCII
	Label       string // as shown: a few words
	Description string // one or two sentences for the person who chooses
}

// List is one closed list, in the order in which it is shown.
type List struct {
	Name  string // what the list is, in the singular: "subject role"
	words []Word
}

// Words are the entries in order. The slice is the caller's own.
func (l List) Words() []Word { return slices.Clone(l.words) }

// Codes are the entries' codes in order.
func (l List) Codes() []string {
	codes := make([]string, len(l.words))
	for i, w := range l.words {
		codes[i] = w.Code
	}
	return codes
}

// Find returns the entry with this code.
func (l List) Find(code string) (Word, bool) {
	i := slices.IndexFunc(l.words, func(w Word) bool { return w.Code == code })
	if i < 0 {
		return Word{}, false
	}
	return l.words[i], true
}

// Has reports whether code is on the list.
func (l List) Has(code string) bool {
	_, ok := l.Find(code)
	return ok
}

// Label is the label of a code, or "Not listed" for one that is not on the
// list: an unknown code may be anything and is not shown.
func (l List) Label(code string) string {
	if w, ok := l.Find(code); ok {
		return w.Label
	}
	return "Not listed"
}

// Check is a fault.Invalid naming the list when code is not on it.
func (l List) Check(code string) error {
	if l.Has(code) {
		return nil
	}
	return fault.Newf(fault.Invalid, "The %s is not one of the listed words.", l.Name)
}

// All are the lists of this package, for pages that print them.
func All() []List {
	return []List{Roles, Sources, Information, Kinds, Sectors, Strengths, LeadStates, MemberStatuses, OrganisationKinds}
}
