package law

import (
	"maps"
	"slices"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

// Overlay is what a deployment changes in a data set: rows of its own, rows
// that replace built-in ones, rows that it takes away. It is written for one
// version of the data set and is refused with another, so that nobody's answer
// changes unseen.
type Overlay struct {
	Meta struct {
		Title         string `yaml:"title"`
		SchemaVersion int    `yaml:"schema_version"`
		Overlays      string `yaml:"overlays"`     // the data_version that it was written for
		DataVersion   string `yaml:"data_version"` // its own
		Review        string `yaml:"review_status"`
	} `yaml:"meta"`
	Vocab        route.Vocabulary    `yaml:"vocab"` // codes that it adds
	Replaces     []string            `yaml:"replaces"`
	Removes      []string            `yaml:"removes"`
	Gateways     []route.Gateway     `yaml:"gateways"`
	Prohibitions []route.Prohibition `yaml:"prohibitions"`
	Decisions    []Decision          `yaml:"decisions"` // what its counsel approve by signing it
}

// ReadOverlay reads an overlay.
func ReadOverlay(name string, raw []byte) (Overlay, error) {
	var o Overlay
	if err := Strict(name, raw, &o); err != nil {
		return o, err
	}
	if err := UniqueIDs(name, raw); err != nil {
		return o, err
	}
	if o.Meta.SchemaVersion != schemaVersion || o.Meta.Overlays == "" || o.Meta.DataVersion == "" {
		return o, fault.Newf(fault.Invalid, "%s: meta must give schema_version %d, data_version and overlays (the data version that it was written for)", name, schemaVersion)
	}
	return o, nil
}

// With is the data set with the overlay laid over it. What was reviewed of the
// set says nothing about the overlay, so the result says of both.
func (s Set) With(o Overlay) (Set, error) {
	if o.Meta.Overlays != s.Meta.DataVersion {
		return s, fault.Newf(fault.Invalid, "the overlay was written for data %s and this is %s; review it against the new rows and change meta.overlays", o.Meta.Overlays, s.Meta.DataVersion)
	}
	out := s
	out.Gateways, out.Prohibitions = slices.Clone(s.Gateways), slices.Clone(s.Prohibitions)
	out.Vocab = route.Vocabulary{Actors: merge(s.Vocab.Actors, o.Vocab.Actors), Data: merge(s.Vocab.Data, o.Vocab.Data), Facts: merge(s.Vocab.Facts, o.Vocab.Facts),
		Purposes: slices.Concat(s.Vocab.Purposes, o.Vocab.Purposes)}
	out.Meta.DataVersion += "+" + o.Meta.DataVersion
	if o.Meta.Review != "" && o.Meta.Review != s.Meta.Review {
		out.Meta.Review += "; overlay: " + o.Meta.Review
	}
	for _, id := range o.Removes {
		before := len(out.Gateways) + len(out.Prohibitions)
		out.Gateways = slices.DeleteFunc(out.Gateways, func(g route.Gateway) bool { return g.ID == id })
		out.Prohibitions = slices.DeleteFunc(out.Prohibitions, func(p route.Prohibition) bool { return p.ID == id })
		if len(out.Gateways)+len(out.Prohibitions) == before {
			return s, fault.Newf(fault.Invalid, "the overlay removes %s, which is no row", id)
		}
	}
	for _, g := range o.Gateways {
		at := slices.IndexFunc(out.Gateways, func(e route.Gateway) bool { return e.ID == g.ID })
		switch said := slices.Contains(o.Replaces, g.ID); {
		case at >= 0 && said:
			out.Gateways[at] = g
		case at < 0 && !said:
			out.Gateways = append(out.Gateways, g)
		case at >= 0:
			return s, fault.Newf(fault.Invalid, "%s is a row of the data set; list it under replaces if the overlay's row should stand instead", g.ID)
		default:
			return s, fault.Newf(fault.Invalid, "the overlay replaces %s, which is no row", g.ID)
		}
	}
	for _, id := range o.Replaces {
		if !slices.ContainsFunc(o.Gateways, func(g route.Gateway) bool { return g.ID == id }) {
			return s, fault.Newf(fault.Invalid, "the overlay replaces %s and gives no row for it", id)
		}
	}
	for _, p := range o.Prohibitions {
		if slices.ContainsFunc(out.Prohibitions, func(e route.Prohibition) bool { return e.ID == p.ID }) {
			return s, fault.Newf(fault.Invalid, "prohibition %s is there already; remove it first", p.ID)
		}
		out.Prohibitions = append(out.Prohibitions, p)
	}
	out.Decisions = slices.Concat(s.Decisions, o.Decisions)
	if err := checkDecisions(out.Decisions); err != nil {
		return s, err
	}
	_, err := out.Finder()
	return out, err
}

func merge(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
