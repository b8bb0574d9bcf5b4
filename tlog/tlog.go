// Package tlog is the transparency log's mathematics: hiding commitments as
// leaves, Merkle proofs (RFC 6962, computed by golang.org/x/mod/sumdb/tlog),
// checkpoints in the C2SP tlog-checkpoint form and cosignatures in the C2SP
// tlog-cosignature form, so that other people's tools can check this log.
//
// It is pure. A leaf says nothing by itself: it commits to a record under a
// random nonce, and only whoever holds the opening can say what it stands for.
package tlog

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"parallax/signed"
)

// A Hash is a SHA-256 value; base64 in text.
type Hash [32]byte

// MarshalText gives standard base64.
func (h Hash) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads the one base64 spelling of 32 bytes.
func (h *Hash) UnmarshalText(text []byte) error {
	if err := signed.DecodeBase64(h[:], text); err != nil {
		return fmt.Errorf("hash: %w", err)
	}
	return nil
}

// Commit is a hiding commitment: SHA-256 over a domain, a nonce and the record.
func Commit(nonce Hash, record []byte) Hash {
	h := sha256.New()
	h.Write([]byte("parallax/log-leaf/v1\x00"))
	h.Write(nonce[:])
	h.Write(record)
	return Hash(h.Sum(nil))
}

// An Opening shows what a leaf commits to.
type Opening struct {
	Nonce  Hash   `json:"nonce"`
	Record []byte `json:"record"`
}

// LeafHash is the RFC 6962 leaf hash of a commitment.
func LeafHash(commitment Hash) Hash { return Hash(tlog.RecordHash(commitment[:])) }

// An Inclusion proof: the leaf at Index in the log of Size entries.
type Inclusion struct {
	Index int64  `json:"index"`
	Size  int64  `json:"size"`
	Path  []Hash `json:"path"`
}

// Verify checks that commitment is the leaf at p.Index under root.
func (p Inclusion) Verify(commitment, root Hash) error {
	if p.Index < 0 || p.Size <= p.Index {
		return errors.New("the index is outside the log")
	}
	return tlog.CheckRecord(toProof(p.Path), p.Size, tlog.Hash(root), p.Index, tlog.Hash(LeafHash(commitment)))
}

// A Consistency proof: the log of Old entries is a prefix of that of New.
type Consistency struct {
	Old  int64  `json:"old"`
	New  int64  `json:"new"`
	Path []Hash `json:"path"`
}

// EmptyRoot is the root of a log without entries: SHA-256 of nothing.
func EmptyRoot() Hash { return Hash(sha256.Sum256(nil)) }

// Verify checks consistency between two roots. An empty log is a prefix of
// every log, whatever oldRoot is. Where nothing is to be proved the path must
// be empty.
func (p Consistency) Verify(oldRoot, newRoot Hash) error {
	switch {
	case p.Old < 0 || p.New < p.Old:
		return fmt.Errorf("a log of %d entries cannot follow one of %d", p.New, p.Old)
	case (p.Old == 0 || p.Old == p.New) && len(p.Path) != 0:
		return errors.New("the proof has a path where none is needed")
	case p.Old == 0 && p.New == 0 && newRoot != EmptyRoot():
		return errors.New("a log without entries has another root")
	case p.Old == 0:
		return nil
	case p.Old == p.New:
		if oldRoot != newRoot {
			return errors.New("two logs of one size have different roots")
		}
		return nil
	}
	return tlog.CheckTree(tlog.TreeProof(toProof(p.Path)), p.New, tlog.Hash(newRoot), p.Old, tlog.Hash(oldRoot))
}

func toProof(path []Hash) tlog.RecordProof {
	out := make(tlog.RecordProof, len(path))
	for i, h := range path {
		out[i] = tlog.Hash(h)
	}
	return out
}

func fromProof[P ~[]tlog.Hash](p P) []Hash {
	out := make([]Hash, len(p))
	for i, h := range p {
		out[i] = Hash(h)
	}
	return out
}

// A Store gives stored hashes by index, in the layout of x/mod's StoredHashes.
type Store func(indexes []int64) ([]Hash, error)

func (s Store) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		got, err := s(indexes)
		if err != nil {
			return nil, err
		}
		out := make([]tlog.Hash, len(got))
		for i, h := range got {
			out[i] = tlog.Hash(h)
		}
		return out, nil
	})
}

// StoredAt is the index of the first hash that appending leaf n stores.
func StoredAt(n int64) int64 { return tlog.StoredHashIndex(0, n) }

// Append gives the hashes to store for a new leaf at index n.
func Append(n int64, commitment Hash, store Store) ([]Hash, error) {
	got, err := tlog.StoredHashesForRecordHash(n, tlog.Hash(LeafHash(commitment)), store.reader())
	return fromProof(got), err
}

// Root is the Merkle root of the first size leaves.
func Root(size int64, store Store) (Hash, error) {
	if size == 0 {
		return EmptyRoot(), nil
	}
	h, err := tlog.TreeHash(size, store.reader())
	return Hash(h), err
}

// ProveInclusion makes the proof for the leaf at index.
func ProveInclusion(size, index int64, store Store) (Inclusion, error) {
	p, err := tlog.ProveRecord(size, index, store.reader())
	return Inclusion{Index: index, Size: size, Path: fromProof(p)}, err
}

// ProveConsistency makes the proof from old to new.
func ProveConsistency(old, size int64, store Store) (Consistency, error) {
	if old == 0 || old == size {
		return Consistency{Old: old, New: size, Path: []Hash{}}, nil
	}
	p, err := tlog.ProveTree(size, old, store.reader())
	return Consistency{Old: old, New: size, Path: fromProof(p)}, err
}
