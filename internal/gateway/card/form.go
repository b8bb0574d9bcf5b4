package card

import (
	"maps"
	"slices"
	"strings"

	"parallax/internal/gateway/due"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/web"
)

// Words is a code as a person reads it.
func Words(code string) string { return strings.ReplaceAll(code, "_", " ") }

func options(codes map[string]string) []web.Option {
	var out []web.Option
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		out = append(out, web.Option{Value: c, Label: c + ": " + codes[c]})
	}
	return out
}

// Bodies are the organisations to choose from: kinds first, then public bodies.
func Bodies(f *route.Finder) []web.Option {
	out := options(f.Law().Vocabulary.Actors)
	all, err := law.Organisations()
	if err != nil {
		return out // the built-in list is read in tests; without it kinds are left
	}
	for _, o := range all {
		out = append(out, web.Option{Value: o.ID, Label: o.Name + " [" + o.Actor + "]"})
	}
	return out
}

func plain(values []string, none string) []web.Option {
	out := []web.Option{{Value: "", Label: none}}
	for _, v := range values {
		out = append(out, web.Option{Value: v, Label: Words(v)})
	}
	return out
}

// Form asks the question again, with what was asked filled in. It works without
// the script: everything goes in the address.
func Form(data law.Deployed, q Query, action string) web.Form {
	v := data.Finder.Law().Vocabulary
	states := data.Finder.States()
	holds := []web.Option{}
	for _, c := range slices.Sorted(maps.Keys(v.Data)) {
		holds = append(holds, web.Option{Value: c, Label: Words(c), Help: v.Data[c]})
	}
	urgent := ""
	if q.Urgent {
		urgent = "yes"
	}
	first := func(list []web.Option, label string) []web.Option {
		return append([]web.Option{{Value: "", Label: label}}, list...)
	}
	return web.Form{ID: "question", Label: "The question", Action: action, Get: true, Submit: "Answer", Fields: []web.Field{
		{Kind: web.FieldChoice, Name: "from", Label: "Who would give it?", Value: q.Question.From, Options: first(Bodies(data.Finder), "Choose")},
		{Kind: web.FieldChoice, Name: "to", Label: "Who would receive it?", Value: q.Question.To, Options: first(Bodies(data.Finder), "Choose")},
		{Kind: web.FieldChoice, Name: "wants", Label: "What should they get?", Value: q.Question.Wants, Options: first(options(v.Data), "Choose")},
		{Kind: web.FieldChoice, Name: "purpose", Label: "What for?", Value: q.Question.Purpose, Options: plain(v.Purposes, "Choose")},
		{Kind: web.FieldDate, Name: "as_of", Label: "On which day?", Value: q.Question.AsOf, Help: "Law is answered for this day, both ends of its dates included."},
		{Name: "facts", Label: "What is known?", Value: strings.Join(q.Question.Facts, ", "), Optional: true, MaxLength: 2000,
			Help: "Codes of facts that hold, with commas; not:code for one that does not. The answer lists those that would change it, to choose from. What is left out is not known."},
		{Kind: web.FieldChecks, Name: "holds", Label: "What does the giver hold?", Values: q.Question.Holds, Options: holds, Optional: true,
			Help: "For a public body its public role is taken if you tick nothing."},
		{Name: "started", Label: "When did the clock start?", Value: q.Started, Optional: true, MaxLength: 20, Help: "For the deadline: when the suspicion was formed, or the fact became known, as 2026-11-23T14:30 local time."},
		{Kind: web.FieldChoice, Name: "place", Label: "Whose public holidays count?", Value: q.Place, Options: plain(due.Places(), "National ones only"), Optional: true},
		{Kind: web.FieldCheck, Name: "urgent", Label: "The graver case: terrorism financing is suspected", Value: urgent, Optional: true},
		{Kind: web.FieldChoice, Name: "from_in", Label: "State of the giver", Value: q.Question.FromIn, Options: plain(states, "Not said"), Optional: true},
		{Kind: web.FieldChoice, Name: "to_in", Label: "State of the recipient", Value: q.Question.ToIn, Options: plain(states, "Not said"), Optional: true},
	}}
}
