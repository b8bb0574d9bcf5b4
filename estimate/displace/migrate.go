package displace

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Flows are the tokens seen at each venue before, by where they were seen after.
// "gone" is not seen again in the window, which a new selector looks like too;
// the row "new" is who was not seen before.
type Flows struct {
	Venues []string                      `json:"venues"` // the first is the one that was taken down
	Matrix map[string]map[string]float64 `json:"before_after"`
}

const (
	gone  = "gone"
	fresh = "new"
)

// Migration is what the flows say of the first venue. Controls are the others.
type Migration struct {
	Venue            string             `json:"venue"`
	Total            float64            `json:"total"`
	DisplacementRate float64            `json:"displacement_rate"` // share seen at another venue
	ExitRate         float64            `json:"exit_rate"`         // share not seen again: same-selector exit, not desistance
	DestinationShare map[string]float64 `json:"destination_share"`
	HHI              float64            `json:"HHI_destinations"` // 1 where one venue takes all
	ControlChurn     map[string]float64 `json:"control_churn"`    // share that left each control
	ControlExit      map[string]float64 `json:"control_exit"`
	PooledExit       float64            `json:"pooled_control_exit"`
	ExcessExit       float64            `json:"excess_exit"`
	ExcessExitSE     float64            `json:"excess_exit_se"`
	ExcessMoved      float64            `json:"excess_displacement"`
	ExcessMovedSE    float64            `json:"excess_displacement_se"`
}

// Migrate compares the venue that was taken down with the venues that were not.
func Migrate(in Flows) (Migration, error) {
	if len(in.Venues) == 0 {
		return Migration{}, errors.New("venues is empty; name the venue that was taken down first")
	}
	// A venue's label may carry a remark in parentheses after its key.
	venue, _, _ := strings.Cut(in.Venues[0], "(")
	venue = strings.TrimSpace(venue)
	row, ok := in.Matrix[venue]
	if !ok {
		return Migration{}, fmt.Errorf("before_after has no row for %q", venue)
	}
	for from, r := range in.Matrix {
		for to, n := range r {
			if !(n >= 0 && n <= maxEvents) || n != math.Trunc(n) {
				return Migration{}, fmt.Errorf("the flow from %s to %s is %g, which is no count; give whole numbers of 0 or more", from, to, n)
			}
		}
	}
	m := Migration{Venue: venue, DestinationShare: map[string]float64{}, ControlChurn: map[string]float64{}, ControlExit: map[string]float64{}}
	var moved float64
	m.Total, moved = totals(venue, row)
	if m.Total == 0 {
		return Migration{}, fmt.Errorf("nobody was seen at %q before", venue)
	}
	m.DisplacementRate, m.ExitRate = moved/m.Total, row[gone]/m.Total
	for _, to := range keys(row) {
		if to != venue && to != gone && moved > 0 {
			m.DestinationShare[to] = row[to] / moved
			m.HHI += m.DestinationShare[to] * m.DestinationShare[to]
		}
	}
	return m, m.compare(in)
}

// compare sets the excess over the pooled controls.
func (m *Migration) compare(in Flows) error {
	var all, left, went float64
	for _, from := range keys(in.Matrix) {
		if from == m.Venue || from == fresh {
			continue
		}
		n, moved := totals(from, in.Matrix[from])
		if n == 0 {
			continue
		}
		m.ControlChurn[from] = (moved + in.Matrix[from][gone]) / n
		m.ControlExit[from] = in.Matrix[from][gone] / n
		all, left, went = all+n, left+in.Matrix[from][gone], went+moved
	}
	if all == 0 {
		return errors.New("before_after has no control venue with anybody in it; without one, ordinary churn would count as displacement")
	}
	m.PooledExit = left / all
	m.ExcessExit, m.ExcessExitSE = excess(m.ExitRate, m.Total, m.PooledExit, all)
	m.ExcessMoved, m.ExcessMovedSE = excess(m.DisplacementRate, m.Total, went/all, all)
	return nil
}

func excess(p, n, q, m float64) (diff, se float64) {
	return p - q, math.Sqrt(p*(1-p)/n + q*(1-q)/m)
}

// totals counts a row, and in it who was seen at another venue.
func totals(venue string, row map[string]float64) (all, moved float64) {
	for _, to := range keys(row) {
		all += row[to]
		if to != venue && to != gone {
			moved += row[to]
		}
	}
	return all, moved
}

// keys are in order, so that sums come out the same on every run.
func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Flat gives the result under the keys of the example file: one key for each
// venue's total and each control's churn and exit.
func (m Migration) Flat() map[string]any {
	out := map[string]any{
		m.Venue + "_total": m.Total, "displacement_rate": m.DisplacementRate, "exit_rate": m.ExitRate,
		"destination_share": m.DestinationShare, "HHI_destinations": m.HHI, "pooled_control_exit": m.PooledExit,
		"excess_exit": m.ExcessExit, "excess_exit_se": m.ExcessExitSE,
		"excess_displacement": m.ExcessMoved, "excess_displacement_se": m.ExcessMovedSE,
	}
	for v, churn := range m.ControlChurn {
		out["control_churn_"+v], out["control_exit_"+v] = churn, m.ControlExit[v]
	}
	return out
}
