package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	"parallax/internal/pool"
	"parallax/oprf"
	"parallax/seal"
)

// pile is the bed on which both sides group the same rows.
type pile struct {
	rows       int
	nodes      []pool.Node
	count      map[oprf.Tag]int
	ours, peer map[seal.Label]seal.Label
}

// link makes observations of one to four tags. A tag is drawn so that most are
// held once and a few often, some beyond the frequency cap.
func link(_ context.Context, o Options) (job, error) {
	p := &pile{rows: size(o, 1_000_000, 20_000), count: map[oprf.Tag]int{}}
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a reproducible pile, no secret
	many := rand.NewZipf(rng, 1.2, 50, uint64(p.rows))
	for made := 0; made < p.rows; {
		var n pool.Node
		binary.BigEndian.PutUint64(n.Label[:], rng.Uint64())
		seen := map[oprf.Tag]bool{}
		for range min(1+rng.IntN(4), p.rows-made) {
			var tag oprf.Tag
			v := rng.Uint64()
			if rng.IntN(3) == 0 {
				v = many.Uint64() // shared
			}
			binary.BigEndian.PutUint64(tag[:], v)
			if seen[tag] {
				continue
			}
			seen[tag] = true
			n.Tags = append(n.Tags, tag)
			p.count[tag]++
			made++
		}
		p.nodes = append(p.nodes, n)
	}
	return job{items: p.rows, ours: p.own, peer: p.search, check: func(context.Context) error {
		if len(p.ours) != len(p.nodes) || !maps.Equal(p.ours, p.peer) {
			return errors.New("the search finds other clusters")
		}
		if clusters := distinct(p.ours); clusters < 2 || clusters == len(p.nodes) {
			return fmt.Errorf("%d clusters of %d observations tell nothing", clusters, len(p.nodes))
		}
		return nil
	}}, nil
}

func distinct(m map[seal.Label]seal.Label) int {
	seen := map[seal.Label]bool{}
	for _, c := range m {
		seen[c] = true
	}
	return len(seen)
}

func (p *pile) own(_ context.Context, w *watch) error {
	w.on()
	defer w.off()
	p.ours = pool.Components(p.nodes, p.count, pool.FrequencyCap)
	return nil
}

// search is what one would write first: a list of observations for each tag,
// then a walk from each observation that no walk has reached.
func (p *pile) search(_ context.Context, w *watch) error {
	w.on()
	defer w.off()
	holders := map[oprf.Tag][]int{}
	for i, n := range p.nodes {
		for _, tag := range n.Tags {
			holders[tag] = append(holders[tag], i)
		}
	}
	p.peer = make(map[seal.Label]seal.Label, len(p.nodes))
	reached := make([]bool, len(p.nodes))
	for i := range p.nodes {
		if reached[i] {
			continue
		}
		reached[i] = true
		walk, least := []int{i}, p.nodes[i].Label
		for at := 0; at < len(walk); at++ {
			node := p.nodes[walk[at]]
			if bytes.Compare(node.Label[:], least[:]) < 0 {
				least = node.Label
			}
			for _, tag := range node.Tags {
				if len(holders[tag]) > pool.FrequencyCap {
					continue
				}
				for _, j := range holders[tag] {
					if !reached[j] {
						reached[j] = true
						walk = append(walk, j)
					}
				}
			}
		}
		for _, j := range walk {
			p.peer[p.nodes[j].Label] = least
		}
	}
	return nil
}
