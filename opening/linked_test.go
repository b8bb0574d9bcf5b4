package opening

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// persons are the tags by which a fact can be linked.
func persons(f Fact) map[string]bool {
	out := map[string]bool{}
	for _, t := range f.Tags {
		if t.Person {
			out[t.Tag] = true
		}
	}
	return out
}

// linkedReference is S(o) again, written from its description alone.
func linkedReference(most int, o Fact, others []Fact) []string {
	ids := []string{o.ID}
	for _, f := range others {
		linked := false
		for tag := range persons(f) {
			n := 1
			for _, g := range others {
				if g.ID != o.ID && persons(g)[tag] {
					n++
				}
			}
			linked = linked || persons(o)[tag] && n <= most
		}
		if f.ID != o.ID && linked {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// Only a tag of a person class that both hold links, and none that too many
// hold: against a reference, over facts with tags of both kinds, the same tag
// twice, and the observation among the others.
func TestLinkedAgainstReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	r := DefaultRule()
	for range 20_000 {
		r.FrequencyCap = 2 + rng.IntN(4)
		facts := make([]Fact, 1+rng.IntN(8))
		for i := range facts {
			facts[i].ID = fmt.Sprint(i)
			for range rng.IntN(4) {
				facts[i].Tags = append(facts[i].Tags, FactTag{Tag: fmt.Sprint(rng.IntN(4)), Person: rng.IntN(3) > 0})
			}
		}
		others := facts[rng.IntN(2):]
		var got []string
		for _, f := range r.Linked(facts[0], others) {
			got = append(got, f.ID)
		}
		if want := linkedReference(r.FrequencyCap, facts[0], others); !slices.Equal(got, want) {
			t.Fatalf("linked %v, reference %v: cap %d, %+v", got, want, r.FrequencyCap, facts)
		}
	}
}

func TestWeightOfOneObservation(t *testing.T) {
	r := DefaultRule()
	old := ruleNow.AddDate(0, 0, -r.AdmittedDays)
	for i, c := range []struct {
		f    Fact
		want int
	}{
		{Fact{Strength: 1, Admitted: old}, 1}, {Fact{Strength: 3, Admitted: old}, 3},
		{Fact{Strength: 4, Admitted: old}, 0}, {Fact{Strength: 0, Admitted: old}, 0}, {Fact{Strength: -1, Admitted: old}, 0},
		{Fact{Strength: 2, Admitted: old, Unreliable: true}, 0}, {Fact{Strength: 2, Admitted: old, PossibleVictim: true}, 0},
		{Fact{Strength: 2, Admitted: old.Add(time.Nanosecond)}, 0}, {Fact{Strength: 2}, 0},
	} {
		if got := r.Weight(c.f, ruleNow); got != c.want {
			t.Errorf("%d: weight %d, want %d", i, got, c.want)
		}
	}
}

// A shared identifier that is no payment counts only where both sides call it a
// person's and no payment: a class in a header is its contributor's word.
func TestBothSidesCallATagSo(t *testing.T) {
	r := DefaultRule()
	old := ruleNow.AddDate(0, 0, -r.AdmittedDays)
	for _, mine := range []FactTag{{"x", true, false}, {"x", false, false}, {"x", true, true}, {"y", true, false}} {
		for _, theirs := range []FactTag{{"x", true, false}, {"x", false, false}, {"x", true, true}} {
			o := Fact{ID: "o", Entity: "a", Strength: 1, Admitted: old, Tags: []FactTag{mine}}
			f := Fact{ID: "f", Entity: "b", Strength: 1, Admitted: old, Tags: []FactTag{theirs}}
			want := 0
			if good := (FactTag{"x", true, false}); mine == good && theirs == good {
				want = 1
			}
			if got := sharedNonPayment(r, o, []Fact{o, f}, ruleNow); got != want {
				t.Errorf("%+v and %+v: %d shared, want %d", mine, theirs, got, want)
			}
			f.Entity = o.Entity
			if got := sharedNonPayment(r, o, []Fact{o, f}, ruleNow); got != 0 {
				t.Errorf("within one entity: %d shared", got)
			}
			f.Entity, f.Unreliable = "b", true
			if got := sharedNonPayment(r, o, []Fact{o, f}, ruleNow); got != 0 {
				t.Errorf("with an observation of no weight: %d shared", got)
			}
		}
	}
}
