// Package seal keeps the readable part of an observation closed until t of n
// key holders release decryption shares for it: TDH2 (Shoup and Gennaro,
// "Securing threshold cryptosystems against chosen ciphertext attack", 2002)
// over ristretto255 with two bases and a label, around one padded box.
//
// The label is what makes it safe here. A plain ElGamal key encapsulation
// could be copied or re-randomised by a hub and one member into a contribution
// of their own, and the holders would decrypt another member's payload for
// them. In TDH2 the sender proves, over a label that covers header and box,
// that it made the encapsulation; holders verify that proof before they act.
package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"parallax/group"
	"parallax/signed"
)

const (
	labelDomain     = "parallax/label/v1\x00"
	boxDomain       = "parallax/box/v1\x00"
	challengeDST    = "parallax/tdh2-challenge/v1"
	partialDST      = "parallax/tdh2-partial/v1"
	nonceDST        = "parallax/tdh2-partial-nonce/v1"
	gbarDST         = "parallax/tdh2-gbar/v1"
	boxOverhead     = chacha20poly1305.Overhead + 4 // tag and length prefix
	boxKeyInfo      = "parallax/box-key/v1"
	maxPartialCount = group.MaxHolders
)

// BoxSizes are the only sizes of a box in bytes: what is inside never shows.
var BoxSizes = [...]int{512, 2048, 8192}

// MaxPayload is the longest payload that fits the largest box, in bytes.
const MaxPayload = 8192 - boxOverhead

var (
	// ErrTooLong: the payload does not fit the largest box.
	ErrTooLong = fmt.Errorf("the payload is longer than %d bytes", MaxPayload)
	// ErrKEM: the key encapsulation was not made for this label.
	ErrKEM = errors.New("the key encapsulation was not made for this observation")
	// ErrBox: the box does not open under the combined key.
	ErrBox = errors.New("the box does not open")
)

// A Label is SHA-512 over a domain, the header and the digest of the box. It
// names the observation.
type Label [64]byte

// String gives 128 hex digits.
func (l Label) String() string { return hex.EncodeToString(l[:]) }

// MarshalText gives 128 hex digits.
func (l Label) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads 128 lower-case hex digits: a label has one spelling, so
// that two texts that differ never name one observation.
func (l *Label) UnmarshalText(text []byte) error {
	if err := signed.DecodeHex(l[:], text); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	return nil
}

// BoxDigest is the SHA-512 of a box.
func BoxDigest(box []byte) [64]byte { return sha512.Sum512(box) }

// LabelOf names the observation with this header and box.
func LabelOf(header []byte, boxDigest [64]byte) Label {
	h := sha512.New()
	h.Write([]byte(labelDomain))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(header))))
	h.Write(header)
	h.Write(boxDigest[:])
	return Label(h.Sum(nil))
}

// A Bytes32 is a public scalar of a proof; base64 in text.
type Bytes32 [32]byte

// MarshalText gives standard base64.
func (b Bytes32) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, b[:]), nil
}

// UnmarshalText reads the one base64 spelling of 32 bytes.
func (b *Bytes32) UnmarshalText(text []byte) error { return signed.DecodeBase64(b[:], text) }

// A KEM is the key encapsulation of one observation: u = r*G, ubar = r*Gbar
// and the proof (e, f) over the label that whoever made it knew r.
type KEM struct {
	U    group.Point `json:"u"`
	Ubar group.Point `json:"ubar"`
	E    Bytes32     `json:"e"`
	F    Bytes32     `json:"f"`
}

// Gbar is the second base of a pool's epoch: hash-to-group, so that nobody
// knows its logarithm.
func Gbar(pool, epoch string) group.Element {
	return group.HashToElement(gbarDST, frame([]byte(pool), []byte(epoch)))
}

