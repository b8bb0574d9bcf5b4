package card

import (
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
)

// problems are what is wrong with a question, each at its field where one can be
// told.
func problems(err error) []web.Problem {
	var out []web.Problem
	for _, s := range strings.Split(fault.Sentence(err), "; ") {
		if strings.HasPrefix(s, "nearest: ") && out != nil {
			out[len(out)-1].Sentence += "; " + s
			continue
		}
		out = append(out, web.Problem{Field: fieldOf(s), Sentence: s})
	}
	return out
}

// fieldOf is the field that a sentence is about; "" where none is named.
func fieldOf(s string) string {
	for _, f := range []struct{ begins, field string }{{"organisation", "from"}, {"the giver and the recipient", "to"}, {"data category", "wants"}, {"purpose", "purpose"},
		{"fact", "facts"}, {"as-of", "as_of"}, {"state", "place"}, {"the question says of no data", "holds"}} {
		if strings.HasPrefix(s, f.begins) {
			return f.field
		}
	}
	return ""
}
