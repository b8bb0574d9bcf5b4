package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"parallax/internal/shareddata"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func vectors(t *testing.T, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(shareddata.Read(t, "vectors", name), v); err != nil {
		t.Fatal(err)
	}
}

// A wycheproof group has the fields of the four schemas used here.
type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		IvSize    int
		PublicKey struct{ Pk string }
		Tests     []struct {
			TcID                    int
			Flags                   []string
			Result                  string
			Key, Iv, Aad            string
			Msg, Ct, Tag, Sig       string
			Ikm, Salt, Info, Okm    string
			Size                    int
			Public, Private, Shared string
		}
	}
}

func TestWycheproofChaCha20Poly1305(t *testing.T) {
	var v wycheproof
	vectors(t, "wycheproof-chacha20_poly1305_test.json", &v)
	ran := 0
	for _, g := range v.TestGroups {
		for _, c := range g.Tests {
			ran++
			if g.IvSize != 8*chacha20poly1305.NonceSize {
				if c.Result != "invalid" {
					t.Errorf("%d: a nonce of %d bits is %s", c.TcID, g.IvSize, c.Result)
				}
				continue // the nonce here is a constant of the right size
			}
			aead, err := chacha20poly1305.New(unhex(t, c.Key))
			if err != nil {
				t.Fatal(err)
			}
			iv, aad, sealed := unhex(t, c.Iv), unhex(t, c.Aad), unhex(t, c.Ct+c.Tag)
			got, err := aead.Open(nil, iv, sealed, aad)
			if valid := c.Result == "valid"; valid != (err == nil) || (valid && hex.EncodeToString(got) != c.Msg) {
				t.Errorf("%d %v: %v, want %s", c.TcID, c.Flags, err, c.Result)
			}
			if c.Result == "valid" && !bytes.Equal(aead.Seal(nil, iv, unhex(t, c.Msg), aad), sealed) {
				t.Errorf("%d %v: other ciphertext", c.TcID, c.Flags)
			}
		}
	}
	if ran != v.NumberOfTests || ran == 0 {
		t.Errorf("%d of %d ran", ran, v.NumberOfTests)
	}
}

func TestWycheproofHKDF(t *testing.T) {
	var v wycheproof
	vectors(t, "wycheproof-hkdf_sha512_test.json", &v)
	ran := 0
	for _, g := range v.TestGroups {
		for _, c := range g.Tests {
			ran++
			got, err := hkdf.Key(sha512.New, unhex(t, c.Ikm), unhex(t, c.Salt), string(unhex(t, c.Info)), c.Size)
			if valid := c.Result == "valid"; valid != (err == nil) || (valid && hex.EncodeToString(got) != c.Okm) {
				t.Errorf("%d %v: %v, want %s", c.TcID, c.Flags, err, c.Result)
			}
		}
	}
	if ran != v.NumberOfTests || ran == 0 {
		t.Errorf("%d of %d ran", ran, v.NumberOfTests)
	}
}

func TestWycheproofEd25519(t *testing.T) {
	var v wycheproof
	vectors(t, "wycheproof-ed25519_test.json", &v)
	ran := 0
	for _, g := range v.TestGroups {
		pub := ed25519.PublicKey(unhex(t, g.PublicKey.Pk))
		for _, c := range g.Tests {
			ran++
			if got := ed25519.Verify(pub, unhex(t, c.Msg), unhex(t, c.Sig)); got != (c.Result == "valid") {
				t.Errorf("%d %v: %v, want %s", c.TcID, c.Flags, got, c.Result)
			}
		}
	}
	if ran != v.NumberOfTests || ran == 0 {
		t.Errorf("%d of %d ran", ran, v.NumberOfTests)
	}
}

