package card

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/due"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// A Query is a question as an address or a form carries it.
type Query struct {
	Question route.Question
	Started  string // when the clock of a duty began, local; may be empty
	Place    string
	Urgent   bool
}

// Asked reports whether an address asks anything.
func Asked(v url.Values) bool {
	return v.Get("from") != "" || v.Get("to") != "" || v.Get("wants") != ""
}

// Read reads a question from an address; today is asked about where it says
// nothing.
func Read(v url.Values, today string) Query {
	q := Query{Question: route.Question{From: get(v, "from"), To: get(v, "to"), FromIn: get(v, "from_in"), ToIn: get(v, "to_in"),
		Holds: list(v, "holds"), Wants: get(v, "wants"), Purpose: get(v, "purpose"), Facts: list(v, "facts"), AsOf: get(v, "as_of")},
		Started: get(v, "started"), Place: get(v, "place"), Urgent: get(v, "urgent") != ""}
	if q.Question.AsOf == "" {
		q.Question.AsOf = today
	}
	return q
}

func get(v url.Values, name string) string { return strings.TrimSpace(v.Get(name)) }

// list reads values that are given several times, or once with commas.
func list(v url.Values, name string) []string {
	out := []string{}
	for _, s := range v[name] {
		for _, x := range strings.Split(s, ",") {
			if x = strings.TrimSpace(x); x != "" && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

// Values is the question as an address carries it.
func (q Query) Values() url.Values {
	v := url.Values{}
	put := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	put("from", q.Question.From)
	put("to", q.Question.To)
	put("holds", strings.Join(q.Question.Holds, ","))
	put("wants", q.Question.Wants)
	put("purpose", q.Question.Purpose)
	put("facts", strings.Join(q.Question.Facts, ","))
	put("as_of", q.Question.AsOf)
	put("from_in", q.Question.FromIn)
	put("to_in", q.Question.ToIn)
	put("started", q.Started)
	put("place", q.Place)
	if q.Urgent {
		v.Set("urgent", "yes")
	}
	return v
}

// with is the question with one fact said to hold, not to hold, or not known.
func (q Query) with(fact, say string) Query {
	facts := slices.DeleteFunc(slices.Clone(q.Question.Facts), func(f string) bool { return strings.TrimPrefix(f, "not:") == fact })
	switch say {
	case "yes":
		facts = append(facts, fact)
	case "no":
		facts = append(facts, "not:"+fact)
	}
	q.Question.Facts = facts
	return q
}

// Start is when the clock of the duties began; zero where nobody says.
func Start(started, place string) (time.Time, error) {
	if started == "" {
		return time.Time{}, nil
	}
	zone, err := due.Zone(place)
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, started, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.Newf(fault.Invalid, "%q is no time; write 2026-11-23 or 2026-11-23T14:30", started)
}

// An Answered is a question with everything that a card shows.
type Answered struct {
	Query     Query
	Asked     route.Question // with public bodies resolved
	Answer    route.Answer
	Deadlines []Deadline
}

// Ask answers a question from the law data. Anything wrong with it is said at
// once, and is the reader's to mend.
func Ask(data law.Deployed, q Query) (Answered, error) {
	x := Answered{Query: q}
	start, timeErr := Start(q.Started, q.Place)
	var err error
	if x.Asked, x.Answer, err = law.Ask(data.Finder, q.Question); err != nil {
		if timeErr != nil {
			return x, fault.New(fault.Invalid, fault.Sentence(err)+"; "+fault.Sentence(timeErr))
		}
		return x, err
	}
	if timeErr != nil {
		return x, timeErr
	}
	x.Deadlines, err = Deadlines(x.Answer, start, q.Place, q.Urgent)
	return x, err
}
