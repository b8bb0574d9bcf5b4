package tlog

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	ref "golang.org/x/mod/sumdb/tlog"
)

// tileBytes reads a tile out of stored hashes.
func tileBytes(t testing.TB, store Store, tile Tile) []byte {
	t.Helper()
	hashes, err := store(tile.Places())
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

func TestARebuiltLogHasTheSameRootsAndTiles(t *testing.T) {
	store, leaves, roots := grow(t, 1000, 0)
	var r Rebuild
	check := func(tile Tile, hashes []Hash) error {
		var got []byte
		for _, h := range hashes {
			got = append(got, h[:]...)
		}
		if !bytes.Equal(got, tileBytes(t, store, tile)) || !tile.Covered(r.Size()) {
			t.Fatalf("size %d: another tile %s", r.Size(), tile.Path())
		}
		return nil
	}
	full := 0
	r.Full = func(tile Tile, hashes []Hash) error { full++; return check(tile, hashes) }
	if r.Root() != EmptyRoot() {
		t.Fatal("a log without entries has another root")
	}
	for i, leaf := range leaves {
		if err := r.Add(leaf); err != nil {
			t.Fatal(err)
		}
		if r.Root() != roots[i] {
			t.Fatalf("size %d: another root", i+1)
		}
	}
	edge := 0
	if err := r.Edge(func(tile Tile, hashes []Hash) error { edge++; return check(tile, hashes) }); err != nil {
		t.Fatal(err)
	}
	if want := len(Tiles(0, 1000)) + len(Tiles(1, 1000)); full+edge != want || full != 3 {
		t.Errorf("%d full tiles and %d at the edge, want %d", full, edge, want)
	}
	stop := errors.New("stop")
	r = Rebuild{Full: func(Tile, []Hash) error { return stop }}
	for i := range 256 {
		if err := r.Add(leaves[i]); (err != nil) != (i == 255) {
			t.Fatalf("leaf %d: %v", i, err)
		}
	}
}

func TestTilesAndTheirPaths(t *testing.T) {
	for path, want := range map[string]Tile{
		"0/000":                  {0, 0, 256},
		"0/000.p/1":              {0, 0, 1},
		"1/x001/234.p/255":       {1, 1234, 255},
		"entries/x001/x234/067":  {Entries, 1234067, 256},
		"entries/x001/067.p/100": {Entries, 1067, 100},
	} {
		got, err := ParseTile(path)
		if err != nil || got != want || got.Path() != path {
			t.Errorf("%s: %+v, %s, %v", path, got, got.Path(), err)
		}
	}
	for _, path := range []string{"", "0", "0/0", "data/000", "entries/", "0/000.p/0", "0/000.p/256", "0/000.p/257", "00/000", "-1/000", "64/000",
		"0/x000/001", "0/001/002", "0/x001", "0/000.p/01", "0/000/", "0/000?x", "0/x999/x999/x999/x999/x999/x999/999", "../0/000", "8/0/000"} {
		if got, err := ParseTile(path); err == nil {
			t.Errorf("%q is read as %+v", path, got)
		}
	}
	for _, x := range []struct {
		tile Tile
		size int64
		want bool
	}{
		{Tile{0, 0, 1}, 0, false}, {Tile{0, 0, 1}, 1, true}, {Tile{0, 0, 2}, 1, false}, {Tile{0, 0, 256}, 256, true}, {Tile{0, 0, 256}, 255, false},
		{Tile{0, 1, 1}, 257, true}, {Tile{1, 0, 1}, 255, false}, {Tile{1, 0, 1}, 256, true}, {Tile{1, 0, 2}, 511, false}, {Tile{63, 0, 1}, 1 << 40, false},
		{Tile{0, 1<<62 + 1, 256}, 1 << 40, false}, {Tile{Entries, 0, 5}, 5, true}, {Tile{Entries, 0, 6}, 5, false},
	} {
		if x.tile.Covered(x.size) != x.want {
			t.Errorf("%+v in a log of %d: %v", x.tile, x.size, !x.want)
		}
	}
	for _, size := range []int64{0, 1, 255, 256, 257, 70_000} {
		for level := range 3 {
			for _, tile := range Tiles(level, size) {
				if !tile.Covered(size) {
					t.Errorf("tile %s is not in a log of %d", tile.Path(), size)
				}
			}
		}
		if n := int64(len(Tiles(Entries, size))); n != (size+255)/256 {
			t.Errorf("%d tiles of entries for %d", n, size)
		}
	}
}

func TestEntriesInATile(t *testing.T) {
	want := []Hash{{1}, {2}, {3}}
	var bundle []byte
	for _, h := range want {
		bundle = AppendEntry(bundle, h)
	}
	if got, err := ReadEntries(bundle, 3); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	wrong := bytes.Clone(bundle)
	wrong[1] = 31
	for name, b := range map[string][]byte{"cut": bundle[:len(bundle)-1], "longer": append(bytes.Clone(bundle), 0), "another length": wrong} {
		if _, err := ReadEntries(b, 3); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A proof out of tiles follows, and a tile that was changed proves nothing.
func TestProofsFromTiles(t *testing.T) {
	store, _, roots := grow(t, 1000, 0)
	for _, size := range []int64{1, 2, 255, 256, 257, 1000} {
		cp := Checkpoint{origin, size, roots[size-1]}
		for _, old := range []int64{0, 1, size / 2, size} {
			source := func(tiles []Tile) (out [][]byte, err error) {
				for _, x := range tiles {
					out = append(out, tileBytes(t, store, x))
				}
				return out, nil
			}
			p, err := ProveFromTiles(old, cp, source)
			if err != nil {
				t.Fatalf("from %d to %d: %v", old, size, err)
			}
			if old > 0 && p.Verify(roots[old-1], cp.Root) != nil {
				t.Errorf("from %d to %d: the proof does not verify", old, size)
			}
			if len(p.Path) == 0 {
				continue
			}
			_, err = ProveFromTiles(old, cp, func(tiles []Tile) ([][]byte, error) {
				out, _ := source(tiles)
				out[len(out)-1][7] ^= 1
				return out, nil
			})
			if err == nil {
				t.Errorf("from %d to %d: a changed tile is believed", old, size)
			}
		}
	}
	if _, err := ProveFromTiles(5, Checkpoint{origin, 4, roots[3]}, nil); err == nil {
		t.Error("a proof backwards")
	}
}

// A downloaded proof satisfies another program.
func TestProofTextEqualsAnotherProgramsReading(t *testing.T) {
	store, leaves, roots := grow(t, 300, 0)
	cp := Checkpoint{origin, 300, roots[299]}
	logKey, err := VerifierKey(origin, public("a"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(logKey)
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(v))
	for _, i := range []int64{0, 255, 256, 299} {
		p, err := ProveInclusion(300, i, store)
		if err != nil {
			t.Fatal(err)
		}
		text := ProofText(p, SignCheckpoint(cp, key("a")))
		if err := torchwood.VerifyProof(policy, ref.Hash(LeafHash(leaves[i])), text); err != nil {
			t.Errorf("entry %d: %v\n%s", i, err, text)
		}
		if torchwood.VerifyProof(policy, ref.Hash(LeafHash(leaves[17])), text) == nil {
			t.Errorf("entry %d: the proof fits another entry", i)
		}
	}
}

func FuzzParseTile(f *testing.F) {
	for _, s := range []string{"0/000", "entries/x001/067.p/100", "1/x001/234.p/255", "data/000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ParseTile(path)
		if err != nil {
			return
		}
		if tile.Path() != path || tile.Width < 1 || tile.Width > TileWidth || tile.Level < Entries {
			t.Fatalf("%q is read as %+v", path, tile)
		}
		if tile.Covered(1<<20) && tile.Level > 0 {
			if level, n := ref.SplitStoredHashIndex(tile.Places()[0]); level != 8*tile.Level || n != 256*tile.Index {
				t.Fatalf("%q is stored at level %d, %d", path, level, n)
			}
		}
	})
}
