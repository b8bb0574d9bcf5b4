package opening

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"parallax/seal"
	"parallax/signed"
)

// DenialDomain separates denials from all other signed objects.
const DenialDomain = "parallax/denial/v1"

// Denial kinds: facts that forbid an opening, signed by their author and kept
// by every holder.
const (
	DenyWithdraw = "withdraw" // a member withdraws its own observations
	DenySuspend  = "suspend"  // a governor suspends a member
	DenyHalt     = "halt"     // an approver or governor halts openings
	DenyResume   = "resume"   // one of two governors lifts a halt or a suspension
)

// A Denial forbids opening: of labels (withdraw), of a member's observations
// (suspend) or of everything (halt).
type Denial struct {
	Kind   string       `json:"kind"`
	Pool   string       `json:"pool"`
	Labels []seal.Label `json:"labels"` // withdraw
	Member string       `json:"member"` // withdraw, suspend
	Reason string       `json:"reason"`
	Nonce  Hash         `json:"nonce"`
	Time   int64        `json:"time"`
	// Of a correction: the key id that signs it, and what an amendment puts in
	// the place of Labels.
	Author  string       `json:"author,omitempty"`
	Instead []seal.Label `json:"instead,omitempty"`
}

// OpenDenial verifies a denial and that its author may make it.
func OpenDenial(m Manifest, g Governance, o signed.Object) (Denial, error) {
	var d Denial
	key, roles := authorOf(m, g, o.Key)
	if key == nil {
		return Denial{}, fmt.Errorf("%q may not forbid openings in this pool", o.Key)
	}
	if err := o.Open(DenialDomain, key, &d); err != nil {
		return Denial{}, fmt.Errorf("denial: %w", err)
	}
	if d.Pool != m.Pool {
		return Denial{}, errors.New("the denial is for another pool")
	}
	var why error
	for _, role := range roles {
		if why = d.check(role, o.Key); why == nil {
			return d, nil
		}
	}
	return Denial{}, why
}

// check decides whether an author may sign this denial in one of its roles.
func (d Denial) check(role, author string) error {
	if d.Corrects() {
		return d.checkCorrection(role, author)
	}
	allowed := map[string][]string{DenyWithdraw: {"member"}, DenySuspend: {"governor"},
		DenyHalt: {"governor", "approver"}, DenyResume: {"governor"}}[d.Kind]
	own := d.Kind != DenyWithdraw || (d.Member == author && len(d.Labels) > 0)
	if slices.Contains(allowed, role) && own && d.Author == "" && len(d.Instead) == 0 {
		return nil
	}
	return fmt.Errorf("a %s may not sign a denial of kind %q for this pool", role, d.Kind)
}

// authorOf gives the key of an id and what it may speak as. An authority is
// often a member as well, under one id and one key.
func authorOf(m Manifest, g Governance, id string) (key []byte, roles []string) {
	add := func(k []byte, role string) {
		if key == nil {
			key = k
		}
		if bytes.Equal(key, k) {
			roles = append(roles, role)
		}
	}
	if mem, ok := m.Member(id); ok {
		add(mem.Key, "member")
	}
	if a, ok := m.Approver(id); ok {
		add(a.Key, "approver")
	}
	for _, gov := range g.Governors {
		if gov.ID == id {
			add(gov.Key, "governor")
		}
	}
	return key, roles
}

// LiftQuorum is how many governors, of different controlling entities, lift a
// halt or a suspension. One alone stops; one alone never starts again.
const LiftQuorum = 2

// Entity is the controlling entity of a governor; empty for anybody else.
func (g Governance) Entity(id string) string {
	for _, x := range g.Governors {
		if x.ID == id {
			return x.Entity
		}
	}
	return ""
}

// stopped is a halt or a suspension that stands.
type stopped struct {
	since  int64           // the latest time that a halt or suspension bears
	lifted map[string]bool // controlling entities of the governors who lift it
}

// Denials is what a holder has been told to refuse. The zero value refuses
// nothing; the holder persists the signed objects and rebuilds it at start.
type Denials struct {
	withdrawn map[string]bool             // organisation | label; without organisation: by whoever may
	frozen    map[string]map[string]int64 // likewise; by author: since
	stops     map[string]*stopped         // by member; a halt under everything
}

// everything is the key of a halt among the stops; no member has an empty id.
const everything = ""

// Apply adds a verified denial; entity is the controlling entity of the
// governor who signed it, empty where its author is none.
func (d *Denials) Apply(x Denial, entity string) {
	if d.withdrawn == nil {
		d.withdrawn, d.stops = make(map[string]bool), make(map[string]*stopped)
		d.frozen = make(map[string]map[string]int64)
	}
	switch x.Kind {
	case DenyWithdraw:
		for _, l := range x.Labels {
			d.withdrawn[place(x.Member, l)] = true
		}
	case DenySuspend:
		d.stop(x.Member, x.Time)
	case DenyHalt:
		d.stop(everything, x.Time)
	case DenyResume:
		d.lift(x, entity)
	default:
		d.applyCorrection(x)
	}
}

// stop begins or renews a stop: what was signed to lift an earlier one counts
// no more.
func (d *Denials) stop(target string, at int64) {
	if had := d.stops[target]; had != nil {
		at = max(at, had.since)
	}
	d.stops[target] = &stopped{since: at, lifted: make(map[string]bool)}
}

func (d *Denials) lift(x Denial, entity string) {
	s := d.stops[x.Member]
	if s == nil || entity == "" || x.Time <= s.since {
		return
	}
	s.lifted[entity] = true
	if len(s.lifted) >= LiftQuorum {
		delete(d.stops, x.Member)
	}
}

// outdated reports a lift that is not dated after the halt or suspension that
// it would lift: a lift signed for an earlier one must not count for this one.
func (d *Denials) outdated(x Denial) bool {
	s := d.stops[x.Member]
	return x.Kind == DenyResume && s != nil && x.Time <= s.since
}

// Halted reports that all openings are halted.
func (d *Denials) Halted() bool { return d.stops[everything] != nil }

// Forbids reports that this organisation's observation may not count or open.
func (d *Denials) Forbids(org string, label seal.Label) bool {
	own, any := place(org, label), place("", label)
	return d.Suspended(org) || d.withdrawn[own] || d.withdrawn[any] || len(d.frozen[own]) > 0 || len(d.frozen[any]) > 0
}

// Suspended reports that a member is suspended.
func (d *Denials) Suspended(member string) bool {
	return member != everything && d.stops[member] != nil
}
