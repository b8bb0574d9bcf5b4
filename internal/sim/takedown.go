package sim

import (
	"fmt"
	"math/rand/v2"

	"parallax/internal/fault"
)

// A Takedown closes one observed venue on day 0. Grounding: return within days,
// one destination takes most (ElBahrawy et al. 2020 on market closures); the
// shares are assumptions within what is published.
type Takedown struct {
	Venue  string  `json:"venue"`
	Before int     `json:"before"` // days watched before
	After  int     `json:"after"`  // days watched after
	Quit   float64 `json:"quit"`
	Pause  float64 `json:"pause"` // return after 30 to 120 days; who neither quits nor pauses moves within a fortnight
	Top    float64 `json:"top"`   // share of movers who go to the largest venue left
	Keeps  float64 `json:"keeps"` // chance that the new account keeps a selector
	Busier float64 `json:"busier"`
	// Seen is the chance that an event on an observed venue becomes a sighting,
	// at mean trappability. Much higher than the hazards of cases: a sighting
	// needs no suspicion of a person, only a tag.
	Seen float64 `json:"seen"`
	// Lost is an observed venue that stops contributing on day 0, or empty.
	Lost string `json:"lost,omitempty"`
}

// DefaultTakedown closes the second largest observed venue for 13 weeks.
func DefaultTakedown() Takedown {
	return Takedown{Venue: "platform-b", Before: 60, After: 91, Quit: 0.15, Pause: 0.20, Top: 2.0 / 3, Keeps: 0.5, Busier: 1.3, Seen: 0.3}
}

// Where an entity of a venue was seen after day 0.
const (
	FateStayed = iota
	FateMoved
	FateGone
)

// A Sight is one entity (aliases that share a selector) seen at a venue before
// day 0, with its fate in both arms.
type Sight struct {
	Entity  string
	Treated bool
	Times   int // sightings there before
	Venues  int // observed venues it was seen at before
	Fate    int // with the takedown
	Null    int // the same person without it
}

// Moves is a world with and without a takedown.
type Moves struct {
	Sights []Sight
	// Of all actors who were truly active at the venue: how many turned up at
	// another venue because of the takedown, and how many left it. Seen or not,
	// under whatever selector.
	TrueMoved, TrueLeft int
}

// streamTakedown keeps what people do after a takedown apart from what they are.
const streamTakedown = 5 << 40

// NewMoves draws a world in both arms from one seed: everything but the takedown
// itself is the same.
func NewMoves(p Params, t Takedown) (Moves, error) {
	if err := p.check(); err != nil {
		return Moves{}, err
	}
	places := venues()
	at := -1
	for i, v := range places {
		if v.org == t.Venue && v.org != "" {
			at = i
		}
	}
	if at < 0 || t.Before < 1 || t.After < 1 || !(t.Seen > 0 && t.Seen <= 1) || t.Quit+t.Pause > 1 {
		return Moves{}, fault.New(fault.Invalid, "a takedown names an observed venue, days before and after, a chance of being seen and shares up to 1")
	}
	d := takedown{p: p, t: t, places: places, top: -1}
	for i, v := range places {
		if i != at && (d.top < 0 || v.weight > places[d.top].weight) {
			d.top = i
		}
	}
	var out Moves
	for i := range p.Actors {
		d.actor(p.actor(i, places), stream(p.Seed, streamTakedown, i), &out)
	}
	return out, nil
}

type takedown struct {
	p      Params
	t      Takedown
	places []venue
	top    int
}

// presence is one alias in the windows: sightings, and whether it was used.
type presence struct {
	venue           string
	entity          int
	before, after   int // sightings
	usedBefore, use bool
}

// actor draws both arms of one actor.
func (d takedown) actor(a *actor, r *rand.Rand, out *Moves) {
	entity := entities(a)
	rate := a.Yearly / 365 / float64(len(a.Aliases))
	var all []presence
	closed := -1
	for i, x := range a.Aliases {
		pr := presence{venue: x.Venue.name, entity: entity[i]}
		var n int
		pr.before, n = d.sightings(r, a, x.Venue, rate*float64(d.t.Before), true)
		pr.usedBefore = n > 0
		pr.after, n = d.sightings(r, a, x.Venue, rate*float64(d.t.After), false)
		pr.use = n > 0
		if x.Venue.org == d.t.Venue {
			closed = i
		}
		all = append(all, pr)
	}
	null := all
	if closed >= 0 {
		null = append([]presence(nil), all...)
		d.close(a, r, closed, rate, &all, out)
	}
	d.sights(a, null, all, out)
}

