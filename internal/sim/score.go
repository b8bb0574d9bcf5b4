package sim

import (
	"fmt"
	"io"
	"sort"

	"parallax/opening"
)

// Recall is the share of all simulated offenders that each way of working
// finds. An own case needs Params.CaseAt points in one organisation's rows on
// one actor, joined with the truth, which favours the single organisations. A
// pool finds an actor when an observation about them opens under the rule.
type Recall struct {
	BestSingle          float64 `json:"best_single"`
	Union               float64 `json:"union"` // any single organisation: what silos already achieve
	Joint               float64 `json:"joint"` // union, or the pool under the default rule
	JointPerfectLinkage float64 `json:"joint_perfect_linkage"`
	Pool                float64 `json:"pool"` // default rule alone
	JointTwoEntities    float64 `json:"joint_two_entities"`
	JointFullClosure    float64 `json:"joint_full_closure"`
	// JointOwnOnly leaves out the copies that one member referred to another.
	JointOwnOnly float64 `json:"joint_without_referrals"`
}

// A MemberRecall is what one organisation finds alone.
type MemberRecall struct {
	Organisation string  `json:"organisation"`
	Sector       string  `json:"sector"`
	Rows         int     `json:"rows"`
	Recall       float64 `json:"recall"`
}

// FalseLeads are innocent people about whom an observation opens, per million
// innocent people.
type FalseLeads struct {
	Joint               float64 `json:"joint"`
	JointTwoEntities    float64 `json:"joint_two_entities"`
	JointFullClosure    float64 `json:"joint_full_closure"`
	JointPerfectLinkage float64 `json:"joint_perfect_linkage"`
	AnySingle           float64 `json:"any_single"` // own cases on innocent people
}

// A Score is what the scorer prints.
type Score struct {
	Seed          uint64 `json:"seed"`
	Actors        int    `json:"actors"`
	Organisations int    `json:"organisations"`
	// HazardScale and Reuse are those of the world: 1 and 0.6 by default.
	HazardScale  float64 `json:"hazard_scale"`
	Reuse        float64 `json:"reuse"`
	Observations int     `json:"observations"` // rows that the law lets into the pool
	Selectors    int     `json:"selectors"`    // distinct canonical forms
	Dropped      int     `json:"dropped_cells"`
	Innocents    int     `json:"innocents"`
	// Seen is the share of actors about whom any organisation holds any row:
	// the ceiling of every way of linking.
	Seen       float64 `json:"seen_by_any"`
	LeadsReady int     `json:"leads_ready"` // groups of linked observations of which one opens; the planted one included
	Recall     Recall  `json:"recall"`
	// FalseLeadsPerMillion is of the default rule; FalseLeads has all.
	FalseLeadsPerMillion float64    `json:"false_leads_per_million"`
	FalseLeads           FalseLeads `json:"false_leads"`
	// NotFromPayments is the share of actors with a lead who would have none on
	// payment evidence alone, even were sectors, kinds and the non-payment
	// condition waived.
	NotFromPayments float64 `json:"impossible_on_payments_alone"`
	// MedianDays from the first evidence about an actor to the first day on
	// which the default rule holds over what was submitted; -1 without leads.
	MedianDays float64        `json:"median_days_to_lead"`
	Members    []MemberRecall `json:"members"`
	Withdraw   []Withdrawal   `json:"withdraw"`
}

// ScoreDir scores a directory that Write filled.
func ScoreDir(dir string) (Score, error) {
	d, err := Load(dir)
	if err != nil {
		return Score{}, err
	}
	return d.Score(), nil
}

// Score scores a world without files.
func (w *World) Score() Score {
	d := &Data{Rows: w.Rows, Truth: Truth{Params: w.Params, Counts: w.count, Withdraw: w.withdraw}}
	for _, a := range w.actors {
		d.Truth.Actors = append(d.Truth.Actors, a.ID)
	}
	return d.Score()
}

// Score applies every way of working to the data.
func (d *Data) Score() Score {
	all, selectors, dropped := d.entries()
	var lawful []entry
	for _, e := range all {
		if !e.closed {
			lawful = append(lawful, e)
		}
	}
	t := newTally(d.Truth)
	s := Score{Seed: d.Truth.Params.Seed, Actors: len(d.Truth.Actors), Organisations: len(organisations), HazardScale: d.Truth.Params.HazardScale, Reuse: d.Truth.Params.Reuse, Observations: len(lawful),
		Selectors: selectors, Dropped: dropped, Innocents: t.innocents, Withdraw: d.Truth.Withdraw}
	s.Seen = t.recall(subjectsOf(all))
	union := d.singles(all, t, &s)

	rule, two := opening.DefaultRule(), opening.DefaultRule()
	two.MinEntities = 2
	pool := newPool(lawful)
	direct := pool.open(rule)
	s.LeadsReady = pool.groups(rule, direct)
	found := pool.subjects(direct)
	ways := []struct {
		found  map[string]bool
		recall *float64
		wrong  *float64
	}{
		{found, &s.Recall.Joint, &s.FalseLeads.Joint},
		{pool.subjects(pool.open(two)), &s.Recall.JointTwoEntities, &s.FalseLeads.JointTwoEntities},
		{pool.subjects(pool.openClosure(rule)), &s.Recall.JointFullClosure, &s.FalseLeads.JointFullClosure},
		{perfect(lawful, rule), &s.Recall.JointPerfectLinkage, &s.FalseLeads.JointPerfectLinkage},
		{ownOnly(lawful, rule), &s.Recall.JointOwnOnly, nil},
	}
	for _, w := range ways {
		*w.recall = t.recall(union, w.found)
		if w.wrong != nil {
			*w.wrong = t.falsePerMillion(w.found)
		}
	}
	s.Recall.Union, s.Recall.Pool = t.recall(union), t.recall(found)
	s.FalseLeads.AnySingle = t.falsePerMillion(union)
	s.FalseLeadsPerMillion = s.FalseLeads.Joint
	s.NotFromPayments = t.notFromPayments(lawful, rule, found)
	s.MedianDays = pool.medianDays(rule, direct, t.actors)
	return s
}

