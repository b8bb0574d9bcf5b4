package opening

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// Kinds of correction: denials that put right what an organisation reported.
// They travel as every denial does and reach whoever has read the observation.
const (
	DenyFreeze = "freeze" // a member its own, an approver any: nothing opens until it is decided
	DenyUphold = "uphold" // whoever froze decides that the observation stands
	DenyAmend  = "amend"  // a member replaces its own by a new observation
	DenyRevoke = "revoke" // a member its own, an approver any: it was wrong and never counts again
	DenyThaw   = "thaw"   // a governor lifts freezes; the only way once one is older than FreezeLife
)

// Times that a correction keeps to.
const (
	FreezeWithin = 24 * time.Hour      // from the request to the freeze
	FreezeLife   = 30 * 24 * time.Hour // from the freeze to the decision; afterwards it is escalated
	SpreadWithin = time.Hour           // from the act to the last receipt
	upholdFresh  = 24 * time.Hour      // how long a signed decision to uphold counts
)

// MaxLife is the last moment at which a tag of a class, contributed now, may
// end: phone numbers change hands sooner. One day is left for other clocks.
func MaxLife(class selector.Class, now time.Time) time.Time {
	if class == selector.Phone {
		return now.AddDate(0, 6, 1)
	}
	return now.AddDate(0, 12, 1)
}

// MaxCorrected bounds the observations of one correction.
const MaxCorrected = 1000

// Corrects reports that the denial is one that puts something right.
func (d Denial) Corrects() bool {
	return slices.Contains([]string{DenyFreeze, DenyUphold, DenyAmend, DenyRevoke, DenyThaw}, d.Kind)
}

// correctors says which roles may sign which correction.
var correctors = map[string][]string{DenyFreeze: {"member", "approver"}, DenyUphold: {"member", "approver"},
	DenyAmend: {"member"}, DenyRevoke: {"member", "approver"}, DenyThaw: {"governor"}}

// checkCorrection decides whether a correction is in form for one of its
// author's roles: a member speaks of its own observations only.
func (d Denial) checkCorrection(role, author string) error {
	switch {
	case !slices.Contains(correctors[d.Kind], role):
		return fmt.Errorf("a %s may not sign a denial of kind %q for this pool", role, d.Kind)
	case d.Author != author:
		return errors.New("the correction names another author than the one who signed it")
	case role == "member" && d.Member != author:
		return errors.New("a member corrects its own observations only")
	case role != "member" && d.Member != "":
		return fmt.Errorf("a correction by a %s names no member: it goes by label", role)
	case len(d.Labels) == 0 || len(d.Labels)+len(d.Instead) > MaxCorrected:
		return fmt.Errorf("a correction lists %d observations, want 1 to %d", len(d.Labels)+len(d.Instead), MaxCorrected)
	case (d.Kind == DenyAmend) != (len(d.Instead) > 0):
		return errors.New("an amendment, and nothing else, names what takes the place of what it corrects")
	}
	for _, l := range d.Instead {
		if slices.Contains(d.Labels, l) {
			return errors.New("an observation cannot take its own place")
		}
	}
	return nil
}

// A Freeze is one that stands.
type Freeze struct {
	Author string
	Since  time.Time
	// Escalated: undecided for longer than FreezeLife. It stays frozen, and
	// only governance can lift it.
	Escalated bool
}

// place names the observations that a denial speaks of: a member's word
// reaches its own only, anybody else's goes by the label alone.
func place(member string, l seal.Label) string { return member + "|" + hex.EncodeToString(l[:]) }

// Refuses says why a denial cannot be taken at this time after what came
// before it; nil if it can. What is dated in the future could not be lifted. Whoever persists denials asks before.
func (d *Denials) Refuses(x Denial, now time.Time) error {
	at := time.UnixMicro(x.Time)
	switch {
	case at.After(now.Add(signed.Window)):
		return errors.New("it is dated in the future; set the clock of the machine where it was signed")
	case d.outdated(x):
		return errors.New("it is not dated after the halt or suspension that it would lift; sign it anew")
	case x.Kind != DenyUphold:
		return nil
	case now.Sub(at) > upholdFresh:
		return errors.New("a decision to uphold counts for 24 hours after it was signed; sign it again")
	}
	for _, l := range x.Labels {
		since, ok := d.frozen[place(x.Member, l)][x.Author]
		switch {
		case !ok:
			return errors.New("there is no freeze of yours on an observation that the decision lists")
		case now.Sub(time.UnixMicro(since)) > FreezeLife:
			return errors.New("an observation has been frozen for more than 30 days without a decision: only governance can lift that")
		}
	}
	return nil
}

// applyCorrection adds a correction. A decision to uphold that came too late
// changes nothing, whoever kept it.
func (d *Denials) applyCorrection(x Denial) {
	for _, l := range x.Labels {
		at := place(x.Member, l)
		switch x.Kind {
		case DenyFreeze:
			if d.frozen[at] == nil {
				d.frozen[at] = make(map[string]int64)
			}
			if had, ok := d.frozen[at][x.Author]; !ok || x.Time < had {
				d.frozen[at][x.Author] = x.Time
			}
		case DenyUphold:
			if since, ok := d.frozen[at][x.Author]; ok && x.Time-since <= FreezeLife.Microseconds() {
				delete(d.frozen[at], x.Author)
			}
		case DenyAmend, DenyRevoke:
			d.withdrawn[at] = true
		case DenyThaw:
			d.thaw(hex.EncodeToString(l[:]))
		}
	}
}

// thaw lifts every freeze of one observation, whoever made it.
func (d *Denials) thaw(label string) {
	for at := range d.frozen {
		if len(at) > len(label) && at[len(at)-len(label):] == label {
			delete(d.frozen, at)
		}
	}
}

// Frozen lists the freezes that stand on an observation, the oldest first.
func (d *Denials) Frozen(org string, label seal.Label, now time.Time) []Freeze {
	var out []Freeze
	for _, member := range []string{org, ""} {
		for author, since := range d.frozen[place(member, label)] {
			at := time.UnixMicro(since)
			out = append(out, Freeze{Author: author, Since: at, Escalated: now.Sub(at) > FreezeLife})
		}
	}
	slices.SortFunc(out, func(a, b Freeze) int { return a.Since.Compare(b.Since) })
	return out
}

// FrozenCount counts the observations under a freeze, and those of them that
// nobody decided in time.
func (d *Denials) FrozenCount(now time.Time) (frozen, escalated int) {
	for _, by := range d.frozen {
		late := false
		for _, since := range by {
			late = late || now.Sub(time.UnixMicro(since)) > FreezeLife
		}
		if len(by) > 0 {
			frozen++
		}
		if late {
			escalated++
		}
	}
	return frozen, escalated
}
