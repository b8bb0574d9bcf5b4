package law

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

// Organisation is a public body or programme of the ecosystem map.
type Organisation struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Sector   string   `yaml:"sector"`
	Level    string   `yaml:"level"`
	Roles    []string `yaml:"roles"`
	Actor    string   `yaml:"actor"`
	Holds    []string `yaml:"holds"` // empty: not stated
	Units    []string `yaml:"units"`
	Needs    string   `yaml:"needs"`
	Note     string   `yaml:"note"`
	Source   string   `yaml:"source"`
	Verified string   `yaml:"verified"`
}

// actorOf is what kind of organisation a member of a sector is, in Australia.
var actorOf = map[string]string{"bank": "au.fsp", "payment": "au.fsp", "platform": "au.service", "hotline": "au.esafety", "police": "au.police",
	"fiu": "au.fiu", "regulator": "au.esafety", "research": "au.researcher"}

// ActorOf is what kind of organisation a member of one of the pool's sectors is;
// empty for a sector that the law data does not know.
func ActorOf(sector string) string { return actorOf[sector] }

type organisations struct {
	Meta struct {
		DataVersion   string            `yaml:"data_version"`
		Roles         []string          `yaml:"roles"`
		VerifiedCodes map[string]string `yaml:"verified_codes"`
	} `yaml:"meta"`
	Stakeholders []Organisation `yaml:"stakeholders"`
}

//go:embed data/stakeholders.yaml
var stakeholders []byte

var readOrganisations = sync.OnceValues(func() ([]Organisation, error) {
	var doc organisations
	if err := Strict("stakeholders.yaml (built in)", stakeholders, &doc); err != nil {
		return nil, err
	}
	return doc.Stakeholders, UniqueIDs("stakeholders.yaml (built in)", stakeholders)
})

// Organisations are the public bodies of the ecosystem map.
func Organisations() ([]Organisation, error) { return readOrganisations() }

// Resolve gives the actor code of an organisation, which is named by an actor
// code or by the id of a public body. The organisation is empty for a code.
func Resolve(f *route.Finder, name string) (actor string, org Organisation, err error) {
	all, err := Organisations()
	if err != nil {
		return "", org, err
	}
	actors := f.Law().Vocabulary.Actors
	if _, ok := actors[name]; ok {
		return name, org, nil
	}
	names := []string{}
	for _, o := range all {
		if o.ID == name {
			return o.Actor, o, nil
		}
		names = append(names, o.ID)
	}
	for a := range actors {
		names = append(names, a)
	}
	slices.Sort(names)
	return "", org, fault.New(fault.Invalid, route.Unknown("organisation", name, names))
}

// Ask answers a question whose From and To may be ids of public bodies. Where
// the question does not say what the giver holds, its public role is taken.
func Ask(f *route.Finder, q route.Question) (route.Question, route.Answer, error) {
	from, giver, err1 := Resolve(f, q.From)
	to, taker, err2 := Resolve(f, q.To)
	var problems []string
	for _, err := range []error{err1, err2} {
		if err != nil {
			problems = append(problems, fault.Sentence(err))
		}
	}
	if giver.ID != "" && giver.ID == taker.ID {
		problems = append(problems, "the giver and the recipient are two different organisations; both are "+giver.ID)
	}
	// The rest is looked at even so, so that everything wrong is said at once.
	rest := q
	rest.From, rest.To = from, to
	if len(rest.Holds) == 0 {
		rest.Holds = giver.Holds
	}
	for _, end := range []*string{&rest.From, &rest.To} {
		if *end == "" {
			*end = anyActor(f)
		}
	}
	a, err := f.Find(rest)
	if err != nil {
		problems = append(problems, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if len(problems) > 0 {
		return q, route.Answer{}, fault.New(fault.Invalid, strings.Join(problems, "; "))
	}
	return rest, a, nil
}

func anyActor(f *route.Finder) string {
	for code := range f.Law().Vocabulary.Actors {
		return code
	}
	return ""
}
