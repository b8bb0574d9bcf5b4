package law

import (
	_ "embed"
	"sync"
)

// A SeedBarrier is a row of the register's seed.
type SeedBarrier struct {
	ID         string   `yaml:"id"`
	Barrier    int      `yaml:"barrier"` // of the seven systemic barriers
	Title      string   `yaml:"title"`
	State      string   `yaml:"state"`
	Changed    string   `yaml:"changed"`
	Detail     string   `yaml:"detail"`
	Remaining  string   `yaml:"remaining"`
	StatusNote string   `yaml:"status_note"`
	Refs       []string `yaml:"refs"`
	Source     string   `yaml:"source"`
}

//go:embed data/barriers.yaml
var barriersText []byte

var readBarriers = sync.OnceValues(func() ([]SeedBarrier, error) {
	const name = "barriers.yaml (built in)"
	var doc struct {
		Meta struct {
			DataVersion string   `yaml:"data_version"`
			States      []string `yaml:"states"`
		} `yaml:"meta"`
		Register []SeedBarrier `yaml:"register"`
	}
	if err := Strict(name, barriersText, &doc); err != nil {
		return nil, err
	}
	return doc.Register, UniqueIDs(name, barriersText)
})

// Barriers is the seed of the barrier register: concrete blocks that public
// sources name. Illustrative, as the law data is.
func Barriers() ([]SeedBarrier, error) { return readBarriers() }
