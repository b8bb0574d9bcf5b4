package sim

import (
	"parallax/internal/fault"
	"parallax/opening"
)

// A Ref names a row of an export, as an opened payload does.
type Ref struct {
	Organisation string `json:"organisation"`
	Reference    string `json:"reference"`
}

// Subject is whom a row is about; only a scorer may ask.
func (d *Data) Subject(r Ref) (string, bool) {
	s, ok := d.Truth.subjects[rowKey(r.Organisation, r.Reference)]
	return s, ok
}

// Opened is what a real pool's openings come to against the truth.
type Opened struct {
	Pool  float64 // share of actors about whom an observation was opened
	Joint float64 // share of actors who are an own case somewhere, or opened
	// FalseLeadsPerMillion counts innocent people; planted subjects are neither.
	FalseLeadsPerMillion float64
}

// ScoreOpened scores the rows that a real pool opened.
func (d *Data) ScoreOpened(rows []Ref) (Opened, error) {
	found := make(map[string]bool)
	for _, r := range rows {
		subject, ok := d.Subject(r)
		if !ok {
			return Opened{}, fault.Newf(fault.Invalid, "Row %s of %s was opened, but the truth file does not know it.", r.Reference, r.Organisation)
		}
		found[subject] = true
	}
	all, _, _ := d.entries()
	t := newTally(d.Truth)
	union := d.singles(all, t, &Score{})
	return Opened{Pool: t.recall(found), Joint: t.recall(union, found), FalseLeadsPerMillion: t.falsePerMillion(found)}, nil
}

// Leads groups the rows that open under the default rule as a pool would, by
// the cluster that links them. Each group is in the order of the exports.
func (d *Data) Leads() [][]Ref {
	all, _, _ := d.entries()
	var lawful []entry
	var refs []Ref
	at := 0
	for _, o := range organisations {
		for _, row := range d.Rows[o.ID] {
			if e := all[at]; !e.closed {
				lawful = append(lawful, e)
				refs = append(refs, Ref{o.ID, row.Reference})
			}
			at++
		}
	}
	rule := opening.DefaultRule()
	p := newPool(lawful)
	root := p.clusters(rule)
	group := make(map[int]int)
	var out [][]Ref
	for _, i := range p.open(rule) {
		g, ok := group[root[i]]
		if !ok {
			g = len(out)
			group[root[i]] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], refs[i])
	}
	return out
}
