// Package selector turns identifiers, as organisations write them, into the one
// canonical form that every member of a pool blinds. Two members that disagree
// about a form silently lose the match, so each class has a rule version and
// the rules refuse what they cannot read instead of guessing.
//
// It performs no I/O, keeps nothing, and never puts a value into an error.
package selector

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Class names a kind of identifier.
type Class string

// The closed list of classes.
const (
	Email      Class = "email"
	Phone      Class = "phone"
	URL        Class = "url"
	Domain     Class = "domain"
	Username   Class = "username"
	Account    Class = "account"
	Bank       Class = "bank"
	PayID      Class = "payid"
	PayService Class = "payservice"
	Wallet     Class = "wallet"
	Device     Class = "device"
	Hash       Class = "hash"
	IP         Class = "ip"
)

type classInfo struct {
	class           Class
	label           string
	person, payment bool
	rule            int
	normalise       func(raw string, hint Hint) ([]form, error)
}

// table is filled by init because the readers call back into other classes.
var table []classInfo

func init() {
	table = []classInfo{
		{Email, "e-mail address", true, false, 1, readEmail},
		{Phone, "phone number", true, false, 1, readPhone},
		{URL, "web address", false, false, 1, readURL},
		{Domain, "domain name", false, false, 1, readDomain},
		{Username, "user name on a platform", true, false, 1, readUsername},
		{Account, "account id on a platform", true, false, 1, readAccount},
		{Bank, "bank account", true, true, 1, readBank},
		{PayID, "PayID", true, true, 1, readPayID},
		{PayService, "payment service account", true, true, 1, readPayService},
		{Wallet, "cryptocurrency address", true, true, 1, readWallet},
		{Device, "device id", true, false, 1, readDevice},
		{Hash, "file hash or hash-list id", false, false, 1, readHash},
		{IP, "IP address", false, false, 1, readIP},
	}
}

func (c Class) info() (classInfo, bool) {
	for _, i := range table {
		if i.class == c {
			return i, true
		}
	}
	return classInfo{}, false
}

// Classes lists every class in a fixed order.
func Classes() []Class {
	out := make([]Class, len(table))
	for i, e := range table {
		out[i] = e.class
	}
	return out
}

// Person reports whether the class points at a person and so may link people.
func (c Class) Person() bool { i, _ := c.info(); return i.person }

// Payment reports whether the class is a payment identifier; payment
// identifiers alone never meet an opening threshold.
func (c Class) Payment() bool { i, _ := c.info(); return i.payment }

// Label is the class in plain English, empty for an unknown class.
func (c Class) Label() string { i, _ := c.info(); return i.label }

// RuleVersion is the version of the rules that produced a canonical value,
// 0 for an unknown class. Any change to a canonical value raises it.
func (c Class) RuleVersion() int { i, _ := c.info(); return i.rule }

// Hint is what the record says besides the value.
type Hint struct {
	Country  string // ISO 3166 two letters, for national phone and bank forms
	Platform string // platform or payment service, as the organisation writes it
	// Algorithm is the digest that a column of bare hex values holds (md5,
	// sha1 or sha256), which their length alone does not tell.
	Algorithm string
}

// Selector is one canonical form of one identifier.
type Selector struct {
	Class Class
	Form  string // such as "exact", "canonical", "full", "host-path", "host"
	Value string // canonical, at most 2,048 bytes
	Rule  int    // RuleVersion of the class when the value was made
}

type form struct{ name, value string }

const inputDomain = "parallax/selector/v1"

// Input is the OPRF input: domain | class | form | rule | value, each text with
// its length before it, so that two different selectors never share an input.
func (s Selector) Input() []byte {
	b := appendText(nil, inputDomain)
	b = appendText(b, string(s.Class))
	b = appendText(b, s.Form)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Rule))
	return appendText(b, s.Value)
}

// FromInput reads back what Input made, and refuses every other spelling. It
// does not say that the value is canonical: Normalise it again for that.
func FromInput(b []byte) (Selector, error) {
	var s Selector
	var domain, class string
	rest := b
	for _, out := range []*string{&domain, &class, &s.Form} {
		rest = cutText(rest, out)
	}
	if len(rest) >= 8 {
		s.Rule = int(binary.BigEndian.Uint64(rest))
		rest = cutText(rest[8:], &s.Value)
	}
	s.Class = Class(class)
	if domain != inputDomain || !bytes.Equal(s.Input(), b) {
		return Selector{}, errors.New("this is not the input of a selector")
	}
	return s, nil
}

// cutText reads one text with its length before it; what cannot be read leaves
// nothing, which the caller notices when it encodes again.
func cutText(b []byte, out *string) []byte {
	if len(b) < 4 {
		return nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil
	}
	*out = string(b[4 : 4+n])
	return b[4+n:]
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// Problem says why a value cannot be read. It never contains the value.
type Problem struct {
	Code     string // stable, for programs
	Sentence string // for a person
}

func (p *Problem) Error() string { return p.Sentence }

func problem(code, sentence string) error { return &Problem{code, sentence} }

// Normalise reads raw as class and returns every canonical form, in a fixed
// order. The error is always a *Problem.
func Normalise(class Class, raw string, hint Hint) ([]Selector, error) {
	info, ok := class.info()
	if !ok {
		return nil, problem("unknown-class", "This kind of identifier is not known.")
	}
	clean, err := clean(raw)
	if err != nil {
		return nil, err
	}
	forms, err := info.normalise(clean, hint)
	if err != nil {
		return nil, err
	}
	out := make([]Selector, len(forms))
	for i, f := range forms {
		if len(f.value) > MaxBytes {
			return nil, tooLong()
		}
		out[i] = Selector{class, f.name, f.value, info.rule}
	}
	return out, nil
}
