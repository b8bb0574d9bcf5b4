package desk

import (
	"strings"

	"parallax/internal/web"
)

// blocks says under which answer of the member's counsel a submission goes.
func (l LawState) blocks() web.Section {
	to := l.To
	if to == "" {
		to = "another version"
	}
	return web.Section{ID: "gateway", Title: "Under which law", Body: []any{web.Facts{
		{Label: "Decision of the gateway", Value: web.Cell{Text: l.Decision, Code: true, Note: l.Actor + " to the pool under " + strings.Join(l.Route, ", then ")}},
		{Label: "Facts", Value: web.Cell{Text: strings.Join(l.Facts, ", "), Note: "asserted by " + l.FactsBy}},
		{Label: "Signed by", Value: web.Cell{Text: strings.Join(l.SignedBy, " and "), Note: "effective " + l.From + " to " + to}},
		{Label: "Law data", Value: web.Cell{Text: l.Version, Note: l.Review}}}}}
}
