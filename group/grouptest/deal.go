// Package grouptest deals shared keys with a trusted dealer, for tests and
// benchmarks only: no pool is ever set up this way.
package grouptest

import (
	"fmt"
	"io"

	"parallax/group"
)

// Deal makes a t-of-n key. A secret, if given, is the wanted k = D*f(0).
func Deal(t, n int, label string, secret *group.Scalar, random io.Reader) (group.PublicKey, []group.Share, error) {
	d, err := group.Denominator(t, n)
	if err != nil {
		return group.PublicKey{}, nil, err
	}
	coeff := make([]group.Scalar, t)
	for i := range coeff {
		if coeff[i], err = group.RandomScalar(random); err != nil {
			return group.PublicKey{}, nil, fmt.Errorf("deal: %w", err)
		}
	}
	if secret != nil {
		coeff[0] = secret.Mul(group.ScalarFromInt(d).Invert())
	}
	pub := group.PublicKey{Label: label, T: t, N: n, Key: group.BaseMul(coeff[0].Mul(group.ScalarFromInt(d))).Encode()}
	var shares []group.Share
	for i := 1; i <= n; i++ {
		x, y := group.ScalarFromInt(int64(i)), group.ScalarFromInt(0)
		for j := t - 1; j >= 0; j-- {
			y = y.Mul(x).Add(coeff[j])
		}
		s := group.NewShare(i, y)
		shares = append(shares, s)
		pub.Holders = append(pub.Holders, s.PublicPoint())
	}
	return pub, shares, nil
}
