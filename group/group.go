// Package group is the prime-order group that all of Parallax computes in:
// ristretto255 (RFC 9496), with the arithmetic of threshold sharing on top.
// It is the only package that imports the group library, so that a faster one
// replaces one package.
//
// Secret values are of type [Scalar] and [Share]; they print as placeholders
// and leave the process only through an explicit Bytes call.
package group

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/gtank/ristretto255"

	"parallax/signed"
)

// Size is the length of an encoded point or scalar in bytes.
const Size = 32

// ErrPoint: not the canonical encoding of a group element.
var ErrPoint = errors.New("not a canonical ristretto255 encoding")

// ErrScalar: not a canonical scalar.
var ErrScalar = errors.New("not a canonical scalar")

// A Point is the canonical encoding of a public group element (RFC 9496).
type Point [Size]byte

// MarshalText gives standard base64.
func (p Point) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, p[:]), nil
}

// UnmarshalText reads the one base64 spelling of 32 bytes; it does not decode
// the point.
func (p *Point) UnmarshalText(text []byte) error {
	if err := signed.DecodeBase64(p[:], text); err != nil {
		return fmt.Errorf("point: %w", err)
	}
	return nil
}

// UnmarshalJSON reads the one JSON spelling: the text in quotes, without
// escapes. Without it, encoding/json would also take null and escapes.
func (p *Point) UnmarshalJSON(raw []byte) error {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return errors.New("point: want a JSON string")
	}
	return p.UnmarshalText(raw[1 : len(raw)-1])
}

// IsIdentity reports the encoding of the identity, which is all zeros.
func (p Point) IsIdentity() bool { return p == Point{} }

// Decode refuses everything but canonical encodings. The identity decodes;
// callers that must not take it check IsIdentity.
func (p Point) Decode() (Element, error) {
	e := ristretto255.NewElement()
	if err := e.Decode(p[:]); err != nil {
		return Element{}, ErrPoint
	}
	return Element{e}, nil
}

// An Element is a decoded group element. The zero value is not usable.
type Element struct{ e *ristretto255.Element }

// Base is the generator.
func Base() Element { return Element{ristretto255.NewElement().Base()} }

// Identity is the neutral element.
func Identity() Element { return Element{ristretto255.NewElement().Zero()} }

// Add gives a + b.
func (a Element) Add(b Element) Element { return Element{ristretto255.NewElement().Add(a.e, b.e)} }

// Sub gives a - b.
func (a Element) Sub(b Element) Element {
	return Element{ristretto255.NewElement().Subtract(a.e, b.e)}
}

// Mul gives s*a in constant time.
func (a Element) Mul(s Scalar) Element {
	return Element{ristretto255.NewElement().ScalarMult(s.s, a.e)}
}

// MulInt gives k*a for a public small integer, in time that depends on k.
func (a Element) MulInt(k int64) Element {
	size := uint64(k)
	if k < 0 {
		size = -size // right for the smallest integer too, which has no positive twin
	}
	out := ristretto255.NewElement().Zero()
	for bit := bits.Len64(size) - 1; bit >= 0; bit-- {
		out.Add(out, out)
		if size>>bit&1 == 1 {
			out.Add(out, a.e)
		}
	}
	if k < 0 {
		out.Negate(out)
	}
	return Element{out}
}

// MultiMul gives the sum of s_i*a_i for public scalars, in variable time.
func MultiMul(s []Scalar, a []Element) Element {
	ss, es := make([]*ristretto255.Scalar, len(s)), make([]*ristretto255.Element, len(a))
	for i := range s {
		ss[i], es[i] = s[i].s, a[i].e
	}
	return Element{ristretto255.NewElement().VarTimeMultiScalarMult(ss, es)}
}

// Equal reports a = b.
func (a Element) Equal(b Element) bool { return a.e.Equal(b.e) == 1 }

// Encode gives the canonical encoding.
func (a Element) Encode() Point { return Point(a.e.Encode(nil)) }

// BaseMul gives s*G in constant time.
func BaseMul(s Scalar) Element { return Element{ristretto255.NewElement().ScalarBaseMult(s.s)} }

// HashToElement is hash_to_ristretto255 of RFC 9380 with SHA-512.
func HashToElement(dst string, msg []byte) Element {
	return Element{ristretto255.NewElement().FromUniformBytes(expand(dst, 64, msg))}
}

