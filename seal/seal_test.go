package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"parallax/group"
	"parallax/group/grouptest"
)

const pool, epoch = "pool-1", "2026-11"

func deal(t testing.TB, tn, n int) (group.PublicKey, []group.Share) {
	t.Helper()
	pub, shares, err := grouptest.Deal(tn, n, "payload", nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pub, shares
}

func sealed(t testing.TB, pub group.PublicKey, header, payload string) (Sealed, Label) {
	t.Helper()
	s, l, err := Seal(pub, pool, epoch, []byte(header), []byte(payload), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func partial(t testing.TB, s group.Share, k KEM, l Label) Partial {
	t.Helper()
	p, err := Decrypt(s, pool, epoch, k, l, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEverySubsetOpens(t *testing.T) {
	for _, tn := range [][2]int{{2, 3}, {3, 5}, {4, 7}} {
		pub, shares := deal(t, tn[0], tn[1])
		s, l := sealed(t, pub, "header", "a reference")
		for mask := uint(0); mask < 1<<tn[1]; mask++ {
			var parts []Partial
			for i, sh := range shares {
				if mask>>i&1 == 1 {
					parts = append(parts, partial(t, sh, s.KEM, l))
				}
			}
			got, err := Open(pub, pool, epoch, []byte("header"), s, parts)
			if enough := bits.OnesCount(mask) >= tn[0]; enough != (err == nil) || (enough && string(got) != "a reference") {
				t.Fatalf("%d-of-%d with holders %b: %q, %v", tn[0], tn[1], mask, got, err)
			}
		}
	}
}

// The attacks that a plain key encapsulation would allow. In each, the holder
// itself refuses: no share exists.
func TestHoldersRefuseBorrowedEncapsulations(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	victim, label := sealed(t, pub, "victim's header", "secret")
	other, otherLabel := sealed(t, pub, "accomplice's header", "mine")
	two, err := victim.KEM.U.Decode()
	if err != nil {
		t.Fatal(err)
	}
	twobar, err := victim.KEM.Ubar.Decode()
	if err != nil {
		t.Fatal(err)
	}
	rerandomised := victim.KEM
	rerandomised.U = two.Add(group.Base()).Encode()
	rerandomised.Ubar = twobar.Add(Gbar(pool, epoch)).Encode()
	doubled := victim.KEM
	doubled.U, doubled.Ubar = two.Add(two).Encode(), twobar.Add(twobar).Encode()
	identity := victim.KEM
	identity.U, identity.Ubar = group.Point{}, group.Point{}
	high := victim.KEM
	high.E[31] |= 0xf0
	mixed := victim.KEM
	mixed.Ubar = other.KEM.Ubar
	for name, c := range map[string]struct {
		kem   KEM
		label Label
	}{
		"copied into another contribution":  {victim.KEM, otherLabel},
		"re-randomised":                     {rerandomised, label},
		"re-randomised under another label": {rerandomised, otherLabel},
		"doubled":                           {doubled, label},
		"identity":                          {identity, label},
		"scalar not canonical":              {high, label},
		"two bases with two logarithms":     {mixed, label},
		"changed header":                    {victim.KEM, LabelOf([]byte("victim's headeR"), BoxDigest(victim.Box))},
		"box of another observation":        {victim.KEM, LabelOf([]byte("victim's header"), BoxDigest(other.Box))},
		"box cut short":                     {victim.KEM, LabelOf([]byte("victim's header"), BoxDigest(victim.Box[:511]))},
	} {
		if _, err := Decrypt(shares[0], pool, epoch, c.kem, c.label, rand.Reader); !errors.Is(err, ErrKEM) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decrypt(shares[0], pool, "2027-11", victim.KEM, label, rand.Reader); !errors.Is(err, ErrKEM) {
		t.Errorf("another epoch: %v", err)
	}
}

func TestWrongPartialsAreCaughtAndAttributed(t *testing.T) {
	pub, shares := deal(t, 2, 3)
	s, l := sealed(t, pub, "h", "x")
	o, ol := sealed(t, pub, "h2", "y")
	good := partial(t, shares[0], s.KEM, l)
	borrowed := partial(t, shares[1], o.KEM, ol)
	renamed := partial(t, shares[1], s.KEM, l)
	renamed.Index = 3
	flipped := partial(t, shares[1], s.KEM, l)
	flipped.F[0] ^= 1
	swapped := partial(t, shares[1], s.KEM, l)
	swapped.W = good.W
	identity := partial(t, shares[1], s.KEM, l)
	identity.W = group.Point{}
	for name, p := range map[string]Partial{"for another observation": borrowed, "under another index": renamed,
		"changed proof": flipped, "another holder's point": swapped, "identity": identity} {
		_, err := Open(pub, pool, epoch, []byte("h"), s, []Partial{good, p})
		var wrong *WrongPartial
		if !errors.As(err, &wrong) || wrong.Index != p.Index {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(pub, pool, epoch, []byte("h"), s, []Partial{good, good}); err == nil {
		t.Error("one holder twice must not open")
	}
}

func TestBoxSizesHideThePayload(t *testing.T) {
	pub, _ := deal(t, 2, 3)
	for n, want := range map[int]int{0: 512, 1: 512, 512 - boxOverhead: 512, 513 - boxOverhead: 2048,
		2048 - boxOverhead: 2048, 2049 - boxOverhead: 8192, MaxPayload: 8192} {
		s, _ := sealed(t, pub, "h", string(make([]byte, n)))
		if len(s.Box) != want || !ValidBoxSize(len(s.Box)) {
			t.Errorf("payload of %d bytes: box of %d, want %d", n, len(s.Box), want)
		}
	}
	if _, _, err := Seal(pub, pool, epoch, nil, make([]byte, MaxPayload+1), rand.Reader); !errors.Is(err, ErrTooLong) {
		t.Errorf("one byte too long: %v", err)
	}
}

func TestMerklePaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := make([]Leaf, rapid.IntRange(1, 33).Draw(t, "n"))
		for i := range leaves {
			leaves[i] = Leaf{byte(i), byte(i >> 8), 1}
		}
		root, err := Root(leaves)
		if err != nil {
			t.Fatal(err)
		}
		i, j := rapid.IntRange(0, len(leaves)-1).Draw(t, "i"), rapid.IntRange(0, len(leaves)-1).Draw(t, "j")
		p, err := Prove(leaves, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(leaves[j], root); (err == nil) != (i == j) {
			t.Fatalf("path of %d for leaf %d: %v", i, j, err)
		}
		for _, q := range []Path{{p.Index, p.Count + 1, p.Nodes}, {p.Index + 1, p.Count, p.Nodes},
			{p.Index, p.Count, append(bytes32s(p.Nodes), Bytes32{})}, {-1, p.Count, p.Nodes}} {
			if q.Verify(leaves[i], root) == nil {
				t.Fatalf("a changed path verifies: %+v", q)
			}
		}
	})
}

func bytes32s(in []Bytes32) []Bytes32 { return append([]Bytes32(nil), in...) }

func TestBatchSignatureBindsItsPlace(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sig := SignBatch(key, pool, epoch, "bank", [32]byte{1})
	if err := VerifyBatch(pub, pool, epoch, "bank", [32]byte{1}, sig); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{{"pool", epoch, "bank"}, {pool, "e", "bank"}, {pool, epoch, "b"}, {pool + "2", "026-11", "bank"}} {
		if VerifyBatch(pub, c[0], c[1], c[2], [32]byte{1}, sig) == nil {
			t.Errorf("verifies for %v", c)
		}
	}
}

func TestHPKEBindsInfo(t *testing.T) {
	priv, pub, err := GenerateHPKE()
	if err != nil {
		t.Fatal(err)
	}
	c, err := SealTo(pub, []byte("a"), []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenFrom(priv, []byte("a"), c); err != nil || !bytes.Equal(got, []byte("text")) {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := OpenFrom(priv, []byte("b"), c); err == nil {
		t.Error("opens under other info")
	}
}

func TestSecretsPrintAsPlaceholders(t *testing.T) {
	_, shares := deal(t, 2, 3)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, shares[0]); got != "[share 1]" {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, shares[0].Scalar()); got != "[scalar]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	pub, _ := deal(b, 3, 5)
	payload := make([]byte, 1024)
	for b.Loop() {
		if _, _, err := Seal(pub, pool, epoch, []byte("header"), payload, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealHPKE(b *testing.B) {
	_, pub, err := GenerateHPKE()
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 1024)
	for b.Loop() {
		if _, err := SealTo(pub, nil, payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPartial(b *testing.B) {
	pub, shares := deal(b, 3, 5)
	s, l := sealed(b, pub, "header", "x")
	for b.Loop() {
		if _, err := Decrypt(shares[0], pool, epoch, s.KEM, l, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
