package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/card"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// The states of a request.
const (
	Asked     = "asked"     // it waits for the officer
	Approved  = "approved"  // one route of its card may be used
	Refused   = "refused"   // by the officer, with a reason
	Void      = "void"      // approved once; the answer is another one now
	Withdrawn = "withdrawn" // by the requester
)

// SMRDerived marks material that stems from a report of suspicion.
const SMRDerived = "smr-derived"

// An Assertion is a fact with who says so.
type Assertion struct {
	Fact string `json:"fact"` // a code, or "not:code"
	By   string `json:"by"`   // who asserts it, in words: a name or an office
}

// A Draft is what a requester writes. It names fields and facts, never values.
type Draft struct {
	Question   route.Question `json:"question"` // its facts are those of Facts
	Facts      []Assertion    `json:"facts"`
	Fields     []string       `json:"fields"`     // what exactly would go, by name
	Flow       string         `json:"flow"`       // one of law.Flows, or empty for a flow outside of the pool
	Recipient  string         `json:"recipient"`  // the organisation that would receive; empty: any of its kind
	Provenance []string       `json:"provenance"` // flags that travel with the material
	Started    string         `json:"started"`    // when the clock of a duty began, local: 2026-11-23T14:30; may be empty
	Place      string         `json:"place"`      // where its days are counted: AU-NSW
	Urgent     bool           `json:"urgent"`     // the graver case of the duty
}

// A Card is what the law data said of a draft.
type Card struct {
	Answer    route.Answer `json:"answer"`
	Version   string       `json:"version"`
	Digest    string       `json:"digest"` // of the law data
	Print     string       `json:"print"`  // of what would make a reader act otherwise
	Deadlines []Deadline   `json:"deadlines"`
}

// A Deadline is a duty's, counted from when its clock began.
type Deadline = card.Deadline

// A Decision is what an officer said of a card.
type Decision struct {
	By     string   `json:"by"`
	Route  []string `json:"route"` // empty: refused
	Print  string   `json:"print"` // of the card that was shown
	Reason string   `json:"reason"`
	Permit string   `json:"permit"` // the permit in Cedar's words
	At     int64    `json:"at"`
}

// A Request is a draft with its card and what became of it.
type Request struct {
	ID           string
	Organisation string
	Author       string
	Edit         int
	Draft        Draft
	Card         Card
	Decision     *Decision
	Done         map[string]int64 // when duties were done, by gateway, in microseconds
	State        string
	Created      time.Time
	Changed      time.Time
}

const maxList = 40

// read checks a draft and brings it into its one form.
func (d Draft) read() (Draft, error) {
	var problems []string
	clean := func(list []string) []string {
		var out []string
		for _, x := range list {
			if x = strings.TrimSpace(x); x != "" && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		return out
	}
	d.Fields, d.Provenance, d.Question.Holds = clean(d.Fields), clean(d.Provenance), clean(d.Question.Holds)
	d.Recipient, d.Started = strings.TrimSpace(d.Recipient), strings.TrimSpace(d.Started)
	facts := []string{}
	for i := range d.Facts {
		d.Facts[i].Fact, d.Facts[i].By = strings.TrimSpace(d.Facts[i].Fact), strings.TrimSpace(d.Facts[i].By)
		if d.Facts[i].By == "" {
			problems = append(problems, fmt.Sprintf("say who asserts %q", d.Facts[i].Fact))
		}
		if slices.Contains(facts, d.Facts[i].Fact) {
			problems = append(problems, fmt.Sprintf("%q is asserted twice", d.Facts[i].Fact))
		}
		facts = append(facts, d.Facts[i].Fact)
	}
	d.Question.Facts = facts
	if len(d.Fields) == 0 {
		problems = append(problems, "name the fields that would be sent, as: account identifier, date of transfer")
	}
	if len(d.Fields)+len(d.Provenance)+len(d.Facts) > maxList {
		problems = append(problems, fmt.Sprintf("a request names at most %d fields, facts and flags", maxList))
	}
	for _, text := range slices.Concat(d.Fields, d.Provenance, []string{d.Recipient}) {
		if detail(text) {
			problems = append(problems, fmt.Sprintf("%q reads like a detail of a case; name the kind of field, never its value", text))
		}
	}
	if d.Flow != "" && !slices.Contains(law.Flows(), d.Flow) {
		problems = append(problems, route.Unknown("flow", d.Flow, law.Flows()))
	}
	if _, err := d.start(); err != nil {
		problems = append(problems, fault.Sentence(err))
	}
	if problems != nil {
		return d, fault.New(fault.Invalid, "The request was not kept: "+strings.Join(problems, "; ")+".")
	}
	return d, nil
}

// start is when the clock of the duties began; zero where the draft does not say.
func (d Draft) start() (time.Time, error) { return card.Start(d.Started, d.Place) }

// Evaluate asks the law data about a draft. It is pure: the same draft and data
// give the same card.
func Evaluate(data law.Deployed, d Draft) (Draft, Card, error) {
	d, err := d.read()
	if err != nil {
		return d, Card{}, err
	}
	q, a, err := law.Ask(data.Finder, d.Question)
	if err != nil {
		return d, Card{}, err
	}
	d.Question = q
	c := Card{Answer: a, Version: data.Set.Meta.DataVersion, Digest: data.Digest, Deadlines: []Deadline{}}
	if c.Print, err = fingerprint(a); err != nil {
		return d, c, err
	}
	start, err := d.start()
	if err != nil {
		return d, c, err
	}
	c.Deadlines, err = card.Deadlines(a, start, d.Place, d.Urgent)
	return d, c, err
}

// fingerprint names what would make a reader act otherwise: everything of an answer
// but its day and the version of the data.
func fingerprint(a route.Answer) (string, error) {
	c := a.Contract()
	c.AsOf, c.DataVersion, c.Reasons = "", "", nil
	raw, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// errStale is told to whoever decides about something else than is there now.
var errStale = errors.New("the request was edited, or its answer is another one now")

var years = regexp.MustCompile(`\b(19|20)\d\d(-\d\d){0,2}\b`)

// detail reports text that reads like a value of a case: an address, a link, a
// number of six digits or more that is no date.
func detail(text string) bool {
	digits := 0
	for _, c := range years.ReplaceAllString(text, ".") {
		switch {
		case c == '@':
			return true
		case c >= '0' && c <= '9':
			if digits++; digits >= 6 {
				return true
			}
		case c != ' ' && c != '-':
			digits = 0
		}
	}
	return strings.Contains(text, "://")
}
