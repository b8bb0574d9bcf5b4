package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const origin = "parallax.example/pool"

func key(c string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(c, 32)))
}

func public(c string) ed25519.PublicKey { return key(c).Public().(ed25519.PublicKey) }

// grow appends n leaves and returns a store and the root after each.
func grow(t testing.TB, n int, mark byte) (Store, []Hash, []Hash) {
	t.Helper()
	var hashes, leaves, roots []Hash
	store := func(idx []int64) ([]Hash, error) {
		out := make([]Hash, len(idx))
		for i, x := range idx {
			if x >= int64(len(hashes)) {
				return nil, fmt.Errorf("no stored hash %d", x)
			}
			out[i] = hashes[x]
		}
		return out, nil
	}
	for i := range n {
		c := Commit(Hash{mark}, fmt.Append(nil, i))
		more, err := Append(int64(i), c, store)
		if err != nil {
			t.Fatal(err)
		}
		if StoredAt(int64(i)) != int64(len(hashes)) {
			t.Fatalf("leaf %d is stored at %d, want %d", i, len(hashes), StoredAt(int64(i)))
		}
		hashes, leaves = append(hashes, more...), append(leaves, c)
		root, err := Root(int64(i+1), store)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	return store, leaves, roots
}

// naive is the Merkle tree hash of RFC 6962, section 2.1, by its definition.
func naive(leaves []Hash) Hash {
	if len(leaves) == 1 {
		return LeafHash(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	a, b := naive(leaves[:k]), naive(leaves[k:])
	return sum(append(append([]byte{1}, a[:]...), b[:]...))
}

func TestRootsAndProofs(t *testing.T) {
	store, leaves, roots := grow(t, 1000, 0)
	for _, n := range []int{1, 2, 3, 255, 256, 257, 1000} {
		if naive(leaves[:n]) != roots[n-1] {
			t.Fatalf("size %d: the root is not RFC 6962's", n)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			p, err := ProveInclusion(int64(n), int64(i), store)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(leaves[i], roots[n-1]); err != nil {
				t.Fatalf("size %d leaf %d: %v", n, i, err)
			}
			if p.Verify(leaves[(i+1)%1000], roots[n-1]) == nil {
				t.Fatalf("size %d: another leaf verifies at %d", n, i)
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		old := rapid.IntRange(1, 999).Draw(rt, "old")
		size := rapid.IntRange(old, 1000).Draw(rt, "size")
		p, err := ProveConsistency(int64(old), int64(size), store)
		if err != nil {
			rt.Fatal(err)
		}
		if err := p.Verify(roots[old-1], roots[size-1]); err != nil {
			rt.Fatal(err)
		}
		if p.Verify(Hash{1}, roots[size-1]) == nil || p.Verify(roots[old-1], Hash{1}) == nil {
			rt.Fatal("a wrong root verifies")
		}
	})
}

func TestCheckpointIsReadOnlyInOneSpelling(t *testing.T) {
	c := Checkpoint{origin, 7, Hash{1}}
	got, err := ParseCheckpoint(c.Text())
	if err != nil || got != c {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "\n7\nAQ==\n", strings.Replace(c.Text(), "7", "07", 1), strings.Replace(c.Text(), "7", "-7", 1), c.Text() + "more\n", strings.TrimSuffix(c.Text(), "\n")} {
		if _, err := ParseCheckpoint(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestQuorumCountsDifferentKnownWitnesses(t *testing.T) {
	c := Checkpoint{origin, 7, Hash{1}}
	at := time.Unix(1_790_000_000, 0)
	witnesses := []WitnessKey{{"w1", public("b")}, {"w2", public("c")}, {"w3", public("d")}}
	bare := SignCheckpoint(c, key("a"))
	w1, w2 := Cosign(c, "w1", key("b"), at), Cosign(c, "w2", key("c"), at)
	stranger := Cosign(c, "w9", key("z"), at)
	for name, x := range map[string]struct {
		raw    []byte
		quorum int
		ok     bool
	}{
		"two of two":                       {AddLine(AddLine(bare, w1), w2), 2, true},
		"one is not two":                   {AddLine(bare, w1), 2, false},
		"a witness twice is one":           {AddLine(AddLine(bare, w1), w1), 2, false},
		"a stranger does not count":        {AddLine(AddLine(bare, w1), stranger), 2, false},
		"the wrong key for a name":         {AddLine(bare, Cosign(c, "w1", key("z"), at)), 1, false},
		"without the log":                  {append([]byte(c.Text()+"\n"), w1...), 1, false},
		"another checkpoint's cosignature": {AddLine(bare, Cosign(Checkpoint{origin, 8, Hash{1}}, "w1", key("b"), at)), 1, false},
		"nothing":                          {nil, 0, false},
	} {
		_, cosigs, err := VerifyNote(x.raw, origin, public("a"), witnesses, x.quorum)
		if (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
		if x.ok && (len(cosigs) != x.quorum || !cosigs[0].Time.Equal(at)) {
			t.Errorf("%s: cosignatures %+v", name, cosigs)
		}
	}
	if _, _, err := VerifyNote(bare, "other", public("a"), nil, 0); err == nil {
		t.Error("another origin is accepted")
	}
	if _, _, err := VerifyNote(bare, origin, public("z"), nil, 0); err == nil {
		t.Error("another log key is accepted")
	}
}

func TestWitnessRefusesForksAndRollback(t *testing.T) {
	store, _, roots := grow(t, 20, 0)
	forked, _, forkRoots := grow(t, 20, 1)
	note := func(n int, r []Hash) []byte { return SignCheckpoint(Checkpoint{origin, int64(n), r[n-1]}, key("a")) }
	prove := func(s Store, a, b int64) Consistency {
		p, err := ProveConsistency(a, b, s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	_, w, err := WitnessState{}.Consider(note(10, roots), prove(store, 0, 10), origin, public("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Consider(note(20, roots), prove(store, 10, 20), origin, public("a")); err != nil {
		t.Fatalf("an honest step: %v", err)
	}
	if _, _, err := w.Consider(note(10, roots), prove(store, 10, 10), origin, public("a")); err != nil {
		t.Fatalf("the same head again: %v", err)
	}
	for name, x := range map[string]struct {
		note  []byte
		proof Consistency
	}{
		"rollback":             {note(9, roots), prove(store, 9, 9)},
		"fork of one size":     {note(10, forkRoots), prove(forked, 10, 10)},
		"fork that grows":      {note(20, forkRoots), prove(forked, 10, 20)},
		"proof from elsewhere": {note(20, roots), prove(store, 5, 20)},
		"not signed":           {[]byte("x"), Consistency{}},
	} {
		if _, next, err := w.Consider(x.note, x.proof, origin, public("a")); err == nil || next != w {
			t.Errorf("%s: accepted or state moved (%v)", name, err)
		}
	}
}

func FuzzVerifyNote(f *testing.F) {
	c := Checkpoint{origin, 7, Hash{1}}
	f.Add(SignCheckpoint(c, key("a")))
	f.Add([]byte("x\n0\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, _, err := VerifyNote(raw, origin, public("a"), nil, 0); err == nil && got.Origin != origin {
			t.Fatal("a note of another log was accepted")
		}
	})
}

func sum(b []byte) Hash { return sha256.Sum256(b) }
