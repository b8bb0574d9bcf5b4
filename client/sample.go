package client

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"parallax/opening"
	"parallax/oprf"
)

// How much an audit opens: of every batch one row in QueryRate, rounded up, and
// never fewer than QueryFloor, for each holder that answered it.
const (
	QueryRate  = 200
	QueryFloor = 8
)

// SampleSize is how many rows of a batch of n points one holder's draw picks.
func SampleSize(n int) int { return min(n, max(QueryFloor, (n+QueryRate-1)/QueryRate)) }

// Escape is the probability that a draw picks none of bogus rows in a batch of n
// points: the hypergeometric C(n-bogus, k) / C(n, k).
func Escape(n, bogus int) float64 {
	p := 1.0
	for i := range SampleSize(n) {
		p *= float64(max(n-bogus-i, 0)) / float64(n-i)
	}
	return p
}

func validSize(n int) bool {
	p, err := oprf.PadSize(n)
	return err == nil && p == n
}

// drawSeed is SHA-256 over a domain, the batch and a holder's cosignature. Each holder's share is drawn from its own signature alone: hashed
// together, whoever signs last could try signatures until the sample suits it.
func drawSeed(batch opening.Hash, sig []byte) opening.Hash {
	h := sha256.New()
	h.Write([]byte("parallax/query-draw/v1\x00"))
	h.Write(batch[:])
	h.Write(sig)
	return opening.Hash(h.Sum(nil))
}

// sample picks SampleSize(n) different rows of n, ascending: the beginning of a
// Fisher-Yates shuffle fed by SHA-256 in counter mode, 64 bits a step. For n up
// to 16,384 the remainder favours no row by more than one in 2^49.
func sample(seed opening.Hash, n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	k := SampleSize(n)
	for i := range k {
		block := sha256.Sum256(binary.BigEndian.AppendUint32(append([]byte("parallax/query-sample/v1\x00"), seed[:]...), uint32(i)))
		j := i + int(binary.BigEndian.Uint64(block[:8])%uint64(n-i))
		rows[i], rows[j] = rows[j], rows[i]
	}
	out := rows[:k:k]
	slices.Sort(out)
	return out
}
