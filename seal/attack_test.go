package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"parallax/group"
)

// order is that of ristretto255 (RFC 9496, section 4), big endian.
const order = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"

// plusOrder gives the other 32-byte encoding of the same residue.
func plusOrder(t testing.TB, b Bytes32) Bytes32 {
	t.Helper()
	slices.Reverse(b[:])
	l, _ := new(big.Int).SetString(order, 16)
	var out Bytes32
	l.Add(l, new(big.Int).SetBytes(b[:])).FillBytes(out[:])
	slices.Reverse(out[:])
	return out
}

// negated gives the residue -b.
func negated(t testing.TB, b Bytes32) Bytes32 {
	t.Helper()
	s, err := group.ScalarFromBytes(b[:])
	if err != nil {
		t.Fatal(err)
	}
	return Bytes32(group.ScalarFromInt(0).Sub(s).Bytes())
}

// Every member of an orbit that leaves plain Schnorr equations intact, or is
// another spelling of the same residues, must fail: one label, one proof.
func TestEncapsulationProofIsNotMalleable(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	k := s.KEM
	l, err := hex.DecodeString(order)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(l)
	for name, ef := range map[string][2]Bytes32{
		"e plus the order":  {plusOrder(t, k.E), k.F},
		"f plus the order":  {k.E, plusOrder(t, k.F)},
		"e negated":         {negated(t, k.E), k.F},
		"f negated":         {k.E, negated(t, k.F)},
		"both negated":      {negated(t, k.E), negated(t, k.F)},
		"swapped":           {k.F, k.E},
		"zeros":             {},
		"f zero":            {k.E, {}},
		"e zero":            {{}, k.F},
		"e is the order":    {Bytes32(l), k.F},
		"both are 2^256-1":  {Bytes32(bytes.Repeat([]byte{255}, 32)), Bytes32(bytes.Repeat([]byte{255}, 32))},
		"the high bit of f": {k.E, flip(k.F, 255)},
		"the low bit of e":  {flip(k.E, 0), k.F},
	} {
		forged := KEM{k.U, k.Ubar, ef[0], ef[1]}
		if err := forged.Verify(pool, epoch, label); !errors.Is(err, ErrKEM) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Decrypt(shares[0], pool, epoch, forged, label, rand.Reader); !errors.Is(err, ErrKEM) {
			t.Errorf("%s: a holder answers: %v", name, err)
		}
	}
}

