package route

import "math/bits"

// setSize bounds each vocabulary, so that a set of codes is a few words.
const setSize = 256

// set is a set of codes of one vocabulary.
type set [setSize / 64]uint64

func (s *set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) and(o set) set {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}

func (s set) or(o set) set {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

func (s set) minus(o set) set {
	for i := range s {
		s[i] &^= o[i]
	}
	return s
}

func (s set) empty() bool { return s == set{} }

func (s set) within(o set) bool { return s.minus(o).empty() }

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// codes numbers the codes of one vocabulary.
type codes struct {
	what  string // "fact", for the sentence of an error
	names []string
	index map[string]int
}

func number(what string, names []string) codes {
	c := codes{what: what, names: names, index: map[string]int{}}
	for i, n := range names {
		c.index[n] = i
	}
	return c
}

// list gives the names of a set in the order of the vocabulary.
func (c codes) list(s set) []string {
	out := []string{}
	for i, n := range c.names {
		if s.has(i) {
			out = append(out, n)
		}
	}
	return out
}

func (c codes) set(names []string) (s set) {
	for _, n := range names {
		if i, ok := c.index[n]; ok {
			s.add(i)
		}
	}
	return s
}
