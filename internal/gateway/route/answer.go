package route

import (
	"slices"
	"strings"
)

// The answers, the best first.
const (
	Yes         = "yes"         // there is a lawful route with what is known
	Conditional = "conditional" // there is one if one to three unknown facts hold
	AskCounsel  = "ask_counsel" // only uncertain law would allow it
	No          = "no"
)

// Answer is everything that the data set says about a question.
type Answer struct {
	DataVersion  string   `json:"data_version"`
	AsOf         string   `json:"as_of"`
	Answer       string   `json:"answer"`
	Direct       []string `json:"direct"` // routes of one hop
	Routes       []Route  `json:"routes"`
	Conditional  []Route  `json:"conditional"`
	AskCounsel   []string `json:"ask_counsel"` // uncertain rows that would complete a route
	Duties       []Duty   `json:"duties"`      // what the holder must do whatever it asked
	Prohibitions []string `json:"prohibitions"`
	Reasons      []string `json:"reasons"`
	Explanation  []string `json:"explanation"` // the answer in plain sentences
	Notice       string   `json:"notice"`
}

// Route is a minimal lawful way. Without Unmet it may be used as it is, under
// the conditions and duties of its hops.
type Route struct {
	IDs   []string `json:"ids"`
	Unmet []string `json:"unmet"` // facts that are not known to hold
	Hops  []Hop    `json:"hops"`
}

// Hop is one step of a route.
type Hop struct {
	ID          string            `json:"id"`
	From        string            `json:"from"`
	To          string            `json:"to"`
	Kind        string            `json:"kind"`
	Mode        string            `json:"mode"`
	Passes      []string          `json:"passes"` // what the recipient then holds
	Conditions  string            `json:"conditions"`
	Obligations map[string]string `json:"obligations"`
	Confidence  string            `json:"confidence"`
	Title       string            `json:"title"`
	Citation    string            `json:"citation"`
	Marks       []string          `json:"marks"`                // what is not recorded about the row
	PairsWith   string            `json:"pairs_with,omitempty"` // the row that answers a demand
}

// Duty is a mandatory row that binds the holder now.
type Duty struct {
	ID          string            `json:"id"`
	Obligations map[string]string `json:"obligations"`
	Title       string            `json:"title"`
	Citation    string            `json:"citation"`
	To          []string          `json:"to"`
	Conditions  string            `json:"conditions"`
}

// inStates is how the unmet list names the state that two bodies must share.
const inStates = "both_in:"

// Find answers a question. An error means that the question cannot be read; it
// names every code that is not known.
func (f *Finder) Find(question Question) (Answer, error) {
	q, verdicts, a, err := f.decide(question)
	if err != nil {
		return a, err
	}
	var ghosts []path
	if slices.ContainsFunc(verdicts, func(v verdict) bool { return v.why != "" }) {
		ghosts = f.ghosts(&q, verdicts)
	}
	a.Reasons = f.reasons(&q, &a, verdicts, ghosts)
	a.Explanation = f.explain(&q, &a)
	return a, nil
}

// Decide is Find without the reasons and the explanation, for those who ask
// many questions and show none.
func (f *Finder) Decide(question Question) (Answer, error) {
	_, _, a, err := f.decide(question)
	return a, err
}

func (f *Finder) decide(question Question) (asked, []verdict, Answer, error) {
	q, err := f.read(question)
	if err != nil {
		return q, nil, Answer{}, err
	}
	verdicts := make([]verdict, len(f.edges))
	for i := range f.edges {
		verdicts[i] = f.judge(&f.edges[i], &q)
	}
	var full, open, unsure []path
	for _, p := range f.search(&q, verdicts, false) {
		switch {
		case p.unsure && p.open() == 0:
			unsure = append(unsure, p)
		case p.unsure:
		case p.open() == 0:
			full = append(full, p)
		default:
			open = append(open, p)
		}
	}
	open, unsure, full = minimal(open, full), minimal(unsure, full), minimal(full, nil)
	a := Answer{DataVersion: f.law.Version, AsOf: q.AsOf, Notice: f.law.Review, Direct: []string{},
		Routes: f.routes(full, verdicts), Conditional: f.routes(open, verdicts),
		AskCounsel: f.uncertain(unsure), Duties: f.duties(&q), Prohibitions: f.prohibitions(&q),
		Reasons: []string{}, Explanation: []string{}}
	for _, r := range a.Routes {
		if len(r.IDs) == 1 {
			a.Direct = append(a.Direct, r.IDs[0])
		}
	}
	a.Answer = verdictOf(&a)
	return q, verdicts, a, nil
}

