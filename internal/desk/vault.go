package desk

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// A vault seals what the local store keeps and makes its look-up keys, so that
// the file alone shows neither selectors nor whether it holds a guessed one.
type vault struct {
	seal, index []byte
	random      io.Reader
}

func newVault(key []byte, random io.Reader) (vault, error) {
	v := vault{random: random}
	var err error
	if v.seal, err = hkdf.Key(sha256.New, key, nil, "parallax/desk-store-seal/v1", 32); err != nil {
		return v, err
	}
	v.index, err = hkdf.Key(sha256.New, key, nil, "parallax/desk-store-index/v1", 32)
	return v, err
}

// key is HMAC-SHA256 of a table's name and data: how a row is found.
func (v vault) key(table string, data []byte) []byte {
	m := hmac.New(sha256.New, v.index)
	m.Write(append([]byte(table), 0))
	m.Write(data)
	return m.Sum(nil)
}

// lock seals a value to its table and row.
func (v vault) lock(table string, row, plain []byte) ([]byte, error) {
	return sealBytes(v.seal, place(table, row), plain, v.random)
}

// unlock opens a value; one moved to another row does not open.
func (v vault) unlock(table string, row, sealed []byte) ([]byte, error) {
	return openBytes(v.seal, place(table, row), sealed)
}

func place(table string, row []byte) []byte { return append([]byte(table+"\x00"), row...) }

// sealBytes is XChaCha20-Poly1305 with a random 24-byte nonce in front.
func sealBytes(key, context, plain []byte, random io.Reader) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, context), nil
}

func openBytes(key, context, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("a sealed value is too short")
	}
	n := aead.NonceSize()
	return aead.Open(nil, sealed[:n], sealed[n:], context)
}
