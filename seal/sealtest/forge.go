// Package sealtest makes, for tests only, what a dishonest hub can make.
package sealtest

import (
	"crypto/rand"

	"parallax/group"
	"parallax/seal"
)

// Forge proves a fresh encapsulation for a label, which needs no secret: the
// label is known to whoever holds header and box. It is written from
// docs/design/sealing.md, apart from package seal.
func Forge(pool, epoch string, label seal.Label) (seal.KEM, error) {
	r, err := group.RandomScalar(rand.Reader)
	if err != nil {
		return seal.KEM{}, err
	}
	s, err := group.RandomScalar(rand.Reader)
	if err != nil {
		return seal.KEM{}, err
	}
	gbar := seal.Gbar(pool, epoch)
	k := seal.KEM{U: group.BaseMul(r).Encode(), Ubar: gbar.Mul(r).Encode()}
	w, wbar := group.BaseMul(s).Encode(), gbar.Mul(s).Encode()
	e := group.HashToScalar("parallax/tdh2-challenge/v1", label[:], k.U[:], w[:], k.Ubar[:], wbar[:])
	copy(k.E[:], e.Bytes())
	copy(k.F[:], s.Add(e.Mul(r)).Bytes())
	return k, nil
}
