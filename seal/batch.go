package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	leafDomain  = "parallax/batch-leaf/v1\x00"
	nodeDomain  = "parallax/batch-node/v1\x00"
	rootDomain  = "parallax/batch-root/v1\x00"
	batchDomain = "parallax/batch/v1\x00"
)

// MaxBatch bounds the observations under one signature.
const MaxBatch = 1 << 16

// A Leaf stands for one observation in its batch. It covers label and
// encapsulation: header and box hang on the label, and the batch signature
// fixes which u, ubar, e and f go with it, so nobody can put another
// encapsulation under a member's label unseen.
type Leaf [32]byte

// MarshalText gives standard base64.
func (l Leaf) MarshalText() ([]byte, error) { return Bytes32(l).MarshalText() }

// UnmarshalText reads the one base64 spelling of 32 bytes.
func (l *Leaf) UnmarshalText(text []byte) error { return (*Bytes32)(l).UnmarshalText(text) }

// LeafOf is the leaf of the observation with this label and encapsulation.
func LeafOf(l Label, k KEM) Leaf {
	h := sha256.New()
	h.Write([]byte(leafDomain))
	for _, part := range [][]byte{l[:], k.U[:], k.Ubar[:], k.E[:], k.F[:]} {
		h.Write(part)
	}
	return Leaf(h.Sum(nil))
}

// A Path shows that a leaf is the Index-th of Count in a batch.
type Path struct {
	Index int       `json:"index"`
	Count int       `json:"count"`
	Nodes []Bytes32 `json:"nodes"` // from the leaf upwards
}

func nodeHash(a, b Bytes32) Bytes32 {
	return sha256.Sum256(append(append([]byte(nodeDomain), a[:]...), b[:]...))
}

func rootHash(count int, top Bytes32) [32]byte {
	head := binary.BigEndian.AppendUint64([]byte(rootDomain), uint64(count))
	return sha256.Sum256(append(head, top[:]...))
}

// level hashes pairs; an odd last node goes up as it is.
func level(nodes []Bytes32) []Bytes32 {
	out := make([]Bytes32, 0, (len(nodes)+1)/2)
	for i := 0; i < len(nodes); i += 2 {
		if i+1 < len(nodes) {
			out = append(out, nodeHash(nodes[i], nodes[i+1]))
		} else {
			out = append(out, nodes[i])
		}
	}
	return out
}

func bottom(leaves []Leaf) ([]Bytes32, error) {
	if len(leaves) == 0 || len(leaves) > MaxBatch {
		return nil, fmt.Errorf("a batch of %d observations, want 1 to %d", len(leaves), MaxBatch)
	}
	out := make([]Bytes32, len(leaves))
	for i, l := range leaves {
		out[i] = Bytes32(l)
	}
	return out, nil
}

// Root is the Merkle root of a batch; it binds the number of observations and
// their order.
func Root(leaves []Leaf) ([32]byte, error) {
	nodes, err := bottom(leaves)
	if err != nil {
		return [32]byte{}, err
	}
	for len(nodes) > 1 {
		nodes = level(nodes) // one level at a time: a root needs no tree kept
	}
	return rootHash(len(leaves), nodes[0]), nil
}

// A Tree is the Merkle tree over a batch, for whoever proves several of its
// leaves: each level from the leaves upwards, 32 bytes for each of fewer than
// twice as many nodes as leaves.
type Tree [][]Bytes32

// NewTree hashes a batch of 1 to MaxBatch leaves.
func NewTree(leaves []Leaf) (Tree, error) {
	nodes, err := bottom(leaves)
	if err != nil {
		return nil, err
	}
	t := Tree{nodes}
	for len(nodes) > 1 {
		nodes = level(nodes)
		t = append(t, nodes)
	}
	return t, nil
}

// Prove gives the path of the i-th leaf.
func (t Tree) Prove(i int) (Path, error) {
	count := 0 // of a Tree that NewTree did not make
	if len(t) > 0 {
		count = len(t[0])
	}
	if i < 0 || i >= count {
		return Path{}, fmt.Errorf("no observation %d in a batch of %d", i, count)
	}
	p := Path{Index: i, Count: count, Nodes: []Bytes32{}}
	for at, nodes := range t[:len(t)-1] {
		if sibling := i>>at ^ 1; sibling < len(nodes) {
			p.Nodes = append(p.Nodes, nodes[sibling])
		}
	}
	return p, nil
}

// Prove gives the path of the i-th leaf, for whoever proves one.
func Prove(leaves []Leaf, i int) (Path, error) {
	t, err := NewTree(leaves)
	if err != nil {
		return Path{}, err
	}
	return t.Prove(i)
}

// Verify checks that leaf has this place under root.
func (p Path) Verify(leaf Leaf, root [32]byte) error {
	wrong := errors.New("the path does not lead from the observation to the batch root")
	if p.Count < 1 || p.Count > MaxBatch || p.Index < 0 || p.Index >= p.Count {
		return wrong
	}
	node, rest := Bytes32(leaf), p.Nodes
	for at, size := p.Index, p.Count; size > 1; at, size = at/2, (size+1)/2 {
		if at^1 >= size {
			continue
		}
		if len(rest) == 0 {
			return wrong
		}
		if at&1 == 0 {
			node = nodeHash(node, rest[0])
		} else {
			node = nodeHash(rest[0], node)
		}
		rest = rest[1:]
	}
	if len(rest) > 0 || rootHash(p.Count, node) != root {
		return wrong
	}
	return nil
}

func batchInput(pool, epoch, org string, root [32]byte) []byte {
	return append([]byte(batchDomain), frame([]byte(pool), []byte(epoch), []byte(org), root[:])...)
}

// SignBatch signs a batch's root for its organisation.
func SignBatch(key ed25519.PrivateKey, pool, epoch, org string, root [32]byte) []byte {
	return ed25519.Sign(key, batchInput(pool, epoch, org, root))
}

// VerifyBatch checks an organisation's signature over a batch's root.
func VerifyBatch(pub ed25519.PublicKey, pool, epoch, org string, root [32]byte, sig []byte) error {
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, batchInput(pool, epoch, org, root), sig) {
		return errors.New("the batch is not signed by its organisation")
	}
	return nil
}