// "Acceptable" cases are public keys off the curve's prime-order part. What
// must hold: the shared secret is right, except that an all-zero one is
// refused, as RFC 9180, section 7.1.4, requires.
func TestWycheproofX25519(t *testing.T) {
	var v wycheproof
	vectors(t, "wycheproof-x25519_test.json", &v)
	ran := 0
	for _, g := range v.TestGroups {
		for _, c := range g.Tests {
			ran++
			priv, err := ecdh.X25519().NewPrivateKey(unhex(t, c.Private))
			if err != nil {
				t.Fatal(err)
			}
			pub, err := ecdh.X25519().NewPublicKey(unhex(t, c.Public))
			if err != nil {
				t.Fatal(err)
			}
			got, err := priv.ECDH(pub)
			zero := slices.Contains(c.Flags, "ZeroSharedSecret")
			if zero != (err != nil) || (!zero && hex.EncodeToString(got) != c.Shared) {
				t.Errorf("%d %v: %v, want %s", c.TcID, c.Flags, err, c.Result)
			}
			if zero {
				if _, err := SealTo(unhex(t, c.Public), nil, nil); err == nil {
					t.Errorf("%d: sealed to a key of low order", c.TcID)
				}
				if _, err := OpenFrom(unhex(t, c.Private), nil, append(unhex(t, c.Public), make([]byte, 16)...)); err == nil {
					t.Errorf("%d: opened from a key of low order", c.TcID)
				}
			}
		}
	}
	if ran != v.NumberOfTests || ran == 0 {
		t.Errorf("%d of %d ran", ran, v.NumberOfTests)
	}
}

// A reference sender for RFC 9180 base mode with this package's suite (KEM
// 0x0020, KDF 0x0001, AEAD 0x0003), written from the RFC over HKDF and X25519
// alone, to hold the standard library's against something else than itself.
type reference struct{ key, nonce, exporter []byte }

