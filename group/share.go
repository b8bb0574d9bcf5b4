package group

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sort"
)

// MaxHolders bounds n, so that every coefficient fits an int64.
const MaxHolders = 9

func checkTN(t, n int) error {
	if t < 1 || n < t || n > MaxHolders {
		return fmt.Errorf("threshold %d of %d is outside 1..%d", t, n, MaxHolders)
	}
	return nil
}

// Denominator is D: the least common denominator of all Lagrange coefficients
// at 0 over all t-subsets of 1..n (2 for 2-of-3, 24 for 3-of-5, 720 for 4-of-7).
func Denominator(t, n int) (int64, error) {
	if err := checkTN(t, n); err != nil {
		return 0, err
	}
	d := int64(1)
	for mask := uint(0); mask < 1<<n; mask++ {
		if bits.OnesCount(mask) != t {
			continue
		}
		indices := maskIndices(mask, n)
		for _, i := range indices {
			num, den := lagrange(indices, i)
			den /= gcd(num, den)
			d = d / gcd(d, den) * den
		}
	}
	return d, nil
}

func maskIndices(mask uint, n int) []int {
	var out []int
	for i := 1; i <= n; i++ {
		if mask>>(i-1)&1 == 1 {
			out = append(out, i)
		}
	}
	return out
}

// lagrange gives the coefficient of index i at 0 as num/den, den positive.
func lagrange(indices []int, i int) (num, den int64) {
	num, den = 1, 1
	for _, j := range indices {
		if j != i {
			num *= int64(j)
			den *= int64(j - i)
		}
	}
	if den < 0 {
		num, den = -num, -den
	}
	return num, den
}

func gcd(a, b int64) int64 {
	if a < 0 {
		a = -a
	}
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Coefficients gives D*lambda_i for each index, in the order given: small
// integers that combine any t distinct indices of 1..n.
func Coefficients(t, n int, indices []int) ([]int64, error) {
	d, err := Denominator(t, n)
	if err != nil {
		return nil, err
	}
	if len(indices) != t {
		return nil, fmt.Errorf("%d indices, want %d", len(indices), t)
	}
	seen := make(map[int]bool)
	for _, i := range indices {
		if i < 1 || i > n || seen[i] {
			return nil, fmt.Errorf("index %d is outside 1..%d or repeated", i, n)
		}
		seen[i] = true
	}
	out := make([]int64, t)
	for k, i := range indices {
		num, den := lagrange(indices, i)
		g := gcd(num, den)
		out[k] = num / g * (d / (den / g))
	}
	return out, nil
}

// CombinePoints gives the sum of D*lambda_i*part_i over exactly t parts.
func CombinePoints(t, n int, parts map[int]Element) (Element, error) {
	indices := make([]int, 0, len(parts))
	for i := range parts {
		indices = append(indices, i)
	}
	sort.Ints(indices)
	coeff, err := Coefficients(t, n, indices)
	if err != nil {
		return Element{}, err
	}
	sum := Identity()
	for k, i := range indices {
		sum = sum.Add(parts[i].MulInt(coeff[k]))
	}
	return sum, nil
}

// A Share is one holder's secret f(i). It prints as a placeholder.
type Share struct {
	Index int
	k     Scalar
}

// NewShare wraps a scalar as the share with this index.
func NewShare(index int, k Scalar) Share { return Share{Index: index, k: k} }

// ShareFromBytes reads a share that Bytes wrote.
func ShareFromBytes(index int, b []byte) (Share, error) {
	k, err := ScalarFromBytes(b)
	if err != nil {
		return Share{}, err
	}
	if index < 1 || index > MaxHolders || k.IsZero() {
		return Share{}, errors.New("share: index out of range or zero")
	}
	return Share{index, k}, nil
}

// Bytes is the explicit way out of the secret.
func (s Share) Bytes() []byte { return s.k.Bytes() }

// Scalar gives the secret for computing.
func (s Share) Scalar() Scalar { return s.k }

// PublicPoint is P_i = f(i)*G.
func (s Share) PublicPoint() Point { return BaseMul(s.k).Encode() }

// String hides the secret.
func (s Share) String() string { return fmt.Sprintf("[share %d]", s.Index) }

// GoString hides the secret.
func (s Share) GoString() string { return s.String() }

// Format hides the secret under every verb.
func (s Share) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText hides the secret.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A PublicKey is the public side of a shared key: Key = D*f(0)*G and
// Holders[i-1] = P_i = f(i)*G.
type PublicKey struct {
	Label   string  `json:"label"`
	T       int     `json:"t"`
	N       int     `json:"n"`
	Key     Point   `json:"key"`
	Holders []Point `json:"holders"`
}

// Check requires that every t-subset of the holders' points gives Key (so they
// lie on one polynomial of degree t-1) and that no point is the identity.
func (p PublicKey) Check() error {
	if err := checkTN(p.T, p.N); err != nil {
		return err
	}
	if len(p.Holders) != p.N {
		return fmt.Errorf("key %q: %d holder points, want %d", p.Label, len(p.Holders), p.N)
	}
	if p.Key.IsIdentity() {
		return fmt.Errorf("key %q is the identity", p.Label)
	}
	points := make([]Element, p.N)
	for i, h := range p.Holders {
		e, err := h.Decode()
		if err != nil || h.IsIdentity() {
			return fmt.Errorf("key %q: holder %d has no valid point", p.Label, i+1)
		}
		points[i] = e
	}
	for mask := uint(0); mask < 1<<p.N; mask++ {
		if bits.OnesCount(mask) != p.T {
			continue
		}
		parts := make(map[int]Element, p.T)
		for _, i := range maskIndices(mask, p.N) {
			parts[i] = points[i-1]
		}
		got, err := CombinePoints(p.T, p.N, parts)
		if err != nil {
			return err
		}
		if got.Encode() != p.Key {
			return fmt.Errorf("key %q: the holders' points do not lie on one polynomial that gives it", p.Label)
		}
	}
	return nil
}