// sightings draws how often an alias was used and seen.
func (d takedown) sightings(r *rand.Rand, a *actor, v venue, mean float64, before bool) (seen, used int) {
	used = poisson(r, mean)
	chanceSeen := 0.0
	if v.org != "" && (before || v.org != d.t.Lost) {
		chanceSeen = min(d.t.Seen*a.Trap, 1)
	}
	for range used {
		if chance(r, chanceSeen) {
			seen++
		}
	}
	return seen, used
}

// close takes the venue away and decides what its user does.
func (d takedown) close(a *actor, r *rand.Rand, i int, rate float64, all *[]presence, out *Moves) {
	was := (*all)[i]
	(*all)[i].after, (*all)[i].use = 0, false
	elsewhere := false
	for j, pr := range *all {
		elsewhere = elsewhere || j != i && pr.use
	}
	u := r.Float64()
	lag := 1 + r.IntN(14)
	if u < d.t.Quit+d.t.Pause {
		lag = 30 + r.IntN(91)
	}
	to := d.places[d.destination(a, r)]
	keeps := chance(r, d.t.Keeps)
	moved := false
	if days := d.t.After - lag; u >= d.t.Quit && days > 0 {
		pr := presence{venue: to.name, entity: -1}
		if keeps {
			pr.entity = was.entity
		}
		for j, old := range *all { // an account that is there already is used on
			if old.venue == to.name && j != i {
				pr.entity = old.entity
			}
		}
		var used int
		pr.after, used = d.sightings(r, a, to, rate*d.t.Busier*float64(days), false)
		pr.use = used > 0
		moved = pr.use && !elsewhere
		*all = append(*all, pr)
	}
	if was.usedBefore && was.use {
		out.TrueLeft++
		if moved || elsewhere {
			out.TrueMoved++
		}
	}
}

// destination is the largest venue left or one by weight, never the closed one.
func (d takedown) destination(a *actor, r *rand.Rand) int {
	if chance(r, d.t.Top) {
		return d.top
	}
	weights := make([]float64, len(d.places))
	for i, v := range d.places {
		if v.org != d.t.Venue {
			weights[i] = v.weight
		}
	}
	return pick(r, weights)
}

// sights lists what the pool sees of one actor, by entity and venue.
func (d takedown) sights(a *actor, null, all []presence, out *Moves) {
	venuesOf, atClosed := map[int]int{}, map[int]bool{}
	for _, pr := range null {
		if pr.before > 0 {
			venuesOf[pr.entity]++
			atClosed[pr.entity] = atClosed[pr.entity] || pr.venue == d.t.Venue
		}
	}
	for _, pr := range null {
		treated := pr.venue == d.t.Venue
		// A user of the closed venue is no control at another, and a venue that no
		// longer contributes cannot show who stayed.
		if pr.before == 0 || !treated && (atClosed[pr.entity] || pr.venue == d.t.Lost) {
			continue
		}
		out.Sights = append(out.Sights, Sight{Entity: fmt.Sprintf("%s/%d", a.ID, pr.entity), Treated: treated, Times: pr.before,
			Venues: venuesOf[pr.entity], Fate: fate(all, pr), Null: fate(null, pr)})
	}
}

func fate(all []presence, from presence) int {
	out := FateGone
	for _, pr := range all {
		if pr.entity != from.entity || pr.after == 0 {
			continue
		}
		if pr.venue == from.venue {
			return FateStayed
		}
		out = FateMoved
	}
	return out
}

// entities numbers the aliases of an actor; those that share a selector have the
// same number.
func entities(a *actor) []int {
	n := make([]int, len(a.Aliases))
	for i, x := range a.Aliases {
		n[i] = i
		for j, y := range a.Aliases[:i] {
			if x.Username != y.Username && (x.Email.Old == "" || x.Email.Old != y.Email.Old) && (x.Phone.Old == "" || x.Phone.Old != y.Phone.Old) {
				continue
			}
			for k, from := 0, n[i]; k <= i; k++ {
				if n[k] == from {
					n[k] = n[j]
				}
			}
		}
	}
	return n
}
