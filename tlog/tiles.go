package tlog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// TileWidth is how many hashes, or entries, a full tile holds.
const TileWidth = 256

const (
	tileHeight = 8
	maxLevel   = 63
)

// Entries is the level of the tiles that hold entries, below the level 0 of
// their leaf hashes.
const Entries = -1

// A Tile is a run of hashes of one level, or of entries, in the layout of C2SP
// tlog-tiles. Levels are eight levels of the tree apart. A tile of fewer than
// TileWidth hashes is the right edge of a log of some size; what a tile holds
// never changes.
type Tile struct {
	Level int // Entries, 0, 1, ...
	Index int64
	Width int // 1 to TileWidth
}

// Path is the tile's address below "tile/".
func (t Tile) Path() string {
	p := strings.TrimPrefix(t.ref().Path(), "tile/8/")
	if t.Level == Entries {
		return "entries/" + strings.TrimPrefix(p, "data/")
	}
	return p
}

func (t Tile) ref() tlog.Tile { return tlog.Tile{H: tileHeight, L: t.Level, N: t.Index, W: t.Width} }

// ParseTile reads an address below "tile/" in its one spelling.
func ParseTile(path string) (Tile, error) {
	switch rest, ok := strings.CutPrefix(path, "entries/"); {
	case ok:
		path = "data/" + rest
	case strings.HasPrefix(path, "data/"):
		return Tile{}, errors.New("not the address of a tile")
	}
	t, err := tlog.ParseTilePath("tile/8/" + path)
	if err != nil || t.L > maxLevel {
		return Tile{}, errors.New("not the address of a tile")
	}
	return Tile{Level: t.L, Index: t.N, Width: t.W}, nil
}

// Covered reports that a log of size entries holds the whole tile.
func (t Tile) Covered(size int64) bool {
	have := size >> (tileHeight * max(t.Level, 0))
	first := have / TileWidth // so that the product cannot overflow
	return t.Index < first || t.Index == first && t.Index*TileWidth+int64(t.Width) <= have
}

// Places are the indexes of the tile's hashes in the layout of [Store].
func (t Tile) Places() []int64 {
	out := make([]int64, t.Width)
	for i := range out {
		out[i] = tlog.StoredHashIndex(tileHeight*t.Level, t.Index*TileWidth+int64(i))
	}
	return out
}

// Tiles are all tiles of a level in a log of size entries, the last one partial
// where the level's size is no multiple of TileWidth.
func Tiles(level int, size int64) []Tile {
	have := size >> (tileHeight * max(level, 0))
	var out []Tile
	for n := int64(0); n*TileWidth < have; n++ {
		out = append(out, Tile{Level: level, Index: n, Width: int(min(TileWidth, have-n*TileWidth))})
	}
	return out
}

// AppendEntry adds an entry to a tile of entries: its length in two bytes and
// the commitment.
func AppendEntry(bundle []byte, commitment Hash) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(commitment))), commitment[:]...)
}

// entrySize is what an entry takes in a tile of entries, in bytes.
const entrySize = 2 + len(Hash{})

// ReadEntries reads exactly width commitments.
func ReadEntries(bundle []byte, width int) ([]Hash, error) {
	if len(bundle) != width*entrySize {
		return nil, fmt.Errorf("a tile of %d entries has %d bytes, not %d", width, width*entrySize, len(bundle))
	}
	out := make([]Hash, width)
	for i := range out {
		entry := bundle[i*entrySize : (i+1)*entrySize]
		if binary.BigEndian.Uint16(entry) != uint16(len(Hash{})) {
			return nil, fmt.Errorf("entry %d of a tile is no commitment of %d bytes", i, len(Hash{}))
		}
		copy(out[i][:], entry[2:])
	}
	return out, nil
}

// A Rebuild computes a log anew from its commitments alone and believes no
// stored hash. It keeps one partial tile for each level, so that a log of any
// size can pass through. It shares no code with what makes the log.
type Rebuild struct {
	size  int64
	stack []Hash   // roots of the full subtrees, largest first
	rows  [][]Hash // the growing tile of each level
	// Full is called with each tile that is complete, in order of level within
	// one entry; nil for none.
	Full func(Tile, []Hash) error
}

