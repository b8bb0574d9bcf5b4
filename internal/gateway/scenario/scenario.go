// Package scenario reads worked questions with the answers that are expected of
// them, and compares: the check that a change of the law data or of the finder
// is held to. Direct ways, routes and questions for counsel compare as sets, a
// route as its rows in order; a listed prohibition must be returned. What a
// page must show, notes and other reasons are for people and not compared.
package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// File is a file of scenarios.
type File struct {
	Meta struct {
		DataVersion     string `yaml:"data_version"`
		GatewaysVersion string `yaml:"gateways_version"`
		MaxHops         int    `yaml:"max_hops"`
		Title           string `yaml:"title"`
		Note            lines  `yaml:"note"`
	} `yaml:"meta"`
	Scenarios []Scenario `yaml:"scenarios"`
	// Unread are keys that mean nothing here, each with its line.
	Unread []string `yaml:"-"`
}

// Scenario is one situation with its questions.
type Scenario struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	Note  lines  `yaml:"note"`
	Notes lines  `yaml:"notes"`
	Cases []Case `yaml:"cases"`
}

// Case is one question and what is expected.
type Case struct {
	ID       string   `yaml:"id"`
	Question string   `yaml:"question"`
	AsOf     string   `yaml:"as_of"`
	From     string   `yaml:"from"`
	FromIn   string   `yaml:"from_in"`
	Holds    []string `yaml:"holds"`
	To       string   `yaml:"to"`
	ToIn     string   `yaml:"to_in"`
	Wants    string   `yaml:"wants"`
	Purpose  string   `yaml:"purpose"`
	Facts    []string `yaml:"facts"`
	MaxHops  int      `yaml:"max_hops"`
	Note     lines    `yaml:"note"`
	Notes    lines    `yaml:"notes"`
	Expect   Expect   `yaml:"expect"`
}

// Expect is what is expected. A list that is not given is not compared.
type Expect struct {
	Answer      string `yaml:"answer"`
	Direct      *ids   `yaml:"direct"`
	Routes      *paths `yaml:"routes"`
	Conditional *paths `yaml:"conditional"`
	AskCounsel  *ids   `yaml:"ask_counsel"`
	Duties      ids    `yaml:"duties"`       // each must be returned; there may be more
	Prohibited  ids    `yaml:"prohibitions"` // so must these
	Reasons     lines  `yaml:"reasons_for_no_direct"`
	MustShow    lines  `yaml:"must_show"`
	Note        lines  `yaml:"note"`
	Notes       lines  `yaml:"notes"`
}

// none is how a file writes that nothing is expected.
const none = "none"

type ids []string

