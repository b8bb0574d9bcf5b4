package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"parallax/group"
)

// oneSpelling checks that whatever text decodes is the text it encodes to.
func oneSpelling(t *testing.T, text string, v interface {
	UnmarshalText([]byte) error
	MarshalText() ([]byte, error)
}) {
	t.Helper()
	if v.UnmarshalText([]byte(text)) != nil {
		return
	}
	if out, err := v.MarshalText(); err != nil || string(out) != text {
		t.Fatalf("%q is a second spelling of %q (%v)", text, out, err)
	}
}

func FuzzText(f *testing.F) {
	f.Add(strings.Repeat("0a", 64))
	f.Add(strings.Repeat("0A", 64))
	f.Add(strings.Repeat("A", 43) + "=")
	f.Add(strings.Repeat("A", 42) + "B=")
	f.Add(strings.Repeat("A", 20) + "\n" + strings.Repeat("A", 23) + "=")
	f.Add(strings.Repeat("A", 43) + "=\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		oneSpelling(t, text, new(Label))
		oneSpelling(t, text, new(Bytes32))
	})
}

// FuzzKEM: nothing that decodes verifies, except the one that was made.
func FuzzKEM(f *testing.F) {
	pub, _ := deal(f, 2, 3)
	s, label := sealed(f, pub, "h", "x")
	good, err := json.Marshal(s.KEM)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"e"`), []byte(`"f"`), 1))
	f.Add([]byte(`{"u":"","ubar":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var k KEM
		if json.Unmarshal(raw, &k) == nil && k.Verify(pool, epoch, label) == nil && k != s.KEM {
			t.Fatalf("a second encapsulation verifies: %s", raw)
		}
	})
}

func FuzzPartial(f *testing.F) {
	pub, shares := deal(f, 2, 3)
	s, label := sealed(f, pub, "h", "x")
	p := partial(f, shares[1], s.KEM, label)
	good, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"index":2`), []byte(`"index":-9223372036854775808`), 1))
	f.Add([]byte(`{"index":4}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var q Partial
		if json.Unmarshal(raw, &q) == nil && VerifyPartial(pub, s.KEM, label, q) == nil && q != p {
			t.Fatalf("a second share verifies: %s", raw)
		}
	})
}

func FuzzPath(f *testing.F) {
	leaves := numbered(5)
	root, err := Root(leaves)
	if err != nil {
		f.Fatal(err)
	}
	for i := range leaves {
		p, err := Prove(leaves, i)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"index":9223372036854775807,"count":65536,"nodes":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p Path
		if json.Unmarshal(raw, &p) != nil {
			return
		}
		for i, l := range leaves {
			if p.Verify(l, root) == nil && (p.Index != i || p.Count != len(leaves)) {
				t.Fatalf("leaf %d verifies with %s", i, raw)
			}
		}
	})
}

// FuzzInside reads any plaintext that a sender may put in a box: no panic, and
// what comes out goes back in.
func FuzzInside(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'x', 0})
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, plain []byte) {
		n, ok := unpad(plain)
		if !ok {
			return
		}
		again := make([]byte, len(plain))
		again[0], again[1], again[2], again[3] = byte(len(n)>>24), byte(len(n)>>16), byte(len(n)>>8), byte(len(n))
		copy(again[4:], n)
		if !bytes.Equal(again, plain) {
			t.Fatalf("%x has a second spelling", plain)
		}
	})
}

// FuzzSealed opens whatever a hub may serve in place of an observation.
func FuzzSealed(f *testing.F) {
	pub, shares := deal(f, 2, 3)
	s, label := sealed(f, pub, "h", "x")
	parts := []Partial{partial(f, shares[0], s.KEM, label), partial(f, shares[1], s.KEM, label)}
	good, err := json.Marshal(s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "h")
	f.Add([]byte(`{"kem":{},"box":"AAAA"}`), "")
	f.Fuzz(func(t *testing.T, raw []byte, header string) {
		var got Sealed
		if json.Unmarshal(raw, &got) != nil {
			return
		}
		if out, err := Open(pub, pool, epoch, []byte(header), got, parts); err == nil &&
			(header != "h" || got.KEM != s.KEM || !bytes.Equal(got.Box, s.Box) || string(out) != "x") {
			t.Fatalf("opens: %s", raw)
		}
	})
}

// Everything that crosses the wire comes back as it was.
func TestWireRoundTrip(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	p := partial(t, shares[2], s.KEM, label)
	path, err := Prove(numbered(7), 6)
	if err != nil {
		t.Fatal(err)
	}
	type wire struct {
		S Sealed
		L Label
		P Partial
		M Path
	}
	raw, err := json.Marshal(wire{s, label, p, path})
	if err != nil {
		t.Fatal(err)
	}
	var got wire
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil || !bytes.Equal(again, raw) {
		t.Fatalf("%s\n%s\n%v", raw, again, err)
	}
	if got.S.KEM != s.KEM || got.L != label || got.P != p {
		t.Error("something changed on the way")
	}
}

// Two boxes of one payload share nothing that a hub could compare.
func TestSealIsFresh(t *testing.T) {
	pub, _ := deal(t, 2, 3)
	a, la := sealed(t, pub, "h", "x")
	b, lb := sealed(t, pub, "h", "x")
	if a.KEM.U == b.KEM.U || a.KEM.Ubar == b.KEM.Ubar || bytes.Equal(a.Box, b.Box) || la == lb {
		t.Error("two sealings of one payload look alike")
	}
	if Gbar(pool, epoch).Encode() == Gbar(pool, "e").Encode() || Gbar("a", "bc").Encode() == Gbar("ab", "c").Encode() {
		t.Error("two epochs share a second base")
	}
	if g := Gbar(pool, epoch).Encode(); g.IsIdentity() || g == group.Base().Encode() {
		t.Error("the second base is a special point")
	}
	for n := range 2 {
		if _, _, err := Seal(pub, pool, epoch, nil, nil, bytes.NewReader(make([]byte, 64*n+63))); err == nil {
			t.Errorf("sealed with %d random bytes", 64*n+63)
		}
	}
	if _, _, err := Seal(pub, pool, epoch, nil, nil, rand.Reader); err != nil {
		t.Errorf("an empty payload: %v", err)
	}
}