func node(left, right Hash) Hash {
	b := append([]byte{1}, left[:]...)
	return sha256.Sum256(append(b, right[:]...))
}

// Add appends a leaf.
func (r *Rebuild) Add(commitment Hash) error {
	leaf := Hash(sha256.Sum256(append([]byte{0}, commitment[:]...)))
	h := leaf
	for n := r.size; n&1 == 1; n >>= 1 {
		h = node(r.stack[len(r.stack)-1], h)
		r.stack = r.stack[:len(r.stack)-1]
	}
	r.stack = append(r.stack, h)
	r.size++
	return r.row(0, leaf)
}

// row puts a hash into the tile of a level, and the root of a full tile into
// the level above.
func (r *Rebuild) row(level int, h Hash) error {
	if level == len(r.rows) {
		r.rows = append(r.rows, nil)
	}
	r.rows[level] = append(r.rows[level], h)
	if len(r.rows[level]) < TileWidth {
		return nil
	}
	full := r.rows[level]
	r.rows[level] = nil
	if r.Full != nil {
		t := Tile{Level: level, Index: r.size>>(tileHeight*(level+1)) - 1, Width: TileWidth}
		if err := r.Full(t, full); err != nil {
			return err
		}
	}
	up := append([]Hash{}, full...)
	for ; len(up) > 1; up = up[:len(up)/2] {
		for i := range len(up) / 2 {
			up[i] = node(up[2*i], up[2*i+1])
		}
	}
	return r.row(level+1, up[0])
}

// Edge gives the partial tiles at the log's right edge.
func (r *Rebuild) Edge(use func(Tile, []Hash) error) error {
	for level, row := range r.rows {
		if len(row) == 0 {
			continue
		}
		t := Tile{Level: level, Index: r.size >> (tileHeight * (level + 1)), Width: len(row)}
		if err := use(t, row); err != nil {
			return err
		}
	}
	return nil
}

// Size is how many leaves were added.
func (r *Rebuild) Size() int64 { return r.size }

// Root is the Merkle root of what was added so far.
func (r *Rebuild) Root() Hash {
	if r.size == 0 {
		return EmptyRoot()
	}
	h := r.stack[len(r.stack)-1]
	for i := len(r.stack) - 2; i >= 0; i-- {
		h = node(r.stack[i], h)
	}
	return h
}

// A TileSource gives the bytes of tiles, in order.
type TileSource func(tiles []Tile) ([][]byte, error)

// ProveFromTiles makes the proof from old to the log at cp out of its tiles,
// each of which is first shown to be of that log.
func ProveFromTiles(old int64, cp Checkpoint, tiles TileSource) (Consistency, error) {
	if old > cp.Size {
		return Consistency{}, fmt.Errorf("a log of %d entries cannot follow one of %d", cp.Size, old)
	}
	reader := tlog.TileHashReader(tlog.Tree{N: cp.Size, Hash: tlog.Hash(cp.Root)}, tileReader{tiles})
	return ProveConsistency(old, cp.Size, func(at []int64) ([]Hash, error) {
		got, err := reader.ReadHashes(at)
		return fromProof(got), err
	})
}

// tileReader gives x/mod tiles from a TileSource.
type tileReader struct{ source TileSource }

// Height implements tlog.TileReader.
func (tileReader) Height() int { return tileHeight }

// SaveTiles implements tlog.TileReader; nothing is kept.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	list := make([]Tile, len(tiles))
	for i, t := range tiles {
		list[i] = Tile{Level: t.L, Index: t.N, Width: t.W}
	}
	return r.source(list)
}

// ProofText is an inclusion proof with its checkpoint as C2SP tlog-proof spells
// it: one file that shows a place in the log without any connection.
func ProofText(p Inclusion, note []byte) []byte {
	out := fmt.Appendf(nil, "c2sp.org/tlog-proof@v1\nindex %d\n", p.Index)
	for _, h := range p.Path {
		text, _ := h.MarshalText() // never fails
		out = append(append(out, text...), '\n')
	}
	return append(append(out, '\n'), note...)
}
