package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"fmt"
)

// The sealed channel is HPKE (RFC 9180) base mode with X25519, HKDF-SHA256 and
// ChaCha20-Poly1305, from the standard library.
func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()
}

// GenerateHPKE makes a recipient key pair, 32 bytes each.
func GenerateHPKE() (private, public []byte, err error) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return k.Bytes(), k.PublicKey().Bytes(), nil
}

// SealTo encrypts to a recipient; info binds the message to its place.
func SealTo(public, info, plaintext []byte) ([]byte, error) {
	kem, kdf, aead := suite()
	pk, err := kem.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("recipient key: %w", err)
	}
	return hpke.Seal(pk, kdf, aead, info, plaintext)
}

// OpenFrom decrypts what SealTo made under the same info.
func OpenFrom(private, info, sealed []byte) ([]byte, error) {
	kem, kdf, aead := suite()
	sk, err := kem.NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return hpke.Open(sk, kdf, aead, info, sealed)
}
