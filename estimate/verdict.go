package estimate

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Limits of the gates. They are a proposal for a statistics board to set, not a
// standard.
const (
	minLists     = 3
	minRepeats   = 30
	minLink      = 0.7
	maxAuditDays = 365
	maxRatio     = 3
)

// softGates are those whose failure still leaves the range worth showing.
var softGates = []string{"linkage_audit", "internal_consistency"}

// conclude sets range, gates, verdict and what the reader is told.
func (p *panel) conclude() {
	p.setRange()
	p.r.AtLeast = p.least()
	p.r.Gates = p.gates()
	hard, soft := false, false
	for _, g := range p.r.Gates {
		if g.Passed {
			continue
		}
		p.r.Reasons = append(p.r.Reasons, g.Name+": "+g.Detail)
		if slices.Contains(softGates, g.Name) {
			soft = true
		} else {
			hard = true
		}
	}
	switch {
	case hard:
		p.r.Verdict = Refuse
		p.r.Headline = fmt.Sprintf("No defensible estimate: at least %d.", p.r.AtLeast)
	case soft:
		p.r.Verdict = RangeOnly
	default:
		p.r.Verdict = Publish
	}
	if !hard {
		p.r.Headline = fmt.Sprintf("Between %s and %s, possibly a lower bound; %d %s seen.", rounded(p.r.Range[0], math.Floor), rounded(p.r.Range[1], math.Ceil), p.r.N, p.seen())
	}
	if !hard {
		p.r.Mixture = mix(p.admissible(), float64(p.r.AtLeast))
	}
	p.warn()
}

// seen says what the table counts: people only where every link is found.
func (p *panel) seen() string {
	if p.o.Carry == nil {
		return "were"
	}
	return "records of them, linked and not, were"
}

// least is how many there are at the very least. Records are people only where
// every link is found; otherwise the largest list alone is sure.
func (p *panel) least() (n int) {
	if p.o.Carry == nil {
		return p.r.N
	}
	for j := range p.t.Lists {
		n = max(n, p.t.On(1<<j))
	}
	return n
}

// rounded keeps two figures, rounding outward.
func rounded(v float64, way func(float64) float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(max(v, 10)))-1)
	return fmt.Sprintf("%.0f", way(v/unit)*unit)
}

// admissible are the members that make the range.
func (p *panel) admissible() (out []Member) {
	for _, m := range p.r.Panel {
		if m.Estimate == nil || m.Method == "chao_mth" || m.Method == "chapman" && p.t.K() > 2 {
			continue
		}
		out = append(out, m)
	}
	return out
}

func (p *panel) setRange() {
	for _, m := range p.admissible() {
		v := *m.Estimate
		if p.r.Range == nil {
			p.r.Range = []float64{v, v}
		}
		p.r.Range[0], p.r.Range[1] = min(p.r.Range[0], v), max(p.r.Range[1], v)
		seen := float64(p.r.N)
		if p.o.Carry != nil {
			seen = v - m.unseen
		}
		if m.Method != "chapman" {
			p.r.Sensitivity = append(p.r.Sensitivity, SensitiveTo{m.Method, Sensitivities(seen, v)})
		}
	}
}

func (p *panel) gates() []Gate {
	return append(p.dataGates(), p.panelGates()...)
}

// dataGates look at the table alone.
func (p *panel) dataGates() []Gate {
	t := p.t
	var lonely []string
	for j, name := range t.Lists {
		overlaps := slices.ContainsFunc(t.Cells, func(c Cell) bool { return c.History>>j&1 == 1 && onLists(c.History) > 1 })
		if !overlaps {
			lonely = append(lonely, name)
		}
	}
	overlap := Gate{"overlap", len(lonely) == 0, "every list shares records with another"}
	if len(lonely) > 0 {
		overlap.Detail = "these lists share nobody with any other: " + strings.Join(lonely, ", ")
	}
	good, consistent := Consistent(p.r.Consistency)
	untouched := Gate{"untouched", !t.Noised, "the counts are as they were observed"}
	if t.Noised {
		untouched.Detail = "the counts carry privacy noise, which destroys the overlaps that an estimate lives on; estimate from the counts inside, then release the result"
	}
	return []Gate{
		untouched,
		{"lists", t.K() >= minLists, fmt.Sprintf("%d lists; at least %d are needed", t.K(), minLists)},
		overlap,
		{"triples", t.OnAtLeast(3) > 0, fmt.Sprintf("%d records stand on three lists or more; at least one is needed", t.OnAtLeast(3))},
		{"repeats", t.OnAtLeast(2) >= minRepeats, fmt.Sprintf("%d records stand on two lists or more; at least %d are needed", t.OnAtLeast(2), minRepeats)},
		p.auditGate(),
		{"internal_consistency", consistent, fmt.Sprintf("the known size of %d of %d lists is met within half by the others; most must be", good, t.K())},
	}
}

func (p *panel) auditGate() Gate {
	a := p.o.Audit
	if a == nil {
		return Gate{"linkage_audit", false, "no audit of the links was given; missed links make every estimate too high"}
	}
	return Gate{"linkage_audit", a.AgeDays >= 0 && a.AgeDays <= maxAuditDays && a.Low >= minLink,
		fmt.Sprintf("audited %d days ago with a lower limit of %.2f; at most %d days and at least %.1f are needed", a.AgeDays, a.Low, maxAuditDays, minLink)}
}

// panelGates look at the members.
func (p *panel) panelGates() []Gate {
	var unsound, methods []string
	for _, m := range p.r.Panel {
		if m.unsound {
			unsound = append(unsound, m.Method)
		}
	}
	for _, m := range p.admissible() {
		if !slices.Contains(methods, m.Method) {
			methods = append(methods, m.Method)
		}
	}
	existence := Gate{"existence", len(unsound) == 0, "every reported model has an estimate, and one only"}
	if len(unsound) > 0 {
		existence.Detail = "no estimate exists, or more than one fits, for " + strings.Join(unsound, ", ")
	}
	agreement := Gate{"agreement", false, "no admissible member"}
	if p.r.Range != nil {
		ratio := p.r.Range[1] / p.r.Range[0]
		agreement = Gate{"agreement", ratio <= maxRatio, fmt.Sprintf("the highest estimate is %.2f times the lowest; at most %d", ratio, maxRatio)}
	}
	return []Gate{existence,
		{"panel", len(methods) >= 2, fmt.Sprintf("%d admissible methods; one number is no panel, so at least two are needed", len(methods))},
		agreement}
}

// warn states what holds however well the gates pass.
func (p *panel) warn() {
	p.r.Blindness = Blindness()
	p.r.Warnings = append(p.r.Warnings,
		LowerBound+" "+blindSentence(p.r.Blindness),
		"The estimate counts what the lists could hold (selectors in a window), not offenders and not victims.",
		"Referrals between lists look like overlap and make every estimate too low; take out records that came from another list.")
	if p.r.Trap != nil {
		p.r.Warnings = append(p.r.Warnings, "Trap response: "+p.r.Trap.Reading+".")
	}
	if p.o.Carry == nil {
		p.r.Warnings = append(p.r.Warnings, "Links are taken as perfect; missed links make every estimate too high.")
	}
}
