package chart

import "math"

// spot is where a node stands, and at which angle of the circle.
type spot struct{ x, y, angle float64 }

// place puts the nodes on a circle. Pairs of nodes are swapped while that makes
// the links shorter, which pulls linked nodes together; the number of rounds is
// bounded and nothing is random.
func (c Network) place() map[string]spot {
	order := make([]int, len(c.Nodes))
	index := map[string]int{}
	for i, n := range c.Nodes {
		order[i] = i
		index[n.ID] = i
	}
	var links [][2]int
	for _, e := range c.Edges {
		from, ok := index[e.From]
		to, there := index[e.To]
		if ok && there && from != to {
			links = append(links, [2]int{from, to})
		}
	}
	seat := append([]int(nil), order...) // seat[node] = position on the circle
	for range 20 {
		if !improve(seat, links) {
			break
		}
	}
	out := make(map[string]spot, len(c.Nodes))
	for i, n := range c.Nodes {
		angle := 2*math.Pi*float64(seat[i])/float64(len(c.Nodes)) - math.Pi/2
		out[n.ID] = spot{netSize/2 + netRadius*math.Cos(angle), 170 + netRadius*math.Sin(angle), angle}
	}
	return out
}

// improve makes one round of swaps and reports whether any helped.
func improve(seat []int, links [][2]int) bool {
	better := false
	cost := length(seat, links)
	for a := range seat {
		for b := a + 1; b < len(seat); b++ {
			seat[a], seat[b] = seat[b], seat[a]
			if swapped := length(seat, links); swapped < cost {
				cost, better = swapped, true
				continue
			}
			seat[a], seat[b] = seat[b], seat[a]
		}
	}
	return better
}

// length is the sum of the distances along the circle that the links span.
func length(seat []int, links [][2]int) int {
	sum := 0
	for _, l := range links {
		d := seat[l[0]] - seat[l[1]]
		if d < 0 {
			d = -d
		}
		sum += min(d, len(seat)-d)
	}
	return sum
}