// UnmarshalYAML reads a list of ids, one id, or "none".
func (l *ids) UnmarshalYAML(n *yaml.Node) error {
	*l = ids{}
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == none:
		return nil
	case n.Kind == yaml.ScalarNode && n.Tag == "!!str":
		*l = ids{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

type paths [][]string

// UnmarshalYAML reads a list of routes, each a list of ids in order, or "none".
func (l *paths) UnmarshalYAML(n *yaml.Node) error {
	*l = paths{}
	if n.Kind == yaml.ScalarNode && n.Value == none {
		return nil
	}
	return n.Decode((*[][]string)(l))
}

type lines []string

// UnmarshalYAML reads one text or a list of them.
func (l *lines) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = lines{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// Read reads a file of scenarios.
func Read(name string, raw []byte) (File, error) {
	var f File
	var err error
	if f.Unread, err = law.Lenient(name, raw, &f); err != nil {
		return f, err
	}
	if err := law.UniqueIDs(name, raw); err != nil {
		return f, err
	}
	at := law.Lines(raw, "cases")
	count := 0
	for _, s := range f.Scenarios {
		for _, c := range s.Cases {
			count++
			if c.ID == "" {
				return f, fault.Newf(fault.Invalid, "%s: a case of scenario %q has no id", name, s.ID)
			}
			if c.Expect.nothing() {
				return f, fault.Newf(fault.Invalid, "%s: line %d: case %s expects nothing; give direct, routes, ask_counsel or reasons_for_no_direct", name, at[c.ID], c.ID)
			}
		}
	}
	if count == 0 {
		return f, fault.Newf(fault.Invalid, "%s: holds no cases", name)
	}
	return f, nil
}

func (e Expect) nothing() bool {
	return e.Direct == nil && e.Routes == nil && e.Conditional == nil && e.AskCounsel == nil && e.Answer == "" && len(e.Reasons)+len(e.Duties)+len(e.Prohibited) == 0
}

// Result is what became of one case.
type Result struct {
	ID       string       `json:"id"`
	Pass     bool         `json:"pass"`
	Differs  []Difference `json:"differs,omitempty"`
	MustShow []string     `json:"must_show,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
	Reasons  []string     `json:"reasons,omitempty"` // expected ones that are for people
	Answer   route.Answer `json:"answer"`
}

// Difference is one list that is not as expected.
type Difference struct {
	What     string `json:"what"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

// Question is the question of a case under the file's limit of hops.
func (f File) Question(c Case) route.Question {
	hops := c.MaxHops
	if hops == 0 {
		hops = f.Meta.MaxHops
	}
	return route.Question{From: c.From, To: c.To, FromIn: c.FromIn, ToIn: c.ToIn, Holds: c.Holds, Wants: c.Wants,
		Purpose: c.Purpose, Facts: c.Facts, AsOf: c.AsOf, MaxHops: hops}
}

// Check asks every question of the file. Questions that cannot be read are an
// error of the file that names each case and its line; the others are answered
// all the same.
func (f File) Check(finder *route.Finder, name string, raw []byte) ([]Result, error) {
	at := law.Lines(raw, "cases")
	var out []Result
	var wrong []string
	for _, s := range f.Scenarios {
		for _, c := range s.Cases {
			_, a, err := law.Ask(finder, f.Question(c))
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: line %d: case %s: %s", name, at[c.ID], c.ID, fault.Sentence(err)))
				continue
			}
			out = append(out, c.compare(a, slices.Concat(s.Note, s.Notes)))
		}
	}
	if wrong != nil {
		return out, fault.New(fault.Invalid, strings.Join(wrong, "\n"))
	}
	return out, nil
}

var prohibition = regexp.MustCompile(`^P-[A-Z0-9-]+`)

func (c Case) compare(a route.Answer, notes []string) Result {
	r := Result{ID: c.ID, Answer: a, MustShow: c.Expect.MustShow,
		Notes: slices.Concat(notes, c.Note, c.Notes, c.Expect.Note, c.Expect.Notes)}
	if e := c.Expect.Answer; e != "" && e != a.Answer {
		r.Differs = append(r.Differs, Difference{"answer", e, a.Answer})
	}
	if e := c.Expect.Direct; e != nil {
		r.set("direct", *e, a.Direct)
	}
	if e := c.Expect.Routes; e != nil {
		r.set("routes", texts(*e), texts(routeIDs(a.Routes)))
	}
	if e := c.Expect.Conditional; e != nil {
		r.set("conditional", texts(*e), texts(routeIDs(a.Conditional)))
	}
	if e := c.Expect.AskCounsel; e != nil {
		r.set("ask_counsel", *e, a.AskCounsel)
	}
	r.within("duties", c.Expect.Duties, dutyIDs(a.Duties))
	r.within("prohibitions", c.Expect.Prohibited, a.Prohibitions)
	for _, reason := range c.Expect.Reasons {
		id := prohibition.FindString(reason)
		if id != "" && !slices.Contains(a.Prohibitions, id) {
			r.Differs = append(r.Differs, Difference{"prohibitions", id, show(a.Prohibitions)})
		}
		if id != reason {
			r.Reasons = append(r.Reasons, reason)
		}
	}
	r.Pass = len(r.Differs) == 0
	return r
}

// set compares two lists as sets.
func (r *Result) set(what string, want, got []string) {
	if w, g := show(want), show(got); w != g {
		r.Differs = append(r.Differs, Difference{what, w, g})
	}
}

// within requires that got has all of want.
func (r *Result) within(what string, want, got []string) {
	for _, id := range want {
		if !slices.Contains(got, id) {
			r.Differs = append(r.Differs, Difference{what, id, show(got)})
		}
	}
}

func dutyIDs(duties []route.Duty) (out []string) {
	for _, d := range duties {
		out = append(out, d.ID)
	}
	return out
}

// show writes a set in one way.
func show(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) == 0 {
		return none
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func texts(routes [][]string) (out []string) {
	for _, r := range routes {
		out = append(out, "["+strings.Join(r, ", ")+"]")
	}
	return out
}

func routeIDs(routes []route.Route) (out [][]string) {
	for _, r := range routes {
		out = append(out, r.IDs)
	}
	return out
}

// Text is the line of a result: PASS S1a, or FAIL S1a with each difference.
func (r Result) Text() string {
	if r.Pass {
		return "PASS " + r.ID
	}
	var parts []string
	for _, d := range r.Differs {
		parts = append(parts, fmt.Sprintf("expected %s %s got %s", d.What, d.Expected, d.Got))
	}
	return "FAIL " + r.ID + " " + strings.Join(parts, "; ")
}
