package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

// naiveTop is RFC 6962's recursive definition (split at the largest power of
// two below n) with this package's domains: another algorithm than level by
// level, the same tree.
func naiveTop(labels []Label) [32]byte {
	if len(labels) == 1 {
		return sha256.Sum256([]byte("parallax/batch-leaf/v1\x00" + string(labels[0][:])))
	}
	k := 1
	for k*2 < len(labels) {
		k *= 2
	}
	a, b := naiveTop(labels[:k]), naiveTop(labels[k:])
	return sha256.Sum256([]byte("parallax/batch-node/v1\x00" + string(a[:]) + string(b[:])))
}

func naiveRoot(labels []Label) [32]byte {
	top := naiveTop(labels)
	head := binary.BigEndian.AppendUint64([]byte("parallax/batch-root/v1\x00"), uint64(len(labels)))
	return sha256.Sum256(append(head, top[:]...))
}

func numbered(n int) []Label {
	out := make([]Label, n)
	for i := range out {
		binary.BigEndian.PutUint64(out[i][:], uint64(i))
	}
	return out
}

func TestRootIsTheNaiveRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		labels := make([]Label, n)
		for i := range labels {
			copy(labels[i][:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "label"))
		}
		got, err := Root(labels)
		if err != nil || got != naiveRoot(labels) {
			t.Fatalf("%d labels: another root than the naive one (%v)", n, err)
		}
	})
}

// All sizes to 33, every path against every place: only its own verifies.
func TestEveryPathVerifiesInItsPlaceOnly(t *testing.T) {
	roots := map[[32]byte]int{}
	for n := 1; n <= 33; n++ {
		labels := numbered(n)
		root, err := Root(labels)
		if err != nil || root != naiveRoot(labels) {
			t.Fatalf("%d labels: wrong root (%v)", n, err)
		}
		if m, dup := roots[root]; dup {
			t.Fatalf("%d and %d labels share a root", n, m)
		}
		roots[root] = n
		for i := range labels {
			p, err := Prove(labels, i)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(labels[i], root); err != nil {
				t.Fatalf("%d of %d: %v", i, n, err)
			}
			for j := -1; j <= n; j++ {
				q := Path{Index: j, Count: n, Nodes: p.Nodes}
				if j != i && q.Verify(labels[i], root) == nil {
					t.Fatalf("the path of %d of %d verifies as %d", i, n, j)
				}
			}
			for m := -1; m <= 70; m++ {
				q := Path{Index: i, Count: m, Nodes: p.Nodes}
				if m != n && q.Verify(labels[i], root) == nil {
					t.Fatalf("the path of %d of %d verifies in %d", i, n, m)
				}
			}
			if len(p.Nodes) > 0 && (Path{i, n, p.Nodes[1:]}).Verify(labels[i], root) == nil {
				t.Fatalf("a path cut short verifies")
			}
		}
	}
}

// A node is no leaf, a leaf no node and neither a root, so that nobody can
// show an inner node as an observation or a batch as one of another size.
func TestNodesLeavesAndRootsDoNotMix(t *testing.T) {
	labels := numbered(4)
	root, err := Root(labels)
	if err != nil {
		t.Fatal(err)
	}
	a, b := leafHash(labels[0]), leafHash(labels[1])
	c, d := leafHash(labels[2]), leafHash(labels[3])
	left, right := nodeHash(a, b), nodeHash(c, d)
	var inner Label // 64 bytes, the size of two nodes: the classic second preimage
	copy(inner[:], append(a[:], b[:]...))
	var top Label
	copy(top[:], append(left[:], right[:]...))
	if leafHash(inner) == left || leafHash(top) == nodeHash(left, right) {
		t.Fatal("a leaf hashes like a node")
	}
	for name, c := range map[string]struct {
		p Path
		l Label
	}{
		"inner node as a leaf of two":  {Path{0, 2, []Bytes32{right}}, inner},
		"inner node as a leaf of four": {Path{0, 4, []Bytes32{right}}, inner},
		"top as the only leaf":         {Path{0, 1, nil}, top},
	} {
		if c.p.Verify(c.l, root) == nil {
			t.Error(name)
		}
	}
	if two, err := Root([]Label{inner, labels[2]}); err != nil || two == root {
		t.Error("a batch of two has the root of a batch of four")
	}
	twice := append(numbered(3), labels[2]) // the odd last one is not doubled
	if x, _ := Root(twice); x == naiveRoot(numbered(3)) {
		t.Error("a repeated last label does not show")
	}
	if root == [32]byte(nodeHash(left, right)) {
		t.Error("the root does not bind the count")
	}
}

func TestBatchSizes(t *testing.T) {
	if _, err := Root(nil); err == nil {
		t.Error("an empty batch has a root")
	}
	if _, err := Root(make([]Label, MaxBatch+1)); err == nil {
		t.Error("a batch above the bound has a root")
	}
	labels := numbered(MaxBatch)
	root, err := Root(labels)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prove(labels, MaxBatch-1)
	if err != nil || len(p.Nodes) != 16 || p.Verify(labels[MaxBatch-1], root) != nil {
		t.Errorf("the largest batch: %d nodes, %v", len(p.Nodes), err)
	}
	for _, i := range []int{-1, 3} {
		if _, err := Prove(numbered(3), i); err == nil {
			t.Errorf("there is a path for label %d of 3", i)
		}
	}
}

// These bytes are under signatures: they must never change in silence. The
// values come from a separate program, not from this package.
func TestRootsAreStable(t *testing.T) {
	for n, want := range map[int]string{
		1: "bbfa9b7e39a72bab6f0eff77ee3e2adcc17a6f4c35fcd3ac8e1df712e674d7df", 2: "3819f89659b874d7b519d9c731d6183f34c3925be5000828dfaded6f666c28ec", 3: "383b73358fa0617f0b64e060ea2f7273d9623aec586af7a4d9c81126da89b9b1", 33: "f2a9ce110c20fb3f6c011c34fe0d17f3d2e62f8c6d762afd87e7dd2342595aea",
	} {
		root, err := Root(numbered(n))
		if got := hex.EncodeToString(root[:]); err != nil || got != want {
			t.Errorf("%d labels: %s, %v", n, got, err)
		}
	}
}
