package seal

import (
	"testing"
)

// BenchmarkVerifyKEM is the opening check's part that falls on this package,
// once per observation, for holder and hub alike.
func BenchmarkVerifyKEM(b *testing.B) {
	pub, _ := deal(b, 3, 5)
	s, l := sealed(b, pub, "header", "x")
	for b.Loop() {
		if err := s.KEM.Verify(pool, epoch, l); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPartial(b *testing.B) {
	pub, shares := deal(b, 3, 5)
	s, l := sealed(b, pub, "header", "x")
	p := partial(b, shares[0], s.KEM, l)
	for b.Loop() {
		if err := VerifyPartial(pub, s.KEM, l, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	pub, shares := deal(b, 3, 5)
	s, l := sealed(b, pub, "header", "x")
	parts := []Partial{partial(b, shares[0], s.KEM, l), partial(b, shares[2], s.KEM, l), partial(b, shares[4], s.KEM, l)}
	for b.Loop() {
		if _, err := Open(pub, pool, epoch, []byte("header"), s, parts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRoot(b *testing.B) {
	leaves := numbered(1024)
	for b.Loop() {
		if _, err := Root(leaves); err != nil {
			b.Fatal(err)
		}
	}
}
