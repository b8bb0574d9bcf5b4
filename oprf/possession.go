package oprf

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"

	"parallax/signed"
)

// A Possession is the secret key behind a tag. It prints as a placeholder; the
// key sits behind a function because fmt ignores the methods of an unexported
// field and would print the bytes of one. The zero value is not usable.
type Possession struct{ key func() ed25519.PrivateKey }

// String hides the key.
func (Possession) String() string { return "[possession key]" }

// GoString hides the key.
func (Possession) GoString() string { return "[possession key]" }

// Format hides the key under every verb.
func (Possession) Format(f fmt.State, _ rune) { io.WriteString(f, "[possession key]") }

// Possess derives the possession key of an OPRF output for a class:
// HKDF-SHA512(output, class | possession label) seeds Ed25519.
func Possess(out [64]byte, class string) Possession {
	seed, err := hkdf.Key(sha512.New, out[:], nil, "parallax/possession/v1|"+class, ed25519.SeedSize)
	if err != nil { // 32 bytes are within HKDF's limit for every hash
		panic("oprf: " + err.Error())
	}
	key := ed25519.NewKeyFromSeed(seed)
	return Possession{func() ed25519.PrivateKey { return key }}
}

// Public is the possession key's public side.
func (p Possession) Public() ed25519.PublicKey { return p.key().Public().(ed25519.PublicKey) }

// Tag is the 16-byte tag.
func (p Possession) Tag() Tag { return TagOf(p.Public()) }

const possessionDomain = "parallax/tag-signature/v1\x00"

// Sign shows possession over an observation's label.
func (p Possession) Sign(label []byte) []byte {
	return ed25519.Sign(p.key(), append([]byte(possessionDomain), label...))
}

// VerifyPossession checks a tag's signature over a label.
func VerifyPossession(pub ed25519.PublicKey, label, sig []byte) bool {
	return len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, append([]byte(possessionDomain), label...), sig)
}

// A Tag names a selector without telling it: equal selectors of a class and
// epoch have equal tags.
type Tag [16]byte

// TagOf is SHA-256 over a domain and the possession key, cut to 16 bytes.
func TagOf(pub ed25519.PublicKey) Tag {
	sum := sha256.Sum256(append([]byte("parallax/tag/v1\x00"), pub...))
	return Tag(sum[:16])
}

// String gives 32 hex digits.
func (t Tag) String() string { return hex.EncodeToString(t[:]) }

// MarshalText gives 32 hex digits.
func (t Tag) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads 32 lower-case hex digits.
func (t *Tag) UnmarshalText(text []byte) error {
	if err := signed.DecodeHex(t[:], text); err != nil {
		return fmt.Errorf("tag: %w", err)
	}
	return nil
}
