package backup

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"
)

// scrypt's parameters (RFC 7914): 64 MiB for each guess. Tests lower the first.
var scryptN = 1 << 16

const scryptR, scryptP = 8, 2

// chunk is how many bytes are sealed at once.
const chunk = 64 << 10

// keys of one copy, from its passphrase and salt.
type keys struct{ seal, mac []byte }

func newKeys(passphrase string, salt []byte) (k keys, err error) {
	root, err := scrypt.Key([]byte(passphrase), salt, scryptN, scryptR, scryptP, 32)
	if err != nil {
		return k, err
	}
	if k.seal, err = hkdf.Key(sha256.New, root, nil, "parallax/backup-seal/v1", 32); err != nil {
		return k, err
	}
	k.mac, err = hkdf.Key(sha256.New, root, nil, "parallax/backup-manifest/v1", 32)
	return k, err
}

func (k keys) tag(manifest []byte) []byte {
	m := hmac.New(sha256.New, k.mac)
	m.Write(manifest)
	return m.Sum(nil)
}

// A stream seals a file chunk by chunk: the nonce is a random prefix, the
// chunk's number and whether it is the last, so that none can be moved, left
// out or cut off.
type stream struct {
	aead   cipher.AEAD
	prefix [19]byte
	name   []byte
	n      uint32
}

func (k keys) stream(name string, prefix [19]byte) (*stream, error) {
	aead, err := chacha20poly1305.NewX(k.seal)
	return &stream{aead: aead, prefix: prefix, name: []byte(name)}, err
}

func (s *stream) nonce(last bool) []byte {
	out := make([]byte, 0, chacha20poly1305.NonceSizeX)
	out = append(out, s.prefix[:]...)
	out = binary.BigEndian.AppendUint32(out, s.n)
	s.n++
	if last {
		return append(out, 1)
	}
	return append(out, 0)
}

// sealTo copies r to w sealed, and gives the size and hash of what was sealed.
func (k keys) sealTo(w io.Writer, r io.Reader, name string, progress func(int)) (size int64, sum []byte, err error) {
	var prefix [19]byte
	if _, err := rand.Read(prefix[:]); err != nil {
		return 0, nil, err
	}
	s, err := k.stream(name, prefix)
	if err != nil {
		return 0, nil, err
	}
	if _, err := w.Write(prefix[:]); err != nil {
		return 0, nil, err
	}
	h := sha256.New()
	return s.each(r, chunk, func(part []byte, last bool) error {
		progress(len(part))
		_, err := w.Write(s.aead.Seal(nil, s.nonce(last), part, s.name))
		return err
	}, h)
}

// openTo copies what was sealed from r to w, and gives its size and hash.
func (k keys) openTo(w io.Writer, r io.Reader, name string, progress func(int)) (size int64, sum []byte, err error) {
	var prefix [19]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return 0, nil, errors.New("it is cut off")
	}
	s, err := k.stream(name, prefix)
	if err != nil {
		return 0, nil, err
	}
	h := sha256.New()
	_, _, err = s.each(r, chunk+s.aead.Overhead(), func(part []byte, last bool) error {
		plain, err := s.aead.Open(nil, s.nonce(last), part, s.name)
		if err != nil {
			return errors.New("it was changed or cut off, or the passphrase is another")
		}
		h.Write(plain)
		size += int64(len(plain))
		progress(len(plain))
		_, err = w.Write(plain)
		return err
	}, sha256.New())
	return size, h.Sum(nil), err
}

// each reads r in parts of n bytes and says which is the last one; a last part
// is always given, be it empty.
func (s *stream) each(r io.Reader, n int, do func(part []byte, last bool) error, h hash.Hash) (size int64, sum []byte, err error) {
	part, next := make([]byte, n), make([]byte, n)
	have, err := io.ReadFull(r, part)
	for {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil, err
		}
		last := err != nil
		got := 0
		if !last {
			got, err = io.ReadFull(r, next)
			last = errors.Is(err, io.EOF)
		}
		h.Write(part[:have])
		size += int64(have)
		if err := do(part[:have], last); err != nil {
			return 0, nil, err
		}
		if last {
			return size, h.Sum(nil), nil
		}
		part, next, have = next, part, got
	}
}