// frame joins parts, each with its length before it.
func frame(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint64(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

func challenge(label Label, u, w, ubar, wbar group.Point) group.Scalar {
	return group.HashToScalar(challengeDST, label[:], u[:], w[:], ubar[:], wbar[:])
}

// Verify checks that the encapsulation was made for this label: the two parts
// have one logarithm and the maker knew it.
func (k KEM) Verify(pool, epoch string, label Label) error {
	_, err := k.open(pool, epoch, label)
	return err
}

func (k KEM) open(pool, epoch string, label Label) (group.Element, error) {
	u, err1 := k.U.Decode()
	ubar, err2 := k.Ubar.Decode()
	e, err3 := group.ScalarFromBytes(k.E[:])
	f, err4 := group.ScalarFromBytes(k.F[:])
	if errors.Join(err1, err2, err3, err4) != nil || k.U.IsIdentity() || k.Ubar.IsIdentity() {
		return group.Element{}, ErrKEM
	}
	neg := group.ScalarFromInt(0).Sub(e)
	w := group.MultiMul([]group.Scalar{f, neg}, []group.Element{group.Base(), u})
	wbar := group.MultiMul([]group.Scalar{f, neg}, []group.Element{Gbar(pool, epoch), ubar})
	if !challenge(label, k.U, w.Encode(), k.Ubar, wbar.Encode()).Equal(e) {
		return group.Element{}, ErrKEM
	}
	return u, nil
}

// Sealed is an encapsulation with its box.
type Sealed struct {
	KEM KEM    `json:"kem"`
	Box []byte `json:"box"`
}

// Seal encrypts payload to the threshold key for the observation with this
// header. The box has one of [BoxSizes]; its key is used once.
func Seal(pub group.PublicKey, pool, epoch string, header, payload []byte, random io.Reader) (Sealed, Label, error) {
	x, err := pub.Key.Decode()
	if err != nil || pub.Key.IsIdentity() {
		return Sealed{}, Label{}, errors.New("the pool's payload key is not valid")
	}
	r, err := group.RandomScalar(random)
	if err != nil {
		return Sealed{}, Label{}, err
	}
	s, err := group.RandomScalar(random)
	if err != nil {
		return Sealed{}, Label{}, err
	}
	gbar := Gbar(pool, epoch)
	k := KEM{U: group.BaseMul(r).Encode(), Ubar: gbar.Mul(r).Encode()}
	box, err := fill(boxKey(x.Mul(r).Encode(), header, k), payload)
	if err != nil {
		return Sealed{}, Label{}, err
	}
	label := LabelOf(header, BoxDigest(box))
	e := challenge(label, k.U, group.BaseMul(s).Encode(), k.Ubar, gbar.Mul(s).Encode())
	copy(k.E[:], e.Bytes())
	copy(k.F[:], s.Add(e.Mul(r)).Bytes())
	return Sealed{KEM: k, Box: box}, label, nil
}

// boxKey derives the key of a box from r*X, the header and the encapsulation.
func boxKey(shared group.Point, header []byte, k KEM) []byte {
	h := sha512.New()
	h.Write([]byte(boxDomain))
	h.Write(frame(header, k.U[:], k.Ubar[:]))
	key, err := hkdf.Key(sha512.New, shared[:], h.Sum(nil), boxKeyInfo, chacha20poly1305.KeySize)
	if err != nil { // 32 bytes are within HKDF's limit for every hash
		panic("seal: " + err.Error())
	}
	return key
}

// fill pads to a box size and encrypts. The nonce is fixed: the key is fresh
// for every box.
func fill(key, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, ErrTooLong
	}
	size := 0
	for _, s := range BoxSizes {
		if len(payload)+boxOverhead <= s {
			size = s
			break
		}
	}
	plain := make([]byte, size-chacha20poly1305.Overhead)
	binary.BigEndian.PutUint32(plain, uint32(len(payload)))
	copy(plain[4:], payload)
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), plain, nil), nil
}

func empty(key, box []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, make([]byte, chacha20poly1305.NonceSize), box, nil)
	if err != nil {
		return nil, ErrBox
	}
	payload, ok := unpad(plain)
	if !ok {
		return nil, ErrBox
	}
	return payload, nil
}

// unpad reads length, payload and zeros; nothing else is in form.
func unpad(plain []byte) ([]byte, bool) {
	if len(plain) < 4 {
		return nil, false
	}
	n := binary.BigEndian.Uint32(plain)
	if uint64(n) > uint64(len(plain)-4) || len(bytes.Trim(plain[4+n:], "\x00")) > 0 {
		return nil, false
	}
	return plain[4 : 4+n], true
}

// ValidBoxSize reports a size that a box may have.
func ValidBoxSize(n int) bool {
	for _, s := range BoxSizes {
		if n == s {
			return true
		}
	}
	return false
}

// A Partial is one holder's decryption share w = f(i)*u with a proof against
// P_i that covers the label.
type Partial struct {
	Index int         `json:"index"`
	W     group.Point `json:"w"`
	E     Bytes32     `json:"e"`
	F     Bytes32     `json:"f"`
}

// A WrongPartial names the holder whose share does not verify.
type WrongPartial struct{ Index int }

// Error names the holder.
func (w *WrongPartial) Error() string {
	return fmt.Sprintf("key holder %d gave a wrong decryption share", w.Index)
}

func partialChallenge(label Label, index int, u, w, p, a, b group.Point) group.Scalar {
	return group.HashToScalar(partialDST, label[:], binary.BigEndian.AppendUint32(nil, uint32(index)), u[:], w[:], p[:], a[:], b[:])
}

