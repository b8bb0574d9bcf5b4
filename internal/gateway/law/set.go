package law

import (
	_ "embed"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

// Meta heads a data set.
type Meta struct {
	Title         string            `yaml:"title"`
	SchemaVersion int               `yaml:"schema_version"`
	DataVersion   string            `yaml:"data_version"`
	AsOf          string            `yaml:"as_of"`
	Review        string            `yaml:"review_status"`
	Scope         string            `yaml:"scope"`
	BasisCodes    map[string]string `yaml:"basis_codes"`
	DateNote      string            `yaml:"date_note"`
	TokenStatus   string            `yaml:"token_status"`
	Semantics     string            `yaml:"semantics"`
}

// Set is a data set as it stands in its file.
type Set struct {
	Meta         Meta                `yaml:"meta"`
	Vocab        route.Vocabulary    `yaml:"vocab"`
	Gateways     []route.Gateway     `yaml:"gateways"`
	Prohibitions []route.Prohibition `yaml:"prohibitions"`
	Decisions    []Decision          `yaml:"decisions,omitempty"`
}

// schemaVersion is the form of the files that this program reads.
const schemaVersion = 1

//go:embed data/gateways.yaml
var builtIn []byte

// BuiltInName is how the data set that comes with the program is called.
const BuiltInName = "gateways.yaml (built in)"

// BuiltIn is the data set that comes with the program: illustrative, and in
// need of review by counsel. It is read once; everybody gets rows of their own.
func BuiltIn() (Set, error) {
	s, err := readBuiltIn()
	s.Gateways, s.Prohibitions, s.Decisions = slices.Clone(s.Gateways), slices.Clone(s.Prohibitions), slices.Clone(s.Decisions)
	return s, err
}

var readBuiltIn = sync.OnceValues(func() (Set, error) { return Read(BuiltInName, builtIn) })

// BuiltInText is the built-in data set as its file has it.
func BuiltInText() []byte { return builtIn }

// BuiltInFinder is the finder over the built-in data set, made once.
var BuiltInFinder = sync.OnceValues(func() (*route.Finder, error) {
	s, err := BuiltIn()
	if err != nil {
		return nil, err
	}
	return s.Finder()
})

// Read reads a data set.
func Read(name string, raw []byte) (Set, error) {
	var s Set
	if err := Strict(name, raw, &s); err != nil {
		return s, err
	}
	if err := UniqueIDs(name, raw); err != nil {
		return s, err
	}
	if s.Meta.SchemaVersion != schemaVersion {
		return s, fault.Newf(fault.Invalid, "%s: meta.schema_version is %d; this program reads %d", name, s.Meta.SchemaVersion, schemaVersion)
	}
	if s.Meta.DataVersion == "" || s.Meta.Review == "" {
		return s, fault.Newf(fault.Invalid, "%s: meta.data_version and meta.review_status must be given", name)
	}
	return s, checkDecisions(s.Decisions)
}

// Finder makes the data set ready for questions.
func (s Set) Finder() (*route.Finder, error) {
	f, err := route.New(route.Law{Version: s.Meta.DataVersion, Review: s.Meta.Review, Vocabulary: s.Vocab,
		Gateways: s.Gateways, Prohibitions: s.Prohibitions})
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "the data set cannot be used: %v", err)
	}
	return f, nil
}

// Text writes the data set as YAML. Comments of a file that it was read from
// are not kept.
func (s Set) Text() ([]byte, error) { return yaml.Marshal(s) }
