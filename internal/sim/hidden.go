package sim

import (
	"math"
	"math/rand/v2"
)

// Hidden is a population that lists see parts of: the simplest world in which
// each assumption of an estimator holds or is broken one by one.
type Hidden struct {
	Seed   uint64
	People int
	Reach  []float64 // by list: chance that somebody of mean visibility is on it
	// Sigma spreads visibility: one lognormal draw of mean 1 for each person, the
	// same for all lists, as trappability is in the whole ecosystem.
	Sigma float64
	// Seldom is the share of people who are a tenth as easily seen as the rest.
	Seldom float64
	// Referral is the chance that a record of list 2 is passed to list 3 and
	// counts as its own there.
	Referral float64
	// Pull multiplies the hazard of list 3 for who is on list 0.
	Pull float64
	// Closed is the share of who is on list 1 whose account is closed, so that no
	// later list sees them.
	Closed float64
	Carry  []float64 // by list: chance that a record carries the shared selector; nil is always
	False  float64   // share of people whose records are joined with a stranger's
}

// streamHidden numbers the draws of hidden populations.
const streamHidden = 6 << 40

// Histories counts the records by the lists they stand on, as a mask.
func (h Hidden) Histories() map[uint32]int {
	r := stream(h.Seed, streamHidden, 0)
	out := map[uint32]int{}
	held := uint32(0) // a stranger's history that waits to be joined
	for range h.People {
		mask := h.person(r)
		if mask == 0 {
			continue
		}
		if held != 0 {
			mask, held = mask|held, 0
		} else if chance(r, h.False) {
			held = mask
			continue
		}
		for _, m := range h.split(r, mask) {
			out[m]++
		}
	}
	if held != 0 {
		out[held]++
	}
	return out
}

func (h Hidden) person(r *rand.Rand) (mask uint32) {
	x := skew(r, h.Sigma)
	if chance(r, h.Seldom) {
		x /= 10
	}
	for j, reach := range h.Reach {
		hazard := -math.Log1p(-reach) * x
		if j == 3 && mask&1 == 1 && h.Pull > 0 {
			hazard *= h.Pull
		}
		if chance(r, 1-math.Exp(-hazard)) {
			mask |= 1 << j
		}
		if j == 1 && mask&2 == 2 && chance(r, h.Closed) {
			break
		}
	}
	if mask&4 == 4 && chance(r, h.Referral) {
		mask |= 8
	}
	return mask
}

// split parts a history where records lack the shared selector.
func (h Hidden) split(r *rand.Rand, mask uint32) (out []uint32) {
	if h.Carry == nil {
		return []uint32{mask}
	}
	joined := uint32(0)
	for j, a := range h.Carry {
		switch bit := uint32(1) << j; {
		case mask&bit == 0:
		case chance(r, a):
			joined |= bit
		default:
			out = append(out, bit)
		}
	}
	if joined != 0 {
		out = append(out, joined)
	}
	return out
}

// SectorLists are the lists that SectorHistories makes.
var SectorLists = []string{SectorBank, SectorPlatform, SectorHotline, SectorPolice}

// SectorHistories counts the actors of a whole ecosystem by the sectors that
// hold a row about them, everything linked; a financial intelligence unit and a
// regulator stand with the police. With referred, copies that others passed on
// count as the receiver's own.
func (w *World) SectorHistories(referred bool) map[uint32]int {
	on := map[string]uint32{}
	for _, a := range w.actors {
		on[a.ID] = 0
	}
	bit := map[string]uint32{SectorBank: 1, SectorPlatform: 2, SectorHotline: 4, SectorPolice: 8, SectorFIU: 8, SectorRegulator: 8}
	for _, o := range organisations {
		for _, row := range w.Rows[o.ID] {
			if mask, actor := on[row.subject]; actor && (referred || row.Origin == "own") {
				on[row.subject] = mask | bit[o.Sector]
			}
		}
	}
	out := map[uint32]int{}
	for _, mask := range on {
		if mask != 0 {
			out[mask]++
		}
	}
	return out
}
