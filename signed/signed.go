// Package signed is how Parallax signs things: canonical JSON bytes, a domain
// that keeps one kind of object from passing for another, and Ed25519 (RFC
// 8032). A signature always covers the exact bytes that were received, and
// those bytes must be the one canonical encoding of what they say, so two
// readers can never see different objects under one signature.
package signed

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxSize bounds the body of a signed object, in bytes.
const MaxSize = 64 << 20

var (
	// ErrSignature: the signature does not verify under the key and domain.
	ErrSignature = errors.New("the signature does not verify")
	// ErrCanonical: the bytes are not the canonical encoding of their content.
	ErrCanonical = errors.New("the bytes are not in canonical form")
)

// Marshal encodes v canonically: encoding/json with fields in the order of the
// struct, map keys sorted, no HTML escaping, no white space.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Unmarshal decodes raw into v and then requires that encoding v gives raw
// again, byte for byte. Duplicate keys, unknown fields, other spellings and
// trailing bytes are therefore refused with [ErrCanonical].
func Unmarshal(raw []byte, v any) error {
	if len(raw) > MaxSize {
		return fmt.Errorf("object of %d bytes is above the limit of %d", len(raw), MaxSize)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	again, err := Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, again) {
		return ErrCanonical
	}
	return nil
}

// An Object is a signed body: the exact canonical bytes, the id of the key
// that signed (a name to look up, never trusted by itself) and the signature.
type Object struct {
	Body []byte `json:"body"`
	Key  string `json:"key"`
	Sig  []byte `json:"sig"`
}

// Sign encodes v and signs it under the domain.
func Sign(domain, keyID string, key ed25519.PrivateKey, v any) (Object, error) {
	body, err := Marshal(v)
	if err != nil {
		return Object{}, err
	}
	return Object{Body: body, Key: keyID, Sig: ed25519.Sign(key, Input(domain, body))}, nil
}

// Open checks the signature of o under the domain and pub, then decodes its
// body strictly into v. On any error v must not be used.
func (o Object) Open(domain string, pub ed25519.PublicKey, v any) error {
	if err := Verify(domain, pub, o.Body, o.Sig); err != nil {
		return err
	}
	return Unmarshal(o.Body, v)
}

// Verify checks a signature over body under the domain.
func Verify(domain string, pub ed25519.PublicKey, body, sig []byte) error {
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, Input(domain, body), sig) {
		return ErrSignature
	}
	return nil
}

// Input is what is signed: the length of the domain, the domain, the body.
func Input(domain string, body []byte) []byte {
	out := make([]byte, 0, 4+len(domain)+len(body))
	out = binary.BigEndian.AppendUint32(out, uint32(len(domain)))
	out = append(out, domain...)
	return append(out, body...)
}
