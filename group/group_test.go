package group

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/gtank/ristretto255"
	"pgregory.net/rapid"

	"parallax/internal/shareddata"
)

func load(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(shareddata.Path(t, "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 9496, appendix A.1 to A.3.
func TestRFC9496(t *testing.T) {
	var v struct {
		Small  []string                            `json:"small_multiples_of_generator"`
		Bad    []struct{ Encoding, Reason string } `json:"invalid_encodings"`
		Derive []struct {
			Sum     string `json:"sha512_of_label"`
			Element string
		} `json:"element_derivation"`
	}
	load(t, "rfc9496-ristretto255.json", &v)
	sum := Identity()
	for i, want := range v.Small {
		p := sum.Encode()
		if hex.EncodeToString(p[:]) != want {
			t.Fatalf("%d times the generator differs", i)
		}
		if q := Base().MulInt(int64(i)).Encode(); q != p {
			t.Fatalf("MulInt(%d) differs", i)
		}
		if q := BaseMul(ScalarFromInt(int64(i))).Encode(); q != p {
			t.Fatalf("BaseMul(%d) differs", i)
		}
		sum = sum.Add(Base())
	}
	if len(v.Small) < 16 || len(v.Bad) != 29 || len(v.Derive) != 7 {
		t.Fatalf("vectors are missing: %d, %d, %d", len(v.Small), len(v.Bad), len(v.Derive))
	}
	for _, b := range v.Bad {
		if _, err := Point(unhex(t, b.Encoding)).Decode(); err == nil {
			t.Errorf("accepted %s: %s", b.Encoding, b.Reason)
		}
	}
	for _, d := range v.Derive {
		got := Element{ristretto255.NewElement().FromUniformBytes(unhex(t, d.Sum))}.Encode()
		if hex.EncodeToString(got[:]) != d.Element {
			t.Errorf("derived element differs for %s", d.Sum)
		}
	}
}

// RFC 9380, appendix K.3: expand_message_xmd with SHA-512.
func TestExpandMessage(t *testing.T) {
	var v struct {
		DST   string
		Tests []struct {
			Len string `json:"len_in_bytes"`
			Msg string
			Out string `json:"uniform_bytes"`
		}
	}
	load(t, "rfc9380-expand_message_xmd_SHA512_38.json", &v)
	for _, c := range v.Tests {
		n, err := strconv.ParseInt(c.Len, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		if got := expand(v.DST, int(n), []byte(c.Msg)); hex.EncodeToString(got) != c.Out {
			t.Errorf("message of %d bytes to %d: differs", len(c.Msg), n)
		}
	}
	if len(v.Tests) == 0 {
		t.Fatal("no vectors")
	}
}

// RFC 9591's Shamir shares of a known secret combine to D times that secret.
func TestRFC9591Shares(t *testing.T) {
	var v struct {
		Inputs struct {
			Secret string `json:"group_secret_key"`
			Shares []struct {
				ID    int    `json:"identifier"`
				Share string `json:"participant_share"`
			} `json:"participant_shares"`
		}
	}
	load(t, "rfc9591-frost-ristretto255-sha512.json", &v)
	secret, err := ScalarFromBytes(unhex(t, v.Inputs.Secret))
	if err != nil {
		t.Fatal(err)
	}
	want := BaseMul(secret.Mul(ScalarFromInt(2))).Encode()
	for skip := 1; skip <= 3; skip++ {
		parts := make(map[int]Element)
		for _, s := range v.Inputs.Shares {
			if s.ID != skip {
				share, err := ShareFromBytes(s.ID, unhex(t, s.Share))
				if err != nil {
					t.Fatal(err)
				}
				parts[s.ID] = BaseMul(share.Scalar())
			}
		}
		got, err := CombinePoints(2, 3, parts)
		if err != nil || got.Encode() != want {
			t.Errorf("without share %d: %v", skip, err)
		}
	}
}

func TestDenominators(t *testing.T) {
	for _, c := range [][3]int64{{2, 3, 2}, {3, 5, 24}, {4, 7, 720}, {1, 1, 1}} {
		if d, err := Denominator(int(c[0]), int(c[1])); err != nil || d != c[2] {
			t.Errorf("%d-of-%d: %d, want %d (%v)", c[0], c[1], d, c[2], err)
		}
	}
	for _, c := range [][2]int{{0, 3}, {4, 3}, {2, 10}} {
		if _, err := Denominator(c[0], c[1]); err == nil {
			t.Errorf("%d-of-%d is accepted", c[0], c[1])
		}
	}
	for _, indices := range [][]int{{1}, {1, 1}, {0, 1}, {1, 4}} {
		if _, err := Coefficients(2, 3, indices); err == nil {
			t.Errorf("indices %v are accepted", indices)
		}
	}
}

func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "a"), rapid.Int64Range(-1<<40, 1<<40).Draw(t, "b")
		s, r := ScalarFromInt(a), ScalarFromInt(b)
		if !s.Add(r).Equal(ScalarFromInt(a+b)) || !s.Sub(r).Equal(ScalarFromInt(a-b)) {
			t.Fatal("scalars do not add")
		}
		if !BaseMul(s).Add(BaseMul(r)).Equal(Base().MulInt(a+b)) || !BaseMul(s).Sub(BaseMul(r)).Equal(Base().MulInt(a-b)) {
			t.Fatal("points do not add")
		}
		if !MultiMul([]Scalar{s, r}, []Element{Base(), Base()}).Equal(Base().MulInt(a + b)) {
			t.Fatal("multiples do not add")
		}
		if !s.IsZero() && !s.Mul(s.Invert()).Equal(ScalarFromInt(1)) {
			t.Fatal("inverse")
		}
	})
}