// tally counts subjects against the truth.
type tally struct {
	actors    map[string]bool
	innocents int
}

func newTally(truth Truth) tally {
	t := tally{actors: make(map[string]bool), innocents: len(truth.Actors) * truth.Params.InnocentsPerActor}
	for _, id := range truth.Actors {
		t.actors[id] = true
	}
	return t
}

// recall is the share of actors in any of the sets.
func (t tally) recall(sets ...map[string]bool) float64 {
	n := 0
	for id := range t.actors {
		for _, set := range sets {
			if set[id] {
				n++
				break
			}
		}
	}
	return float64(n) / float64(len(t.actors))
}

// falsePerMillion counts innocent people; planted subjects are neither.
func (t tally) falsePerMillion(set map[string]bool) float64 {
	n := 0
	for id := range set {
		if innocentID(id) {
			n++
		}
	}
	return float64(n) * 1e6 / float64(t.innocents)
}

func innocentID(id string) bool { return len(id) > 8 && id[:8] == "innocent" }

func subjectsOf(all []entry) map[string]bool {
	out := make(map[string]bool)
	for _, e := range all {
		out[e.subject] = true
	}
	return out
}

// singles gives the union of the organisations' own cases.
func (d *Data) singles(all []entry, t tally, s *Score) map[string]bool {
	points := make(map[string]map[string]int)
	rule := opening.DefaultRule()
	for _, e := range all {
		if points[e.fact.Entity] == nil {
			points[e.fact.Entity] = make(map[string]int)
		}
		points[e.fact.Entity][e.subject] += rule.Weight(e.fact, e.submit)
	}
	union := make(map[string]bool)
	for _, o := range organisations {
		own := make(map[string]bool)
		for subject, n := range points[o.ID] {
			if n >= d.Truth.Params.CaseAt {
				own[subject], union[subject] = true, true
			}
		}
		m := MemberRecall{o.ID, o.Sector, len(d.Rows[o.ID]), t.recall(own)}
		s.Members = append(s.Members, m)
		s.Recall.BestSingle = max(s.Recall.BestSingle, m.Recall)
	}
	return union
}

// notFromPayments compares the leads with those of payment evidence alone.
func (t tally) notFromPayments(lawful []entry, rule opening.Rule, found map[string]bool) float64 {
	var paid []entry
	for _, e := range lawful {
		if e.fact.Kind == KindPayment {
			paid = append(paid, e)
		}
	}
	rule.NonPayment, rule.MinSectors, rule.MinKinds = false, 1, 1
	pool := newPool(paid)
	alone := pool.subjects(pool.open(rule))
	leads, without := 0, 0
	for id := range found {
		if !t.actors[id] {
			continue
		}
		leads++
		if !alone[id] {
			without++
		}
	}
	if leads == 0 {
		return 0
	}
	return float64(without) / float64(leads)
}

// Text writes the score for a person.
func (s Score) Text(out io.Writer) {
	fmt.Fprintf(out, "Simulated world, seed %d: %d actors, %d innocent people, %d organisations; reuse %.1f, hazards times %g.\n", s.Seed, s.Actors, s.Innocents, s.Organisations, s.Reuse, s.HazardScale)
	fmt.Fprintf(out, "%d observations with %d selectors; %d cells could not be used. %d leads are ready.\n\n", s.Observations, s.Selectors, s.Dropped, s.LeadsReady)
	fmt.Fprintf(out, "Share of all simulated offenders (at least one row anywhere: %.2f %%)\n", 100*s.Seen)
	for _, line := range []struct {
		name  string
		value float64
	}{
		{"best single organisation", s.Recall.BestSingle}, {"union of all single ones", s.Recall.Union},
		{"pool alone", s.Recall.Pool}, {"joint: union and pool", s.Recall.Joint},
		{"joint, two organisations suffice", s.Recall.JointTwoEntities}, {"joint, full closure", s.Recall.JointFullClosure},
		{"joint, perfect linkage", s.Recall.JointPerfectLinkage}, {"joint, referred copies left out", s.Recall.JointOwnOnly},
	} {
		fmt.Fprintf(out, "  %-34s %6.2f %%\n", line.name, 100*line.value)
	}
	fmt.Fprintf(out, "\nFalse leads per million innocent people: %.1f (two organisations %.1f, full closure %.1f, own cases %.1f)\n",
		s.FalseLeadsPerMillion, s.FalseLeads.JointTwoEntities, s.FalseLeads.JointFullClosure, s.FalseLeads.AnySingle)
	fmt.Fprintf(out, "Leads impossible on payments alone: %.0f %%\n", 100*s.NotFromPayments)
	if s.MedianDays >= 0 {
		fmt.Fprintf(out, "Median days from first evidence to lead: %.0f\n", s.MedianDays)
	}
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return -1
	}
	sort.Float64s(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
