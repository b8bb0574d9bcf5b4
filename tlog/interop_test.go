package tlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	ref "golang.org/x/mod/sumdb/tlog"
)

// cosignedElsewhere was made by filippo.io/torchwood v0.9.0 with the key b
// under the name witness.example/w1: another program's bytes of this format.
const cosignedElsewhere = "parallax.example/pool\n7\nAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" +
	"— witness.example/w1 ehjX+gAAAABrBPp/v4myL/GZweCMZ9Z5VPN0xEHaSa3h4qvXPffMFyjw7NvZAUAK92Voq1NMJA2jCIyY+0rckbgYtZyXc131n7vYCQ==\n"

// exampleText and exampleLines are the example checkpoint of C2SP's
// tlog-cosignature; the specification gives no public keys for it.
const (
	exampleText  = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	exampleLines = "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
		"— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

func TestCosignatureEqualsAnotherProgramsBytes(t *testing.T) {
	c := Checkpoint{origin, 7, Hash{1}}
	at := time.Unix(0x6b04fa7f, 0)
	got := c.Text() + "\n" + string(Cosign(c, "witness.example/w1", key("b"), at))
	if got != cosignedElsewhere {
		t.Fatalf("got\n%s\nwant\n%s", got, cosignedElsewhere)
	}
	_, line, _ := strings.Cut(cosignedElsewhere, "\n\n")
	_, cosigs, err := VerifyNote(AddLine(SignCheckpoint(c, key("a")), []byte(line)), origin, public("a"), []WitnessKey{{"witness.example/w1", public("b")}}, 1)
	if err != nil || len(cosigs) != 1 || !cosigs[0].Time.Equal(at) {
		t.Fatalf("%+v, %v", cosigs, err)
	}
}

func TestExampleOfTheSpecification(t *testing.T) {
	c, err := ParseCheckpoint(exampleText)
	if err != nil || c.Size != 20852163 || c.Origin != "example.com/behind-the-sofa" || c.Text() != exampleText {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := VerifyNote([]byte(exampleText+"\n"+exampleLines), c.Origin, public("a"), nil, 0); err == nil {
		t.Fatal("a note signed by another log's key is accepted")
	}
	cosig := string(cosigned(exampleText, 1679315147))
	if cosig != "cosignature/v1\ntime 1679315147\n"+exampleText {
		t.Fatalf("%q", cosig)
	}
}

func TestOneKeyNeverCountsTwice(t *testing.T) {
	c := Checkpoint{origin, 7, Hash{1}}
	raw := SignCheckpoint(c, key("a"))
	for _, name := range []string{"w1", "w2"} {
		raw = AddLine(raw, Cosign(c, name, key("b"), time.Unix(1, 0)))
	}
	raw = AddLine(raw, Cosign(c, "own", key("a"), time.Unix(1, 0)))
	for name, keys := range map[string][]WitnessKey{
		"one key, two names":  {{"w1", public("b")}, {"w2", public("b")}},
		"the log's own key":   {{"w1", public("b")}, {"own", public("a")}},
		"a key cut short":     {{"w1", public("b")[:31]}},
		"two keys, one name":  {{"w1", public("b")}, {"w1", public("c")}},
		"the log's own name":  {{origin, public("b")}},
		"a witness unnamed":   {{"", public("b")}, {"", public("c")}},
		"no key for the name": {{"w1", nil}},
	} {
		if _, _, err := VerifyNote(raw, origin, public("a"), keys, 1); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestATimeBeyondInt64IsRefused(t *testing.T) {
	c := Checkpoint{origin, 7, Hash{1}}
	raw := AddLine(SignCheckpoint(c, key("a")), Cosign(c, "w1", key("b"), time.Unix(-1, 0)))
	if _, _, err := VerifyNote(raw, origin, public("a"), []WitnessKey{{"w1", public("b")}}, 1); err == nil {
		t.Fatal("a time that is no time is accepted")
	}
}

// TestProofsEqualTheReference checks paths and roots against x/mod's own,
// called directly on records.
func TestProofsEqualTheReference(t *testing.T) {
	store, leaves, roots := grow(t, 1000, 0)
	var stored []ref.Hash
	reader := ref.HashReaderFunc(func(idx []int64) ([]ref.Hash, error) {
		out := make([]ref.Hash, len(idx))
		for i, x := range idx {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, leaf := range leaves {
		more, err := ref.StoredHashes(int64(i), leaf[:], reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	for _, n := range []int64{1, 2, 255, 256, 257, 1000} {
		want, err := ref.TreeHash(n, reader)
		if err != nil || Hash(want) != roots[n-1] {
			t.Fatalf("size %d: another root (%v)", n, err)
		}
		for _, i := range []int64{0, n / 2, n - 1} {
			got, err := ProveInclusion(n, i, store)
			if err != nil {
				t.Fatal(err)
			}
			wantPath, err := ref.ProveRecord(n, i, reader)
			if err != nil || len(wantPath) != len(got.Path) {
				t.Fatalf("size %d leaf %d: %v", n, i, err)
			}
			for k := range wantPath {
				if Hash(wantPath[k]) != got.Path[k] {
					t.Fatalf("size %d leaf %d: another path", n, i)
				}
			}
			checkBroken(t, got, leaves[i], roots[n-1])
		}
		for _, old := range []int64{0, 1, n / 2, n - 1, n} {
			got, err := ProveConsistency(old, n, store)
			if err != nil {
				t.Fatal(err)
			}
			oldRoot := EmptyRoot()
			if old > 0 {
				oldRoot = roots[old-1]
			}
			if err := got.Verify(oldRoot, roots[n-1]); err != nil {
				t.Fatalf("from %d to %d: %v", old, n, err)
			}
		}
	}
}

// checkBroken changes a good proof and expects every change to be refused.
func checkBroken(t *testing.T, p Inclusion, leaf, root Hash) {
	t.Helper()
	longer := p
	longer.Path = append(append([]Hash{}, p.Path...), Hash{})
	moved := p
	moved.Index = p.Size
	negative := p
	negative.Index = -1
	broken := []Inclusion{longer, moved, negative}
	for i := range p.Path {
		flipped := p
		flipped.Path = append([]Hash{}, p.Path...)
		flipped.Path[i][0] ^= 1
		broken = append(broken, flipped)
	}
	for i, b := range broken {
		if b.Verify(leaf, root) == nil {
			t.Fatalf("size %d leaf %d: change %d is accepted", p.Size, p.Index, i)
		}
	}
}

func TestConsistencyNeedsNoPathWhereNothingIsProved(t *testing.T) {
	for name, x := range map[string]struct {
		p    Consistency
		root Hash
		ok   bool
	}{
		"empty to empty":             {Consistency{}, EmptyRoot(), true},
		"empty with another root":    {Consistency{}, Hash{1}, false},
		"a path from the empty log":  {Consistency{0, 3, []Hash{{}}}, Hash{1}, false},
		"a path to the same log":     {Consistency{3, 3, []Hash{{}}}, EmptyRoot(), false},
		"backwards":                  {Consistency{3, 2, nil}, EmptyRoot(), false},
		"a negative size":            {Consistency{-1, 2, nil}, EmptyRoot(), false},
		"a missing path":             {Consistency{1, 2, nil}, Hash{1}, false},
		"from empty to a log of one": {Consistency{0, 1, nil}, Hash{1}, true},
	} {
		if err := x.p.Verify(EmptyRoot(), x.root); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAConflictSaysWhereTheWitnessStands(t *testing.T) {
	store, _, roots := grow(t, 20, 0)
	w := WitnessState{10, roots[9]}
	raw := SignCheckpoint(Checkpoint{origin, 20, roots[19]}, key("a"))
	p, err := ProveConsistency(5, 20, store)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = w.Consider(raw, p, origin, public("a"))
	var c *Conflict
	if !errors.As(err, &c) || c.Size != 10 || c.Root != roots[9] {
		t.Fatalf("got %v, want a conflict at 10", err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Conflict
	if err := json.Unmarshal(text, &back); err != nil || back != *c {
		t.Fatalf("%+v, %v", back, err)
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(exampleText)
	f.Add("x\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Add("x\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Fatalf("%q was read as %q", text, c.Text())
		}
	})
}

func FuzzCosignedNote(f *testing.F) {
	c := Checkpoint{origin, 7, Hash{1}}
	bare := SignCheckpoint(c, key("a"))
	f.Add(bare)
	f.Add(AddLine(bare, Cosign(c, "w1", key("b"), time.Unix(1, 0))))
	f.Add([]byte(exampleText + "\n" + exampleLines))
	witnesses := []WitnessKey{{"w1", public("b")}, {"w2", public("c")}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, cosigs, err := VerifyNote(raw, origin, public("a"), witnesses, 1)
		if err == nil && (got != c || len(cosigs) != 1) {
			t.Fatalf("accepted %+v with %d cosignatures", got, len(cosigs))
		}
	})
}

func FuzzHashText(f *testing.F) {
	f.Add([]byte("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))
	f.Add([]byte("47DEQpj8HBSa+/TImW+5\nJCeuQeRkm5NMpJWZG3hSuFU="))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Hash
		if h.UnmarshalText(text) != nil {
			return
		}
		if again, err := h.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%q came back as %q", text, again)
		}
	})
}
