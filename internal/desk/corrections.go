package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// A ReceivedCorrection is one act that puts right what this desk may have
// read, and how far word of it has come.
type ReceivedCorrection struct {
	ID       string         `json:"id"` // of this desk: the first digits of the act's digest
	Denial   opening.Denial `json:"denial"`
	By       string         `json:"by"`
	Openings []string       `json:"openings"`
	Received int64          `json:"received"`
	Told     []Told         `json:"told"` // everybody to whom one of the openings was passed on
	Signed   signed.Object  `json:"signed"`
}

// Told is one recipient of a lead that was passed on, and whether it knows of
// a correction.
type Told struct {
	Opening string `json:"opening"`
	To      string `json:"to"`
	How     string `json:"how"`  // how it was told; empty: not yet
	Time    int64  `json:"time"` // when
	Due     int64  `json:"due"`  // by when it is to be told
}

// Corrections asks the hub what was put right in what this desk could read,
// verifies and keeps it, and signs receipts for what is new. From then on the
// desk hides what the acts name, whatever the hub says later. It gives
// everything kept, oldest first.
func (d *Desk) Corrections(ctx context.Context) ([]ReceivedCorrection, error) {
	m, j, who, err := d.approver(ctx)
	if err != nil {
		return nil, err
	}
	if who.Role != opening.RoleAuthority {
		return nil, fault.New(fault.Forbidden, "Only the authority's desk hears of corrections: it alone reads leads.")
	}
	var got client.Corrected
	if err := d.hub(ctx, m, client.PathCorrected, struct{}{}, &got); err != nil {
		return nil, err
	}
	for _, c := range got.Corrections {
		if err := d.receive(ctx, m, j, c); err != nil {
			return nil, err
		}
	}
	return d.keptCorrections(ctx)
}

// receive verifies and keeps one correction, and acknowledges it where that is
// waited for. It is on disk before the receipt leaves.
func (d *Desk) receive(ctx context.Context, m client.Member, j joined, c client.CorrectedItem) error {
	den, err := opening.OpenDenial(m.Manifest, j.Setup.Plan.Governance, c.Denial)
	if err != nil {
		return fault.Wrap(fault.Invalid, "The hub delivered a correction that nobody may sign: "+err.Error()+".", err)
	}
	digest := opening.Digest(c.Denial.Body)
	x := ReceivedCorrection{ID: short(digest.String(), 16), Denial: den, By: c.Denial.Key, Openings: c.Openings,
		Received: d.clock.Now().UnixMicro(), Told: []Told{}, Signed: c.Denial}
	if err := d.records.keepCorrection(ctx, digest, x); err != nil {
		return err
	}
	if !c.Waiting {
		return nil
	}
	o, err := signed.Sign(client.CorrectionReceiptDomain, d.who.ID, d.signKey(), client.CorrectionReceipt{
		Correction: digest, Openings: c.Openings, Reader: d.who.ID, Time: d.clock.Now().UnixMicro()})
	if err != nil {
		return err
	}
	return d.hub(ctx, m, client.PathCorrectedAck, o, nil)
}

// keptCorrections gives the corrections that this desk keeps, oldest first,
// with whom the openings concerned were passed on to.
func (d *Desk) keptCorrections(ctx context.Context) ([]ReceivedCorrection, error) {
	list, err := d.records.corrections(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		x := &list[i]
		for _, id := range x.Openings {
			refs, err := d.Referrals(ctx, id)
			if err != nil {
				return nil, err
			}
			for _, r := range refs {
				told := Told{Opening: id, To: r.To, Due: x.Received + opening.SpreadWithin.Microseconds()}
				if !slices.ContainsFunc(x.Told, func(t Told) bool { return t.Opening == id && t.To == r.To }) {
					x.Told = append(x.Told, told)
				}
			}
		}
	}
	return list, nil
}

// A Hidden observation of a lead is one that this desk shows no more.
type Hidden struct {
	Label        seal.Label `json:"label"`
	Organisation string     `json:"organisation"` // where it corrected itself
	Kind         string     `json:"kind"`         // of the act that counts
	By           string     `json:"by"`
	Time         int64      `json:"time"`
	Reason       string     `json:"reason"`
	Replaced     int        `json:"replaced"` // by how many new observations
}