func flip(b Bytes32, bit int) Bytes32 {
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

func TestEveryBitOfTheEncapsulationCounts(t *testing.T) {
	pub, _ := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	for bit := 0; bit < 256; bit++ {
		for part, forged := range []KEM{
			{group.Point(flip(Bytes32(s.KEM.U), bit)), s.KEM.Ubar, s.KEM.E, s.KEM.F},
			{s.KEM.U, group.Point(flip(Bytes32(s.KEM.Ubar), bit)), s.KEM.E, s.KEM.F},
			{s.KEM.U, s.KEM.Ubar, flip(s.KEM.E, bit), s.KEM.F},
			{s.KEM.U, s.KEM.Ubar, s.KEM.E, flip(s.KEM.F, bit)},
		} {
			if err := forged.Verify(pool, epoch, label); !errors.Is(err, ErrKEM) {
				t.Fatalf("bit %d of part %d: %v", bit, part, err)
			}
		}
	}
}

// A sender who knows r still cannot use the identity, and a point has to be in
// its one encoding.
func TestIdentityAndForeignEncodingsAreRefused(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	honest := forge(t, group.ScalarFromInt(0), label)
	if !honest.U.IsIdentity() {
		t.Fatal("r = 0 must give the identity")
	}
	bad := group.Point(bytes.Repeat([]byte{255}, 32)) // above the field's prime
	odd := group.Point{1}                             // a negative field element
	for name, k := range map[string]KEM{
		"r = 0 with an honest proof": honest,
		"u identity":                 {group.Point{}, s.KEM.Ubar, s.KEM.E, s.KEM.F},
		"ubar identity":              {s.KEM.U, group.Point{}, s.KEM.E, s.KEM.F},
		"u above the prime":          {bad, s.KEM.Ubar, s.KEM.E, s.KEM.F},
		"ubar negative":              {s.KEM.U, odd, s.KEM.E, s.KEM.F},
	} {
		if _, err := Decrypt(shares[0], pool, epoch, k, label, rand.Reader); !errors.Is(err, ErrKEM) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Seal(group.PublicKey{T: 2, N: 3}, pool, epoch, nil, nil, rand.Reader); err == nil {
		t.Error("sealed to the identity as a key")
	}
	if _, _, err := Seal(group.PublicKey{T: 2, N: 3, Key: bad}, pool, epoch, nil, nil, rand.Reader); err == nil {
		t.Error("sealed to something that is no point")
	}
}

// forge makes an honest encapsulation with a chosen r for any label.
func forge(t testing.TB, r group.Scalar, label Label) KEM {
	t.Helper()
	s, err := group.RandomScalar(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	gbar := Gbar(pool, epoch)
	k := KEM{U: group.BaseMul(r).Encode(), Ubar: gbar.Mul(r).Encode()}
	e := challenge(label, k.U, group.BaseMul(s).Encode(), k.Ubar, gbar.Mul(s).Encode())
	k.E, k.F = Bytes32(e.Bytes()), Bytes32(s.Add(e.Mul(r)).Bytes())
	return k
}

// The attack that the label exists for, played to its end: a hub and one
// member take a victim's encapsulation and try to have t holders open it under
// a header of their own. They may also wrap a box of their own around it.
func TestHubAndMemberCannotHaveAVictimsPayloadOpened(t *testing.T) {
	pub, shares := deal(t, 3, 5)
	victim, _ := sealed(t, pub, "victim", "payload")
	header := []byte("accomplice")
	own, _ := sealed(t, pub, "accomplice", "cover")
	for name, s := range map[string]Sealed{
		"victim's encapsulation and box": victim,
		"victim's encapsulation":         {victim.KEM, own.Box},
		"victim's box":                   {own.KEM, victim.Box},
		"victim's points, own proof":     {KEM{victim.KEM.U, victim.KEM.Ubar, own.KEM.E, own.KEM.F}, victim.Box},
	} {
		label := LabelOf(header, BoxDigest(s.Box))
		for _, sh := range shares {
			if _, err := Decrypt(sh, pool, epoch, s.KEM, label, rand.Reader); !errors.Is(err, ErrKEM) {
				t.Errorf("%s: holder %d: %v", name, sh.Index, err)
			}
		}
	}
	// What they can do: answer for the victim's label with a fresh
	// encapsulation. Holders then raise a point whose logarithm the accomplice
	// knows, which tells nothing, and the box does not open.
	r, err := group.RandomScalar(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	label := LabelOf([]byte("victim"), BoxDigest(victim.Box))
	swapped := Sealed{forge(t, r, label), victim.Box}
	var parts []Partial
	for _, sh := range shares[:3] {
		parts = append(parts, partial(t, sh, swapped.KEM, label))
	}
	if _, err := Open(pub, pool, epoch, []byte("victim"), swapped, parts); !errors.Is(err, ErrBox) {
		t.Errorf("a swapped encapsulation: %v", err)
	}
}

func TestChangedBoxesDoNotOpen(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	other, _ := sealed(t, pub, "h", "x")
	parts := []Partial{partial(t, shares[0], s.KEM, label), partial(t, shares[2], s.KEM, label)}
	if got, err := Open(pub, pool, epoch, []byte("h"), s, parts); err != nil || string(got) != "x" {
		t.Fatalf("%q, %v", got, err)
	}
	for name, c := range map[string]struct {
		header string
		box    []byte
		want   error
	}{
		"cut short":                  {"h", s.Box[:511], ErrBox},
		"extended by a byte":         {"h", append(slices.Clone(s.Box), 0), ErrBox},
		"extended to the next size":  {"h", append(slices.Clone(s.Box), make([]byte, 2048-512)...), ErrKEM},
		"empty":                      {"h", nil, ErrBox},
		"box of another observation": {"h", other.Box, ErrKEM},
		"one bit changed":            {"h", append([]byte{s.Box[0] ^ 1}, s.Box[1:]...), ErrKEM},
		"header changed":             {"H", s.Box, ErrKEM},
		"header extended":            {"h\x00", s.Box, ErrKEM},
	} {
		if _, err := Open(pub, pool, epoch, []byte(c.header), Sealed{s.KEM, c.box}, parts); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, place := range [][2]string{{"pool-2", epoch}, {pool, "2027-11"}, {pool + epoch, ""}} {
		if _, err := Open(pub, place[0], place[1], []byte("h"), s, parts); !errors.Is(err, ErrKEM) {
			t.Errorf("opens in %v: %v", place, err)
		}
	}
}

// Boxes that only their own sender could make: proof and key are right, what
// is inside is not what Seal would write.
func TestBoxesThatSealNeverMakes(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	plain := func(size int, n uint32, tail byte) []byte {
		p := make([]byte, size-chacha20poly1305.Overhead)
		binary.BigEndian.PutUint32(p, n)
		p[len(p)-1] = tail
		return p
	}
	for name, c := range map[string]struct {
		plain []byte
		want  error
	}{
		"in form":                   {plain(512, 3, 0), nil},
		"length beyond the box":     {plain(512, 512, 0), ErrBox},
		"length one beyond":         {plain(512, 512-boxOverhead+1, 0), ErrBox},
		"length near 2^32":          {plain(512, 1<<32-1, 0), ErrBox},
		"something in the padding":  {plain(512, 3, 1), ErrBox},
		"a size that tells":         {plain(600, 3, 0), ErrBox},
		"larger than every box":     {plain(8193, 3, 0), ErrBox},
		"too short for its prefix":  {[]byte{0, 0, 0}, ErrBox},
		"as long as the box allows": {plain(512, 512-boxOverhead, 9), nil},
	} {
		r, err := group.RandomScalar(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		x, err := pub.Key.Decode()
		if err != nil {
			t.Fatal(err)
		}
		header := []byte("h")
		k := forge(t, r, Label{})
		aead, err := chacha20poly1305.New(boxKey(x.Mul(r).Encode(), header, k))
		if err != nil {
			t.Fatal(err)
		}
		box := aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), c.plain, nil)
		label := LabelOf(header, BoxDigest(box))
		s := Sealed{forge(t, r, label), box}
		parts := []Partial{partial(t, shares[1], s.KEM, label), partial(t, shares[2], s.KEM, label)}
		if _, err := Open(pub, pool, epoch, header, s, parts); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestPartialProofIsNotMalleable(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	p := partial(t, shares[1], s.KEM, label)
	if err := VerifyPartial(pub, s.KEM, label, p); err != nil {
		t.Fatal(err)
	}
	forms := map[string]Partial{
		"e plus the order": {p.Index, p.W, plusOrder(t, p.E), p.F},
		"f plus the order": {p.Index, p.W, p.E, plusOrder(t, p.F)},
		"both negated":     {p.Index, p.W, negated(t, p.E), negated(t, p.F)},
		"swapped":          {p.Index, p.W, p.F, p.E},
		"no point":         {p.Index, group.Point(bytes.Repeat([]byte{255}, 32)), p.E, p.F},
		"index 0":          {0, p.W, p.E, p.F},
		"negative index":   {-1, p.W, p.E, p.F},
		"index past n":     {4, p.W, p.E, p.F},
	}
	for bit := 0; bit < 256; bit++ {
		forms["bit of w"] = Partial{p.Index, group.Point(flip(Bytes32(p.W), bit)), p.E, p.F}
		forms["bit of e"] = Partial{p.Index, p.W, flip(p.E, bit), p.F}
		forms["bit of f"] = Partial{p.Index, p.W, p.E, flip(p.F, bit)}
		for name, bad := range forms {
			var wrong *WrongPartial
			if err := VerifyPartial(pub, s.KEM, label, bad); !errors.As(err, &wrong) || wrong.Index != bad.Index {
				t.Fatalf("%s (%d): %v", name, bit, err)
			}
		}
		if bit == 0 { // the forms without a bit need one round only
			forms = map[string]Partial{}
		}
	}
	var wrong *WrongPartial
	if err := VerifyPartial(pub, s.KEM, Label{1}, p); !errors.As(err, &wrong) {
		t.Errorf("under another label: %v", err)
	}
	k := s.KEM
	k.U = group.Point(bytes.Repeat([]byte{255}, 32))
	if err := VerifyPartial(pub, k, label, p); !errors.Is(err, ErrKEM) {
		t.Errorf("an encapsulation that is no point must not name a holder: %v", err)
	}
}

// A source of randomness that repeats itself must not give a share away: with
// one nonce under two labels, the share would be (f1-f2)/(e1-e2).
func TestRepeatedRandomnessKeepsTheShare(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	share := shares[0]
	var parts [2]Partial
	for i, header := range []string{"one", "two"} {
		s, label := sealed(t, pub, header, "x")
		p, err := Decrypt(share, pool, epoch, s.KEM, label, bytes.NewReader(make([]byte, 64)))
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyPartial(pub, s.KEM, label, p); err != nil {
			t.Fatal(err)
		}
		parts[i] = p
	}
	scalar := func(b Bytes32) group.Scalar {
		s, err := group.ScalarFromBytes(b[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	df := scalar(parts[0].F).Sub(scalar(parts[1].F))
	de := scalar(parts[0].E).Sub(scalar(parts[1].E))
	if df.Mul(de.Invert()).Equal(share.Scalar()) {
		t.Fatal("two proofs with the same random bytes give away the share")
	}
	s, label := sealed(t, pub, "three", "x")
	if _, err := Decrypt(share, pool, epoch, s.KEM, label, bytes.NewReader(make([]byte, 63))); err == nil {
		t.Error("a short read must fail")
	}
}

// Ten thousand would take the machine a minute; the count here is a tenth.
// Every wrong share is caught and laid at the right holder's door.
func TestWrongPartialsOfManyKinds(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	pub, shares := deal(t, 2, 3)
	s, label := sealed(t, pub, "h", "x")
	good := []Partial{partial(t, shares[0], s.KEM, label), partial(t, shares[1], s.KEM, label), partial(t, shares[2], s.KEM, label)}
	for i := range rounds {
		var noise [3]byte
		if _, err := rand.Read(noise[:]); err != nil {
			t.Fatal(err)
		}
		bad := good[i%3]
		bit := int(noise[0])
		switch noise[1] % 4 {
		case 0:
			w, err := bad.W.Decode()
			if err != nil {
				t.Fatal(err)
			}
			bad.W = w.Add(group.Base().MulInt(int64(noise[2]) + 1)).Encode()
		case 1:
			bad.E = flip(bad.E, bit)
		case 2:
			bad.F = flip(bad.F, bit)
		case 3:
			bad.W = good[(i+1)%3].W
		}
		_, err := Open(pub, pool, epoch, []byte("h"), s, []Partial{good[(i+1)%3], bad, good[(i+2)%3]})
		var wrong *WrongPartial
		if !errors.As(err, &wrong) || wrong.Index != bad.Index {
			t.Fatalf("round %d, kind %d: %v", i, noise[1]%4, err)
		}
	}
}
