package estimate

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// What no gate can see: how often, in simulated worlds, the gates pass while
// every interval misses. The table is made by "make study" and is a finding about
// the methods, not about any table that they are given.
//
//go:embed blind.json
var blindTable []byte

// BlindWorlds are the simulated worlds of one spread of visibility, a letter
// each: gates passed and an interval covers (c) or every one misses (m); the
// same with a soft gate failed (C, M); refused (r).
type BlindWorlds struct {
	Spread   float64 `json:"spread"`
	Outcomes string  `json:"outcomes"`
}

// A BlindRow is what the worlds of one spread come to.
type BlindRow struct {
	Spread     float64 `json:"spread"`       // of the log of how easily people are seen
	EasyToHard float64 `json:"easy_to_hard"` // how many times as easily the easiest tenth is seen as the hardest
	Worlds     int     `json:"worlds"`
	Passed     int     `json:"gates_passed"`
	AllMissed  int     `json:"every_interval_missed"` // among those that passed
}

// Blindness is the committed table.
func Blindness() (rows []BlindRow) {
	var worlds []BlindWorlds
	if err := json.Unmarshal(blindTable, &worlds); err != nil {
		panic("estimate: the embedded table is broken: " + err.Error())
	}
	for _, w := range worlds {
		missed := strings.Count(w.Outcomes, "m")
		rows = append(rows, BlindRow{w.Spread, math.Round(10*EasyToHard(w.Spread)) / 10, len(w.Outcomes), missed + strings.Count(w.Outcomes, "c"), missed})
	}
	return rows
}

// EasyToHard is how many times as easily the ninth decile is seen as the first.
func EasyToHard(spread float64) float64 { return math.Exp(2 * spread * normQuantile(0.9)) }

// blindSentence is printed with every estimate.
func blindSentence(rows []BlindRow) string {
	var parts []string
	for _, r := range rows {
		who := "everybody is seen alike"
		if r.Spread > 0 {
			who = fmt.Sprintf("some are seen %.0f times as easily as others (spread %.1f)", r.EasyToHard, r.Spread)
		}
		share := "no world passed"
		if r.Passed > 0 {
			share = fmt.Sprintf("%.0f %% of those that passed", 100*float64(r.AllMissed)/float64(r.Passed))
		}
		parts = append(parts, fmt.Sprintf("%s where %s", share, who))
	}
	return "In simulated worlds the gates passed while every interval missed the truth in " + strings.Join(parts, ", ") +
		". Which of these worlds a table is from, the table cannot show."
}
