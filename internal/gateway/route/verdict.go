package route

import (
	"fmt"
	"slices"
	"strings"
)

// standing is how a row stands to a question, before any route is looked for.
type standing uint8

const (
	usable    standing = iota // in force and no need is false; unknown needs are unmet
	uncertain                 // only counsel can say
	shut                      // not usable, for the reason given
)

// verdict is what a question makes of one row.
type verdict struct {
	standing standing
	unmet    set      // needed facts that are unknown
	confirm  []string // facts that would switch the row off and are unknown
	why      string   // of a shut row
	silent   bool     // a shut row that is about something else and gives no reason
}

// judge evaluates a row for a question: purpose, status, dates, facts. The
// bodies and their states are looked at hop by hop.
func (f *Finder) judge(e *edge, q *asked) verdict {
	if !e.purposes[q.Purpose] {
		return verdict{standing: shut, silent: true}
	}
	if why := timing(e.row, q.AsOf); why != "" {
		return verdict{standing: shut, why: e.row.ID + " " + why}
	}
	if on := e.unless.and(q.yes); !on.empty() {
		return verdict{standing: shut, why: fmt.Sprintf("%s is switched off because %s", e.row.ID, f.meanings(f.facts.list(on)))}
	}
	v := verdict{confirm: f.facts.list(e.unless.minus(q.no))}
	if e.row.Status == Uncertain {
		v.standing = uncertain
		return v
	}
	if no := e.needs.and(q.no); !no.empty() {
		return verdict{standing: shut, why: fmt.Sprintf("%s needs %s, which is said not to hold", e.row.ID, strings.Join(f.facts.list(no), ", "))}
	}
	v.unmet = e.needs.minus(q.yes)
	return v
}

// timing says why a row does not count on a date, or "".
func timing(g *Gateway, on string) string {
	switch {
	case g.Status == Proposed:
		return "is only proposed on the data available"
	case g.Status == NotCommenced && g.ValidFrom != "":
		return "has not commenced on the data available (expected " + g.ValidFrom + ")"
	case g.Status == NotCommenced:
		return "has not commenced on the data available"
	case g.ValidFrom != "" && g.ValidTo != "" && g.ValidFrom > g.ValidTo:
		return "was never in force"
	case g.ValidFrom != "" && on < g.ValidFrom:
		return "starts " + g.ValidFrom
	case g.ValidTo != "" && on > g.ValidTo && g.Status == Lapsed:
		return "lapsed " + g.ValidTo
	case g.ValidTo != "" && on > g.ValidTo && g.Status == Repealed:
		return "was repealed, last day " + g.ValidTo
	case g.ValidTo != "" && on > g.ValidTo:
		return "ended " + g.ValidTo
	}
	return ""
}

func (f *Finder) meanings(facts []string) string {
	var out []string
	for _, n := range facts {
		out = append(out, fmt.Sprintf("%s holds (%s)", n, f.law.Vocabulary.Facts[n]))
	}
	return strings.Join(out, " and ")
}

// inStates says whether two bodies may use a state row: yes, no, or not known
// (open). A state row is about bodies in one and the same of its states.
func (e *edge) inStates(from, to string) (ok, open bool) {
	if len(e.fromIn) == 0 {
		return true, false
	}
	possible := slices.ContainsFunc(e.fromIn, func(s string) bool {
		return slices.Contains(e.toIn, s) && (from == "" || from == s) && (to == "" || to == s)
	})
	return possible, from == "" || to == ""
}
