package estimate

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// LowerBound goes with every estimate.
const LowerBound = "Possibly a lower bound: where some people are never easy to see, every method can agree and be too low, and one table cannot show it."

// What no gate can see: how often, in simulated worlds, the gates pass while
// every interval misses. The table is made by "make study" and is a finding about
// the methods, not about any table that they are given.
//
//go:embed blind.json
var blindTable []byte

// BlindWorlds are the simulated worlds of one kind of people, a letter each:
// gates passed and an interval covers (c) or every one misses (m); the same with
// a soft gate failed (C, M); refused (r).
type BlindWorlds struct {
	Spread   float64 `json:"spread"`
	Seldom   float64 `json:"seldom"`
	Outcomes string  `json:"outcomes"`
}

// A BlindRow is what the worlds of one kind come to.
type BlindRow struct {
	Spread    float64 `json:"spread"` // standard deviation of the log of how easily people are seen
	Seldom    float64 `json:"seldom"` // share of people who are seen a tenth as easily as the rest
	Worlds    int     `json:"worlds"`
	Passed    int     `json:"gates_passed"`
	AllMissed int     `json:"every_interval_missed"` // among those that passed
}

// Who says in words what kind of people a row has.
func (r BlindRow) Who() string {
	switch {
	case r.Spread > 0:
		return fmt.Sprintf("the easiest tenth are seen %.0f times as easily as the hardest (spread %.1f)", EasyToHard(r.Spread), r.Spread)
	case r.Seldom > 0:
		return fmt.Sprintf("%.0f %% are seen a tenth as easily as the rest", 100*r.Seldom)
	}
	return "everybody is seen alike"
}

// Blindness is the committed table.
func Blindness() (rows []BlindRow) {
	var worlds []BlindWorlds
	if err := json.Unmarshal(blindTable, &worlds); err != nil {
		panic("estimate: the embedded table is broken: " + err.Error())
	}
	for _, w := range worlds {
		missed := strings.Count(w.Outcomes, "m")
		rows = append(rows, BlindRow{w.Spread, w.Seldom, len(w.Outcomes), missed + strings.Count(w.Outcomes, "c"), missed})
	}
	return rows
}

// EasyToHard is how many times as easily the ninth decile is seen as the first.
func EasyToHard(spread float64) float64 { return math.Exp(2 * spread * normQuantile(0.9)) }

// BlindShort says how often the gates pass while every interval misses, from the
// best to the worst kind of people, where there is no room for the whole table.
func BlindShort() string {
	share := func(r BlindRow) float64 { return 100 * float64(r.AllMissed) / float64(max(r.Passed, 1)) }
	rows := Blindness()
	worst := slices.MaxFunc(rows, func(a, b BlindRow) int { return cmp.Compare(share(a), share(b)) })
	return fmt.Sprintf("Of simulated worlds whose gates passed, every interval missed the truth in %.0f %% where %s, and in up to %.0f %%, where %s.", share(rows[0]), rows[0].Who(), share(worst), worst.Who())
}

// blindSentence is printed with every estimate.
func blindSentence(rows []BlindRow) string {
	var parts []string
	for _, r := range rows {
		if r.Passed > 0 {
			parts = append(parts, fmt.Sprintf("%.0f %% where %s", 100*float64(r.AllMissed)/float64(r.Passed), r.Who()))
		}
	}
	return "Of simulated worlds whose gates passed, every interval missed the truth in " + strings.Join(parts, "; ") +
		". Which of these a table is from, the table cannot show."
}
