package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"testing"

	"parallax/group"
	"parallax/group/grouptest"
)

// The derivations, spelled out once more from docs/design/sealing.md.
func TestDerivationsAreThoseOfTheDesign(t *testing.T) {
	u64 := func(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
	pub, _ := deal(t, 2, 3)
	s, label := sealed(t, pub, "header", "x")
	sum := func(parts ...[]byte) [64]byte { return sha512.Sum512(bytes.Join(parts, nil)) }
	digest := sha512.Sum512(s.Box)
	if want := sum([]byte("parallax/label/v1\x00"), u64(6), []byte("header"), digest[:]); label != Label(want) {
		t.Error("label")
	}
	shared := group.Base().Encode()
	salt := sum([]byte("parallax/box/v1\x00"), u64(6), []byte("header"), u64(32), s.KEM.U[:], u64(32), s.KEM.Ubar[:])
	want, err := hkdf.Key(sha512.New, shared[:], salt[:], "parallax/box-key/v1", 32)
	if err != nil || !bytes.Equal(boxKey(shared, []byte("header"), s.KEM), want) {
		t.Errorf("box key (%v)", err)
	}
	other := s.KEM
	other.Ubar = s.KEM.U
	for name, key := range map[string][]byte{
		"header": boxKey(shared, []byte("headeR"), s.KEM),
		"shared": boxKey(s.KEM.U, []byte("header"), s.KEM),
		"points": boxKey(shared, []byte("header"), other),
	} {
		if bytes.Equal(key, want) {
			t.Errorf("the box key does not depend on the %s", name)
		}
	}
}

// A holder whose public point is the identity has no share: a key like that
// fails PublicKey.Check, and a proof for it is refused here all the same.
func TestIdentityShareIsRefusedWithAValidProof(t *testing.T) {
	pub, _ := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	pub.Holders[1] = group.Point{}
	u, err := s.KEM.U.Decode()
	if err != nil {
		t.Fatal(err)
	}
	n, err := group.RandomScalar(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := partialChallenge(label, 2, s.KEM.U, group.Point{}, group.Point{}, group.BaseMul(n).Encode(), u.Mul(n).Encode())
	if VerifyPartial(pub, s.KEM, label, Partial{Index: 2, E: Bytes32(e.Bytes()), F: Bytes32(n.Bytes())}) == nil {
		t.Error("an identity share verifies")
	}
}

// One run on fixed randomness. The digest was taken from this package, so it
// notices change and is no proof of correctness; holders and desks of one
// epoch must agree on every byte of it.
func TestBytesAreStable(t *testing.T) {
	random := sha3.NewSHAKE128()
	random.Write([]byte("parallax/seal/known-answer"))
	pub, shares, err := grouptest.Deal(2, 3, "payload", nil, random)
	if err != nil {
		t.Fatal(err)
	}
	s, label, err := Seal(pub, pool, epoch, []byte("header"), []byte("payload"), random)
	if err != nil {
		t.Fatal(err)
	}
	var parts []Partial
	for _, sh := range shares {
		p, err := Decrypt(sh, pool, epoch, s.KEM, label, random)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if got, err := Open(pub, pool, epoch, []byte("header"), s, parts); err != nil || string(got) != "payload" {
		t.Fatalf("%q, %v", got, err)
	}
	raw, err := json.Marshal([]any{pub, s, label, parts})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512_256(raw)
	if got, want := hex.EncodeToString(sum[:]), "c3c67bc61e4fd8b18b4b200d853867a1b9d664b62972432ee36f288eade1031b"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}