func TestCheckRefusesPointsOffThePolynomial(t *testing.T) {
	a, b := ScalarFromInt(5), ScalarFromInt(7) // f(x) = 5 + 7x
	pub := PublicKey{Label: "x", T: 2, N: 3, Key: BaseMul(a.Mul(ScalarFromInt(2))).Encode()}
	for i := int64(1); i <= 3; i++ {
		pub.Holders = append(pub.Holders, BaseMul(a.Add(b.Mul(ScalarFromInt(i)))).Encode())
	}
	if err := pub.Check(); err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*PublicKey){
		"a holder's point": func(p *PublicKey) { p.Holders[2] = Base().Encode() },
		"the group key":    func(p *PublicKey) { p.Key = Base().Encode() },
		"an identity":      func(p *PublicKey) { p.Holders[0] = Point{} },
		"a missing holder": func(p *PublicKey) { p.Holders = p.Holders[:2] },
	} {
		bent := pub
		bent.Holders = bytesClone(pub.Holders)
		bend(&bent)
		if bent.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func bytesClone(p []Point) []Point { return append([]Point(nil), p...) }

func TestScalarBytes(t *testing.T) {
	s, err := RandomScalar(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ScalarFromBytes(s.Bytes())
	if err != nil || !again.Equal(s) {
		t.Fatal("a scalar does not survive its encoding")
	}
	for _, bad := range [][]byte{nil, make([]byte, 31), bytes.Repeat([]byte{0xff}, 32)} {
		if _, err := ScalarFromBytes(bad); err == nil {
			t.Errorf("%x is accepted", bad)
		}
	}
}

// FuzzPointText: under plain encoding/json too, a point has one spelling.
func FuzzPointText(f *testing.F) {
	good, err := json.Marshal(Base().Encode())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append([]byte(`"\n`), good[1:]...))
	f.Add([]byte("null"))
	f.Add(append([]byte(`"\u0034`), good[2:]...))
	f.Add(bytes.Replace(good, []byte("k="), []byte("l="), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p Point
		if json.Unmarshal(raw, &p) != nil {
			return
		}
		if again, err := json.Marshal(p); err != nil || !bytes.Equal(bytes.TrimSpace(raw), again) {
			t.Fatalf("%q is a second spelling of %q", raw, again)
		}
	})
}

func FuzzPoint(f *testing.F) {
	g := Base().Encode()
	f.Add(g[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != Size {
			return
		}
		if e, err := Point(b).Decode(); err == nil && e.Encode() != Point(b) {
			t.Fatal("a point has two encodings")
		}
	})
}

// The multiples at the ends of the range, where negation overflows.
func TestMulIntExtremes(t *testing.T) {
	for _, k := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64} {
		if !Base().MulInt(k).Equal(BaseMul(ScalarFromInt(k))) {
			t.Errorf("MulInt(%d) differs from the scalar multiple", k)
		}
	}
}