func labeledExtract(t testing.TB, suite, salt, label string, ikm []byte) []byte {
	t.Helper()
	out, err := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), ikm...), []byte(salt))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func labeledExpand(t testing.TB, suite string, prk []byte, label string, info []byte, n int) []byte {
	t.Helper()
	head := string(binary.BigEndian.AppendUint16(nil, uint16(n))) + "HPKE-v1" + suite + label
	out, err := hkdf.Expand(sha256.New, prk, head+string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// newReference is SetupBaseS with a given ephemeral key.
func newReference(t testing.TB, eph *ecdh.PrivateKey, to *ecdh.PublicKey, info []byte) reference {
	t.Helper()
	dh, err := eph.ECDH(to)
	if err != nil {
		t.Fatal(err)
	}
	const kem, suite = "KEM\x00\x20", "HPKE\x00\x20\x00\x01\x00\x03"
	kemContext := append(eph.PublicKey().Bytes(), to.Bytes()...)
	shared := labeledExpand(t, kem, labeledExtract(t, kem, "", "eae_prk", dh), "shared_secret", kemContext, 32)
	context := slices.Concat([]byte{0}, labeledExtract(t, suite, "", "psk_id_hash", nil), labeledExtract(t, suite, "", "info_hash", info))
	secret := labeledExtract(t, suite, string(shared), "secret", nil)
	return reference{
		key:      labeledExpand(t, suite, secret, "key", context, 32),
		nonce:    labeledExpand(t, suite, secret, "base_nonce", context, 12),
		exporter: labeledExpand(t, suite, secret, "exp", context, 32),
	}
}

func (r reference) seal(t testing.TB, seq uint64, aad, plain []byte) []byte {
	t.Helper()
	aead, err := chacha20poly1305.New(r.key)
	if err != nil {
		t.Fatal(err)
	}
	nonce := slices.Clone(r.nonce)
	for i, b := range binary.BigEndian.AppendUint64(nil, seq) {
		nonce[4+i] ^= b
	}
	return aead.Seal(nil, nonce, plain, aad)
}

func draw(t testing.TB, r io.Reader) []byte {
	t.Helper()
	n := make([]byte, 1)
	if _, err := io.ReadFull(r, n); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n[0])
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 9180, appendix A.2. The vector file holds digests over a thousand
// ciphertexts and exports; the reference reproduces them, and OpenFrom reads
// what the reference sends under the vector's keys and info, and only so.
func TestRFC9180(t *testing.T) {
	var all []struct {
		Mode                  uint16
		KEM                   uint16 `json:"kem_id"`
		KDF                   uint16 `json:"kdf_id"`
		AEAD                  uint16 `json:"aead_id"`
		Info, IkmE, SkRm, Enc string
		PkRm                  string
		Encryptions           string `json:"encryptions_accumulated"`
		Exports               string `json:"exports_accumulated"`
	}
	vectors(t, "rfc9180-hpke-go.json", &all)
	ran := false
	for _, v := range all {
		if v.Mode != 0 || v.KEM != 0x20 || v.KDF != 1 || v.AEAD != 3 {
			continue
		}
		ran = true
		derived, err := hpke.DHKEM(ecdh.X25519()).DeriveKeyPair(unhex(t, v.IkmE))
		if err != nil {
			t.Fatal(err)
		}
		b, err := derived.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		eph, err := ecdh.X25519().NewPrivateKey(b)
		if err != nil {
			t.Fatal(err)
		}
		to, err := ecdh.X25519().NewPublicKey(unhex(t, v.PkRm))
		if err != nil {
			t.Fatal(err)
		}
		enc, info := eph.PublicKey().Bytes(), unhex(t, v.Info)
		if hex.EncodeToString(enc) != v.Enc {
			t.Fatal("the encapsulated key differs")
		}
		ref := newReference(t, eph, to, info)
		checkReference(t, ref, v.Encryptions, v.Exports)
		sealed := append(enc, ref.seal(t, 0, nil, []byte("text"))...)
		if got, err := OpenFrom(unhex(t, v.SkRm), info, sealed); err != nil || string(got) != "text" {
			t.Errorf("OpenFrom cannot read RFC 9180: %q, %v", got, err)
		}
		for name, other := range map[string][]byte{"no info": nil, "longer info": append(info, 0), "shorter info": info[1:]} {
			if _, err := OpenFrom(unhex(t, v.SkRm), other, sealed); err == nil {
				t.Errorf("opens under %s", name)
			}
		}
	}
	if !ran {
		t.Fatal("the file has no vector for the suite")
	}
}

func checkReference(t *testing.T, ref reference, encryptions, exports string) {
	t.Helper()
	source, sink := sha3.NewSHAKE128(), sha3.NewSHAKE128()
	for i := range uint64(1000) {
		aad := draw(t, source)
		sink.Write(ref.seal(t, i, aad, draw(t, source)))
	}
	sum := make([]byte, 16)
	sink.Read(sum)
	if hex.EncodeToString(sum) != encryptions {
		t.Error("a thousand encryptions differ from RFC 9180")
	}
	source, sink = sha3.NewSHAKE128(), sha3.NewSHAKE128()
	for n := range 1000 {
		sink.Write(labeledExpand(t, "HPKE\x00\x20\x00\x01\x00\x03", ref.exporter, "sec", draw(t, source), n))
	}
	sink.Read(sum)
	if hex.EncodeToString(sum) != exports {
		t.Error("a thousand exports differ from RFC 9180")
	}
}

func TestHPKERefusesWhatIsChanged(t *testing.T) {
	priv, pub, err := GenerateHPKE()
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := GenerateHPKE()
	if err != nil {
		t.Fatal(err)
	}
	c, err := SealTo(pub, []byte("info"), []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c {
		bad := slices.Clone(c)
		bad[i] ^= 1
		if _, err := OpenFrom(priv, []byte("info"), bad); err == nil {
			t.Errorf("opens with byte %d changed", i)
		}
	}
	for n := range len(c) {
		if _, err := OpenFrom(priv, []byte("info"), c[:n]); err == nil {
			t.Errorf("opens when cut to %d bytes", n)
		}
	}
	if _, err := OpenFrom(other, []byte("info"), c); err == nil {
		t.Error("opens with another's key")
	}
	for _, key := range [][]byte{nil, pub[:31], append(slices.Clone(pub), 0)} {
		if _, err := SealTo(key, nil, nil); err == nil {
			t.Errorf("seals to a key of %d bytes", len(key))
		}
		if _, err := OpenFrom(key, nil, c); err == nil {
			t.Errorf("opens with a key of %d bytes", len(key))
		}
	}
}
