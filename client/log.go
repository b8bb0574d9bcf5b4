package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"parallax/tlog"
)

// A LogSource reads a hub's log by its tiles (C2SP tlog-tiles).
type LogSource struct {
	URL  string // of the hub
	HTTP *http.Client
}

// Checkpoint is the newest witnessed checkpoint, a note that is still to be
// verified.
func (s LogSource) Checkpoint(ctx context.Context) ([]byte, error) {
	var note []byte
	err := Get(ctx, s.HTTP, s.URL+PathLog+"checkpoint", &note)
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		err = fmt.Errorf("%w: %w", ErrNoCheckpoint, err)
	}
	return note, err
}

// ErrNoCheckpoint: the log is younger than its first tick.
var ErrNoCheckpoint = errors.New("the log has no witnessed checkpoint yet; the first comes with the first tick")

// Tile reads the bytes of one tile.
func (s LogSource) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	var raw []byte
	if err := Get(ctx, s.HTTP, s.URL+PathLog+"tile/"+t.Path(), &raw); err != nil {
		return nil, fmt.Errorf("tile %s: %w", t.Path(), err)
	}
	return raw, nil
}

// Tiles gives tiles to a proof.
func (s LogSource) Tiles(ctx context.Context) tlog.TileSource {
	return func(tiles []tlog.Tile) ([][]byte, error) {
		out := make([][]byte, len(tiles))
		for i, t := range tiles {
			var err error
			if out[i], err = s.Tile(ctx, t); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// A Fork is a log whose head does not hold what an earlier head, signed by the
// same log, held: it was rolled back or shows different people different logs.
// The two notes are the evidence.
type Fork struct {
	Earlier, Now tlog.Checkpoint
	Reason       string
}

// Error says what differs.
func (f *Fork) Error() string {
	return fmt.Sprintf("the log of %d entries does not follow from its earlier checkpoint of %d: %s", f.Now.Size, f.Earlier.Size, f.Reason)
}

// A Rebuilt is what reading a whole log showed.
type Rebuilt struct {
	Entries int64
	Tiles   int
	// Found are the first places of the commitments that were looked for.
	Found map[tlog.Hash]int64
	// Roots are the roots at the sizes that were asked for.
	Roots map[int64]tlog.Hash
}

// A Look says what to compare and to look for while a log is read.
type Look struct {
	Earlier []tlog.Checkpoint // heads that the log must hold
	Wanted  []tlog.Hash       // commitments whose places are asked
	Sizes   []int64           // at which the roots are asked
	Step    func()            // after each tile; may be nil
	Each    func(tlog.Hash)   // each commitment, in order; may be nil
}

// Rebuild downloads every tile of the log at cp and computes it anew from its
// entries: every hash of every tile, the root, and the roots at earlier heads.
// A log that does not follow from an earlier head is a *[Fork].
func (s LogSource) Rebuild(ctx context.Context, cp tlog.Checkpoint, look Look) (Rebuilt, error) {
	b := &rebuilder{source: s, ctx: ctx, cp: cp, earlier: map[int64][]tlog.Checkpoint{}, look: look, out: Rebuilt{Found: map[tlog.Hash]int64{}, Roots: map[int64]tlog.Hash{}}, sizes: map[int64]bool{}}
	for _, n := range look.Sizes {
		b.sizes[n] = true
	}
	for _, e := range look.Earlier {
		if e.Size > cp.Size {
			return b.out, &Fork{e, cp, "entries are missing"}
		}
		if e.Size > 0 { // who has seen nothing has no root
			b.earlier[e.Size] = append(b.earlier[e.Size], e)
		}
	}
	for _, h := range look.Wanted {
		b.out.Found[h] = -1
	}
	b.log.Full = b.compare
	for _, t := range tlog.Tiles(tlog.Entries, cp.Size) {
		if err := b.entries(t); err != nil {
			return b.out, err
		}
	}
	if err := b.log.Edge(b.compare); err != nil {
		return b.out, err
	}
	if b.log.Root() != cp.Root {
		return b.out, errors.New("the entries do not give the root that the checkpoint signs")
	}
	for h, at := range b.out.Found {
		if at < 0 {
			delete(b.out.Found, h)
		}
	}
	b.out.Entries = b.log.Size()
	return b.out, nil
}

// TilesOf is how many tiles Rebuild reads of a log of size entries.
func TilesOf(size int64) int {
	n := len(tlog.Tiles(tlog.Entries, size))
	for level := 0; size>>(8*level) > 0; level++ {
		n += len(tlog.Tiles(level, size))
	}
	return n
}

// rebuilder is one run of Rebuild.
type rebuilder struct {
	source  LogSource
	ctx     context.Context
	cp      tlog.Checkpoint
	earlier map[int64][]tlog.Checkpoint
	look    Look
	sizes   map[int64]bool
	log     tlog.Rebuild
	out     Rebuilt
}

func (b *rebuilder) read(t tlog.Tile) ([]byte, error) {
	raw, err := b.source.Tile(b.ctx, t)
	if err == nil {
		b.out.Tiles++
		if b.look.Step != nil {
			b.look.Step()
		}
	}
	return raw, err
}

func (b *rebuilder) entries(t tlog.Tile) error {
	raw, err := b.read(t)
	if err != nil {
		return err
	}
	list, err := tlog.ReadEntries(raw, t.Width)
	if err != nil {
		return fmt.Errorf("tile %s: %w", t.Path(), err)
	}
	for _, h := range list {
		if b.look.Each != nil {
			b.look.Each(h)
		}
		if at, wanted := b.out.Found[h]; wanted && at < 0 {
			b.out.Found[h] = b.log.Size()
		}
		if err := b.log.Add(h); err != nil {
			return err
		}
		if err := b.mark(); err != nil {
			return err
		}
	}
	return nil
}

// mark keeps the root where it is asked for, and compares it with those of
// earlier heads where they stood.
func (b *rebuilder) mark() error {
	if b.sizes[b.log.Size()] {
		b.out.Roots[b.log.Size()] = b.log.Root()
	}
	for _, e := range b.earlier[b.log.Size()] {
		if b.log.Root() != e.Root {
			return &Fork{e, b.cp, "the entries are others"}
		}
	}
	return nil
}

// compare reads a tile of hashes and compares it with what the entries give.
func (b *rebuilder) compare(t tlog.Tile, hashes []tlog.Hash) error {
	raw, err := b.read(t)
	if err != nil {
		return err
	}
	var want []byte
	for _, h := range hashes {
		want = append(want, h[:]...)
	}
	if !bytes.Equal(raw, want) {
		return fmt.Errorf("tile %s does not hold the hashes that the entries give", t.Path())
	}
	return nil
}
