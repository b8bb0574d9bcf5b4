package oprf

import (
	"bytes"
	"crypto/rand"
	"testing"
)

// Padding is known by its form and its place, and what it shows does not lead to
// the seed that makes the blinds.
func TestPaddingIsKnownByItsForm(t *testing.T) {
	seed := [32]byte{1}
	dummies := DummySeed(seed)
	if dummies == seed || dummies != DummySeed(seed) || dummies == DummySeed([32]byte{2}) {
		t.Fatal("the padding's seed is not one of its own")
	}
	in := DummyInput(dummies, 7)
	if got, ok := IsDummy(in, 7); !ok || got != dummies {
		t.Error("padding is not known")
	}
	if bytes.Contains(in, seed[:]) {
		t.Error("padding shows the batch's seed")
	}
	for _, other := range [][]byte{in[1:], append(bytes.Clone(in), 0), DummyInput(dummies, 8), []byte("someone@mail-one.net"), nil} {
		if _, ok := IsDummy(other, 7); ok {
			t.Errorf("%q passes for the padding of row 7", other)
		}
	}
}

// An input and its blind give the point again; nothing else does.
func TestReblind(t *testing.T) {
	b, p, err := Blind([]byte("input"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Reblind([]byte("input"), b.Bytes()); err != nil || got != p {
		t.Fatalf("%v, %v", got, err)
	}
	other := b.Bytes()
	other[0] ^= 1
	if got, err := Reblind([]byte("input"), other); err == nil && got == p {
		t.Error("another blind gives the point")
	}
	if got, err := Reblind([]byte("inpuT"), b.Bytes()); err != nil || got == p {
		t.Errorf("another input: %v", err)
	}
	for _, bad := range [][32]byte{{}, [32]byte(bytes.Repeat([]byte{255}, 32))} {
		if _, err := Reblind([]byte("input"), bad); err == nil {
			t.Errorf("the blind %x is taken", bad)
		}
	}
}