// A Scalar is a secret integer modulo the group order. It prints as a
// placeholder. The zero value is not usable.
type Scalar struct{ s *ristretto255.Scalar }

// String hides the value.
func (Scalar) String() string { return "[scalar]" }

// GoString hides the value.
func (Scalar) GoString() string { return "[scalar]" }

// Format hides the value under every verb.
func (Scalar) Format(f fmt.State, _ rune) { io.WriteString(f, "[scalar]") }

// MarshalText hides the value.
func (Scalar) MarshalText() ([]byte, error) { return []byte("[scalar]"), nil }

// ScalarFromBytes reads a canonical scalar of 32 bytes, little endian.
func ScalarFromBytes(b []byte) (Scalar, error) {
	s := ristretto255.NewScalar()
	if len(b) != Size || s.Decode(b) != nil {
		return Scalar{}, ErrScalar
	}
	return Scalar{s}, nil
}

// ScalarFromInt gives k modulo the group order; k may be negative.
func ScalarFromInt(k int64) Scalar {
	var b [64]byte
	neg := k < 0
	if neg {
		k = -k
	}
	binary.LittleEndian.PutUint64(b[:], uint64(k))
	s := ristretto255.NewScalar().FromUniformBytes(b[:])
	if neg {
		s.Negate(s)
	}
	return Scalar{s}
}

// RandomScalar reads 64 bytes and reduces them.
func RandomScalar(random io.Reader) (Scalar, error) {
	var b [64]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Scalar{}, fmt.Errorf("random scalar: %w", err)
	}
	return Scalar{ristretto255.NewScalar().FromUniformBytes(b[:])}, nil
}

// HashToScalar is HashToScalar of RFC 9497 for ristretto255-SHA512: 64 bytes of
// expand_message_xmd over the concatenated messages, reduced.
func HashToScalar(dst string, msg ...[]byte) Scalar {
	return Scalar{ristretto255.NewScalar().FromUniformBytes(expand(dst, 64, msg...))}
}

// Bytes is the explicit way out: 32 bytes, little endian.
func (a Scalar) Bytes() []byte { return a.s.Encode(nil) }

// Add gives a + b.
func (a Scalar) Add(b Scalar) Scalar { return Scalar{ristretto255.NewScalar().Add(a.s, b.s)} }

// Sub gives a - b.
func (a Scalar) Sub(b Scalar) Scalar { return Scalar{ristretto255.NewScalar().Subtract(a.s, b.s)} }

// Mul gives a * b.
func (a Scalar) Mul(b Scalar) Scalar { return Scalar{ristretto255.NewScalar().Multiply(a.s, b.s)} }

// Invert gives 1/a.
func (a Scalar) Invert() Scalar { return Scalar{ristretto255.NewScalar().Invert(a.s)} }

// Equal compares in constant time.
func (a Scalar) Equal(b Scalar) bool { return a.s.Equal(b.s) == 1 }

// IsZero reports a = 0.
func (a Scalar) IsZero() bool { return a.s.Equal(ristretto255.NewScalar().Zero()) == 1 }

// expand is expand_message_xmd of RFC 9380, section 5.3.1, with SHA-512.
func expand(dst string, n int, msg ...[]byte) []byte {
	tag := []byte(dst)
	if len(tag) > 255 {
		sum := sha512.Sum512(append([]byte("H2C-OVERSIZE-DST-"), tag...))
		tag = sum[:]
	}
	prime := append(tag[:len(tag):len(tag)], byte(len(tag)))
	h := sha512.New()
	h.Write(make([]byte, h.BlockSize()))
	for _, m := range msg {
		h.Write(m)
	}
	h.Write([]byte{byte(n >> 8), byte(n), 0})
	h.Write(prime)
	b0 := h.Sum(nil)
	out, last := make([]byte, 0, n+h.Size()), make([]byte, h.Size())
	for i := byte(1); len(out) < n; i++ {
		for j := range last {
			last[j] ^= b0[j]
		}
		h.Reset()
		h.Write(last)
		h.Write([]byte{i})
		h.Write(prime)
		last = h.Sum(nil)
		out = append(out, last...)
	}
	return out[:n]
}
