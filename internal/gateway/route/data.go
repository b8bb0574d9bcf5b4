package route

// The kinds, modes and states that a row may have.
const (
	KindDisclosure = "disclosure" // the holder gives
	KindDemand     = "demand"     // the requester serves an instrument

	ModeMandatory  = "mandatory"
	ModePermissive = "permissive"
	ModeCompelled  = "compelled"

	InForce      = "in_force"
	Lapsed       = "lapsed"
	Repealed     = "repealed"
	Uncertain    = "uncertain"
	Proposed     = "proposed"
	NotCommenced = "not_commenced"
)

// Unstarted marks a row whose start date nobody recorded.
const Unstarted = "start date not recorded"

// Gateway is one row of law: a directed edge from every actor in From to every
// actor in To. Dates are written YYYY-MM-DD and inclusive; an empty one is open.
type Gateway struct {
	ID           string            `yaml:"id" json:"id"`
	Jurisdiction []string          `yaml:"jurisdiction" json:"jurisdiction"`
	Citation     string            `yaml:"citation" json:"citation"`
	Title        string            `yaml:"title" json:"title"`
	Kind         string            `yaml:"kind" json:"kind"`
	Mode         string            `yaml:"mode" json:"mode"`
	Status       string            `yaml:"status" json:"status"`
	ValidFrom    string            `yaml:"valid_from,omitempty" json:"valid_from,omitempty"`
	ValidTo      string            `yaml:"valid_to,omitempty" json:"valid_to,omitempty"`
	From         []string          `yaml:"from,flow" json:"from"`
	To           []string          `yaml:"to,flow" json:"to"`
	FromIn       []string          `yaml:"from_in,flow,omitempty" json:"from_in,omitempty"`
	ToIn         []string          `yaml:"to_in,flow,omitempty" json:"to_in,omitempty"`
	Accepts      []string          `yaml:"accepts,flow" json:"accepts"`
	Yields       []string          `yaml:"yields,flow" json:"yields"` // nil: what it accepts
	Purposes     []string          `yaml:"purposes,flow" json:"purposes"`
	Needs        []string          `yaml:"needs,flow" json:"needs"`
	Unless       []string          `yaml:"unless,flow,omitempty" json:"unless,omitempty"`
	Conditions   string            `yaml:"conditions,omitempty" json:"conditions,omitempty"`
	Obligations  map[string]string `yaml:"obligations,omitempty" json:"obligations,omitempty"`
	PairsWith    string            `yaml:"pairs_with,omitempty" json:"pairs_with,omitempty"`
	Confidence   string            `yaml:"confidence" json:"confidence"`
	Basis        []string          `yaml:"basis,flow" json:"basis"`
	Sources      []string          `yaml:"sources" json:"sources"`
}

// Prohibition is a rule that warns. It never permits, and the absence of one
// permits nothing either.
type Prohibition struct {
	ID         string   `yaml:"id" json:"id"`
	Citation   string   `yaml:"citation" json:"citation"`
	Kind       string   `yaml:"kind,omitempty" json:"kind,omitempty"` // input_rule: about what may enter the software
	Blocks     string   `yaml:"blocks" json:"blocks"`
	Applies    *Applies `yaml:"applies,omitempty" json:"applies,omitempty"`
	Penalty    string   `yaml:"penalty,omitempty" json:"penalty,omitempty"`
	DesignRule string   `yaml:"design_rule,omitempty" json:"design_rule,omitempty"`
	Confidence string   `yaml:"confidence" json:"confidence"`
	Basis      []string `yaml:"basis,flow" json:"basis"`
	Sources    []string `yaml:"sources,omitempty" json:"sources,omitempty"`
}

// Applies says which questions a prohibition is about. An empty part matches
// everything.
type Applies struct {
	From      []string `yaml:"from,flow,omitempty" json:"from,omitempty"`
	To        []string `yaml:"to,flow,omitempty" json:"to,omitempty"`
	ToNot     []string `yaml:"to_not,flow,omitempty" json:"to_not,omitempty"`
	Data      []string `yaml:"data,flow,omitempty" json:"data,omitempty"`
	Facts     []string `yaml:"facts,flow,omitempty" json:"facts,omitempty"`
	ValidFrom string   `yaml:"valid_from,omitempty" json:"valid_from,omitempty"`
}

// Vocabulary is the closed list of codes that rows and questions use, with
// their meanings.
type Vocabulary struct {
	Actors   map[string]string `yaml:"actors"`
	Data     map[string]string `yaml:"data"`
	Purposes []string          `yaml:"purposes"`
	Facts    map[string]string `yaml:"facts"`
}

// Law is a whole data set.
type Law struct {
	Version      string
	Review       string // "illustrative; needs review by counsel"
	Vocabulary   Vocabulary
	Gateways     []Gateway
	Prohibitions []Prohibition
}

// Question is what is asked. From and To are two different organisations, even
// where they are of one kind.
type Question struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	FromIn  string   `json:"from_in,omitempty"` // the state or territory of each body, where known
	ToIn    string   `json:"to_in,omitempty"`
	Holds   []string `json:"holds"`
	Wants   string   `json:"wants"`
	Purpose string   `json:"purpose"`
	Facts   []string `json:"facts"` // "x": true; "not:x": false; anything else is unknown
	AsOf    string   `json:"as_of"`
	MaxHops int      `json:"max_hops,omitempty"` // 0: 5
}

// DefaultHops is how long a route may be where a question does not say.
const DefaultHops = 5

// MaxUnmet is how many unknowns a conditional route may have.
const MaxUnmet = 3
