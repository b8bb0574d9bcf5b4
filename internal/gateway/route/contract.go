package route

// Contract is an answer with exactly the keys that scripts may rely on, no more
// and no fewer. What else an answer says (titles, citations, the explanation)
// is for people; a script that wants it asks for the whole answer. The sentence
// about review has no key of its own, so it is the last reason: no reader of an
// answer gets it without.
type Contract struct {
	DataVersion  string          `json:"data_version"`
	AsOf         string          `json:"as_of"`
	Answer       string          `json:"answer"`
	Direct       []string        `json:"direct"`
	Routes       []ContractRoute `json:"routes"`
	Conditional  []ContractRoute `json:"conditional"`
	AskCounsel   []string        `json:"ask_counsel"`
	Duties       []ContractDuty  `json:"duties"`
	Prohibitions []string        `json:"prohibitions"`
	Reasons      []string        `json:"reasons"`
}

// ContractRoute is a route of a Contract.
type ContractRoute struct {
	IDs   []string      `json:"ids"`
	Unmet []string      `json:"unmet"`
	Hops  []ContractHop `json:"hops"`
}

// ContractHop is a hop of a Contract.
type ContractHop struct {
	ID          string            `json:"id"`
	From        string            `json:"from"`
	To          string            `json:"to"`
	Kind        string            `json:"kind"`
	Mode        string            `json:"mode"`
	Passes      []string          `json:"passes"`
	Conditions  string            `json:"conditions"`
	Obligations map[string]string `json:"obligations"`
	Confidence  string            `json:"confidence"`
}

// ContractDuty is a duty of a Contract.
type ContractDuty struct {
	ID          string            `json:"id"`
	Obligations map[string]string `json:"obligations"`
}

// Contract reduces an answer to the keys that scripts may rely on.
func (a Answer) Contract() Contract {
	c := Contract{DataVersion: a.DataVersion, AsOf: a.AsOf, Answer: a.Answer, Direct: a.Direct, Routes: contractRoutes(a.Routes),
		Conditional: contractRoutes(a.Conditional), AskCounsel: a.AskCounsel, Duties: []ContractDuty{}, Prohibitions: a.Prohibitions,
		Reasons: append(append([]string{}, a.Reasons...), "data "+a.DataVersion+": "+a.Notice)}
	for _, d := range a.Duties {
		c.Duties = append(c.Duties, ContractDuty{d.ID, d.Obligations})
	}
	return c
}

func contractRoutes(routes []Route) []ContractRoute {
	out := []ContractRoute{}
	for _, r := range routes {
		c := ContractRoute{IDs: r.IDs, Unmet: r.Unmet, Hops: []ContractHop{}}
		for _, h := range r.Hops {
			c.Hops = append(c.Hops, ContractHop{ID: h.ID, From: h.From, To: h.To, Kind: h.Kind, Mode: h.Mode, Passes: h.Passes,
				Conditions: h.Conditions, Obligations: h.Obligations, Confidence: h.Confidence})
		}
		out = append(out, c)
	}
	return out
}
