// Package lawtest publishes law data in tests: two counsel with keys of their own
// sign whatever a test writes.
package lawtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

// Chambers are the counsel of one deployment.
type Chambers struct {
	t    testing.TB
	keys []ed25519.PrivateKey
	List law.File // whose signatures count
}

// ids of the two counsel.
var ids = []string{"counsel-a", "counsel-b"}

// New makes two counsel.
func New(t testing.TB) *Chambers {
	t.Helper()
	c := &Chambers{t: t}
	var list []law.Counsel
	for _, id := range ids {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		c.must(err)
		c.keys = append(c.keys, key)
		list = append(list, law.Counsel{ID: id, Entity: "bank-a", Key: pub})
	}
	raw, err := json.Marshal(list)
	c.must(err)
	c.List = law.File{Name: "counsel.json", Raw: raw}
	return c
}

func (c *Chambers) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// Sign publishes an overlay from a day on, until another day or for good, with the
// signatures of so many counsel.
func (c *Chambers) Sign(overlay []byte, version, from, to string, signatures int) law.Files {
	c.t.Helper()
	st, err := law.State(overlay, law.BuiltInText(), version, from, to, "reviewed for a test")
	c.must(err)
	var p law.Publication
	for i := range signatures {
		p, err = p.Sign(st, ids[i], c.keys[i])
		c.must(err)
	}
	raw, err := json.Marshal(p)
	c.must(err)
	return law.Files{Overlay: law.File{Name: version + ".yaml", Raw: overlay}, Published: law.File{Name: version + ".json", Raw: raw}, Counsel: c.List}
}

// Overlay is the simulated overlay under a version of its own, with built-in rows
// changed: nil takes a row away.
func Overlay(t testing.TB, version string, rows map[string]func(*route.Gateway)) []byte {
	t.Helper()
	o, err := law.ReadOverlay("simulated.yaml", law.SimulatedText())
	if err != nil {
		t.Fatal(err)
	}
	set, err := law.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	o.Meta.DataVersion = version
	for id, change := range rows {
		i := slices.IndexFunc(set.Gateways, func(g route.Gateway) bool { return g.ID == id })
		if i < 0 {
			t.Fatalf("%s is no built-in row", id)
		}
		if change == nil {
			o.Removes = append(o.Removes, id)
			continue
		}
		g := set.Gateways[i]
		change(&g)
		o.Replaces, o.Gateways = append(o.Replaces, id), append(o.Gateways, g)
	}
	raw, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Publish is an overlay of Overlay, signed by both counsel and effective from a day
// on.
func (c *Chambers) Publish(version, from string, rows map[string]func(*route.Gateway)) law.Files {
	c.t.Helper()
	return c.Sign(Overlay(c.t, version, rows), version, from, "", len(ids))
}

// Condition is a change of a row: its conditions read otherwise.
func Condition(text string) func(*route.Gateway) {
	return func(g *route.Gateway) { g.Conditions = strings.TrimSpace(text) }
}