func verdictOf(a *Answer) string {
	switch {
	case len(a.Routes) > 0:
		return Yes
	case len(a.Conditional) > 0:
		return Conditional
	case len(a.AskCounsel) > 0:
		return AskCounsel
	}
	return No
}

func (f *Finder) routes(paths []path, verdicts []verdict) []Route {
	out := []Route{}
	for _, p := range ranked(paths) {
		r := Route{Unmet: f.facts.list(p.unmet)}
		for _, h := range p.hops {
			r.IDs = append(r.IDs, h.e.row.ID)
			if h.inState {
				r.Unmet = append(r.Unmet, inStates+strings.Join(h.e.fromIn, "|"))
			}
			r.Hops = append(r.Hops, f.hop(h, verdicts))
		}
		out = append(out, r)
	}
	return out
}

func (f *Finder) hop(h hop, verdicts []verdict) Hop {
	g := h.e.row
	out := Hop{ID: g.ID, From: f.actors.names[h.from], To: f.actors.names[h.to], Kind: g.Kind, Mode: g.Mode,
		Passes: f.data.list(h.passes), Conditions: withConfirm(g.Conditions, verdicts[h.e.index].confirm),
		Obligations: obligations(g), Confidence: g.Confidence, Title: g.Title, Citation: g.Citation, Marks: []string{}, PairsWith: g.PairsWith}
	if g.ValidFrom == "" {
		out.Marks = append(out.Marks, Unstarted)
	}
	return out
}

// withConfirm adds what must not be so and is not known.
func withConfirm(conditions string, confirm []string) string {
	parts := []string{}
	if conditions != "" {
		parts = append(parts, conditions)
	}
	for _, c := range confirm {
		parts = append(parts, "confirm not "+c)
	}
	return strings.Join(parts, " Condition: ")
}

func obligations(g *Gateway) map[string]string {
	out := map[string]string{}
	for k, v := range g.Obligations {
		out[k] = v
	}
	return out
}

// uncertain are the uncertain rows of the paths, in order.
func (f *Finder) uncertain(paths []path) []string {
	out := []string{}
	for _, p := range paths {
		for _, h := range p.hops {
			if h.e.row.Status == Uncertain {
				out = append(out, h.e.row.ID)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// duties are the mandatory rows of the holder whose needs hold and which accept
// something held, whoever they are owed to and whatever the purpose.
func (f *Finder) duties(q *asked) []Duty {
	out := []Duty{}
	for _, i := range f.leave[q.from] {
		e := &f.edges[i]
		g := e.row
		counts := g.Mode == ModeMandatory && g.Status != Uncertain && timing(g, q.AsOf) == ""
		if !counts || !e.needs.within(q.yes) || !e.unless.and(q.yes).empty() || q.holds.and(e.accepts).empty() {
			continue
		}
		confirm := f.facts.list(e.unless.minus(q.no))
		if possible, open := e.inStates(q.fromIn, ""); !possible {
			continue
		} else if open && q.fromIn == "" && len(e.fromIn) > 0 {
			confirm = append(confirm, "outside "+strings.Join(e.fromIn, "|"))
		}
		out = append(out, Duty{ID: g.ID, Obligations: obligations(g), Title: g.Title, Citation: g.Citation,
			To: slices.Clone(g.To), Conditions: withConfirm(g.Conditions, confirm)})
	}
	return out
}

// prohibitions are those of which every given part matches the question.
func (f *Finder) prohibitions(q *asked) []string {
	out := []string{}
	for _, p := range f.law.Prohibitions {
		a := p.Applies
		if a == nil {
			continue
		}
		in := func(list []string, code string) bool { return len(list) == 0 || slices.Contains(list, code) }
		if in(a.From, q.From) && in(a.To, q.To) && in(a.Data, q.Wants) && !slices.Contains(a.ToNot, q.To) &&
			f.facts.set(a.Facts).within(q.yes) && a.ValidFrom <= q.AsOf {
			out = append(out, p.ID)
		}
	}
	return out
}