// partialNonce draws the one-time scalar of a share's proof. The share goes
// into it, as in RFC 9591, section 4.1: were it random bytes alone, a source
// that repeats itself (a machine restored from a snapshot) would give the same
// scalar for two labels, and two such proofs give away the share.
func partialNonce(share group.Share, u group.Point, label Label, random io.Reader) (group.Scalar, error) {
	var fresh [64]byte
	if _, err := io.ReadFull(random, fresh[:]); err != nil {
		return group.Scalar{}, fmt.Errorf("proof nonce: %w", err)
	}
	return group.HashToScalar(nonceDST, fresh[:], share.Bytes(), u[:], label[:]), nil
}

// Decrypt makes one holder's share. It refuses an encapsulation that was not
// made for the label: a holder's exponent never meets a stranger's point.
func Decrypt(share group.Share, pool, epoch string, kem KEM, label Label, random io.Reader) (Partial, error) {
	u, err := kem.open(pool, epoch, label)
	if err != nil {
		return Partial{}, err
	}
	s, err := partialNonce(share, kem.U, label, random)
	if err != nil {
		return Partial{}, err
	}
	p := Partial{Index: share.Index, W: u.Mul(share.Scalar()).Encode()}
	e := partialChallenge(label, p.Index, kem.U, p.W, share.PublicPoint(), group.BaseMul(s).Encode(), u.Mul(s).Encode())
	copy(p.E[:], e.Bytes())
	copy(p.F[:], s.Add(e.Mul(share.Scalar())).Bytes())
	return p, nil
}

// VerifyPartial checks a share against the holder's P_i. A wrong share is a
// *WrongPartial that names its holder; an encapsulation that does not decode is
// ErrKEM and nobody's fault among the holders. It does not repeat the check of
// the encapsulation's own proof, which [KEM.Verify] and [Open] make.
func VerifyPartial(pub group.PublicKey, kem KEM, label Label, p Partial) error {
	_, err := verifyPartial(pub, kem, label, p)
	return err
}

func verifyPartial(pub group.PublicKey, kem KEM, label Label, p Partial) (group.Element, error) {
	wrong := &WrongPartial{Index: p.Index}
	if p.Index < 1 || p.Index > len(pub.Holders) || p.W.IsIdentity() {
		return group.Element{}, wrong
	}
	u, err := kem.U.Decode()
	if err != nil {
		return group.Element{}, ErrKEM
	}
	key := pub.Holders[p.Index-1]
	pi, err1 := key.Decode()
	w, err2 := p.W.Decode()
	e, err3 := group.ScalarFromBytes(p.E[:])
	f, err4 := group.ScalarFromBytes(p.F[:])
	if errors.Join(err1, err2, err3, err4) != nil {
		return group.Element{}, wrong
	}
	pair := []group.Scalar{f, group.ScalarFromInt(0).Sub(e)}
	a := group.MultiMul(pair, []group.Element{group.Base(), pi})
	b := group.MultiMul(pair, []group.Element{u, w})
	if !partialChallenge(label, p.Index, kem.U, p.W, key, a.Encode(), b.Encode()).Equal(e) {
		return group.Element{}, wrong
	}
	return w, nil
}

// Open recomputes the label from header and box, verifies encapsulation and
// shares, combines t of them and reads the payload. A box of another size than
// [BoxSizes] is ErrBox even if its sender made it so: its length would tell.
func Open(pub group.PublicKey, pool, epoch string, header []byte, s Sealed, parts []Partial) ([]byte, error) {
	if len(parts) > maxPartialCount {
		return nil, fmt.Errorf("%d decryption shares, at most %d", len(parts), maxPartialCount)
	}
	if !ValidBoxSize(len(s.Box)) {
		return nil, ErrBox
	}
	label := LabelOf(header, BoxDigest(s.Box))
	if err := s.KEM.Verify(pool, epoch, label); err != nil {
		return nil, err
	}
	good := make(map[int]group.Element, pub.T)
	for _, p := range parts {
		w, err := verifyPartial(pub, s.KEM, label, p)
		if err != nil {
			return nil, err
		}
		if len(good) < pub.T {
			good[p.Index] = w
		}
	}
	if len(good) < pub.T {
		return nil, fmt.Errorf("%d decryption shares, %d are needed", len(good), pub.T)
	}
	shared, err := group.CombinePoints(pub.T, pub.N, good)
	if err != nil {
		return nil, err
	}
	return empty(boxKey(shared.Encode(), header, s.KEM), s.Box)
}
