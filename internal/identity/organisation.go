package identity

import (
	"slices"
	"strings"
	"time"

	"parallax/opening"
)

// An Organisation is what the manifest and governance's accreditation say of a
// body, put together. Its keys are in the manifest only.
type Organisation struct {
	ID            string
	Name          string
	Entity        string // controlling entity
	Sector        string // of a member; "" for others
	Kind          string // "" until it is accredited
	Jurisdictions []string
	Functions     []Function // in force
	Admitted      time.Time  // of a member
	Version       int64      // of its accreditation; 0: none
	From, Until   time.Time  // of its accreditation
	InManifest    bool
	// Stopped is why its people are kept out; "" while they are let in.
	Stopped string
}

// Accredited reports that governance has said anything about it.
func (o Organisation) Accredited() bool { return o.Version > 0 }

// An Operator is who runs this hub.
type Operator struct{ ID, Entity string }

// Why people of an organisation are kept out.
const (
	stoppedMember  = "Suspended in the policy in force"
	stoppedWord    = "Suspended by a governor"
	stoppedAccr    = "Suspended by governance"
	stoppedEnded   = "Its accreditation has ended"
	stoppedNotYet  = "Its accreditation has not begun"
	stoppedUnknown = "Neither the policy nor an accreditation knows it"
)

// listed are the organisations of a manifest, or the operator alone before
// there is one.
func listed(op Operator, m opening.Manifest, ok bool) map[string]*Organisation {
	out := map[string]*Organisation{}
	add := func(id, name, entity string, f Function) *Organisation {
		o := out[id]
		if o == nil {
			o = &Organisation{ID: id, Name: name, Entity: entity, InManifest: true}
			out[id] = o
		}
		if !slices.Contains(o.Functions, f) {
			o.Functions = append(o.Functions, f)
		}
		return o
	}
	add(op.ID, op.Entity, op.Entity, Operates)
	if !ok {
		return out
	}
	for _, x := range m.Members {
		name := x.Name
		if name == "" {
			name = x.ID
		}
		o := add(x.ID, name, x.Entity, Contributes)
		o.Sector, o.Admitted = x.Sector, time.UnixMicro(x.Admitted).UTC()
		if x.Status != opening.Active {
			o.Stopped = stoppedMember
		}
	}
	add(m.Authority.ID, m.Authority.Entity, m.Authority.Entity, Receives)
	for _, x := range m.Approvers {
		if x.Role == opening.RoleOversight {
			add(x.Entity, x.Entity, x.Entity, Oversees)
		}
	}
	for _, x := range m.Holders {
		add(x.ID, x.Entity, x.Entity, HoldsKey)
	}
	return out
}

// merge puts an accreditation and a governor's word on top of what the manifest
// says. An accreditation adds what people need; it takes nothing that the
// manifest gives to keys, and only the manifest gives functions that need one.
func merge(o *Organisation, id string, a *Accreditation, suspended bool, now time.Time) Organisation {
	if o == nil {
		o = &Organisation{ID: id, Name: id, Stopped: stoppedUnknown}
	}
	out := *o
	out.Functions = slices.Clone(o.Functions)
	if a != nil {
		out.Version, out.Name, out.Kind, out.Jurisdictions = a.Version, a.Name, a.Kind, a.Jurisdictions
		out.From, out.Until = time.UnixMicro(a.From).UTC(), time.UnixMicro(a.Until).UTC()
		if !out.InManifest {
			out.Entity, out.Stopped = a.Entity, ""
		}
		for _, f := range a.Functions {
			if slices.Contains(byAccreditation, f) && a.holds(now) && !slices.Contains(out.Functions, f) {
				out.Functions = append(out.Functions, f)
			}
		}
		switch {
		case a.Status == StatusSuspended:
			out.Stopped = stoppedAccr
		case a.Status == StatusEnded || now.UnixMicro() >= a.Until:
			out.Stopped = stoppedEnded
		case now.UnixMicro() < a.From:
			out.Stopped = stoppedNotYet
		}
	}
	if suspended {
		out.Stopped = stoppedWord
	}
	return out
}

// byName orders organisations for people.
func byName(a, b Organisation) int {
	if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}
