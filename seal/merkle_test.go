package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"parallax/group"
)

// naiveTop is RFC 6962's recursive definition (split at the largest power of
// two below n) with this package's domains: another algorithm than level by
// level, the same tree.
func naiveTop(leaves []Leaf) [32]byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	a, b := naiveTop(leaves[:k]), naiveTop(leaves[k:])
	return sha256.Sum256([]byte("parallax/batch-node/v1\x00" + string(a[:]) + string(b[:])))
}

func naiveRoot(leaves []Leaf) [32]byte {
	top := naiveTop(leaves)
	head := binary.BigEndian.AppendUint64([]byte("parallax/batch-root/v1\x00"), uint64(len(leaves)))
	return sha256.Sum256(append(head, top[:]...))
}

// numbered gives the leaves of made-up leaves and encapsulations.
func numbered(n int) []Leaf {
	out := make([]Leaf, n)
	for i := range out {
		var l Label
		binary.BigEndian.PutUint64(l[:], uint64(i))
		out[i] = LeafOf(l, KEM{U: group.Point{byte(i)}, Ubar: group.Point{1}, E: Bytes32{2}, F: Bytes32{3}})
	}
	return out
}

// The leaf, spelled out once more from docs/design/sealing.md: every part of
// the encapsulation is in it.
func TestLeafCoversLabelAndEncapsulation(t *testing.T) {
	l := Label{7}
	k := KEM{U: group.Point{1}, Ubar: group.Point{2}, E: Bytes32{3}, F: Bytes32{4}}
	want := sha256.Sum256([]byte("parallax/batch-leaf/v1\x00" + string(l[:]) + string(k.U[:]) + string(k.Ubar[:]) + string(k.E[:]) + string(k.F[:])))
	if got := LeafOf(l, k); got != Leaf(want) {
		t.Fatalf("leaf %x, want %x", got, want)
	}
	seen := map[Leaf]bool{LeafOf(l, k): true}
	for _, c := range []struct {
		l Label
		k KEM
	}{{Label{8}, k}, {l, KEM{group.Point{9}, k.Ubar, k.E, k.F}}, {l, KEM{k.U, group.Point{9}, k.E, k.F}},
		{l, KEM{k.U, k.Ubar, Bytes32{9}, k.F}}, {l, KEM{k.U, k.Ubar, k.E, Bytes32{9}}}, {l, KEM{k.Ubar, k.U, k.E, k.F}}} {
		if leaf := LeafOf(c.l, c.k); seen[leaf] {
			t.Errorf("another label or encapsulation has the same leaf: %+v", c)
		} else {
			seen[leaf] = true
		}
	}
}

func TestRootIsTheNaiveRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		leaves := make([]Leaf, n)
		for i := range leaves {
			copy(leaves[i][:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "leaf"))
		}
		got, err := Root(leaves)
		if err != nil || got != naiveRoot(leaves) {
			t.Fatalf("%d leaves: another root than the naive one (%v)", n, err)
		}
	})
}

// All sizes to 33, every path against every place: only its own verifies.
func TestEveryPathVerifiesInItsPlaceOnly(t *testing.T) {
	roots := map[[32]byte]int{}
	for n := 1; n <= 33; n++ {
		leaves := numbered(n)
		root, err := Root(leaves)
		if err != nil || root != naiveRoot(leaves) {
			t.Fatalf("%d leaves: wrong root (%v)", n, err)
		}
		if m, dup := roots[root]; dup {
			t.Fatalf("%d and %d leaves share a root", n, m)
		}
		roots[root] = n
		for i := range leaves {
			p, err := Prove(leaves, i)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(leaves[i], root); err != nil {
				t.Fatalf("%d of %d: %v", i, n, err)
			}
			for j := -1; j <= n; j++ {
				q := Path{Index: j, Count: n, Nodes: p.Nodes}
				if j != i && q.Verify(leaves[i], root) == nil {
					t.Fatalf("the path of %d of %d verifies as %d", i, n, j)
				}
			}
			for m := -1; m <= 70; m++ {
				q := Path{Index: i, Count: m, Nodes: p.Nodes}
				if m != n && q.Verify(leaves[i], root) == nil {
					t.Fatalf("the path of %d of %d verifies in %d", i, n, m)
				}
			}
			if len(p.Nodes) > 0 && (Path{i, n, p.Nodes[1:]}).Verify(leaves[i], root) == nil {
				t.Fatalf("a path cut short verifies")
			}
		}
	}
}

// A node is no root and a batch no batch of another size. A leaf is always
// computed from label and encapsulation under a domain of its own, so an inner
// node cannot be shown as an observation: whoever verifies a path has made the
// leaf from the observation before it (see [Leaf]).
func TestNodesLeavesAndRootsDoNotMix(t *testing.T) {
	leaves := numbered(4)
	root, err := Root(leaves)
	if err != nil {
		t.Fatal(err)
	}
	left := nodeHash(Bytes32(leaves[0]), Bytes32(leaves[1]))
	right := nodeHash(Bytes32(leaves[2]), Bytes32(leaves[3]))
	var inner Label // 64 bytes, the size of two nodes: the classic second preimage
	copy(inner[:], append(leaves[0][:], leaves[1][:]...))
	for name, p := range map[string]Path{
		"inner node as a leaf of two":  {0, 2, []Bytes32{right}},
		"inner node as a leaf of four": {0, 4, []Bytes32{right}},
		"top as the only leaf":         {0, 1, nil},
	} {
		if p.Verify(LeafOf(inner, KEM{}), root) == nil {
			t.Error(name)
		}
	}
	if two, err := Root([]Leaf{Leaf(left), Leaf(right)}); err != nil || two == root {
		t.Error("a batch of two has the root of a batch of four")
	}
	twice := append(numbered(3), leaves[2]) // the odd last one is not doubled
	if x, _ := Root(twice); x == naiveRoot(numbered(3)) {
		t.Error("a repeated last leaf does not show")
	}
	if root == [32]byte(nodeHash(left, right)) {
		t.Error("the root does not bind the count")
	}
}

func TestBatchSizes(t *testing.T) {
	if _, err := Root(nil); err == nil {
		t.Error("an empty batch has a root")
	}
	if _, err := Root(make([]Leaf, MaxBatch+1)); err == nil {
		t.Error("a batch above the bound has a root")
	}
	leaves := numbered(MaxBatch)
	root, err := Root(leaves)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prove(leaves, MaxBatch-1)
	if err != nil || len(p.Nodes) != 16 || p.Verify(leaves[MaxBatch-1], root) != nil {
		t.Errorf("the largest batch: %d nodes, %v", len(p.Nodes), err)
	}
	for _, i := range []int{-1, 3} {
		if _, err := Prove(numbered(3), i); err == nil {
			t.Errorf("there is a path for leaf %d of 3", i)
		}
	}
}

// These bytes are under signatures: they must never change in silence. The
// values come from a separate program, not from this package.
func TestRootsAreStable(t *testing.T) {
	for n, want := range map[int]string{
		1: "e5a997dbd79b50f3e91438298ec46d2c4109baadaae02a84286ca0db1cda8495", 2: "7070e2e848bfb3429472d4beafefe8a99a90c815826c4ec3d75e8925163ada0d", 3: "6f49eba2f50689396ed46824a7eee8f1ad7af907de464253d0c72a564b2914a7", 33: "5758eefabdf526025729310a68da05facebe20c4665367b0568ca783adc0e204",
	} {
		root, err := Root(numbered(n))
		if got := hex.EncodeToString(root[:]); err != nil || got != want {
			t.Errorf("%d leaves: %s, %v", n, got, err)
		}
	}
}
