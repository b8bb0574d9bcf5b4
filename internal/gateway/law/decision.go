package law

import (
	"slices"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/permit"
	"parallax/internal/gateway/route"
)

// What flows of the pool's own a decision can be about.
const (
	FlowContribution = "contribution" // a member gives blinded observations to the pool
	FlowOpening      = "opening"      // sealed observations become readable to the authority
	FlowReferral     = "referral"     // the authority hands a lead, or a part of it, to somebody
	FlowExport       = "export"       // material leaves as a file
	FlowRelease      = "release"      // an outcome goes back to those who contributed
)

// Flows lists them.
func Flows() []string {
	return []string{FlowContribution, FlowOpening, FlowReferral, FlowExport, FlowRelease}
}

// A Decision is a standing answer that counsel sign together with the rows that
// it rests on: this kind of flow, between these bodies, under this route, given
// facts that counsel assert. Its id is what each such flow carries.
type Decision struct {
	ID        string   `yaml:"id" json:"id"`
	Flow      string   `yaml:"flow" json:"flow"`
	From      string   `yaml:"from" json:"from"`
	To        string   `yaml:"to" json:"to"`
	FromIn    string   `yaml:"from_in,omitempty" json:"from_in,omitempty"`
	ToIn      string   `yaml:"to_in,omitempty" json:"to_in,omitempty"`
	Holds     []string `yaml:"holds,flow" json:"holds"`
	Wants     string   `yaml:"wants" json:"wants"`
	Purpose   string   `yaml:"purpose" json:"purpose"`
	Facts     []string `yaml:"facts,flow" json:"facts"`
	FactsBy   string   `yaml:"facts_by" json:"facts_by"`                       // who asserts the facts, in words
	Route     []string `yaml:"route,flow" json:"route"`                        // row ids in order
	Recipient string   `yaml:"recipient,omitempty" json:"recipient,omitempty"` // the one organisation that may receive; empty: any of its kind
	Note      string   `yaml:"note,omitempty" json:"note,omitempty"`           // for people
	AllowSMR  bool     `yaml:"allow_smr,omitempty" json:"allow_smr,omitempty"` // the recipient may hold what stems from a report of suspicion
}

// Question is what the decision answers, on a day.
func (d Decision) Question(day string) route.Question {
	return route.Question{From: d.From, To: d.To, FromIn: d.FromIn, ToIn: d.ToIn, Holds: d.Holds, Wants: d.Wants,
		Purpose: d.Purpose, Facts: d.Facts, AsOf: day}
}

// Check asks finder and Cedar whether the decision carries on a day.
func (d Decision) Check(f *route.Finder, day string) (route.Route, error) {
	r, err := permit.Check(f, d.Question(day), d.Route)
	if err != nil {
		return r, fault.Newf(fault.Forbidden, "The gateway refuses %s: %s", d.ID, strings.TrimPrefix(fault.Sentence(err), "The gateway refuses: "))
	}
	return r, nil
}

// checkDecisions refuses decisions that cannot be told apart or say too little;
// whether they carry depends on the day and is asked at each use.
func checkDecisions(list []Decision) error {
	seen := map[string]bool{}
	for _, d := range list {
		switch {
		case d.ID == "" || seen[d.ID]:
			return fault.Newf(fault.Invalid, "decision %q: an id is given once and is not empty", d.ID)
		case !slices.Contains(Flows(), d.Flow):
			return fault.New(fault.Invalid, "decision "+d.ID+": "+route.Unknown("flow", d.Flow, Flows()))
		case len(d.Route) == 0 || strings.TrimSpace(d.FactsBy) == "":
			return fault.Newf(fault.Invalid, "decision %s: it names its route and, under facts_by, who asserts its facts", d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}
