package client

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"parallax/opening"
	"parallax/oprf"
)

// batchSizes are all that a holder answers.
func batchSizes() (out []int) {
	for n := oprf.MinBatch; n <= oprf.MaxBatch; n *= 2 {
		out = append(out, n)
	}
	return out
}

// However a member spreads 1,000 queries without a case over batches of whatever
// sizes, one honest holder's draw misses all of them with probability under 1 %:
// no batch of any size is worth more than its share of that.
func TestAThousandBogusQueriesEscapeUnderOnePercent(t *testing.T) {
	worst := 0.0
	for _, n := range batchSizes() {
		for bogus := 1; bogus <= min(n, 1000); bogus++ {
			p := Escape(n, bogus)
			if p == 0 {
				continue
			}
			all := math.Pow(p, 1000/float64(bogus))
			if worst = max(worst, all); all >= 0.01 {
				t.Fatalf("%d in each batch of %d: 1,000 escape with probability %.4f", bogus, n, all)
			}
		}
	}
	t.Logf("the best that a member can do: %.4f", worst)
	if p := Escape(16384, 1000); p < 0.001 || p > 0.01 {
		t.Errorf("1,000 in one batch of 16,384: %.5f", p)
	}
	if Escape(256, 0) != 1 || Escape(256, 256) != 0 || SampleSize(256) != 8 || SampleSize(16384) != 82 {
		t.Error("the formula at its ends")
	}
}

// Drawn by the protocol's own derivation, with seeded signatures, as often as the
// formula says.
func TestDrawsMissAsOftenAsTheFormulaSays(t *testing.T) {
	const draws = 6000
	for _, c := range []struct{ n, bogus int }{{256, 20}, {256, 64}, {2048, 100}, {4096, 300}} {
		missed := 0
		for i := range draws {
			// The member puts its guesses where it likes; here at the end.
			if rows := sample(seedOf(c.n, i), c.n); rows[len(rows)-1] < c.n-c.bogus {
				missed++
			}
		}
		want := Escape(c.n, c.bogus)
		sd := math.Sqrt(want * (1 - want) / draws)
		if got := float64(missed) / draws; math.Abs(got-want) > 4*sd {
			t.Errorf("%d of %d: missed %.4f, the formula says %.4f +- %.4f", c.bogus, c.n, got, want, sd)
		}
	}
}

func seedOf(n, i int) opening.Hash {
	sig := sha256.Sum256(binary.BigEndian.AppendUint64([]byte{byte(n / 256)}, uint64(i)))
	return drawSeed(opening.Hash{7}, sig[:])
}

// Every row is as likely as every other, and none is drawn twice.
func TestEveryRowIsAsLikely(t *testing.T) {
	const n, draws = 256, 8000
	var hits [n]int
	for i := range draws {
		rows := sample(seedOf(n, i), n)
		if len(rows) != SampleSize(n) || !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != len(rows) {
			t.Fatalf("drawn %v", rows)
		}
		for _, r := range rows {
			hits[r]++
		}
	}
	want, chi := float64(draws*SampleSize(n))/n, 0.0
	for _, h := range hits {
		chi += (float64(h) - want) * (float64(h) - want) / want
	}
	if chi > 350 { // 255 degrees of freedom: beyond it once in ten thousand
		t.Errorf("chi squared is %.1f", chi)
	}
}

// Whose signature it is, and of which batch, decides; nothing else does.
func TestADrawIsOfOneHolderAndOneBatch(t *testing.T) {
	sig := make([]byte, 64)
	seeds := map[opening.Hash]bool{drawSeed(opening.Hash{1}, sig): true, drawSeed(opening.Hash{2}, sig): true}
	sig[63] = 1
	seeds[drawSeed(opening.Hash{1}, sig)] = true
	if len(seeds) != 3 {
		t.Error("two draws are one")
	}
}