// hidden says which observations corrections keep from being shown: those that
// are frozen, replaced, revoked or withdrawn. Acts count in the order in which
// they were signed.
func hidden(list []ReceivedCorrection) map[seal.Label]Hidden {
	var state opening.Denials
	last := make(map[seal.Label]Hidden)
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b ReceivedCorrection) int { return int(a.Denial.Time - b.Denial.Time) })
	for _, c := range sorted {
		x := c.Denial
		state.Apply(x, "")
		for _, l := range x.Labels {
			if !state.Forbids(x.Member, l) {
				delete(last, l)
			} else if x.Kind != opening.DenyUphold && x.Kind != opening.DenyThaw {
				last[l] = Hidden{Label: l, Organisation: x.Member, Kind: x.Kind, By: c.By, Time: x.Time, Reason: x.Reason, Replaced: len(x.Instead)}
			}
		}
	}
	return last
}

// A Referral is a note that an opened lead was passed on: a correction has to
// reach whoever got it as well.
type Referral struct {
	Opening string `json:"opening"`
	To      string `json:"to"`
	How     string `json:"how"`
	Time    int64  `json:"time"`
}

// Refer notes to whom an opened lead was passed on, and how.
func (d *Desk) Refer(ctx context.Context, id, to, how string) (Referral, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return Referral{}, err
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return Referral{}, err
	}
	if state.State != "released" {
		return Referral{}, fault.Newf(fault.Conflict, "The opening is %s: there is nothing to pass on.", state.State)
	}
	if to == "" || how == "" || len(to) > 200 || len(how) > 400 {
		return Referral{}, fault.New(fault.Invalid, "Say in a few words to whom it was passed on and how.")
	}
	r := Referral{Opening: id, To: to, How: how, Time: d.clock.Now().UnixMicro()}
	return r, d.records.keepReferral(ctx, r)
}

// Referrals lists to whom an opening was passed on.
func (d *Desk) Referrals(ctx context.Context, id string) ([]Referral, error) {
	return d.records.referrals(ctx, id)
}

// TellRecipient notes that somebody to whom a lead was passed on was told of a
// correction.
func (d *Desk) TellRecipient(ctx context.Context, correction, to, how string) (ReceivedCorrection, error) {
	list, err := d.keptCorrections(ctx)
	if err != nil {
		return ReceivedCorrection{}, err
	}
	for _, x := range list {
		if x.ID != correction {
			continue
		}
		found := false
		for i := range x.Told {
			if x.Told[i].To == to && x.Told[i].Time == 0 {
				x.Told[i].How, x.Told[i].Time, found = how, d.clock.Now().UnixMicro(), true
			}
		}
		if !found {
			return x, fault.New(fault.NotFound, "No lead of this correction was passed on to that recipient, or it was told before.")
		}
		return x, d.records.changeCorrection(ctx, opening.Digest(x.Signed.Body), x)
	}
	return ReceivedCorrection{}, fault.New(fault.NotFound, "This desk keeps no correction with that id.")
}

// Untold counts the recipients that do not know of a correction yet, and those
// of them for whom the hour is over.
func Untold(list []ReceivedCorrection, now time.Time) (untold, late int) {
	for _, c := range list {
		for _, t := range c.Told {
			if t.Time == 0 {
				untold++
				if now.UnixMicro() > t.Due {
					late++
				}
			}
		}
	}
	return untold, late
}

// Text says in one line what became of an observation.
func (h Hidden) Text() string {
	who := h.Organisation
	if who == "" {
		who = h.By
	}
	word := map[string]string{opening.DenyFreeze: "frozen until it is decided", opening.DenyAmend: "replaced", opening.DenyRevoke: "revoked", opening.DenyWithdraw: "withdrawn"}[h.Kind]
	return fmt.Sprintf("%s on %s by %s", word, time.UnixMicro(h.Time).UTC().Format(time.DateOnly), who)
}
