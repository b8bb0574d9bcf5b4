package pool

import (
	"bytes"
	"sort"

	"parallax/oprf"
	"parallax/seal"
)

// FrequencyCap: a tag in more live observations than this joins nothing in the
// index, as in the default opening rule. It keeps shared values from growing
// one cluster; it is no security.
const FrequencyCap = 25

// A Node is a live observation with its live person tags.
type Node struct {
	Label seal.Label
	Tags  []oprf.Tag
}

// Components joins observations that share a tag, by union-find, where count
// gives in how many live observations of the whole pool a tag is. It returns
// for each node the least label of its component.
func Components(nodes []Node, count map[oprf.Tag]int, limit int) map[seal.Label]seal.Label {
	parent := make([]int, len(nodes))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	// By label, so that a root with the least index has the least label.
	sort.Slice(nodes, func(i, j int) bool { return bytes.Compare(nodes[i].Label[:], nodes[j].Label[:]) < 0 })
	first := make(map[oprf.Tag]int)
	for i, n := range nodes {
		for _, t := range n.Tags {
			if count[t] > limit {
				continue
			}
			if j, ok := first[t]; ok {
				a, b := find(i), find(j)
				parent[max(a, b)] = min(a, b)
			} else {
				first[t] = i
			}
		}
	}
	out := make(map[seal.Label]seal.Label, len(nodes))
	for i, n := range nodes {
		out[n.Label] = nodes[find(i)].Label
	}
	return out
}
