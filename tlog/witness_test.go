package tlog

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAWitnessFollowsOneHistory shows heads of two histories that fork after
// entry 8 to a witness, in any order and with any proof, and checks that what
// it accepts is one growing history.
func TestAWitnessFollowsOneHistory(t *testing.T) {
	const size, fork = 40, 8
	storeA, leavesA, rootsA := grow(t, size, 0)
	storeB, rootsB := forkAfter(t, leavesA, fork, size)
	stores, roots := []Store{storeA, storeB}, [][]Hash{rootsA, rootsB}
	rapid.Check(t, func(rt *rapid.T) {
		var w WitnessState
		side := -1 // the history that w is bound to once it is past the fork
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			h := rapid.IntRange(0, 1).Draw(rt, "history")
			n := rapid.Int64Range(1, size).Draw(rt, "size")
			old := w.Size
			if rapid.Bool().Draw(rt, "guess") {
				old = rapid.Int64Range(0, n).Draw(rt, "old")
			}
			p := Consistency{Old: old, New: n}
			if old <= n {
				var err error
				if p, err = ProveConsistency(old, n, stores[h]); err != nil {
					rt.Fatal(err)
				}
			}
			_, next, err := w.Consider(SignCheckpoint(Checkpoint{origin, n, roots[h][n-1]}, key("a")), p, origin, public("a"))
			if err != nil {
				if next != w {
					rt.Fatal("a refusal moved the state")
				}
				continue
			}
			if next.Size < w.Size || next.Root != roots[h][n-1] {
				rt.Fatalf("accepted %d after %d", next.Size, w.Size)
			}
			if n > fork && side >= 0 && side != h {
				rt.Fatal("the witness cosigned both sides of a fork")
			}
			if n > fork {
				side = h
			}
			w = next
		}
	})
}

// forkAfter grows a log that shares its first keep leaves with the given one.
func forkAfter(t *testing.T, leaves []Hash, keep, size int) (Store, []Hash) {
	t.Helper()
	var hashes, roots []Hash
	store := func(idx []int64) ([]Hash, error) {
		out := make([]Hash, len(idx))
		for i, x := range idx {
			out[i] = hashes[x]
		}
		return out, nil
	}
	for i := range size {
		leaf := leaves[i]
		if i >= keep {
			leaf = Commit(Hash{9}, leaf[:])
		}
		more, err := Append(int64(i), leaf, store)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		root, err := Root(int64(i+1), store)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	return store, roots
}
