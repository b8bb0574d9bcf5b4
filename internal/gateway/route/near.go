package route

import (
	"fmt"
	"slices"
	"strings"

	"parallax/internal/vocab"
)

// Nearest gives the known codes that code was most likely meant to be, nearest
// first and three at most. Codes that are nothing like it are left out.
func Nearest(code string, known []string) []string {
	type near struct {
		code string
		far  int
	}
	var all []near
	for _, k := range known {
		far := vocab.Distance(strings.ToLower(code), strings.ToLower(k))
		if code != "" && (strings.Contains(k, code) || strings.Contains(code, k)) {
			far = min(far, 2)
		}
		if far <= max(2, len(k)/2) {
			all = append(all, near{k, far})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int {
		if a.far != b.far {
			return a.far - b.far
		}
		return strings.Compare(a.code, b.code)
	})
	var out []string
	for _, n := range all[:min(3, len(all))] {
		out = append(out, n.code)
	}
	return out
}

// Unknown is the sentence about a code that no vocabulary holds.
func Unknown(what, code string, known []string) string {
	s := fmt.Sprintf("%s %q is not known", what, code)
	if near := Nearest(code, known); len(near) > 0 {
		return s + "; nearest: " + strings.Join(near, ", ")
	}
	if len(known) <= 12 {
		return s + "; known: " + strings.Join(known, ", ")
	}
	return s + "; `parallax gateway codes` lists what is known"
}
