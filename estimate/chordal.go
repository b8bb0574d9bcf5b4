package estimate

import "math/bits"

// A decomposable model is a chordal graph on the lists, as its cliques and the
// separators between them (one for each clique after the first; 0 between
// parts that do not touch).
type decomposable struct {
	cliques, separators []uint32
}

// name writes the cliques, as in "12/23".
func (d decomposable) name(k int) string {
	out := ""
	for i, c := range d.cliques {
		if i > 0 {
			out += "/"
		}
		out += termName(c, k)
	}
	return out
}

// chordalGraphs lists every chordal graph on k lists: 8, 61, 822 and 18,154 for
// three to six. The complete graph is among them, although the data tell it
// nothing of the unseen: where it weighs much, nothing simpler fits.
func chordalGraphs(k int) (out []decomposable) {
	edges := pairs(k)
	adj := make([]uint32, k)
	for pick := range 1 << len(edges) {
		clear(adj)
		for i, e := range edges {
			if pick>>i&1 == 1 {
				a := bits.TrailingZeros32(e)
				b := bits.Len32(e) - 1
				adj[a] |= 1 << b
				adj[b] |= 1 << a
			}
		}
		if d, ok := decompose(adj); ok {
			out = append(out, d)
		}
	}
	return out
}

// decompose numbers the lists by maximum cardinality search. A graph is chordal
// exactly when each list's earlier neighbours are all neighbours of each other;
// then they and the list are a clique, and a new one starts where they are not
// the whole of the clique before.
func decompose(adj []uint32) (d decomposable, ok bool) {
	k := len(adj)
	var done uint32
	for range k {
		next, most := -1, -1
		for v := range k {
			if n := bits.OnesCount32(adj[v] & done); done>>v&1 == 0 && n > most {
				next, most = v, n
			}
		}
		before := adj[next] & done
		for v := range k {
			if before>>v&1 == 1 && before&^(adj[v]|1<<v) != 0 {
				return d, false
			}
		}
		last := len(d.cliques) - 1
		if last >= 0 && before == d.cliques[last] {
			d.cliques[last] |= 1 << next
		} else {
			if last >= 0 {
				d.separators = append(d.separators, before)
			}
			d.cliques = append(d.cliques, before|1<<next)
		}
		done |= 1 << next
	}
	return d, true
}
