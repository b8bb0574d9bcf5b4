package pool

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/opening"
	"parallax/oprf"
	"parallax/selector"
)

// TestCountsBoundContributions: every selector is in one cell of each table, for
// one organisation, whatever the order in which observations are read; the cells
// are the fixed ones, and referrals count nowhere.
func TestCountsBoundContributions(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) seen {
			org := rapid.IntRange(0, 3).Draw(r, "org")
			h := opening.Header{Epoch: "2026-11", Organisation: fmt.Sprint("org-", org), Sector: vocab.Sectors.Words()[org%2].Code, Origin: "own", Role: "unknown",
				Source: "b", Info: "2", Week: fmt.Sprintf("2026-W%d", rapid.IntRange(39, 42).Draw(r, "week")), Kind: vocab.Kinds.Words()[rapid.IntRange(0, 2).Draw(r, "kind")].Code}
			if rapid.IntRange(0, 4).Draw(r, "referred") == 0 {
				h.Origin = "referred:org-9"
			}
			key := possession(selector.Email, fmt.Sprint(rapid.IntRange(0, 20).Draw(r, "value"))).Public()
			h.Tags = []opening.HeaderTag{{Class: selector.Email, Key: key, Expires: 9}}
			return seen{header: h, live: true}
		}), 0, 80).Draw(r, "pool")
		count := func(list []seen) Counts {
			c := tally{epoch: "2026-11", class: selector.Email, from: "2026-W40", to: "2026-W53", first: make(map[oprf.Tag]opening.Header)}
			for _, x := range list {
				c.add(x)
			}
			out, err := c.result("2026-Q4")
			if err != nil {
				r.Fatal(err)
			}
			return out
		}
		got := count(all)
		distinct := map[oprf.Tag]bool{}
		for _, x := range all {
			if x.header.Origin == "own" && x.header.Week >= "2026-W40" {
				distinct[x.header.Tags[0].Tag()] = true
			}
		}
		for name, cells := range map[string][]CountCell{"national": got.National, "sector": got.Sector, "kind": got.Kind} {
			n := 0
			for _, c := range cells {
				n += sum(c.From)
			}
			if n != len(distinct) {
				r.Fatalf("%s counts %d of %d selectors", name, n, len(distinct))
			}
		}
		if len(got.Sector) != len(vocab.Sectors.Words()) || len(got.Kind) != len(vocab.Kinds.Words()) {
			r.Fatal("cells depend on what the pool holds")
		}
		slices.Reverse(all)
		if again := count(all); fmt.Sprint(again) != fmt.Sprint(got) {
			r.Fatalf("read backwards: %v, want %v", again, got)
		}
	})
	c := tally{epoch: "2026-11", class: selector.Email, from: "2026-W40", to: "2026-W53"}
	c.add(seen{header: opening.Header{Epoch: "2025-11", Week: "2026-W45"}})
	if _, err := c.result("2026-Q4"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("counted over two epochs: %v", err)
	}
}
